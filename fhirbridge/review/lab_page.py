"""A lab report's Bundle -> one self-contained page: the photo with boxes beside the table, doubtful rows first.

Nothing is fetched from anywhere: pictures are data URIs, and a Content-Security-Policy forbids everything else. All
text of the report is escaped. A click on a row shows its crop; a click on a box finds its row.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

from PIL import Image

from fhirbridge import languages
from fhirbridge.records import Picture

_SHOWN = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp")
_PLACE = re.compile(r"content\[(\d+)\]\.attachment\.data#(?:page=(\d+)&)?xywh=pixel:(\d+),(\d+),(\d+),(\d+)")
_COLUMNS = ("name", "value", "unit", "range", "flag", "status")
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def page(bundle: Mapping[str, Any], pictures: Sequence[Picture] = (), *, language: str = "auto") -> str:
    """The page as HTML text. `pictures` are needed only for files that browsers do not show (PDF, TIFF, HEIC)."""
    rows = [r for r in _resources(bundle) if r["resourceType"] == "Observation"]
    files = _files(bundle)
    if language == "auto":
        language = languages.detect(" ".join(r["code"].get("text", "") for r in rows))
    words = {row["key"]: row["text"] for row in languages.rows(language, "lab_page")}
    sources = _sources(files, pictures)
    order = sorted(range(len(rows)), key=lambda n: (rows[n]["status"] == "final", n))
    doubtful = sum(r["status"] != "final" for r in rows)
    return _HTML.format(
        language=escape(language),
        policy=escape(_POLICY, quote=True),
        title=escape(words["title"]),
        style=_asset("lab_page.css"),
        script=_asset("lab_page.js"),
        hint=escape(words["hint"]),
        summary=escape(f"{len(rows)} {words['summary']} {doubtful}") if rows else escape(words["nothing"]),
        head="".join(f"<th scope=col>{escape(words[k])}</th>" for k in _COLUMNS),
        rows="".join(_row(n, rows[n], words, len(sources)) for n in order),
        pages="".join(_picture(n, source, rows, len(sources)) for n, source in enumerate(sources)),
    )


def _asset(name: str) -> str:
    return (resources.files("fhirbridge.review") / "assets" / name).read_text(encoding="utf-8")


def needs_pictures(bundle: Mapping[str, Any]) -> bool:
    """Whether the attached files are of a kind that browsers do not show (PDF, TIFF, HEIC)."""
    return any(file.get("contentType") not in _SHOWN for file in _files(bundle))


def _resources(bundle: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [entry["resource"] for entry in bundle.get("entry", [])]


def _files(bundle: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [
        c["attachment"] for r in _resources(bundle) if r["resourceType"] == "DocumentReference" for c in r["content"]
    ]


def _sources(files: Sequence[Mapping[str, Any]], pictures: Sequence[Picture]) -> list[str]:
    """One data URI a page: the attachments where a browser shows them, else the pictures as JPEG."""
    if all(f.get("contentType") in _SHOWN for f in files) and len(files) >= len(pictures):
        return [f"data:{f['contentType']};base64,{f['data']}" for f in files]
    return [_jpeg(picture) for picture in pictures]


def _jpeg(picture: Picture) -> str:
    store = io.BytesIO()
    Image.fromarray(picture.pixels).save(store, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(store.getvalue()).decode('ascii')}"


def _place(resource: Mapping[str, Any], pages: int) -> tuple[int, tuple[int, ...]] | None:
    """Which picture a row stands on, and its box there."""
    for extension in resource.get("extension", []):
        for part in extension.get("extension", []):
            found = _PLACE.search(str(part.get("valueString", "")))
            if found:
                content, number, *box = found.groups()
                at = int(number) - 1 if number else int(content)
                return min(at, max(0, pages - 1)), tuple(map(int, box))
    return None


def _value(resource: Mapping[str, Any]) -> tuple[str, str]:
    quantity = resource.get("valueQuantity")
    if quantity:
        return f"{quantity.get('comparator', '')}{quantity.get('value', '')}", str(quantity.get("unit", ""))
    return str((resource.get("valueCodeableConcept") or {}).get("text", "")), ""


def _row(number: int, resource: Mapping[str, Any], words: Mapping[str, str], pages: int) -> str:
    value, unit = _value(resource)
    limits = (resource.get("referenceRange") or [{}])[0]
    span = [str((limits.get(k) or {}).get("value", "")) for k in ("low", "high")]
    shown = limits.get("text") or "–".join(span).strip("–")
    flag = next((c["code"] for i in resource.get("interpretation", []) for c in i.get("coding", [])), "")
    sure = resource["status"] == "final"
    notes = [_reason(n["text"], words) for n in resource.get("note", [])]
    codes = ", ".join(c["code"] for c in resource["code"].get("coding", []))
    place = _place(resource, pages)
    where = f' data-page="{place[0]}" data-box="{",".join(map(str, place[1]))}"' if place else ""
    cells = (resource["code"].get("text", ""), value, unit, shown, words.get(flag, flag) if flag != "N" else "")
    mark = "final" if sure else "preliminary"
    told = "".join(f"<li>{escape(note)}</li>" for note in notes)
    detail = f"<ul>{told}</ul>" if told else ""
    return (
        f'<tr class="row {mark}" id="r{number}" tabindex=0{where}>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + f"<td><b>{escape(words[mark])}</b></td></tr>"
        + f'<tr class="more" id="m{number}"><td colspan=6>{detail}<canvas></canvas>'
        + (f"<p>LOINC {escape(codes)}</p>" if codes else "")
        + "</td></tr>"
    )


def _reason(text: str, words: Mapping[str, str]) -> str:
    """A check's reason in the page's language; what follows a known beginning (names of rows) is kept."""
    text = text.removeprefix("to check: ")
    for key, said in words.items():
        reason = key.removeprefix("reason:")
        if reason != key and text.startswith(reason):
            return said + text[len(reason) :]
    return text


def _picture(number: int, source: str, rows: Sequence[Mapping[str, Any]], pages: int) -> str:
    boxes = []
    for at, resource in enumerate(rows):
        place = _place(resource, pages)
        if place and place[0] == number:
            x, y, width, height = place[1]
            mark = "final" if resource["status"] == "final" else "preliminary"
            boxes.append(f'<rect class="{mark}" id="b{at}" x={x} y={y} width={width} height={height} />')
    return f'<figure><img id="p{number}" alt="" src="{escape(source, quote=True)}"><svg>{"".join(boxes)}</svg></figure>'


_HTML = (
    '<!doctype html><html lang="{language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<meta http-equiv="Content-Security-Policy" content="{policy}"><title>{title}</title><style>{style}</style>'
    '<body><main id="t"><h1>{title}</h1><p>{summary}</p><p><small>{hint}</small></p>'
    "<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></main>"
    '<aside id="i">{pages}</aside><script>{script}</script></body></html>\n'
)
