"""Run every scorer on the dev sets and hold the figures against the floors in docs/quality.md.

usage: python tools/quality.py [--shared DIR] [--only NAME ...] [--write] [--keep DIR]

Each set is read by the command line, as a user would, and scored by the scorer that nobody here wrote. A figure below
its floor fails the run. `--write` puts the new figures into the table of docs/quality.md.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import made_consultations

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "quality.md"
ROW = re.compile(
    r"^\| (?P<set>[^|]+?) \| (?P<figure>[^|]+?) \| (?P<now>[^|]*?) \| (?P<floor>[^|]*?) \| (?P<target>[^|]*?) \|$"
)
Figures = dict[str, float]


class Bench:
    """Where the data lie and where outputs go."""

    def __init__(self, shared: Path, out: Path) -> None:
        self.shared, self.out = shared, out
        self.data = shared / "data"

    def fhirbridge(self, *arguments: str) -> None:
        """One command of ours; what it says on standard error is shown when it fails to do anything."""
        run = subprocess.run([sys.executable, "-m", "fhirbridge.cli", *arguments], capture_output=True, text=True)
        if run.returncode == 2:
            print(run.stderr[-2000:], file=sys.stderr)
        elif run.stderr.strip():
            print("   ", run.stderr.strip().splitlines()[-1][:200])

    def score(self, scorer: str, *arguments: str) -> Figures:
        """The figures of one scorer of ../shared/eval."""
        result = self.out / "score.json"
        result.unlink(missing_ok=True)
        script = str(self.shared / "eval" / f"{scorer}.py")
        subprocess.run([sys.executable, script, *arguments, "--json", str(result)], capture_output=True, text=True)
        return dict(_flat(json.loads(result.read_text("utf-8")))) if result.exists() else {}


def _flat(value: dict[str, object], prefix: str = "") -> Iterator[tuple[str, float]]:
    for key, item in value.items():
        if isinstance(item, dict):
            yield from _flat(item, f"{prefix}{key}.")
        elif isinstance(item, (int, float)):
            yield f"{prefix}{key}", float(item)


def _transcripts(name: str) -> Callable[[Bench], Figures]:
    def run(bench: Bench) -> Figures:
        gold, out = bench.data / "transcripts" / name, bench.out / name
        bench.fhirbridge("transcript", str(gold / "*.txt"), "-o", f"{out}/")
        return bench.score("score_transcripts", str(gold), str(out))

    return run


def _written(language: str) -> Callable[[Bench], Figures]:
    """The consultations of a language written for this project, held in notation beside this script."""

    def run(bench: Bench) -> Figures:
        gold, out = bench.out / f"consultations-{language}-gold", bench.out / f"consultations-{language}"
        made_consultations.write(gold, language)
        bench.fhirbridge("transcript", str(gold / "*.txt"), "-o", f"{out}/")
        return bench.score("score_transcripts", str(gold), str(out))

    return run


def _labs(folder: str, engine: str, only: str, pattern: str) -> Callable[[Bench], Figures]:
    def run(bench: Bench) -> Figures:
        gold, out = bench.data / "labs" / folder, bench.out / f"{folder}-{engine}"
        bench.fhirbridge("lab", str(gold / pattern), "--ocr", engine, "-o", f"{out}/")
        if folder == "dev":
            return bench.score("score_labs", str(gold), str(out), "--only", only)
        chosen = bench.out / f"{folder}-{only}-gold"
        chosen.mkdir(exist_ok=True)
        for file in gold.glob(f"*_{only}.json"):
            (chosen / file.name).write_bytes(file.read_bytes())
        return bench.score("score_labs", str(chosen), str(out))

    return run


def _chia(bench: Bench) -> Figures:
    gold, records, studies = (
        bench.data / "trials" / "chia-dev",
        bench.out / "chia.ndjson",
        bench.out / "chia-fhir.ndjson",
    )
    script = str(bench.shared / "eval" / "score_criteria.py")
    subprocess.run([sys.executable, script, "make", str(gold), str(records)], check=True, capture_output=True)
    bench.fhirbridge("study", str(records), "-o", str(studies))
    return bench.score("score_criteria", "score", str(gold), str(studies))


def _matching(bench: Bench) -> Figures:
    data, out = bench.data / "matching" / "dev", bench.out / "matching.ndjson"
    where = ("--patients", str(data / "patients"), "--studies", str(data / "trials"))
    bench.fhirbridge("match", *where, "--as-of", "2026-11-22", "-o", str(out))
    gold = ("--pairs", str(data / "pairs.jsonl"), "--criteria", str(data / "criteria.jsonl"))
    return bench.score("score_matching", str(out), *gold)


def _notes(bench: Bench, folder: str, trials: str, *how: str) -> Path:
    """The matches of a folder of case notes, read by `transcript` first."""
    data, bundles, out = bench.data / "trials" / folder, bench.out / f"{folder}-notes", bench.out / f"{folder}.ndjson"
    if not out.exists():
        bench.fhirbridge("transcript", str(data / "notes" / "*.txt"), "-o", f"{bundles}/")
        bench.fhirbridge("match", "--patients", str(bundles), "--studies", str(data / trials), *how, "-o", str(out))
    return out


def _criteria(bench: Bench) -> Figures:
    gold = bench.data / "trials" / "criteria-dev" / "criteria.jsonl"
    return bench.score("score_matching", str(_notes(bench, "criteria-dev", "trials.ndjson")), "--criteria", str(gold))


def _ranking(cohort: str) -> Callable[[Bench], Figures]:
    def run(bench: Bench) -> Figures:
        found = _notes(bench, "ranking-dev", "trials.ndjson.gz", "--explain", "none", "--workers", "2")
        gold = bench.data / "trials" / "ranking-dev" / "pairs.jsonl"
        return bench.score("score_ranking", str(gold), str(found), "--cohort", cohort)

    return run


def _spreadsheet(bench: Bench) -> Figures:
    out = bench.out / "zh-cde.ndjson"
    bench.fhirbridge("study", str(bench.data / "trials" / "zh-cde-dev" / "studies.csv"), "-o", str(out))
    studies = [json.loads(line) for line in out.read_text("utf-8").splitlines()] if out.exists() else []
    groups = [e["resource"] for s in studies for e in s["entry"] if e["resource"]["resourceType"] == "Group"]
    return {"studies": float(len(studies)), "criteria": float(sum(len(g.get("characteristic", [])) for g in groups))}


JOBS: dict[str, Callable[[Bench], Figures]] = {
    "gold-en-dev": _transcripts("gold-en-dev"),
    "gold-zh-dev": _transcripts("gold-zh-dev"),
    "mie-dev": _transcripts("mie-dev"),
    "consultations zh": _written("zh"),
    "consultations en": _written("en"),
    "labs/dev zh": _labs("dev", "rapidocr", "zh", "zh*.jpg"),
    "labs/dev en": _labs("dev", "rapidocr", "en", "en*.jpg"),
    "labs/dev zh tesseract": _labs("dev", "tesseract", "zh", "zh*.jpg"),
    "labs/dev en tesseract": _labs("dev", "tesseract", "en", "en*.jpg"),
    "synthetic-dev clean": _labs("synthetic-dev", "rapidocr", "clean", "*_clean.png"),
    "synthetic-dev photo": _labs("synthetic-dev", "rapidocr", "photo", "*_photo.jpg"),
    "chia-dev": _chia,
    "zh-cde-dev": _spreadsheet,
    "matching/dev": _matching,
    "criteria-dev": _criteria,
    "ranking-dev trec_2021": _ranking("trec_2021"),
    "ranking-dev sigir": _ranking("sigir"),
}


def main() -> int:
    """Run the jobs; 1 when a figure is below its floor, 0 otherwise and when there is no ../shared."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--only", nargs="+", choices=JOBS, metavar="NAME", default=list(JOBS))
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--keep", type=Path, help="keep the outputs in this directory")
    a = parser.parse_args()
    if not (a.shared / "eval").is_dir():
        print(f"no scorers at {a.shared}: nothing measured")
        return 0
    lines = PAGE.read_text("utf-8").splitlines()
    with tempfile.TemporaryDirectory() as beside:
        out = a.keep or Path(beside)
        out.mkdir(parents=True, exist_ok=True)
        below, lines = _measure(Bench(a.shared, out), a.only, lines)
    if a.write:
        PAGE.write_text("\n".join(lines) + "\n", "utf-8")
    for line in below:
        print(f"BELOW THE FLOOR: {line}")
    return 1 if below else 0


def _measure(bench: Bench, names: list[str], lines: list[str]) -> tuple[list[str], list[str]]:
    below: list[str] = []
    for name in names:
        started = time.monotonic()
        figures = JOBS[name](bench)
        print(f"{name}  ({time.monotonic() - started:.0f} s)", flush=True)
        for number, line in enumerate(lines):
            row = ROW.match(line)
            if not row or row["set"] != name:
                continue
            value = figures.get(row["figure"])
            shown = "none" if value is None else f"{value:.4f}".rstrip("0").rstrip(".")
            lines[number] = f"| {name} | {row['figure']} | {shown} | {row['floor']} | {row['target']} |"
            bad = _misses(value, row["floor"])
            mark = "   BELOW" if bad else ""
            print(f"    {row['figure']:28} {shown:>8}   floor {row['floor']:8} target {row['target']}{mark}")
            if bad:
                below.append(f"{name} {row['figure']}: {shown}, floor {row['floor']}")
    return below, lines


def _misses(value: float | None, floor: str) -> bool:
    found = re.fullmatch(r"(≥|≤) ?([\d.]+)", floor.strip())
    if not found:
        return False
    if value is None:
        return True
    return value < float(found[2]) - 1e-9 if found[1] == "≥" else value > float(found[2]) + 1e-9


if __name__ == "__main__":
    sys.exit(main())
