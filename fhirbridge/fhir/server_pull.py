"""Patients from a server: `$everything`, search with paging, and bulk `$export`, whole or resumed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fhirbridge.errors import FinalServerError, TemporaryServerError
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
        page = transport.send("GET", url).json()
        if page.get("resourceType") != "Bundle":
            raise FinalServerError(f"the server answered a search with {page.get('resourceType', 'no resource')}")
        yield from page.get("entry", [])
        following = next((link["url"] for link in page.get("link", []) if link.get("relation") == "next"), "")
        url = transport.resolve(following) if following else ""


# -------------------------------------------------------------------------------------------------------- bulk export


def export(transport: Transport, directory: Path, *, group: str | None = None) -> tuple[list[Path], list[LeftOut]]:
    """The NDJSON files of a bulk `$export` (of a Group, or of all patients), and what the server left out.

    The status URL is kept in `directory/export.json` until every file is there, so that an interrupted export goes on
    where it stopped. At the end the server is asked to delete the export.
    """
    directory.mkdir(parents=True, exist_ok=True)
    state = directory / "export.json"
    status_url = json.loads(state.read_text("utf-8"))["status"] if state.exists() else _kicked_off(transport, group)
    lossless.write_text(state, json.dumps({"status": status_url}))
    manifest = _finished(transport, status_url)
    files = [
        _downloaded(transport, item, directory, number) for number, item in enumerate(manifest.get("output", []), 1)
    ]
    left_out = [LeftOut(item.get("type", "?"), "the server could not export it") for item in manifest.get("error", [])]
    try:
        transport.send("DELETE", status_url)
    except FinalServerError as error:
        left_out.append(LeftOut("export", f"the server would not delete it: {error}"))
    state.unlink()
    return files, left_out


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
            manifest: dict[str, Any] = answer.json()
            return manifest
        transport.sleep(retry_after(answer.headers) or _POLL_SECONDS)
    raise TemporaryServerError("the export did not finish within a day")


def _downloaded(transport: Transport, item: dict[str, Any], directory: Path, number: int) -> Path:
    target = directory / f"{number:04d}.{item.get('type', 'Resource')}.ndjson"
    if target.exists():
        return target
    beside = target.with_name(f".{target.name}.part")
    with beside.open("wb") as file:
        transport.send("GET", str(item["url"]), headers={"Accept": "application/fhir+ndjson"}, sink=file)
    lines = sum(1 for _ in lossless.lines(beside))
    if "count" in item and lines != int(item["count"]):
        beside.unlink()
        raise TemporaryServerError(
            f"{target.name}: {lines} resources came, {item['count']} were announced; run it again"
        )
    beside.replace(target)
    return target
