"""docs/which_criterion_costs_most.ipynb from the cells below, without outputs: `python tools/make_notebook.py`.

A notebook is JSON that nobody reviews with pleasure; these are its words. tests/test_notebook.py holds both together
and runs the code.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "docs" / "which_criterion_costs_most.ipynb"

CELLS = (
    (
        "markdown",
        """
# Which criterion costs us most patients?

A study recruits slowly. Is it the HbA1c window, the kidney criterion or the age? fhirbridge judges every patient against every criterion, so the question has an answer for each criterion: how many does it exclude, how many does it alone exclude, and for how many does the record not tell.

`pip install 'fhirbridge[dataframe,plots]'`; run it from the root of the repository, where `fixtures/` is. The patients are made up.
""",
    ),
    (
        "code",
        """
from datetime import date

import fhirbridge as fb

TODAY = date(2026, 11, 20)
study = next(s for s in fb.read_studies("fixtures/trials/registry/studies.json") if "NCT99000006" in s.to_json())
print(next(study.resources("ResearchStudy"))["title"])
""",
    ),
    (
        "markdown",
        """
## The patients

In your clinic: a folder of Bundles, or `fb.FHIRServer(url)`. Here a dozen, from a table: birth year, HbA1c (%), eGFR (mL/min/1.73 m2) and body mass index, each None where it was never measured; and whether metformin is taken.
""",
    ),
    (
        "code",
        """
TABLE = [
    (1961, "8.1", "92", "31.0", True), (1975, "7.2", "88", "27.5", True), (1948, "9.0", "61", "29.1", True),
    (1969, "8.8", "41", "33.2", True), (1982, "11.4", "101", "36.0", True), (1958, "7.9", "38", None, True),
    (1971, "6.9", "95", "26.4", False), (1966, "8.3", None, "30.3", True), (1979, "7.4", "84", "28.8", True),
    (1955, "7.1", "77", "25.2", True), (1963, "9.6", "90", "47.5", True), (1990, None, "110", "32.9", True),
]


def lab(loinc, name, value, unit):
    code = {"coding": [{"system": "http://loinc.org", "code": loinc}], "text": name}
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return {"resourceType": "Observation", "status": "final", "code": code, "valueQuantity": quantity,
            "effectiveDateTime": "2026-11-02"}


def patient(number, born, hba1c, egfr, bmi, metformin):
    diabetes = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}],
                "text": "type 2 diabetes mellitus"}
    active = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}
    found = [
        {"resourceType": "Patient", "id": f"p{number:02}", "birthDate": f"{born}-06-15", "gender": "female"},
        {"resourceType": "Condition", "code": diabetes, "clinicalStatus": active, "onsetDateTime": "2018"},
    ]
    if metformin:
        found.append({"resourceType": "MedicationStatement", "status": "active",
                      "medicationCodeableConcept": {"text": "metformin"}, "effectivePeriod": {"start": "2019-01-10"}})
    found += [lab("4548-4", "HbA1c", hba1c, "%")] if hba1c else []
    found += [lab("33914-3", "eGFR", egfr, "mL/min/{1.73_m2}")] if egfr else []
    found += [lab("39156-5", "BMI", bmi, "kg/m2")] if bmi else []
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in found]}


patients = [patient(n, *row) for n, row in enumerate(TABLE)]
""",
    ),
    (
        "markdown",
        """
## The funnel

Criterion by criterion, in the order of the study. `unknown` is no loss: nobody is left out because a record is silent.
""",
    ),
    (
        "code",
        """
funnel = fb.funnel(patients, study, as_of=TODAY)
steps = funnel.to_frame()
print(steps[["kind", "text", "met", "not_met", "unknown", "remaining"]].to_string())
axes = fb.plots.funnel(funnel)
""",
    ),
    (
        "markdown",
        """
## The answer

The order of a funnel hides something: a patient that fails two criteria is counted at the first. So count both: whom a criterion excludes at all, and whom it alone excludes. These alone would join if it were relaxed.
""",
    ),
    (
        "code",
        """
import pandas as pd


def excluded_by(match):
    wrong = {"inclusion": "not_met", "exclusion": "met"}
    return [c.text for c in match.criteria if c.result == wrong[c.kind]]


excludes = pd.Series([text for m in funnel.ranked for text in excluded_by(m)]).value_counts()
alone = pd.Series([found[0] for m in funnel.ranked if len(found := excluded_by(m)) == 1]).value_counts()
cost = pd.DataFrame({"excludes": excludes, "excludes alone": alone}).fillna(0).astype(int)
cost = cost.sort_values(["excludes alone", "excludes"], ascending=False)
print(cost.to_string())
print(f"Most patients are lost by: {cost.index[0]}")
""",
    ),
    (
        "markdown",
        """
## What is cheaper than to relax a criterion: to measure

For these patients one missing fact decides.
""",
    ),
    (
        "code",
        """
matches = fb.match(patients, study, as_of=TODAY)
settle = matches.to_frame()[["patient", "status", "would_settle"]]
print(settle[settle["would_settle"] != ""].to_string(index=False))
axes = fb.plots.match_heatmap(matches)
""",
    ),
)


def notebook() -> dict[str, Any]:
    """The notebook as JSON; ids are the cells' places, so that the same words give the same file."""
    cells: list[dict[str, Any]] = []
    for number, (kind, text) in enumerate(CELLS):
        cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}}
        cell["source"] = text.strip("\n").splitlines(keepends=True)
        cells.append(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


if __name__ == "__main__":
    TARGET.write_text(json.dumps(notebook(), ensure_ascii=False, indent=1) + "\n", "utf-8")
