"""Tumours as they are told in Chinese: stage, TNM, genes, spread, response, size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from fhirbridge.languages.zh import numerals
from fhirbridge.languages.zh.mention import Mention, Vocabulary, named
from fhirbridge.languages.zh.numerals import NUMBER
from fhirbridge.records import Coding, Concept, Quantity, Status

LOINC = "http://loinc.org"
_ROMAN = {
    "ⅰ": "I",
    "ⅱ": "II",
    "ⅲ": "III",
    "ⅳ": "IV",
    "1": "I",
    "2": "II",
    "3": "III",
    "4": "IV",
    "一": "I",
    "二": "II",
    "三": "III",
    "四": "IV",
}
_STAGE = re.compile(
    r"(?<![a-z\d肾])(?P<stage>i{1,3}|iv|[ⅰⅱⅲⅳ]|[1-4一二三四](?=[abc期]))(?P<letter>[abc]?\d?)\s?期(?!待|间|望|临床试验|手术|复查)|(?P<word>晚期|早期|中期|局部晚期|广泛期|局限期)(?=[^，。]{0,6}(?:癌|瘤|肺|胃|肝))"
)
_TNM = re.compile(r"(?<![a-z\d])(?:yp|y?c|p)?t(?:[0-4x]|is)[a-d]?(?:\(.{1,3}\))?n[0-3x][a-d]?m[01x][a-d]?")
_CANCER = re.compile(r"癌|瘤|分期|转移|肉瘤|白血病|tnm|病理")
_GENES = {
    "egfr": "EGFR突变", "alk": "ALK融合", "ros1": "ROS1融合", "ros-1": "ROS1融合", "kras": "KRAS突变", "nras": "NRAS突变", "braf": "BRAF突变",
    "met": "MET突变", "c-met": "MET突变", "her2": "HER2", "her-2": "HER2", "ret": "RET融合", "ntrk": "NTRK融合", "brca1": "BRCA1突变", "brca2": "BRCA2突变", "brca": "BRCA突变",
    "pik3ca": "PIK3CA突变", "tp53": "TP53突变", "er": "雌激素受体", "pr": "孕激素受体", "ki-67": "Ki-67", "ki67": "Ki-67", "idh1": "IDH1突变", "mgmt": "MGMT甲基化",
    "ttf-1": "TTF-1", "ttf1": "TTF-1", "ck7": "CK7", "napsina": "NapsinA", "napsin a": "NapsinA", "p40": "P40", "p63": "P63", "syn": "Syn", "cga": "CgA", "cd20": "CD20",
    "雌激素受体": "雌激素受体", "孕激素受体": "孕激素受体", "kit": "KIT突变", "flt3": "FLT3突变", "bcr-abl": "BCR-ABL融合", "nrg1": "NRG1融合", "fgfr2": "FGFR2融合", "tmb": "肿瘤突变负荷",
    "claudin18.2": "Claudin18.2", "cldn18.2": "Claudin18.2", "claudin 18.2": "Claudin18.2", "pten": "PTEN", "ar": "雄激素受体", "idh2": "IDH2突变", "npm1": "NPM1突变",
    "jak2": "JAK2突变", "vegf": "VEGF", "msh2": "MSH2", "msh6": "MSH6", "mlh1": "MLH1", "pms2": "PMS2", "trop2": "TROP2", "psma": "PSMA", "fgfr3": "FGFR3突变",
}  # fmt: skip
_NAMES = "|".join(sorted(map(re.escape, _GENES), key=len, reverse=True))
_VARIANT = r"(?:第)?(?P<variant>(?:19|20|21|18|14|十九|二十一|二十|十四)号?外显子(?:缺失|插入|跳跃)?(?:突变)?(?:[\(（]?l858r[\)）]?)?|19del|l858r|t790m|g12[cdv]|v600e|20ins|c797s|扩增|缺失突变|敏感突变|过表达)?"
_RESULT = r"(?:基因|融合|重排|突变|扩增|表达|检测|的|都|也|均|是|为|:|：|，|,|、|\s|结果|呈|全|评分|ihc)*(?P<result>(?:强|弱|中等?)?(?:阳性|表达)?(?:率)?(?:是|为|，|大概|约)?百分之[一二三四五六七八九十百零]+|(?:强|弱|中等?)?阳性[（(]?约?\d{1,3}%[)）]?|[零〇0123一二两三]个?加号?|[（(][1-3]?[+-]{0,3}[，,、\s]*(?:约|中|强|弱|阳性)*\d{1,3}%[+-]?[)）]|阳性|阴性|野生型|未见(?:明显)?突变|没有突变|没突变|无突变|未检出|未突变|不突变|有突变|突变型?|\(?[1-3]?\+{1,3}\)?|（[1-3]?[+-]{1,3}）|\([-]\)|-(?=[，。、\s])|约?\d{1,3}%)"
_GENE = re.compile(
    rf"(?<![a-z\d])(?P<gene>{_NAMES})(?![a-z\d])(?:基因|融合|重排|突变)?\s*{_VARIANT}(?:突变)?(?:{_RESULT})?"
)
_GENE_OF = {
    "t790m": "EGFR",
    "c797s": "EGFR",
    "l858r": "EGFR",
    "19del": "EGFR",
    "20ins": "EGFR",
    "g12": "KRAS",
    "v600e": "BRAF",
}
_VARIANT_ALONE = re.compile(
    r"(?<![a-z\d])(?P<variant>t790m|c797s|l858r|19del|20ins|g12[cdv]|v600e)(?:突变|点突变)?(?P<no>未检出|没(?:有)?(?:查|测)?出?|是?阴性)?(?:是|为)?(?:阳性|阴性)?"
)
_PDL1 = re.compile(
    r"pd-?l1\s*(?:[（(][^）)]{1,10}[)）])?(?:表达|检测|的|\s)*(?P<score>tps|cps|tc|ic)?(?:评分|是|为|:|：|大概|约|表达|阳性|\s|≥|>|，|=)*(?P<value>\d{1,3}(?:\.\d+)?)\s*(?P<percent>%)?|pd-?l1(?:表达)?(?:是|为|:|\s)*(?P<word>阴性|阳性|高表达|低表达)|pd-?l1\s*(?:表达)?(?P<score2>tps|cps)?(?:是|为|:|大概|约|表达|阳性|，)*(?:百分之)?(?P<spoken>[一二三四五六七八九十百]+)(?![个年月天次周])"
)
_MSI = re.compile(r"msi-?h|mss|msi-?l|dmmr|pmmr|微卫星(?:不稳定|稳定)")
_SPREAD = re.compile(
    r"(?P<site>骨扫描|脑|颅内|骨头?|肝脏?|肺内?|对侧肺|双肺|淋巴结?|肾上腺|胸膜|腹膜|脊柱|椎体|卵巢|皮下|心包|远处)(?:上|里)?(?:多发|的|有|都)*(?P<gap>[^，。、]{0,8}?)转移(?!到)|转移到(?:了)?(?P<to>脑子?|骨头?|肝脏?|肺|淋巴结?|肾上腺)"
)
_SPREAD_NAME = {"骨扫描": "骨转移", "颅内": "脑转移", "脑子": "脑转移", "脑": "脑转移", "骨头": "骨转移", "骨": "骨转移", "椎体": "骨转移", "脊柱": "骨转移", "肝": "肝转移", "肝脏": "肝转移",
                "淋巴": "淋巴结转移", "淋巴结": "淋巴结转移", "肺内": "肺转移", "双肺": "肺转移", "对侧肺": "肺转移", "肺": "肺转移"}  # fmt: skip
_RESPONSE = re.compile(
    r"(?:疗效|评效|评估|评价|复查)(?:评价|评估)?(?:是|为|:|：|考虑|达到?|，|结果)*(?P<value>pr|sd|pd|cr|部分缓解|完全缓解|疾病稳定|疾病进展|病情稳定|进展)(?![a-z])|(?:达到?|评(?:为|价)|最佳疗效)(?P<value2>pr|sd|pd|cr)(?![a-z])"
)
_SIZE = re.compile(
    rf"(?P<where>(?:左|右|双)?(?:侧)?(?:肺|乳|乳腺|肝|肾|卵巢|甲状腺|胃|结肠|直肠|胰头?|子宫|颈部?|腋下|腋窝|纵隔|腹膜后|颅内|额叶|颞叶)?(?:脏|房)?(?:[上中下左右尖后前]{{1,2}}(?:叶|极|段|肺))?(?:[左右]叶)?)(?:见|有|可见|一个|一枚|的|处|一|，)*"
    rf"(?P<what>肿块|包块|占位|肿物|结节|团块|病灶|肌瘤|囊肿)(?:影|性病变)?(?:，|,|大小|约|大概|是|有|为|直径|最大|一共|:)*(?P<a>{NUMBER})(?:\s*(?:cm|mm|厘米)?\s*(?:乘以?|x|×|\*)\s*(?P<b>{NUMBER}))?(?:\s*(?:乘以?|x|×|\*)\s*(?P<c>{NUMBER}))?\s*(?P<unit>cm|厘米|公分|mm|毫米)"
)


def find(text: str, turn: int, lexicon: Vocabulary) -> Iterator[Mention]:
    """What a turn says of a tumour."""
    yield from _stages(text, turn)
    yield from _markers(text, turn)
    yield from _spread(text, turn, lexicon)
    yield from _sizes(text, turn)
    for match in _RESPONSE.finditer(text):
        mention = _observation(turn, match, Concept("疗效评价"), (match["value"] or match["value2"]).upper())
        yield mention


def _observation(turn: int, match: re.Match[str], concept: Concept, value: str, kind: str = "observation") -> Mention:
    mention = Mention(turn, match.start(), match.end(), kind, concept.name, concept, match[0])
    mention.value, mention.status = value, Status.PRESENT
    return mention


def _stages(text: str, turn: int) -> Iterator[Mention]:
    group = Concept("临床分期", (Coding(LOINC, "21908-9", "Stage group.clinical Cancer"),))
    for match in _STAGE.finditer(text):
        near = text[max(0, match.start() - 40) : match.end() + 20]
        if (
            not match["stage"]
            or not _CANCER.search(near)
            or re.search(r"如果|要是|算|还是", text[max(0, match.start() - 6) : match.start()])
        ):
            continue
        stage = _ROMAN.get(match["stage"], match["stage"].upper()) + match["letter"].upper()
        yield _observation(turn, match, group, stage)
    for match in _TNM.finditer(text):
        tnm = match[0]
        prefix = re.match(r"yp|y?c|p", tnm)
        shown = (prefix[0] if prefix else "") + re.sub(
            r"[tnm]", lambda m: m[0].upper(), tnm[len(prefix[0]) if prefix else 0 :]
        )
        yield _observation(turn, match, Concept("TNM分期"), shown)


def _markers(text: str, turn: int) -> Iterator[Mention]:
    found = list(_GENE.finditer(text))
    for place, match in enumerate(found):
        result = match["result"]
        if result is None and match["variant"] is None:
            later = next((m for m in found[place + 1 :] if m["result"]), None)
            if later and re.fullmatch(r"(?:(?:[、，,和及/\s]|还有)*[a-z\d-]*)*", text[match.end() : later.start()]):
                result = later["result"]
        if result is None and match["variant"] is None:
            continue
        name = _GENES[match["gene"]]
        variant = match["variant"]
        if variant:
            said = variant.upper() if variant.isascii() else variant.replace("号", "")
            name = match["gene"].upper() + (" " if said[0].isascii() else "") + re.sub(r"突变$", "", said)
        value = "阴性" if result and re.search(r"阴|野生|未|没|无|不|^[（(]?-", result) else "阳性"
        mention = _observation(turn, match, Concept(name), value, "laboratory")
        spoken = numerals.read(result[result.index("百分之") :]) if result and "百分之" in result else None
        if spoken is not None:
            mention.value = Quantity(spoken.value, "%", "%")
        elif result and "%" in result:
            mention.value = Quantity(Decimal(re.findall(r"\d+(?=%)", result)[0]), "%", "%")
        elif result and name == "HER2":
            mention.value = _score(result) or value
        elif re.match(r"(?:有没有|查|做)", text[max(0, match.start() - 3) : match.start()]):
            continue
        yield mention
    for match in _VARIANT_ALONE.finditer(text):
        if any(m.start() <= match.start() < m.end() for m in found):
            continue
        gene = _GENE_OF[re.sub(r"[cdv]$", "", match["variant"])]
        mention = _observation(turn, match, Concept(f"{gene} {match['variant'].upper()}"), "阳性", "laboratory")
        mention.value = "阴性" if match["no"] or "阴" in match[0] else "阳性"
        yield mention
    for match in _PDL1.finditer(text):
        score = (match["score"] or match["score2"] or "tps").upper()
        mention = _observation(turn, match, Concept(f"PD-L1 {score}"), match["word"] or "", "laboratory")
        spoken = numerals.read(match["spoken"] or "")
        if match["value"] or spoken:
            unit = "" if score == "CPS" else "%"
            mention.value = Quantity(Decimal(match["value"]) if match["value"] else spoken.value, unit, unit or "1")  # type: ignore[union-attr]
        if mention.value:
            yield mention
    for match in _MSI.finditer(text):
        yield _observation(turn, match, Concept("微卫星状态"), match[0].upper(), "laboratory")


_PLUSES = {"零": 0, "〇": 0, "一": 1, "两": 2, "二": 2, "三": 3}


def _score(result: str) -> str:
    """The score of a stain told by its plus signs: 三个加号, 3+, (++); "" for other results."""
    match = re.search(r"([0-3零〇一二两三])(?:个?加|\+)|(\+{1,3})", result)
    if match is None:
        return ""
    count = len(match[2]) if match[2] else _PLUSES[match[1]] if match[1] in _PLUSES else int(match[1])
    return {0: "阴性（0）", 1: "阴性（1+）", 2: "2+", 3: "阳性（3+）"}[count]


def _spread(text: str, turn: int, lexicon: Vocabulary) -> Iterator[Mention]:
    for match in _SPREAD.finditer(text):
        site = match["site"] or match["to"]
        mention = named(
            _SPREAD_NAME.get(site, site + "转移"), "condition", lexicon, turn, match.start(), match.end(), text
        )
        mention.negated = re.search(r"没|未|无|不", match["gap"] or "") is not None
        mention.rank = 1 if mention.negated else 0
        yield mention


def _sizes(text: str, turn: int) -> Iterator[Mention]:
    for match in _SIZE.finditer(text):
        numbers = [numerals.read(match[g]) for g in "abc" if match[g]]
        value = "×".join(str(n.value) for n in numbers if n)
        unit = "mm" if match["unit"] in ("mm", "毫米") else "cm"
        mention = _observation(turn, match, Concept(match["where"] + match["what"]), f"{value} {unit}", "exam")
        yield mention
