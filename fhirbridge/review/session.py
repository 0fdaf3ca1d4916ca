"""The documents under review in one running page: held in memory, written only when the reviewer saves or pushes."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from fhirbridge import pipeline
from fhirbridge.errors import ConfigurationError, MissingInput
from fhirbridge.fhir.record import Record
from fhirbridge.fhir.server import FHIRServer
from fhirbridge.review.decisions import Decision, reviewed

_TEXT = (".txt", ".vtt", ".srt", ".json", ".md")


@dataclass
class Document:
    """One input as the machine read it, and what was decided about its facts so far."""

    id: str
    name: str
    record: Record
    decisions: dict[str, Decision] = field(default_factory=dict)
    matches: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Session:
    """What the page works on. `out`: where saved Bundles go; `server`: where push may write; `studies`: trials."""

    out: Path
    now: Callable[[], datetime]
    server: str | None = None
    studies: Sequence[Path] = ()
    documents: dict[str, Document] = field(default_factory=dict)
    _compiled: Any = None

    def read(self, name: str, content: bytes) -> Document:
        """A picture, PDF or transcript by its name's ending; raises what the readers raise."""
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / (Path(name).name or "pasted.txt")
            path.write_bytes(content)
            text = path.suffix.lower() in _TEXT
            record = pipeline.read_transcript(path) if text else pipeline.read_lab_report(path)
        document = Document(secrets.token_urlsafe(9), Path(name).name, record)
        self.documents[document.id] = document
        return document

    def document(self, id: str) -> Document:
        """The document of that id; MissingInput if there is none."""
        if id not in self.documents:
            raise MissingInput("document", "there is no such document in this session", "go back to the list")
        return self.documents[id]

    def decide(self, document: Document, resource_id: str, decision: Decision, reviewer: str) -> None:
        """Remember a decision, after trying it: one that cannot be carried out raises InputError and is not kept."""
        if not any(r.get("id") == resource_id for r in document.record.resources()):
            raise MissingInput("fact", "there is no such fact in this document", "reload the page")
        reviewed(document.record.json, {resource_id: decision}, reviewer, self.now())
        document.decisions[resource_id] = decision

    def result(self, document: Document, reviewer: str) -> Record:
        """The Bundle with all decisions carried out."""
        done = reviewed(document.record.json, document.decisions, reviewer, self.now())
        return Record(done, document.record.left_out, document.record.fhir_version)

    def save(self, document: Document, reviewer: str) -> Path:
        """Write the reviewed Bundle below `out`, under the input's name."""
        return self.result(document, reviewer).save(self.out / f"{Path(document.name).stem}.reviewed.json")

    def push(self, document: Document, reviewer: str) -> str:
        """Write the reviewed Bundle to the server named at the start; what became of it."""
        if self.server is None:
            raise ConfigurationError("push is off: start `fhirbridge review` with --server URL")
        summary = FHIRServer(self.server).push(self.result(document, reviewer))
        return f"{summary}. {summary.reasons()}".removesuffix(". ")

    def match(self, document: Document, reviewer: str) -> None:
        """Judge the reviewed patient against the studies named at the start."""
        if not self.studies:
            raise ConfigurationError("no trials: start `fhirbridge review` with --studies PATH")
        if self._compiled is None:
            self._compiled = pipeline.compile_studies(list(self.studies))
        import json

        found = pipeline.match(self.result(document, reviewer), self._compiled, as_of=self.now().date(), top=10)
        document.matches = json.loads(next(iter(found.to_lines())))["matches"]
