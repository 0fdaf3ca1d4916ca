"""The lists of a night as files, written row by row out of what is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from fhirbridge.fhir import lossless, match_bundle
from fhirbridge.notify import digest
from fhirbridge.notify.report import Report
from fhirbridge.notify.settings import Settings
from fhirbridge.notify.state import State
from fhirbridge.notify.telling import Night

_LISTS = ("matches.ndjson", "research-subjects.ndjson", "index.html")


def tidy(out: Path) -> None:
    """Remove what a killed run left half-written beside its lists."""
    for name in _LISTS:
        for beside in out.glob(f".{name}.*"):
            beside.unlink(missing_ok=True)


def write(out: Path, contents: Sequence[str], state: State, night: Night, report: Report, chosen: Settings) -> None:
    """`matches.ndjson` in the order of the inputs, ResearchSubjects where asked for, and the counts of the report."""
    with lossless.writing(out / _LISTS[0]) as file:
        for content in contents:
            brief = state.brief(content, night.judged)
            if brief is not None:
                file.write(state.lines(content, night.judged))
                for _, standing in brief.patients:
                    report.count(standing)
    if chosen.output.research_subjects:
        with lossless.writing(out / _LISTS[1]) as file:
            for line in _subjects(contents, state, night, chosen):
                file.write(line.encode("utf-8"))


def _subjects(contents: Sequence[str], state: State, night: Night, chosen: Settings) -> Iterator[str]:
    """A ResearchSubject `candidate` for every option that is worth telling."""
    tell = chosen.tell
    for content in contents:
        brief = state.brief(content, night.judged)
        for patient, standing in brief.patients if brief is not None else ():
            worth = [(s, score) for s, (status, score, *_) in standing.items() if digest.listed(status, score, tell)]
            for study, score in worth[: tell.top]:
                yield lossless.dumps(match_bundle.research_subject(patient, study, night.as_of, score)) + "\n"
