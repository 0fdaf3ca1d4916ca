"""Numbers as English speakers say them: "one twenty eight over seventy two", "a hundred and one point four"."""

# ruff: noqa: E501  (patterns read better on one line)
from __future__ import annotations

import re
from decimal import Decimal

from fhirbridge.languages.spoken import Number

_SMALL = {
    w: i
    for i, w in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
} | {"oh": 0}
_TENS = {
    w: 10 * i for i, w in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
WRITTEN: dict[str, Decimal] = {w: Decimal(n) for w, n in (_SMALL | _TENS).items() if w != "oh"} | {
    "half": Decimal("0.5")
}
_SCALE = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_WORD = "|".join(sorted((*_SMALL, *_TENS, *_SCALE), key=len, reverse=True))
_NUMBER = re.compile(
    rf"(?P<digits>\d+(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?(?:\s+(?:hundred|thousand|million))?|(?<![\d.])\.\d+)(?![\d])"
    rf"|\b(?P<half>half|(?:a\s+)?quarter)(?=\s+(?:of\s+)?(?:a|an|the|one|tab|tablet|pill|pack)\b)"
    rf"|(?<!\w )(?:zero\s+)?\bpoint\s+(?P<tenths>(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)(?:\s+(?:zero|oh|one|two|three|four|five|six|seven|eight|nine))*)\b"
    rf"|(?<=(?:is|of|at|as) )point\s+(?P<tenth>(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)(?:\s+(?:zero|oh|one|two|three|four|five|six|seven|eight|nine))*)\b"
    rf"|\b(?P<couple>(?:a\s+)?couple(?:\s+of)?)\b"
    rf"|\b(?P<words>(?:a\s+(?=hundred|thousand|million))?(?:{_WORD})(?:(?:\s+and\s+a\s+half\b)|(?:(?:\s+and\s+|\s+point\s+|\.\s+(?=(?:zero|one|two|three|four|five|six|seven|eight|nine)\b)|[\s-]+)(?:{_WORD})\b))*)\b"
)
_POINT = re.compile(r"\s+point\s+|\.\s+")


def numbers(text: str) -> list[Number]:
    """Every number in a folded text, in words or digits, in order."""
    found = []
    for match in _NUMBER.finditer(text):
        kind = match.lastgroup
        if kind == "digits":
            found.append(Number(match.start(), match.end(), _digits(match[0])))
        elif kind == "half":
            found.append(Number(match.start(), match.end(), Decimal("0.25" if "quarter" in match[0] else "0.5")))
        elif kind in ("tenths", "tenth"):
            found.append(Number(match.start(), match.end(), Decimal(f"0.{_spelled(match[kind])}")))
        elif kind == "couple":
            found.append(Number(match.start(), match.end(), Decimal(2)))
        elif match[0] != "oh":
            found += _words(match[0], match.start())
    return found


def _digits(text: str) -> Decimal:
    parts = text.replace(",", "").split()
    value = Decimal(parts[0])
    return value * _SCALE[parts[1]] if len(parts) > 1 else value


def _words(text: str, start: int) -> list[Number]:
    """The value of a run of number words; a run that is two numbers side by side gives two."""
    half = text.endswith("and a half")
    body = text.removesuffix("and a half").rstrip() if half else text
    pieces = _POINT.split(body)
    found: list[Number] = []
    groups = _groups(pieces[0])
    place = start
    for number, (value, length) in enumerate(groups):
        last = number == len(groups) - 1
        amount = Decimal(value)
        end = place + length
        if last and len(pieces) > 1:
            fraction = "".join(_spelled(p) for p in pieces[1:])
            amount = Decimal(f"{value}.{fraction}") if fraction.isdigit() else amount
            end = start + len(body)
        if last and half:
            amount += Decimal("0.5")
            end = start + len(text)
        found.append(Number(place, end, amount))
        place = end + 1
    return found


def _spelled(words: str) -> str:
    """Digits after the point: "four five" and "forty five" are both 45."""
    total, tens = "", 0
    for word in re.split(r"[\s-]+", words):
        if word in _TENS:
            tens = _TENS[word]
            total += str(tens)
        elif word in _SMALL:
            value = _SMALL[word]
            total = total[:-1] + str(value) if tens and 0 < value < 10 else total + str(value)
            tens = 0
    return total


def _groups(text: str) -> list[tuple[int, int]]:
    """(value, characters) of each number in a run: "one twenty eight" is one, "two three" are two."""
    tokens = [(m[0], m.end()) for m in re.finditer(r"[a-z]+", text)]
    words = [t for t, _ in tokens if t not in ("a", "and")]
    if len(words) >= 3 and all(w in _SMALL and _SMALL[w] < 10 for w in words):
        return [(int("".join(str(_SMALL[w]) for w in words)), len(text))]
    done: list[tuple[int, int]] = []
    begin = 0
    total = current = 0
    previous = ""
    for word, end in tokens:
        if word in ("a", "and"):
            continue
        if word in _SCALE:
            current = max(current, 1) * _SCALE[word]
            if word != "hundred":
                total, current = total + current, 0
        elif _joins(previous, current, word):
            current = _joined(previous, current, word)
        elif previous:
            done.append(
                (
                    total + current,
                    len(text[begin:].split(word)[0].rstrip()) if False else _before(tokens, word, end) - begin,
                )
            )
            begin, total, current = end - len(word), 0, _value(word)
        else:
            current = _value(word)
        previous = word
    done.append((total + current, len(text) - begin))
    return done


def _before(tokens: list[tuple[str, int]], word: str, end: int) -> int:
    return max((e for _, e in tokens if e <= end - len(word)), default=0)


def _value(word: str) -> int:
    return _TENS.get(word, _SMALL.get(word, 0))


def _joins(previous: str, current: int, word: str) -> bool:
    if not previous or previous in _SCALE:
        return True
    if previous in _TENS:
        return 0 < _SMALL.get(word, 99) < 10 or (word in _TENS and current < 100) or word == "oh"
    if previous == "oh":
        return word in _SMALL and _SMALL[word] < 10
    # "one fifty", "one ten", "one oh five", "nineteen eighty"
    return current < 20 and (word in _TENS or word == "oh" or (current < 10 and 10 <= _SMALL.get(word, 0) < 20))


def _joined(previous: str, current: int, word: str) -> int:
    value = _value(word)
    if previous in _SCALE or previous == "oh" or (previous in _TENS and value < 10 and word != "oh"):
        return current + value
    return current * 100 + value
