"""A transcript or note -> its turns: who says what, and where in the text.

Labelled text, WebVTT, SRT, JSON turns as speech recognisers write them, Praat TextGrid, or an unlabelled note.
"""

# ruff: noqa: E501  (patterns read better on one line)
from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from fhirbridge import languages
from fhirbridge.errors import EmptyInput, InputTooLarge, MissingInput
from fhirbridge.extract import encodings, recordings, speakers
from fhirbridge.records import LeftOut, Span, Speaker, Transcript, Turn

LIMIT = 64 * 1024 * 1024  # bytes; a day of speech is about 1 MB

_TIME = r"[\[(<]?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?(?:\s*(?:-->|-|–|~|to)\s*\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?)?[\])>]?"
_LABEL = r"[^\W\d_][\w .'’/#-]{0,38}?"
# [00:01:05] Doctor: ...   Doctor (00:05): ...   [doctor] ...   **Doctor**: ...   医生：...
_LINE = re.compile(
    rf"[ \t>*-]*(?:{_TIME}\s*[-–|]?\s*)?(?:\[(?P<square>{_LABEL})\]\s*[:：]?"
    rf"|[*_]{{0,2}}(?P<label>{_LABEL})[*_]{{0,2}}\s*(?:[(（\[][^)）\]\n]{{0,20}}[)）\]])?\s*(?:{_TIME})?\s*[:：][*_]{{0,2}})[ \t]*"
)


@dataclass(frozen=True, slots=True)
class _Labelled:
    label: str
    start: int  # of the words
    end: int


def read(source: str | Path, *, language: str = "auto", visit_date: date | None = None) -> Transcript:
    """The turns of a file or of a text given as such. Raises InputError's children for what holds nothing to read."""
    text, name, notes = _text(source)
    found = recordings.read(text, name)
    if found is not None:
        text, turns = found
        if not turns:
            raise EmptyInput(name, "no turns in it")
    else:
        turns, more = _labelled(text, name)
        notes += more
    turns = tuple(t for t in turns if t.text.strip())
    if not turns:
        raise EmptyInput(name, "nothing was said in it")
    if any(t.speaker is Speaker.UNKNOWN for t in turns):
        notes += (LeftOut(name, "a speaker could not be told; read without knowing who speaks"),)
    spoken = languages.detect(text) if language == "auto" else language
    return Transcript(text=text, turns=turns, language=spoken, visit_date=visit_date, left_out=notes)


def _text(source: str | Path) -> tuple[str, str, tuple[LeftOut, ...]]:
    path = _path(source)
    if path is None:
        text = str(source)
        if not text.strip():
            raise EmptyInput("text", "nothing in it to read")
        return text.lstrip("\ufeff"), "text", ()
    if not path.is_file():
        raise MissingInput(path, "no such file", "check the path")
    if path.stat().st_size > LIMIT:
        raise InputTooLarge(path, f"larger than {LIMIT // 2**20} MB", "split it by visit")
    text, whole = encodings.decode(path.read_bytes(), path)
    return text, path.name, () if whole else (LeftOut(path.name, "some bytes are in no known encoding"),)


def _path(source: str | Path) -> Path | None:
    """The file that is meant, None when `source` is the words themselves."""
    if isinstance(source, Path):
        return source
    if "\n" in source or len(source) > 1000 or not source.strip():
        return None
    try:
        if Path(source).is_file():
            return Path(source)
    except OSError:
        return None
    return Path(source) if re.fullmatch(r"\S+\.(?:txt|vtt|srt|json|md|textgrid)", source, re.I) else None


def _labelled(text: str, name: str) -> tuple[tuple[Turn, ...], tuple[LeftOut, ...]]:
    parts = list(_parts(text))
    roles = _roles([p.label for p in parts if p.label], text)
    if not roles:
        note = tuple(_note(text))
        return note, (LeftOut(name, "no speakers found; read as a note"),)
    turns: list[Turn] = []
    for part in parts:
        role = roles.get(part.label) if part.label else None
        if role is None and turns and not part.label:
            turns[-1] = _longer(turns[-1], part.end, text)  # a line without label goes on with the turn before
        elif part.label and role is None:
            start = part.start - len(part.label) - 1
            turns = [*turns[:-1], _longer(turns[-1], part.end, text)] if turns else [_turn(text, start, part.end)]
        else:
            turns.append(_turn(text, part.start, part.end, role or Speaker.NOTE))
    return _inferred(tuple(turns)), ()


def _parts(text: str) -> Iterator[_Labelled]:
    start = 0
    for line in text.splitlines(keepends=True):
        end = start + len(line)
        if line.strip():
            match = _LINE.match(line)
            label = (match["square"] or match["label"] or "").strip() if match else ""
            yield _Labelled(label, start + (match.end() if match else 0), start + len(line.rstrip()))
        start = end


def _roles(labels: list[str], text: str) -> dict[str, Speaker]:
    """What each label stands for; labels that are headings of a note have no entry."""
    if not labels:
        return {}
    counts = Counter(labels)
    roles = {label: role for label in counts if (role := speakers.role(label)) is not None}
    anonymous = {
        label
        for label, n in counts.items()
        if label not in roles
        and (re.fullmatch(r"(?i)(?:speaker|spk|s|person|voice|说话人|发言人)[ _-]?\w{1,3}", label) or n > 2)
    }
    known = sum(counts[label] for label in roles)
    # one label alone is a speaker only where the text begins with it: "PT: 12 s" further down is a laboratory value
    begins = bool(roles) and text.lstrip().startswith(tuple(roles)) and len(text) < 2000
    if known + sum(counts[label] for label in anonymous) < 2 and not begins:
        return {}
    if not roles and len(anonymous) > 8:
        return {}
    return roles | dict.fromkeys(anonymous, Speaker.UNKNOWN) if roles or len(anonymous) > 1 else {}


def _turn(text: str, start: int, end: int, role: Speaker = Speaker.NOTE) -> Turn:
    return Turn(role, text[start:end], Span(start, end - start))


def _longer(turn: Turn, end: int, text: str) -> Turn:
    span = Span(turn.span.offset, end - turn.span.offset)
    return replace(turn, span=span, text=text[span.offset : span.end])


def _inferred(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Unknown speakers stay unknown here: one label may stand for two people in a recogniser's output."""
    return turns


def _note(text: str) -> Iterator[Turn]:
    """One turn a line; a line that was only wrapped goes on with the line before."""
    start: int | None = None
    end = 0
    place = 0
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        first = place + len(line) - len(line.lstrip())
        wrapped = start is not None and bare and bare[0].islower() and end - start > 40
        if start is not None and not wrapped:
            yield _turn(text, start, end)
            start = None
        if bare:
            start = first if start is None else start
            end = place + len(line.rstrip())
        place += len(line)
    if start is not None:
        yield _turn(text, start, end)
