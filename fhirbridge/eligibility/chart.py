"""A patient laid out for questions: items by key, measured values by analyte and day, as of one day."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

from fhirbridge.eligibility.measures import measure_of
from fhirbridge.eligibility.policy import Policy
from fhirbridge.records import Item, ItemKind, Patient, When

__all__ = ["Chart", "last_day", "months_before"]

_FACTS = frozenset(
    (ItemKind.CONDITION, ItemKind.OBSERVATION, ItemKind.PROCEDURE, ItemKind.MEDICATION, ItemKind.IMMUNIZATION)
)


class Chart:
    """A patient as of a day, under a policy."""

    def __init__(self, patient: Patient, as_of: date, policy: Policy) -> None:
        self.patient = patient
        self.as_of = as_of
        self.policy = policy
        self.items = tuple(i for i in patient.items if i.start is None or i.start.earliest <= as_of)
        self._kinds: dict[tuple[ItemKind, ...], list[Item]] = {}
        self._with_keys: dict[tuple[tuple[str, ...], tuple[ItemKind, ...]], tuple[Item, ...]] = {}
        self.memory: dict[str, object] = {}  # what a judge worked out once (lines, stage, sites)

    @cached_property
    def by_key(self) -> dict[str, list[Item]]:
        """Conditions, findings, procedures and medicines by each of their keys."""
        found: dict[str, list[Item]] = defaultdict(list)
        for item in self.items:
            if item.kind in _FACTS:
                for key in item.keys:
                    found[key].append(item)
        return found

    @cached_property
    def measured(self) -> dict[str, list[Item]]:
        """Results by measure, newest first; only those with a value or an answer."""
        found: dict[str, list[Item]] = defaultdict(list)
        for item in self.items:
            if item.kind is ItemKind.OBSERVATION and item.status != "pending":
                key = measure_of(item.concept)
                if key and (item.quantity is not None or item.answer):
                    found[key].append(item)
        for values in found.values():
            values.sort(key=lambda i: (i.start.latest if i.start else date.min, i.reference), reverse=True)
        return found

    def kind(self, *kinds: ItemKind) -> list[Item]:
        """Items of these kinds."""
        if kinds not in self._kinds:
            self._kinds[kinds] = [i for i in self.items if i.kind in kinds]
        return self._kinds[kinds]

    def with_keys(self, keys: tuple[str, ...], *kinds: ItemKind) -> list[Item]:
        """Items that have any of the keys, each once, in the order recorded."""
        if (keys, kinds) not in self._with_keys:
            seen: dict[int, Item] = {}
            for key in keys:
                for item in self.by_key.get(key, ()):
                    if not kinds or item.kind in kinds:
                        seen[id(item)] = item
            self._with_keys[keys, kinds] = tuple(seen.values())
        return list(self._with_keys[keys, kinds])

    @cached_property
    def birth(self) -> When | None:
        """The days on which the patient can have been born, from the birth date or an age that was told."""
        if self.patient.birth is not None:
            return self.patient.birth if self.patient.birth.earliest <= self.as_of else None
        told = self.patient.told_age
        if told is None:
            return None
        on = self.patient.told_on.latest if self.patient.told_on else self.as_of
        step = {"a": 12, "mo": 1}.get(told.ucum or "a", 0)
        if step:
            latest = months_before(on, int(told.value * step))
            return When(months_before(on, int(told.value * step) + step) + timedelta(days=1), latest)
        length = timedelta(days=int(told.value * (7 if told.ucum == "wk" else 1)))
        return When(on - length - timedelta(days=6 if told.ucum == "wk" else 0), on - length)

    @cached_property
    def age_days(self) -> tuple[int, int] | None:
        """The least and most days of age, None without a usable birth date."""
        birth = self.birth
        if birth is None:
            return None
        return (self.as_of - min(birth.latest, self.as_of)).days, (self.as_of - birth.earliest).days

    def age_in(self, unit: str) -> tuple[Decimal, Decimal] | None:
        """The least and most age in years (a), months (mo), weeks (wk) or days (d), whole years and months counted."""
        birth = self.birth
        if self.age_days is None or birth is None:
            return None
        low, high = min(birth.latest, self.as_of), birth.earliest
        if unit in ("a", "mo"):
            step = 12 if unit == "a" else 1
            return Decimal(_months(low, self.as_of) // step), Decimal(_months(high, self.as_of) // step)
        divisor = {"wk": Decimal(7), "h": Decimal(1) / 24}.get(unit, Decimal(1))
        return Decimal(self.age_days[0]) / divisor, Decimal(self.age_days[1]) / divisor


def _months(start: date, end: date) -> int:
    return (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)


def months_before(day: date, months: int) -> date:
    """The same day of the month `months` earlier (the last one there is)."""
    total = day.year * 12 + day.month - 1 - months
    year, month = divmod(total, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(max(year, 1), month + 1, min(last, day.day))
        except ValueError:
            continue
    return date(max(year, 1), month + 1, 28)


def last_day(item: Item, as_of: date) -> tuple[date | None, date | None]:
    """The earliest and latest day on which it last held: today while ongoing; (None, None) when nothing is known."""
    if item.end is not None:
        return min(item.end.earliest, as_of), min(item.end.latest, as_of)
    if item.status == "present" and item.kind in (ItemKind.MEDICATION, ItemKind.CONDITION):
        return as_of, as_of
    if item.start is None:
        return None, None
    if item.status == "past" and item.kind in (ItemKind.MEDICATION, ItemKind.CONDITION):
        return item.start.earliest, as_of
    return item.start.earliest, min(item.start.latest, as_of)
