"""How a mention stands in its sentence: said or denied, possible, over, asked, or not about the patient at all."""

from __future__ import annotations

import re
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.languages.zh import kin
from fhirbridge.languages.zh.mention import Mention
from fhirbridge.languages.zh.wording import Piece, clauses
from fhirbridge.records import Speaker, Status

# What may stand between a negation and what it negates, and between a thing and the negation that follows it.
_BETWEEN = (
    r"(?:\s|过|什么|啥|明显|任何|再|出现|查出来?|查到|检出|发现|看到|见到|见|听到|伴有?|觉得?|感到|感觉|说有?|得过|得|犯过|患过?|的|特别|怎么|那种|其他|其它|显著|异常"
    r"|吃|用|做|有|到|是|新发|反复|阵发性|持续|局部|双侧|两侧|左侧|右侧|左|右|双|明确|急性|慢性|早期|轻度|中度|重度|[一二三两四ⅰⅱⅲ12]型|活动性|过任何|这种|这些|这个|现在|目前|或|及|和|与|身上|刚?开始|之前|以前|原来|家族(?:性|中|里)?|类似|相关|传染|对|一点儿?|半点儿?|了)*"
)
_AFTER = r"(?:这个|这些|那些|这方面|倒是?|都|也|是|就|从来|一直|目前|现在|暂时|平时|的话|的?症状|病史|史|的?情况|现象|呢|啊|嘛|那是|还|过|基本|体征|发作|反应)*"
_LIST = re.compile(
    r"[、/及和与或跟,\s]*(?:还有|以及|或者|或是|包括|之类的?|什么的|等)?[、/及和与或跟,\s]*(?:肢体|四肢|双侧|左侧|右侧|面部|局部|全身|皮肤)?"
)
_COMMA = re.compile(r"[，,、\s]*(?:也)?")


@lru_cache(maxsize=16)
def words(use: str) -> re.Pattern[str]:
    """The patterns of one use as one pattern."""
    return re.compile("|".join(f"(?:{r['pattern']})" for r in languages.rows("zh", "status_words") if r["use"] == use))


@lru_cache(maxsize=8)
def _around(use: str) -> re.Pattern[str]:
    inner = words(use).pattern
    return re.compile(f"(?:{inner}){_BETWEEN}$" if use.endswith("before") else f"^{_AFTER}(?:{inner})")


def asks(sentence: str, role: Speaker) -> str:
    """ "yes-no", "open" or "" for a sentence that does not ask."""
    bare = re.sub(
        r"(?:看看?|查查?|排除|明确|了解|确定|判断)(?:一下|下)?(?:有没有|是否|是不是|有无)", "", sentence.rstrip("。 \n")
    )
    if role is Speaker.CLINICIAN and not bare.endswith(("？", "吗", "么")):  # 看看血管堵到什么程度 asks nothing
        bare = re.sub(
            r"(?:看看?|看一?下|查查?|了解|明确|确定|判断|搞清楚?|知道|不管|无论|甭管)(?:一下|下)?[^，。？]{0,12}?(?:什么|哪|多少|怎么|多大|多深|到底|啥)[^，。？]*",
            "",
            bare,
        )
    if role is Speaker.NOTE:
        return ""
    marked = bare.endswith(("？", "吗", "么", "呢", "嘛"))
    closed = words("asks").search(bare) is not None
    if role is not Speaker.CLINICIAN:
        closed = (
            re.search(r"有没有|是不是|是否|会不会|能不能|要不要|可不可以|算不算|吗|么[？。]?$|吧？", bare) is not None
        )
    opened = words("open").search(bare) is not None
    if role is not Speaker.CLINICIAN and not marked:
        opened = False
        marked = (
            re.search(r"(?<!没)(?<!说)(?<!不)(?:什么(?!的|都|也)|怎么(?!也|都|说|着)|如何|为什么|多久|咋)", bare)
            is not None
        )
        opened = marked
    if closed and not (opened and marked and not re.search(r"[吗没不]", bare)):
        return "yes-no"
    return "open" if opened and (marked or role is Speaker.CLINICIAN) else "yes-no" if marked else ""


def is_lecture(text: str, role: Speaker) -> bool:
    """Whether a clinician's turn is a long paragraph of advice or explanation."""
    return role is Speaker.CLINICIAN and len(text) > 110 and len(words("lecture").findall(text)) >= 4


def only_taught(mention: Mention) -> bool:
    """Whether a mention of a lecture is part of the lesson: no dose, no number, no word of likelihood."""
    if mention.kind in ("medication", "medication-class"):
        return mention.status is Status.PLANNED and (mention.dosage is None or mention.dosage.dose is None)
    if mention.kind == "procedure":
        return mention.status is Status.PAST
    return (
        mention.kind in ("condition", "symptom", "finding")
        and mention.status in (Status.PRESENT, Status.PAST, Status.ABSENT)
        and mention.rank < 4
    )


_LISTED = re.compile(
    r"(?:[，,、/。 ]|或者?|还是|以及|和|及|其他的?|其它的?|什么的|之类的?|这些|等|呢|或|有|啊|方面|结石)*"
)


def is_list(sentence: Piece, mentions: list[Mention]) -> bool:
    """Whether a sentence is only a list of things, as a doctor reads them out to ask."""
    if len(mentions) < 2:
        return False
    rest, place = "", 0
    for mention in mentions:
        rest += sentence.text[place : max(place, mention.start - sentence.start)]
        place = max(place, mention.end - sentence.start)
    return _LISTED.fullmatch(rest + sentence.text[place:]) is not None


_EFFECT = re.compile(
    r"(?:素|片|胶囊|颗粒|酮|唑|林|星|地平|沙坦|洛尔|他汀|普利|洛芬|单抗|替尼|双胍|药|剂|激素)(?:可能|会|容易)[^，。]{0,6}$"
)
_DOCTOR = re.compile(
    r"给你开|我给你|开点|先做个|查一下|考虑|建议|复查|来我(?:听|摸|看|量)|血压我|多大年纪|哪儿?不舒服|怎么不好|回去(?:以后)?(?:注意|按时)"
)


def sounds_like_a_doctor(text: str) -> bool:
    """Whether an unlabelled turn asks or orders as a doctor does."""
    asking = re.search(r"(?:吗|呢|没有?|么|多久了?|几天了?|怎么样|哪儿?)[?？。]?$|[?？]$|有没有", text) is not None
    own = (
        re.search(r"^(?:医生|大夫)|我(?:这|想|的|是不是|会不会|能不能|要不要|就|有|最近|最|老|一直)", text) is not None
    )
    return (asking and not own) or _DOCTOR.search(text) is not None


def judge(sentence: Piece, mentions: list[Mention], role: Speaker, question: str) -> None:
    """Set status, `asked` or `dropped` of the mentions of one sentence."""
    text = sentence.text
    parts = clauses(sentence)
    for place, mention in enumerate(mentions):
        clause = next((c for c in parts if c.start <= mention.start < c.end), sentence)
        before = mentions[place - 1] if place else None
        after = mentions[place + 1] if place + 1 < len(mentions) else None
        _negation(sentence, clause, mention, before, after)
    for place in range(len(mentions) - 2, -1, -1):  # "头痛、恶心没有": what is said of the last holds for the list
        mention, following = mentions[place], mentions[place + 1]
        gap = text[mention.end - sentence.start : following.start - sentence.start]
        if following.rank == 2 and following.negated and not mention.negated and _LIST.fullmatch(gap):
            mention.negated, mention.rank = True, 2
    for mention in mentions:
        _settle(sentence, parts, mention, role, question)


def _negation(sentence: Piece, clause: Piece, mention: Mention, before: Mention | None, after: Mention | None) -> None:
    text, here = sentence.text, sentence.start
    left = max(clause.start, before.end if before and before.start >= clause.start else clause.start) - here
    lead = text[left : mention.start - here]
    if _around("no_before").search(lead) and not re.search(r"(?:有没有|有无|是不是)[^，]*$", lead):
        double = re.search(r"(?:不是没有|不能不|无不|没有不|未必没)[^，]*$", lead)
        mention.negated = mention.negated is bool(double)
        mention.rank = 1
        mention.listed = re.search(
            r"(?:没有|无|否认|未[\u4e00-\u9fff]{0,2}|没)[\u4e00-\u9fff]{0,3}$", lead
        ) is not None and not lead.endswith("不")
        return
    right = clause.end - here
    if after is not None and after.start < clause.end:
        right = after.start - here
    tail = text[mention.end - here : right]
    found = _around("no_after").search(tail)
    following = after is not None and after.start < clause.end and found is not None
    if found and "没的" in found[0] and kin.named_kin(text[: mention.start - here]):
        found = None  # 我爹心梗没的: he died of it
    if found and not (following and found.end() >= len(tail.rstrip("过"))):
        mention.negated, mention.rank = True, 2
        return
    if before is not None and before.negated and before.rank in (1, 3) and not mention.negated:
        gap = text[before.end - here : mention.start - here]
        if _LIST.fullmatch(gap) or (
            _COMMA.fullmatch(gap) and before.listed and "有" not in mention.text and _bare(text, mention, after, here)
        ):
            mention.negated, mention.rank, mention.listed = True, 3, before.listed


def _bare(text: str, mention: Mention, after: Mention | None, here: int) -> bool:
    """Whether a mention after a comma goes on with the list: nothing else is said of it."""
    end = after.start - here if after else len(text)
    return re.match(r"[，,、。；\s]|$|等|之类|及|和|或", text[mention.end - here : end] or "") is not None


_ONLY_IF = re.compile(
    r"只有$|(?<![又一])再$|不(?:手术|治疗?|吃药|处理|干预|控制|管)(?:的话)?[^。]{0,24}(?:会|出现)[^，。]{0,6}$"
)
_CAUSES = re.compile(r"[^。？]{0,24}?(?:都|也)(?:可以?|会|能)(?:引起|导致|造成|出现)")
_WHICH = re.compile(r"(?:是|哪|属于)(?:什么|哪种|哪个|哪一种|种)(?:样的|类型的?)?$")
_OWN_QUESTION = re.compile(r"[吗么没不呢]$|有没有|有无|是不是|是否")


def _settle(sentence: Piece, parts: list[Piece], mention: Mention, role: Speaker, question: str) -> None:
    text, here = sentence.text, sentence.start
    lead, tail = text[: mention.start - here], text[mention.end - here :]
    clause = next((c for c in parts if c.start <= mention.start < c.end), sentence)
    own = clause.text
    if mention.kind in ("medication", "medication-class", "therapy", "procedure", "allergen"):
        mention.asked = mention.asked or bool(
            question == "yes-no" or (question == "open" and role is Speaker.CLINICIAN)
        )
        if words("others").search(lead):
            mention.dropped = "about somebody else"
        return
    if words("others").search(lead) and not (question and kin.asks_of_family(text)):
        mention.dropped = "about somebody else"
        return
    settled = re.search(
        r"(?:没(?:有)?(?:什么|啥)?(?:问题|事|异常)|(?:都|是)?正常|都好|排除(?:了|后))[^。，]{0,4}[，,][^。]{0,8}(?:考虑|可能|多半|应该是)[^。，]{0,6}$",
        lead,
    )
    feared = role is Speaker.CLINICIAN and re.search(
        r"(?:我|就|主要)(?:是|有点|最)?(?:担心|怀疑|怕)(?:是|有|他是|你是)?[^，。]{0,4}$", lead
    )
    if (words("if").search(lead[-40:] + mention.text) and settled is None and not feared) or re.match(
        r"[^，。]{0,6}(?:的话|时要|就要|就得|及时|随时)", tail
    ):
        mention.dropped, mention.open = "hypothetical", True
        return
    if role is Speaker.CLINICIAN and re.match(r"[^，。]{0,4}就(?:停|别|不要|不吃|来|去|减|赶紧|马上)", tail):
        mention.dropped, mention.open = "hypothetical", True
        return
    if _ONLY_IF.search(lead) or re.match(r"才(?:需要?|会|能|要|有|是|搭|用|做)", tail):
        mention.dropped, mention.open = "hypothetical", True
        return
    if role is Speaker.CLINICIAN and _CAUSES.match(tail) and not question:
        mention.dropped, mention.open = "said in general", True
        return
    if role is Speaker.CLINICIAN and _WHICH.search(lead):
        mention.dropped, mention.open = "not known which", True
        return
    if role is Speaker.CLINICIAN and _EFFECT.search(lead):
        mention.dropped, mention.open = "an effect of a medicine", True
        return
    maybe = bool(_around("maybe_before").search(_clause_lead(lead)) or words("maybe_after").match(tail.lstrip("的")))
    maybe = maybe or bool(feared)
    far = re.search(r"(?:可能|考虑|怀疑|不排除|疑似)(?:是|有|存在|会有)?(?P<gap>[^。；]{0,30})$", lead)
    maybe = maybe or (
        far is not None
        and not re.search(r"但|不过|建议|需要|要|得|就|查|吃|排除|是|看有|照相|片子?|提示|显示|，有", far["gap"])
    )
    if words("unlikely").search(own):
        mention.dropped, mention.open = "thought unlikely", True
        return
    if role is Speaker.CLINICIAN and not question and not maybe and _is_general(text, own):
        mention.dropped, mention.open = "said in general", True
        return
    if question and _is_asked(text, own, mention, role, question):
        mention.asked = True
        mention.negated = mention.negated and mention.rank != 2 and role is not Speaker.CLINICIAN
        return
    if (
        role not in (Speaker.CLINICIAN, Speaker.NOTE)
        and re.match(r"[？?]", tail)
        and not mention.negated
        and len(own.strip("？? 。")) <= len(mention.text) + 2
    ):
        mention.dropped = "the question repeated"
        return
    mention.status = _status(text, own, tail, mention, maybe)
    mention.stated = (
        role is not Speaker.CLINICIAN
        and not question
        and re.search(r"(?:有|得了?|患有?|是)(?:点|个|些)?$", lead) is not None
    )
    if role is Speaker.CLINICIAN:
        _weigh(own, lead, tail, mention)


def _weigh(own: str, lead: str, tail: str, mention: Mention) -> None:
    """Take a problem out that a clinician names without saying that it is the patient's."""
    if mention.kind not in ("condition", "symptom", "finding") or mention.status is not Status.PRESENT:
        return
    prefix, _, rest = own.partition(mention.text)
    bare = re.fullmatch(r"[^会能可常如引致主用治没了想怕与和要才防]{0,14}", prefix) is not None
    short = bare and len(rest.strip("，。！ 的了")) <= 2
    stated = _STATED.search(_clause_lead(lead)) is not None
    if not (short or stated or _AFTERWARDS.match(tail)):
        mention.dropped, mention.status, mention.open = "only talked about", None, True
    elif short and not stated:
        mention.weak = True


# What a clinician says before a thing that is the patient's, and after it; other things are only talked about.
_STATED = re.compile(
    r"(?:诊断|确诊|考虑|提示|显示|符合|属于|明确|病理|结果|报告|单子|片子|心电图|ct|b超|彩超|造影|化验|你这|您这|他这|她这|你的|您的|孩子的|宝宝的|(?:这|那)(?:个|种情况|种|就|还|应该|也)*是|就是|^是|，是"
    r"|确实|目前|现在|已经|有点|(?:你|您|他|她|孩子|宝宝|患者)(?:还|也|就|都|确实|现在|这个)*(?:有|是|得|的)|存在|合并|伴有?|看(?:着|到|见|你)?(?:是|有)?|可见|见|患有|得了|听(?:到|着)|摸(?:到|着)|^有|，有|还有|叫|初步|：|:)[^。]{0,16}$"
)
_AFTERWARDS = re.compile(
    r"[^，。]{0,4}(?:严重|明显|加重|是肯定|肯定|诊断明确|没跑|挺重|比较重|很轻|不严重|不要紧|好转|控制)"
)


def _is_general(text: str, own: str) -> bool:
    """Whether a clinician's clause speaks of people in general; in a long lecture every clause does."""
    general = words("general")
    return (
        general.search(own) is not None
        or (len(text) > 50 and len(general.findall(text)) >= 2)
        or (len(text) > 90 and general.search(text) is not None)
    )


def _clause_lead(lead: str) -> str:
    return lead[-24:]


def _is_asked(text: str, own: str, mention: Mention, role: Speaker, question: str) -> bool:
    if mention.asked:
        return True
    if role is Speaker.CLINICIAN:
        return True
    # A patient who asks what to do about it says that it is there; one who asks whether it is, does not.
    if re.search(
        r"有什么(?:症状|表现|危害)|的(?:定义|症状|表现)(?:是|有)|(?:与|和|跟)[^，。]{1,8}有关|能.{0,3}确诊|怎(?:么|样)(?:才能)?(?:确诊|检查|判断)|如何(?:检查|判断|确诊)|(?:易|容易)得",
        own,
    ):
        return True
    before, _, rest = own.partition(mention.text)
    if re.search(r"(?:有|是|算|得了?|叫)(?:点|个)?$", before) and re.match(
        r"(?:的可能)?(?:吗|么|吧[？?]|啊[？?])", rest
    ):
        return True
    if re.search(r"引起的?(?:吗|么|吧)|导致的?(?:吗|么|吧)|死亡率|遗传吗|传染吗|[机几]率|概率|有[区缺]别", own):
        return True
    return re.search(r"是不是|会不会|是否|有没有|算不算|会.{0,4}吗|是.{0,8}(?:吗|吧？)|能得|要不要", own) is not None


# A time that is over, and illnesses that are over with it.
_ONCE = re.compile(
    r"去年|前年|大前年|上个?月|上上个?(?:周|礼拜|星期|月)|上回|上次|那年|(?:\d+|[一二两三四五六七八九十几好]+)多?年(?:以)?前|早年|小时候|年轻"
)
_ACUTE = re.compile(
    r"骨折|阑尾炎|出血|肺炎|支气管炎|喘支|感冒|脱位|扭伤|外伤|胰腺炎|胆囊炎|穿孔|气胸|带状疱疹|中毒|流产|宫外孕|肠梗阻|荨麻疹"
)


def _status(text: str, own: str, tail: str, mention: Mention, maybe: bool) -> Status:
    if mention.negated is not mention.good and not (mention.negated and mention.good):
        if re.search(r"现在(?:已经)?不是", own) and re.search(r"了", own):
            return Status.PAST
        return Status.ABSENT
    if maybe:
        return Status.POSSIBLE
    chronic = words("chronic").search(mention.concept.name) is not None
    rest = own.partition(mention.text)[2]
    after = re.match(
        r"[^，。]{0,8}[，,](?:后来|现在|目前|已经|吃了?药|治疗后?|过了?[^，。]{1,4}天|自己|然后|又|那|都|用了?药|打了?针)[^，。]{0,10}",
        tail,
    )
    eased = re.search(
        r"(?:活动|休息|歇|躺|坐|喝水|吃点|停下|一会儿?|分钟|揉|含|热敷)[^。]{0,8}$", rest + (after[0] if after else "")
    )
    if not eased and (words("cured").search(rest) or (after and not chronic and words("cured").search(after[0]))):
        return Status.PAST
    told_past = (
        re.search(r"得过|患过|犯过|有过|发生过|出现过", own) is not None
        or words("past").search(own) is not None
        or (_ONCE.search(own) is not None and re.search(r"过|了一[次回]|住院", own) is not None)
        or (
            mention.kind == "condition"
            and _ONCE.search(text.partition(mention.text)[0]) is not None
            and _ACUTE.search(mention.text) is not None
        )
    )
    still = re.search(r"(?:现在|目前|最近|一直|仍|还是|又|至今)(?![^，。]{0,3}(?:不|没|好了|正常))", text)
    if told_past and not chronic and not still:
        return Status.PAST
    return Status.PRESENT
