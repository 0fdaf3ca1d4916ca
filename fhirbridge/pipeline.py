"""The whole of fhirbridge, one function an input: it enters at the top and leaves at the bottom.

Only this module knows the order of the stages; each line feeds the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fhirbridge.records import Criterion, LeftOut, Trial

if TYPE_CHECKING:
    from fhirbridge.eligibility.compile import CompiledStudies
    from fhirbridge.eligibility.matches import Funnel, Matches
    from fhirbridge.extract.proposed import LanguageModel
    from fhirbridge.fhir.record import Record, StudyLine
    from fhirbridge.ocr import OcrEngine
    from fhirbridge.terminology import Terminology


def read_transcript(
    source: str | Path,
    *,
    language: str = "auto",
    visit_date: date | None = None,
    terminologies: Sequence[Terminology] = (),
    llm: LanguageModel | str | None = None,
    transaction: bool = False,
    fhir_version: str = "R4",
) -> Record:
    """A conversation or note (a path, or the text itself) as a Bundle of what a clinician would record.

    `visit_date` anchors "three days ago"; without it such dates stay words. `llm` (a `ChatEndpoint`, or the URL of one
    on this machine) may propose more: what the source bears out is added as doubtful, the rest is counted in
    `left_out`. Raises InputError if nothing can be read.
    """
    from fhirbridge.extract import facts, proposed, turns
    from fhirbridge.fhir import transcript_bundle
    from fhirbridge.terminology import lexicon

    model = _endpoint(llm) if isinstance(llm, str) else llm  # refused before anything is read
    transcript = turns.read(source, language=language, visit_date=visit_date)
    words = lexicon.load(terminologies)
    found, left_out = facts.find(transcript, words)
    if model is not None:
        found, dropped = proposed.add(transcript, found, words, model)
        left_out = (*left_out, *dropped)
    return transcript_bundle.build(transcript, found, left_out, transaction=transaction, fhir_version=fhir_version)


def read_lab_report(
    source: str | Path | bytes | Any | Sequence[Any],
    *,
    ocr: OcrEngine | None = None,
    language: str = "auto",
    header: bool = True,
    transaction: bool = False,
    fhir_version: str = "R4",
) -> Record:
    """A photo, scan or PDF of a laboratory report (or several of one report) as DiagnosticReport and Observations.

    `source` is a path, bytes, a PIL image or an RGB array, or a list of them. Rows that failed a check are
    `preliminary`. Raises InputError for what is no picture, EngineError when the engine fails.
    """
    from fhirbridge import ocr as engines
    from fhirbridge.extract import lab_checks, lab_report
    from fhirbridge.fhir import lab_bundle
    from fhirbridge.terminology import loinc

    engine = ocr or engines.best()
    pictures = engines.load(source)
    pages = tuple(engines.read_page(picture, engine) for picture in pictures)
    report = lab_report.read(pages, language=language, source=pictures[0].source)
    report = loinc.code(report)
    report = lab_checks.check(report, pictures, engine, known=loinc)
    return lab_bundle.build(report, pictures, header=header, transaction=transaction, fhir_version=fhir_version)


def lab_page(source: Any, record: Record, target: str | Path, *, language: str = "auto") -> Path:
    """Write the self-contained review page of a lab report: its pictures with boxes beside the rows, doubts first."""
    from fhirbridge import ocr
    from fhirbridge.fhir import lossless
    from fhirbridge.review import lab_page

    pictures = ocr.load(source) if lab_page.needs_pictures(record.json) else ()
    path = Path(target)
    lossless.write_text(path, lab_page.page(record.json, pictures, language=language))
    return path


def read_study(source: str | Path | dict[str, Any], *, registry: str = "auto", fhir_version: str = "R4") -> Record:
    """One trial record (a path or a parsed record) as ResearchStudy and eligibility Group.

    Raises InputError if the source holds no trial or more than one: use `read_studies` for many.
    """
    from fhirbridge import registries

    return _study(registries.one(source, registry), fhir_version)


def read_studies(
    sources: str | Path | Iterable[str | Path], *, registry: str = "auto", fhir_version: str = "R4"
) -> Iterator[Record | LeftOut]:
    """The trial records of one or many files, one by one in bounded memory; what cannot be read as LeftOut."""
    for trial in _trials(sources, registry):
        yield trial if isinstance(trial, LeftOut) else _study(trial, fhir_version)


def study_lines(
    sources: str | Path | Iterable[str | Path], *, registry: str = "auto", fhir_version: str = "R4", workers: int = 1
) -> Iterator[StudyLine | LeftOut]:
    """As `read_studies`, but each as JSON text with its counts, made by `workers` processes in the order given."""
    from fhirbridge import parallel
    from fhirbridge.terminology import lexicon

    make = partial(_study_line, fhir_version=fhir_version)
    return parallel.in_order(make, _trials(sources, registry), workers=workers, ready=lexicon.load)


def compile_studies(
    sources: str | Path | Iterable[str | Path],
    *,
    registry: str = "auto",
    statuses: Sequence[str] = (),
    save: str | Path | None = None,
    workers: int = 1,
    since: CompiledStudies | None = None,
) -> CompiledStudies:
    """Trials ready to be matched: their criteria as shared atoms. `save` writes them for a later, faster start.

    `since`: studies compiled before from the same registry; records that have not changed are taken from there.

    `sources` may be registry files, FHIR ResearchStudy + Group, or a file that `save` wrote. `statuses` (FHIR
    research-study-status codes) leaves out trials of another status; trials that tell none stay.
    """
    from fhirbridge import parallel
    from fhirbridge.eligibility import compile
    from fhirbridge.terminology import lexicon

    saved = compile.load(sources)
    if saved is not None:
        return saved
    trials = (
        t for t in _trials(sources, registry) if not statuses or isinstance(t, LeftOut) or t.status in ("", *statuses)
    )
    known = compile.Known(since) if since is not None else None
    waiting = known.changed(trials) if known else trials
    pairs = parallel.in_order(_with_criteria, waiting, workers=workers, ready=lexicon.load)
    compiled = compile.compile(pairs, lexicon.load())
    if known:
        compiled = known.with_fresh(compiled)
    if save is not None:
        compiled.save(Path(save))
    return compiled


def match(
    patients: Any,
    studies: Any,
    *,
    as_of: date | None = None,
    top: int | None = None,
    explain: str = "all",
    policy: Any = None,
    workers: int = 1,
    since: str | Path | None = None,
) -> Matches:
    """Every patient against every study: ranked, judged criterion by criterion, with evidence and what is missing.

    `patients`: paths, Bundles or Records, one or many. `studies`: paths, Records or CompiledStudies. `explain` is
    "all", "top" (reasons for the listed studies only) or "none". Deterministic for a given `as_of` (default: today).
    `since`: the NDJSON of an earlier run; only what changed since is judged, with the same result.
    """
    from fhirbridge.eligibility import batch, compile
    from fhirbridge.eligibility import since as earlier
    from fhirbridge.fhir import match_bundle, patient_bundle
    from fhirbridge.terminology import lexicon

    compiled = studies if isinstance(studies, compile.CompiledStudies) else compile_studies(studies, workers=workers)
    read = partial(patient_bundle.read, lexicon=lexicon.load())  # inputs are read by the process that judges them
    settings = batch.Settings.of(as_of, top, explain, policy)
    people = patient_bundle.sources(patients)
    judge = earlier.judge_since(Path(since), compiled, settings) if since is not None else None
    return batch.match(people, compiled, settings, read=read, workers=workers, judge=judge, fhir=match_bundle)


def match_each(
    sources: Iterable[Any],
    studies: CompiledStudies,
    *,
    as_of: date | None = None,
    top: int | None = None,
    explain: str = "top",
    workers: int = 1,
) -> Iterator[list[dict[str, Any] | LeftOut]]:
    """As `match`, but for each input in order the contract's rows of the patients in it, as they are done."""
    from fhirbridge.eligibility import batch
    from fhirbridge.fhir import patient_bundle
    from fhirbridge.terminology import lexicon

    read = partial(patient_bundle.read, lexicon=lexicon.load())
    settings = batch.Settings.of(as_of, top, explain, None)
    return batch.each(sources, studies, settings, read=read, workers=workers)


def match_carried(
    inputs: Iterable[Any],
    studies: CompiledStudies,
    before: Mapping[str, Mapping[str, str]],
    finish: Callable[[dict[str, Any], bytes], Any],
    *,
    as_of: date | None = None,
    top: int | None = None,
    reserve: int = 100,
    workers: int = 1,
) -> Iterator[list[Any]]:
    """As `match_each`, for runs that go on from each other with the same result.

    `finish` makes of each row, which also holds its `reserve`, and of the patient packed what is yielded; it runs where
    the patient was judged. An input may be a list of what fills a `since.Carried`, one for each patient in it;
    `before` has study ids and fingerprints of an earlier run under the name that `Carried` gives it.
    """
    from fhirbridge.eligibility import batch
    from fhirbridge.eligibility import since as earlier
    from fhirbridge.fhir import patient_bundle
    from fhirbridge.terminology import lexicon

    words = lexicon.load()

    def read(one: Any) -> Iterable[Any]:
        return [earlier.Carried(*kept) for kept in one] if isinstance(one, list) else patient_bundle.read(one, words)

    changes = {name: earlier.changes_since(studies, told) for name, told in before.items()}
    settings = batch.Settings.of(as_of, top, "top", None, reserve)
    judge = earlier.judge_carried(studies, changes, settings, finish)
    return batch.each(inputs, studies, settings, read=read, workers=workers, judge=judge)


def funnel(patients: Any, study: Any, *, as_of: date | None = None) -> Funnel:
    """For one study: the patients ranked, and criterion by criterion how many remain."""
    from fhirbridge.eligibility import matches

    return matches.funnel(match(patients, study, as_of=as_of, explain="all"))


def night(configuration: str | Path) -> int:
    """One night run as its TOML file says: fetch, match, write, tell. The exit code of `fhirbridge night`."""
    from fhirbridge.notify import run

    return run.night(Path(configuration))


def _endpoint(url: str) -> LanguageModel:
    from fhirbridge.language_model import ChatEndpoint

    return ChatEndpoint(url)


def _study(trial: Trial, fhir_version: str) -> Record:
    from fhirbridge.fhir import research_study

    return research_study.build(*_understood(trial), fhir_version=fhir_version)


def _understood(trial: Trial) -> tuple[Trial, tuple[Criterion, ...]]:
    """The trial with what its text and fields disagree on, and its criteria."""
    from fhirbridge.extract import criteria
    from fhirbridge.terminology import lexicon

    found = criteria.find(trial, lexicon.load())
    return replace(trial, left_out=(*trial.left_out, *criteria.disagreements(trial, found))), found


def _study_line(trial: Trial | LeftOut, fhir_version: str) -> StudyLine | LeftOut:
    from fhirbridge.extract import criteria
    from fhirbridge.fhir import research_study
    from fhirbridge.fhir.record import StudyLine

    if isinstance(trial, LeftOut):
        return trial
    told, found = _understood(trial)
    record = research_study.build(told, found, fhir_version=fhir_version)
    return StudyLine(trial.id, record.to_json(), record.left_out, criteria.counts(found))


def _with_criteria(trial: Trial | LeftOut) -> tuple[Trial, tuple[Criterion, ...]] | LeftOut:
    return trial if isinstance(trial, LeftOut) else _understood(trial)


def _trials(sources: Any, registry: str) -> Iterator[Trial | LeftOut]:
    from fhirbridge import registries

    for source in [sources] if isinstance(sources, (str, Path, dict)) or hasattr(sources, "to_json") else sources:
        yield from registries.read(getattr(source, "json", source), registry)
