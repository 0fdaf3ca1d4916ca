"""One self-contained HTML page that a doctor reads in the morning: each patient's ranked trials with the reasons, the
words of the visit highlighted and the boxes drawn on the photo. No script, no request to anywhere.
"""

from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import Any

from fhirbridge import languages
from fhirbridge.fhir.derivation import DERIVATION
from fhirbridge.fhir.plain_facts import XYWH


@dataclass(frozen=True, slots=True)
class PatientPage:
    """What the page shows of one patient: the Bundle, the line of `fhirbridge match`, and the language to use."""

    bundle: Mapping[str, Any]
    matches: Mapping[str, Any]
    language: str = "en"


def render(patients: Iterable[PatientPage], as_of: str, language: str = "en") -> str:
    """The page as HTML text. `as_of` is the day of judgement, YYYY-MM-DD."""
    words = _words(language)
    style = resources.files(__package__).joinpath("morning_page.css").read_text("utf-8")
    body = "".join(_patient(p) for p in patients)
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{words["title"]}</title>'
        f"<style>{style}</style></head><body><main><h1>{words['title']}, {words['as_of']} {escape(as_of)}</h1>{body}"
        f"</main><footer>{words['machine']}</footer></body></html>\n"
    )


def _words(language: str) -> dict[str, str]:
    return {row["key"]: row["text"] for row in languages.rows(language, "morning_page")}


def _patient(page: PatientPage) -> str:
    words = _words(page.language)
    found = [e["resource"] for e in page.bundle.get("entry", []) if "resource" in e]
    patient: dict[str, Any] = next((r for r in found if r["resourceType"] == "Patient"), {})
    sources = [r for r in found if r["resourceType"] == "DocumentReference"]
    parts = [
        f'<section lang="{page.language}"><h2>{escape(str(page.matches.get("patient", "")))}{_who(patient, words)}</h2>'
    ]
    parts.append(_trials(page.matches, words))
    for source in sources:
        parts.append(_source(source, found, page.bundle, words))
    return "".join(parts) + "</section>"


def _who(patient: Mapping[str, Any], words: Mapping[str, str]) -> str:
    said = [words.get(str(patient.get("gender")), ""), str(patient.get("birthDate", ""))]
    kept = [escape(s) for s in said if s]
    return f" <small>({', '.join(kept)})</small>" if kept else ""


# ------------------------------------------------------------------------------------------------------- the trials


def _trials(matches: Mapping[str, Any], words: Mapping[str, str]) -> str:
    found = matches.get("matches", [])
    shown = [m for m in found if m["status"] != "excluded"]
    hidden = [m for m in found if m["status"] == "excluded"]
    rows = "".join(_trial(m, words) for m in shown) or f"<tr><td colspan=4>{words['none']}</td></tr>"
    more = ""
    if hidden:
        inside = "".join(_trial(m, words) for m in hidden)
        summary = words["more"].format(n=len(hidden))
        more = f"<details><summary>{summary}</summary><table>{inside}</table></details>"
    heads = "".join(f"<th scope=col>{words[k]}</th>" for k in ("rank", "status", "score", "trial"))
    return f"<h3>{words['trials']}</h3><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{more}"


def _trial(match: Mapping[str, Any], words: Mapping[str, str]) -> str:
    criteria = "".join(_criterion(c, words) for c in match.get("criteria", []))
    missing = "".join(_missing(m, words) for m in match.get("missing", []))
    needed = f"<p><b>{words['missing']}</b></p><ul>{missing}</ul>" if missing else ""
    status = match["status"]
    identifier = escape(str(match["study"]).rsplit("/", 1)[-1])
    title = f"<b>{escape(str(match.get('title', '')))}</b> {identifier}"
    return (
        f'<tr><td>{match.get("rank", "")}</td><td><span class="badge {status}">{words[status]}</span></td>'
        f"<td>{float(match['score']):.2f}</td><td>{title}{needed}"
        f"<details><summary>{words['criteria']}</summary><table>{criteria}</table></details></td></tr>"
    )


def _criterion(criterion: Mapping[str, Any], words: Mapping[str, str]) -> str:
    result, reason = criterion["result"], escape(criterion.get("reason") or "")
    return (
        f'<tr><td class="{result}">{words[result]}</td><td>{words[criterion["kind"]]}</td>'
        f'<td>{escape(criterion["text"])}<br><span class="reason">{reason}</span></td></tr>'
    )


def _missing(missing: Mapping[str, Any], words: Mapping[str, str]) -> str:
    settles = f" ({words['settles']})" if missing.get("would_settle") else ""
    return f"<li>{escape(str(missing['need']))}{settles}</li>"


# ------------------------------------------------------------------------------------------------------ the sources


def _source(
    source: Mapping[str, Any], resources: list[dict[str, Any]], bundle: Mapping[str, Any], words: Mapping[str, str]
) -> str:
    attachment = source["content"][0]["attachment"]
    if "data" not in attachment:
        return ""
    names = {f"DocumentReference/{source.get('id')}"}
    names |= {e["fullUrl"] for e in bundle.get("entry", []) if e.get("resource") is source and e.get("fullUrl")}
    mine = [r for r in resources if _derived(r, names)]
    if attachment.get("contentType", "").startswith("image/"):
        return _photo(attachment, mine, words)
    if attachment.get("contentType", "").startswith("text/"):
        return _visit(attachment, mine, words)
    return ""


def _derived(resource: Mapping[str, Any], names: set[str]) -> list[dict[str, Any]]:
    """The derivation-reference extensions of a resource that point to the source."""
    out = []
    for extension in resource.get("extension", []):
        if extension.get("url") == DERIVATION:
            parts = {e["url"]: e for e in extension.get("extension", [])}
            if parts.get("reference", {}).get("valueReference", {}).get("reference") in names:
                out.append(parts)
    return out


def _visit(attachment: Mapping[str, Any], mine: list[dict[str, Any]], words: Mapping[str, str]) -> str:
    text = base64.b64decode(attachment["data"]).decode("utf-8", "replace")
    spans: list[tuple[int, int, str, bool]] = []
    for resource in mine:
        for extension in resource.get("extension", []):
            parts = {e["url"]: e for e in extension.get("extension", [])}
            if "offset" in parts and "length" in parts:
                start = parts["offset"]["valueInteger"]
                spans.append((start, start + parts["length"]["valueInteger"], _name(resource), _refuted(resource)))
    return f'<h3>{words["visit"]}</h3><div class="words">{_highlighted(text, spans)}</div>'


def _highlighted(text: str, spans: list[tuple[int, int, str, bool]]) -> str:
    """The text with its evidence marked; where spans overlap the mark names all of them."""
    edges = sorted({0, len(text), *(s for s, *_ in spans), *(e for _, e, *_ in spans)})
    out = []
    for start, end in itertools.pairwise(edges):
        over = [s for s in spans if s[0] <= start and end <= s[1]]
        piece = escape(text[start:end])
        if over:
            kind = ' class="refuted"' if all(s[3] for s in over) else ""
            piece = f'<mark{kind} title="{escape("; ".join(dict.fromkeys(s[2] for s in over)))}">{piece}</mark>'
        out.append(piece)
    return "".join(out)


def _photo(attachment: Mapping[str, Any], mine: list[dict[str, Any]], words: Mapping[str, str]) -> str:
    rows = [r for r in mine if r["resourceType"] == "Observation"]
    boxes = "".join(_box(r) for r in rows)
    data = f"data:{attachment['contentType']};base64,{attachment['data']}"
    width, height = _size(base64.b64decode(attachment["data"]))
    table = "".join(_row(r, words) for r in sorted(rows, key=lambda r: r.get("status") == "final"))
    heads = "".join(f"<th scope=col>{words[k]}</th>" for k in ("test", "value", "range", "flag"))
    return (
        f'<h3>{words["photo"]}</h3><div class="photo"><img alt="{words["photo"]}" src="{data}">'
        f'<svg viewBox="0 0 {width} {height}" aria-hidden="true">{boxes}</svg></div>'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{table}</tbody></table>"
    )


def _size(data: bytes) -> tuple[int, int]:
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        return image.size


def _box(resource: Mapping[str, Any]) -> str:
    found = XYWH.search(str(resource.get("extension")))
    if not found:
        return ""
    _, x, y, w, h = found.groups()
    kind = "" if resource.get("status") == "final" else ' class="doubtful"'
    return f'<rect{kind} x="{x}" y="{y}" width="{w}" height="{h}"><title>{escape(_name(resource))}</title></rect>'


def _row(resource: Mapping[str, Any], words: Mapping[str, str]) -> str:
    quantity = resource.get("valueQuantity", {})
    concept = resource.get("valueCodeableConcept", {})
    value = f"{quantity.get('comparator', '')}{quantity['value']}" if "value" in quantity else concept.get("text", "")
    value = value or str(resource.get("valueString", ""))
    limits = (resource.get("referenceRange") or [{}])[0]
    ends = [str(limits[k]["value"]) for k in ("low", "high") if k in limits]
    span = limits.get("text") or "–".join(ends)
    flags = [c.get("code", "") for i in resource.get("interpretation", []) for c in i.get("coding", [])]
    doubtful = resource.get("status") != "final"
    mark = f" <small>{words['doubtful']}</small>" if doubtful else ""
    kind = ' class="doubtful"' if doubtful else ""
    cells = (_name(resource), f"{value} {quantity.get('unit', '')}", span, " ".join(flags))
    first, *rest = (f"<td>{escape(c)}" for c in cells)
    return f"<tr{kind}>{first}{mark}</td>{''.join(c + '</td>' for c in rest)}</tr>"


def _name(resource: Mapping[str, Any]) -> str:
    concept = resource.get("code") or resource.get("medicationCodeableConcept") or {}
    if not concept and resource.get("condition"):
        concept = resource["condition"][0].get("code", {})
    named = concept.get("text") or next((c.get("display") for c in concept.get("coding", [])), None)
    return str(named or resource["resourceType"])


def _refuted(resource: Mapping[str, Any]) -> bool:
    return any(c.get("code") == "refuted" for c in resource.get("verificationStatus", {}).get("coding", []))
