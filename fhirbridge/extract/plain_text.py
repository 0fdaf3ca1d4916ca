"""A registry's text without its mark-up, letter for letter in the same places.

Offsets into the plain text are offsets into the record: what goes away becomes spaces of the same length.
"""

from __future__ import annotations

import html
import re

_ENTITY = re.compile(r"&(?:#\d{1,6}|#x[0-9A-Fa-f]{1,5}|[A-Za-z]{2,8}\d?);")
_TAG = re.compile(
    r"</?(?:p|br|li|ul|ol|div|span|b|i|u|em|strong|sup|sub|table|tr|td|th|h[1-6]|a|font)\b[^<>]{0,200}>", re.I
)
_BLOCK = re.compile(r"</?(?:p|br|li|ul|ol|div|tr|table|h[1-6])\b", re.I)
_ESCAPE = re.compile(r"\\([<>\[\]*_~`#+\-.!(){}|^=&])")
_SPACES = str.maketrans(
    dict.fromkeys("\t\r\v\f\u00a0\u2002\u2003\u2009\u200a\u202f\u3000\ufeff\u200b\u200c\u200e\u200f", " ")
)

# UTF-8 that was once read as Windows-1252, as found in public registry records: the three marks stand for one.
_MOJIBAKE = {
    "â‰¥": "≥",
    "â‰¤": "≤",
    "â€™": "’",
    "â€˜": "‘",
    "â€œ": "“",
    "â€\u009d": "”",
    "â€“": "–",
    "â€”": "—",
    "â€¢": "•",
    "Â±": "±",
    "Â°": "°",
    "Â²": "²",
    "Â³": "³",
    "Âµ": "µ",
    "Â®": "®",
    "Â½": "½",
    "Â·": "·",
    "Ã—": "×",
    "Ã©": "é",
    "Ã¶": "ö",
    "Ã¼": "ü",
    "Î¼": "μ",
    "Î±": "α",
    "Î²": "β",
    "Î³": "γ",
    "Â\u00a0": " ",
    "\u00e2\u0089\u00a5": "≥",
    "\u00e2\u0089\u00a4": "≤",
}
_BROKEN = re.compile("|".join(sorted(map(re.escape, _MOJIBAKE), key=len, reverse=True)))


def plain(text: str) -> str:
    """The text with entities, tags, escapes, odd spaces and mis-decoded signs made plain; the length stays the same."""
    if "&" in text:
        text = _ENTITY.sub(_entity, text)
    if "<" in text:
        text = _TAG.sub(lambda m: ("\n" if _BLOCK.match(m[0]) else " ") + " " * (len(m[0]) - 1), text)
    if "\\" in text:
        text = _ESCAPE.sub(r" \1", text)
    if "â" in text or "Â" in text or "Ã" in text or "Î" in text:
        text = _BROKEN.sub(lambda m: _MOJIBAKE[m[0]].rjust(len(m[0])), text)
    return text.translate(_SPACES)


def is_broken(text: str) -> bool:
    """Whether the text shows signs that were decoded wrongly (mojibake) or lost (the replacement character)."""
    return bool(_BROKEN.search(text)) or "\ufffd" in text


def has_markup(text: str) -> bool:
    """Whether HTML entities or tags stand in the text."""
    return bool(_ENTITY.search(text) or _TAG.search(text))


def _entity(match: re.Match[str]) -> str:
    sign = html.unescape(match[0])
    return sign.rjust(len(match[0])) if len(sign) < len(match[0]) else match[0]
