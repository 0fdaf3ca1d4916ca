"""The words round a table -> what the form says about patient, specimen and times, and where it says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.extract import lab_columns, lab_dates, lab_flatten, lab_print
from fhirbridge.extract.lab_flatten import Level
from fhirbridge.records import Box, LabHeader, Page

_TIMES = ("collected", "received", "reported")
_PLAIN = ("patient_name", "patient_id", "age", "department", "specimen", "laboratory")
_AGE = re.compile(r"\d{1,3}\s*(?:岁|个?月|天|周|y(?:ea)?rs?\b|y\b|months?|m\b|days?|d\b|weeks?)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Found:
    field: str
    text: str
    box: Box


def read(pages: Sequence[Page]) -> LabHeader:
    """The header fields as printed, times as ISO 8601 as far as printed; None where the form does not say."""
    first: dict[str, _Found] = {}
    dates: list[str] = []
    for page in pages:
        dates += [word.text for word in page.words]
        for found in (*_labelled(page), *_titles(page)):
            if _plausible(found) and found.field not in first:
                first[found.field] = found
    texts: dict[str, str | None] = {name: first[name].text for name in _PLAIN if name in first}
    day_first = lab_dates.day_first(dates)
    texts |= {name: lab_dates.read(first[name].text, day_first) for name in _TIMES if name in first}
    texts["sex"] = next((sex for name in ("sex", "age") if name in first and (sex := _sex(first[name].text))), None)
    texts["age"] = _age(texts.get("age") or "")
    texts["title"] = first["title"].text if "title" in first else None
    named = "laboratory" in texts or "place" not in first
    texts["laboratory"] = texts.get("laboratory") if named else first["place"].text
    boxes = tuple((name, found.box) for name, found in sorted(first.items()) if name != "other")
    return LabHeader(**texts, boxes=boxes)


def _plausible(found: _Found) -> bool:
    """Whether a text can be what its field asks for: an identifier has a digit, a name more than one letter."""
    if found.field == "patient_id":
        return any(c.isdigit() for c in found.text)
    return len(found.text) > (1 if found.field in ("patient_name", "department") else 0)


def _labelled(page: Page) -> Iterator[_Found]:
    """Every label of the page with what stands behind it, in the same word or the next on its line."""
    levels = lab_flatten.level(page.words)
    heads = {heading.word for line in lab_columns.heading_lines(levels, page.words) for heading in line}
    for level in sorted(levels, key=lambda v: (round(v.y / max(v.height, 1)), v.left)):
        if level.word in heads:
            continue
        word = page.words[level.word]
        for field, value in _parts(lab_print.plain(word.text).strip()):
            if value:
                yield _Found(field, value, _on(page, word.box))
                continue
            beside = _beside(level, levels)
            text = lab_print.plain(page.words[beside.word].text).strip(" :") if beside else ""
            if beside and beside.word not in heads and text and not _parts(text):
                yield _Found(field, text, _on(page, page.words[beside.word].box))


def _on(page: Page, box: Box) -> Box:
    return Box(box.x, box.y, box.width, box.height, page.number)


def _beside(level: Level, levels: Sequence[Level]) -> Level | None:
    """The nearest word to the right on the same line."""
    on_line = [v for v in levels if v.left > level.right - v.height and abs(v.y - level.y) < 0.6 * level.height]
    near = [v for v in on_line if v is not level and v.left - level.right < 14 * level.height]
    return min(near, key=lambda v: v.left, default=None)


@lru_cache(maxsize=4096)
def _parts(text: str) -> tuple[tuple[str, str], ...]:
    """(field, value) of each label in a text; a text that is nothing but a label has an empty value."""
    whole = _labels().get(_fold(text))
    if whole:
        return ((whole, ""),)
    marks = []
    for colon in re.finditer(r":", text):
        for size in range(min(24, colon.start()), 0, -1):
            label = text[colon.start() - size : colon.start()]
            before = text[: colon.start() - size]
            if _fold(label) in _labels() and not re.search(r"[A-Za-z]$", before if label[0].isascii() else ""):
                marks.append((colon.start() - size, colon.end(), _labels()[_fold(label)]))
                break
    ends = [*(mark[0] for mark in marks[1:]), len(text)] if marks else []
    return tuple((field, text[start:end].strip()) for (_at, start, field), end in zip(marks, ends, strict=True))


def _fold(text: str) -> str:
    return re.sub(r"[\s.:*]+|\([A-Za-z ]+\)", "", lab_print.plain(text)).casefold()


@lru_cache(maxsize=1)
def _labels() -> dict[str, str]:
    return {
        _fold(row["label"]): row["field"]
        for language in languages.names()
        for row in languages.rows(language, "lab_fields")
    }


def _titles(page: Page) -> Iterator[_Found]:
    """The report's title and the laboratory's name: large or topmost print with such a word in it."""
    words = sorted((w for w in page.words if ":" not in lab_print.plain(w.text)), key=lambda w: w.box.y)
    for word in words[:25]:
        text = word.text.strip()
        if len(text) > 60:
            continue
        place = next((p for p in _kind("place") if _holds(text, p)), None)
        title = next((t for t in _kind("title") if _holds(text, t)), None)
        if place and len(text) > 3:
            end = text.casefold().rindex(place.casefold()) + len(place) if not place.isascii() else len(text)
            yield _Found("place", text[:end], _on(page, word.box))
        if title and _fold(text) not in _labels():
            yield _Found("title", text, _on(page, word.box))


def _holds(text: str, word: str) -> bool:
    """Whether a word stands in a text, not as part of a longer Latin one nor of an address on the web."""
    if not word.isascii():
        return word in text
    return re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.])", text, re.IGNORECASE) is not None


@lru_cache(maxsize=8)
def _kind(kind: str) -> tuple[str, ...]:
    rows = (row for language in languages.names() for row in languages.rows(language, "lab_words"))
    return tuple(sorted((row["word"] for row in rows if row["kind"] == kind), key=len, reverse=True))


def _sex(text: str) -> str | None:
    """FHIR administrative-gender of a printed sex, also where the age stands beside it."""
    parts = {part.casefold() for part in re.split(r"[\s/,|\d岁().-]+", text)}
    return next((sex for sex in ("female", "male") if parts & {word.casefold() for word in _kind(sex)}), None)


def _age(text: str) -> str | None:
    found = _AGE.search(text)
    return found[0].strip() if found else None
