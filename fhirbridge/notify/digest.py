"""What one recipient reads in the morning: plain text and self-contained HTML for phone and print."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import Any

from fhirbridge import languages
from fhirbridge.notify.changes import Change
from fhirbridge.notify.channels import Message
from fhirbridge.notify.settings import Recipient, Tell


@dataclass(frozen=True, slots=True)
class Entry:
    """One patient in a digest: the row, what changed, and the trials' contacts by study."""

    row: Mapping[str, Any]
    changes: tuple[Change, ...]
    contacts: Mapping[str, Sequence[str]]


def words(language: str) -> dict[str, str]:
    """The digest's words in a language."""
    return {r["key"]: r["text"] for r in languages.rows(language, "digest")}


def options(row: Mapping[str, Any], tell: Tell) -> list[Mapping[str, Any]]:
    """The matches of a row that are worth telling."""
    found = [m for m in row["matches"] if listed(m["status"], m["score"], tell)]
    return found[: tell.top]


def listed(status: str, score: float, tell: Tell) -> bool:
    """Whether a match is worth telling."""
    return status in tell.statuses and score >= tell.from_score


class Draft:
    """A message to one recipient as it grows, patient by patient: rows are not kept, only what is written of them.

    Its id is made from whom, when and what, so that the same is sent once. The subject names no patient. With `leaves`
    the text has no patient either, only how many there are and the link.
    """

    def __init__(self, recipient: Recipient, tell: Tell, as_of: str, *, leaves: bool) -> None:
        self._recipient, self._tell, self._as_of, self._leaves = recipient, tell, as_of, leaves
        self._words = words(tell.language)
        self._texts: list[str] = []
        self._parts: list[str] = []
        self._with_options = 0
        self.entries = 0
        about = f"{recipient.name}\n{recipient.channel}\n{recipient.to}\n{as_of}\n"
        self._hash = hashlib.sha256(about.encode())

    def add(self, entry: Entry) -> None:
        """One more patient."""
        self.entries += 1
        self._with_options += bool(options(entry.row, self._tell))
        text = _text(entry, self._tell, self._words)
        self._hash.update(text.encode())
        if not self._leaves:
            self._texts.append(text)
            self._parts.append(_patient(entry, self._tell, self._words))

    def message(self, unfinished: tuple[int, str]) -> Message:
        """The message; `unfinished` are how many patients were not judged by which time."""
        w, count, name = self._words, self._with_options, self._recipient.name
        subject = w["subject"].format(n=count) if count else w["subject_none"]
        head = [w["greeting"].format(name=name, as_of=self._as_of, n=count)]
        if unfinished[0]:
            head.append(w["unfinished"].format(n=unfinished[0], deadline=unfinished[1]))
        if self._leaves:
            link = [w["link"].format(link=self._tell.link)] if self._tell.link else []
            text, html = "\n".join([*head, *link, w["machine"]]), ""
        else:
            text = "\n".join([*head, "", *self._texts, w["machine"]])
            html = _html(subject, head, "".join(self._parts), self._tell.language)
        identity = self._hash.copy()
        identity.update("\n".join(head).encode())
        return Message(identity.hexdigest(), self._recipient.to or name, subject, text, html)


def _changed(change: Change | None, status: str, w: Mapping[str, str]) -> str:
    if change is None:
        return ""
    told = w[change.kind].format(status=w[status], was=w.get(change.was, ""))
    return told + (" " + w["since"].format(reason="; ".join(change.since)) if change.since else "")


def _decisive(match: Mapping[str, Any]) -> list[str]:
    """The reasons that speak for the trial: inclusions met on recorded facts, at most four."""
    met = [c["reason"] for c in match.get("criteria", []) if c["kind"] == "inclusion" and c["result"] == "met"]
    return [r for r in dict.fromkeys(met) if r][:4]


def _text(entry: Entry, tell: Tell, w: Mapping[str, str]) -> str:
    by_study = {c.study: c for c in entry.changes}
    lines = [f"== {str(entry.row['patient']).rsplit('/', 1)[-1]} =="]
    for m in options(entry.row, tell):
        change = _changed(by_study.get(m["study"]), m["status"], w)
        lines.append(f"{m['rank']}. {m['title']} [{_id(m)}] {w[m['status']]} {m['score']:.2f} {change}".rstrip())
        lines.extend(f"   + {reason}" for reason in _decisive(m))
        lines.extend(f"   ? {x['need']}{_settles(x, w)}" for x in m.get("missing", [])[:4])
        lines.extend(f"   {w['contact']}: {c}" for c in entry.contacts.get(_id(m), ())[:2])
    lines.extend(f"- {c.study.rsplit('/', 1)[-1]}: {w['gone']}" for c in entry.changes if c.kind == "gone")
    return "\n".join([*lines, ""])


def _html(subject: str, head: Sequence[str], body: str, language: str) -> str:
    w = words(language)
    style = resources.files(__package__).joinpath("morning_page.css").read_text("utf-8")
    told = "".join(f"<p>{escape(line)}</p>" for line in head)
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(subject)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style></head>'
        f"<body><main><h1>{escape(subject)}</h1>{told}{body}</main><footer>{w['machine']}</footer></body></html>"
    )


def _patient(entry: Entry, tell: Tell, w: Mapping[str, str]) -> str:
    by_study = {c.study: c for c in entry.changes}
    items = []
    for m in options(entry.row, tell):
        change = escape(_changed(by_study.get(m["study"]), m["status"], w))
        why = "".join(f"<li>{escape(reason)}</li>" for reason in _decisive(m))
        missing = "".join(f"<li>{escape(str(x['need']))}{_settles(x, w)}</li>" for x in m.get("missing", [])[:4])
        contact = "; ".join(escape(str(c)) for c in entry.contacts.get(_id(m), ())[:2])
        items.append(
            f'<li><b>{escape(str(m["title"]))}</b> {escape(_id(m))} <span class="badge {m["status"]}">'
            f"{w[m['status']]}</span> {m['score']:.2f} <i>{change}</i>"
            + (f"<p>{w['why']}</p><ul>{why}</ul>" if why else "")
            + (f"<p>{w['missing']}</p><ul>{missing}</ul>" if missing else "")
            + (f"<p>{w['contact']}: {contact}</p>" if contact else "")
            + "</li>"
        )
    gone = "".join(
        f"<li>{escape(c.study.rsplit('/', 1)[-1])}: {w['gone']}</li>" for c in entry.changes if c.kind == "gone"
    )
    name = escape(str(entry.row["patient"]).rsplit("/", 1)[-1])
    return f"<section><h2>{name}</h2><ol>{''.join(items)}</ol>" + (f"<ul>{gone}</ul>" if gone else "") + "</section>"


def _settles(missing: Mapping[str, Any], w: Mapping[str, str]) -> str:
    return f" ({w['settles']})" if missing.get("would_settle") else ""


def _id(match: Mapping[str, Any]) -> str:
    return str(match["study"]).rsplit("/", 1)[-1]
