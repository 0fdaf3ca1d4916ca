"""A doctor's question and the patient's answer become one fact."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.languages.zh import kin
from fhirbridge.languages.zh.assertion import words
from fhirbridge.languages.zh.mention import Mention
from fhirbridge.languages.zh.wording import Piece, clauses, sentences
from fhirbridge.records import Span, Status


@dataclass(slots=True, eq=False)
class Pending:
    """A mention that was asked about and waits for its answer; `kind` yes-no or open; `good`: asked as being well."""

    mention: Mention
    question: str
    sentence: str
    good: bool = False


@lru_cache(maxsize=16)
def _reply(use: str) -> re.Pattern[str]:
    rows = languages.rows("zh", "reply_words")
    return re.compile("|".join(f"(?:{r['pattern']})" for r in rows if r["use"] == use))


def same(one: Mention, other: Mention) -> bool:
    """Whether two mentions are of one thing."""
    if one.key == other.key or one.concept.name == other.concept.name:
        return True
    short, long = sorted((one.text, other.text), key=len)
    kinds = {one.kind, other.kind}
    return len(short) >= 2 and short in long and (len(kinds) == 1 or kinds <= {"condition", "symptom", "finding"})


def resolve(text: str, found: list[Mention], pending: list[Pending], where: object) -> None:
    """Settle what was asked by one reply; `where` is the Cleaned text that tells the spans of the words."""
    said: list[Pending] = []
    for sentence in sentences(text):
        for clause in clauses(sentence):
            own = [m for m in found if clause.start <= m.start < clause.end and not m.asked]
            found += _of_kin(clause, own, pending, where)
            waiting = [p for p in pending if not p.mention.dropped and p.mention.status is None]
            if not waiting:
                continue
            said += _by_name(own, waiting)
            waiting = [p for p in waiting if p.mention.status is None and not p.mention.dropped]
            _by_words(clause, own, waiting, where, bool(said))


def _of_kin(clause: Piece, own: list[Mention], pending: list[Pending], where: object) -> list[Mention]:
    """The illness that was asked of and that a relative has: 糖尿病有没有？没有，我外婆有."""
    asked = [p.mention for p in pending if p.mention.kind == "condition"]
    match = re.match(
        r"(?:就|不过|但|倒)?(?:是)?我(?P<kin>[\u4e00-\u9fff]{1,4}?)(?:也|都|倒|好像)*(?:有|得过|得的|得了)(?:的|过|啊)*[，。]*$",
        clause.text,
    )
    if own or not asked or match is None or not kin.relatives(match["kin"], ""):
        return []
    first = asked[-1]
    mention = Mention(first.turn, clause.start, clause.end, "condition", first.key, first.concept, first.text)
    mention.status, mention.family = Status.PRESENT, " ".join(kin.relatives(match["kin"], ""))
    mention.evidence = [*first.evidence, where.span(clause.start, clause.end)]  # type: ignore[attr-defined]
    return [mention]


def _by_name(own: list[Mention], waiting: list[Pending]) -> list[Pending]:
    """The questions whose thing the reply names itself."""
    named = []
    for mention in own:
        for asked in waiting:
            if same(mention, asked.mention) and (mention.status or mention.dropped == ""):
                mention.evidence += asked.mention.evidence
                mention.rank = 5
                if asked.mention.family and not mention.family:
                    mention.family = asked.mention.family
                if mention.status is None and asked.mention.kind in ("medication", "procedure"):
                    continue
                asked.mention.dropped = "answered"
                named.append(asked)
    return named


def _by_words(clause: Piece, own: list[Mention], waiting: list[Pending], where: object, partly: bool) -> None:
    """Yes, no and their kin; echoes of the verb; what is said of the rest."""
    words_said = clause.text.strip()
    bare = words_said.rstrip("，,。！？ ")
    if not waiting or not bare:
        return
    closed = [p for p in waiting if p.question == "yes-no" or p.good]
    if re.search(r"^.{0,6}除了", words_said) and not own:
        return
    if own:
        _around_names(words_said, waiting, clause, where)
        return
    drugs = [p for p in waiting if p.mention.kind == "medication"]
    if drugs and _ENDED.search(bare):
        _settle(drugs, True, clause, where)
        for asked in drugs:
            asked.mention.status = Status.PAST
    elif _part(bare, closed, clause, where):
        return
    elif _reply("rest_no").search(words_said):
        _settle(waiting, False, clause, where)
    elif _reply("rest_yes").search(words_said):
        _settle(closed, True, clause, where)
    elif _reply("unsure").search(words_said):
        for asked in waiting:
            asked.mention.dropped = "the patient could not say"
    elif _reply("all_no").search(words_said):
        _settle(waiting, False, clause, where)
    elif _echo(bare, closed, clause, where):
        return
    elif _reply("no").search(words_said):
        _settle(closed, False, clause, where)
    elif _reply("fine").search(words_said):
        _settle([p for p in closed if p.good], True, clause, where)
        _settle([p for p in closed if not p.good and re.search(r"好|正常|一般|没", bare)], False, clause, where)
    elif _reply("poor").search(words_said):
        _settle([p for p in closed if p.good], False, clause, where)
    elif _since(bare, waiting):
        _settle(_since(bare, waiting), True, clause, where)
    elif (_told_once(bare) or _HOW_OFTEN.match(bare)) and len(closed) > 1:
        return
    elif _reply("yes").search(words_said) and not (partly and bare in ("有", "嗯", "对", "是")):
        done = re.match(
            r"^(?:之前|以前|都|已经)?(?:做|查|拍|检查)(?:过|了)", bare
        )  # tells of the test, not of the disease
        _settle([p for p in closed if p.mention.kind == "procedure"] if done else closed, True, clause, where)


_ENDED = re.compile(r"停(?:了|掉|药)|(?:不|没)(?:再)?(?:吃|用|打)了|没再(?:吃|用|打)|吃完了|换(?:成|了)")
_PART = re.compile(
    r"(?:痰里|大便里|尿里|便里|里面|里头)?(?:(?P<none>没有?(?:见过?|看[见到]过?|发现)?(?:过|带)?)(?=[血痰脓水]$))?(?P<part>[\u4e00-\u9fff]{1,4}?)(?:倒是?|也|都|那儿?|这儿?)*"
    r"(?P<no>没有?(?:看?[见到]过?|发现|注意到?)|没的|没得|没有?|不|还好|没事|没问题|正常)?(?P<yes>偶尔(?:会|有)?(?:一?点)?|有时候?(?:会|有)?|有一?点儿?|有一个|有一些|有|会)?(?:的|啊|呀|吧|了)*"
)


def _part(bare: str, closed: list[Pending], clause: Piece, where: object) -> bool:
    """A reply that names only the part of the body that was asked of: 眼皮有点肿，喉咙没有."""
    match = _PART.fullmatch(bare)
    no = match is not None and bool(match["no"] or match["none"])
    if match is None or no is bool(match["yes"]) or set(match["part"]) <= _EMPTY:
        return False
    part = match["part"]
    hits = [p for p in closed if len(part) > 1 and p.mention.text.startswith(part)]
    if not hits and (len(part) > 1 or part in "血痰脓汗"):  # 大便有血吗？血没有；子宫肌瘤、卵巢囊肿？肌瘤有一个
        hits = [p for p in closed if part in p.mention.text]
    _settle(hits, bool(match["yes"]), clause, where)
    return bool(hits)


def _around_names(said: str, closed: list[Pending], clause: Piece, where: object) -> None:
    if _reply("rest_no").search(said):
        _settle(closed, False, clause, where)
    elif _reply("rest_yes").search(said):
        _settle(closed, True, clause, where)


def _since(bare: str, waiting: list[Pending]) -> list[Pending]:
    """What was asked for its age ("糖尿病几年了") when the answer is a time ("八年了"): then it is there."""
    if not re.match(
        r"^(?:有|得有|大概|差不多|快|都|已经|断断续续|从)*[一二两三四五六七八九十几好半\d]+(?:多|来)?个?(?:多)?(?:年|月|天|周|礼拜|星期|小时)",
        bare,
    ):
        return []
    return [p for p in waiting if p.question == "open" and p.mention.kind in ("condition", "symptom", "finding")
            and re.search(r"几(?:年|个月|天|周)|多久|多长时间|多少(?:年|天)|什么时候|啥时候", p.sentence)]  # fmt: skip


def _told_once(bare: str) -> bool:
    """ "去年犯过一次" answers one question, not a list."""
    return re.search(r"(?:得|犯|患|有|发作|出现)过", bare) is not None and len(bare) > 5


_HOW_OFTEN = re.compile(r"(?:大概|差不多|也就)?(?:一[天日周]|每[天日周]|一个?(?:月|礼拜|星期))[^，。]{0,5}(?:次|回|趟)")
_EMPTY = set("有没无过了吗么的是不得做得呢啊呀你您他她它有这那个些很都也老或者和、，？心头身上里下对什病症")


def _echo(bare: str, closed: list[Pending], clause: Piece, where: object) -> bool:
    """Whether the reply repeats the verb that was asked: 出汗没有? 出了. 晕倒过没有? 没晕过. 吃没吃? 吃."""
    match = re.match(
        r"^(?:有点儿?|有些|稍微|稍|很|特别|挺|比较|确实|是|会|也|都|倒|还|就|一直|现在|平时|偶尔|经常|有时候?|天天|每天|从来|那)*(?P<no>说不上|谈不上|不咋|没咋|倒没有?|倒不|不怎么|没怎么|不太|没有|没|不)?(?:见过?|看[见到]过?|有过?|再)?(?:他|她|它)?"
        r"(?P<verb>[一-鿿]{1,3}?)(?:过|了|着|的|得.{0,6}|啊|呀|吧|呢|一[点些下次回]|倒(?:不|没)(?:太|怎么)?(?P=verb))*$",
        bare,
    )
    if not match:
        return False
    verb = match["verb"]
    hits = []
    for asked in closed:
        scope = asked.mention.text if asked.mention.kind not in ("medication", "procedure") else asked.sentence
        if all(c in scope for c in verb) and not set(verb) <= _EMPTY:
            hits.append(asked)
    if not hits:
        return False
    contrary = re.search(rf"{verb}倒(?:不|没)", bare)
    _settle(hits, not (match["no"] or contrary), clause, where)
    return True


def _settle(waiting: list[Pending], yes: bool, clause: Piece, where: object) -> None:
    span: Span = where.span(clause.start, clause.start + len(clause.text.rstrip("，。！？ ")))  # type: ignore[attr-defined]
    for asked in waiting:
        mention = asked.mention
        if mention.status is not None or mention.dropped:
            continue
        truth = yes is not (asked.good or mention.good)
        mention.evidence.append(span)
        mention.rank = 4
        if mention.family and truth:
            mention.family = " ".join(kin.relatives(clause.text, "")) or mention.family
        mention.status = _true_status(asked) if truth else Status.ABSENT
        mention.before = re.search(r"以前|之前|既往|从前", asked.sentence) is not None


def _true_status(asked: Pending) -> Status:
    """How a thing stands that was asked and affirmed."""
    mention = asked.mention
    if mention.kind == "procedure":
        return Status.PAST
    if re.search(r"以前|之前|得过|过没|过吗|有过|曾|既往|小时候", asked.sentence) and not words("chronic").search(
        mention.concept.name
    ):
        return Status.PAST
    return Status.PRESENT
