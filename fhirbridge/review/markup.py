"""The review page as HTML text; every word of a document or a person is escaped."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from html import escape
from typing import Any

from fhirbridge import languages
from fhirbridge.fhir.plain_facts import facts, source_text
from fhirbridge.review.decisions import statuses
from fhirbridge.review.session import Document, Session

_VERDICTS = {"accept": "accepted", "reject": "rejected", "change": "changed"}


def words(language: str) -> dict[str, str]:
    """The page's words in a language."""
    return {row["key"]: row["text"] for row in languages.rows(language, "review_page")}


def page(language: str, title: str, body: str) -> str:
    """A whole page around `body`."""
    w = words(language)
    other = "zh" if language == "en" else "en"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/assets/review.css"><script defer src="/assets/review.js"></script></head>'
        f'<body><header><a href="/">fhirbridge</a> <form method="post" action="/language">'
        f'<button name="language" value="{other}">{w["language"]}</button></form></header><main>{body}</main>'
        f"<footer>{w['local']}</footer></body></html>"
    )


def start(session: Session, language: str, problem: str = "") -> str:
    """The first page: drop, paste, and what has been read."""
    w = words(language)
    listed = "".join(f'<li><a href="/documents/{d.id}">{escape(d.name)}</a></li>' for d in session.documents.values())
    alert = f'<p role="alert" class="problem">{escape(problem)}</p>' if problem else ""
    body = (
        f"<h1>{w['title']}</h1>{alert}"
        f'<form method="post" action="/read" enctype="multipart/form-data" id="drop">'
        f'<p><label for="files">{w["drop"]}</label><br><input type="file" id="files" name="files" multiple></p>'
        f'<p><label for="text">{w["paste"]}</label><br><textarea id="text" name="text" rows="8"></textarea></p>'
        f"<button>{w['read']}</button></form>"
        f"<h2>{w['documents']}</h2>" + (f"<ul>{listed}</ul>" if listed else f"<p>{w['none']}</p>")
    )
    return page(language, w["title"], body)


def document(session: Session, shown: Document, language: str, reviewer: str, told: str = "") -> str:
    """A document beside the table of its facts, doubtful ones first."""
    w = words(language)
    found = facts(shown.record)
    rows = "".join(_row(fact, shown, w) for fact in found)
    heads = "".join(f"<th scope=col>{w[k]}</th>" for k in ("fact", "value", "status", "evidence", "facts"))
    left_out = "".join(f"<li>{escape(i.source)}: {escape(i.reason)}</li>" for i in shown.record.left_out)
    body = (
        f'<p><a href="/">{w["back"]}</a></p><h1>{escape(shown.name)}</h1>'
        f'<p role="status" id="told">{escape(told)}</p>'
        f'<form method="post" id="review" action="/documents/{shown.id}/save">'
        f'<p><label for="reviewer">{w["reviewer"]}</label> '
        f'<input id="reviewer" name="reviewer" required autocomplete="name" value="{escape(reviewer)}">'
        f" <small>{w['keys']}</small></p>"
        f'<div class="sides"><section aria-label="{w["source"]}">{_source(shown, found)}</section>'
        f'<section aria-label="{w["facts"]}"><table id="facts" '
        f'data-document="{shown.id}" data-name-first="{w["name_first"]}">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></section></div>"
        f"{_actions(session, shown, w)}</form>"
        + (f"<h2>{w['left_out']}</h2><ul>{left_out}</ul>" if left_out else "")
        + _matches(shown, w)
    )
    return page(language, shown.name, body)


def _actions(session: Session, shown: Document, w: Mapping[str, str]) -> str:
    place = f"/documents/{shown.id}"
    buttons = [f'<button id="save" aria-keyshortcuts="s">{w["save"]}</button>']
    if session.server:
        label = escape(w["push"].format(server=session.server))
        buttons.append(f'<button formaction="{place}/push" id="push">{label}</button>')
    if session.studies:
        buttons.append(f'<button formaction="{place}/match" id="match">{w["match"]}</button>')
    buttons.append(f'<a href="{place}/bundle" download>{w["download"]}</a>')
    return f'<p class="actions">{" ".join(buttons)}</p>'


def _row(fact: Mapping[str, Any], shown: Document, w: Mapping[str, str]) -> str:
    decision = shown.decisions.get(str(fact["id"]))
    state = _VERDICTS[decision.verdict] if decision else "open"
    kind = f"{state}{'' if fact['certain'] else ' doubtful'}"
    value, _, unit = str(fact.get("value", "")).partition(" ")
    mark = "" if fact["certain"] else f' <small class="mark">{w["doubtful"]}</small>'
    notes = "".join(f"<br><small>{escape(n)}</small>" for n in fact.get("notes", []))
    name = escape(fact.get("name", ""))
    choices = "".join(
        f"<option{' selected' if s == fact.get('status') else ''}>{s}</option>"
        for s in dict.fromkeys((*statuses(fact["type"]), fact.get("status", "")))
        if s
    )
    evidence = "; ".join(e for e in fact.get("evidence", []) if "xywh=" not in e) or f'<a href="#b-{fact["id"]}">▢</a>'
    shown_evidence = evidence if evidence.startswith("<a ") and fact.get("boxes") else escape(evidence)
    buttons = "".join(
        f'<button type="button" data-verdict="{v}" aria-label="{w[v]}: {name}">{w[v]}</button>'
        for v in ("accept", "reject", "change")
    )
    return (
        f'<tr tabindex="0" id="f-{fact["id"]}" data-id="{fact["id"]}" class="{kind}">'
        f'<th scope="row"><span class="name">{name}</span>{mark}{notes}</th>'
        f'<td><input class="value" aria-label="{w["value"]}: {name}" value="{escape(value)}" size="8"> '
        f'<input class="unit" aria-label="{w["unit"]}: {name}" value="{escape(unit)}" size="8"></td>'
        f'<td><select class="status" aria-label="{w["status"]}: {name}">{choices}</select></td>'
        f'<td class="evidence">{shown_evidence}</td>'
        f'<td>{buttons} <span class="state" data-accept="{w["accepted"]}" data-reject="{w["rejected"]}" '
        f'data-change="{w["changed"]}">{w[state]}</span></td></tr>'
    )


def _source(shown: Document, found: list[dict[str, Any]]) -> str:
    text = source_text(shown.record)
    if text:
        return f'<div class="words" id="words" tabindex="0">{_marked(text, found)}</div>'
    boxes = "".join(
        f'<rect id="b-{f["id"]}" data-fact="{f["id"]}" class="{"" if f["certain"] else "doubtful"}" x="{x}" y="{y}" '
        f'width="{wide}" height="{high}"><title>{escape(f.get("name", ""))}</title></rect>'
        for f in found
        for _, x, y, wide, high in f.get("boxes", [])
    )
    return (
        f'<div class="photo"><img id="photo" alt="{escape(shown.name)}" src="/documents/{shown.id}/picture">'
        f'<svg id="boxes" aria-hidden="true">{boxes}</svg></div>'
    )


def _marked(text: str, found: list[dict[str, Any]]) -> str:
    spans = [(s, s + n, str(f["id"])) for f in found for s, n in f.get("spans", [])]
    edges = sorted({0, len(text), *(s for s, *_ in spans), *(e for _, e, _ in spans)})
    out = []
    for low, high in itertools.pairwise(edges):
        over = [id for s, e, id in spans if s <= low and high <= e]
        piece = escape(text[low:high])
        out.append(f'<mark data-fact="{" ".join(over)}">{piece}</mark>' if over else piece)
    return "".join(out)


def _matches(shown: Document, w: Mapping[str, str]) -> str:
    if not shown.matches:
        return ""
    items = []
    for match in shown.matches:
        missing = "".join(f"<li>{escape(str(m['need']))}</li>" for m in match.get("missing", []))
        needed = f"<p>{w['missing']}</p><ul>{missing}</ul>" if missing else ""
        reasons = "".join(
            f"<li><b>{escape(c['result'])}</b> {escape(c['text'])} <small>{escape(c.get('reason') or '')}</small></li>"
            for c in match.get("criteria", [])
        )
        items.append(
            f"<li><b>{escape(str(match['title']))}</b> {w[match['status']]} {float(match['score']):.2f}{needed}"
            f"<details><summary>{len(match.get('criteria', []))}</summary><ul>{reasons}</ul></details></li>"
        )
    return f'<h2 id="matches">{w["matches"]}</h2><ol>{"".join(items)}</ol>'
