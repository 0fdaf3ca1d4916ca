"""RxNorm from the user's own RXNCONSO.RRF (https://www.nlm.nih.gov/research/umls/rxnorm/docs/techdoc.html)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fhirbridge.errors import UnreadableInput
from fhirbridge.terminology import _codes, _tables

_PREFERRED = ("IN", "PIN", "MIN", "BN", "SCD", "SBD", "GPCK", "BPCK", "SCDF", "SBDF")
_TAKEN = frozenset((*_PREFERRED, "SY", "TMSY", "PSN"))


def create(path: Path) -> _codes.Codes:
    """The concepts of RXNCONSO.RRF (the file, or the folder it lies in): RxNorm's own, not suppressed ones."""
    path = Path(path)
    file = path / "RXNCONSO.RRF" if path.is_dir() else path
    records = _codes.named(_lines(file), lambda _: "medication")
    return _codes.Codes("rxnorm", _tables.SYSTEMS["rxnorm"], _codes.checked(records, file, "RxNorm concepts"))


def _lines(file: Path) -> Iterator[tuple[str, str, bool]]:
    for number, line in enumerate(_codes.decoded(file).split("\n"), 1):
        fields = line.rstrip("\r").split("|")
        if len(fields) < 17:
            if line.strip():
                raise UnreadableInput(file, f"line {number} has {len(fields)} fields, not 18", "is it RXNCONSO.RRF?")
            continue
        code, source, kind, name, suppressed = fields[0], fields[11], fields[12], fields[14], fields[16]
        if source == "RXNORM" and kind in _TAKEN and suppressed in ("N", ""):
            yield code, name, kind in _PREFERRED
