"""Chinese speech made ready for reading: folded characters, fillers taken out, cut into clauses, with the way back."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from fhirbridge.records import Span

_FULL = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code) not in "，；：！？（）"}
_SAME = {"　": " ", "\t": " ", " ": " ", "“": '"', "”": '"', "‘": "'", "’": "'", "「": '"', "」": '"', "『": '"',
         "』": '"', "﹑": "、", "､": "、", "｡": "。", "〜": "~", "～": "~", "—": "-", "–": "-", "−": "-", "＿": "_",
         "μ": "μ", "µ": "μ", "?": "？", "!": "！", ";": "；", "(": "（", ")": "）", "…": "。", "﹐": "，"}  # fmt: skip
_FOLD: dict[int, str | int] = {**_FULL, **{ord(k): v for k, v in _SAME.items()}}
# Traditional forms of the characters that symptoms and answers are written with.
_TRADITIONAL = str.maketrans(
    "頭暈痠腫脹癢悶氣點沒無個這嗎過對會給歲藥醫檢術壓臟腸飯發燒熱嘔瀉後時間從難體節膚眾嚴爾聽覺見麼還別檔邊裡裏慮懷癥髮類種單雙側葉結纖維轉復複電圖顱鏡顯陽陰確診斷開應該讓說話誰們來爺媽親兒寶煙飲痺經絡腦濕風關鬆實驗測試驚",
    "头晕酸肿胀痒闷气点没无个这吗过对会给岁药医检术压脏肠饭发烧热呕泻后时间从难体节肤众严尔听觉见么还别档边里里虑怀症发类种单双侧叶结纤维转复复电图颅镜显阳阴确诊断开应该让说话谁们来爷妈亲儿宝烟饮痹经络脑湿风关松实验测试惊",
)
# Fillers of speech; 嗯 and 啊 alone are answers and stay.
_FILLER = re.compile(
    r"[，、](?:呃|唔|额)+[，、]|(?<=[^\s，。？！])(?:呃(?!逆)|额(?!头|窦|部)|唔)+[，、]?|(?:呃(?!逆)|唔)+[，、]?|嗯+[，、](?=[^\s，。？！])|就是说[，、]?|怎么说呢[，、]?"
    r"|那个[，、]|这个[，、]|那个那个|这个这个|(?<=[\u4e00-\u9fff])啊[，、](?=[\u4e00-\u9fff])|的话说|然后呢[，、]|\[噪音\]|\[咳嗽\]|\[笑\]"
)
_SPACED = re.compile(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")
_SENTENCE = re.compile(r"[^。！？；\n]+[。！？；\n]*|[。！？；\n]+")
_CLAUSE = re.compile(r"[^，,：:（）]+[，,：:（）]*")


class Cleaned:
    """A text without fillers. `span(start, end)` is where a piece of it stood in the text before, shifted by `offset`."""

    __slots__ = ("_before", "_here", "_offset", "cased", "text")

    def __init__(self, text: str, offset: int = 0) -> None:
        folded, upper = fold(text), plain(text)
        parts: list[str] = []
        cased: list[str] = []
        self._offset = offset
        self._here, self._before = [0], [0]
        place = kept = 0
        for match in _FILLER.finditer(folded):
            parts.append(folded[place : match.start()])
            cased.append(upper[place : match.start()])
            kept += match.start() - place
            place = match.end()
            self._here.append(kept)
            self._before.append(place)
        parts.append(folded[place:])
        cased.append(upper[place:])
        self.text = "".join(parts)
        self.cased = "".join(cased)  # as it was written: "CT" is an examination, "ct" may be anything

    def _origin(self, position: int) -> int:
        piece = bisect_right(self._here, position) - 1
        return self._before[piece] + position - self._here[piece]

    def span(self, start: int, end: int) -> Span:
        """Where text[start:end] stood."""
        low = self._origin(start)
        high = self._origin(max(end, start + 1) - 1) + 1
        return Span(self._offset + low, high - low)


def fold(text: str) -> str:
    """Lower case, half width, one form of each mark and of common traditional characters; every character in place."""
    low = text.lower()
    if len(low) != len(text):
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return plain(low)


def plain(text: str) -> str:
    """The text in half width, with one form of each mark and simplified characters, every character in place."""
    return _SPACED.sub("，", text.translate(_FOLD).translate(_TRADITIONAL))  # a space is a comma nobody typed


@dataclass(frozen=True, slots=True)
class Piece:
    """text[start:end] of a cleaned turn: a sentence or a clause."""

    start: int
    end: int
    text: str


def sentences(text: str) -> list[Piece]:
    """The sentences of a text with their closing marks."""
    return [Piece(m.start(), m.end(), m[0]) for m in _SENTENCE.finditer(text) if m[0].strip("。！；\n ，")]


def clauses(piece: Piece) -> list[Piece]:
    """What stands between commas in a sentence."""
    found = _CLAUSE.finditer(piece.text)
    return [Piece(piece.start + m.start(), piece.start + m.end(), m[0]) for m in found]
