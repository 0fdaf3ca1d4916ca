"""How many misread values the lab checks catch, by class of error, and how many right rows stay final.

    python benchmarks/lab_checks.py GOLD_DIR [--seed N] [--pattern '*.json']

GOLD_DIR holds <id>.json as labs/dev and labs/synthetic-dev do: rows as printed. In each trial one value of one report
is changed the way OCR changes it; all other rows are right. No picture takes part, so this is what the row, the panel
and the sheet tell alone: a second reading comes on top.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from fhirbridge.extract import lab_checks
from fhirbridge.records import Box, LabHeader, LabReport, LabResult, Quantity
from fhirbridge.terminology import loinc

ALIKE = {"0": "68", "1": "74", "2": "7", "3": "85", "4": "91", "5": "63", "6": "85", "7": "12", "8": "306", "9": "40"}
_NUMBER = re.compile(r"\s*([<>≤≥]=?)?\s*(\d+(?:\.\d+)?)\s*")


def quantity(text: Any, unit: str) -> Quantity | None:
    found = _NUMBER.fullmatch(str(text or ""))
    sign = (found[1] or "").replace("≤", "<=").replace("≥", ">=") if found else ""
    return Quantity(Decimal(found[2]), unit, comparator=sign) if found else None


def report(file: Path) -> LabReport:
    gold = json.loads(file.read_text(encoding="utf-8"))
    rows = []
    for n, item in enumerate(gold["items"]):
        unit = item["unit"] or ""
        row = LabResult(item["name_as_printed"], str(item["value"]), Box(0, n * 20, 100, 18), unit=unit)
        low, high = quantity(item["ref_low"], unit), quantity(item["ref_high"], unit)
        number = quantity(item["value"], unit)
        flag, code = item["flag"] or "", item["code"] or ""
        more = {"low": low, "high": high, "range_text": item["ref_text"] or "", "flag": flag, "abbreviation": code}
        rows.append(replace(row, quantity=number, **more))
    header = LabHeader(specimen=gold.get("header", {}).get("specimen"))
    return LabReport(header, tuple(rows), (), "zh" if "zh" in gold["id"] else "en")


def digit(text: str, rng: random.Random) -> str:
    at = rng.choice([i for i, c in enumerate(text) if c.isdigit()])
    return text[:at] + rng.choice(ALIKE[text[at]]) + text[at + 1 :]


def lost_point(text: str, rng: random.Random) -> str:
    return text.replace(".", "")


def arrow(text: str, rng: random.Random) -> str:
    return text + "1"


def lost_digit(text: str, rng: random.Random) -> str:
    at = rng.choice([i for i, c in enumerate(text) if c.isdigit()])
    return text[:at] + text[at + 1 :]


def doubled(text: str, rng: random.Random) -> str:
    at = rng.choice([i for i, c in enumerate(text) if c.isdigit()])
    return text[:at] + text[at] + text[at:]


CLASSES: dict[str, Callable[[str, random.Random], str]] = {
    "digit confused": digit,
    "point lost": lost_point,
    "arrow read as 1": arrow,
    "digit lost": lost_digit,
    "digit doubled": doubled,
}


def broken(rows: tuple[LabResult, ...], at: int, kind: str, rng: random.Random) -> LabResult | None:
    """The row with an error of a class; None where the class does not apply to it."""
    row = rows[at]
    if row.quantity is None:
        return None
    if kind == "neighbour's value":
        other = rows[at + 1 if at + 1 < len(rows) else at - 1]
        if other.quantity is None or other.value_text == row.value_text:
            return None
        return replace(
            row, value_text=other.value_text, quantity=replace(other.quantity, unit=row.unit), flag=other.flag
        )
    text = row.value_text.lstrip("<>≤≥= ")
    if (kind == "point lost" and "." not in text) or (kind == "arrow read as 1" and not row.flag):
        return None
    changed = CLASSES[kind](text, rng)
    number = quantity(changed, row.unit)
    if number is None or number.value == row.quantity.value:
        return None
    flag = "" if kind == "arrow read as 1" else row.flag
    return replace(row, value_text=changed, quantity=replace(number, comparator=row.quantity.comparator), flag=flag)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pattern", default="*.json")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    tried: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    right = final = 0
    for file in sorted(args.gold.glob(args.pattern)):
        whole = loinc.code(report(file))
        checked = lab_checks.check(whole, [], None, known=loinc).results
        right += len(checked)
        final += sum(not row.doubts for row in checked)
        for at in range(len(whole.results)):
            for kind in (*CLASSES, "neighbour's value"):
                row = broken(whole.results, at, kind, rng)
                if row is None:
                    continue
                rows = (*whole.results[:at], row, *whole.results[at + 1 :])
                again = lab_checks.check(loinc.code(replace(whole, results=rows)), [], None, known=loinc)
                tried[kind] += 1
                caught[kind] += bool(again.results[at].doubts)
    print(f"right rows that stay final  {final / max(1, right):.4f}  of {right}")
    for kind in tried:
        print(f"caught, {kind:18}  {caught[kind] / tried[kind]:.4f}  of {tried[kind]}")


if __name__ == "__main__":
    main()
