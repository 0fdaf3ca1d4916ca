"""Registry files of every kind are read record by record; bad ones say what and where, and the rest is done."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from fhirbridge import registries
from fhirbridge.errors import EmptyInput, InputError, MissingInput, UnreadableInput
from fhirbridge.records import LeftOut, Trial


def _study(number: int, text: str = "Inclusion Criteria:\n\n* Asthma", **rules: Any) -> dict[str, Any]:
    return {
        "protocolSection": {
            "identificationModule": {"nctId": f"NCT{number:08}", "briefTitle": f"Study {number}"},
            "eligibilityModule": {"eligibilityCriteria": text, **rules},
        }
    }


def _read(path: Path) -> tuple[list[Trial], list[LeftOut]]:
    found = list(registries.read(path))
    return [t for t in found if isinstance(t, Trial)], [t for t in found if isinstance(t, LeftOut)]


def _write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


# ------------------------------------------------------------------------------------------------ ClinicalTrials.gov


@pytest.mark.parametrize("shape", ["one", "list", "page", "lines", "pretty list", "pretty one after another"])
@pytest.mark.parametrize("packed", [False, True])
def test_every_shape_of_clinicaltrials_gov_json(tmp_path: Path, shape: str, packed: bool) -> None:
    studies = [_study(n, 'Tricky: "quoted \\" }] and { [', sex="FEMALE", minimumAge="18 Years") for n in range(1, 4)]
    text = {
        "one": json.dumps(studies[0]),
        "list": json.dumps(studies),
        "page": json.dumps({"totalCount": 3, "nextPageToken": "x", "studies": studies}),
        "lines": "\n".join(map(json.dumps, studies)),
        "pretty list": json.dumps(studies, indent=2),
        "pretty one after another": "\n".join(json.dumps(s, indent=2) for s in studies),
    }[shape]
    path = tmp_path / "studies.json"
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    trials, left_out = _read(path)
    assert not left_out
    assert [t.id for t in trials] == [f"NCT{n:08}" for n in range(1, 2 if shape == "one" else 4)]
    assert trials[0].sex == "female" and trials[0].minimum_age is not None and trials[0].minimum_age.ucum == "a"


def test_a_damaged_line_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    lines = [json.dumps(_study(1)), '{"protocolSection": {"ident', json.dumps({"other": 1}), json.dumps(_study(2))]
    trials, left_out = _read(_write(tmp_path / "s.ndjson", "\n".join(lines)))
    assert [t.id for t in trials] == ["NCT00000001", "NCT00000002"]
    assert [("line 2" in o.source, "line 3" in o.source) for o in left_out] == [(True, False), (False, True)]


def test_a_truncated_list_gives_what_came_before_and_says_so(tmp_path: Path) -> None:
    path = _write(tmp_path / "s.json", json.dumps([_study(1), _study(2)])[:-30])
    reader = registries.read(path)
    first = next(reader)
    assert isinstance(first, Trial) and first.id == "NCT00000001"
    with pytest.raises(UnreadableInput, match="ends in the middle"):
        list(reader)


def test_a_large_list_is_read_in_bounded_memory(tmp_path: Path) -> None:
    filler = "x" * 20_000
    path = _write(tmp_path / "big.json", json.dumps({"studies": [_study(n, filler) for n in range(1, 1200)]}))
    assert path.stat().st_size > 20_000_000
    tracemalloc.start()
    count = sum(1 for _ in registries.read(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 1199
    assert peak < 12_000_000


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"text": ""}, "no eligibility text"),
        ({"text": "Inclusion Criteria:<br><li>Age &gt;= 18</li>"}, "HTML in the eligibility text"),
        ({"text": "Age â‰¥ 18 years"}, "decoded wrongly"),
        ({"text": "Age\ufffd 18 years"}, "decoded wrongly"),
        ({"text": "Asthma " * 30_000}, "a line of more than"),
        ({"minimumAge": "70 Years", "maximumAge": "18 Years"}, "minimum age is above the maximum age"),
        ({"minimumAge": "18 Moons"}, "unknown unit of the minimum age: Moons"),
    ],
)
def test_what_is_doubtful_in_a_record_is_said_and_the_record_read(
    tmp_path: Path, rules: dict[str, str], reason: str
) -> None:
    text = rules.pop("text", "Asthma")
    trials, _ = _read(_write(tmp_path / "s.json", json.dumps(_study(1, text, **rules))))
    assert trials[0].eligibility_text == text
    assert any(reason in o.reason and o.reason.startswith("NCT00000001") for o in trials[0].left_out)


def test_contradictory_ages_are_not_used(tmp_path: Path) -> None:
    path = _write(tmp_path / "s.json", json.dumps(_study(1, minimumAge="70 Years", maximumAge="18 Years")))
    assert registries.one(path).minimum_age is None and registries.one(path).maximum_age is None


# ------------------------------------------------------------------------------------------------------------- XML

LEGACY = """<?xml version="1.0" encoding="UTF-8"?>
<clinical_study rank="1">
  <id_info><org_study_id>ORG-1</org_study_id><nct_id>NCT00000007</nct_id></id_info>
  <brief_title>A legacy record</brief_title>
  <sponsors><lead_sponsor><agency>Some sponsor</agency></lead_sponsor></sponsors>
  <overall_status>Recruiting</overall_status><start_date>March 3, 2019</start_date>
  <phase>Phase 1/Phase 2</phase><condition>Asthma</condition>
  <intervention><intervention_type>Drug</intervention_type><intervention_name>Budesonide</intervention_name></intervention>
  <eligibility><criteria><textblock>
        Inclusion Criteria:

          -  Asthma &gt; 6 months
  </textblock></criteria><gender>Female</gender><minimum_age>6 Years</minimum_age><maximum_age>N/A</maximum_age>
  <healthy_volunteers>No</healthy_volunteers></eligibility>
  <location><facility><name>Clinic</name><address><city>Town</city><country>Land</country></address></facility></location>
</clinical_study>"""


def test_legacy_xml_fills_every_field(tmp_path: Path) -> None:
    trial = registries.one(_write(tmp_path / "NCT7.xml", LEGACY))
    assert (trial.id, trial.phase, trial.status, trial.sex) == ("NCT00000007", "phase-1-phase-2", "active", "female")
    assert "Asthma > 6 months" in trial.eligibility_text
    assert trial.minimum_age is not None and trial.maximum_age is None and trial.healthy_volunteers is False
    assert (trial.start, trial.sponsor, trial.interventions) == ("2019-03-03", "Some sponsor", ("Drug: Budesonide",))
    assert (trial.sites, trial.other_ids) == (("Clinic, Town, Land",), ("ORG-1",))


ICTRP = """<?xml version="1.0" encoding="UTF-8"?>
<trials><Triall><main><trial_id>ChiCTR1</trial_id><public_title>哮喘研究</public_title>
<recruitment_status>Recruiting</recruitment_status><hc_freetext>哮喘</hc_freetext></main>
<criteria><inclusion_criteria>1.哮喘患者；2.年龄18岁以上</inclusion_criteria><agemin>18</agemin><agemax>75</agemax>
<gender>Male</gender><exclusion_criteria>妊娠</exclusion_criteria></criteria></Triall>
<Triall><main><trial_id/></main></Triall></trials>"""


def test_ictrp_xml_keeps_its_two_sides_apart(tmp_path: Path) -> None:
    trials, left_out = _read(_write(tmp_path / "c.xml", ICTRP))
    (trial,) = trials
    assert trial.eligibility_text == "入选标准：\n\n1.哮喘患者；2.年龄18岁以上\n\n排除标准：\n\n妊娠"
    assert (trial.sex, trial.language, trial.exclusion_text) == ("male", "zh", "妊娠")
    assert [o.reason for o in left_out] == ["no trial_id"]


@pytest.mark.parametrize(
    "entity",
    ['<!ENTITY x SYSTEM "file:///etc/hostname">', '<!ENTITY x "xxxxxxxxxx">', '<!ENTITY % x SYSTEM "http://h/x"> %x;'],
)
def test_xml_entities_are_never_resolved(tmp_path: Path, entity: str) -> None:
    text = ICTRP.replace("<trials>", f"<!DOCTYPE trials [{entity}]><trials>").replace("妊娠", "&x;妊娠")
    with pytest.raises(UnreadableInput, match="never resolved"):
        list(registries.read(_write(tmp_path / "c.xml", text)))


def test_broken_xml_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="not valid XML at line"):
        list(registries.read(_write(tmp_path / "c.xml", ICTRP[:-40])))


# ----------------------------------------------------------------------------------------------------- spreadsheets

CHINESE = """编号,试验状态,适应症,年龄,性别,入选标准,排除标准
CTR1,招募中,哮喘,18岁(最小年龄)至75岁(最大年龄),女,1哮喘；2成人,1妊娠
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_chinese_list_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(CHINESE.encode(encoding))
    trial = registries.one(path)
    assert (trial.id, trial.sex, trial.status, trial.conditions) == ("CTR1", "female", "active", ("哮喘",))
    assert trial.minimum_age is not None and trial.minimum_age.value == 18
    assert trial.maximum_age is not None and trial.maximum_age.value == 75


def test_an_english_workbook_whose_headings_stand_below_a_title(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["Trials of our department", None, None, None],
        ["Trial ID", "Title", "Inclusion Criteria", "Exclusion Criteria"],
        ["T-1", "First", "Asthma", "Pregnancy"],
        [None, "No number", "Asthma", None],
        ["T-1", "Again", "Asthma", None],
    ):
        sheet.append(row)
    book.save(tmp_path / "list.xlsx")
    trials, left_out = _read(tmp_path / "list.xlsx")
    assert [t.title for t in trials] == ["First", "Again"]
    assert ["row 4" in left_out[0].source, "row 5" in left_out[1].source] == [True, True]


@pytest.mark.parametrize(
    ("headings", "missing"),
    [
        ("Trial ID,Title,Sponsor", "a column for the criteria"),
        ("Title,Inclusion Criteria,Exclusion Criteria", "a column for the trial's number"),
        ("Trials 2024,,,", "merged cells"),
    ],
)
def test_missing_or_merged_headings_are_a_clear_error(tmp_path: Path, headings: str, missing: str) -> None:
    with pytest.raises(UnreadableInput, match=missing):
        list(registries.read(_write(tmp_path / "list.csv", headings + "\nT-1,x,y,z\n")))


# ------------------------------------------------------------------------------------------------------------- FHIR


def test_foreign_coded_characteristics_become_words(tmp_path: Path) -> None:
    haemoglobin = {"coding": [{"system": "http://loinc.org", "code": "718-7", "display": "Hemoglobin"}]}
    disease = {"coding": [{"system": "http://snomed.info/sct", "code": "64572001", "display": "Disease"}]}
    group = {
        "resourceType": "Group",
        "id": "g1",
        "type": "person",
        "actual": False,
        "characteristic": [
            {"code": haemoglobin, "valueQuantity": {"value": 9, "comparator": ">", "unit": "g/dL"}, "exclude": False},
            {"code": disease, "valueCodeableConcept": {"text": "Asthma"}, "exclude": True},
            {"code": {}, "valueBoolean": True, "exclude": False},
        ],
    }
    trial = registries.one(_write(tmp_path / "g.json", json.dumps(group)))
    assert trial.eligibility_text == "Inclusion Criteria:\n\n* Hemoglobin > 9 g/dL\n\nExclusion Criteria:\n\n* Asthma"
    assert [o.source for o in trial.left_out] == ["Group.characteristic[2]"]


def test_words_beside_the_reference_are_the_criteria(tmp_path: Path) -> None:
    study = {
        "resourceType": "ResearchStudy",
        "identifier": [{"value": "NCT00000009"}],
        "status": "active",
        "enrollment": [{"reference": "#g", "display": "Inclusion Criteria:\n\n* Asthma"}],
        "contained": [{"resourceType": "Group", "id": "g", "type": "person", "actual": False}],
    }
    trial = registries.one(_write(tmp_path / "s.json", json.dumps(study)))
    assert (trial.id, trial.eligibility_text) == ("NCT00000009", "Inclusion Criteria:\n\n* Asthma")


# ------------------------------------------------------------------------------------------------------- any registry


def test_what_is_no_registry_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingInput):
        list(registries.read(tmp_path / "none.json"))
    with pytest.raises(EmptyInput):
        list(registries.read(_write(tmp_path / "empty.json", "")))
    with pytest.raises(UnreadableInput, match="no registry recognises it"):
        list(registries.read(_write(tmp_path / "odd.json", '{"a": 1}')))
    damaged = tmp_path / "s.json.gz"
    damaged.write_bytes(gzip.compress(json.dumps([_study(1)]).encode())[:-12])
    with pytest.raises(UnreadableInput, match="complete"):
        list(registries.read(damaged))


def test_one_refuses_two(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="more than one trial"):
        registries.one(_write(tmp_path / "s.json", json.dumps([_study(1), _study(2)])))
