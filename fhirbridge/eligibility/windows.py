"""When something happened, against "within 28 days", "at least 6 months since", "for at least 3 months"."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from fhirbridge.eligibility.chart import Chart, last_day, months_before
from fhirbridge.eligibility.quantities import days
from fhirbridge.records import Item, ItemKind, Quantity, Window

__all__ = ["ANY_TIME", "LASTING", "SINCE", "WITHIN", "back", "in_window", "kind_of", "limit_of", "shown"]

ANY_TIME, WITHIN, SINCE, LASTING = range(4)


def back(chart: Chart, length: Quantity) -> date:
    """The day that lies `length` before the day of judgement."""
    return _back(chart.as_of, length)


@lru_cache(maxsize=20_000)
def _back(day: date, length: Quantity) -> date:
    day_part, month_part = days(length.value, length.ucum or length.unit or "d")
    return months_before(day, month_part) - timedelta(days=int(day_part))


def kind_of(window: Window | None) -> int:
    """What a window asks of an item: nothing, to fall within it, to be long enough ago, or to last long enough."""
    if window is None or window.direction == "after":
        return ANY_TIME
    if window.within is not None:
        return WITHIN
    if window.at_least is None:
        return ANY_TIME
    return LASTING if window.direction in ("lasting", "during") else SINCE


def limit_of(window: Window, chart: Chart) -> date:
    """The day that decides, for a window that asks something."""
    length = window.within if window.within is not None else window.at_least
    assert length is not None
    return back(chart, length)


def in_window(item: Item, window: Window | None, chart: Chart) -> bool | None:
    """Whether an item falls into the window; None when its dates cannot tell."""
    kind = kind_of(window)
    if window is None or kind == ANY_TIME:
        return True
    limit = limit_of(window, chart)
    if kind == WITHIN:
        return _within(item, limit, chart)
    return _lasting(item, limit) if kind == LASTING else _since(item, limit, chart)


def _within(item: Item, start: date, chart: Chart) -> bool | None:
    early, late = last_day(item, chart.as_of)
    if late is None or early is None:
        return None
    if early >= start:
        return True
    return False if late < start else None


def _since(item: Item, limit: date, chart: Chart) -> bool | None:
    early, late = last_day(item, chart.as_of)
    if late is None or early is None:
        return None
    if late <= limit:
        return True
    return False if early > limit else None


def _lasting(item: Item, limit: date) -> bool | None:
    if item.start is None:
        return None
    if item.start.latest <= limit:
        return True
    return False if item.start.earliest > limit else None


def shown(item: Item) -> str:
    """An item's name with its dates, for a reason."""
    if item.start is None:
        return item.concept.name
    day = item.start.earliest.isoformat()
    if item.start.earliest != item.start.latest:
        day = day[:7] if item.start.earliest.month == item.start.latest.month else day[:4]
    if item.end is not None and item.end != item.start:
        return f"{item.concept.name} ({day} to {item.end.latest.isoformat()})"
    since = "since " if item.status == "present" and item.kind in (ItemKind.CONDITION, ItemKind.MEDICATION) else ""
    return f"{item.concept.name} ({since}{day})"
