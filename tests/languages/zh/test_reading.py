"""The Chinese reader: places of evidence, what hangs on the whole conversation, bad input."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from fhirbridge.extract import facts, turns
from fhirbridge.languages.zh.wording import Cleaned, fold
from fhirbridge.records import Fact, FactKind, Status
from fhirbridge.terminology import lexicon

_WORDS = st.sampled_from(
    ["没有", "发烧", "咳嗽", "，", "。", "？", "嗯，", "那个，", "医生：", "患者：", "\n", "血压", "150/90", "吃", "阿司匹林", "一天", "三片", "可能", "如果",
     "我爸", "头", "疼", "不", "CT", " ", "過敏", "（", "𠮷", "😀", "家属：", "三十八度五", "吗"]
)  # fmt: skip


def read(text: str, day: date | None = None) -> tuple[Fact, ...]:
    """The facts of a Chinese text."""
    return facts.find(turns.read(text, language="zh", visit_date=day), lexicon.load())[0]


def named(text: str) -> dict[str, Status]:
    """Name -> status of the facts of a text."""
    return {f.concept.name: f.status for f in read(text)}


@given(st.lists(_WORDS, min_size=1, max_size=40).map("".join).filter(str.strip))
@settings(max_examples=150, deadline=None)
def test_every_span_is_within_the_text(text: str) -> None:
    source = f"患者：{text}\n医生：好"
    for fact in read(source):
        assert fact.evidence
        assert all(s.offset >= 0 and s.length > 0 and s.end <= len(source) for s in fact.evidence)


@given(st.lists(_WORDS, max_size=30).map("".join))
def test_cleaning_leads_back_to_the_source(text: str) -> None:
    clean = Cleaned(text)
    for place, char in enumerate(clean.text):
        span = clean.span(place, place + 1)
        assert fold(text)[span.offset : span.end] == char


def test_fillers_do_not_break_a_name() -> None:
    source = "患者：就是说头，呃，疼\n医生：好"
    found = read("患者：我胸，呃，口疼得厉害\n医生：好")
    assert read(source) is not None
    assert [f.concept.name for f in found] == ["胸痛"]


def test_the_evidence_of_an_answer_is_question_and_answer() -> None:
    source = "医生：有没有发烧？\n患者：没有\n"
    (fact,) = read(source)
    assert fact.status is Status.ABSENT
    assert [source[s.offset : s.end] for s in fact.evidence] == ["发烧", "没有"]


def test_what_is_denied_of_the_past_is_apart_from_today() -> None:
    found = named("家属：孩子抽了一次\n医生：以前抽过没有？\n家属：没有，头一回\n")
    assert found == {"抽搐": Status.PRESENT, "既往抽搐": Status.ABSENT}


def test_a_correction_counts_more() -> None:
    found = named("家属：鸡蛋过敏\n家属：妈，哪儿是鸡蛋啊，是牛奶！医生说是牛奶过敏\n医生：好\n")
    assert found["鸡蛋"] is Status.ABSENT


def test_a_chat_about_the_mother_is_about_the_mother() -> None:
    (fact,) = read("患者：我妈最近头晕\n医生：多久了\n")
    assert (fact.kind, fact.status) == (FactKind.SYMPTOM, Status.PRESENT)


def test_the_onset_is_a_date_when_the_visit_is() -> None:
    (fact,) = read("患者：咳嗽三天了\n医生：好\n", date(2026, 3, 15))
    assert (fact.onset, fact.onset_text) == ("2026-03-12", "三天了")


def test_open_heart_topics_of_a_chat_are_unconfirmed_and_of_a_visit_nothing() -> None:
    chat = named("患者：我心慌\n医生：有高血压吗？\n患者：谢谢\n")
    visit = named("医生：哪里不好？\n患者：我心慌\n医生：有高血压吗？\n患者：谢谢\n")
    assert chat["高血压"] is Status.POSSIBLE
    assert "高血压" not in visit


def test_an_allergy_keeps_its_reaction() -> None:
    (fact,) = read("患者：对青霉素过敏，起疹子\n医生：好\n")
    assert fact.kind is FactKind.ALLERGY
    assert [r.name for r in fact.reaction] == ["皮疹"]


def test_questions_without_an_answer_are_left_out_by_count() -> None:
    _, left = facts.find(turns.read("医生：耳鸣吗？\n患者：我要拍片子吗\n", language="zh"), lexicon.load())
    assert any("not answered" in one.reason for one in left)
    assert not any("耳鸣" in one.reason + one.source for one in left)


def test_speakers_without_a_role_are_told_by_what_they_say() -> None:
    found = named("说话人1：哪儿不舒服？\n说话人2：咳嗽三天了\n说话人1：发烧吗？\n说话人2：不烧\n说话人1：考虑感冒\n")
    assert found == {"咳嗽": Status.PRESENT, "发热": Status.ABSENT, "感冒": Status.POSSIBLE}


def test_a_visit_in_two_languages() -> None:
    text = "Doctor: any chest pain?\nPatient: no chest pain\n患者：还有点头晕\n医生：发烧吗？\n患者：不烧\n"
    assert named(text)["头晕"] is Status.PRESENT
    assert named(text)["发热"] is Status.ABSENT
    assert named(text)["chest pain"] is Status.ABSENT
