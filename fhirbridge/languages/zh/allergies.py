"""Allergies as they are told in Chinese: 对青霉素过敏, 鸡蛋过敏, 没有药物过敏史."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fhirbridge.languages.zh.mention import Mention, Vocabulary
from fhirbridge.records import Concept, Span, Status

_THING = re.compile(
    r"(?:对(?P<to>[^，。对吗没]{1,16}?)(?:这类|之类的?|类)?(?:药物?|的)?(?:都|也|是|有点|严重)*过敏|(?P<what>[^，。、对有没无是的会否认哪儿 说]{1,8}?)(?:都|也)?(?P<no>没有?|不|无)?过敏)(?!性|原|源|体质|科|药|症状|的药|反应)"
)
_NONE = re.compile(
    r"(?:没有|无|否认)(?:什么|啥|任何|明确|已知的?|明显的?)?(?:药物?|食物|及|和|与|或|、|其他|其它)*过敏(?:史|的)?|没(?:什么|啥|药物?|食物)+过敏|过敏史?(?:都|也|，|:)*(?:没有?|无|否认)(?!过)|(?:药物?|食物)过敏(?:都|也)*(?:没有?|无)|药物过敏史[:：]?无"
)
_ASKED = re.compile(r"过敏(?!性|原)|(?:吃|用|打)(?:了|什么)?[^，。]{0,6}(?:起疹|不能碰|不能吃)")
_WHICH = re.compile(r"什么|啥|哪")
_NOT_THING = re.compile(
    r"^(?:.*抗|什么|啥|药物?|食物|有|皮肤|鼻子?|抗|脱|容易|比较|吃药|打针|是不是|可能|会|是|都|没|不|什么药|吃药打针有|我|他|她|好像|严重|湿疹|有点|觉得|应该|没有?|怎么|一些?|季节性?|花粉症|完|后|也|造成|引起|现在|以前|从来|一直|那|这|考虑|属于)+$"
)
_DRUG = Concept("药物过敏", ())


def find(text: str, turn: int, lexicon: Vocabulary, question: bool) -> Iterator[Mention]:
    """The allergies named in a sentence of a turn; `question` when the sentence asks."""
    for match in _NONE.finditer(text):
        if question:
            continue
        mention = Mention(turn, match.start(), match.end(), "allergy", "药物过敏", _DRUG, match[0])
        mention.status = Status.ABSENT
        yield mention
    none = [(m.start(), m.end()) for m in _NONE.finditer(text)]
    for match in _THING.finditer(text):
        if any(match.start() < high and match.end() > low for low, high in none) and not question:
            continue
        name = re.sub(
            r"^(?:还有|就是|我|他|她|只|小时候|年轻时|以前|曾经?|是|说|医生|大夫|检查|的|那)+",
            "",
            match["to"] or match["what"] or "",
        )
        names = [n for n in re.split(r"或者?|和|、|还是|及|跟|有", name) if n and not _NOT_THING.match(n)]
        for name in names if match["to"] else names[-1:]:  # 对牛奶、鸡蛋过敏 is two
            start = match.start() + match[0].find(name)
            end = match.end() if name == names[-1] else start + len(name)
            mention = Mention(turn, start, end, "allergy", "", _concept(name, lexicon), text[start:end])
            mention.key = "allergy:" + mention.concept.name
            mention.asked = question
            denied = match["no"] or re.search(
                r"(?:不是|哪儿?是|没有?|不|无)(?:对)?$", text[max(0, match.start() - 4) : start]
            )
            mention.status = None if question else Status.ABSENT if denied else Status.PRESENT
            yield mention
    wrong = re.search(
        r"(?:哪儿?是|不是)(?P<no>[^，。啊呀]{1,6})[啊呀]?[，,]?(?:是|应该是)(?P<yes>[^，。！那啊]{1,8})", text
    )
    if wrong and "过敏" in text:
        for group, status in (("no", Status.ABSENT), ("yes", Status.PRESENT)):
            name = wrong[group]
            mention = Mention(turn, wrong.start(group), wrong.end(group), "allergy", "", _concept(name, lexicon), name)
            mention.key, mention.status, mention.rank = "allergy:" + mention.concept.name, status, 6
            yield mention


_REACTION = r"(?:皮肤|身上|全身|浑身|嘴边|嘴角|嘴巴?|嘴唇|脸上?|脖子|胸口|眼睛|喉咙|胳膊|皮试|就|会|都|也|过|后|了|得|一|满|起|出|长|发|大片|好多|好几|很|特别|有点|整个人?|肿一圈|老高)*(?:过敏|休克|喘不(?:上|过)来?气|抢救|憋气|呕吐|上吐下泻|头晕|起?(?:红)?疹子?|疙瘩|风团|痒|肿|发红|红|喘|憋|阳性|阳(?![光台痿])|水泡|皮炎)"
_TOLD = re.compile(
    rf"^(?:嗯|有|对|就|是|好像|应该|那个|我|他|她|小时候|以前|吃|用|打|一次|一|喝|碰|闻|只|过|了|的)*(?P<name>(?!过敏|皮疹|疹子|药疹)[\u4e00-\u9fff]{{2,7}}?)(?:类|的药|这类|之类)?(?:[，,、]|吃了?|一吃|用了?|打了?|喝了?|一碰|碰了?|输了?|皮试|做皮试)+{_REACTION}"
    rf"|(?:吃|一吃|喝|用|打|碰|闻)(?:了|过|到)?(?P<eaten>[\u4e00-\u9fff]{{1,6}}?)(?:以?后|的话|就|会|了|，)*(?:皮肤|身上|全身|浑身|嘴巴?|嘴唇|脸上?|眼睛|喉咙)(?:就|会|都|也|上|边)*{_REACTION}"
)


def told(text: str, turn: int, lexicon: Vocabulary) -> Iterator[Mention]:
    """What the answer to a question for allergies names with its reaction: 磺胺，吃了起疹子; 吃芒果嘴肿."""
    if "过敏" in text and not re.search(r"皮试|休克", text):
        return
    for clause in re.finditer(r"[^。！？；]+", text):
        match = _TOLD.search(clause[0])
        if match is None or re.search(r"没有?(?:过|什么)?|不会", clause[0][: match.start()]):
            continue
        group = "name" if match["name"] else "eaten"
        name = match[group]
        if _NOT_THING.match(name) or re.search(r"没|不|什么|药$|时候", name):
            continue
        start, end = clause.start() + match.start(group), clause.start() + match.end()
        concept = _concept(name, lexicon)
        mention = Mention(turn, start, end, "allergy", "allergy:" + concept.name, concept, text[start:end])
        mention.status = Status.PRESENT
        yield mention


def is_stated(sentence: str) -> bool:
    """Whether a patient tells of an allergy before asking something: 我对头孢过敏，能吃吗."""
    return (
        re.match(
            r"(?:那|可|但|不过|医生|大夫|，)*我?(?:对[^，。？]{1,8}|[^，。？]{2,6}(?<!什么)(?<!是不是))过敏(?:的)?[，,]",
            sentence,
        )
        is not None
    )


def topic(sentence: str) -> bool:
    """Whether a question asks for allergies in general ("有什么药物过敏吗")."""
    return _ASKED.search(sentence) is not None and not any(
        not _NOT_THING.match(m["to"] or m["what"] or "") for m in _THING.finditer(sentence)
    )


def none_known(turn: int, start: int, end: int, text: str, evidence: list[Span]) -> Mention:
    """The answer "no" to a question for allergies."""
    mention = Mention(turn, start, end, "allergy", "药物过敏", _DRUG, text)
    mention.status, mention.evidence = Status.ABSENT, list(evidence)
    return mention


def _concept(name: str, lexicon: Vocabulary) -> Concept:
    entry = lexicon.find(name, "zh")
    if entry is not None and entry.kind in ("medication", "medication-class", "allergen"):
        return entry.in_language("zh")
    return Concept(name)
