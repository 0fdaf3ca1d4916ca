"""Write fhirbridge/terminology/data/ucum-atoms.tsv from ucum-essence.xml: every unit atom as factor and dimension.

    python tools/make_ucum_atoms.py UCUM_ESSENCE_XML

Special units (Celsius, pH, logarithms) have no factor: they are known by name only. The mole, the equivalent and the
osmole are kept as dimensions of their own, and so is each arbitrary unit ([IU], [CFU] ...): that is what keeps mass,
molar and arbitrary concentrations apart.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from fractions import Fraction
from pathlib import Path

NS = "{http://unitsofmeasure.org/ucum-essence}"
OWN = {"mol": "mol", "eq": "eq", "osm": "osm"}
TARGET = Path(__file__).parent.parent / "fhirbridge" / "terminology" / "data" / "ucum-atoms.tsv"


def main() -> None:
    root = ET.parse(sys.argv[1]).getroot()
    prefixes = {p.get("Code"): Fraction(p.find(f"{NS}value").get("value")) for p in root.iter(f"{NS}prefix")}
    raw = {}
    done: dict[str, tuple[Fraction, dict[str, int]]] = {}
    metric = set()
    special = set()
    for base in root.iter(f"{NS}base-unit"):
        done[base.get("Code")] = (Fraction(1), {base.get("Code"): 1})
        metric.add(base.get("Code"))
    for unit in root.iter(f"{NS}unit"):
        code, value = unit.get("Code"), unit.find(f"{NS}value")
        if unit.get("isMetric") == "yes":
            metric.add(code)
        if unit.get("isSpecial") == "yes":
            special.add(code)
        elif code in OWN:
            done[code] = (Fraction(1), {OWN[code]: 1})
        elif unit.get("isArbitrary") == "yes":
            done[code] = (Fraction(1), {code: 1})
        else:
            raw[code] = (value.get("Unit"), Fraction(value.get("value")))

    def atom(text: str) -> tuple[Fraction, dict[str, int]]:
        if text in done:
            return done[text]
        if text in raw:
            unit, value = raw[text]
            factor, dimension = term(unit)
            done[text] = (factor * value, dimension)
            return done[text]
        for prefix in sorted(prefixes, key=len, reverse=True):
            if text.startswith(prefix) and text[len(prefix) :] in (*done, *raw):
                factor, dimension = atom(text[len(prefix) :])
                return factor * prefixes[prefix], dimension
        raise ValueError(text)

    def term(text: str) -> tuple[Fraction, dict[str, int]]:
        factor, total, sign = Fraction(1), {}, 1
        for mark, piece in re.findall(r"([./]?)([^./]+)", text):
            sign = -1 if mark == "/" else 1
            if re.fullmatch(r"\d+", piece):
                factor *= Fraction(piece) ** sign
                continue
            found = re.fullmatch(r"(10\*|10\^|.*?[^\d+-])([+-]?\d+)?", piece)
            name, power = found[1], int(found[2] or 1) * sign
            if name in ("10*", "10^"):
                factor *= Fraction(10) ** power
                continue
            value, dimension = atom(name)
            factor *= value**power
            for base, exponent in dimension.items():
                total[base] = total.get(base, 0) + exponent * power
        return factor, {k: v for k, v in total.items() if v}

    lines = []
    for code in [*done, *raw]:
        if code in ("10*", "10^"):
            continue
        try:
            factor, dimension = atom(code)
        except (ValueError, ZeroDivisionError):
            print("left out:", code, file=sys.stderr)
            continue
        shape = ".".join(f"{k}:{v}" for k, v in sorted(dimension.items())) or "1"
        lines.append(f"{code}\t{factor}\t{shape}\t{'yes' if code in metric else 'no'}")
    for code in sorted(special):
        lines.append(f"{code}\t\tspecial\t{'yes' if code in metric else 'no'}")
    head = (
        f"# UCUM {root.get('version')} atoms from ucum-essence.xml by tools/make_ucum_atoms.py; see NOTICE.\n"
        "# factor: in base units (m s g rad K C cd mol eq osm and each arbitrary unit); dimension: base:exponent.\n"
        "code\tfactor\tdimension\tmetric\n"
    )
    TARGET.write_text(head + "\n".join(sorted(set(lines))) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
