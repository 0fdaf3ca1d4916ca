"""The house stands: stages import downwards only, every folder has a purpose, importing it costs nothing."""

from __future__ import annotations

import ast
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "fhirbridge"
STAGES = {
    "ocr": "photo -> words",
    "registries": "file -> trial",
    "extract": "words, turns, trials -> results, facts, criteria",
    "terminology": "text -> code",
    "fhir": "records <-> FHIR",
    "eligibility": "facts + criteria -> judgement",
    "notify": "judgement -> people",
    "review": "people -> records",
    "agents": "fhirbridge for agents",
}
SHARED = {"records", "errors", "languages", "choices"}
# what the command line is made of
OUTER = {"arguments", "cli", "distributed", "pipeline", "demo", "files", "language_model", "progress", "parallel"}
# JSON with its digits and whole files, rows as DataFrames: below every stage
EVERYONE_MAY = ("fhirbridge.fhir.lossless", "fhirbridge.frames")
# the grammar of units is asked for every Quantity that is checked before it is sent
ALSO = {"fhir": ("fhirbridge.terminology.ucum",)}
# The night run, the review page and the agents' server are faces of the library, as cli.py is: they call the pipeline.
FACES = {"review", "agents", "notify"}
BANNED = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "handlers", "processors", "services"}


def _modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield ".".join(("fhirbridge", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"), path


def _imports(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text("utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(("name", "path"), list(_modules()), ids=[name for name, _ in _modules()])
def test_a_stage_imports_only_itself_and_what_is_shared(name: str, path: Path) -> None:
    parts = name.split(".")
    stage = parts[1] if len(parts) > 1 else ""
    if stage not in STAGES:
        return
    allowed = {stage, *SHARED} | ({"pipeline", "files", "progress", "fhir"} if stage in FACES else set())
    for imported in _imports(path):
        if not imported.startswith("fhirbridge.") or imported.startswith((*EVERYONE_MAY, *ALSO.get(stage, ()))):
            continue
        target = imported.split(".")[1]
        assert target in allowed or target == "__version__", (
            f"{name} imports {imported}: a stage knows nothing of its neighbours; let pipeline.py hand it over"
        )


def test_every_folder_has_a_purpose() -> None:
    folders = {p.name for p in PACKAGE.iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert folders == {*STAGES, "languages", "records"}


def test_no_module_is_named_for_no_purpose() -> None:
    named = {path.stem for _, path in _modules()} | {p.name for p in PACKAGE.rglob("*") if p.is_dir()}
    assert not named & BANNED


def test_root_modules_are_the_known_ones() -> None:
    roots = {p.stem for p in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert roots <= OUTER | {"records", "errors", "choices", "frames", "plots"}


def test_only_the_command_line_catches_everything() -> None:
    for name, path in _modules():
        if name == "fhirbridge.cli":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "everything"
                assert caught not in ("everything", "Exception"), f"{name}:{node.lineno} catches {caught}"


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, fhirbridge; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    loaded = set(run.stdout.split())
    assert "fhirbridge" in loaded
    assert not loaded & {"spacy", "medspacy", "cv2", "numpy", "fhir", "pydantic", "requests", "rapidocr", "onnxruntime"}


def test_importing_the_package_adds_no_log_handler() -> None:
    code = "import logging, fhirbridge; print(len(logging.getLogger().handlers), logging.getLogger().level)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert run.stdout.split() == ["0", str(logging.WARNING)]
