"""The command line: bad input is one clear line, the rest is done, and the exit codes are those of the contract."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from fhirbridge.cli import main

VISIT = "Doctor: Any chest pain?\nPatient: No.\n"
FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
STUDIES = FIXTURES / "trials" / "registry" / "studies.json"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.txt"
    path.write_text(VISIT)
    return path


def _line(capsys: pytest.CaptureFixture[str], name: str) -> str:
    lines = [line for line in capsys.readouterr().err.splitlines() if name in line]
    assert len(lines) == 1, lines
    assert "Traceback" not in lines[0]
    return lines[0]


def test_a_missing_file_is_named_and_the_rest_is_done(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["transcript", str(tmp_path / "gone.txt"), str(good), "-o", f"{out}/"]) == 1
    assert "no such file; check the path" in _line(capsys, "gone.txt")
    assert [p.name for p in out.iterdir()] == ["good.json"]


def test_nothing_done_is_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transcript", str(tmp_path / "gone.txt")]) == 2
    _line(capsys, "gone.txt")


@pytest.mark.parametrize(
    ("command", "name", "content"),
    [
        ("transcript", "empty.txt", b""),
        ("transcript", "binary.txt", bytes(range(256)) * 20),
        ("lab", "empty.png", b""),
        ("lab", "text.png", b"this is no picture"),
        ("lab", "cut.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\x00" * 40),
        ("lab", "broken.pdf", b"%PDF-1.7 nothing more"),
        ("study", "cut.json", b'{"protocolSection": {"identificationModule": {"nctId": "NCT0'),
        ("study", "empty.json", b""),
        ("study", "other.json", b'{"hello": "world"}'),
        ("study", "broken.xml", b"<clinical_study><brief_title>"),
        ("study", "no.csv", b"a,b\n1,2\n"),
    ],
)
def test_an_input_that_cannot_be_used_is_one_clear_line(
    command: str, name: str, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert main([command, str(path), "-o", str(tmp_path / "out.ndjson")]) == 2
    line = _line(capsys, name)
    assert "unexpected" not in line
    assert not (tmp_path / "out.ndjson").exists()


def test_a_trial_without_eligibility_text_is_told_and_kept_or_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = json.loads(STUDIES.read_text("utf-8"))["studies"][:2]
    del records[0]["protocolSection"]["eligibilityModule"]["eligibilityCriteria"]
    path = tmp_path / "two.json"
    path.write_text(json.dumps(records))
    assert main(["study", str(path), "-o", str(tmp_path / "out.ndjson")]) in (0, 1)
    lines = (tmp_path / "out.ndjson").read_text("utf-8").splitlines()
    told = capsys.readouterr().err
    assert "NCT99000002" in lines[-1]
    assert len(lines) == 2 or "NCT99000001" in told


def test_an_unknown_language_is_a_usage_error(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["transcript", str(good), "--language", "tlh"])
    assert stop.value.code == 2
    assert "invalid choice: 'tlh'" in capsys.readouterr().err


def test_an_unknown_ocr_engine_names_the_known_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", str(tmp_path / "x.png"), "--ocr", "glasses"]) == 2
    assert "choose one of" in capsys.readouterr().err


def test_no_out_is_standard_output_one_bundle_a_line(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transcript", str(good)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["resourceType"] == "Bundle"


def test_one_json_takes_one_result(good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.txt"
    other.write_text(VISIT)
    assert main(["transcript", str(good), str(other), "-o", str(tmp_path / "x.json")]) != 0
    assert "use .ndjson or a directory" in capsys.readouterr().err


def test_an_out_of_unknown_kind_is_said(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transcript", str(good), "-o", "bundles.txt"]) == 2
    assert "end it in / for a directory" in capsys.readouterr().err


def test_globs_directories_and_gz(tmp_path: Path) -> None:
    records = json.loads(STUDIES.read_text("utf-8"))["studies"]
    folder = tmp_path / "in"
    folder.mkdir()
    with gzip.open(folder / "a.ndjson.gz", "wt") as file:
        file.writelines(json.dumps(r) + "\n" for r in records[:3])
    (folder / "b.json").write_text(json.dumps(records[3]))
    for given in (str(folder), f"{folder}/*.*"):
        out = tmp_path / "out.ndjson"
        assert main(["study", given, "-o", str(out)]) == 0
        assert len(out.read_text("utf-8").splitlines()) == 4


def test_a_match_says_which_input_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["match", "--patients", str(tmp_path / "none"), "--studies", str(STUDIES)]) == 2
    assert "no such file" in capsys.readouterr().err


def test_a_date_that_is_none_is_a_usage_error(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["transcript", str(good), "--date", "tomorrow"])
    assert "write YYYY-MM-DD" in capsys.readouterr().err


def test_patients_words_are_not_in_an_unexpected_error(
    good: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from fhirbridge import pipeline

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("chest pain of Mr Smith")

    monkeypatch.setattr(pipeline, "read_transcript", broken)
    assert main(["transcript", str(good)]) == 2
    told = capsys.readouterr().err
    assert "unexpected RuntimeError" in told
    assert "Smith" not in told
