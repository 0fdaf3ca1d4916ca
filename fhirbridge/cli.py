"""The command line: arguments, printing, exit codes. It decides nothing; `fhirbridge.pipeline` does the work.

Exit codes: 0 all done, 1 some inputs failed and the rest are written, 2 usage or nothing done.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fhirbridge import arguments, choices
from fhirbridge.errors import ConfigurationError, FhirbridgeError
from fhirbridge.fhir import lossless
from fhirbridge.files import Sink, expand, folder, stem
from fhirbridge.progress import Progress
from fhirbridge.records import LeftOut

TEXT = (".txt", ".vtt", ".srt", ".json", ".md")
PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp", ".heic", ".heif", ".pdf")
STUDIES = (".json", ".ndjson", ".json.gz", ".ndjson.gz", ".xml", ".csv", ".xlsx")
_NOTES = 50  # notes on records that were read all the same; more are counted
FHIR = (".json", ".ndjson", ".json.gz", ".ndjson.gz")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    given = arguments.parser().parse_args(argv)
    try:
        return _COMMANDS[given.command](given)
    except FhirbridgeError as error:
        print(f"fhirbridge: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        print("fhirbridge: interrupted; what was finished is written", file=sys.stderr)
        return 2


# ------------------------------------------------------------------------------------------------------ the commands


def _transcript(a: argparse.Namespace) -> int:
    from fhirbridge import pipeline

    terminologies = tuple(_terminology(text) for text in a.terminology)
    llm = _model(a)

    def read(path: Path) -> Iterable[tuple[str, Any]]:
        record = pipeline.read_transcript(
            path,
            language=a.language,
            visit_date=a.date,
            terminologies=terminologies,
            llm=llm,
            transaction=a.transaction,
            fhir_version=a.fhir_version,
        )
        for left in record.left_out if llm is not None else ():
            print(f"fhirbridge: note: {path}: {left.source}: {left.reason}", file=sys.stderr)
        yield stem(path), record

    return _each("transcript", expand(a.files, TEXT), read, a.out)


def _model(a: argparse.Namespace) -> Any:
    from fhirbridge.language_model import ChatEndpoint

    if not a.llm:
        return None
    return ChatEndpoint(a.llm, a.llm_model, os.environ.get("FHIRBRIDGE_LLM_KEY", ""), allow_remote=a.allow_remote)


def _lab(a: argparse.Namespace) -> int:
    from fhirbridge import ocr, pipeline

    engine = ocr.best() if a.ocr == "auto" else choices.module("ocr", a.ocr).create()

    def read(path: Path | list[Path]) -> Iterable[tuple[str, Any]]:
        record = pipeline.read_lab_report(
            path,
            ocr=engine,
            language=a.language,
            header=not a.no_header,
            transaction=a.transaction,
            fhir_version=a.fhir_version,
        )
        name = stem(path[0] if isinstance(path, list) else path)
        if a.html:
            pipeline.lab_page(path, record, folder(a.out) / f"{name}.html", language=a.language)
        yield name, record

    images: Iterable[Any] = expand(a.images, PICTURES)
    return _each("lab", [_present(images)] if a.one_report else images, read, a.out)


def _study(a: argparse.Namespace) -> int:
    from fhirbridge import parallel, pipeline

    counts: Counter[str] = Counter()
    notes: list[LeftOut] = []
    workers = a.workers or parallel.processes()

    def read(path: Path) -> Iterable[tuple[str, Any]]:
        for line in pipeline.study_lines(path, registry=a.registry, fhir_version=a.fhir_version, workers=workers):
            if not isinstance(line, LeftOut):
                counts.update(line.counts, studies=1)
                notes.extend(line.left_out)
            yield ("", line) if isinstance(line, LeftOut) else (line.id, line)

    code = _each("study", expand(a.files, STUDIES), read, a.out)
    for note in notes[:_NOTES]:
        print(f"fhirbridge: note: {note.source}: {note.reason}", file=sys.stderr)
    if len(notes) > _NOTES:
        print(f"fhirbridge: note: and {len(notes) - _NOTES:,} more like these", file=sys.stderr)
    print(_told(counts), file=sys.stderr)
    return code


def _told(counts: Mapping[str, int]) -> str:
    """35,491 studies, 612,004 criteria: 71 % computable, 14 % administrative, 15 % kept as text."""
    kinds = ("computable", "administrative", "text")
    total = sum(counts.get(kind, 0) for kind in kinds)
    shares = [f"{round(100 * counts.get(kind, 0) / total)} %" if total else "0 %" for kind in kinds]
    return (
        f"{counts.get('studies', 0):,} studies, {total:,} criteria: "
        f"{shares[0]} computable, {shares[1]} administrative, {shares[2]} kept as text"
    )


def _match(a: argparse.Namespace) -> int:
    from fhirbridge import pipeline

    patients = _present(expand(a.patients, FHIR))
    studies = _present(expand(a.studies, STUDIES))
    if a.engine == "spark":
        return _match_on_spark(a, patients, studies)
    found = pipeline.match(
        patients,
        studies,
        as_of=a.as_of,
        top=a.top,
        explain=a.explain,
        policy=a.policy,
        workers=a.workers,
        since=a.since,
    )
    with Sink(a.out) as sink:
        if a.by == "study":
            from fhirbridge.eligibility import matches

            for funnel in matches.funnels(found):
                sink.write(funnel.study.split("/", 1)[-1], funnel.to_line() if a.out else funnel.to_text())
            return _close(found.left_out, sink.written)
        for line in found.to_lines(a.format):
            sink.write("matches", line)
    return _close(found.left_out, sink.written)


def _match_on_spark(a: argparse.Namespace, patients: list[Path], studies: list[Path]) -> int:
    from fhirbridge import distributed, pipeline

    if a.format != "ndjson" or a.by == "study" or a.since or a.policy:
        raise ConfigurationError(
            "--engine spark writes NDJSON by patient; leave out --format, --by, --since and --policy"
        )
    compiled = pipeline.compile_studies(studies, workers=a.workers)
    failed: list[LeftOut] = list(compiled.left_out)
    paths = [str(p) for p in patients]
    with Sink(a.out) as sink:
        for row in distributed.match(paths, compiled, as_of=a.as_of, top=a.top, explain=a.explain):
            if isinstance(row, LeftOut):
                failed.append(row)
            else:
                sink.write("matches", row)
    return _close(failed, sink.written)


def _push(a: argparse.Namespace) -> int:
    from fhirbridge.fhir import bundles
    from fhirbridge.fhir.server_push import Summary

    server, total, failed, sources = _server(a), Summary(), [], deque[str]()
    progress = Progress("push")

    def read() -> Iterator[dict[str, Any]]:
        for path in list(expand(a.paths, FHIR)):
            try:
                if isinstance(path, FhirbridgeError):
                    raise path
                for bundle in bundles.read(path):
                    sources.append(str(path))
                    yield bundle
            except FhirbridgeError as error:
                failed.append(f"{path}: {error}" if not str(error).startswith(str(path)) else str(error))

    how: dict[str, Any] = {"mode": a.mode, "most": a.most, "journal": a.journal, "insist": a.insist, "ask": a.ask}
    for summary in server.push_each(read(), **how, fhir_version=a.fhir_version):
        path = sources.popleft()
        summary.failed = [LeftOut(f"{path}, {item.source}", item.reason) for item in summary.failed]
        total.add(summary)
        progress.step(path)
    progress.finish()
    print(total)
    return _close([*failed, *total.failed], total.created + total.updated + total.unchanged)


def _pull(a: argparse.Namespace) -> int:
    server = _server(a)
    if a.patient:
        with Sink(a.out if a.out.endswith("/") else f"{a.out}/") as sink:
            sink.write(a.patient, server.patient(a.patient).to_json())
        print(f"1 patient in {a.out}")
        return 0
    files, left_out = server.export(a.out, group=a.group)
    print(f"{len(files)} files in {a.out}")
    return _close(left_out, len(files))


def _server(a: argparse.Namespace) -> Any:
    """The server with the credentials named: secrets come from the environment or a file, never from an argument."""

    from fhirbridge.fhir.server import FHIRServer

    user, password = a.user, os.environ.get("FHIRBRIDGE_PASSWORD", "")
    return FHIRServer(
        a.server,
        token=os.environ.get("FHIRBRIDGE_TOKEN"),
        basic=(user, password) if user else None,
        client_id=a.client_id,
        key=a.key,
        token_url=a.token_url,
        scope=a.scope,
        verify=a.ca or True,
    )


def _night(a: argparse.Namespace) -> int:
    from time import sleep

    from fhirbridge.notify import check, run, schedule, settings

    file = Path(a.config)
    if a.init:
        if file.exists():
            raise ConfigurationError(f"{file} is there already; it is not overwritten")
        lossless.write_text(file, settings.template())
        print(f"{file} written; edit it, then: fhirbridge night {file} --check")
        return 0
    if a.install:
        print(schedule.install_lines(file, a.at or settings.load(file).run.deadline))
        return 0
    if a.check:
        lines = list(check.check(settings.load(file)))
        for fine, line in lines:
            print("ok " if fine else "NO ", line)
        return 0 if all(fine for fine, _ in lines) else 2
    once = partial(run.night, file, dry_run=a.dry_run)
    return schedule.every_night(once, a.at, now=run.now, sleep=sleep) if a.at else once()


def _review(a: argparse.Namespace) -> int:
    from fhirbridge.review import page

    return page.serve(port=a.port, out=a.out, server=a.server, studies=a.studies)


def _mcp(a: argparse.Namespace) -> int:
    from fhirbridge.agents import mcp_server

    return mcp_server.serve(a.root or [Path.cwd()], a.server)


def _skill(a: argparse.Namespace) -> int:
    from fhirbridge.agents import skill

    print(skill.write(Path(a.out)))
    return 0


def _demo(a: argparse.Namespace) -> int:
    from fhirbridge import demo

    return demo.run(Path(a.out))


# ---------------------------------------------------------------------------------------------------- shared by them


def _each(what: str, inputs: Iterable[Any], read: Callable[[Any], Iterable[tuple[str, Any]]], out: str | None) -> int:
    """Read every input, write what comes, name what failed at the end."""
    paths = list(inputs)
    failed: list[str] = []
    progress = Progress(what, len(paths))
    with Sink(out) as sink:
        for path in paths:
            if isinstance(path, FhirbridgeError):
                failed.append(str(path))
                continue
            try:
                for name, record in read(path):
                    if isinstance(record, LeftOut):
                        failed.append(f"{record.source}: {record.reason}")
                    else:
                        sink.write(name, record.to_json())
            except FhirbridgeError as error:
                failed.append(str(error))
            except (
                Exception
            ) as error:  # a defect must not stop the rest of the batch; its text may hold patients' words
                failed.append(f"{path}: unexpected {type(error).__name__}; please report it, with FHIRBRIDGE_DEBUG=1")
                _debug()
            progress.step(str(path))
        progress.finish()
    return _close(failed, sink.written)


def _close(failed: Iterable[Any], written: int) -> int:
    reasons = [f"{f.source}: {f.reason}" if isinstance(f, LeftOut) else str(f) for f in failed]
    for reason in reasons:
        print(f"fhirbridge: {reason}", file=sys.stderr)
    if not reasons:
        return 0
    return 1 if written else 2


def _present(inputs: Iterable[Any]) -> list[Path]:
    """The files; what is missing is said at once, since half an input gives a wrong answer."""
    paths = list(inputs)
    for path in paths:
        if isinstance(path, FhirbridgeError):
            raise path
    return paths


def _debug() -> None:
    import traceback

    if os.environ.get("FHIRBRIDGE_DEBUG"):
        traceback.print_exc()


def _terminology(text: str) -> Any:
    name, _, path = text.partition("=")
    return choices.module("terminology", name).create(Path(path))


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "transcript": _transcript,
    "lab": _lab,
    "study": _study,
    "match": _match,
    "push": _push,
    "pull": _pull,
    "night": _night,
    "review": _review,
    "mcp": _mcp,
    "skill": _skill,
    "demo": _demo,
}


if __name__ == "__main__":
    sys.exit(main())
