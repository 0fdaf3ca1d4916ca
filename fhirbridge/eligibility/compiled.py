"""Trials ready to be judged: criteria as trees over shared questions, held as arrays, saved and loaded in seconds.

Every distinct question is kept once, every distinct tree node once. `columns.py` evaluates them for one patient.
"""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhirbridge.eligibility.judge import Asked
from fhirbridge.eligibility.questions import Question
from fhirbridge.errors import UnreadableInput
from fhirbridge.records import LeftOut

__all__ = ["CompiledStudies", "CriterionText", "Layer", "Relevance", "Study"]

Ints = NDArray[np.int32]
FORMAT = "fhirbridge compiled studies"
VERSION = "3"  # with the layout of the file and of the records in it


@dataclass(frozen=True, slots=True)
class Study:
    """What is shown of a trial."""

    id: str
    title: str
    conditions: tuple[str, ...] = ()
    phase: str = ""
    status: str = ""
    sites: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    url: str = ""
    fingerprint: str = ""  # of the record and of what was understood of it
    record: str = ""  # of the record alone, with the version that understood it


@dataclass(frozen=True, slots=True)
class CriterionText:
    """One criterion as it is shown."""

    text: str
    exclude: bool
    administrative: bool
    structured: bool
    group: str


@dataclass(frozen=True, slots=True)
class Layer:
    """Nodes of one operator that only need nodes before them: `nodes` get their value from `parts[starts[i]:...]`."""

    op: str  # all, any, not, atleast, if
    nodes: Ints
    parts: Ints
    starts: Ints
    counts: Ints  # at-least counts, or the value (0 or 2) of an If that does not apply


@dataclass(frozen=True)
class Relevance:
    """Postings by feature: which trials hold a term, and how strongly (terms, starts, studies, weights)."""

    tables: dict[str, tuple[dict[str, int], Ints, Ints, NDArray[np.float32]]]


class CompiledStudies:
    """Trials as questions, nodes and criteria; `studies` in the order compiled."""

    def __init__(
        self,
        studies: list[Study],
        texts: Texts,
        questions: list[Question],
        arrays: dict[str, Ints],
        layers: list[Layer],
        relevance: Relevance,
        left_out: tuple[LeftOut, ...] = (),
    ) -> None:
        self.studies = studies
        self.texts = texts
        self.questions = questions
        self.arrays = arrays
        self.layers = layers
        self.relevance = relevance
        self.left_out = left_out
        self.cache: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self.studies)

    def __repr__(self) -> str:
        return f"<CompiledStudies {len(self.studies)} studies, {len(self.questions)} questions, {len(self.texts)} criteria>"  # noqa: E501

    @property
    def fingerprint(self) -> str:
        """What changes when any study is added, dropped or changed; the order does not matter."""
        if "fingerprint" not in self.cache:
            told = "\n".join(sorted(f"{s.id} {s.fingerprint}" for s in self.studies))
            self.cache["fingerprint"] = hashlib.sha256(told.encode()).hexdigest()[:12]
        found: str = self.cache["fingerprint"]
        return found

    def only(self, ids: Iterable[str]) -> CompiledStudies:
        """The studies of these registry ids as compiled studies of their own; other ids are passed over."""
        from fhirbridge.eligibility.subset import only

        return only(self, ids)

    def criteria(self, study: int) -> range:
        """The numbers of a study's criteria."""
        first = self.arrays["first"]
        return range(int(first[study]), int(first[study + 1]))

    def asked(self, criterion: int) -> Asked:
        """The tree of questions of a criterion, put together from its nodes."""
        from fhirbridge.eligibility.columns import tree_of

        return tree_of(self, int(self.arrays["node"][criterion]))

    def save(self, path: str | Path) -> Path:
        """Write everything to one file."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.part")
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
            file.writestr("format", f"{FORMAT} {VERSION}")
            file.writestr("records", pickle.dumps(self._records(), protocol=5))
            file.writestr("texts", self.texts.blob)
            for name, array in self._arrays():
                buffer = BytesIO()
                np.save(buffer, array, allow_pickle=False)
                file.writestr(f"arrays/{name}", buffer.getvalue())
        beside.replace(target)
        return target

    def _records(self) -> tuple[Any, ...]:
        return self.studies, self.questions, [layer.op for layer in self.layers], self._terms(), self.left_out

    def _terms(self) -> dict[str, dict[str, int]]:
        return {name: table[0] for name, table in self.relevance.tables.items()}

    def _arrays(self) -> Iterator[tuple[str, NDArray[Any]]]:
        yield from self.arrays.items()
        yield "text_offsets", self.texts.offsets
        yield "text_flags", self.texts.flags
        for number, layer in enumerate(self.layers):
            for part in ("nodes", "parts", "starts", "counts"):
                yield f"layer{number}.{part}", getattr(layer, part)
        for name, (_, starts, studies, weights) in self.relevance.tables.items():
            yield f"{name}.starts", starts
            yield f"{name}.studies", studies
            yield f"{name}.weights", weights


class Texts:
    """The words of all criteria as one block of UTF-8, decoded when shown."""

    def __init__(self, blob: bytes, offsets: NDArray[np.int64], flags: NDArray[np.uint8]) -> None:
        self.blob = blob
        self.offsets = offsets
        self.flags = flags

    def __len__(self) -> int:
        return len(self.flags)

    def __getitem__(self, number: int) -> CriterionText:
        raw = self.blob[int(self.offsets[number]) : int(self.offsets[number + 1])].decode()
        text, _, group = raw.partition("\x1f")
        flags = int(self.flags[number])
        return CriterionText(text, bool(flags & 1), bool(flags & 2), bool(flags & 4), group)

    @classmethod
    def of(cls, criteria: list[CriterionText]) -> Texts:
        """The block of a list of criteria."""
        pieces = [f"{c.text}\x1f{c.group}".encode() for c in criteria]
        offsets = np.zeros(len(pieces) + 1, dtype=np.int64)
        np.cumsum([len(p) for p in pieces], out=offsets[1:])
        flags = [c.exclude | c.administrative << 1 | c.structured << 2 for c in criteria]
        return cls(b"".join(pieces), offsets, np.array(flags, dtype=np.uint8))


_OURS = frozenset(
    {
        "fhirbridge.records.trials",
        "fhirbridge.records.values",
        "fhirbridge.eligibility.compiled",
        "fhirbridge.eligibility.questions",
    }
)


class _Safe(pickle.Unpickler):
    """Only the records of this library come out of a file."""

    def find_class(self, module: str, name: str) -> Any:
        if module in _OURS or (
            module,
            name,
        ) in (("decimal", "Decimal"), ("builtins", "frozenset"), ("builtins", "set")):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} does not belong in compiled studies")


def read(path: Path) -> CompiledStudies:
    """The compiled studies of a file that `save` wrote."""
    with zipfile.ZipFile(path) as file:
        if file.read("format").decode() != f"{FORMAT} {VERSION}":
            raise UnreadableInput(path, "compiled by another version of fhirbridge", "compile the studies again")
        studies, questions, ops, terms, left_out = _Safe(BytesIO(file.read("records"))).load()
        named = {
            name.removeprefix("arrays/"): np.load(BytesIO(file.read(name)), allow_pickle=False)
            for name in file.namelist()
            if name.startswith("arrays/")
        }
        texts = Texts(file.read("texts"), named.pop("text_offsets"), named.pop("text_flags"))
    layers = [
        Layer(op, *(named.pop(f"layer{n}.{p}") for p in ("nodes", "parts", "starts", "counts")))
        for n, op in enumerate(ops)
    ]
    tables = {
        name: (known, named.pop(f"{name}.starts"), named.pop(f"{name}.studies"), named.pop(f"{name}.weights"))
        for name, known in terms.items()
    }
    relevance = Relevance(tables)
    return CompiledStudies(studies, texts, questions, named, layers, relevance, left_out)


def is_compiled(path: Path) -> bool:
    """Whether a file is one that `save` wrote."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as file:
        return "format" in file.namelist() and file.read("format").decode().startswith(FORMAT)


__all__ += ["Texts", "is_compiled", "read"]
