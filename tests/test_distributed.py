"""Spark on this machine gives the bytes that one process gives."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fhirbridge import distributed
from fhirbridge.cli import main
from fhirbridge.errors import ConfigurationError

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
STUDIES = FIXTURES / "trials" / "registry" / "studies.json"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_spark_and_one_process_write_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark", reason="pyspark is not installed; pip install '.[spark]'")
    if shutil.which("java") is None:
        pytest.skip("no Java here; Spark needs Java 17")
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--master local[2] --conf spark.ui.enabled=false pyspark-shell")
    bundle = (FIXTURES / "patients" / "bundle_en" / "bundle.json").read_text("utf-8")
    patients = tmp_path / "patients.ndjson"
    lines = [json.dumps(json.loads(bundle.replace("ehr-1", f"p{n}"))) for n in range(9)]
    patients.write_text("\n".join([*lines[:4], "{broken", *lines[4:]]) + "\n")
    common = ["match", "--patients", str(patients), "--studies", str(STUDIES), "--as-of", "2026-11-22", "--top", "4"]
    assert main([*common, "-o", str(tmp_path / "local.ndjson")]) == 1
    assert main([*common, "--engine", "spark", "-o", str(tmp_path / "spark.ndjson")]) == 1
    local, spark = ((tmp_path / f"{n}.ndjson").read_bytes() for n in ("local", "spark"))
    assert len(local.splitlines()) == 9
    assert spark == local


def test_a_path_that_is_not_ndjson_is_said() -> None:
    pytest.importorskip("pyspark", reason="pyspark is not installed; pip install '.[spark]'")
    with pytest.raises(ConfigurationError, match="one Bundle a line"):
        next(iter(distributed.match(["patients.json"], None)))  # type: ignore[arg-type]
