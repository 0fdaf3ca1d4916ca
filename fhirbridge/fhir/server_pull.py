"""Patients from a server: `$everything`, search with paging, and bulk `$export`, whole or resumed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fhirbridge.errors import FinalServerError, ServerError, TemporaryServerError, UnreadableInput
from fhirbridge.fhir import lossless
from fhirbridge.fhir.server_transport import Answer, Transport, retry_after
from fhirbridge.records import LeftOut

_MOST_PAGES = 10_000
_POLL_SECONDS = 5.0
_MOST_POLLS = 17_280  # a day of five-second polls


def search(transport: Transport, resource_type: str, **parameters: str) -> Iterator[dict[str, Any]]:
    """Every resource a search finds, page after page. A page that was already seen ends it with an error."""
    query = f"?{urlencode(parameters)}" if parameters else ""
    for entry in _pages(transport, f"{resource_type}{query}"):
        if entry.get("search", {}).get("mode", "match") != "outcome" and "resource" in entry:
            yield entry["resource"]


def everything(transport: Transport, patient_id: str) -> dict[str, Any]:
    """One patient's Bundle: `$everything`, all pages of it."""
    entries = list(_pages(transport, f"Patient/{quote(patient_id, safe='')}/$everything"))
    kept = [{k: e[k] for k in ("fullUrl", "resource") if k in e} for e in entries if "resource" in e]
    return {"resourceType": "Bundle", "type": "collection", "entry": kept}


def _pages(transport: Transport, path: str) -> Iterator[dict[str, Any]]:
    url = transport.resolve(path)
    seen: set[str] = set()
    while url:
        if url in seen or len(seen) >= _MOST_PAGES:
            raise FinalServerError("the server's paging goes round in circles; nothing more was read")
        seen.add(url)
        page = _object(transport.send("GET", url), "a search")
        if page.get("resourceType") != "Bundle":
            raise FinalServerError(f"the server answered a search with {page.get('resourceType', 'no resource')}")
        yield from page.get("entry", [])
        following = next((link.get("url", "") for link in page.get("link", []) if link.get("relation") == "next"), "")
        url = transport.resolve(following) if following else ""


def _object(answer: Answer, what: str) -> dict[str, Any]:
    try:
        value = answer.json()
    except UnreadableInput as error:
        raise FinalServerError(f"the server answered {what} with something that is not JSON") from error
    if not isinstance(value, dict):
        raise FinalServerError(f"the server answered {what} with no JSON object")
    return value


# -------------------------------------------------------------------------------------------------------- bulk export


def export(transport: Transport, directory: Path, *, group: str | None = None) -> tuple[list[Path], list[LeftOut]]:
    """The NDJSON files of a bulk `$export` (of a Group, or of all patients), and what the server left out.

    The status URL and the files that are whole are kept in `directory/export.json` until every file is there, so that
    an interrupted export goes on where it stopped; one the server has forgotten is asked for anew. The files of an
    export replace those of the one before. At the end the server is asked to delete the export.
    """
    directory.mkdir(parents=True, exist_ok=True)
    state = _State.read(directory / "export.json")
    if state.status and not _remembered(transport, state.status):
        state = _State(state.path)
    if not state.status:
        state.status = _kicked_off(transport, group)
        state.write()
    manifest = _finished(transport, state.status)
    files = [
        _downloaded(transport, item, directory / _name(number, item), state)
        for number, item in enumerate(_items(manifest, "output"), 1)
    ]
    for older in set(directory.glob("[0-9][0-9][0-9][0-9].*.ndjson")) - set(files):
        older.unlink()
    left_out = [
        LeftOut(str(item.get("type", "?")), "the server could not export it") for item in _items(manifest, "error")
    ]
    try:
        transport.send("DELETE", state.status)
    except ServerError as error:
        left_out.append(LeftOut("export", f"the server would not delete it: {error}"))
    state.path.unlink()
    return files, left_out


@dataclass
class _State:
    """An export under way: the server's `status` URL and the names of the files that are `done`."""

    path: Path
    status: str = ""
    done: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> _State:
        try:
            kept = json.loads(path.read_text("utf-8"))
            return cls(path, str(kept["status"]), list(kept["done"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls(path)

    def write(self) -> None:
        lossless.write_text(self.path, json.dumps({"status": self.status, "done": self.done}))


def _remembered(transport: Transport, status_url: str) -> bool:
    try:
        transport.send("GET", status_url, headers={"Accept": "application/json"})
    except FinalServerError as error:
        if error.status in (404, 410):
            return False
        raise
    return True


def _kicked_off(transport: Transport, group: str | None) -> str:
    path = f"Group/{quote(group, safe='')}/$export" if group else "Patient/$export"
    headers = {"Prefer": "respond-async", "Accept": "application/fhir+json"}
    answer = transport.send("GET", path, headers=headers)
    location = answer.headers.get("content-location")
    if answer.status != 202 or not location:
        raise FinalServerError(f"the server did not start an export (status {answer.status})", answer.status)
    return transport.resolve(location)


def _finished(transport: Transport, status_url: str) -> dict[str, Any]:
    for _ in range(_MOST_POLLS):
        answer: Answer = transport.send("GET", status_url, headers={"Accept": "application/json"})
        if answer.status == 200:
            return _object(answer, "an export")
        transport.sleep(min(transport.limits.longest_wait, retry_after(answer.headers) or _POLL_SECONDS))
    raise TemporaryServerError("the export did not finish within a day")


def _items(manifest: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = manifest.get(name, [])
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _name(number: int, item: dict[str, Any]) -> str:
    kind = str(item.get("type", ""))  # it becomes part of a path: nothing but letters
    return f"{number:04d}.{kind if kind.isascii() and kind.isalpha() else 'Resource'}.ndjson"


def _downloaded(transport: Transport, item: dict[str, Any], target: Path, state: _State) -> Path:
    if target.name in state.done and target.exists():
        return target
    beside = target.with_name(f".{target.name}.part")
    with beside.open("wb") as file:
        transport.send("GET", str(item.get("url", "")), headers={"Accept": "application/fhir+ndjson"}, sink=file)
    lines = sum(1 for _ in lossless.lines(beside))
    if str(item.get("count", lines)) != str(lines):
        beside.unlink()
        raise TemporaryServerError(
            f"{target.name}: {lines} resources came, {item['count']} were announced; run it again"
        )
    beside.replace(target)
    state.done.append(target.name)
    state.write()
    return target
