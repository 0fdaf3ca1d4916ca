"""A Chinese conversation or note -> facts: each turn read, questions settled by answers, what was said twice made one."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from fhirbridge.languages.zh import (
    allergies,
    answers,
    assertion,
    gathering,
    habits,
    kin,
    measures,
    medicines,
    mentions,
    oncology,
    open_topics,
    qualitative,
    sections,
    times,
)
from fhirbridge.languages.zh.answers import Pending
from fhirbridge.languages.zh.mention import Mention, Vocabulary, is_inside, named
from fhirbridge.languages.zh.wording import Cleaned, Piece, sentences
from fhirbridge.records import Fact, LeftOut, Quantity, Speaker, Status, Turn

_MEDICINE = ("medication", "medication-class")
RECENT = 80  # how many mentions back an answer or a correction reaches; keeps a very long transcript linear


class Reader:
    """Reads turn after turn; what a question waits for is kept from one to the next."""

    def __init__(self, lexicon: Vocabulary, visit: date | None) -> None:
        self.lexicon, self.visit = lexicon, visit
        self.found: list[Mention] = []
        self.pending: list[Pending] = []
        self.question = ""  # the words of the doctor's last question
        self.allergy_asked: list[object] = []
        self.spoken_for = ""
        self.section = ""
        self.answered = self.turn_asks = False
        self.turns = 0
        self.family_asked = False
        self.lecture, self.opening = False, ""
        self.site = ""  # the part of the body spoken of last
        self.heard: list[Mention] = []
        self.is_chat = False  # opened by a patient who writes, with no examination

    def turn(self, turn: Turn) -> None:
        """Read one turn."""
        clean = Cleaned(turn.text, turn.span.offset)
        number = self.turns
        self.turns += 1
        role = turn.speaker
        if role is Speaker.UNKNOWN:  # one label may stand for two people: who asks is the doctor, who tells the patient
            role = Speaker.CLINICIAN if assertion.sounds_like_a_doctor(clean.text) else Speaker.PATIENT
        if role is Speaker.CLINICIAN and self.answered:
            self.pending, self.allergy_asked = [], []
        if number == 0:
            self.is_chat, self.opening = role is Speaker.PATIENT, clean.text
        elif role is Speaker.RELATIVE:
            self.is_chat = False
        if role is Speaker.NOTE:
            self._head(clean.text)
        elif role is not Speaker.CLINICIAN and (number < 4 or role is Speaker.RELATIVE):
            self.spoken_for = self.spoken_for or kin.is_spoken_for(clean.text, role is Speaker.RELATIVE)
        spoken = self._mentions(clean, number, role)
        self.turn_asks = False
        self.lecture = assertion.is_lecture(clean.text, role)
        for sentence in sentences(clean.text):
            self._sentence(
                clean, sentence, [m for m in spoken if sentence.start <= m.start < sentence.end], role, number
            )
        for mention in spoken:
            mention.evidence.insert(0, clean.span(mention.start, mention.end))
        if role is Speaker.CLINICIAN:
            self._asked(clean, spoken)
        elif role is not Speaker.NOTE:
            self._reply(clean, spoken, number)
        self.found += spoken

    def _head(self, text: str) -> None:
        for name, pattern in sections.HEADINGS:
            if pattern.search(text):
                self.section = name

    def _mentions(self, clean: Cleaned, number: int, role: Speaker) -> list[Mention]:
        """Everything named in a turn; numbers and tumours first, since they hold names inside."""
        text = clean.text
        leads = role in (Speaker.CLINICIAN, Speaker.NOTE, Speaker.UNKNOWN)
        asked = self.question if not leads else ""
        settled = [
            *oncology.find(text, number, self.lexicon),
            *qualitative.strips(text, number),
            *qualitative.tests(text, number),
            *measures.find(text, number, asked),
        ]
        found = mentions.find(clean, number, self.lexicon, leads)
        problems = [m for m in found if m.kind == "condition"]
        settled = [
            m
            for m in settled
            if not isinstance(m.value, str)
            or m.kind != "laboratory"
            or m.value.endswith("+")
            or not is_inside(m, problems)
        ]
        kept = [m for m in found if not is_inside(m, settled)]
        if role is not Speaker.NOTE:
            self._blood(text, kept)
            kept += mentions.alone(text, number, self.lexicon, [*kept, *settled], self.site)
            self.site = next(
                (s for m in reversed(kept) if m.kind == "symptom" and (s := mentions.site_of(m))),
                mentions.last_place(text) or self.site,
            )
        kept += [m for m in measures.ordered(text, number) if not is_inside(m, kept)]
        if role is Speaker.CLINICIAN:
            kept += qualitative.again(text, number, self.found[-RECENT:], self.lexicon)
        for mention in kept:
            if mention.kind == "procedure" and role is not Speaker.NOTE:
                self._normal(text, mention)
        return sorted([*settled, *kept], key=lambda m: m.start)

    def close(self) -> None:
        """After the last turn: settle what hangs on the whole conversation."""
        self._values_win()
        open_topics.vague(self.found)
        if self.is_chat:
            open_topics.settle(self.found, self.opening)

    def _values_win(self) -> None:
        """A word for a high or low value gives way to the value itself."""
        measured = {m.concept.name for m in self.found if m.kind == "laboratory" and not isinstance(m.value, str)}
        for mention in self.found:
            if mention.kind == "laboratory" and isinstance(mention.value, str) and mention.concept.name in measured:
                mention.dropped = "told by its value"
            if mention.kind in ("condition", "finding", "symptom") and mention.status is Status.PRESENT:
                name = measures.analyte_of(mention.text)
                if name and name in measured:
                    mention.dropped = "told by its value"

    def _blood(self, text: str, spoken: list[Mention]) -> None:
        """Streaks of blood are of what was spoken of last: the sputum or the stool."""
        for mention in spoken:
            if "血丝" in mention.text and not re.search(r"痰|便|拉", mention.text):
                words = re.findall(r"痰|咳|便|拉|肛", self.question + text[: mention.start])
                if not words:
                    mention.dropped = "blood of an unknown place"
                elif words[-1] not in "痰咳":
                    stool = named("便血", "symptom", self.lexicon, mention.turn, mention.start, mention.end, text)
                    mention.key, mention.concept = stool.key, stool.concept

    def _normal(self, text: str, mention: Mention) -> None:
        """A test told with its result is an observation: 做过头部CT没事."""
        value, end = qualitative.result_after(text, mention.end)
        if value and text[end : end + 1] not in ("吗", "么", "的"):
            mention.kind, mention.value, mention.status = "exam", value, Status.PRESENT

    def _sentence(self, clean: Cleaned, sentence: Piece, spoken: list[Mention], role: Speaker, number: int) -> None:
        question = assertion.asks(sentence.text, role)
        if not question and role is Speaker.CLINICIAN and self.turn_asks and assertion.is_list(sentence, spoken):
            question = "yes-no" if all(m.kind in ("condition", "symptom", "finding") for m in spoken) else ""
        self.turn_asks = self.turn_asks or bool(question)
        hypothetical = assertion.words("if").search(sentence.text) is not None
        stated = allergies.is_stated(sentence.text) and role is not Speaker.CLINICIAN  # 我对头孢过敏，能吃吗？
        extra = list(allergies.find(sentence.text, number, self.lexicon, bool(question) and not stated))
        asked_of = self.allergy_asked or any(p.mention.kind == "allergy" for p in self.pending)
        if asked_of and role is not Speaker.CLINICIAN and not extra:
            extra += allergies.told(sentence.text, number, self.lexicon)
        if role is not Speaker.CLINICIAN or not question:
            told = habits.find(sentence.text, number, question, self.question, role is Speaker.CLINICIAN)
            extra += [m for m in told if not kin.is_a_relatives(sentence.text[: m.end], self.spoken_for)]
        for mention in extra:
            mention.start, mention.end = mention.start + sentence.start, mention.end + sentence.start
            mention.evidence.append(clean.span(mention.start, mention.end))
        self._correct(sentence)
        covered = [m for m in extra if m.kind in ("allergy", "social-history")]
        allergic = min((m.end for m in covered if m.kind == "allergy" and m.status is Status.PRESENT), default=None)
        for mention in spoken:
            if is_inside(
                mention, [m for m in covered if m.kind == "allergy" or mention.kind in ("symptom", "condition")]
            ):
                mention.dropped = "part of another fact"
            elif (
                allergic is not None
                and mention.start >= allergic
                and mention.kind in ("symptom", "condition", "procedure")
            ):
                mention.dropped = "the reaction of an allergy"
                next(m for m in covered if m.kind == "allergy" and m.end == allergic).reaction.append(mention.concept)
        spoken = [m for m in spoken if not m.dropped]
        named = [m for m in spoken if m.status is None]
        assertion.judge(sentence, [m for m in named if m.kind not in _MEDICINE], role, question)
        drugs = [m for m in named if m.kind in _MEDICINE]
        for before, after in itertools.pairwise(drugs):
            if before.kind == "medication-class" and after.kind == "medication" and before.end == after.start:
                before.dropped = "named by the medicine that follows"
        for mention in drugs:
            assertion.judge(sentence, [mention], role, question)
            medicines.judge_medicine(sentence, mention, drugs, role, question)
        medicines.share(sentence, drugs)
        for mention in named:
            if mention.kind == "therapy":
                mention.kind = "procedure"
            if mention.kind == "procedure":
                medicines.judge_procedure(sentence, mention, role, question)
        if self.lecture:
            for mention in spoken:
                if assertion.only_taught(mention):
                    mention.status, mention.dropped, mention.open = None, "said in a lecture", True
        if self.section == "plan" and role is Speaker.NOTE:
            for mention in (*drugs, *(m for m in named if m.kind == "procedure" and m.status is Status.PAST)):
                if mention.rank >= 6:
                    mention.dropped = "to be stopped"
                elif mention.status in (Status.PRESENT, Status.PAST):
                    mention.status = Status.PLANNED
        for mention in spoken:
            self.heard = spoken
            if mention in named or not (question or hypothetical) or mention.kind in ("laboratory", "vital-signs"):
                self._whose(sentence, mention, role, question)
            elif question and role is not Speaker.NOTE and mention.kind not in ("observation", "exam"):
                mention.dropped = "asked"
            self._details(sentence, mention)
        self.found += extra
        if role is Speaker.CLINICIAN and question:
            self._question(clean, sentence, [m for m in (*spoken, *extra) if m.asked], question)

    def _correct(self, sentence: Piece) -> None:
        """ "哪儿是鸡蛋啊，是牛奶" takes the egg back."""
        match = re.search(r"(?:哪儿?是|不是)(?P<no>[^，。啊呀！]{1,6})[啊呀]?[，,！]?(?:是|应该是)", sentence.text)
        if match is None:
            return
        for mention in self.found[-RECENT:]:
            if mention.kind == "allergy" and mention.concept.name == match["no"]:
                mention.status = Status.ABSENT

    def _whose(self, sentence: Piece, mention: Mention, role: Speaker, question: str) -> None:
        """Turn the illness of a relative into family history; take out what is nobody's here."""
        if mention.dropped and mention.dropped != "asked":
            return
        problem = mention.kind in ("condition", "symptom", "finding")
        if self.section == "family" and role is Speaker.NOTE:
            codes = kin.relatives(sentence.text[: mention.start - sentence.start], "") or ["FAMMEMB"]
        else:
            before = max(
                (m.end for m in self.heard if sentence.start <= m.start and m.end <= mention.start),
                default=sentence.start,
            )
            lead = sentence.text[before - sentence.start : mention.start - sentence.start]
            if not kin.named_kin(lead) and re.match(r"[、和及，,还也]*(?:还)?(?:有|得|患)?$", lead):
                mention.family = next(
                    (m.family for m in reversed(self.heard) if m.end == before and m.turn == mention.turn), ""
                )
                if mention.family and problem:
                    return
                mention.family = ""
            if (
                mention.kind in (*_MEDICINE, "procedure")
                and any(m.family and m.turn == mention.turn for m in self.heard if m.end <= mention.start)
                and not re.search(r"我(?!爸|妈|爷|奶|父|母|哥|姐|弟|妹|姨|叔|舅)|自己", lead)
            ):
                mention.dropped = "about a relative"
                return
            lead = re.split(r"[。；]|(?:我|俺|自己|本人|患者|孩子|宝宝)(?:现在|也|就|最近|有|是|这)", lead)[-1]
            if self.is_chat and role is Speaker.PATIENT and not self.spoken_for and not self.family_asked:
                self._for_whom(sentence.text, lead)
            codes = kin.relatives(lead, self.spoken_for)
            if question and role is Speaker.CLINICIAN and kin.asks_of_family(sentence.text):
                codes = codes or ["FAMMEMB"]
        if not codes:
            return
        if not problem:
            if mention.kind in (
                "social-history",
                "observation",
                "exam",
                "laboratory",
                "vital-signs",
                "medication",
                "medication-class",
            ):
                mention.dropped = "about a relative"
            return
        if mention.asked and mention.kind == "symptom" and mention.concept.name not in ("抽搐", "热性惊厥", "晕厥"):
            mention.dropped = "about a relative"  # who else is ill at home is no heredity
        elif mention.kind == "condition" or mention.asked or self.section == "family" or self.family_asked:
            mention.family = " ".join(codes)
        elif mention.status is not None:
            mention.dropped = "about a relative"

    def _for_whom(self, sentence: str, lead: str) -> None:
        """In a chat the account is often the family's: a relative told of before any complaint of one's own is the patient."""
        own = any(
            m.status is Status.PRESENT and not m.dropped and m.kind in ("symptom", "condition")
            for m in self.found[-RECENT:]
        )
        who = kin.named_kin(lead)
        if (
            who
            and not kin.is_heredity(sentence)
            and (not own or re.search(r"岁|住院|去检查|现在|今天|这两天|做了|他|她", sentence))
        ):
            self.spoken_for = who[-1]

    def _details(self, sentence: Piece, mention: Mention) -> None:
        if mention.kind not in ("symptom", "condition", "finding") or mention.dropped:
            return
        text, place = sentence.text, mention.start - sentence.start
        mention.severity = times.severity(text, place, mention.end - sentence.start)
        words, _ = times.lasting(text[mention.end - sentence.start :][:24])
        if not words:
            words, _ = times.lasting(times.before(text, place), last=True)
        mention.onset_text = words or times.when(text[max(0, place - 12) : place])

    def _question(self, clean: Cleaned, sentence: Piece, asked: list[Mention], question: str) -> None:
        if self.answered:
            self.pending, self.answered, self.allergy_asked = [], False, []
            goes_on = re.match(
                r"(?:那|嗯)?(?:上[回次]|上个?月|之前|以前|前[次天]|最高|后来|现在|吃完饭).{0,6}多少", sentence.text
            )
            self.question = self.question if goes_on else ""
        self.question = (self.question + sentence.text)[-500:]
        self.pending = self.pending[-RECENT:]
        self.family_asked = kin.asks_of_family(sentence.text)
        good = bool(re.search(r"(?:好|正常|可以|行)(?:吗|不好|么|？)", sentence.text))
        for mention in asked:
            self.pending.append(Pending(mention, question, sentence.text, False))
        if allergies.topic(sentence.text):
            self.allergy_asked.append(clean.span(sentence.start, sentence.start + len(sentence.text.rstrip("，。？ "))))
        if sections.HOW.search(sentence.text.rstrip("，。 ")):
            for pattern, name in sections.TOPICS:
                match = pattern.search(sentence.text)
                if match and not any(m.concept.name == name for m in asked):
                    topic = named(name, "symptom", self.lexicon, self.turns - 1, sentence.start + match.start(),
                                           sentence.start + match.end(), clean.text)  # fmt: skip
                    topic.asked = True
                    topic.evidence.append(clean.span(topic.start, topic.end))
                    self.found.append(topic)
                    self.pending.append(Pending(topic, "open" if not good else question, sentence.text, True))

    def _asked(self, clean: Cleaned, spoken: list[Mention]) -> None:
        """After a doctor's turn: what it affirmed of the patient's own question is settled by the doctor's answer."""

    def _reply(self, clean: Cleaned, spoken: list[Mention], number: int) -> None:
        if not (self.question or self.pending):
            return
        self.answered = True
        if self.allergy_asked and re.match(
            r"^\s*(?:都|也|应该|好像|目前|暂时)*(?:没有?|无|不)(?:什么|啥)?(?:过敏|发现|试出来?|碰到|遇到|听说|注意)?(?:的|吧|啊|呀|过|史)*(?=[，。！]|$)",
            clean.text,
        ):
            match = re.match(r"^\s*[^，。！]*", clean.text)
            end = match.end() if match else len(clean.text)
            evidence = [clean.span(0, max(1, end)), *self.allergy_asked]
            self.found.append(allergies.none_known(number, 0, end, clean.text[:end], evidence))  # type: ignore[arg-type]
            self.allergy_asked = []
        self._fever(spoken)
        answers.resolve(clean.text, spoken, self.pending, clean)
        self._when_answered(clean.text)

    def _fever(self, spoken: list[Mention]) -> None:
        """A temperature answers whether there is fever: from 37.3 ℃ there is."""
        heat = next((m for m in spoken if m.concept.name == "体温" and isinstance(m.value, Quantity)), None)
        for asked in self.pending if heat is not None else ():
            mention = asked.mention
            if mention.status is None and not mention.dropped and mention.concept.name in ("发热", "发烧"):
                mention.status = Status.PRESENT if heat.value.value >= Decimal("37.3") else Status.ABSENT  # type: ignore[union-attr]
                mention.rank = 4
                mention.evidence += heat.evidence  # type: ignore[union-attr]

    def _when_answered(self, text: str) -> None:
        """A duration in the answer belongs to what was asked."""
        words, _ = times.lasting(text)
        for asked in self.pending:
            if (
                words
                and asked.mention.status in (Status.PRESENT, Status.PAST)
                and not asked.mention.onset_text
                and asked.mention.kind != "procedure"
            ):
                asked.mention.onset_text = words


def find(
    turns: Sequence[Turn], lexicon: Vocabulary, *, visit_date: date | None = None
) -> tuple[tuple[Fact, ...], tuple[LeftOut, ...]]:
    """The facts of Chinese turns in the order of their evidence, and what was asked but not answered."""
    reader = Reader(lexicon, visit_date)
    for turn in turns:
        reader.turn(turn)
    reader.close()
    return gathering.facts(reader.found, visit_date), gathering.left_out(reader.found)
