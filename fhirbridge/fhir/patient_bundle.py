"""Patients out of any FHIR: a Bundle of any type, NDJSON, or loose resources, R4 or R5 -> one Patient record each.

Resources are given to the patient they name. What is entered in error is left aside; what cannot be placed or read is
named in the patient's `gaps`.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fhirbridge.errors import InputError, MissingInput, UnreadableInput
from fhirbridge.fhir import export_by_patient, lossless, patient_items, patient_told
from fhirbridge.fhir.patient_dates import when
from fhirbridge.fhir.patient_keys import Keys, Words
from fhirbridge.records import LeftOut, Patient, Quantity, When

__all__ = ["Place", "Source", "read", "read_all", "sources"]

_MACHINE = "AIAST"
_AGE = "urn:fhirbridge:extension:age"
_NOT_TOLD: patient_told.Told = ("", None, None)


class Place(NamedTuple):
    """Where the text of an input lies in a file that is not compressed, in bytes."""

    path: Path
    offset: int
    length: int


class Source(NamedTuple):
    """An unread input: where it came from, the file's stem ("" for NDJSON lines), JSON text or a parsed Bundle.

    `place` is where the text can be read again, None where it cannot.
    """

    where: str
    stem: str
    content: Any
    place: Place | None = None


def read_all(patients: Any, lexicon: Words) -> Iterator[Patient | LeftOut]:
    """The patients of one or many paths, Bundles or Records, in the order given; what cannot be read as LeftOut."""
    for source in sources(patients):
        yield from [source] if isinstance(source, LeftOut) else read(source, lexicon)


def sources(patients: Any) -> Iterator[Source | LeftOut]:
    """The unread inputs, one a Bundle, NDJSON line or file: cheap to make, to be read where they are judged."""
    if isinstance(patients, (Source, LeftOut)):
        yield patients
    elif isinstance(patients, (str, Path)):
        yield from _files(Path(patients))
    elif isinstance(patients, dict):
        yield Source("Bundle", "", patients)
    elif hasattr(patients, "json") and isinstance(patients.json, dict):
        yield Source("Record", "", patients.json)
    elif hasattr(patients, "model_dump_json"):
        yield Source("Bundle", "", lossless.loads(patients.model_dump_json()))
    elif isinstance(patients, Iterable):
        rest, exports = _exports(patients) if isinstance(patients, (list, tuple)) else (patients, [])
        for one in rest:
            yield from sources(one)
        for files in exports:
            yield from _by_patient(files)
    else:
        yield LeftOut(type(patients).__name__, "neither a path nor FHIR; give a path, a Bundle or a Record")


def _files(path: Path) -> Iterator[Source | LeftOut]:
    if path.is_dir():
        inside = [p for p in sorted(path.iterdir()) if p.name.removesuffix(".gz").endswith((".json", ".ndjson"))]
        yield from sources(inside)
        return
    if not path.is_file():
        raise MissingInput(path, "no such file", "check the path")
    name = path.name.removesuffix(".gz")
    try:
        if name.endswith(".ndjson"):
            yield from _lines(path)
        elif path.suffix == ".gz":
            text = "".join(line for _, line in lossless.lines(path))
            yield Source(path.name, name.removesuffix(".json"), text)
        else:
            content = path.read_bytes()
            yield Source(path.name, path.stem, content.decode("utf-8"), Place(path, 0, len(content)))
    except (OSError, UnicodeDecodeError, EOFError) as error:
        yield LeftOut(path.name, f"cannot be read ({type(error).__name__}); is it complete and UTF-8?")


_OF_A_TYPE = re.compile(r"(?:\d+\.)?([A-Z][A-Za-z]+)(?:[._-].*)?\.ndjson")


def _exports(patients: Sequence[Any]) -> tuple[list[Any], list[list[Path]]]:
    """Bulk exports among paths: files of one folder named by type, Patient and others; and everything else."""
    by_folder: dict[Path, dict[str, list[Path]]] = {}
    for one in patients:
        path = Path(one) if isinstance(one, (str, Path)) else None
        if path is not None and (named := _OF_A_TYPE.fullmatch(path.name)) and path.is_file():
            by_folder.setdefault(path.parent, {}).setdefault(named[1], []).append(path)
    exports = [
        sorted(p for files in kinds.values() for p in files)
        for kinds in by_folder.values()
        if "Patient" in kinds and len(kinds) > 1
    ]
    taken = {path for files in exports for path in files}
    return [one for one in patients if not isinstance(one, (str, Path)) or Path(one) not in taken], exports


def _by_patient(files: Sequence[Path]) -> Iterator[Source | LeftOut]:
    """One Source a patient of an export, whose files hold a type each."""
    with tempfile.TemporaryDirectory() as folder:
        joined = Path(folder) / f"{files[0].parent.name or 'export'}.ndjson"
        yield from export_by_patient.by_patient(files, joined)
        for source in _lines(joined):
            yield source if isinstance(source, LeftOut) else source._replace(place=None)  # gone when all are read


def _lines(path: Path) -> Iterator[Source | LeftOut]:
    """One Source a Bundle line; the loose resources of a whole file together as one."""
    loose: list[Any] = []
    for number, line, place in _placed(path):
        where = f"{path.name} line {number}"
        if isinstance(line, LeftOut):
            yield line
            continue
        if '"Bundle"' in line[:400]:
            yield Source(where, "", line, place)
            continue
        try:
            loose.append(lossless.loads(line, where))
        except UnreadableInput as error:
            yield LeftOut(where, error.reason)
    if loose:
        entries = [{"resource": r} for r in loose if isinstance(r, dict)]
        yield Source(path.name, "", {"resourceType": "Bundle", "type": "collection", "entry": entries})


def _placed(path: Path) -> Iterator[tuple[int, str | LeftOut, Place | None]]:
    """The non-empty lines with their numbers and places; a line that is not UTF-8 alone is left out."""
    if path.suffix == ".gz":
        yield from ((number, line, None) for number, line in lossless.lines(path))
        return
    offset = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    yield number, line.decode("utf-8"), Place(path, offset, len(line))
                except UnicodeDecodeError as error:
                    yield number, LeftOut(f"{path.name} line {number}", f"not UTF-8 at byte {error.start}"), None
            offset += len(line)


def read(source: Source, lexicon: Words) -> Iterator[Patient | LeftOut]:
    """The patients of one input; a LeftOut when there is none or it cannot be read."""
    where, stem, content = source[:3]
    try:
        bundle = lossless.loads(content, where) if isinstance(content, (str, bytes)) else content
    except InputError as error:
        yield LeftOut(where, error.reason)
        return
    entries = list(_entries(bundle))
    people = [(url, r) for url, r in entries if r.get("resourceType") == "Patient"]
    if not people:
        if any(r.get("resourceType") in patient_items.READERS for _, r in entries):
            yield _build(where, stem, ("", {}), entries, lexicon, alone=True)
        else:
            yield LeftOut(where, "holds no Patient and no clinical resource")
        return
    people = list({str(r.get("id") or url): (url, r) for url, r in people}.values())
    for person in people:
        yield _build(where, stem, person, entries, lexicon, alone=len(people) == 1)


def _entries(bundle: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """(fullUrl, resource) of a Bundle, of Bundles within, of a list, or of one resource."""
    if isinstance(bundle, list):
        for one in bundle:
            yield from _entries(one)
        return
    if not isinstance(bundle, dict):
        return
    if bundle.get("resourceType") != "Bundle":
        yield "", bundle
        return
    for entry in bundle.get("entry") or []:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            if resource.get("resourceType") == "Bundle":
                yield from _entries(resource)
            else:
                yield str(entry.get("fullUrl") or ""), resource


def _build(
    where: str,
    stem: str,
    person: tuple[str, dict[str, Any]],
    entries: list[tuple[str, dict[str, Any]]],
    lexicon: Words,
    *,
    alone: bool,
) -> Patient:
    url, resource = person
    own = _references(url, resource)
    gaps: list[LeftOut] = []
    mine = [(u, r) for u, r in entries if r.get("resourceType") in patient_items.READERS and _belongs(r, own, alone)]
    lost = 0 if alone else sum(r.get("resourceType") in patient_items.READERS and _owner(r) == "" for _, r in entries)
    if lost:
        gaps.append(LeftOut(where, f"{lost} resources name no patient and there are several; they were not used"))
    named = {key: r for u, r in entries for key in _references(u, r)}
    items, lost_items = patient_items.items(mine, named, Keys(lexicon))
    gaps.extend(LeftOut(where, reason) for reason in lost_items)
    birth = when(resource.get("birthDate"))
    told_sex, told_age, told_on = (
        patient_told.person(items) if birth is None or not resource.get("gender") else _NOT_TOLD
    )
    if birth is None and told_age is None:
        told_age, told_on = _printed_age(resource, entries)
    if birth is None and told_age is None:
        gaps.append(LeftOut(where, "no usable birth date; criteria on age are unknown"))
    if not resource:
        gaps.append(LeftOut(where, "no Patient resource; age and sex are unknown"))
    machine = any(_MACHINE in _security(r) for _, r in entries if r.get("resourceType") != "Patient")
    return Patient(
        id=_identity(resource, url, stem, machine) if alone else str(resource.get("id") or url),
        sex=str(resource["gender"]) if resource.get("gender") in ("male", "female", "other") else told_sex,
        birth=birth,
        told_age=told_age if birth is None else None,
        told_on=told_on,
        deceased=bool(resource.get("deceasedBoolean") or resource.get("deceasedDateTime")),
        place=_place(resource),
        items=items,
        narrative=machine and any(i.kind == "document" for i in items) and not any(_a_visit(r) for _, r in mine),
        gaps=tuple(gaps),
        fingerprint=_fingerprint(resource, mine),
    )


def _printed_age(
    person: dict[str, Any], entries: list[tuple[str, dict[str, Any]]]
) -> tuple[Quantity | None, When | None]:
    """The age that a laboratory sheet printed, as of the day of its report."""
    for extension in person.get("extension") or []:
        if isinstance(extension, dict) and extension.get("url") == _AGE:
            age = patient_items.quantity(extension.get("valueQuantity"))
            reports = [r for _, r in entries if r.get("resourceType") == "DiagnosticReport"]
            days = [when(r.get("effectiveDateTime")) or when(r.get("issued")) for r in reports]
            return age, next((day for day in days if day), None)
    return None, None


def _identity(resource: dict[str, Any], url: str, stem: str, machine: bool) -> str:
    """The Patient's id; the file's stem where there is none, where the id is only ours, or where it is their number."""
    own = str(resource.get("id") or "")
    if not stem:
        return own or url.rsplit(":", 1)[-1] or "unknown"
    numbers = [own, *(str(i.get("value") or "") for i in resource.get("identifier") or [] if isinstance(i, dict))]
    known = any(stem.casefold() in number.casefold().split("-") for number in numbers)
    return stem if not own or machine or known else own


def _references(url: str, resource: dict[str, Any]) -> set[str]:
    kind, own = resource.get("resourceType"), resource.get("id")
    found = {url} if url else set()
    if own:
        found |= {f"{kind}/{own}", str(own)}
    for identifier in resource.get("identifier") or []:
        if isinstance(identifier, dict) and identifier.get("value"):
            found.add(f"{kind}?identifier={identifier.get('system', '')}|{identifier['value']}")
    return found


def _owner(resource: dict[str, Any]) -> str:
    for field in ("subject", "patient", "individual"):
        target = resource.get(field)
        if isinstance(target, dict):
            return str(target.get("reference") or "") or _by_identifier(target)
    return ""


def _by_identifier(target: dict[str, Any]) -> str:
    identifier = target.get("identifier") or {}
    return f"Patient?identifier={identifier.get('system', '')}|{identifier['value']}" if identifier.get("value") else ""


def _belongs(resource: dict[str, Any], own: set[str], alone: bool) -> bool:
    owner = _owner(resource)
    if not owner:
        return alone
    plain = owner.split("/_history/")[0]
    return plain in own or any(plain.endswith(f"/{ref}") for ref in own if ref.startswith("Patient/")) or not own


def _a_visit(resource: dict[str, Any]) -> bool:
    """Whether a document is a conversation that we read: asked and answered, it tells facts as a record does."""
    kind = resource.get("type") if resource.get("resourceType") == "DocumentReference" else None
    return isinstance(kind, dict) and kind.get("text") == "transcript of a consultation"


def _security(resource: dict[str, Any]) -> list[str]:
    labels = (resource.get("meta") or {}).get("security") or []
    return [str(label.get("code")) for label in labels if isinstance(label, dict)]


def _place(resource: dict[str, Any]) -> tuple[str, ...]:
    found: list[str] = []
    for address in resource.get("address") or []:
        if isinstance(address, dict):
            found += [str(address[part]) for part in ("city", "district", "state", "country") if address.get(part)]
    return tuple(dict.fromkeys(found))


def _fingerprint(person: dict[str, Any], resources: list[tuple[str, dict[str, Any]]]) -> str:
    texts = sorted(lossless.dumps(r) for r in [person, *(r for _, r in resources)])
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
