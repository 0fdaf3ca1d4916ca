"""Each recipient is told about his own patients, once: what changed, in one message, remembered when it is sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from fhirbridge.errors import FinalServerError, TemporaryServerError
from fhirbridge.notify import changes, digest
from fhirbridge.notify.channels import Channel, Message
from fhirbridge.notify.report import Report
from fhirbridge.notify.settings import Recipient, Settings
from fhirbridge.notify.state import Brief, State
from fhirbridge.records import LeftOut

_TRIES = 4

Place = tuple[str, int]  # content of the input, number of the patient in it


@dataclass(frozen=True)
class Night:
    """What all messages of a night share: `judged` names the way rows were judged, `contacts` are those of studies."""

    id: str
    as_of: str
    judged: str
    contacts: Mapping[str, Sequence[str]]


class Telling:
    """Tells the recipients of a configuration what the kept rows say."""

    def __init__(
        self,
        chosen: Settings,
        state: State,
        channels: Mapping[str, Channel],
        report: Report,
        clock: Callable[[], datetime],
        *,
        dry_run: bool = False,
    ) -> None:
        self._dry_run = dry_run
        self._tell, self._state, self._channels = chosen.tell, state, channels
        self._report, self._clock = report, clock
        self._deadline = f"{chosen.run.deadline:%H:%M}"

    def everyone(self, night: Night, contents: Sequence[str], *, unfinished: int = 0) -> None:
        """One message a recipient about what is judged; with `unfinished` it says how many patients are not."""
        part = "deadline" if unfinished else "whole"
        self._state.commit()
        for recipient, places in self._whose(night, contents):
            if not self._state.was_told(night.id, _key(recipient), part):
                self._told(recipient, night, places, unfinished)

    def _whose(self, night: Night, contents: Sequence[str]) -> list[tuple[Recipient, list[Place]]]:
        """The recipients with the places of their patients, in the order of the inputs."""
        found: list[tuple[Recipient, list[Place]]] = [(r, []) for r in self._tell.recipients]
        by_practitioner: dict[str, list[list[Place]]] = {}
        by_patient: dict[str, list[list[Place]]] = {}
        for recipient, places in found:
            if recipient.practitioner and not recipient.everyone:
                by_practitioner.setdefault(recipient.practitioner, []).append(places)
            for patient in () if recipient.everyone else recipient.patients:
                by_patient.setdefault(patient, []).append(places)
        all_of_them = [places for recipient, places in found if recipient.everyone]
        for content, brief in self._briefs(night, contents):
            mine = [lists for p in brief.practitioners for lists in by_practitioner.get(p, ())]
            for number, (patient, _) in enumerate(brief.patients):
                named = by_patient.get(patient.rsplit("/", 1)[-1], ())
                for places in (*all_of_them, *{id(x): x for x in (*mine, *named)}.values()):
                    places.append((content, number))
        return found

    def _briefs(self, night: Night, contents: Sequence[str]) -> Iterator[tuple[str, Brief]]:
        for content in contents:
            brief = self._state.brief(content, night.judged)
            if brief is not None:
                yield content, brief

    def _told(self, recipient: Recipient, night: Night, places: list[Place], unfinished: int) -> None:
        key, part = _key(recipient), "deadline" if unfinished else "whole"
        channel = self._channels[recipient.channel]
        draft = digest.Draft(recipient, self._tell, night.as_of, leaves=channel.leaves_house)
        for entry in self._entries(key, night, places):
            draft.add(entry)
        promised = unfinished or self._state.was_told(night.id, key, "deadline")
        silent = not draft.entries and self._tell.quiet_when_unchanged and not promised
        if self._dry_run:
            return
        self._remember(key, night, places)  # on disk only together with the message
        if silent:
            self._state.commit()
            return
        message = draft.message((unfinished, self._deadline))
        if not self._state.was_sent(message.id):
            if not self._sent(recipient, channel, message):
                self._state.rollback()  # what he was not told is told the next night
                return
            self._report.sent += 1
        at = self._clock().isoformat(timespec="seconds")
        self._state.sent(message.id, night=night.id, recipient=key, part=part, at=at)

    def _entries(self, key: str, night: Night, places: list[Place]) -> Iterator[digest.Entry]:
        for content, number in places:
            brief = self._state.brief(content, night.judged)
            if brief is None:
                continue
            patient, now = brief.patients[number]
            before, resources = self._state.told(key, patient)
            found = changes.changes(now, before)
            if self._tell.quiet_when_unchanged and before and not found:
                continue
            if found or self._any_option(now):
                row = orjson.loads(self._state.lines(content, night.judged).splitlines()[number])
                yield digest.Entry(row, changes.explained(found, row, before, resources), night.contacts)

    def _any_option(self, now: changes.Standing) -> bool:
        return any(digest.listed(status, score, self._tell) for status, score, *_ in now.values())

    def _remember(self, key: str, night: Night, places: list[Place]) -> None:
        for content, number in places:
            brief = self._state.brief(content, night.judged)
            if brief is not None:
                patient, now = brief.patients[number]
                if self._state.told(key, patient) != (now, brief.resources):
                    self._state.tell(key, patient, now, brief.resources)

    def _sent(self, recipient: Recipient, channel: Channel, message: Message) -> bool:
        for attempt in range(_TRIES):
            try:
                channel.send(message)
            except TemporaryServerError as error:
                if attempt == _TRIES - 1:
                    self._failed(recipient, error)
                else:
                    time.sleep(0.2 * 2**attempt)
            except FinalServerError as error:
                self._failed(recipient, error)
                return False
            else:
                return True
        return False

    def _failed(self, recipient: Recipient, error: Exception) -> None:
        self._report.failures.append(LeftOut(f"recipient {recipient.name}", str(error)))


def _key(recipient: Recipient) -> str:
    return "\n".join((recipient.name, recipient.channel, recipient.to))
