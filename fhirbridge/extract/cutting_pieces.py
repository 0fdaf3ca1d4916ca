"""One item of eligibility text -> its pieces: run-in numbers, semicolon lists, sentences of a paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from fhirbridge.extract.cutting_lines import Item
from fhirbridge.extract.cutting_numbers import Mark, marks

_SHORTEST = 6  # characters of a piece worth a criterion
_CLINGS = re.compile(
    r"\s*(?:or|and/or|but|except|unless|however|otherwise|then|i\.e|e\.g|if|which|that|who|with|without|provided"
    r"|for example|including|such as|note|as|in addition|where|when|whichever|excluding|exceptions?|other than|also"
    r"|either|these|this)\b"
    r"|\s*(?:或|和|但|除|注|如|例|允许|若|否则|且|并|[●•○◆■–—-]|以下情况|以.{0,6}为准|其中|包括|不包括|即|定义|对于|亦|也|后者|前者"
    r"|经研究者|由研究者|上述|则|可以|其他毒性|[（(])",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"[(（\[【][^()（）\[\]【】]*[)）\]】]")
# A piece that permits or explains is no criterion of its own.
_EXPLAINS = re.compile(
    r"\b(?:allowed|permitted|acceptable|eligible|may be|will be|should be|can be|is defined|are defined|considered)\b"
    r"|可以|允许|可入组|除外|视为|定义",
    re.IGNORECASE,
)
_JOINT = re.compile(r"(?:\b(or|and)|(或))\s*$|^\s*(?:(or|and)\b|(或))", re.IGNORECASE)


def run_in(text: str, item: Item, running: bool, follower: Item | None) -> Iterator[Item]:
    """The items that numbers inside an item's words make of it; the item itself when there are none."""
    numbered = _numbered(text, item, running, follower)
    if not numbered:
        yield from _beneath(text, item, running, depth=0)
        return
    start = numbered[0].start
    if re.search(r"\w", text[item.start : start]):
        yield replace(item, end=_trimmed(text, item.start, start))
        item = replace(item, indent=item.indent + 1)
    for mark, end in zip(numbered, [m.start for m in numbered[1:]] + [item.end], strict=True):
        one = replace(
            item, start=mark.content, end=_trimmed(text, mark.content, end), mark="number", sign=str(mark.number)
        )
        if one.end > one.start:
            yield from _beneath(text, one, running, depth=0)


def _numbered(text: str, item: Item, running: bool, follower: Item | None) -> list[Mark]:
    """The head numbers of a list whose items run on in one paragraph, with places in the whole text."""
    first, start = 1, item.start
    digits = re.sub(r"\D", "", item.sign) if item.mark == "number" and "." not in item.sign.strip(".") else ""
    if digits and len(digits) < 3:
        start = text.rfind(item.sign, 0, item.start)
        first = int(digits)
        if start < 0 or text[start + len(item.sign) : item.start].strip():
            start, first = item.start, 1
        elif follower is not None and re.sub(r"\D", "", follower.sign) == str(first + 1):
            return []
    if item.end - start < (8 if running else 20):
        return []
    found = marks(text[start : item.end], first, running=running)
    if not found or found[0].style not in ("number", "point", "bracketed", "bracket"):
        return []
    head = text[start : start + found[0].start].rstrip()
    if head and not (head.endswith((":", "：", ".", "。"))):
        return []
    if item.mark in ("letter", "roman", "bullet", "capital") and head and not head.endswith((":", "：")):
        return []
    return [Mark(m.start + start, m.content + start, m.number, m.style) for m in found]


def _beneath(text: str, item: Item, running: bool, depth: int) -> Iterator[Item]:
    """The item and the lettered or bracketed list inside it, as items one deeper."""
    words = text[item.start : item.end]
    found = marks(words, running=False) if depth < 3 and len(words) > 24 else []
    head = words[: found[0].start].rstrip() if found else ""
    if not found or not _is_list(words, found, head, running):
        yield item
        return
    if re.search(r"\w", head):
        yield replace(item, end=item.start + len(head))
        item = replace(item, indent=item.indent + 1)
    places = [m.start for m in found[1:]] + [len(words)]
    for mark, end in zip(found, places, strict=True):
        kind = "letter" if mark.style in ("letter", "roman") else "number"
        one = replace(
            item,
            start=item.start + mark.content,
            end=_trimmed(text, item.start + mark.content, item.start + end),
            mark=kind,
            sign=f"{mark.style}{depth}",
        )
        if re.search(r"\w", text[one.start : one.end]):
            yield from _beneath(text, one, running, depth + 1)


def _is_list(words: str, found: list[Mark], head: str, running: bool) -> bool:
    if not head:
        return True
    if head.endswith((":", "：")):
        return True
    if running:
        return head.endswith(("。", "；", ";", "，", ",", ".")) and found[0].style != "point"
    return False


def _trimmed(text: str, start: int, end: int) -> int:
    """The end without white space and the signs of a bullet that follows."""
    return start + len(text[start:end].rstrip(" \t\n-*•●"))


def pieces(text: str, start: int, end: int, exclude: bool) -> list[tuple[int, int]]:
    """Where the atomic criteria of one item stand: cut at semicolons when that changes nothing of the sense."""
    cuts = sorted({*_semicolons(text, start, end), *_unstopped(text, start, end)})
    parts = _between(text, start, end, cuts)
    if len(parts) < 2:
        return [(start, end)]
    joints = {word for a, b in parts[:-1] for word in _joint(text, a, b)} | {
        word for a, b in parts[1:] for word in _joint(text, a, b)
    }
    if ("and" if exclude else "or") in joints:
        return [(start, end)]
    return parts


def _joint(text: str, start: int, end: int) -> Iterator[str]:
    words = text[start:end].strip(" \n;；,")
    for found in _JOINT.finditer(words):
        yield "or" if "或" in found[0] or "or" in found[0].lower() else "and"


_NEXT = re.compile(
    r"(?<=[a-z0-9)%])\s+(?=(?:No [a-z]|At least \d+ (?:days?|weeks?|months?|years?) since|More than \d+ \w+ since"
    r"|Not pregnant|Fertile patients|Negative pregnancy test|Concurrent [a-z]+ allowed|Recovered from|HIV negative"
    r"|Must (?:have|be)|Measurable (?:or evaluable )?disease|See Disease))"
    r"|(?<=[0-9%)L])\s+(?=(?:WBC|ANC|Platelets?|Hemoglobin|Hematocrit|Bilirubin|ALT|AST|SG[OP]T|Creatinine|Absolute) )"
)


def _unstopped(text: str, start: int, end: int) -> list[int]:
    """Where sentences of old NCI records begin that no full stop divides ("No galactosemia No mental illness")."""
    if _NEXT.search(text, start, end) is None or ";" in text[start:end] or ". " in text[start:end]:
        return []
    return [m.end() for m in _NEXT.finditer(text, start, end)]


def _semicolons(text: str, start: int, end: int) -> list[int]:
    """The places just after semicolons outside brackets."""
    found, depth = [], 0
    for i in range(start, end):
        sign = text[i]
        if sign in "(（[【":
            depth += 1
        elif sign in ")）]】":
            depth = max(0, depth - 1)
        elif sign in ";；" and depth == 0:
            found.append(i + 1)
    return found


def _between(text: str, start: int, end: int, cuts: list[int]) -> list[tuple[int, int]]:
    parts: list[tuple[int, int]] = []
    at = start
    for place in [*cuts, end]:
        words = text[at:place]
        if parts and (
            _CLINGS.match(words) or len(words.strip()) < _SHORTEST or _EXPLAINS.search(_BRACKETS.sub("", words))
        ):
            parts[-1] = (parts[-1][0], at + len(words.rstrip()))
        elif words.strip():
            lead = len(words) - len(words.lstrip(" \t\n？?●•"))
            parts.append((at + lead, at + len(words.rstrip())))
        at = place
    if len(parts) > 1 and parts[0][1] - parts[0][0] < _SHORTEST:
        parts[1] = (parts[0][0], parts[1][1])
        parts = parts[1:]
    return parts
