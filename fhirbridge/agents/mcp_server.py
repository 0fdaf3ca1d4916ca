"""An MCP server on standard input and output: the library's readers and matcher as tools for an agent.

Files are read only below the roots given; answers are small and carry their evidence; nothing is written to a FHIR
server unless one was named at the start and the person at the other end says yes.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from fhirbridge import __version__, pipeline
from fhirbridge.errors import ConfigurationError, FhirbridgeError, InputError, MissingDependency, MissingInput
from fhirbridge.fhir import bundles
from fhirbridge.fhir.plain_facts import facts
from fhirbridge.fhir.record import Record
from fhirbridge.fhir.server import FHIRServer

INSTRUCTIONS = (
    "Reads clinical conversations and photos of lab reports into FHIR and matches patients with trials, all here. "
    "Show doubtful facts first, each with its evidence. Never send patients' data elsewhere. Unknown stays unknown."
)


class Consent(BaseModel):
    """What the person answers before anything is written."""

    write: bool = Field(description="Write these resources to the server?")


@dataclass(frozen=True)
class Tools:
    """The tools, apart from the protocol. `roots`: directories below which files may be read or written."""

    roots: tuple[Path, ...]
    server: str | None = None

    def allowed(self, path: str) -> Path:
        """The file behind a path, if it lies below a root; symbolic links are followed first."""
        target = Path(path).expanduser()
        target = (target if target.is_absolute() else self.roots[0] / target).resolve()
        if not any(target.is_relative_to(root) for root in self.roots):
            raise InputError(path, "outside the directories this server may read", "start it with --root DIR")
        return target

    def read_transcript(
        self, path: str = "", text: str = "", language: str = "auto", visit_date: str = "", save_as: str = ""
    ) -> dict[str, Any]:
        """Facts of a conversation or note, each with the words it rests on. Give `path` or `text`."""
        if bool(path) == bool(text):
            raise InputError("read_transcript", "give either path or text")
        day = date.fromisoformat(visit_date) if visit_date else None
        source: str | Path = self._existing(path) if path else text
        return self._answer(pipeline.read_transcript(source, language=language, visit_date=day), save_as)

    def read_lab_report(self, paths: list[str], language: str = "auto", save_as: str = "") -> dict[str, Any]:
        """Rows of one laboratory report (one or more pictures or PDFs), doubtful ones first, each with its box."""
        files = [self._existing(path) for path in paths]
        record = pipeline.read_lab_report(files if len(files) > 1 else files[0], language=language)
        return self._answer(record, save_as)

    def read_study(self, path: str, save_as: str = "") -> dict[str, Any]:
        """A trial record: its title and every criterion verbatim, with the side it stands on."""
        record = pipeline.read_study(self._existing(path))
        study = next(record.resources("ResearchStudy"))
        group = next(record.resources("Group"), {})
        criteria = [
            {"text": c.get("code", {}).get("text"), "kind": "exclusion" if c.get("exclude") else "inclusion"}
            for c in group.get("characteristic", [])
        ]
        return {
            "id": study.get("id"),
            "title": study.get("title"),
            "criteria": criteria,
            **self._saved(record, save_as),
        }

    def match(self, patients: list[str], studies: list[str], as_of: str = "", top: int = 10) -> dict[str, Any]:
        """Each patient's best trials: rank, status, score, and what is missing."""
        lines = self._matches(patients, studies, as_of, top)
        keys = ("rank", "status", "score", "study", "title", "missing")
        return {
            "patients": [
                {"patient": line["patient"], "matches": [{k: m.get(k) for k in keys} for m in line["matches"]]}
                for line in lines
            ]
        }

    def explain_match(self, patient: str, studies: list[str], study: str, as_of: str = "") -> dict[str, Any]:
        """One patient against one study, criterion by criterion, with reasons and evidence."""
        for line in self._matches([patient], studies, as_of, None):
            for match in line["matches"]:
                if str(match["study"]).rsplit("/", 1)[-1] == study.rsplit("/", 1)[-1]:
                    return {"patient": line["patient"], **match}
        raise MissingInput(study, "no such study among those given")

    def to_push(self, path: str) -> int:
        """How many resources a push of this file would write."""
        if self.server is None:
            raise ConfigurationError("push is off: start `fhirbridge mcp` with --server URL")
        return sum(len(bundle.get("entry", [])) for bundle in bundles.read(self._existing(path)))

    def push(self, path: str) -> dict[str, Any]:
        """Write the Bundles of a file to the server named at the start; the caller has asked."""
        self.to_push(path)
        client = FHIRServer(str(self.server))
        summaries = [client.push(bundle) for bundle in bundles.read(self._existing(path))]
        failed = [reasons for summary in summaries if (reasons := summary.reasons())]
        written = any(s.created + s.updated + s.unchanged for s in summaries)
        return {"written": written, "summary": "; ".join(map(str, summaries)), **({"failed": failed} if failed else {})}

    def _matches(self, patients: list[str], studies: list[str], as_of: str, top: int | None) -> list[dict[str, Any]]:
        found = pipeline.match(
            [self._existing(p) for p in patients],
            [self._existing(s) for s in studies],
            as_of=date.fromisoformat(as_of) if as_of else None,
            top=top,
        )
        return [json.loads(line) for line in found.to_lines()]

    def _existing(self, path: str) -> Path:
        target = self.allowed(path)
        if not target.exists():
            raise MissingInput(path, "no such file")
        return target

    def _answer(self, record: Record, save_as: str) -> dict[str, Any]:
        left_out = [{"source": item.source, "reason": item.reason} for item in record.left_out]
        return {"facts": facts(record), "left_out": left_out, **self._saved(record, save_as)}

    def _saved(self, record: Record, save_as: str) -> dict[str, str]:
        return {"saved": str(record.save(self.allowed(save_as)))} if save_as else {}


def create(roots: Sequence[str | Path], server: str | None = None) -> Any:
    """The MCP server with its tools. MissingDependency without the `mcp` extra."""
    try:
        from mcp.server import MCPServer
    except ImportError as error:
        raise MissingDependency("mcp is not installed; pip install 'fhirbridge[mcp]'") from error
    places = tuple(Path(root).expanduser().resolve() for root in roots)
    for place in places:
        if not place.is_dir():
            raise ConfigurationError(f"--root {place}: no such directory")
    tools = Tools(places, server)
    app = MCPServer("fhirbridge", instructions=INSTRUCTIONS, version=__version__, log_level="CRITICAL")
    for tool in (tools.read_transcript, tools.read_lab_report, tools.read_study, tools.match, tools.explain_match):
        app.tool()(_told(tool))
    app.tool(name="push")(_asking_push(tools))
    return app


def _told(tool: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The tool with its errors as answers that the agent can read and act on."""
    from mcp.server.mcpserver.exceptions import ToolError

    @functools.wraps(tool)
    def run(*args: Any, **kwargs: Any) -> dict[str, Any]:
        try:
            return tool(*args, **kwargs)
        except (FhirbridgeError, ValueError) as error:
            raise ToolError(str(error)) from error

    return run


def _asking_push(tools: Tools) -> Callable[..., Any]:
    """The push tool; the protocol puts the question to the person before the tool runs."""
    from mcp.server.mcpserver import AcceptedElicitation, Elicit, ElicitationResult, Resolve

    def ask(path: str) -> Elicit[Consent]:
        return Elicit(f"Write {tools.to_push(path)} resources to {tools.server}?", Consent)

    def push(path: str, consent: Any) -> dict[str, Any]:
        """Write a Bundle to the configured FHIR server, after the person has said yes."""
        if not isinstance(consent, AcceptedElicitation) or not consent.data.write:
            return {"written": False, "reason": "the person did not agree"}
        return tools.push(path)

    told = _told(ask)
    # The SDK reads the annotations; names imported in here are not among this module's globals, so they are given.
    told.__annotations__ = {"path": str, "return": Elicit[Consent]}
    push.__annotations__ = {
        "path": str,
        "consent": Annotated[ElicitationResult[Consent], Resolve(told)],
        "return": dict[str, Any],
    }
    return _told(push)


def serve(roots: Sequence[str | Path], server: str | None = None) -> int:
    """Serve on standard input and output until the other end closes it; the exit code."""
    create(roots, server).run("stdio")
    return 0
