"""FHIR ResearchStudy with its eligibility: Group (R4, R5), EvidenceVariable (R5), or words in `enrollment.display`.

fhirbridge's own Bundles hold the record's eligibility text (`note`), so their criteria come back with the same words
and places. Of other people's coded characteristics a text is composed, one line a characteristic, which the reader of
criteria understands like any registry's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fhirbridge.errors import InputError, UnreadableInput
from fhirbridge.fhir import lossless
from fhirbridge.records import LeftOut, Trial
from fhirbridge.registries import _fhir_words, _fields, _json

_KINDS = (b'"ResearchStudy"', b'"EvidenceVariable"')
_R5_STATUS = {"active": "active", "draft": "in-review", "retired": "completed"}


class FhirResearchStudy:
    """Reads a Bundle, one resource, or NDJSON of either. A Group alone is a study without a name."""

    name = "fhir_research_study"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether the head is FHIR JSON with a study or its eligibility in it."""
        flat = head.replace(b" ", b"")
        if b'"resourceType"' not in flat:
            return False
        return any(kind in flat for kind in _KINDS) or b'"resourceType":"Group"' in flat

    def read(self, path: Path) -> Iterator[Trial | LeftOut]:
        """The trials of a file, Bundle by Bundle; loose resources of NDJSON belong together."""
        loose: list[dict[str, Any]] = []
        found = False
        for item in _json.records(path, keys=()):
            if isinstance(item, LeftOut):
                yield item
                continue
            place, resource = item
            if resource.get("resourceType") == "Bundle":
                for trial in self._bundle(_resources(resource), place):
                    found = True
                    yield trial
            else:
                loose.append(resource)
        for trial in self._bundle({f"loose-{n}": r for n, r in enumerate(loose)}, str(path)):
            found = True
            yield trial
        if not found:
            raise UnreadableInput(path, "no ResearchStudy, Group or EvidenceVariable in it", "give a FHIR study")

    def read_record(self, record: dict[str, Any]) -> Trial:
        """One parsed Bundle or resource; InputError when there is no study, or more than one."""
        kind = record.get("resourceType")
        inside = _resources(record) if kind == "Bundle" else {"record": record}
        found = [t for t in self._bundle(inside, "record") if isinstance(t, Trial)]
        if len(found) != 1:
            raise InputError("record", f"{len(found)} studies in it instead of one")
        return found[0]

    def _bundle(self, resources: dict[str, dict[str, Any]], place: str) -> Iterator[Trial | LeftOut]:
        studies = [r for r in resources.values() if r.get("resourceType") == "ResearchStudy"]
        for study in studies:
            try:
                yield _trial(study, _eligibility(study, resources), place, self.name)
            except InputError as error:
                yield LeftOut(place, error.reason)
        if not studies:
            for resource in resources.values():
                if _is_eligibility(resource):
                    yield _trial(
                        {"title": resource.get("name") or resource.get("title", "")}, [resource], place, self.name
                    )


def create() -> FhirResearchStudy:
    """The registry."""
    return FhirResearchStudy()


def _resources(bundle: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The resources of a Bundle by fullUrl, or by their place."""
    found = {}
    for number, entry in enumerate(bundle.get("entry") or []):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            found[entry.get("fullUrl") or f"entry-{number}"] = resource
    return found


def _is_eligibility(resource: dict[str, Any]) -> bool:
    if resource.get("resourceType") == "EvidenceVariable":
        return True
    definition = resource.get("actual") is False or resource.get("membership") in ("definitional", "conceptual")
    return resource.get("resourceType") == "Group" and definition and bool(resource.get("characteristic"))


def _eligibility(study: dict[str, Any], resources: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The Groups or EvidenceVariables that the study refers to, in the Bundle or contained."""
    inside = {f"#{r.get('id')}": r for r in study.get("contained") or [] if isinstance(r, dict)}
    references = [r for r in study.get("enrollment") or [] if isinstance(r, dict)]
    recruited = (study.get("recruitment") or {}).get("eligibility")
    references += [recruited] if isinstance(recruited, dict) else []
    found = []
    for reference in references:
        url = reference.get("reference", "")
        known = inside.get(url) or resources.get(url) or _by_id(url, resources)
        if known is not None and (_is_eligibility(known) or not reference.get("display")):
            found.append(known)
        elif reference.get("display"):
            found.append({"resourceType": "text", "text": reference["display"]})
    return found


def _by_id(url: str, resources: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    for resource in resources.values():
        own = f"{resource.get('resourceType')}/{resource.get('id')}"
        if url == own or url.endswith(f"/{own}"):
            return resource
    return None


def _trial(study: dict[str, Any], eligibility: list[dict[str, Any]], place: str, registry: str) -> Trial:
    text = _own_text(study, eligibility)
    composed = _fhir_words.composed(eligibility) if text is None else _fhir_words.EMPTY
    inclusion, exclusion = _fields.parted(text) if text else (None, None)
    own = _fhir_words.structured(eligibility) if text is not None else composed
    trial = Trial(
        id=_number(study, eligibility),
        registry=registry,
        title=_words(study.get("title")),
        eligibility_text=text if text is not None else composed.text,
        official_title=next((_words(o.get("name")) for o in _dicts(study.get("objective"))), ""),
        status=_status(study),
        phase=_fields.phase(_concept(study.get("phase"))),
        conditions=_concepts(study.get("condition")),
        keywords=_concepts(study.get("keyword")),
        interventions=_concepts([f.get("concept", f) for f in _dicts(study.get("focus"))]),
        sites=_concepts(study.get("location")) or tuple(_words(s.get("display")) for s in _dicts(study.get("site"))),
        contacts=_contacts(study),
        sponsor=_words((study.get("sponsor") or {}).get("display")),
        description=_words(study.get("description")),
        minimum_age=own.minimum_age,
        maximum_age=own.maximum_age,
        sex=own.sex,
        healthy_volunteers=own.healthy_volunteers,
        other_ids=tuple(_words(i.get("value")) for i in _dicts(study.get("identifier"))[1:]),
        inclusion_text=inclusion,
        exclusion_text=exclusion,
        start=_words((study.get("period") or {}).get("start")),
        end=_words((study.get("period") or {}).get("end")),
        url=next((_artifact_url(a) for a in _dicts(study.get("relatedArtifact"))), ""),
        left_out=composed.left_out,
    )
    return _fields.checked(trial, place)


def _own_text(study: dict[str, Any], eligibility: list[dict[str, Any]]) -> str | None:
    """The eligibility text that the study itself holds: fhirbridge's note, or words in `enrollment.display`."""
    marked = lossless.dumps(eligibility)
    for note in _dicts(study.get("note")):
        if "ResearchStudy.note[0].text" in marked and _words(note.get("text")):
            return _words(note["text"])
    said = [e["text"] for e in eligibility if e.get("resourceType") == "text"]
    return "\n\n".join(said) if said else None


def _number(study: dict[str, Any], eligibility: list[dict[str, Any]]) -> str:
    for identifier in _dicts(study.get("identifier")):
        if _words(identifier.get("value")):
            return _words(identifier["value"])
    for resource in (study, *eligibility):
        if _words(resource.get("id")):
            return _words(resource["id"])
        for identifier in _dicts(resource.get("identifier")):
            if _words(identifier.get("value")):
                return _words(identifier["value"])
    for resource in (study, *eligibility):
        if title := _words(resource.get("title")) or _words(resource.get("name")):
            return title
    raise InputError("ResearchStudy", "neither identifier, id nor title")


def _artifact_url(artifact: dict[str, Any]) -> str:
    return _words(artifact.get("url")) or _words((artifact.get("document") or {}).get("url"))


def _status(study: dict[str, Any]) -> str:
    for progress in _dicts(study.get("progressStatus")):
        codes = _dicts((progress.get("state") or {}).get("coding"))
        if codes and _words(codes[0].get("code")):
            return _words(codes[0]["code"])
    status = _words(study.get("status"))
    return _R5_STATUS.get(status, status)


def _contacts(study: dict[str, Any]) -> tuple[str, ...]:
    found = []
    for contact in _dicts(study.get("contact")):
        parts = [_words(contact.get("name")), *(_words(t.get("value")) for t in _dicts(contact.get("telecom")))]
        found.append(", ".join(p for p in parts if p))
    return tuple(f for f in found if f)


def _words(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _concept(value: Any) -> str:
    return _fhir_words.name(value) if isinstance(value, dict) else ""


def _concepts(value: Any) -> tuple[str, ...]:
    return tuple(t for t in (_concept(v) for v in _dicts(value)) if t)
