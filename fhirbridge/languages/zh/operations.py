"""Operations told by what was operated on, and vaccines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fhirbridge.languages.zh.mention import Mention, Vocabulary, named

_OPERATION = re.compile(
    r"(?P<name>[\u4e00-\u9fff]{1,9}?)(?P<what>(?:微创|介入|根治|改良根治|置换|切除|修补|摘除|保胎|取石|碎石|成形|融合|固定)?(?:手术|术)(?![后前中语式]|治疗)|切除(?!术)|移植(?!术))"
)
_BEFORE_OPERATION = re.compile(
    r"(?:做|行|有|的|了|过|个|是|在|要|去|因|月份?|年|号|日|天|次|我|他|她|你|这|那|能|会|需|等|把|给|用|经|后|前|再|先|说|拟|择期|曾|于|急诊|全麻下|[一二两三四]个?|不|没|想|可以|建议|考虑|接受|动|开)+"
)


_NO_OPERATION = re.compile(
    r"[的得了比较这那种么大小好快难易吗呢吧啊贵钱费]|什么|怎么|成功|需不|必须|如果|尽快|及时|早期?"
)


def find(text: str, turn: int, lexicon: Vocabulary) -> Iterator[Mention]:
    """Operations told by what was operated on: 乳腺癌手术, 膝关节置换术."""
    for match in _OPERATION.finditer(text):
        name, cut = match["name"], 0
        for lead in _BEFORE_OPERATION.finditer(name):
            cut = lead.end()
        name = name[cut:]
        if name and not _NO_OPERATION.search(name) and (len(name) > 1 or len(match["what"]) > 2):
            start = match.start() + cut
            yield named(name + match["what"], "procedure", lexicon, turn, start, match.end(), text)


def tumours(by_name: list[Mention], kept: list[Mention]) -> Iterator[Mention]:
    """The tumour inside the name of an operation is told with it: 直肠癌手术."""
    for operation in kept:
        if operation.kind == "procedure" and re.search(r"(?:手术|术)$", operation.text):
            inside = [
                m for m in by_name if m.start == operation.start and m.end < operation.end and m.text[-1] in "癌瘤"
            ]
            yield from inside[:1]


_VACCINE = re.compile(
    r"(?:流感|肺炎球?菌?|轮状病毒?|乙肝|甲肝|水痘|麻疹|麻腮风|狂犬病?|新冠|hpv|宫颈癌|带状疱疹|破伤风|手足口|五联|百白破|脊灰|乙脑|流脑|九价|四价|二价|13价|23价)[\u4e00-\u9fff\d价]{0,4}?(?:疫苗|针(?!灸))|卡介苗"
)


def vaccines(text: str, turn: int, lexicon: Vocabulary) -> Iterator[Mention]:
    for match in _VACCINE.finditer(text):
        yield named(match[0] + "接种", "procedure", lexicon, turn, match.start(), match.end(), text)
