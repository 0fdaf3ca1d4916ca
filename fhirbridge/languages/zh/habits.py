"""Smoking, drinking, work, nights, pregnancy: how a patient lives, as told in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fhirbridge.languages.zh.mention import Mention
from fhirbridge.languages.zh.numerals import NUMBER
from fhirbridge.records import Coding, Concept, Status

LOINC = "http://loinc.org"
SCT = "http://snomed.info/sct"
SMOKING = Concept("吸烟", (Coding(LOINC, "72166-2", "Tobacco smoking status"),))
DRINKING = Concept("饮酒", (Coding(LOINC, "11331-6", "Alcohol use"),))
OCCUPATION = Coding(LOINC, "11341-5", "History of Occupation")

_SMOKE = re.compile(
    r"(?:吸|抽)烟|烟(?:龄|瘾|史|酒|(?:也|都|早|就|现在|已经)*(?:不抽|戒|抽))|戒烟|抽(?:着|得|了)?(?:一天|每天|\d|半包|一包|两包|[一二两三四五六七八九十]+(?:多)?年)"
)
_DRINK = re.compile(
    r"(?:喝|饮)(?:点|过|了)?酒|酒(?:龄|瘾|史|(?:也|都|早|就|现在|已经|量)*(?:不喝|戒|喝|不沾))|戒酒|应酬|滴酒不沾|酒(?=一天|一顿|每[天顿]|天天|偶尔|逢年|[一二两三四半][两斤瓶杯]|有时)|白酒|啤酒|酗酒|烟酒"
)
_NEVER = re.compile(
    r"不(?:吸|抽|喝|饮|沾|会)|从不|从来不|没(?:有)?(?:吸|抽|喝|饮)|无(?:吸|饮|烟|嗜)|否认|滴酒不沾|不良嗜好|没有|都不|无$"
)
_QUIT = re.compile(r"戒(?:了|掉|烟|酒)?.{0,8}(?:年|个?月|天|了)|已戒|戒了|现在不(?:抽|喝)了|不(?:抽|喝|吸)了")
_AMOUNT = re.compile(
    rf"(?:一天|每天|每日|一周|每周|天天|日均|平均每天)?(?:大概|差不多|约)?(?:抽|吸|喝|吸烟|饮)?(?:{NUMBER}|[一两二三四五六七八九十]+(?:到|-)[一两二三四五六七八九十]+)(?:多|来)?(?:包|支|根|盒|两|斤|瓶|ml|毫升|杯)(?:[/／每](?:天|日|周))?(?:还多|左右|多)?"
    rf"|(?:抽|吸|喝|烟龄)?(?:了|有)?(?:快|大概|差不多)?(?:{NUMBER}|几)(?:多|来)?年(?:前)?(?:戒)?(?:了)?|偶尔|逢年过节|应酬"
)
_JOBS = (
    r"司机|老师|教师|护士|医生|工人|农民|会计|程序员|学生|厨师|保安|保洁|公务员|警察|军人|销售|律师|工程师|设计师|快递员|外卖员|服务员|矿工|煤矿工|电焊工|建筑工人?|油漆工"
    r"|装修工|理发师|收银员|文员|个体户|家庭主妇|退休(?:工人|教师|干部)?|无业|自由职业|在家带孩子|种地|务农|跑滴滴|开滴滴|开出租|开货车|开车|跑长途|跑运输|送外卖|送快递|教书|上夜班|坐办公室|办公室工作|搞装修|打工|做生意|下矿|搬运"
)
_JOB = re.compile(
    rf"(?:我|他|她|职业(?:是|:|为)?|以前|原来|是(?:个|名)?|当|做)*(?P<job>{_JOBS})(?!说|您|你好|让|给|开|叫|看|建议|你)"
)
_OTHERS = (
    (re.compile(r"熬夜|(?:凌晨|半夜)[一二三四1234]点.{0,6}(?:才)?睡|晚睡|上夜班|倒班|睡得?(?:很|特别|太)?晚"), "熬夜"),
    (re.compile(r"(?:工作|生活|精神|学习)?压力(?:比较|特别|很|挺|有点|也)?大"), "工作压力大"),
    (re.compile(r"久坐|(?:整天|一直|天天|成天)坐(?:着|办公室)"), "久坐"),
    (re.compile(r"(?:不|没)(?:怎么|太|常|爱)?(?:运动|锻炼)|缺乏(?:运动|锻炼)"), "缺乏运动"),
    (re.compile(r"(?:想起来|想不起来).{0,8}(?:吃|不吃)|(?:老|经常|有时|总)忘(?:了|记)?吃药|吃药不规律|不规律(?:服药|吃药|用药)|断断续续(?:吃|服)|不按时吃|自己停了药"), "服药不规律"),
    (re.compile(r"独居|一个人(?:住|生活)"), "独居"),
    (re.compile(r"(?:吸|吃)毒|毒品"), "吸毒"),
)  # fmt: skip
_PREGNANT = re.compile(
    rf"(?:怀孕|怀|妊娠|孕)(?:了|有)?(?P<weeks>{NUMBER})(?:多)?(?:周|个月)|(?:现在|目前)?怀孕(?:了|中)(?!吗)|怀着孕|孕(?P<weeks2>\d+)(?:\+\d)?周"
)
_LMP = re.compile(
    rf"末次月经(?:是|时间|来|为|:|在)*(?P<date>\d{{4}}[-年.]\d{{1,2}}[-月.]\d{{1,2}}日?|(?:{NUMBER}月)?(?:{NUMBER})(?:号|日)?|\d{{4}}[-年.]\d{{1,2}}[-月.]\d{{1,2}}|上个?月{NUMBER}?号?)"
)


def find(text: str, turn: int, question: str, asked: str, clinician: bool) -> Iterator[Mention]:
    """The habits told in a sentence. `asked`: the doctor's question before it, for answers that only say how much."""
    if clinician:
        return
    smoke_asked = bool(re.search(r"烟", asked)) and re.search(r"^.{0,6}(?:抽|吸|戒|不|没|偶尔|一天|有|烟)", text)
    drink_asked = (
        bool(re.search(r"酒", asked))
        and re.search(r"^.{0,4}(?:喝|饮|戒|不|没|偶尔|酒|有)", text)
        and (not smoke_asked or re.match(r"(?:都|全|一样|啥|什么)[^，。]{0,3}(?:不|没)", text) is not None)
    )
    parts = _by_topic(text)
    for concept, pattern, topic_asked in ((SMOKING, _SMOKE, smoke_asked), (DRINKING, _DRINK, drink_asked)):
        for start, part in parts:
            if pattern.search(part) or (
                topic_asked and start == 0 and not (_DRINK if concept is SMOKING else _SMOKE).search(part)
            ):
                if question or (
                    re.search(
                        r"建议|必须|要(?:戒|少)|戒烟限酒|少(?:抽|喝|吸)|别|不要|禁|注意|如果|二手烟|不能(?:抽|喝|吸)|尽量|避免|最好",
                        part,
                    )
                    and not re.search(r"(?:吸烟|饮酒)史", part)
                ):
                    continue
                yield _habit(concept, turn, start, part)
                break
    yield from _life(text, turn, asked, question)


def _by_topic(text: str) -> list[tuple[int, str]]:
    """A sentence cut where it turns from smoke to drink or back."""
    parts: list[tuple[int, str]] = []
    last = ""
    cut = re.sub(
        r"(?<=[^，,、；喝饮戒嗜白啤红黄米药葡烟])(?=酒(?:偶尔|一天|每天|不沾|不喝|从不|倒|呢|就|天天|逢年))|(?<=抽烟)(?=酒(?:偶尔|逢年|倒|呢|就|喝))",
        "\0",
        text,
    )
    for match in re.finditer(r"[^，,、；\0]+[，,、；\0]*", cut):
        topic = "烟" if "烟" in match[0] or "抽" in match[0] else "酒" if "酒" in match[0] or "喝" in match[0] else last
        goes_on = topic or re.search(r"\d|[一二两三四五六七八九十半几]|戒|偶尔|不|没|包|支|根|应酬|瘾", match[0])
        if not goes_on and last:
            parts.append((match.start(), match[0]))
            continue
        if (parts and topic in ("", last)) or (parts and not last):
            parts[-1] = (parts[-1][0], parts[-1][1] + match[0])
        else:
            parts.append((match.start(), match[0]))
        last = topic
    return parts


def _habit(concept: Concept, turn: int, start: int, part: str) -> Mention:
    end = start + len(part.rstrip("，。！？；\n "))
    mention = Mention(turn, start, end, "social-history", concept.name, concept, part)
    amounts = [m[0].strip("，、 ") for m in _AMOUNT.finditer(part)]
    mention.value = "，".join(dict.fromkeys(a for a in amounts if a)) or None
    if _QUIT.search(part) and not re.search(r"没戒|戒不", part):
        mention.status = Status.PAST
    elif _NEVER.search(part) and not amounts:
        mention.status, mention.value = Status.ABSENT, None
    else:
        mention.status = Status.PRESENT
    return mention


_PLACE = re.compile(
    r"(?:在|就职于|任职于)(?P<place>[\u4e00-\u9fff]{0,6}?(?:厂|公司|工地|车间|矿上?|饭店|酒店|超市|学校|银行|工厂|单位|机关|部队|医院|药店|幼儿园|养殖场|仓库))(?:里|上)?(?:上班|干活|工作|打工|干(?!净|呕|咳)|做(?:工|事|饭|保洁|保安))"
)
_RETIRED = re.compile(
    r"退休(?:教师|老师|工人|干部|医生|会计|职工|职员|护士|军人|公务员|工程师)|(?<=职业[:：为是])[\u4e00-\u9fff]{2,8}|(?:开大车|开大货车|开出租车?|开公交)(?:的|，|$)"
)


def _workplace(text: str, turn: int, asked: str) -> Iterator[Mention]:
    """Where or as what a patient works, told without the name of a trade."""
    match = _PLACE.search(text)
    if match is None or re.search(r"(?:他|她|爸|妈|爷|奶|哥|姐|公|婆|儿子|女儿)[^，。]{0,3}$", text[: match.start()]):
        match = _RETIRED.search(text)
    if match is None or (re.search(r"住|复查|看病|检查", match[0])):
        return
    name = match[0].rstrip("的，")
    mention = Mention(
        turn,
        match.start(),
        match.start() + len(name),
        "social-history",
        "职业",
        Concept(f"职业：{name}", (OCCUPATION,)),
        name,
    )
    mention.value, mention.status = name, Status.PRESENT
    yield mention


def _life(text: str, turn: int, asked: str, question: str = "") -> Iterator[Mention]:
    for pattern, name in _OTHERS:
        match = pattern.search(text)
        if match and not re.search(r"(?:不|没(?:有)?|从不|不怎么)$", text[: match.start()]):
            mention = Mention(turn, match.start(), match.end(), "social-history", name, Concept(name), match[0])
            mention.status = Status.PRESENT
            yield mention
    yield from _workplace(text, turn, asked)
    job = _JOB.search(text)
    working = re.search(r"工作|职业|干(?:什么|啥)|做(?:什么|啥)", asked)
    if (
        job
        and not _RETIRED.search(text)
        and (
            working
            or re.search(r"我(?:是|在|做|以前|平时)|职业", text[: job.end()])
            or job["job"] in ("跑滴滴", "种地", "务农", "开出租", "开货车")
        )
    ):
        name = job["job"]
        mention = Mention(
            turn,
            job.start("job"),
            job.end("job"),
            "social-history",
            "职业",
            Concept(f"职业：{name}", (OCCUPATION,)),
            name,
        )
        mention.value, mention.status = name, Status.PRESENT
        yield mention
    pregnant = _PREGNANT.search(text)
    weeks = (
        re.match(rf"^\s*(?:大概|差不多|刚|快|有|已经)*(?P<weeks>{NUMBER})\s*周(?:加|\+|多|又|零)?", text)
        if re.search(r"怀孕|几周|孕", asked)
        else None
    )
    unpregnant = re.search(r"(?:没(?:有)?|未|不可能)怀孕|没怀(?:上)?(?=[，。]|$)|试纸(?:是)?(?:一道杠|阴性)", text)
    if (unpregnant or weeks) and not question:
        told = unpregnant or weeks
        assert told is not None
        concept = Concept("妊娠", (Coding(LOINC, "82810-3", "Pregnancy status"),))
        mention = Mention(turn, told.start(), told.end(), "social-history", "妊娠", concept, told[0])
        coded = Coding(SCT, "60001007", "Not pregnant") if unpregnant else Coding(SCT, "77386006", "Pregnant")
        mention.value, mention.status = Concept("未妊娠" if unpregnant else "妊娠", (coded,)), Status.PRESENT
        yield mention
        return
    if pregnant and not re.search(r"备孕|没|不|想|准备|能", text[max(0, pregnant.start() - 4) : pregnant.start()]):
        concept = Concept("妊娠", (Coding(LOINC, "82810-3", "Pregnancy status"),))
        mention = Mention(turn, pregnant.start(), pregnant.end(), "social-history", "妊娠", concept, pregnant[0])
        mention.value, mention.status = Concept("妊娠", (Coding(SCT, "77386006", "Pregnant"),)), Status.PRESENT
        yield mention
    menopause = re.search(r"绝经(?:了)?(?P<years>[^，。]{0,6}年)?", text)
    if menopause and not re.search(r"未|没|围", text[max(0, menopause.start() - 2) : menopause.start()]):
        mention = Mention(
            turn, menopause.start(), menopause.end(), "observation", "绝经", Concept("绝经"), menopause[0]
        )
        mention.value, mention.status = menopause["years"] or "是", Status.PRESENT
        yield mention
    period = _LMP.search(text)
    if period:
        concept = Concept("末次月经", (Coding(LOINC, "8665-2", "Last menstrual period start date"),))
        mention = Mention(turn, period.start(), period.end(), "observation", "末次月经", concept, period[0])
        mention.value, mention.status = period["date"], Status.PRESENT
        yield mention
