"""Tests told without a number in Chinese: positive or negative, plus signs of a strip, "normal"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fhirbridge.languages.zh import numerals
from fhirbridge.languages.zh.mention import Mention, Vocabulary, named
from fhirbridge.records import Concept, Status

_TEST = re.compile(
    r"(?P<name>[\u4e00-\u9fffa-z\d-]{1,10}?(?:抗原|抗体|核酸|试验|涂片|试纸|皮试|hp|幽门螺杆菌|c13|呼气试验|dna|rna|便潜血|大便潜血|尿潜血|早孕试纸|早早?孕|验孕棒?|怀孕试纸))(?:检查|检测|结果|是|也|都|均|为|呈|查的|做的|:|，|的)*(?P<value>阴性|阳性|弱阳性|\(\+\)|\(-\))"
)


def tests(text: str, turn: int) -> Iterator[Mention]:
    """Tests told as positive or negative that no table names ("甲流乙流抗原都是阴性")."""
    for match in _TEST.finditer(text):
        concept = Concept(re.sub(r"^(?:的|了|查|做|测|都|也|是)+", "", match["name"]))
        mention = Mention(turn, match.start(), match.end(), "laboratory", concept.name, concept, match[0])
        mention.value = {"(+)": "阳性", "(-)": "阴性"}.get(match["value"], match["value"])
        mention.status = Status.PRESENT
        yield mention


_PLUS = re.compile(
    r"(?P<name>尿蛋白|尿潜血|尿隐血|潜血|隐血|尿糖|尿葡萄糖|尿酮体?|酮体|尿白细胞|尿红细胞|尿胆红素|尿胆原|亚硝酸盐|大便潜血|便潜血)(?:检查|结果|是|为|有|:|，|呢|还有|现在)*(?:阳性)?[（(]?(?P<plus>[1-4一二两三四]\s?个?加号?|[1-4]\+|\+{1,4}(?!\d)|±|\+-)[)）]?"
)
_STRIP = {
    "潜血": "尿潜血",
    "隐血": "尿潜血",
    "尿隐血": "尿潜血",
    "尿葡萄糖": "尿糖",
    "酮体": "尿酮体",
    "尿酮": "尿酮体",
    "便潜血": "大便潜血",
}


def strips(text: str, turn: int) -> Iterator[Mention]:
    """What a test strip shows, told by its plus signs: 尿蛋白两个加, 潜血1+."""
    for match in _PLUS.finditer(text):
        said = match["name"]
        name = (
            "大便潜血"
            if said in ("潜血", "隐血") and re.search(r"便[^，。]{0,6}$", text[: match.start()])
            else _STRIP.get(said, said)
        )
        plus = match["plus"]
        digit = re.match(r"[1-4一二两三四]", plus)
        number = numerals.read(digit[0]) if digit else None
        mention = Mention(turn, match.start(), match.end(), "laboratory", name, Concept(name), match[0])
        mention.value = "±" if plus in ("±", "+-") else f"{int(number.value) if number else plus.count('+')}+"
        mention.status = Status.PRESENT
        yield mention


_RESULT = re.compile(
    r"(?:检查|结果|报告|也|都|做了|了|，|查了|是|的|这些|基本)*(?P<value>没事|没问题|正常|没什么(?:问题|事)?|未见(?:明显)?异常|无异常|没(?:有)?(?:什么|大|啥)?(?:问题|毛病|异常)|都好)"
)


def result_after(text: str, end: int) -> tuple[str, int]:
    """ "正常" and where it ends when what follows text[end:] says that a test was normal."""
    match = _RESULT.match(text[end:])
    return ("正常", end + match.end()) if match else ("", end)


def again(text: str, number: int, found: Sequence[Mention], lexicon: Vocabulary) -> list[Mention]:
    """ "再去复查一下" without an object means the blood count that was just told."""
    match = re.search(r"复查(?:一下|一次|看看)?(?:吧|啊)?(?=[，。]|$)", text)
    counted = ("白细胞计数", "血小板计数", "血红蛋白", "中性粒细胞百分比", "中性粒细胞计数", "C反应蛋白")
    recent = [m for m in found if m.kind == "laboratory" and number - m.turn <= 3 and m.concept.name in counted]
    if match is None or not recent:
        return []
    return [named("血常规复查", "procedure", lexicon, number, match.start(), match.end(), text)]
