"""Medicines and procedures: taken, stopped, never taken, prescribed, done, planned, or only talked about."""

from __future__ import annotations

import itertools
import re

from fhirbridge.languages.zh import doses
from fhirbridge.languages.zh.assertion import words
from fhirbridge.languages.zh.mention import Mention
from fhirbridge.languages.zh.wording import Piece
from fhirbridge.records import Speaker, Status

_ORDER = re.compile(
    r"开(?!车|始|刀|放|胸|展)|吃|服|用(?!药史)|加上?|换成?|改(?:成|为|用|吃)?|嚼|打|给你|给予|予以?|上点|补充?|配|试试|泡|涂|抹|滴|喷|注射|输|含|贴|敷|洗|先(?:用|吃)|继续|接着|再(?:吃|用)|配合|选"
)
_NOT_ORDER = re.compile(
    r"不(?:吃|用|要|需要?|能|建议|必|宜|可以?|推荐|应该?|适合|让)(?:再|先)?(?:吃|服|用|打|喝|加|补)?|没必要|停(?:了|掉|用|药)?|避免|禁用?|慎用|少(?:吃|用)|先不|别(?:再)?(?:吃|用|打)"
)
_GENERAL = re.compile(
    r"主要(?:是|用于|用来|治)|适用于|用于|作用|副作用|不良反应|(?:是|属于)(?:一种|一个|个|处方|新|好)|成分|价格|便宜|贵|比较(?:安全|好)|很安全|疗效|效果|的机制|机理|一般(?:都|会|要)|说明书|代替|替代|之类的药$|叫"
)
_TAKING = re.compile(r"吃|服|用|打|喝|贴|涂|抹|喷|滴|输|含|开")
_NEVER = re.compile(
    r"(?:没有?|未|从没|从来没|不|不敢|不能|不让(?:我)?|不肯|不愿意?|不爱|还没|没怎么)(?:再)?(?:吃|用|服|打|喝|让吃|开)(?!完|饭)|吃不了|没吃|没用|没打"
)
_STOPPED = re.compile(
    r"停(?:了|掉|药|用|服)|(?:不|没)(?:再)?(?:吃|用|服|打)了|就没(?:再)?(?:吃|用|打|服)|后来没|吃完了|以前(?:吃|用|打)|之前(?:还)?(?:吃|用|打|开)|吃过|用过|打过|曾(?:经)?(?:口服|服|用|吃|予)|^(?:栓|片|胶囊|丸|膏|颗粒|冲剂|软膏|口服液)?(?:就|才|给|都|慢慢|后|以后)*(?:吃|治|用|打)?好(?:的|了)(?=[，。]|$)|无(?:明显|显著)?(?:好转|效|改善)|(?:症状)?(?:未|没)(?:见)?(?:明显)?(?:好转|缓解|见好)|换(?:了|掉)|服用过|让(?:我|他|她|给)?停|给停|(?<!别的)(?<!其他)(?<!其它)(?<!平时)没(?:什么|啥)?(?:用|效果?|作用)(?![药过的])|不管用|(?:吃|用)了[^，。]{0,6}(?:恶心|难受|想吐|吐|不舒服|过敏|拉肚子|头晕)|(?:当时|那时候?|年轻时|小时候)(?:吃|用|打)|去年(?:吃|用)"
)
_ASKS = re.compile(
    r"可以(?:吃|用|服|打|喝)?.{0,10}(?:吗|么|不)|能(?:不能)?(?:吃|用|服|打|喝).{0,12}(?:吗|么|不|？)|能.{0,4}吗|要不要|需要.{0,8}(?:吗|不)|需不需要|是不是|会不会|好不好|行不行|有用吗|管用吗|有效吗|怎么样|不好吧|有没有(?:事|影响|副作用|危险)|伤[肝肾胃]|哪个好|怎么(?:吃|用)|吃.{0,8}(?:行吗|可以吗|好吗)|还(?:是)?(?:继续)?吃吗|用吃|要(?:吃|打|用|做)|该吃|副作用|大不大|一次几|几(?:片|粒|丸|包)|多少钱|贵不贵|哪里买|冲突吗"
)


def judge_medicine(sentence: Piece, mention: Mention, others: list[Mention], role: Speaker, question: str) -> None:
    """Set status, dosage, `asked` or `dropped` of one medicine of a sentence."""
    text, here = sentence.text, sentence.start
    near = _stretch(sentence, mention, others)
    clause = _clause_of(text, mention.start - here, mention.end - here)
    lead, tail = text[: mention.start - here], text[mention.end - here :]
    if mention.dropped:
        return
    mention.asked = False
    if role is Speaker.CLINICIAN:
        _ordered(mention, text, clause, lead, tail, question, near)
    else:
        around = _near(sentence, mention, others, clause)
        _taken(mention, text, clause, around, _until_next(sentence, mention, others), question, role)
    if mention.status is not None and mention.status is not Status.ABSENT:
        mention.dosage = doses.read(near)


def _ordered(mention: Mention, text: str, clause: str, lead: str, tail: str, question: str, near: str) -> None:
    if question and not re.search(r"^.{0,4}(?:可以|建议|先|继续)", text):
        mention.asked = True
        mention.dropped = ""
        return
    if words("if").search(lead) and not re.search(r"(?:开|给你|先吃|先用)", clause):
        mention.dropped = "hypothetical"
    elif re.search(r"先停|停(?:了|掉|用|药|$)", clause.replace(mention.text, "")) and not re.search(
        r"不(?:要|能|可以)(?:随便)?停", clause
    ):
        mention.status = Status.PAST
    elif _NOT_ORDER.search(clause.replace(mention.text, "")):
        mention.dropped = "advised against"
    elif (len(text) > 60 and len(words("general").findall(text)) >= 2 and not doses.read(near)) or (
        _GENERAL.search(text[max(0, len(lead) - 14) : len(lead) + 24])
        and not re.search(r"可以(?:吃|用)|建议|给你|开|改(?:成|用|为)|换(?:成|用)", clause)
    ):
        mention.dropped = "said in general"
    elif _ORDER.search(lead) or _ORDER.search(tail[:14]) or doses.read(near) is not None:
        mention.status = Status.PLANNED
    else:
        mention.dropped = "only talked about"


def share(sentence: Piece, drugs: list[Mention]) -> None:
    """What is told before a list of medicines holds for all of it: 曾口服塞来昔布、氨基葡萄糖."""
    for first, second in itertools.pairwise(drugs):
        gap = sentence.text[first.end - sentence.start : second.start - sentence.start]
        if (
            first.status is Status.PAST
            and second.status is Status.PRESENT
            and second.rank < 6
            and _JOINED.fullmatch(gap)
        ):
            second.status, second.rank = Status.PAST, first.rank


_JOINED = re.compile(r"[、，,和跟与及加还有\s]*(?:片|胶囊|颗粒|丸)?(?:一[起块]儿?)?[、，,和跟与及加还有\s]*")


def _is_over(text: str, lead: str, near: str) -> bool:
    """Whether a course that was finished, or a time that is over, is told of a medicine."""
    if _COURSE.search(text) and not re.search(r"还|再|正在|现在", text):
        return True
    return _ONCE_TAKEN.search(lead) is not None and re.search(r"(?:吃|用|打|喝)了", near) is not None


def _told_before_asking(clause: str, text: str) -> bool:
    """Whether a clause only tells what is taken and another asks of something else: 有糖尿病，吃格列美脲，化疗行吗."""
    asked = text.partition(clause)[2]
    taking = re.match(r"(?:平时|现在|一直|目前|在|长期)*(?:吃|用|打|服)(?:的是|着|的)?(?!.*(?:行|吗|么|不))", clause)
    return taking is not None and re.search(r"[吗么不]", asked) is not None and not re.search(r"吃|用|药|停", asked)


def _until_next(sentence: Piece, mention: Mention, others: list[Mention]) -> str:
    """What follows a medicine up to the next one that is told of by itself; what ends a list is said of the whole."""
    text, here = sentence.text, sentence.start
    place = mention.end
    for other in sorted((o for o in others if o.start >= mention.end), key=lambda o: o.start):
        if not _JOINED.fullmatch(text[place - here : other.start - here]):
            return text[place - here : other.start - here]
        place = other.end
    return text[place - here :]


_NOW = re.compile(r"现在|目前|如今|(?<!没)(?<!不)后来(?:又|就)?(?:换|改|吃|用)|换(?:成|了)|改(?:成|用|吃)")


def _own_tail(tail: str) -> str:
    """What follows a medicine up to a word that turns to what is taken now: 吃了半年停了，现在吃…."""
    turn = _NOW.search(tail)
    if turn is None:
        return tail
    return tail[: turn.start()] + ("换了" if turn[0][0] in "换后改" else "")


def _near(sentence: Piece, mention: Mention, others: list[Mention], clause: str) -> str:
    """The words of the clause that stand between the medicine before and this one."""
    here = mention.start - sentence.start
    left = max(here - len(clause), 0, *(o.end - sentence.start for o in others if o.end <= mention.start), 0)
    return re.split(r"[，,。；]", sentence.text[left:here])[-1]


def _taken(mention: Mention, text: str, clause: str, near: str, tail: str, question: str, role: Speaker) -> None:
    if re.search(r"(?:现在|目前|正在|在|平时)(?:吃|用|打)的[^，。]{0,12}$", text[: text.find(mention.text)]):
        mention.status = Status.PRESENT
        return
    if role is not Speaker.NOTE and (
        _ASKS.search(clause)
        or (
            question
            and _ASKS.search(text)
            and not _told_before_asking(clause, text)
            and not re.search(r"吃(?:了|过|着)|用(?:了|过|着)|在(?:吃|用)", clause)
        )
    ):
        mention.dropped = "the patient asks"
        return
    if words("if").search(clause) or re.search(r"有人(?:跟我|和我)?说|(?<!没)听说|听人说|网上说", clause):
        mention.dropped = "hypothetical"
        return
    if re.match(r"[^，。]{0,2}(?:从来?)?(?:没有?|未)(?:吃|用|打|服)过", tail) or re.search(
        r"(?:没有?|未|没怎么)(?:吃|用|打|服)过$", near
    ):
        mention.status = Status.ABSENT
    elif _STOPPED.search(_own_tail(tail)) or _STOPPED.search(re.split(r"现在|目前|如今", near)[-1]):
        mention.status, mention.rank = Status.PAST, 6
    elif (
        _NEVER.search(near)
        or re.match(r"[^，。]{0,4}，?(?:也|都|就|一直|他也)*(?:没|不)(?:吃|用|服|打)", tail)
        or re.match(
            r"[^，。]{0,8}(?:嫌|怕|不肯|不愿|自己|他|她|医生让)[^，。]{0,8}(?:没|不)(?:肯|愿意?|敢|怎么)?(?:吃|用|服|打)(?=[，。]|$)",
            tail,
        )
        or mention.negated
    ):
        mention.status = Status.ABSENT
    elif question == "open" and not _TAKING.search(clause):
        mention.dropped = "the patient asks"
    elif _is_over(text, text[: text.find(mention.text)], near):
        mention.status = Status.PAST
    else:
        mention.status = Status.PRESENT
        if re.search(r"还在?(?:吃|用|打)|(?:一直|现在|目前|每天|天天)都?在?(?:吃|用|打)|(?:吃|用)着", near + tail[:10]):
            mention.rank = 6


_COURSE = re.compile(r"(?:打|做|用|化疗|吃)了[^，。]{0,5}(?:周期|疗程|次化疗)")
_ONCE_TAKEN = re.compile(r"上个?(?:周|月|礼拜|星期)|上上个?(?:周|月|礼拜|星期)|去年|前年|那次|当时")


def _stretch(sentence: Piece, mention: Mention, others: list[Mention]) -> str:
    """The words that can belong to this medicine: up to the next one, from a verb or a dose before it."""
    text, here = sentence.text, sentence.start
    end = min((o.start - here for o in others if o.start > mention.start), default=len(text))
    start = max((o.end - here for o in others if o.end <= mention.start), default=0)
    lead = text[start : mention.start - here]
    if start:  # what stands after the medicine before belongs to that one, up to the comma
        lead = re.split(r"[，,、；和加]", lead)[-1]
    tail = text[mention.end - here : end]
    if end < len(text):
        pieces = re.split(r"(?=再(?:吃|用|加)|还有|另外|，吃|，用|皮下|静脉|口服)", tail)
        tail = pieces[0] if pieces[0].strip() else tail
    return lead[-16:] + mention.text + tail


def _clause_of(text: str, start: int, end: int) -> str:
    left = max(text.rfind(mark, 0, start) for mark in "，,。；") + 1
    right = min((i for i in (text.find(mark, end) for mark in "，,。；") if i >= 0), default=len(text))
    return text[left:right]


_PLAN = re.compile(
    r"建议|查(?!出|了|过|的)|做个|做一[个下次]|做做|复查|完善|拍(?!了|过|的)|照(?!了|过|的)|约|去(?!年|过)|安排|化验|抽(?:个)?血|抽(?:一个|一下|上)|看一?下|加做|得(?!了|过|到|很)|需要|必须|待会儿?|一会儿?|明[早天]|下周|开(?:个|一)|先做|做(?!过|了|的|完)|打(?:个|上)|行(?=.{0,6}(?:检查|手术|术))|拟|预约|准备|办|收|再|转"
)
_DONE = re.compile(
    r"做(?:了|过|的)|查(?:了|过|的|出)|拍(?:了|过|的)|照(?:了|过|的)|检查(?:了|过|显示)|出来了|回来了|显示|提示|结果|报告|术后|我看|这个|没事|正常|发现|确诊|住(?:了|过)|打(?:了|过)|输(?:了|过)|切(?:了|过)|割(?:了|过)|放(?:了|过)|复查(?:了|过)|上礼拜|上周|去年|前年|昨天|上个月|年前"
)
_UNDONE = re.compile(r"否认|不想|不愿意?|没(?:有)?(?:做|查|拍|照|去|检查|打|住)|还没|未(?:做|查|行|打)|没做|没查|没打")
_NO_NEED = re.compile(r"不(?:用|需要?|做|必|建议|一定要)|先不|没必要|暂时不")


def judge_procedure(sentence: Piece, mention: Mention, role: Speaker, question: str) -> None:
    """Set status, `asked` or `dropped` of one procedure of a sentence."""
    text, here = sentence.text, sentence.start
    clause = _clause_of(text, mention.start - here, mention.end - here)
    lead, tail = text[: mention.start - here], text[mention.end - here :]
    if mention.dropped:
        return
    mention.asked = False
    if role is Speaker.NOTE and re.search(r"必要时|(?<!不)(?<!假)[若如](?:果|有|出现)", clause):
        mention.dropped = "hypothetical"
    elif role is Speaker.NOTE:
        mention.status = (
            Status.ABSENT
            if _UNDONE.search(clause)
            else Status.PLANNED
            if re.search(r"建议|拟|计划|完善|择期|预约", clause)
            else Status.PAST
        )
    elif role is Speaker.CLINICIAN:
        _advised(mention, text, clause, lead, tail, question)
    elif question and not _DONE.search(clause):
        mention.dropped = "the patient asks"
    elif re.search(r"怕(?:做|疼|痛|查)?|不敢", clause[: clause.find(mention.text)]):
        mention.dropped = "only feared"
    elif words("if").search(clause):
        mention.dropped = "hypothetical"
    elif _UNDONE.search(clause) or mention.negated:
        mention.status = Status.ABSENT
    elif not _told(clause, mention.text, lead):
        mention.dropped = "only talked about"
    elif re.search(
        r"准备|打算|预约|约了|要去|等着|想(?:做|查)|明天|下周|让(?:我)?(?:做|查|住)", clause
    ) and not _DONE.search(clause):
        mention.status = Status.PLANNED
    else:
        mention.status = Status.PAST


def _advised(mention: Mention, text: str, clause: str, lead: str, tail: str, question: str) -> None:
    if re.search(r"(?:得|要|等|先)看[^，。]{0,4}$", lead) and re.match(r"(?:的)?结果", tail):
        mention.dropped = "a result that is waited for"
    elif re.match(r"(?:结果|报告|单)?(?:回来|出来)了", tail) and mention.kind == "procedure" and "血" in mention.text:
        mention.dropped = "its values follow"
    elif question and not re.search(r"建议|吧？?$|最好|可以做", text):
        mention.asked = True
    elif words("if").search(_SETTLED.split(lead)[-1] + mention.text) or re.match(r"[^，。]{0,6}(?:的话|以后再)", tail):
        mention.dropped = "hypothetical"
    elif _NO_NEED.search(clause):
        mention.dropped = "not needed"
    elif re.search(r"定期|监测|平时|每年|经常(?:查|测)", clause.replace(mention.text, "")) and not re.search(
        r"复查", clause
    ):
        mention.dropped = "said in general"
    elif _DONE.search(clause) and not re.search(
        r"建议|复查一|再去|待会|明[天早]|(?:得|要|需要|应该)(?:先|尽快|赶紧|再)?(?:做|查|拍|去|来)(?!了|过)", clause
    ):
        mention.status = Status.PAST
    elif _PLAN.search(clause) or _PLAN.search(lead[-30:]):
        mention.status = Status.PLANNED
    elif words("general").search(clause.replace(mention.text, "")) or not _told(clause, mention.text, lead):
        mention.dropped = "said in general"
    else:
        mention.status = Status.PAST


# What is said before it is done with: 室早偶发的话问题不大，做个动态心电图; 头颅CT，排除脑出血，再查凝血.
_SETTLED = re.compile(
    r"(?:问题不大|没(?:什么)?(?:大)?事|不要紧|不用(?:管|治|处理)|没关系|没(?:什么)?问题)[，,]|排除(?:一下)?[^，。]{1,8}[，,](?=再|另外|还|顺便|同时|然后|查|做|抽)"
)


def _told(clause: str, words_said: str, lead: str) -> bool:
    """Whether a clause tells of a procedure and does not only name it: a word of doing, or nothing beside it."""
    rest = clause.replace(words_said, "").strip("，。！？ ")
    doing = re.search(
        r"做|查|拍|照|行|住|刚|打|检|验|手术|术|切|割|放|装|输|化疗|放疗|透析|接种|出(?:来|院)|带|看|说|示|结果|报告|发现|后|前|年|月|天|周|次|岁|曾|已|过|了",
        rest,
    )
    return (
        len(rest) <= 4
        or doing is not None
        or re.search(r"(?:做|查|拍|照|行)(?:了|过|的)?[^。]{0,12}$", lead) is not None
    )
