"""What our commands write from the dev sets, checked by a validator that nobody here wrote: how much is invalid.

usage: python tools/validate_outputs.py [--shared DIR] [--only NAME ...] [--sample N] [--keep DIR]

Each set is read by the command line and its FHIR R4 goes through ../shared/eval/validate_fhir.mjs (Medplum's validator,
base R4 and every US Core, IPS and mCODE profile that a resource claims) and through our own check before sending, and
once more as R5 through the R5 check and the R5 models of fhir.resources. Needs Node 20 and the packages of
tools/node_packages.sh.
"""

from __future__ import annotations

import argparse
import gzip
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from fhir.resources.bundle import Bundle
from pydantic import ValidationError

from fhirbridge.fhir import bundles, validation
from fhirbridge.terminology import ucum

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "node_modules"
_PROFILES = ("hl7.fhir.us.core-610.tgz", "hl7.fhir.uv.ips-1.1.0.tgz", "mcode-4.0.0.tgz")
_RESULT = re.compile(r"^(\d+) resources, (\d+) invalid, (\d+) profile claims checked$", re.MULTILINE)


class Result(NamedTuple):
    """Resources of a set, those the independent validator found invalid, profile claims it checked, what it said."""

    resources: int
    invalid: int
    claims: int
    said: str


def why_not(shared: Path) -> str:
    """Why the independent validator cannot run here; "" if it can."""
    if not (shared / "eval" / "validate_fhir.mjs").exists():
        return "validate_fhir.mjs of ../shared is not here"
    if not shutil.which("node") or not (PACKAGES / "@medplum" / "definitions").is_dir():
        return "node or its packages are not here; tools/node_packages.sh installs them"
    return ""


class Validator:
    """`validate_fhir.mjs` and the profiles, laid out in a folder as it wants them."""

    def __init__(self, shared: Path, folder: Path) -> None:
        self.script = folder / "validate_fhir.mjs"
        self.profiles = folder / "profiles"
        self.script.write_bytes((shared / "eval" / "validate_fhir.mjs").read_bytes())
        (folder / "node_modules").symlink_to(PACKAGES)
        for name in _PROFILES:
            with tarfile.open(shared / "data" / "fhir" / name) as tar:
                tar.extractall(self.profiles / name, filter="data")

    def check(self, files: list[Path]) -> Result:
        """What it says of FHIR files."""
        command = ["node", "--max-old-space-size=3000", str(self.script), str(self.profiles), *map(str, files)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        found = _RESULT.search(run.stdout)
        if not found:
            raise SystemExit(f"the validator gave no result: {run.stderr[-800:]}")
        return Result(int(found[1]), int(found[2]), int(found[3]), run.stdout[: found.start()].strip())


def ours(files: list[Path], fhir_version: str = "R4") -> list[str]:
    """What our own check before sending finds, and for R5 the models of fhir.resources."""
    said = []
    for file in files:
        for bundle in bundles.read(file):
            for number, findings in validation.check_bundle(
                bundle, ucum=ucum.is_valid, fhir_version=fhir_version
            ).items():
                said.extend(f"{file.name} entry[{number}] {finding}" for finding in findings)
            if fhir_version == "R5":
                said.extend(_model_errors(file, bundle))
    return said


def _model_errors(file: Path, bundle: dict[str, Any]) -> Iterator[str]:
    try:
        Bundle.model_validate(bundle)
    except ValidationError as error:
        for item in error.errors()[:5]:
            yield f"{file.name} {'.'.join(map(str, item['loc']))}: {item['msg']}"


# -------------------------------------------------------------------------------------------------------------- sets


def _run(out: Path, *arguments: str) -> list[Path]:
    command = [sys.executable, "-m", "fhirbridge.cli", *arguments, "-o", f"{out}{'' if out.suffix else '/'}"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if run.returncode == 2:
        print(run.stderr[-2000:], file=sys.stderr)
    return [out] if out.suffix else sorted(out.glob("*.json"))


Job = Callable[[Path, Path, int, str], list[Path]]


def _texts(folder: str) -> Job:
    def run(data: Path, out: Path, sample: int, version: str) -> list[Path]:
        texts = sorted((data / folder).glob("*.txt"))
        chosen = texts[:: max(1, len(texts) // sample)]
        return _run(out, "transcript", *map(str, chosen), "--fhir-version", version)

    return run


def _photos(folder: str, pattern: str) -> Job:
    def run(data: Path, out: Path, sample: int, version: str) -> list[Path]:
        photos = sorted((data / folder).glob(pattern))
        chosen = photos[:: max(1, len(photos) // max(1, sample // 6))]
        return _run(out, "lab", *map(str, chosen), "--ocr", "rapidocr", "--fhir-version", version)

    return run


def _studies(*where: str) -> Job:
    def run(data: Path, out: Path, sample: int, version: str) -> list[Path]:
        return _run(out.with_suffix(".ndjson"), "study", str(data.joinpath(*where)), "--fhir-version", version)

    return run


def _chia(data: Path, out: Path, sample: int, version: str) -> list[Path]:
    records = out.with_name("chia-records.ndjson")
    script = str(data.parent / "eval" / "score_criteria.py")
    subprocess.run([sys.executable, script, "make", str(data / "trials/chia-dev"), str(records)], check=True)
    return _run(out.with_suffix(".ndjson"), "study", str(records), "--fhir-version", version)


def _registry(data: Path, out: Path, sample: int, version: str) -> list[Path]:
    records = out.with_name("ctgov-records.ndjson")
    with gzip.open(data / "trials/ctgov-35k.ndjson.gz", "rt", encoding="utf-8") as file:
        records.write_text("".join(islice(file, 0, None, max(1, 35_491 // (3 * sample)))), "utf-8")
    return _run(out.with_suffix(".ndjson"), "study", str(records), "--fhir-version", version)


def _matches(data: Path, out: Path, sample: int, version: str) -> list[Path]:
    where = data / "matching/dev"
    both = ("--patients", str(where / "patients"), "--studies", str(where / "trials"))
    return _run(out.with_suffix(".ndjson"), "match", *both, "--as-of", "2026-11-22", "--format", "fhir")


JOBS: dict[str, Job] = {
    "gold-en-dev": _texts("transcripts/gold-en-dev"),
    "gold-zh-dev": _texts("transcripts/gold-zh-dev"),
    "mie-dev": _texts("transcripts/mie-dev"),
    "aci-bench-train": _texts("transcripts/aci-bench-train"),
    "criteria-dev notes": _texts("trials/criteria-dev/notes"),
    "labs/dev": _photos("labs/dev", "*.jpg"),
    "synthetic-dev": _photos("labs/synthetic-dev", "*_clean.png"),
    "chia-dev": _chia,
    "matching/dev trials": _studies("matching", "dev", "trials"),
    "matching/dev matches": _matches,
    "zh-cde-dev": _studies("trials", "zh-cde-dev", "studies.csv"),
    "ctgov-35k": _registry,
    "ChiCTR": _studies("trials", "ChiCTR2000034346.xml"),
}


def main() -> int:
    """Print a line a set and what is invalid in it; 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--only", nargs="+", choices=JOBS, metavar="NAME", default=list(JOBS))
    parser.add_argument(
        "--sample", type=int, default=60, help="texts a set; a sixth of it photos, three times it trials"
    )
    parser.add_argument("--r5", action="store_true", help="check what is written as R5, too")
    parser.add_argument("--keep", type=Path, help="keep the outputs in this directory")
    a = parser.parse_args()
    if reason := why_not(a.shared):
        print(f"nothing validated: {reason}")
        return 0
    bad = 0
    with tempfile.TemporaryDirectory() as beside:
        (Path(beside) / "validator").mkdir()
        validator = Validator(a.shared, Path(beside) / "validator")
        for name in a.only:
            out = (a.keep or Path(beside)) / re.sub(r"\W+", "-", name)
            out.parent.mkdir(parents=True, exist_ok=True)
            bad += _report(name, out, a, validator)
    return 1 if bad else 0


def _report(name: str, out: Path, a: argparse.Namespace, validator: Validator) -> int:
    data = a.shared / "data"
    files = JOBS[name](data, out, a.sample, "R4")
    theirs, own = validator.check(files), ours(files)
    told = f"{theirs.resources:,} resources, {theirs.invalid} invalid, {theirs.claims:,} profile claims"
    found = [theirs.said, *own[:10]] if theirs.invalid or own else []
    if a.r5 and name != "matching/dev matches":
        newer = ours(JOBS[name](data, out.with_name(f"{out.name}-r5"), a.sample, "R5"), "R5")
        told += f"; as R5 {len(newer)} findings"
        found += newer[:10]
        own = own + newer
    print(f"{name:22} {told}; our own check: {len(own)} findings", flush=True)
    for text in found:
        print("".join(f"    {line}\n" for line in text.splitlines()[:12]), end="")
    return theirs.invalid + len(own)


if __name__ == "__main__":
    sys.exit(main())
