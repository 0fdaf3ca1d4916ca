"""How much, how often, how long, by which way: what is said of a medicine in Chinese."""

from __future__ import annotations

import re
from decimal import Decimal

from fhirbridge.languages.zh import numerals
from fhirbridge.languages.zh.numerals import NUMBER
from fhirbridge.records import Coding, Concept, Dosage, Quantity

# Unit as said -> UCUM. Masses and volumes say more than tablets do, so they come first when both are said.
_EXACT = {
    "毫克": "mg", "mg": "mg", "克": "g", "g": "g", "微克": "ug", "μg": "ug", "ug": "ug", "mcg": "ug", "毫升": "mL",
    "ml": "mL", "cc": "mL", "升": "L", "万单位": "10*4.[iU]", "个单位": "[iU]", "单位": "[iU]", "iu": "[iU]", "u": "[iU]", "万u": "10*4.[iU]",
    "mmol": "mmol",
}  # fmt: skip
_COUNTED = {
    "片": "{tbl}", "粒": "{capsule}", "颗": "{tbl}", "丸": "{pill}", "包": "{packet}", "袋": "{packet}", "支": "{ampule}",
    "滴": "[drp]", "喷": "{spray}", "吸": "{puff}", "贴": "{patch}", "瓶": "{bottle}", "勺": "{spoon}", "枚": "{suppository}",
    "针": "{injection}", "克拉": "",
}  # fmt: skip
_UNITS = "|".join(sorted({*_EXACT, *_COUNTED} - {"克拉"}, key=lambda u: -len(u)))
_DOSE = re.compile(rf"(?P<number>{NUMBER})\s*(?P<half>半)?(?P<unit>{_UNITS})(?![a-z])(?P<more>半)?")
_SMALL = "一二两三四五六七八九十半\\d"
_FREQUENCY = re.compile(
    rf"(?:每天|一天|每日|日|一日|1日|1天|天)(?:吃|服|用|喝|打)?(?P<times>[{_SMALL}]+)(?:次|回|遍|顿)"
    rf"|(?P<weekly>[{_SMALL}]+)(?:次|回)(?:每周|一周)|(?:每周|一周|每星期|一个星期)(?:吃|打|用)?(?P<week>[{_SMALL}]+)(?:次|回|针)"
    rf"|(?:每隔?|间隔)?(?P<hours>[{_SMALL}]+)个?(?:小时|钟头)(?:吃|服|用|打)?(?:一|1)(?:次|回)|间隔(?P<gap>[{_SMALL}]+)个?(?:小时|钟头)(?:以上)?"
    rf"|(?:每|q)(?P<every>[{_SMALL}]+)(?:小时|h)"
    rf"|(?P<timesa>[{_SMALL}]+)次[/每](?:日|天)|(?:一天|每天|每日|一日|天天)(?P<daily>[{_SMALL}]+)(?:片|粒|颗|包|袋|支|丸|针|贴|毫克|mg|ml|毫升|勺)"
    r"|(?P<code>qd|bid|tid|qid|qn|qod|qw|biw|prn)(?![a-z])"
    r"|(?P<bothends>早晚(?:各|一|饭|[,，]|空)|早[、和]?晚)|(?P<night>每晚|睡前|晚上|临睡)|(?P<morning>每天早上|每早|早上|晨起|早晨|清晨)|(?P<other>隔天|隔日)"
)
_CODES = {"qd": (1, 1, "d"), "bid": (2, 1, "d"), "tid": (3, 1, "d"), "qid": (4, 1, "d"), "qn": (1, 1, "d"),
          "qod": (1, 2, "d"), "qw": (1, 1, "wk"), "biw": (2, 1, "wk")}  # fmt: skip
_MEALS = (
    (re.compile(r"(?:吃)?饭前|餐前|空腹"), "AC"),
    (re.compile(r"(?:吃)?饭后|餐后"), "PC"),
    (re.compile(r"随餐|饭中|吃饭的?时候|餐中|餐时"), "C"),
    (re.compile(r"睡前|临睡|qn"), "HS"),
    (re.compile(r"每早|早上|晨起|早晨|清晨|晨服"), "MORN"),
    (re.compile(r"每晚|晚上"), "EVE"),
)
_ROUTES = (
    (re.compile(r"口服|吞服|含服舌下|嚼服|嚼"), "26643006", "口服"),
    (re.compile(r"舌下|含服"), "", "舌下"),
    (re.compile(r"静脉|静滴|静点|点滴|输液|iv(?![a-z])"), "47625008", "静脉"),
    (re.compile(r"肌注|肌肉注射|肌内注射|im(?![a-z])"), "78421000", "肌内"),
    (re.compile(r"皮下"), "34206005", "皮下"),
    (re.compile(r"雾化|吸入"), "", "吸入"),
    (re.compile(r"外用|涂|抹|擦(?!伤)"), "6064005", "外用"),
    (re.compile(r"滴眼|点眼"), "", "眼"),
    (re.compile(r"塞肛|直肠|肛门给"), "37161004", "直肠"),
    (re.compile(r"喷鼻|滴鼻|鼻喷"), "46713006", "鼻"),
)


def read(text: str) -> Dosage | None:
    """The dosage in the words about one medicine, None when nothing is said of it."""
    dose = _dose(text)
    frequency, period, unit, needed = _frequency(text)
    when = tuple(dict.fromkeys(code for pattern, code in _MEALS if pattern.search(text)))
    if "AC" in when and "PC" in when:  # 空腹吃饭后吃都行
        when = tuple(w for w in when if w not in ("AC", "PC"))
    route = next((_route(code, name) for pattern, code, name in _ROUTES
                  if pattern.search(text)), None)  # fmt: skip
    needed = needed or re.search(r"必要时|按需|疼的?时候吃|难受时|需要时|发作时|prn", text) is not None
    if dose is None and frequency is None and not when and route is None:
        return None
    return Dosage(text="", dose=dose, frequency=frequency, period=period, period_unit=unit, route=route,
                  as_needed=needed, when=when)  # fmt: skip


def _dose(text: str) -> Quantity | None:
    best: tuple[int, Quantity] | None = None
    for match in _DOSE.finditer(text):
        number = numerals.read(match["number"])
        if number is None or re.search(r"(?:超过|大于|小于|总共|共|每公斤)$", text[: match.start()]):
            continue
        said = match["unit"]
        value = number.value + (Decimal("0.5") if match["more"] else 0)
        ucum = _EXACT.get(said) or _COUNTED.get(said, "")
        if ucum == "10*4.[iU]":
            value, ucum, said = value * 10_000, "[iU]", "单位"
        if said == "针" and value == 1 and "[iU]" in text:
            continue
        rank = 0 if said in _EXACT else 1
        if best is None or rank < best[0]:
            best = rank, Quantity(value, said, ucum or None)
    return best[1] if best else None


def _frequency(text: str) -> tuple[int | None, Decimal | None, str, bool]:
    match = _FREQUENCY.search(text)
    if match is None:
        return None, None, "", False
    if match["code"]:
        if match["code"] == "prn":
            return None, None, "", True
        times, period, unit = _CODES[match["code"]]
        return times, Decimal(period), unit, False
    for group, unit in (("times", "d"), ("timesa", "d"), ("week", "wk"), ("weekly", "wk")):
        if match[group]:
            number = numerals.read(match[group])
            return (int(number.value) if number and number.value >= 1 else 1), Decimal(1), unit, False
    for group in ("hours", "gap", "every"):
        if match[group]:
            number = numerals.read(match[group])
            return 1, (number.value if number else None), "h", False
    if match["bothends"]:
        return 2, Decimal(1), "d", False
    if match["other"]:
        return 1, Decimal(2), "d", False
    return 1, Decimal(1), "d", False


def _route(code: str, name: str) -> Concept:
    return Concept(name, (Coding("http://snomed.info/sct", code, ""),) if code else ())
