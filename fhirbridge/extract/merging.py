"""What was said twice is one fact; what two people say differently is settled; what is part of another is dropped.

The patient's own words and answers weigh more than a clinician's summary. A complaint told first and denied later was
there and is over; one denied first and told later is there. A clinician's "possible" holds against their own later
short-hand. A name that only repeats a part of another ("pain" beside "knee pain") goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.records import Fact, FactKind, Quantity, Status

_SNOMED = "http://snomed.info/sct"
_FAMILY = {
    FactKind.CONDITION: "problem",
    FactKind.SYMPTOM: "problem",
}


@dataclass(frozen=True, slots=True)
class Weighed:
    """A fact and how much its status counts: 3 an answer, 2 the patient's own words, 1 a clinician's."""

    fact: Fact
    weight: int
    told_past: bool = False


def merge(weighed: Iterable[Weighed]) -> list[Fact]:
    """The facts that stay, in the order of their first evidence."""
    groups = _groups(weighed)
    kept: list[Fact] = []
    for group in groups:
        kept += _settled(group)
    kept = _consistent(_without_generic(kept))
    return sorted(kept, key=lambda f: (f.evidence[0].offset, f.concept.name, f.status))


def _groups(weighed: Iterable[Weighed]) -> list[list[Weighed]]:
    """Facts about one thing: the same name, or a shared code, in the same family."""
    groups: list[list[Weighed]] = []
    place: dict[tuple[str, str], int] = {}
    for one in weighed:
        fact = one.fact
        if fact.components or (isinstance(fact.value, Quantity)):
            groups.append([one])  # every reading counts
            continue
        family = _FAMILY.get(fact.kind, fact.kind.value) + fact.relative
        codes = [c.code for c in fact.concept.codings if c.system == _SNOMED]
        names = [(family, fact.concept.name.lower()), *((family, code) for code in codes)]
        number = next((place[name] for name in names if name in place), None)
        if number is None:
            number = len(groups)
            groups.append([])
        groups[number].append(one)
        for name in names:
            place.setdefault(name, number)
    return groups


def _settled(group: list[Weighed]) -> list[Fact]:
    if len(group) == 1:
        return [group[0].fact]
    kind = group[0].fact.kind
    if kind is FactKind.MEDICATION:
        return _medicines(group)
    if kind is FactKind.PROCEDURE:
        return _procedures(group)
    return _problems(group)


def _joined(group: Iterable[Weighed], status: Status | None = None) -> Fact:
    """One fact of all that say it: the first one's name, everybody's evidence and details."""
    facts = [w.fact for w in sorted(group, key=lambda w: -w.weight)]
    first = facts[0]
    evidence = tuple(dict.fromkeys(span for fact in facts for span in fact.evidence))
    return replace(
        first,
        status=status or first.status,
        evidence=evidence,
        value=next((f.value for f in facts if f.value is not None), None),
        onset=next((f.onset for f in facts if f.onset), None),
        onset_text=next((f.onset_text for f in facts if f.onset_text), ""),
        severity=next((f.severity for f in facts if f.severity), ""),
        body=next((f.body for f in facts if f.body), None),
        dosage=next((f.dosage for f in facts if f.dosage), None),
        reaction=tuple(dict.fromkeys(r for f in facts for r in f.reaction)),
    )


def _of(group: list[Weighed], *statuses: Status) -> list[Weighed]:
    return [w for w in group if w.fact.status in statuses]


def _problems(group: list[Weighed]) -> list[Fact]:
    here = _of(group, Status.PRESENT, Status.PAST, Status.PLANNED)
    absent, possible = _of(group, Status.ABSENT), _of(group, Status.POSSIBLE)
    if here and absent:
        heaviest_here, heaviest_absent = max(w.weight for w in here), max(w.weight for w in absent)
        if heaviest_here == 1 and heaviest_absent > 1:
            return [_joined(absent)]
        if heaviest_absent == 1 and heaviest_here > 1:
            return [_present(here)]
        last_here = max(w.fact.evidence[0].offset for w in here)
        last_absent = max(w.fact.evidence[0].offset for w in absent)
        if last_here > last_absent:
            return [_present(here)]
        if heaviest_absent >= heaviest_here > 2:
            return [_joined(absent)]  # asked again, the last answer holds
        if any(w.told_past for w in here) and not any(w.told_past is False for w in here if w.weight == heaviest_here):
            return [_joined(here, Status.PAST), _joined(absent)]
        return [_present(here)]
    if here and possible:
        if max(w.weight for w in here) > 1 or len(here) > 2 * len(possible):
            return [_present([*here, *possible])]
        return [_joined(possible)]
    if here:
        return [_present(here)]
    if possible and absent:
        last = max(group, key=lambda w: w.fact.evidence[0].offset)
        if last.fact.status is Status.POSSIBLE and last.fact.kind is FactKind.SYMPTOM and absent[0].weight > 1:
            return [_joined(absent), _joined(possible)]
        suspected = last.fact.status is Status.POSSIBLE and last.fact.kind is FactKind.CONDITION
        return [_joined(possible if suspected or max(w.weight for w in absent) == 1 else absent)]
    return [_joined(group)]


def _present(here: list[Weighed]) -> Fact:
    present = _of(here, Status.PRESENT)
    return _joined(here, Status.PRESENT if present else Status.PAST)


def _medicines(group: list[Weighed]) -> list[Fact]:
    taken, planned = _of(group, Status.PRESENT), _of(group, Status.PLANNED)
    past, absent = _of(group, Status.PAST), _of(group, Status.ABSENT)
    if taken and planned:
        doses = {w.fact.dosage.dose for w in (*taken, *planned) if w.fact.dosage and w.fact.dosage.dose}
        return [_joined([*taken, *planned], Status.PRESENT)] if len(doses) < 2 else [_joined(taken), _joined(planned)]
    if taken:
        return [_joined(taken)]
    if planned:
        return [_joined(planned), *([_joined(past)] if past else [])]
    return [_joined(past or absent or group)]


def _procedures(group: list[Weighed]) -> list[Fact]:
    done, planned = _of(group, Status.PAST, Status.PRESENT), _of(group, Status.PLANNED)
    absent = _of(group, Status.ABSENT)
    out = [_joined(g) for g in (done, planned) if g]
    return out or [_joined(absent or group)]


@lru_cache(maxsize=1)
def _generic() -> dict[tuple[str, str], re.Pattern[str]]:
    """Names that say nothing beside a more exact one of their family, with what is more exact, of all languages."""
    return {
        (row["family"], row["name"]): re.compile(row.get("beside") or "")
        for language in languages.names()
        for row in languages.rows(language, "generic")
    }


def _without_generic(facts: list[Fact]) -> list[Fact]:
    generic = _generic()
    exact: dict[str, list[tuple[str, Status]]] = {}
    for fact in facts:
        family, name = _family(fact), fact.concept.name.lower()
        if (family, name) not in generic:
            exact.setdefault(family, []).append((name, fact.status))
    return [
        f
        for f in facts
        if f.status is Status.ABSENT
        or (beside := generic.get((_family(f), f.concept.name.lower()))) is None
        or not any(
            beside.search(name) and (status is f.status or _family(f) == "problem")
            for name, status in exact.get(_family(f), ())
        )
    ]


def _family(fact: Fact) -> str:
    return _FAMILY.get(fact.kind, fact.kind.value)


def _consistent(facts: list[Fact]) -> list[Fact]:
    """Without what another fact makes untrue: "no illnesses" beside one, a medicine taken that is an allergy."""
    allergies = " ".join(f.concept.name.lower() for f in facts if f.kind is FactKind.ALLERGY)
    ill = any(f.kind is FactKind.CONDITION and f.status in (Status.PRESENT, Status.PAST) for f in facts)
    takes = any(f.kind is FactKind.MEDICATION and f.status is Status.PRESENT for f in facts)
    allergic = any(f.kind is FactKind.ALLERGY and f.status is Status.PRESENT for f in facts)
    untrue = {
        "no significant past medical history": ill,
        "no regular medication": takes,
        "no known allergy": allergic,
        "no known allergies": allergic,
        "lives alone": any(f.concept.name.lower().startswith("lives with") for f in facts),
        "allergy": allergic,
        "medication adherence": any(f.concept.name.lower() == "medication non-adherence" for f in facts),
        "living situation": any(f.concept.name.lower().startswith("lives ") for f in facts),
    }
    return [
        f
        for f in facts
        if not untrue.get(f.concept.name.lower(), False)
        and not (f.kind is FactKind.MEDICATION and f.dosage is None and f.concept.name.lower() in allergies)
    ]
