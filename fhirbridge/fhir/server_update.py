"""Resources that are on the server already, brought up to date: never over somebody else's change.

Each resource with a business identifier is looked for; what is not there is created, what is equal is left, and what
differs is written with `If-Match` on the version that was read. A 412 is shown, not overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fhirbridge.errors import ConflictError, ServerError
from fhirbridge.fhir import lossless
from fhirbridge.fhir.server_push import Entry, Summary, entries, in_order, resolved
from fhirbridge.fhir.server_transport import Transport
from fhirbridge.records import LeftOut

_SERVERS_OWN = ("id", "meta", "text")  # what a server may set or make itself


def update(transport: Transport, bundle: Mapping[str, Any]) -> Summary:
    """Create or update each resource by its identifier, in the order of their references; not one transaction.

    A resource without an identifier is created once, as `push` does: there is nothing to find an older one by.
    """
    summary = Summary()
    waiting, summary.left_out = entries(bundle)
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
    kind = entry.resource["resourceType"]
    wanted = resolved(entry.resource, summary.references)
    found = _found(transport, kind, _condition(wanted) or entry.condition)
    if found is None:
        answer = transport.send(
            "POST",
            kind,
            lossless.dumps(wanted).encode(),
            headers={"If-None-Exist": _condition(wanted) or entry.condition},
        )
        summary.created += answer.status == 201
        summary.unchanged += answer.status != 201
        made = answer.json()
        summary.references[entry.key] = f"{kind}/{made.get('id') or _id_of(answer.headers.get('location', ''), kind)}"
        return
    summary.references[entry.key] = f"{kind}/{found['id']}"
    if _content(found) == _content(wanted):
        summary.unchanged += 1
        return
    version = str((found.get("meta") or {}).get("versionId", ""))
    headers = {"If-Match": f'W/"{version}"'} if version else {}
    body = lossless.dumps({**wanted, "id": found["id"]}).encode()
    transport.send("PUT", f"{kind}/{found['id']}", body, headers=headers)
    summary.updated += 1


def _condition(resource: Mapping[str, Any]) -> str:
    identifiers = resource.get("identifier", [])
    for item in identifiers if isinstance(identifiers, list) else [identifiers]:
        if isinstance(item, dict) and item.get("system") and item.get("value"):
            return f"identifier={quote(str(item['system']) + '|' + str(item['value']), safe='')}"
    return ""


def _found(transport: Transport, kind: str, condition: str) -> dict[str, Any] | None:
    """The one resource of that identity, None if there is none; ConflictError if there are several."""
    page = transport.send("GET", f"{kind}?{condition}").json()
    hits = [e["resource"] for e in page.get("entry", []) if e.get("resource", {}).get("resourceType") == kind]
    if len(hits) > 1:
        raise ConflictError(f"{kind}: {len(hits)} resources on the server have the same identifier", 412)
    return hits[0] if hits else None


def _content(resource: Mapping[str, Any]) -> Any:
    return {k: v for k, v in resource.items() if k not in _SERVERS_OWN}


def _id_of(location: str, kind: str) -> str:
    pieces = location.split("/")
    return pieces[pieces.index(kind) + 1] if kind in pieces and pieces.index(kind) + 1 < len(pieces) else ""
