"""A user's own terminologies: read as they are published, found in text, and refused with a reason."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest

from fhirbridge import choices
from fhirbridge.errors import ConfigurationError, EmptyInput, MissingInput, UnreadableInput
from fhirbridge.records import Coding
from fhirbridge.terminology import lexicon

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"


def rrf(code: str, name: str, tty: str = "IN", source: str = "RXNORM", suppressed: str = "N") -> str:
    return f"{code}|ENG||||||1|||{''}|{source}|{tty}|{code}|{name}||{suppressed}|4096|"


RXNCONSO = "\n".join(
    [
        rrf("6809", "metformin"),
        rrf("6809", "metformina", "SY"),
        rrf("99", "suppressed drug", suppressed="O"),
        rrf("98", "foreign", source="MTHSPL"),
        rrf("424242", "Unheardofmab"),
    ]
)
HEAD = "id\teffectiveTime\tactive\tmoduleId\tconceptId\tlanguageCode\ttypeId\tterm\tcaseSignificanceId"
FSN, SYNONYM = "900000000000003001", "900000000000013009"
RF2 = "\n".join(
    [
        HEAD,
        f"1\t20250101\t1\tm\t38341003\ten\t{FSN}\tHypertensive disorder (disorder)\tc",
        f"2\t20250101\t1\tm\t38341003\ten\t{SYNONYM}\tTensional overload\tc",
        f"3\t20240101\t1\tm\t38341003\ten\t{SYNONYM}\tObsolete overload\tc",
        f"3\t20250101\t0\tm\t38341003\ten\t{SYNONYM}\tObsolete overload\tc",
        f"4\t20250101\t1\tm\t990001\ten\t{FSN}\tGlobbing of flarn (procedure)\tc",
        f"5\t20250101\t1\tm\t990001\tzh\t{SYNONYM}\t弗拉恩术\tc",
    ]
)


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_rxnorm_codes_join_the_medicines_that_are_known(tmp_path: Path) -> None:
    write(tmp_path / "RXNCONSO.RRF", RXNCONSO)
    own = choices.module("terminology", "rxnorm").create(tmp_path)
    assert own.display("6809") == "metformin"
    assert own.display("99") is None
    assert own.find("Metformina") == (Coding(RXNORM, "6809", "metformin"),)
    words = lexicon.load([own])
    known = words.find("二甲双胍")
    assert known is not None
    assert known.key == "metformin"
    assert Coding(RXNORM, "6809", "metformin") in known.concept.codings
    assert words.is_a(known, "antidiabetic agent")
    new = words.find("unheardofmab")
    assert new is not None
    assert new.kind == "medication"
    assert [h.entry.key for h in words.scan("on unheardofmab now")] == ["rxnorm:424242"]
    assert lexicon.load().find("unheardofmab") is None, "the shipped lexicon must stay what it is"


@pytest.mark.parametrize("packed", [False, True])
def test_snomed_rf2_gives_synonyms_kinds_and_chinese_names(tmp_path: Path, packed: bool) -> None:
    folder = tmp_path / "Snapshot" / "Terminology"
    folder.mkdir(parents=True)
    file = write(folder / "sct2_Description_Snapshot-en_INT_20250101.txt", RF2)
    source = tmp_path
    if packed:
        source = tmp_path / "release.zip"
        with zipfile.ZipFile(source, "w") as archive:
            archive.write(file, "SnomedCT/Snapshot/Terminology/" + file.name)
    own = choices.module("terminology", "snomed").create(source)
    assert own.display("38341003") == "Hypertensive disorder"
    assert own.find("obsolete overload") == ()
    words = lexicon.load([own])
    overload, procedure = words.find("tensional overload"), words.find("弗拉恩术")
    assert overload is not None
    assert procedure is not None
    assert (procedure.kind, procedure.concept.codings) == (
        "procedure",
        (Coding(SNOMED, "990001", "Globbing of flarn"),),
    )


def test_the_shipped_snomed_and_icd10cm_need_no_file() -> None:
    snomed, icd = choices.module("terminology", "snomed").create(), choices.module("terminology", "icd10cm").create()
    assert snomed.display("716186003") == "No known allergy"
    assert icd.display("I10") == "Essential (primary) hypertension"
    assert icd.find("essential (primary) hypertension")[0].code == "I10"
    with pytest.raises(ConfigurationError, match="table=PATH"):
        choices.module("terminology", "icd10cm").create(Path("x"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_chinese_icd_table_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "icd.csv", "主要编码,疾病名称\nI10.x00x002,高血压\nQ99.900x9,弗拉恩综合征\n", encoding)
    words = lexicon.load([choices.module("terminology", "icd10_cn").create(path)])
    known, new = words.find("高血压"), words.find("弗拉恩综合征")
    assert known is not None
    assert new is not None
    assert known.key == "hypertension"
    assert Coding("http://hl7.org/fhir/sid/icd-10", "I10.x00x002", "高血压") in known.concept.codings
    assert new.in_language("zh").name == "弗拉恩综合征"
    assert words.scan("诊断：弗拉恩综合征", "zh")[-1].entry is new


def test_a_workbook_is_a_table_too(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["ICD编码", "诊断名称", "别名"], ["R05.x00", "咳", "咳嗽样发作；咯咯"], [None, None, None]):
        assert book.active is not None
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    own = choices.module("terminology", "icd10_cn").create(tmp_path / "t.xlsx")
    assert [(r.code, r.name, r.synonyms, r.kind) for r in own.records()] == [
        ("R05.x00", "咳", ("咳嗽样发作", "咯咯"), "symptom")
    ]


def test_loinc_csv(tmp_path: Path) -> None:
    text = (
        '"LOINC_NUM","COMPONENT","SHORTNAME","LONG_COMMON_NAME","STATUS"\n'
        '"2160-0","Creatinine","Creat SerPl-mCnc","Creatinine [Mass/volume] in Serum or Plasma","ACTIVE"\n'
        '"1-8","Old","Old","Old thing","DEPRECATED"\n'
    )
    own = choices.module("terminology", "loinc").create(write(tmp_path / "Loinc.csv", text))
    assert own.display("2160-0") == "Creatinine [Mass/volume] in Serum or Plasma"
    assert own.find("Creat SerPl-mCnc")[0].code == "2160-0"
    assert own.display("1-8") is None


def test_a_plain_table_says_system_kind_and_synonyms(tmp_path: Path) -> None:
    text = (
        "# our formulary\ncode\tname\tsynonyms\tsystem\tkind\nF1\tFlarnicillin\tFlarn; 弗拉恩片\turn:ours\tmedication\n"
    )
    own = choices.module("terminology", "table").create(write(tmp_path / "formulary.tsv", text))
    words = lexicon.load([own])
    entry = words.find("弗拉恩片")
    assert entry is not None
    assert (entry.kind, entry.concept.codings) == ("medication", (Coding("urn:ours", "F1", "Flarnicillin"),))
    assert words.by_code("urn:ours", "F1") is entry


@pytest.mark.parametrize(
    ("name", "text", "error", "says"),
    [
        ("rxnorm", "a,b,c\n", UnreadableInput, "line 1"),
        ("rxnorm", "", EmptyInput, "no RxNorm concepts"),
        ("snomed", "x\ty\n1\t2\n", UnreadableInput, "line 2"),
        ("snomed", HEAD, EmptyInput, "no active descriptions"),
        ("icd10_cn", "甲,乙\n1,2\n", UnreadableInput, "no column"),
        ("table", "code,name\n", EmptyInput, "no rows"),
        ("table", "code,name,system\n1,a,x\n2,b,y\n", UnreadableInput, "several systems"),
        ("loinc", "number,name\n1,2\n", UnreadableInput, "loinc_num"),
    ],
)
def test_what_is_no_terminology_is_refused(
    tmp_path: Path, name: str, text: str, error: type[Exception], says: str
) -> None:
    path = write(tmp_path / "file.txt", text)
    with pytest.raises(error, match=says):
        choices.module("terminology", name).create(path)


@pytest.mark.parametrize("name", ["rxnorm", "snomed", "icd10_cn", "table", "loinc"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(MissingInput, match="nowhere"):
        choices.module("terminology", name).create(tmp_path / "nowhere.csv")
