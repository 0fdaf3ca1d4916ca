"""What the server itself says of resources before they are written: its `$validate`, asked for each one."""

from __future__ import annotations

from collections.abc import Iterable

from fhirbridge.errors import FinalServerError, ServerError
from fhirbridge.fhir.push_entries import Entry
from fhirbridge.fhir.server_transport import Transport, issues_of, told
from fhirbridge.records import LeftOut

_NOT_THERE = {404, 405, 501}
_WRONG = {"error", "fatal"}


def refused(transport: Transport, entries: Iterable[Entry]) -> list[LeftOut]:
    """The entries the server finds wrong, with its words. FinalServerError where it has no `$validate`."""
    found = []
    for entry in entries:
        try:
            answer = transport.send("POST", f"{entry.kind}/$validate", entry.text.encode())
        except ServerError as error:
            if error.status in _NOT_THERE:
                raise FinalServerError(f"the server has no {entry.kind}/$validate", error.status) from error
            found.append(LeftOut(entry.where, f"the server's $validate: {error}"))
            continue
        wrong = [told(issue) for issue in issues_of(answer) if issue.get("severity") in _WRONG]
        if wrong:
            found.append(LeftOut(entry.where, f"the server's $validate: {'; '.join(wrong[:5])}"))
    return found
