"""The tables under `data/`: concepts and their codes, names from whole terminologies, displays."""

from __future__ import annotations

import gzip
import re
from functools import lru_cache
from importlib import resources

from fhirbridge.records import Coding

SYSTEMS = {
    "icd10cm": "http://hl7.org/fhir/sid/icd-10-cm",
    "snomed": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
    "hpo": "http://human-phenotype-ontology.org",
    "atc": "http://www.whocc.no/atc",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "icd10": "http://hl7.org/fhir/sid/icd-10",
}


def text(name: str) -> str:
    """The whole text of `data/<name>`, unpacked when it ends in .gz."""
    raw = resources.files("fhirbridge.terminology").joinpath("data", name).read_bytes()
    return (gzip.decompress(raw) if name.endswith(".gz") else raw).decode("utf-8")


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a table with a header line; lines that begin with # are comments."""
    lines = [line for line in text(name).splitlines() if line.strip() and not line.startswith("#")]
    header = lines[0].split("\t")
    return [dict(zip(header, line.split("\t"), strict=False)) for line in lines[1:]]


def numbers(name: str) -> dict[str, int]:
    """A derived table of names and numbers, one pair a line."""
    fields = re.split("[\t\n]", text(name))
    return dict(zip(fields[::2], map(int, fields[1::2]), strict=True))


@lru_cache(maxsize=1)
def _displays() -> dict[str, str]:
    return dict(line.rsplit("\t", 1) for line in text("displays.tsv.gz").splitlines())


@lru_cache(maxsize=2)
def _whole(name: str) -> dict[str, str]:
    return dict(line.split("\t", 1) for line in text(f"{name}.tsv.gz").splitlines())


def coding(system: str, code: str) -> Coding:
    """A code of a system named as in SYSTEMS, with its display; an empty display when the code is not known here."""
    shown = _displays().get(f"{system}\t{code}")
    if shown is None and system in ("icd10cm", "snomed"):
        shown = display(system, code)
    return Coding(SYSTEMS[system], code, shown or "")


def display(system: str, code: str) -> str | None:
    """The preferred name of an ICD-10-CM or SNOMED GPS code, None if the code is not in the table."""
    shown = _whole(system).get(code)
    return shown.rpartition(" (")[0] if shown and system == "snomed" else shown


def codes(system: str) -> dict[str, str]:
    """Every code of ICD-10-CM ("icd10cm") or the SNOMED GPS ("snomed") with its name (SNOMED: fully specified)."""
    return _whole(system)
