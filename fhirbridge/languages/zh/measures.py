"""Vital signs, laboratory values, scores and body measures as they are said in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.languages.zh import numerals
from fhirbridge.languages.zh.mention import Mention
from fhirbridge.languages.zh.numerals import NUMBER
from fhirbridge.records import Coding, Concept, Quantity, Status

LOINC = "http://loinc.org"
_FILL = (
    r"(?:的?(?:结果|数值|值|含量|水平|浓度|检查)|测(?:的|了|出来)?|量(?:的|了|出来)?|查(?:的|了|出来)?|检查|显示|提示|是|为|[:：]|有|到了?|在|达|高达|才|只有|就"
    r"|从[\d.]+多?(?:升|降|涨|变|掉|增)(?:高|低|加)?(?:到|至|成)|做(?:了|出来)?|得了?|总分|大概|差不多|约|大约|左右|了|也|都|=|≈|还|现在|今天|昨天|早上|晚上|空腹|一般|基本|维持|升到|降到|升高到|降至|升至|高了?|低了?|偏高|偏低|算|评分|评|给|打|最高|最低|平时|去年|体检|这[次回]|上[次回]|前[次天]|上个?月|刚才?|夹上|复查|一查|小于|大于|<|>|\s|的|能|多|快|慢|个)*"
)
_UNIT = (
    r"(?P<unit>mmol/l|毫摩尔每?升?|毫摩|μmol/l|umol/l|微摩尔每?升?|微摩|g/l|克每升|mg/l|mg/dl|g/dl|ng/ml|pg/ml|ng/l|μg/l|ug/l|iu/ml|u/ml|u/l|iu/l|miu/l|miu/ml"
    r"|mmhg|毫米汞柱|毫米|次/分(?:钟)?|次每分(?:钟)?|次|bpm|下|%|个点|个|℃|°c|度|kg|公斤|千克|斤|cm|厘米|公分|米|m(?!m)|分|级|×?10\^?\d+/l|\*10\^?\d+/l|万|秒|s(?![a-z]))?"
)
_UCUM = {
    "mmol/l": ("mmol/L", "mmol/L"), "毫摩": ("mmol/L", "mmol/L"), "μmol/l": ("μmol/L", "umol/L"), "umol/l": ("μmol/L", "umol/L"),
    "微摩": ("μmol/L", "umol/L"), "g/l": ("g/L", "g/L"), "克每升": ("g/L", "g/L"), "mg/l": ("mg/L", "mg/L"),
    "mg/dl": ("mg/dL", "mg/dL"), "g/dl": ("g/dL", "g/dL"), "ng/ml": ("ng/mL", "ng/mL"), "pg/ml": ("pg/mL", "pg/mL"),
    "ng/l": ("ng/L", "ng/L"), "μg/l": ("μg/L", "ug/L"), "ug/l": ("μg/L", "ug/L"), "u/ml": ("U/mL", "U/mL"), "iu/ml": ("IU/mL", "[IU]/mL"),
    "u/l": ("U/L", "U/L"), "iu/l": ("IU/L", "[IU]/L"), "miu/l": ("mIU/L", "m[IU]/L"), "miu/ml": ("mIU/mL", "m[IU]/mL"), "%": ("%", "%"),
}  # fmt: skip
# A value that is a limit, a goal or a normal range is nobody's result.
_LIMIT = re.compile(
    r"(?:超过|大于|小于|低于|高于|控制在|控制到|降到|不到|至少|正常(?:值|范围)?(?:是|为|在|应该)?|以下|以上|不超过|不低于|标准|目标|如果|要是|一旦|>|<|≥|≤)[^，。]{0,6}$"
)
_LIMIT_AFTER = re.compile(r"^\s*(?:以上|以下|以内|之内|就要|的话)")


@dataclass(frozen=True, slots=True)
class Analyte:
    """A row of spoken_measures.tsv."""

    concept: Concept
    kind: str
    unit: str
    ucum: str
    low: Decimal
    high: Decimal
    scale: int


@lru_cache(maxsize=1)
def _table() -> tuple[dict[str, Analyte], str]:
    found: dict[str, Analyte] = {}
    for row in languages.rows("zh", "spoken_measures"):
        codings = (Coding(LOINC, row["loinc"], ""),) if row["loinc"] else ()
        analyte = Analyte(Concept(row["name"], codings), row["kind"], row["unit"], row["ucum"],
                          Decimal(row["low"]), Decimal(row["high"]), int(row.get("scale") or 0))  # fmt: skip
        for word in (row["name"].lower(), *row["said"].split("|")):
            found.setdefault(word, analyte)
    words = "|".join(re.escape(w) for w in sorted(found, key=lambda w: (-len(w), w)))
    return found, words


@lru_cache(maxsize=1)
def _valued() -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z])(?P<name>{_table()[1]})(?![a-z])[，,、]?{_FILL}(?P<number>{NUMBER})\s*{_UNIT}")


@lru_cache(maxsize=1)
def _described() -> re.Pattern[str]:
    return re.compile(
        rf"(?<![a-z高低])(?P<name>{_table()[1]})(?![a-z])(?:检查|化验|结果|指标|水平|这些|现在|也|都|是|还|还算|基本|目前|，|一直|倒|有点|有些|稍|稍微|略|比较|很|挺)*"
        r"(?P<value>正常|偏高|偏低|升高|降低|增高|减低|下降|阴性|阳性|弱阳性|高(?!压|血|不|烧|热)|低(?!压|血|不|烧|热)|没问题|没事|都行|不高|不低)"
    )


_N = NUMBER
_PRESSURE = re.compile(
    rf"(?:血压{_FILL}|(?<![\d./月年]))(?:高压{_FILL})?(?P<high>\d{{2,3}}|{_N})(?:-\d{{2,3}})?\s*(?:mmhg)?(?:[/／]|比)\s*(?P<low>\d{{2,3}}|{_N})(?:-\d{{2,3}})?(?![\d/月.])(?:\s*(?:mmhg|毫米汞柱))?"
    rf"|(?:高压|收缩压){_FILL}(?P<high2>{_N})(?:毫米汞柱|mmhg)?[，,、。；和\s]*(?:低压|舒张压){_FILL}(?P<low2>{_N})(?:毫米汞柱|mmhg)?"
    rf"|血压{_FILL}(?P<high3>{_N})(?:[，,、和]|到|\s)+(?:低压)?(?P<low3>{_N})"
)
_TENS = r"[一二三四五六七八九]十[一二三四五六七八九]?"
_HIGH = r"(?:一百(?:零[一二三四五六七八九]|一?[一二三四五六七八九]?十[一二三四五六七八九]?|[一二三四五六七八九](?!十|百)|(?!十))|二百[一二三四五六七八九十零]{0,3}|[89八九]十[一二三四五六七八九]?)"
_LOW = r"(?:一百(?:[一二三]?十[一二三四五六七八九]?|零[一二三四五六七八九]|[一二三四](?!十))?|[四五六七八九]十[一二三四五六七八九]?)"
# Two numbers said one after the other without a word between: 一百四十八八十六, 一百三十四，七十八.
_SPOKEN_PRESSURE = re.compile(
    rf"(?<![一二三四五六七八九十百千万点])(?P<high>{_HIGH})[，,、到\s]{{0,2}}(?P<low>{_LOW})(?![一二三四五六七八九十百千万点个片毫斤岁次年天])"
)
_ABOUT_PRESSURE = re.compile(r"血压|高压|低压|量(?:一?个|一下|了)")
_DEGREES = re.compile(
    r"(?P<whole>3[4-9]|4[0-3]|三十[四五六七八九]|四十[一二三]?)(?:度(?P<part>\d|半|[一二三四五六七八九])?(?![一二三四五六七八九\d]|角)|(?P<point>[.点][\d一二三四五六七八九]{1,2})(?:度|℃|°c)?(?![\d]*(?:mm|cm|mg|ml|%|岁|kg|斤|天|月|年|次|片|分))|(?:℃|°c))"
)
_METRES = re.compile(
    r"(?P<m>[12一两])米(?P<cm>\d{1,2}|[一二三四五六七八九零]{1,2}|[一二三四五六七八]十[一二三四五六七八九]?)|(?P<flat>1[.点]\d{1,2}|一点[一二三四五六七八九]{1,2})米|(?P<bare>1\d\d|[5-9]\d)\s?(?:cm|厘米|公分)(?![\d*x×大/²])"
)
_WEIGHT = re.compile(rf"(?P<number>{_N})\s*(?P<unit>kg|公斤|千克|斤)(?P<liang>(?:{_N})两|半)?(?![/每\d])")
_ORDINARY = {"收缩压": "8480-6", "舒张压": "8462-4"}
_PANEL = Concept("血压", (Coding(LOINC, "85354-9", "Blood pressure panel with all children optional"),))


def find(text: str, turn: int, asked: str = "") -> list[Mention]:
    """The measures of a cleaned turn. `asked`: what the doctor asked just before, for an answer that is a bare number."""
    found: list[Mention] = []
    taken: list[tuple[int, int]] = []
    for mention in (*_pressures(text, turn), *_spoken_pressures(text, turn, asked), *_temperatures(text, turn, asked), *_bodies(text, turn), *_values(text, turn),
                    *_words(text, turn), *_bare(text, turn, asked)):  # fmt: skip
        if all(mention.end <= low or mention.start >= high for low, high in taken):
            taken.append((mention.start, mention.end))
            found.append(mention)
    for mention in found:
        _time_of(text, mention)
    return sorted(found, key=lambda m: m.start)


def _time_of(text: str, mention: Mention) -> None:
    lead = re.split(r"[。；]", text[: mention.start])[-1].rsplit("，", 1)[-1][-12:] + mention.text[:6]
    past = re.search(r"以前|原来|之前|曾|去年|前年|上次|上个月|上周|昨|最高|小时候|出生|那时", lead)
    mention.status = Status.PAST if past else Status.PRESENT
    if mention.status is Status.PAST and mention.kind == "vital-signs" and "现在" in lead:
        mention.status = Status.PRESENT


def _mention(turn: int, text: str, start: int, end: int, analyte: Analyte) -> Mention:
    return Mention(turn, start, end, analyte.kind, analyte.concept.name, analyte.concept, text[start:end])


def _limited(text: str, start: int, end: int) -> bool:
    return _LIMIT.search(text[:start]) is not None or _LIMIT_AFTER.match(text[end:]) is not None


def _pressures(text: str, turn: int) -> Iterator[Mention]:
    table = _table()[0]
    for match in _PRESSURE.finditer(text):
        high = numerals.read(match["high"] or match["high2"] or match["high3"] or "")
        low = numerals.read(match["low"] or match["low2"] or match["low3"] or "")
        if (
            high is None
            or low is None
            or not (50 <= high.value <= 280 and 20 <= low.value <= 180 and low.value < high.value)
        ):
            continue
        if _limited(text, match.start(), match.end()):
            continue
        mention = Mention(turn, match.start(), match.end(), "vital-signs", "血压", _PANEL, match[0])
        mention.components = tuple(
            (table[name].concept, Quantity(n.value, "mmHg", "mm[Hg]"))
            for name, n in (("收缩压", high), ("舒张压", low))
        )
        yield mention


def _spoken_pressures(text: str, turn: int, asked: str) -> Iterator[Mention]:
    """A pressure said as two bare numbers where pressure is spoken of."""
    table = _table()[0]
    for match in _SPOKEN_PRESSURE.finditer(text):
        near = text[max(0, match.start() - 24) : match.start()]
        if not _ABOUT_PRESSURE.search(near) and not ("血压" in asked and len(text) < 40):
            continue
        high, low = numerals.read(match["high"]), numerals.read(match["low"])
        if high is None or low is None or not 70 <= high.value <= 280 or not 30 <= low.value < high.value - 9:
            continue
        if _limited(text, match.start(), match.end()):
            continue
        mention = Mention(turn, match.start(), match.end(), "vital-signs", "血压", _PANEL, match[0])
        mention.components = tuple(
            (table[name].concept, Quantity(n.value, "mmHg", "mm[Hg]"))
            for name, n in (("收缩压", high), ("舒张压", low))
        )
        yield mention


def _temperatures(text: str, turn: int, asked: str) -> Iterator[Mention]:
    analyte = _table()[0]["体温"]
    hot = re.search(r"烧|体温|温度|发热|℃|°c", text + asked) is not None
    for match in _DEGREES.finditer(text):
        if not hot and not (match["part"] or text[match.end() - 1] in "度℃"):
            continue
        if re.search(r"[\d.]$|第$", text[: match.start()]) or _limited(text, match.start(), match.end()):
            continue
        whole = numerals.read(match["whole"])
        if whole is None:
            continue
        part = match["part"] or (match["point"] or "")[1:]
        digits = "".join("5" if c == "半" else c if c.isdigit() else str(int(numerals.read(c).value)) for c in part)  # type: ignore[union-attr]
        value = Decimal(f"{whole.value}.{digits}") if digits else whole.value
        mention = _mention(turn, text, match.start(), match.end(), analyte)
        mention.value = Quantity(value, "℃", "Cel")
        yield mention


def _bodies(text: str, turn: int) -> Iterator[Mention]:
    table = _table()[0]
    for match in _METRES.finditer(text):
        value = _height(match)
        lead = text[max(0, match.start() - 8) : match.start()]
        if (
            value is None
            or not 40 <= value <= 230
            or (match["bare"] and re.search(r"大小|直径|肿|囊|×|x|\*|约$|长$", lead))
        ):
            continue
        mention = _mention(turn, text, match.start(), match.end(), table["身高"])
        mention.value = Quantity(value, "cm", "cm")
        yield mention
    for match in _WEIGHT.finditer(text):
        number = numerals.read(match["number"])
        lead = text[max(0, match.start() - 10) : match.start()]
        if number is None or re.search(
            r"[酒喝吃水米面菜每肉奶按]$|酒.{0,5}$|(?:瘦|掉|降|减|轻|胖|涨|增加|长)(?:了|掉|到|下)?(?:大概|差不多|得|快|近|将近|足足|好几|又|有)*$|超过$|不到$|举|提|背",
            lead,
        ):
            continue
        value = number.value
        if match["unit"] == "斤":
            value = value / 2
            if match["liang"]:
                ounces = Decimal(5) if match["liang"] == "半" else numerals.read(match["liang"][:-1]).value  # type: ignore[union-attr]
                value += ounces / 20
        birth = re.search(r"足月|顺产|剖|出生|生下来|早产", re.split(r"[。；]", text[: match.start()])[-1][-20:])
        analyte = table["出生体重" if birth else "体重"]
        if not analyte.low <= value <= analyte.high:
            continue
        mention = _mention(turn, text, match.start(), match.end(), analyte)
        mention.value = Quantity(value.normalize() + 0, "kg", "kg")
        yield mention


def _height(match: re.Match[str]) -> Decimal | None:
    if match["bare"]:
        return Decimal(match["bare"])
    if match["flat"]:
        number = numerals.read(match["flat"])
        return (number.value * 100).normalize() + 0 if number else None
    metres, rest = numerals.read(match["m"]), numerals.read(match["cm"])
    if metres is None or rest is None:
        return None
    return metres.value * 100 + (rest.value * 10 if len(match["cm"]) == 1 else rest.value)


def _values(text: str, turn: int) -> Iterator[Mention]:
    table = _table()[0]
    for match in _valued().finditer(text):
        analyte = table[match["name"]]
        number = numerals.read(match["number"])
        if number is None or analyte.high == 0:
            continue
        comparator = _comparator(text, match)
        if not comparator and _limited(text, match.start("number"), match.end()):
            continue
        if (
            re.match(r"[年月周天岁种次位号]|个月|小时|分钟|多?年|片|粒", text[match.end() :] or " ")
            and not match["unit"]
        ):
            continue
        if (match["unit"] or "")[:1] in "次下" and match["unit"] and analyte.ucum != "/min":
            continue
        if re.match(r"个?加(?!重|上|用|大|强)|\+(?!\d)", text[match.end() :]):  # plus signs of a strip
            continue
        if match["name"] == "ck" and text[match.start() + 2] in "57812":  # CK7 is a stain
            continue
        if match["name"] in ("红细胞", "白细胞") and re.search(r"尿[^，。]{0,8}$", text[: match.start()]):
            continue
        if len(match["name"]) == 1 and match["name"].isascii() and not re.match(r"次|%", match["unit"] or ""):
            continue
        if analyte.concept.name == "中性粒细胞百分比" and number.value > 100 and not number.percent:
            analyte = table["中性粒细胞计数"]  # 中性粒一千四 is a count
        quantity = scaled(analyte, number, match["unit"] or "")
        if quantity is None:
            continue
        mention = _mention(turn, text, match.start(), match.end(), analyte)
        mention.value = replace(quantity, comparator=comparator) if comparator else quantity
        yield mention


def _comparator(text: str, match: re.Match[str]) -> str:
    """ "<" or ">" of a result told with it (CRP小于零点五); "" for a goal, a limit or an if."""
    between = text[match.end("name") : match.start("number")]
    sign = re.search(r"(小于|大于|<|>)\s*$", between)
    clause = re.split(r"[，。；]", text[: match.start()])[-1]
    if sign is None or re.search(r"如果|要是|控制|应该|正常|目标|标准|一旦|最好|只要|需要|才|标志", clause + between):
        return ""
    if re.match(r"[^，。]{0,4}(?:就|的话|才|时|要|，(?:就|要|需))", text[match.end() :]):
        return ""
    return "<" if sign[1] in ("小于", "<") else ">"


def scaled(analyte: Analyte, number: numerals.Number, said: str) -> Quantity | None:
    """A value with its unit; None when it cannot be one of this analyte."""
    value = number.value
    if analyte.concept.name in ("体温", "身高", "体重", "出生体重") or said in ("岁", "米"):
        return None
    if said == "万":
        value *= 10_000
    if analyte.scale and value >= max(1000, analyte.scale // 10):  # counts told per microlitre
        value = (value / analyte.scale).normalize() + 0
    unit, ucum = next((u for key, u in _UCUM.items() if said.startswith(key)), (analyte.unit, analyte.ucum))
    if (unit, ucum) == (analyte.unit, analyte.ucum) and not analyte.low <= value <= analyte.high:
        return None
    return Quantity(value, unit, ucum)


_NOT_DESCRIBED = {"体重", "身高", "称", "重", "量了", "呼吸", "高烧", "低烧", "发烧", "发热", "空腹", "中性", "烧到", "生下来", "钾", "钠", "cr", "tc", "tg", "pt", "ps"}  # fmt: skip


def _words(text: str, turn: int) -> Iterator[Mention]:
    table = _table()[0]
    for match in _described().finditer(text):
        analyte = table[match["name"]]
        if match["name"] in _NOT_DESCRIBED:
            continue
        if re.match(r"不|吗|么|的话|时|会|就|可能|有可能", text[match.end() :] or " ") or re.search(
            r"如果|要是|有没有|是否$", text[max(0, match.start() - 6) : match.start()]
        ):
            continue
        mention = _mention(turn, text, match.start(), match.end(), analyte)
        value = match["value"]
        mention.value = {
            "没问题": "正常",
            "没事": "正常",
            "都行": "正常",
            "不高": "不高",
            "高": "偏高",
            "低": "偏低",
        }.get(value, value)
        yield mention


_BARE = re.compile(
    rf"^\s*(?:查了|做了|测了|量了|带了|出来了|上[次回]|这[次回]|之前|最高|最低|好像|大概|差不多|就|是|有|现在|嗯|，|,|约|大约|\s|那时候|昨天|今天|早上)*(?P<number>{NUMBER})\s*(?:左右|多|吧|的|了|{_UNIT})*[，,。、]?"
)


def _bare(text: str, turn: int, asked: str) -> Iterator[Mention]:
    """A number that answers "心率多少"."""
    if not asked:
        return
    names = list(re.finditer(rf"(?P<name>{_table()[1]})", asked))
    match = _BARE.match(text)
    if (
        not names
        or match is None
        or not re.search(r"多少|多重|多高|几|怎么样|呢|量了|测了|带了|出来|查了|做了|结果", asked)
    ):
        return
    number = numerals.read(match["number"])
    analyte = _table()[0][names[-1]["name"]]
    if number is None or re.match(r"[年月周天岁]|个月|小时", text[match.end("number") :] or " "):
        return
    quantity = scaled(analyte, number, match["unit"] or "")
    if quantity is None:
        return
    mention = _mention(turn, text, match.start("number"), match.end("number"), analyte)
    mention.value = quantity
    yield mention


_LOOKED = re.compile(
    r"(?:查|化验|抽血|复查|检测|测(?!的|出)|看一?下|检查|验血|做(?:个|一下|过)?)(?:[一下了过个的]|给(?:他|她|孩子)?|抽血|化验|空腹|看看|血液?|再|下|次|遍)*$"
)


_LOOKED_AFTER = re.compile(r"(?:也|再|都|还得|要)*(?:抽|查|测|复查|化验)(?:一个|一下|个|一次|上)(?![，。]?是|出)")


def ordered(text: str, turn: int) -> list[Mention]:
    """Analytes named after a word for testing and without a value, as procedures."""
    table, names = _table()
    found: list[Mention] = []
    last = -1
    for match in re.finditer(rf"(?<![a-z])(?P<name>{names})(?![a-z])", text):
        lead = text[max(0, match.start() - 14) : match.start()]
        joined = last >= 0 and re.fullmatch(r"[、，,和及与还有跟 ]*", text[last : match.start()])
        analyte = table[match["name"]]
        if (
            match["name"] in ("空腹", "餐后", "钾", "钠", "中性")
            or analyte.kind != "laboratory"
            or not (joined or _LOOKED.search(lead) or _LOOKED_AFTER.match(text[match.end() :]))
        ):
            continue
        if re.match(rf"\s*(?:是|为|:)?\s*(?:{NUMBER}|高|低|正常|多少|偏|怎么样|阴|阳)", text[match.end() :]):
            continue
        last = match.end()
        concept = Concept(
            f"{analyte.concept.name}检查" if analyte.concept.name[-1] not in "规查" else analyte.concept.name,
            analyte.concept.codings,
        )
        found.append(Mention(turn, match.start(), match.end(), "procedure", concept.name, concept, match[0]))
    return found


def analyte_of(words: str) -> str:
    """The analyte that words such as "血象低" or "尿酸高" speak of, "" if none."""
    match = re.fullmatch(
        r"(.+?)(?:有点|比较|偏|太|很|也)?(?:高|低|少|多|升高|降低|减少|增高|增多|不够)(?:了|症)?", words
    )
    found = _table()[0].get(match[1]) if match else None
    return found.concept.name if found else ""
