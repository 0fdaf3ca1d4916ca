"""Resources that are on the server already, brought up to date: never over somebody else's change.

Each resource with a business identifier is looked for; what is not there is created, what is equal is left, and what
differs is written with `If-Match` on the version that was read. A 412 is shown, not overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhirbridge.errors import ConflictError, FinalServerError, ServerError
from fhirbridge.fhir import lossless
from fhirbridge.fhir.push_entries import Entry, by_identifier, in_order, resolved
from fhirbridge.fhir.server_push import Summary, reference_in
from fhirbridge.fhir.server_transport import Transport
from fhirbridge.records import LeftOut

_SERVERS_OWN = ("id", "meta", "text")  # what a server may set or make itself


def update(transport: Transport, prepared: tuple[list[Entry], list[LeftOut]]) -> Summary:
    """Create or update each resource by its identifier, in the order of their references; not one transaction.

    A resource without an identifier is created once, as `push` does: there is nothing to find an older one by.
    """
    waiting, left_out = prepared
    summary = Summary(left_out=list(left_out))
    for knot in in_order(waiting):
        for entry in knot:
            try:
                _brought(transport, entry, summary)
            except ConflictError as error:
                summary.failed.append(
                    LeftOut(entry.where, f"changed on the server meanwhile, not overwritten: {error}")
                )
            except ServerError as error:
                summary.failed.append(LeftOut(entry.where, str(error)))
    return summary


def _brought(transport: Transport, entry: Entry, summary: Summary) -> None:
    if not entry.needs <= summary.references.keys():
        raise FinalServerError("not sent: what it refers to was refused, or they refer to each other; use transaction")
    kind, body = entry.kind, resolved(entry.text, summary.references)
    wanted = lossless.loads(body)
    condition = by_identifier(wanted, any_kind=True) or entry.condition
    found = _found(transport, kind, condition)
    if found is None:
        answer = transport.send("POST", kind, body.encode(), headers={"If-None-Exist": condition})
        summary.created += answer.status == 201
        summary.unchanged += answer.status != 201
        made = answer.json().get("id")
        place = f"{kind}/{made}" if made else reference_in(answer.headers.get("location", ""), kind)
        if place:
            summary.references[entry.key] = place
        return
    summary.references[entry.key] = f"{kind}/{found['id']}"
    if _content(found) == _content(wanted):
        summary.unchanged += 1
        return
    version = str((found.get("meta") or {}).get("versionId", ""))
    if not version:
        raise ConflictError("the server tells no version, so a change in between would not be seen", 412)
    changed = lossless.dumps({**wanted, "id": found["id"]}).encode()
    transport.send("PUT", f"{kind}/{found['id']}", changed, headers={"If-Match": f'W/"{version}"'})
    summary.updated += 1


def _found(transport: Transport, kind: str, condition: str) -> dict[str, Any] | None:
    """The one resource of that identity, None if there is none; ConflictError if there are several."""
    page = transport.send("GET", f"{kind}?{condition}").json()
    hits = [e["resource"] for e in page.get("entry", []) if e.get("resource", {}).get("resourceType") == kind]
    if len(hits) > 1:
        raise ConflictError(f"{kind}: {len(hits)} resources on the server have the same identifier", 412)
    return hits[0] if hits else None


def _content(resource: Mapping[str, Any]) -> Any:
    return {k: v for k, v in resource.items() if k not in _SERVERS_OWN}
