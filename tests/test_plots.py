"""Figures: what they show is what the records say, without a screen, in both languages."""

from __future__ import annotations

import builtins
import copy
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import fhirbridge as fb
from fhirbridge.eligibility.matches import CriterionResult, Funnel, Match, Matches, funnel
from fhirbridge.fhir.record import Record

pytest.importorskip("matplotlib")
ROOT = Path(__file__).resolve().parent.parent


def _match(patient: str, *results: str, status: str = "undetermined") -> Match:
    texts = ("Age ≥ 18 years", "ECOG 0-1", "严重心力衰竭 costs $5")
    kinds = ("inclusion", "inclusion", "exclusion")
    criteria = tuple(CriterionResult(*row, "", ()) for row in zip(texts, kinds, results, strict=True))
    return Match(f"Patient/{patient}", "ResearchStudy/NCT1", "A study", 1, 0.5, status, {}, criteria)


def _funnel() -> Funnel:
    return funnel([
        _match("a", "met", "met", "not_met"),
        _match("b", "met", "not_met", "unknown"),
        _match("c", "not_met", "met", "met"),
        _match("d", "met", "unknown", "met"),
    ])  # type: ignore[arg-type]  # fmt: skip


def _matches() -> Matches:
    def row(patient: str, *statuses: str) -> dict[str, Any]:
        found = [
            {"study": f"ResearchStudy/NCT{n}", "title": "", "rank": 1, "score": 0.25 * n, "status": s, "parts": {}}
            for n, s in enumerate(statuses)
        ]
        return {"patient": f"Patient/{patient}", "as_of": "2026-01-01", "matches": found}

    rows = [row("a", "eligible", "excluded"), row("b", "undetermined", "excluded")]
    return Matches(lambda: iter(rows), (), date(2026, 1, 1))


def _lab(day: str, value: str, *, status: str = "final", unit: str = "mg/dL") -> Record:
    observation = {
        "resourceType": "Observation",
        "status": status,
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "2160-0"}], "text": "Creatinine"},
        "effectiveDateTime": day,
        "valueQuantity": {"value": value, "unit": unit, "code": unit},
        "referenceRange": [{"low": {"value": "0.50"}, "high": {"value": "1.10"}}],
    }
    return Record({"resourceType": "Bundle", "entry": [{"resource": observation}]})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_bars_of_a_funnel_are_the_patients_that_remain_and_are_lost(language: str, tmp_path: Path) -> None:
    axes = fb.plots.funnel(_funnel(), language=language)
    widths = [bar.get_width() for bar in axes.patches]
    assert widths[:4] == [4, 3, 2, 1]
    assert widths[4:] == [0, 1, 1, 1]
    assert "严重心力衰竭" in axes.get_yticklabels()[3].get_text()
    axes.figure.savefig(tmp_path / "funnel.png")
    assert (tmp_path / "funnel.png").stat().st_size > 5000


def test_a_funnel_marks_who_is_not_known() -> None:
    assert list(fb.plots.funnel(_funnel()).lines[0].get_xdata()) == [0, 1, 1]


def test_a_funnel_without_reasons_says_what_to_do() -> None:
    with pytest.raises(fb.EmptyInput, match="explain='all'"):
        fb.plots.funnel(Funnel("s", "t", 1, (), ()))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_heat_map_colours_each_pair_by_its_status(language: str, tmp_path: Path) -> None:
    axes = fb.plots.match_heatmap(_matches(), language=language)
    assert axes.images[0].get_array().tolist() == [[2, 0], [1, 0]]
    assert [t.get_text() for t in axes.texts] == ["0.00", "0.25", "0.00", "0.25"]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["a", "b"]
    axes.figure.savefig(tmp_path / "map.png")


def test_lab_trends_join_reports_by_code_and_keep_units_apart(tmp_path: Path) -> None:
    records = [_lab("2026-02-01", "0.9"), _lab("2026-01-01", "0.70"), _lab("2026-03-01", "80", unit="umol/L")]
    figure = fb.plots.lab_trends(records)
    assert [a.get_ylabel() for a in figure.axes if a.get_visible()] == ["mg/dL", "umol/L"]
    assert list(figure.axes[0].lines[0].get_ydata()) == [0.70, 0.9]
    figure.savefig(tmp_path / "labs.png")


def test_a_value_to_be_checked_is_hollow_and_an_undated_one_is_not_drawn() -> None:
    axes = fb.plots.lab_trends([_lab("2026-02-01", "0.9", status="preliminary"), _lab("2026", "5")]).axes[0]
    assert axes.lines[1].get_markerfacecolor() == "none"
    assert list(axes.lines[0].get_ydata()) == [0.9]


def test_lab_trends_of_a_photo_in_chinese(tmp_path: Path) -> None:
    record = fb.read_lab_report(ROOT / "fixtures/lab_reports/chemistry_zh/photo.jpg")
    figure = fb.plots.lab_trends(record, language="zh")
    dated = [o for o in record.resources("Observation") if "valueQuantity" in o and "effectiveDateTime" in o]
    assert len([a for a in figure.axes if a.get_visible()]) == len(dated) > 3
    figure.savefig(tmp_path / "labs.png")


def test_names_choose_the_analytes() -> None:
    other = copy.deepcopy(_lab("2026-01-01", "5"))
    other.json["entry"][0]["resource"]["code"] = {"text": "Urea"}
    figure = fb.plots.lab_trends([_lab("2026-01-01", "1"), other], names=["UREA"])
    assert [a.get_title() for a in figure.axes] == ["Urea"]
    with pytest.raises(fb.EmptyInput, match="no dated laboratory value"):
        fb.plots.lab_trends(other, names=["sodium"])


def test_axes_that_are_given_are_drawn_on() -> None:
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    assert fb.plots.funnel(_funnel(), axes=axes) is axes


def test_drawing_loads_no_window_system() -> None:
    code = "import sys, fhirbridge as fb; fb.plots; print([m for m in sys.modules if m.startswith('matplotlib')])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.strip() == "[]"


def test_without_matplotlib_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(fb.ConfigurationError, match=r"pip install 'fhirbridge\[plots\]'"):
        fb.plots.funnel(_funnel())


def test_a_polars_frame_keeps_the_digits_beside_words() -> None:
    polars = pytest.importorskip("polars")
    record = _lab("2026-01-01", "12.30")
    record.json["entry"] += _lab("2026-01-02", "5").json["entry"]
    for entry in record.json["entry"]:
        quantity = entry["resource"]["valueQuantity"]
        quantity["value"] = Decimal(quantity["value"])
    frame = record.to_frame(polars=True)
    assert isinstance(frame, polars.DataFrame)
    assert frame["value"].to_list() == ["12.30", "5"]
    assert frame["codes"].to_list() == [["http://loinc.org|2160-0"]] * 2
    assert list(frame.columns) == list(record.to_frame().columns)
    assert _matches().to_frame(polars=True)["status"].to_list() == list(_matches().to_frame()["status"])
    assert _funnel().to_frame(polars=True)["remaining"].to_list() == [3, 2, 1]


def test_a_study_that_was_read_is_matched_as_its_file_is() -> None:
    path = ROOT / "fixtures/trials/registry/studies.json"
    patients = ROOT / "fixtures/patients/bundle_en/bundle.json"
    read = list(fb.read_studies(path))
    day = date(2026, 11, 20)
    found, again = (fb.match(patients, studies, as_of=day).rows() for studies in (read, path))
    for row in (*found, *again):  # which record a study was read from is told, and differs
        del row["studies"]
        for match in row["matches"]:
            del match["fingerprint"]
    assert found == again
