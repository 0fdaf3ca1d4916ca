"""Eligibility text -> items: what one bullet, number or paragraph says, wrapped lines joined, with its depth.

ClinicalTrials.gov's older records are hard-wrapped and indented; newer ones are Markdown-like bullets; others have no
bullets at all. An item keeps the place of its first and last character in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BULLET = r"[-*•●·◦○▪■□◆►▶➢✓✔»¨§–—+>?？]+|o(?=\s)|\(?[-–—]\)"
_NUMBER = (
    r"[#＃]?[IiEe]?-?\d{1,2}(?:\.\d{1,2}){1,3}[.)]?(?=\s)"  # 1.2.3
    r"|[(（\[]\s?\d{1,2}\s?[)）\]]\.?"
    r"|[#＃]?\d{1,2}\s?(?:[.)）]|\\\.)(?=\D|$)(?![A-Za-z]?\d)"
    r"|\d{1,2}\s?[、．]|[①-⑳]\s?[、.．]?"
    r"|[#＃]\d{1,2}:?(?=\s)"
    r"|[IE]\d{1,2}[.):]?(?=\s)"
)
_LETTER = r"[(（]?[a-z]\s?[)）]|[a-z]\.(?=\s)|[a-z]、"
_CAPITAL = r"[(（]?[A-Z]\s?[)）]|[A-H]\.(?=\s)|[A-Z]、"
_ROMAN = r"[(（]?(?:i{1,3}|iv|v|vi{1,3}|ix|x)\s?[)）.、](?=\s)"
_MARK = re.compile(
    rf"(?P<bullet>{_BULLET})(?=\s|[^\s\d.])|(?P<number>{_NUMBER})|(?P<roman>{_ROMAN})"
    rf"|(?P<letter>{_LETTER})|(?P<capital>{_CAPITAL})"
)
_TIGHT = re.compile(r"[-–—+>?]")  # signs that need a space after them to be a bullet
_RANK = {"section": 0, "number": 1, "capital": 2, "roman": 4, "letter": 3, "bullet": 5, "none": 1}
_TERMINAL = (".", ";", ":", "。", "；", "：", "!", "?")


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of the text as it is laid out: text[start:end] is its words without bullet."""

    start: int
    end: int
    indent: int
    mark: str  # bullet, number, letter, capital, roman, none
    sign: str = ""  # the bullet as it stands
    after_gap: bool = False  # an empty line stands before it


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    indent: int
    column: int  # where the words begin
    mark: str
    sign: str
    gap: bool


def items(text: str) -> list[Item]:
    """The items of a text in order; only white space and bullets lie between them."""
    lines = _lines(text)
    width = _wrap_width(lines)
    found: list[Item] = []
    column = 0
    before: _Line | None = None
    for line in lines:
        if found and before is not None and _continues(text, line, before, found[-1], column, width):
            last = found[-1]
            found[-1] = Item(last.start, line.end, last.indent, last.mark, last.sign, last.after_gap)
        else:
            found.append(Item(line.start, line.end, line.indent, line.mark, line.sign, line.gap))
            column = line.column
        before = line
    return found


def _lines(text: str) -> list[_Line]:
    found: list[_Line] = []
    gap = True
    at = 0
    for raw in text.splitlines(keepends=True):
        start, at = at, at + len(raw)
        body = raw.rstrip()
        if not body.strip():
            gap = True
            continue
        line = _line(start, body, gap)
        if line is None:  # decoration only: a lonely bullet or a rule
            continue
        found.append(line)
        gap = False
    return found


def _line(start: int, body: str, gap: bool) -> _Line | None:
    indent = len(body) - len(body.lstrip())
    position, mark, sign = indent, "none", ""
    for _ in range(4):  # "-  1. a) words": the last sign tells the kind, all are decoration
        found = _MARK.match(body, position)
        if not found or found.end() == position or not _is_mark(body, found, mark):
            break
        kind = found.lastgroup or "none"
        position = found.end() + len(body[found.end() :]) - len(body[found.end() :].lstrip())
        mark, sign = kind, found[0]
        if position >= len(body):
            return None
    if not re.search(r"\w", body[position:]):
        return None
    return _Line(start + position, start + len(body), indent, position, mark, sign, gap)


def _is_mark(body: str, found: re.Match[str], before: str) -> bool:
    rest = body[found.end() :]
    if found.lastgroup == "bullet":
        if _TIGHT.match(found[0]) and not rest[:1].isspace():
            return bool(re.match(r"[A-Z㐀-鿿？?]", rest)) and found[0] not in "+>"
        if found[0] in (">", "+") and re.match(r"\s*(?:=|\d)", rest):  # "> 18 years" is no bullet
            return False
        return not (found[0] in "-–—" and re.match(r"\s?\d+(?:\.\d+)?\s?(?:%|°|to\b)", rest))
    if found.lastgroup == "number":
        return not (before == "number" and not rest[:1].isspace()) and not re.match(r"\s*[-–]\s?\d", rest)
    return bool(rest.strip())


def _wrap_width(lines: list[_Line]) -> int:
    """The column at which the text is hard-wrapped, 0 if it is not."""
    lengths = [line.indent + (line.end - line.start) + (line.column - line.indent) for line in lines]
    if not lengths:
        return 0
    widest = max(lengths)
    return widest if 60 <= widest <= 130 and sum(n > 0.8 * widest for n in lengths) >= 2 else 0


def _continues(text: str, line: _Line, before: _Line, item: Item, column: int, width: int) -> bool:
    """Whether a line without bullet goes on with the item before it."""
    if line.mark != "none":
        return False
    words = text[line.start : line.end]
    ended = text[before.start : before.end].endswith(_TERMINAL)
    if line.gap:
        return item.mark != "none" and line.indent >= column > 1 and not words.endswith((":", "："))
    if words[0].islower() and not ended:
        return True
    if width and line.indent >= item.indent:
        first = len(words.split(None, 1)[0])
        length = before.column + (before.end - before.start)
        if length + 1 + first > width:
            return True
        return item.mark != "none" and line.indent >= column > item.indent and not words.endswith(":")
    return item.mark != "none" and line.indent >= column > item.indent
