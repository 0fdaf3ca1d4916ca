"""Whose illness it is: the patient's, a relative's, or that of the one the speaker speaks for."""

from __future__ import annotations

import re
from functools import lru_cache

from fhirbridge import languages

_FAMILY = re.compile(r"(?:你|您)(?:们)?家|家里|家族|家人|父母|爸妈|亲属|亲戚|老人|遗传|长辈|直系")
_NOT_KIN = re.compile(
    r"(?:大|阿|护士|那个|病床)(?:姐|哥|姨|叔|爷)|老人家|妈呀|我的?妈|奶奶的|哥们|姐们|老爷子|老爷|妈妈群"
)


_FAMILY_CUE = re.compile(r"家族|家里(?:人|老人)?(?:有|得|都)|遗传")


@lru_cache(maxsize=1)
def _kin() -> tuple[re.Pattern[str], dict[str, str]]:
    codes = {word: row["code"] for row in languages.rows("zh", "kin") for word in row["said"].split("|")}
    names = "|".join(sorted(codes, key=lambda w: (-len(w), w)))
    return re.compile(rf"(?:{names})"), codes


def relatives(text: str, spoken_for: str) -> list[str]:
    """The role codes of the relatives named in `text`, without the one the speaker speaks for."""
    pattern, codes = _kin()
    found: list[str] = []
    for match in pattern.finditer(text):
        word = match[0]
        if spoken_for and word.endswith(spoken_for) and not re.match(r"他|她|的", text[match.end() :]):
            continue
        if word in ("老人", "家里", "家人", "家里老人", "长辈") and not _FAMILY_CUE.search(text):
            continue
        code = codes[word]
        before = text[: match.start()]
        if re.search(r"(?:爸|妈)(?:他|她|的)?亲?$", before):  # 我爸他亲大哥 is an uncle, not a brother
            code = {"BRO": "UNCLE", "SIS": "AUNT", "FTH": "GRFTH", "MTH": "GRMTH"}.get(code, code)
            found = found[:-1] if found and found[-1] in ("FTH", "MTH") else found
        found.append(code)
    specific = [c for c in dict.fromkeys(found) if c != "FAMMEMB"]
    return specific or list(dict.fromkeys(found))


def is_heredity(sentence: str) -> bool:
    """Whether a sentence tells of relatives as relatives: they too have it, it runs in the family, they died of it."""
    return (
        re.search(
            r"家族|遗传|也(?:有|得|是|患)|都(?:有|是|得|高|患)|去世|没的|走的|过世|死于|不在了|那边的?人|基因", sentence
        )
        is not None
    )


def named_kin(text: str) -> str:
    """The first relative named, "" if none."""
    match = _kin()[0].search(text)
    return match[0] if match else ""


def asks_of_family(sentence: str) -> bool:
    """Whether a question is about the family's illnesses."""
    return _FAMILY.search(sentence) is not None and re.search(r"这两天|最近|这几天|感冒", sentence) is None


def is_spoken_for(text: str, role_is_relative: bool) -> str:
    """The word for the relative whose illness a speaker has come to tell ("我妈头晕", "爸，你上礼拜…"), else ""."""
    calls = re.match(r"^(爸|妈|爷爷|奶奶|老公|老婆|儿子|宝宝)[爸妈]?[，,！]", text)
    if calls:
        return calls[1]
    who = re.match(
        r"^(?:您?你?好[，,。！]?)?(?:医生|大夫)?[，,]?(?:请问)?[，,]?(?:我|俺|咱)(?:家|们)?(?P<kin>爸|妈|父亲|母亲|爷爷|奶奶|外公|外婆|姥姥|姥爷|老公|老婆|儿子|女儿|孩子|宝宝|公公|婆婆|岳父|岳母|哥哥|姐姐|弟弟|妹妹)(?:爸|妈)?",
        text,
    )
    if who and not is_heredity(re.split(r"[。！？]", text)[0]):
        return who["kin"]
    return ""


def is_a_relatives(words: str, spoken_for: str) -> bool:
    """Whether the habit told last in `words` is a relative's: 他爷爷抽."""
    return bool(relatives(re.split(r"[，。；]", words)[-1], spoken_for)) and "我" not in words[-8:]
