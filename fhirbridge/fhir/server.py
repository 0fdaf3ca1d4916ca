"""A FHIR server to push to and pull from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fhirbridge.fhir import server_pull, server_push, server_update, validation
from fhirbridge.fhir.record import Record
from fhirbridge.fhir.server_auth import BackendServices, Basic, Bearer
from fhirbridge.fhir.server_push import Journal, Summary
from fhirbridge.fhir.server_transport import Authorization, Limits, Transport
from fhirbridge.records import LeftOut


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
        mode: str = "transaction",
        most: int = 400,
        journal: str | Path | None = None,
        insist: bool = False,
        ucum: Callable[[str], bool] | None = None,
    ) -> Summary:
        """Send a Bundle; each resource is created once however often this is repeated.

        `mode` "transaction": whole or not at all (parts of at most `most` entries where it is larger, which the summary
        tells); "batch": each entry for itself; "update": what is there already is brought up to date, with If-Match, so
        that somebody else's change is shown and never overwritten. `journal`: a file by which an interrupted push
        goes on. What is not valid R4 is refused, with its whole Bundle, unless `insist`; `ucum` tells whether a unit
        code is valid.
        """
        json = bundle.json if isinstance(bundle, Record) else bundle
        r5 = isinstance(bundle, Record) and bundle.fhir_version == "R5"
        found = {} if insist or r5 else validation.check_bundle(json, ucum=ucum)
        if found:
            return self._refused(json, found)
        kept = Journal(Path(journal) if journal is not None else None)
        if mode == "update":
            return server_update.update(self.transport, json)
        return server_push.push(self.transport, json, kept, mode=mode, most=most)

    def _refused(self, bundle: Mapping[str, Any], found: Mapping[int, list[validation.Finding]]) -> Summary:
        summary = Summary()
        for number, entry in enumerate(bundle.get("entry", [])):
            resource = entry.get("resource") or {}
            where = f"entry[{number}] {resource.get('resourceType')}/{resource.get('id')}"
            told = "; ".join(str(finding) for finding in found.get(number, [])[:5])
            reason = f"not valid FHIR, not sent: {told}" if told else "not sent: another entry is not valid FHIR"
            summary.failed.append(LeftOut(where, reason))
        return summary

    def patient(self, patient_id: str) -> Record:
        """Everything the server has about one patient, as one Bundle."""
        return Record(server_pull.everything(self.transport, patient_id))

    def search(self, resource_type: str, **parameters: str) -> Iterator[dict[str, Any]]:
        """The resources a search finds, page after page; links to another origin are refused."""
        return server_pull.search(self.transport, resource_type, **parameters)

    def export(self, directory: str | Path, *, group: str | None = None) -> tuple[list[Path], list[LeftOut]]:
        """A bulk export of a Group or of all patients as NDJSON files in `directory`, and what was left out."""
        return server_pull.export(self.transport, Path(directory), group=group)
