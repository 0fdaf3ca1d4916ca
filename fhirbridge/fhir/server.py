"""A FHIR server to push to and pull from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from fhirbridge.fhir import server_pull, server_push, server_update, server_validate, validation
from fhirbridge.fhir.one_ahead import one_ahead
from fhirbridge.fhir.push_entries import Entry, entries
from fhirbridge.fhir.push_journal import Journal
from fhirbridge.fhir.record import Record
from fhirbridge.fhir.server_auth import BackendServices, Basic, Bearer
from fhirbridge.fhir.server_push import Summary
from fhirbridge.fhir.server_transport import Authorization, Limits, Transport
from fhirbridge.records import LeftOut
from fhirbridge.terminology import ucum

Mode = Literal["transaction", "batch", "update"]


class FHIRServer:
    """A FHIR R4 or R5 server at a base URL.

    `token`, `basic` (user, password) or `client_id` with `key` (SMART backend services) say who we are. `verify` is
    True, or the file of a private certificate authority. Errors: TemporaryServerError after the last try,
    FinalServerError at once, ConflictError where somebody else changed the resource.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        basic: tuple[str, str] | None = None,
        client_id: str | None = None,
        key: str | Path | Mapping[str, Any] | None = None,
        token_url: str | None = None,
        scope: str = "system/*.rs",
        verify: bool | str = True,
        limits: Limits | None = None,
    ) -> None:
        authorization: Authorization | None = None
        if token is not None:
            authorization = Bearer(token)
        elif basic is not None:
            authorization = Basic(*basic)
        elif client_id is not None and key is not None:
            authorization = BackendServices(url, client_id, key, scope=scope, token_url=token_url, verify=verify)
        self.transport = Transport(url, authorization, verify, limits or Limits())

    def push(
        self,
        bundle: Record | Mapping[str, Any],
        *,
        mode: Mode = "transaction",
        most: int = 400,
        journal: str | Path | None = None,
        insist: bool = False,
        ask: bool = False,
        fhir_version: str = "R4",
    ) -> Summary:
        """Send a Bundle; each resource is created once however often this is repeated.

        `mode` "transaction": whole or not at all (parts of at most `most` entries where it is larger, which the summary
        tells); "batch": each entry for itself; "update": what is there already is brought up to date, with If-Match, so
        that somebody else's change is shown and never overwritten. `journal`: a file by which an interrupted push
        goes on. What is not valid FHIR (`fhir_version`; a Record brings its own) is refused, with its whole Bundle,
        unless `insist`; with `ask` the server's own `$validate` is asked first, too.
        """
        total = Summary()
        how: dict[str, Any] = {"mode": mode, "most": most, "journal": journal, "insist": insist, "ask": ask}
        for summary in self.push_each([bundle], **how, fhir_version=fhir_version):
            total.add(summary)
        return total

    def push_each(
        self,
        bundles: Iterable[Record | Mapping[str, Any]],
        *,
        mode: Mode = "transaction",
        most: int = 400,
        journal: str | Path | None = None,
        insist: bool = False,
        ask: bool = False,
        fhir_version: str = "R4",
    ) -> Iterator[Summary]:
        """Push one Bundle after the other, as `push` does, and tell what became of each.

        While the server works on a Bundle, the next one is taken from `bundles`, checked and made ready.
        """
        kept = Journal(Path(journal) if journal is not None else None, self.transport.base)
        for ready in one_ahead(_prepared(b, insist, fhir_version) for b in bundles):
            if isinstance(ready, Summary):
                yield ready
            elif ask and (wrong := server_validate.refused(self.transport, ready[0])):
                yield Summary(failed=[*wrong, *_held_back(ready[0], wrong)], left_out=ready[1])
            elif mode == "update":
                yield server_update.update(self.transport, ready)
            else:
                yield server_push.push(self.transport, ready, kept, mode=mode, most=most)

    def patient(self, patient_id: str) -> Record:
        """Everything the server has about one patient, as one Bundle."""
        return Record(server_pull.everything(self.transport, patient_id))

    def search(self, resource_type: str, **parameters: str) -> Iterator[dict[str, Any]]:
        """The resources a search finds, page after page; links to another origin are refused."""
        return server_pull.search(self.transport, resource_type, **parameters)

    def export(self, directory: str | Path, *, group: str | None = None) -> tuple[list[Path], list[LeftOut]]:
        """A bulk export of a Group or of all patients as NDJSON files in `directory`, and what was left out."""
        return server_pull.export(self.transport, Path(directory), group=group)


def _prepared(
    bundle: Record | Mapping[str, Any], insist: bool, fhir_version: str
) -> tuple[list[Entry], list[LeftOut]] | Summary:
    """The entries of a Bundle that may be sent; a summary of what is wrong with one that may not."""
    json, version = (bundle.json, bundle.fhir_version) if isinstance(bundle, Record) else (bundle, fhir_version)
    found = {} if insist else validation.check_bundle(json, ucum=ucum.is_valid, fhir_version=version)
    return _refused(json, found) if found else entries(json)


def _held_back(waiting: list[Entry], wrong: list[LeftOut]) -> list[LeftOut]:
    said = {item.source for item in wrong}
    return [LeftOut(e.where, "not sent: the server finds another entry wrong") for e in waiting if e.where not in said]


def _refused(bundle: Mapping[str, Any], found: Mapping[int, list[validation.Finding]]) -> Summary:
    summary = Summary()
    for number, entry in enumerate(bundle.get("entry", [])):
        resource = entry.get("resource") or {}
        where = f"entry[{number}] {resource.get('resourceType')}/{resource.get('id')}"
        told = "; ".join(str(finding) for finding in found.get(number, [])[:5])
        reason = f"not valid FHIR, not sent: {told}" if told else "not sent: another entry is not valid FHIR"
        summary.failed.append(LeftOut(where, reason))
    return summary
