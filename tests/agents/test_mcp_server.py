"""The MCP server, spoken to by the SDK's own client."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp", reason="the mcp extra is not installed")
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.types import ElicitResult

from fhirbridge.agents import mcp_server
from fhirbridge.errors import ConfigurationError
from tests.fhir.servers import sekmet

VISIT = "Doctor: Any chest pain?\nPatient: No.\nDoctor: Fever?\nPatient: Yes, since yesterday.\n"


def _talk(server: Any, work: Callable[[Client], Awaitable[Any]], **options: Any) -> Any:
    async def run() -> Any:
        async with Client(server, **options) as client:
            return await work(client)

    return asyncio.run(run())


def _call(server: Any, tool: str, arguments: dict[str, Any], **options: Any) -> Any:
    return _talk(server, lambda client: client.call_tool(tool, arguments), **options)


def _content(result: Any) -> Any:
    return result.structured_content or json.loads(result.content[0].text)


def test_the_tools_are_listed_with_what_they_do(tmp_path: Path) -> None:
    listed = _talk(mcp_server.create([tmp_path]), lambda client: client.list_tools())
    described = {tool.name: tool.description for tool in listed.tools}
    assert set(described) == {"read_transcript", "read_lab_report", "read_study", "match", "explain_match", "push"}
    assert all(described.values())


def test_facts_come_with_the_words_they_rest_on(tmp_path: Path) -> None:
    (tmp_path / "visit.txt").write_text(VISIT)
    answer = _content(
        _call(mcp_server.create([tmp_path]), "read_transcript", {"path": "visit.txt", "save_as": "v.json"})
    )
    status = {fact["name"].lower(): fact["status"] for fact in answer["facts"]}
    assert status["chest pain"] == "refuted"
    assert status["fever"] == "confirmed"
    words = " ".join(next(f["evidence"] for f in answer["facts"] if f["name"].lower() == "chest pain"))
    assert "chest pain" in words
    assert json.loads((tmp_path / "v.json").read_text())["resourceType"] == "Bundle"


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/hostname", "link.txt"])
def test_files_outside_the_roots_are_refused(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside.txt").write_text(VISIT)
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    result = _call(mcp_server.create([root]), "read_transcript", {"path": path})
    assert result.is_error
    assert "outside the directories" in result.content[0].text


def test_push_is_off_unless_a_server_was_named(tmp_path: Path) -> None:
    result = _call(mcp_server.create([tmp_path]), "push", {"path": "x.json"})
    assert result.is_error
    assert "push is off" in result.content[0].text


@pytest.mark.server
@pytest.mark.parametrize(("agrees", "written"), [(True, True), (False, False)])
def test_push_asks_first(tmp_path: Path, agrees: bool, written: bool) -> None:
    bundle = {"resourceType": "Patient", "identifier": [{"system": "urn:example:mrn", "value": "mcp"}]}
    (tmp_path / "p.json").write_text(json.dumps(bundle))
    asked: list[str] = []

    async def person(context: Any, request: Any) -> ElicitResult:
        asked.append(request.message)
        return ElicitResult(action="accept", content={"write": agrees})

    with sekmet(tmp_path / "data") as base:
        server = mcp_server.create([tmp_path], base)
        answer = _content(_call(server, "push", {"path": "p.json"}, elicitation_callback=person))
    assert asked == [f"Write 1 resources to {base}?"]
    assert answer["written"] is written


def test_a_unit_that_is_not_ucum_is_not_written_and_the_reason_is_told(tmp_path: Path) -> None:
    unit = {"value": 12, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mmHg"}
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "valueQuantity": unit}
    (tmp_path / "o.json").write_text(json.dumps(observation))
    answer = mcp_server.Tools((tmp_path,), "http://127.0.0.1:9/fhir").push(str(tmp_path / "o.json"))
    assert answer["written"] is False
    assert "Observation.valueQuantity.code: not a UCUM code" in answer["failed"][0]


def test_a_root_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such directory"):
        mcp_server.create([tmp_path / "nowhere"])


def test_the_command_speaks_the_protocol_on_standard_input(tmp_path: Path) -> None:
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "fhirbridge.cli", "mcp", "--root", str(tmp_path)], cwd=str(Path.cwd())
    )
    answer = _content(_call(parameters, "read_transcript", {"text": VISIT}))
    assert {fact["name"].lower() for fact in answer["facts"]} >= {"chest pain", "fever"}
