"""LOINC from the user's own Loinc.csv or LoincTableCore.csv (https://loinc.org/downloads)."""

from __future__ import annotations

from pathlib import Path

from fhirbridge.terminology import Record, _codes, _tables


def create(path: Path) -> _codes.Codes:
    """The active codes of the table with long, short and consumer names."""
    path = Path(path)
    rows = _codes.table(path)
    code = _codes.column(rows, ("loinc_num",), path)
    name = _codes.column(rows, ("long_common_name", "component"), path)
    others = [h for h in ("shortname", "consumer_name", "displayname", "component") if h in rows[0] and h != name]
    records = [
        Record(row[code], row[name], tuple(dict.fromkeys(row[h] for h in others if row.get(h))), "analyte")
        for row in rows
        if row.get(code) and row.get(name) and row.get("status", "ACTIVE").upper() in ("ACTIVE", "TRIAL", "")
    ]
    return _codes.Codes("loinc", _tables.SYSTEMS["loinc"], _codes.checked(records, path, "active codes"))
