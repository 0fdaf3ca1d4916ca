"""Bytes -> text, when nobody says how they were encoded."""

from __future__ import annotations

from fhirbridge.errors import EmptyInput, UnreadableInput

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CONTROLS = frozenset(range(32)) - {9, 10, 12, 13, 27}


def decode(data: bytes, source: object) -> tuple[str, bool]:
    """The text of `data`, and whether every byte was readable. UTF-8, UTF-16 with or without mark, or GB18030.

    Single undecodable bytes in a file that is UTF-8 for the most part become U+FFFD. EmptyInput when nothing is in it,
    UnreadableInput when it is no text.
    """
    if not data.strip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"):
        raise EmptyInput(source, "nothing in it to read")
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _strict(data, name, source)
    bare = _utf16_without_mark(data)
    if bare:
        return _strict(data, bare, source)
    if _binary(data):
        raise UnreadableInput(source, "not a text file", "give a text, VTT, SRT or JSON transcript")
    for name in ("utf-8", "gb18030"):
        try:
            return data.decode(name), True
        except UnicodeDecodeError:
            continue
    return _mixed(data, source)


def _strict(data: bytes, name: str, source: object) -> tuple[str, bool]:
    try:
        return data.decode(name), True
    except UnicodeDecodeError as error:
        raise UnreadableInput(source, f"not valid {name} at byte {error.start}", "save it as UTF-8") from error


def _utf16_without_mark(data: bytes) -> str:
    """Latin text in UTF-16 has a zero in every other byte."""
    head = data[:2000]
    if len(head) < 4 or len(data) % 2:
        return ""
    even, odd = head[0::2].count(0) / (len(head) / 2), head[1::2].count(0) / (len(head) / 2)
    if odd > 0.4 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 and odd < 0.05 else ""


def _binary(data: bytes) -> bool:
    head = data[:65_536]
    return b"\x00" in head or sum(byte in _CONTROLS for byte in head) > len(head) / 100


def _mixed(data: bytes, source: object) -> tuple[str, bool]:
    """UTF-8 with stray bytes, or GB18030 with stray bytes: whichever leaves fewer of them."""
    texts = [data.decode(name, errors="replace") for name in ("utf-8", "gb18030")]
    best = min(texts, key=lambda text: text.count("�"))
    if best.count("�") > len(best) / 20:
        raise UnreadableInput(source, "neither UTF-8 nor GB18030 nor UTF-16", "save it as UTF-8")
    return best, False
