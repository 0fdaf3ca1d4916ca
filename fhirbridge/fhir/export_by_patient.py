"""The files of a bulk export, one a type, turned into one Bundle a patient, in memory that does not grow with them."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from fhirbridge.fhir import lossless, patient_items
from fhirbridge.records import LeftOut

_PATIENT = re.compile(r"(?:^|/)Patient/([^/|#?]+)")
_MEDICATION = re.compile(rb'"reference"\s*:\s*"(?:[^"]*/)?Medication/([^"/]+)"')
_HEAD, _TAIL = b'{"resourceType":"Bundle","type":"collection","entry":[', b"]}\n"


def by_patient(files: Iterable[Path], target: Path) -> list[LeftOut]:
    """Write NDJSON with a Bundle a patient, in the order of their ids; what belongs to none of them is returned.

    A Medication goes with every patient whose resources refer to it. Lines stay as the server wrote them; within a
    Bundle they are sorted, so that a record that did not change is the same text however the server orders them.
    """
    aside = target.with_name(f".{target.name}.sqlite")
    aside.unlink(missing_ok=True)
    db = sqlite3.connect(aside)
    try:
        db.executescript(
            "pragma journal_mode = off; pragma synchronous = off; create table lines (kind text, owner text, line blob)"
        )
        left_out = [one for file in files for one in _taken(db, file)]
        db.execute("create index owners on lines (owner, kind)")
        with lossless.writing(target) as out:
            for (patient,) in db.execute("select distinct owner from lines where kind = 'Patient' order by owner"):
                out.write(_bundle(db, patient))
        return left_out + _without_patient(db)
    finally:
        db.close()
        aside.unlink(missing_ok=True)


def _taken(db: sqlite3.Connection, file: Path) -> Iterator[LeftOut]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                resource = orjson.loads(line)
                kind, owner = str(resource["resourceType"]), _owner(resource)
            except (orjson.JSONDecodeError, KeyError, TypeError):
                yield LeftOut(f"{file.name} line {number}", "not a resource as JSON")
                continue
            db.execute("insert into lines values (?, ?, ?)", (kind, owner, line.strip()))
    db.commit()


def _owner(resource: dict[str, Any]) -> str:
    """The id of the patient a resource is of, the Medication's own id, "" where nobody is named."""
    if resource["resourceType"] in ("Patient", "Medication"):
        return str(resource.get("id") or "")
    for field in ("subject", "patient", "individual"):
        target = resource.get(field)
        if isinstance(target, dict) and (found := _PATIENT.search(str(target.get("reference") or ""))):
            return found[1]
    return ""


def _bundle(db: sqlite3.Connection, patient: str) -> bytes:
    own = db.execute("select kind, line from lines where owner = ? and kind <> 'Medication'", (patient,)).fetchall()
    patients = [line for kind, line in own if kind == "Patient"][-1:]
    rest = sorted(line for kind, line in own if kind != "Patient")
    named = sorted({m for line in rest for m in _MEDICATION.findall(line)})
    shared = [line for m in named for line in _medication(db, m.decode("utf-8", "replace"))]
    entries = b",".join(b'{"resource":' + line + b"}" for line in (*patients, *rest, *shared))
    return _HEAD + entries + _TAIL


def _medication(db: sqlite3.Connection, id: str) -> list[bytes]:
    found = db.execute("select line from lines where owner = ? and kind = 'Medication' limit 1", (id,))
    return [line for (line,) in found]


def _without_patient(db: sqlite3.Connection) -> list[LeftOut]:
    """How many clinical resources name no patient, or one that the export does not hold."""
    query = """select kind, count(*) from lines where kind not in ('Patient', 'Medication')
        and owner not in (select owner from lines where kind = 'Patient') group by kind"""
    lost = Counter({kind: n for kind, n in db.execute(query) if kind in patient_items.READERS})
    return [LeftOut(kind, f"{n} name no patient of the export") for kind, n in sorted(lost.items())]
