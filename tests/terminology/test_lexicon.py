"""The lexicon finds what is named, where it stands, in both languages."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhirbridge.records import Coding, Concept
from fhirbridge.terminology import _compiled, _folding, lexicon

WORDS = lexicon.load()


def keys(text: str, language: str = "en") -> list[str]:
    return [hit.entry.key for hit in WORDS.scan(text, language)]


@pytest.mark.parametrize(
    ("text", "piece", "key"),
    [
        ("She has high blood pressure.", "high blood pressure", "hypertension"),
        ("known HTN, on treatment", "HTN", "hypertension"),
        ("血压高了好几年", "血压高", "hypertension"),
        ("I can't catch my breath at night", "can't catch my breath", "shortness of breath"),
        ("dyspnoea and oedema", "dyspnoea", "shortness of breath"),
        ("最近老是喘不上气", "喘不上气", "shortness of breath"),
        ("took his water pills", "water pills", "diuretic"),
        ("昨天开始拉肚子", "拉肚子", "diarrhea"),
        ("心口窝疼了两天", "心口窝疼", "upper abdominal pain"),
        ("去诊所打点滴了", "打点滴", "intravenous infusion"),
        ("He threw up twice", "threw up", "vomiting"),
        ("Sats are 96, bloods were done", "Sats", "oxygen saturation"),
        ("Sats are 96, bloods were done", "bloods", "blood test"),
        ("pins and needles in my feet", "pins and needles in my feet", "paresthesia"),
        ("any blood when you cough", "blood when you cough", "hemoptysis"),
        ("Crohn's disease since 2010", "Crohn's disease", "crohn's disease"),
        ("an X-ray was done", "X-ray", "x-ray"),
        ("an xray was done", "xray", "x-ray"),
        ("HbA1c 7.2 %", "HbA1c", "hemoglobin a1c"),
        ("在吃拜新同", "拜新同", "nifedipine"),
        ("EGFR 19外显子缺失", "EGFR 19外显子缺失", "egfr exon 19 deletion"),
        ("PD-L1 抑制剂", "PD-L1 抑制剂", "pd-l1 inhibitor"),
        ("ＰＤ－Ｌ１抑制剂", "ＰＤ－Ｌ１抑制剂", "pd-l1 inhibitor"),
        ("metastatic non–small-cell lung cancer", "non–small-cell lung cancer", "non-small cell lung cancer"),
        ("tumours in both lungs", "lungs", "lung"),
        ("type 2\ndiabetes", "type 2\ndiabetes", "type 2 diabetes mellitus"),
    ],
)
def test_a_name_is_found_where_it_stands(text: str, piece: str, key: str) -> None:
    found = [(text[h.span.offset : h.span.end], h.entry.key) for h in WORDS.scan(text)]
    assert (piece, key) in found


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("this can be as it is", "coronary artery disease"),
        ("she is at work in a ms. dress", "multiple sclerosis"),
        ("all of it", "acute lymphoblastic leukemia"),
        ("it was as bad as before", "aortic stenosis"),
        ("he said, headache. Attack of flu", "panic attack"),
        ("the asthmatics' club", "mass"),
        ("na", "sodium"),
        ("CTA", "x-ray"),
        ("I sat down and I feel down", "oxygen saturation"),
        ("I sat down and I feel down", "down syndrome"),
        ("blood in the urine", "blood test"),
        ("I met him in a glass house", "metastatic cancer"),
        ("I met him in a glass house", "eyeglasses"),
        ("I fall asleep", "recurrent falls"),
    ],
)
def test_english_words_are_no_abbreviations(text: str, key: str) -> None:
    assert key not in keys(text)


def test_abbreviations_in_capitals_are_found() -> None:
    assert keys("MS, ALL, AS and EGFR; eGFR 55") == [
        "multiple sclerosis",
        "acute lymphoblastic leukemia",
        "aortic stenosis",
        "egfr",
        "estimated glomerular filtration rate",
    ]


def test_latin_letters_inside_chinese_names_keep_their_bounds() -> None:
    assert "computed tomography" not in keys("ACT检查", "zh")
    assert "computed tomography" in keys("做了CT检查", "zh")


def test_the_longest_name_wins_and_overlapping_shows_all() -> None:
    text = "non-small cell lung cancer"
    assert keys(text) == ["non-small cell lung cancer"]
    inside = {h.entry.key for h in WORDS.scan(text, overlapping=True)}
    assert {"non-small cell lung cancer", "small cell lung cancer", "lung cancer", "lung"} <= inside


def test_no_name_spans_a_full_stop_or_comma() -> None:
    assert "chest pain" not in keys("tightness in the chest. Pain in the leg")
    assert "chest pain" not in keys("neck, chest, pain")


@given(st.text(max_size=300))
def test_hits_lie_inside_the_text_and_do_not_overlap(text: str) -> None:
    end = 0
    for hit in WORDS.scan(text):
        assert hit.span.offset >= end
        assert hit.span.length > 0
        end = hit.span.end
    assert end <= len(text)


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("headache", "headaches"),
        ("sneeze", "sneezes"),
        ("rash", "rashes"),
        ("stitch", "stitches"),
        ("biopsy", "biopsies"),
        ("diagnosis", "diagnoses"),
        ("metastasis", "metastases"),
        ("overdose", "overdoses"),
        ("bruise", "bruises"),
        ("disease", "diseases"),
        ("abscess", "abscesses"),
        ("tooth", "teeth"),
        ("tumor", "tumours"),
        ("virus", "viruses"),
        ("apnea", "apnoeas"),
        ("colonoscopy", "colonoscopies"),
        ("calculus", "calculi"),
        ("nose", "noses"),
        ("box", "boxes"),
    ],
)
def test_one_and_many_fold_to_the_same(one: str, many: str) -> None:
    assert _folding.phrase(one) == _folding.phrase(many)


@given(st.text(max_size=300))
def test_folding_never_moves_a_character(text: str) -> None:
    assert len(_folding.same_length(text)) == len(text)


@settings(max_examples=300)
@given(st.sampled_from(sorted(WORDS._names.latin)), st.sampled_from(["{}", "({})", "x {} y", "{}.", "a; {}, b"]))
def test_every_latin_name_is_found_when_it_is_written(name: str, frame: str) -> None:
    text = frame.format(name)
    wanted = WORDS._names.latin[" ".join(name.split())]
    starts = {h.span.offset for h in WORDS.scan(text, overlapping=True) if h.entry is WORDS._entry(wanted)}
    folded = _folding.phrase(name)
    assert text.index(name) in starts or folded != name  # folding is not always stable on its own output


@settings(max_examples=300)
@given(st.sampled_from(sorted(WORDS._names.chinese)), st.sampled_from(["{}", "（{}）", "有{}了", "{}。", "既往{}，"]))
def test_every_chinese_name_is_found_when_it_is_written(name: str, frame: str) -> None:
    text = frame.format(name)
    wanted = WORDS._names.chinese[name]
    assert any(h.entry is WORDS._entry(wanted) for h in WORDS.scan(text, "zh", overlapping=True))


def test_an_entry_speaks_both_languages() -> None:
    entry = WORDS.find("shortness of breath")
    assert entry is not None
    assert entry.in_language("zh").name == "气短"
    assert entry.in_language("en").name == "shortness of breath"
    assert entry.in_language("fr").name == "shortness of breath"
    assert Coding("http://hl7.org/fhir/sid/icd-10-cm", "R06.02", "Shortness of breath") in entry.concept.codings


def test_a_code_leads_to_its_entry() -> None:
    by_uri = WORDS.by_code("http://hl7.org/fhir/sid/icd-10-cm", "I10")
    assert by_uri is not None
    assert by_uri is WORDS.by_code("icd10cm", "I10")
    assert by_uri.key == "hypertension"
    assert WORDS.by_code("icd10cm", "nonsense") is None


def test_find_wants_the_whole_name() -> None:
    assert WORDS.find("Hypertension") is not None
    assert WORDS.find("hypertension of something unheard of") is None


def test_the_compiled_lexicon_is_made_from_the_tables_as_they_are() -> None:
    made_from, _, _ = _compiled.read()
    assert made_from == _compiled.fingerprint(), "tables changed: run tools/build_lexicon.py"


def test_changed_tables_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_compiled, "fingerprint", lambda: "changed")
    lexicon._shipped.cache_clear()
    try:
        again = lexicon.load()
        entry, same = again.find("高血压"), WORDS.find("高血压")
        assert entry is not None
        assert same is not None
        assert (entry.key, entry.concept, entry.names) == (same.key, same.concept, same.names)
    finally:
        lexicon._shipped.cache_clear()


def test_is_a_takes_concepts_too() -> None:
    gastric = Concept("something gastric", (Coding("http://hl7.org/fhir/sid/icd-10-cm", "C16.3", ""),))
    assert WORDS.is_a(gastric, "gastric cancer")
    assert WORDS.is_a(gastric, "malignant neoplasm")
    assert not WORDS.is_a(gastric, "colon cancer")
