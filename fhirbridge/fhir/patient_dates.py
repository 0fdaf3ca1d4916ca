"""FHIR dates as the days they can mean: 2024-03 is any day of March; what is no date is None."""

from __future__ import annotations

import calendar
import re
from datetime import date
from typing import Any

from fhirbridge.records import When

_DATE = re.compile(r"^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?(?:$|[T ])")


def when(value: Any) -> When | None:
    """The first and last day a FHIR date, dateTime or instant can mean; None for what is none or impossible."""
    found = _DATE.match(value) if isinstance(value, str) else None
    if not found:
        return None
    year, month, day = int(found[1]), int(found[2] or 0), int(found[3] or 0)
    try:
        if not month:
            return When(date(year, 1, 1), date(year, 12, 31))
        if not day:
            return When(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))
        return When(date(year, month, day), date(year, month, day))
    except (ValueError, IndexError):
        return None


def period(value: Any) -> tuple[When | None, When | None]:
    """Start and end of a FHIR Period."""
    if not isinstance(value, dict):
        return None, None
    return when(value.get("start")), when(value.get("end"))


def span_of(resource: dict[str, Any], *stems: str) -> tuple[When | None, When | None]:
    """Start and end of the first of `stems` that the resource has as DateTime, Period or Date (onset ...)."""
    for stem in stems:
        start, end = period(resource.get(f"{stem}Period"))
        if start or end:
            return start, end
        for suffix in ("DateTime", "Date", "Instant", ""):
            found = when(resource.get(f"{stem}{suffix}"))
            if found:
                return found, None
    return None, None
