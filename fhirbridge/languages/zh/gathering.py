"""What was said of one thing in several places becomes one fact."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from fhirbridge.languages.zh import times
from fhirbridge.languages.zh.mention import Mention
from fhirbridge.records import Body, Concept, Fact, FactKind, LeftOut, Quantity, Span, Status

_KINDS = {
    "condition": FactKind.CONDITION,
    "finding": FactKind.SYMPTOM,
    "symptom": FactKind.SYMPTOM,
    "medication": FactKind.MEDICATION,
    "medication-class": FactKind.MEDICATION,
    "procedure": FactKind.PROCEDURE,
    "allergy": FactKind.ALLERGY,
    "allergen": FactKind.ALLERGY,
    "social-history": FactKind.SOCIAL_HISTORY,
    "observation": FactKind.OBSERVATION,
    "exam": FactKind.EXAM,
    "laboratory": FactKind.LABORATORY,
    "vital-signs": FactKind.VITAL_SIGN,
    "survey": FactKind.SURVEY,
}
_STRENGTH = {Status.PRESENT: 3, Status.ABSENT: 2, Status.PAST: 1, Status.POSSIBLE: 0, Status.PLANNED: 3}


def facts(found: Iterable[Mention], visit: date | None) -> tuple[Fact, ...]:
    """One fact for each thing, in the order of the evidence."""
    groups: dict[tuple[str, ...], list[Mention]] = defaultdict(list)
    found = list(found)
    _before(found)
    for mention in found:
        if mention.dropped or mention.status is None or mention.kind not in _KINDS:
            continue
        if mention.family:
            for relative in mention.family.split():
                groups["family", mention.key, relative].append(mention)
            continue
        groups[_group(mention)].append(mention)
    made = [_fact(key, group, visit) for key, group in groups.items()]
    made.sort(key=lambda f: (min(s.offset for s in f.evidence), f.concept.name, f.status.value, f.relative))
    return tuple(made)


def _before(found: list[Mention]) -> None:
    """A complaint of today that was denied for the past is two facts: it is there, and it is new."""
    today = {m.key for m in found if m.status is Status.PRESENT and not m.dropped and not m.family}
    for mention in found:
        mention.before = mention.before and mention.status is Status.ABSENT and mention.key in today


def left_out(found: Iterable[Mention]) -> tuple[LeftOut, ...]:
    """The questions nobody answered, counted by what kind of thing was asked."""
    count: dict[str, int] = defaultdict(int)
    for mention in found:
        if mention.asked and mention.status is None and not mention.dropped:
            count[mention.kind] += 1
    return tuple(LeftOut("questions", f"{n} asked and not answered ({kind})") for kind, n in sorted(count.items()))


def _group(mention: Mention) -> tuple[str, ...]:
    kind = _KINDS[mention.kind]
    if kind in (FactKind.CONDITION, FactKind.SYMPTOM):
        return "problem", ("既往" if mention.before else "") + mention.key
    if kind is FactKind.MEDICATION:
        return "medicine", mention.key, "planned" if mention.status is Status.PLANNED else "taken"
    if kind is FactKind.PROCEDURE:
        return "procedure", mention.key, "planned" if mention.status is Status.PLANNED else "done"
    if kind in (FactKind.VITAL_SIGN, FactKind.LABORATORY, FactKind.SURVEY, FactKind.OBSERVATION):
        value = mention.value.value if isinstance(mention.value, Quantity) else mention.value or ""
        parts = ",".join(str(q.value) for _, q in mention.components)
        return str(kind), mention.key, f"{value}{parts}"
    return str(kind), mention.key


def _fact(key: tuple[str, ...], group: list[Mention], visit: date | None) -> Fact:
    best = _best(group)
    agreeing = [m for m in group if m.status is best.status] or [best]
    evidence = tuple(sorted({(s.offset, s.length) for m in agreeing for s in m.evidence}))
    onset_text = next((m.onset_text for m in agreeing if m.onset_text), "")
    _, duration = times.lasting(onset_text)
    status = best.status or Status.PRESENT
    kind = FactKind.FAMILY_HISTORY if key[0] == "family" else _KINDS[best.kind]
    value = next((m.value for m in reversed(agreeing) if m.value is not None), None)
    return Fact(
        kind=kind,
        concept=Concept("既往" + best.concept.name, best.concept.codings) if best.before else best.concept,
        status=status,
        evidence=tuple(Span(a, b) for a, b in evidence),
        value=_value(best, value, status),
        components=best.components,
        onset=times.onset(onset_text, duration, visit),
        onset_text=onset_text,
        duration=duration if onset_text and not onset_text.endswith("前") else None,
        severity=next((m.severity for m in agreeing if m.severity), "") if status is Status.PRESENT else "",
        dosage=next((m.dosage for m in agreeing if m.dosage is not None), None),
        body=next((b for m in agreeing if (b := _body(m)) is not None), None),
        reaction=tuple({c.name: c for m in agreeing for c in m.reaction}.values()),
        relative=key[2] if key[0] == "family" else "",
        certain=all(m.certain for m in agreeing),
    )


_SIDES = {"左": "left", "右": "right", "双": "bilateral", "两": "bilateral"}


def _body(mention: Mention) -> Body | None:
    """The part of the body and the side, where a symptom names them."""
    if mention.kind not in ("symptom", "condition", "finding"):
        return None
    side = re.match(r"[左右双两]", mention.site or mention.text)
    site = re.sub(r"^[左右双两](?:边|侧)?", "", mention.site)
    if not site and side is None:
        return None
    return Body(Concept(site or mention.concept.name), _SIDES[side[0]] if side else "") if site else None


def _value(best: Mention, value: object, status: Status) -> Quantity | Concept | str | bool | None:
    if isinstance(value, str):
        known = re.fullmatch(r"阴性|阳性|弱阳性|正常|偏高|偏低|升高|降低|齐|软|清楚|不高|不低", value)
        return Concept(value) if known else value
    if isinstance(value, (Quantity, Concept)):
        return value
    if best.kind in ("exam", "observation", "laboratory"):
        return Concept("无") if status is Status.ABSENT else Concept("有")
    return None


def _best(group: list[Mention]) -> Mention:
    """The mention whose status the whole has: an answer or a correction first, then the surest, the later of equals."""
    return max(
        enumerate(group), key=lambda pair: (_rank(pair[1]), _STRENGTH[pair[1].status or Status.POSSIBLE], pair[0])
    )[1]


def _rank(mention: Mention) -> int:
    """A correction counts most; what is said by name counts more than a yes to a whole list, and a passing word least."""
    if mention.rank >= 6:
        return 3
    if mention.rank == 4:
        return 1
    return 0 if mention.weak else 2
