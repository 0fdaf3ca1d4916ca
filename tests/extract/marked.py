"""Sentences with their expected facts marked inline: `denies <refuted>chest pain</refuted>`.

One case a line. `D:` and `P:` (also `R:`, a relative) begin a turn; a line without them is a note. A mark is
`<status>words</status>` with status one of STATUSES, and may name what is meant: `<present name="knee pain">`,
`<present value="128/72">`. `<none>` marks words that must not become a fact. A line that starts with # is a comment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from fhirbridge.records import Fact, FactKind, Quantity, Status

STATUSES = ("present", "refuted", "possible", "past", "planned", "family", "allergy", "none")
_TAG = re.compile(r"<(/?)([^<>\s/]*)((?:\s+\w+=\"[^\"<>]*\")*)\s*>")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_TURN = re.compile(r"(?:^|(?<=\s))(?:[DPR]|医|患|家)[:：] ?")
_LABEL = {"D": "Doctor: ", "P": "Patient: ", "R": "Mother: ", "医": "医生：", "患": "患者：", "家": "家属："}


class BadMark(ValueError):
    """A mark that cannot be read: unknown, nested, empty or not closed."""


@dataclass(frozen=True)
class Mark:
    """text[start:end] must be a fact of this status (or of none at all)."""

    status: str
    start: int
    end: int
    name: str = ""
    value: str = ""


@dataclass(frozen=True)
class Case:
    """A text and what is marked in it; `line` is where it stands in its file."""

    text: str
    marks: tuple[Mark, ...]
    line: int = 0


def parse(marked: str, line: int = 0) -> Case:
    """The text without its marks, one turn a line, and the marks in its offsets. Raises BadMark."""
    out: list[str] = []
    marks: list[Mark] = []
    place = length = 0
    opened: tuple[str, int, dict[str, str]] | None = None
    source = _turns(marked)
    for tag in _TAG.finditer(source):
        out.append(source[place : tag.start()])
        length += tag.start() - place
        place = tag.end()
        status, attributes = tag[2], dict(_ATTRIBUTE.findall(tag[3]))
        if status not in STATUSES:
            raise BadMark(f"line {line}: unknown mark <{tag[1]}{status}>; marks are {', '.join(STATUSES)}")
        if not tag[1]:
            if opened is not None:
                raise BadMark(f"line {line}: <{status}> inside <{opened[0]}>")
            if set(attributes) - {"name", "value"}:
                raise BadMark(f"line {line}: <{status}> has an unknown attribute")
            opened = (status, length, attributes)
        elif opened is None or opened[0] != status:
            raise BadMark(f"line {line}: </{status}> closes nothing")
        elif length == opened[1]:
            raise BadMark(f"line {line}: empty <{status}>")
        else:
            marks.append(Mark(status, opened[1], length, **opened[2]))
            opened = None
    if opened is not None:
        raise BadMark(f"line {line}: <{opened[0]}> is not closed")
    out.append(source[place:])
    text = "".join(out)
    if "<" in text or ">" in text:
        raise BadMark(f"line {line}: a stray < or >")
    if not marks:
        raise BadMark(f"line {line}: nothing is marked")
    return Case(text, tuple(marks), line)


def _turns(marked: str) -> str:
    """ "D: any pain? P: no" as two labelled lines."""
    pieces = [m.start() for m in _TURN.finditer(marked)]
    if not pieces or pieces[0] != 0:
        return marked.strip() + "\n"
    turns = [marked[a:b].strip() for a, b in zip(pieces, [*pieces[1:], len(marked)], strict=True)]
    return "".join(f"{_LABEL[turn[0]]}{turn[2:].strip()}\n" for turn in turns)


def cases(path: Path) -> list[Case]:
    """The cases of a file."""
    lines = path.read_text("utf-8").splitlines()
    return [parse(line, n) for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]


def faults(case: Case, facts: tuple[Fact, ...]) -> list[str]:
    """What is wrong with the facts read from a case, as sentences; empty when all marks hold."""
    found = []
    for mark in case.marks:
        here = [f for f in facts if any(s.offset < mark.end and mark.start < s.end for s in f.evidence)]
        words = case.text[mark.start : mark.end]
        got = [f"{f.concept.name} [{_status(f)}]" for f in here]
        if mark.status == "none":
            if here:
                found.append(f"{words!r} must be no fact, but is {', '.join(got)}")
        elif not any(_meets(f, mark) for f in here):
            want = " ".join(filter(None, (mark.name, mark.value)))
            found.append(f"{words!r} should be {mark.status} {want}, but is {', '.join(got) or 'no fact'}")
    return found


def _status(fact: Fact) -> str:
    if fact.kind is FactKind.FAMILY_HISTORY and fact.status is not Status.ABSENT:
        return "family"
    if fact.kind is FactKind.ALLERGY and fact.status is not Status.ABSENT:
        return "allergy"
    return "refuted" if fact.status is Status.ABSENT else fact.status.value


def _meets(fact: Fact, mark: Mark) -> bool:
    if _status(fact) != mark.status:
        return False
    if mark.name and mark.name.lower() not in fact.concept.name.lower():
        return False
    return not mark.value or any(mark.value in value for value in _values(fact))


def _values(fact: Fact) -> list[str]:
    value = fact.value
    out = ["/".join(f"{q.value}" for _, q in fact.components)] if fact.components else []
    if isinstance(value, Quantity):
        out += [f"{value.value}", f"{value.value} {value.ucum}"]
    elif value is not None:
        out.append(value if isinstance(value, str) else getattr(value, "name", str(value)))
    if fact.dosage is not None and fact.dosage.dose is not None:
        out += [f"{fact.dosage.dose.value} {fact.dosage.dose.ucum}", f"{fact.dosage.dose.value}"]
    out += [x for x in (fact.severity, fact.onset_text, fact.onset, fact.body and fact.body.side) if x]
    out += [reaction.name for reaction in fact.reaction]
    return out
