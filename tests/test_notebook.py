"""The notebook in docs answers its question when its code cells run one after the other."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("pandas")
ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = json.loads((ROOT / "docs" / "which_criterion_costs_most.ipynb").read_text("utf-8"))


def test_the_notebook_is_what_the_tool_makes_and_holds_no_outputs() -> None:
    assert runpy.run_path(str(ROOT / "tools" / "make_notebook.py"))["notebook"]() == NOTEBOOK


def test_the_notebook_says_which_criterion_costs_most(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    monkeypatch.chdir(tmp_path)
    space: dict[str, object] = {"__name__": "__main__"}
    for cell in NOTEBOOK["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), space)
    said = capsys.readouterr().out
    assert "Most patients are lost by: HbA1c between 7.5% and 10.5%" in said
    assert "Patient/p11" in said  # HbA1c was never measured
