"""What a line says of the lines beneath it: any of them, all of them, a number of them, or that they are examples."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from fhirbridge import languages

_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5}
_NEGATED = re.compile(
    r"\b(?:no|not|without|absence|free of|never|none|neither|lack)\b|无|没有|未|不存在|不具有|不符合|不得|不伴",
    re.IGNORECASE,
)
_LONGEST_FRAME = 160  # characters
_THIN, _THIN_ZH = 3, 24  # words, characters


@dataclass(frozen=True, slots=True)
class Lead:
    """How many of the lines beneath are asked for: any, all, count, define, own (they are examples)."""

    mode: str
    count: int = 1
    negated: bool = False


@lru_cache(maxsize=1)
def _table() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (row["mode"], re.compile(row["pattern"], re.IGNORECASE))
        for language in languages.names()
        for row in languages.rows(language, "criteria_leads")
    )


def lead(words: str) -> Lead | None:
    """What the end of a line says of the lines beneath it, None when it says nothing."""
    end = re.sub(r"\s+", " ", words)[-160:].strip()
    for mode, pattern in _table():
        if found := pattern.search(end):
            negated = bool(_NEGATED.search(end[: found.end()]))
            if mode == "count":
                number = _NUMBERS.get(found[1].lower()) or int(found[1]) if found[1] else 2
                return Lead("count", number, negated) if number > 1 else Lead("any", 1, negated)
            return Lead(mode, 1, negated)
    return None


_FRAME_ZH = re.compile(
    r"^(?:受试者|患者|参与者|志愿者)?(?:必须|需|应|须|如)?(?:同时)?(?:符合|满足|具备|有|存在|具有|出现|包括)?(?:以下|下列|如下)?"
    r"(?:所有|全部|任[何意一]一?[项条种个]?|[每各]一?项|情况|情形|中的?)?(?:入选|纳入|排除)?(?:标准|条件|要求|情况|疾病|情形)?(?:之一|中的?任[何意一]一?[项条种]?)?(?:者|的患者|的受试者)?"
    r"(?:[，,]?(?:均|方|才|不)?(?:可|能|得|予以)?(?:入选|纳入|入组|排除|剔除))?[:：。]?$"
)


@lru_cache(maxsize=1)
def _frame_words() -> tuple[frozenset[str], frozenset[str]]:
    rows = languages.rows("en", "criteria_frame_words")
    keys = frozenset(w for row in rows if row["kind"] == "key" for w in row["words"].split())
    return keys, keys | frozenset(w for row in rows for w in row["words"].split())


def is_frame(words: str) -> bool:
    """Whether a line only announces the lines beneath it ("Patients must meet all of the following:")."""
    line = re.sub(r"\s+", " ", words).strip()
    if len(line) > _LONGEST_FRAME:
        return False
    if re.search(r"[㐀-鿿]", line):
        return bool(re.search(r"[:：]$|以下|下列|如下|标准|条件", line) and _FRAME_ZH.match(line))
    keys, known = _frame_words()
    said = re.findall(r"[a-z0-9]+", line.lower())
    return all(w in known for w in said) and (line.endswith(":") or any(w in keys for w in said))


def is_thin(words: str) -> bool:
    """Whether a line above a list says next to nothing besides announcing it ("One of these risk factors:")."""
    if re.search(r"[㐀-鿿]", words):
        return len(words) < _THIN_ZH and bool(re.search(r"以下|下列|如下|之一", words))
    said = re.findall(r"[a-z0-9]+", words.lower())
    return sum(w not in _frame_words()[1] for w in said) <= _THIN and not re.search(r"\d", words)
