"""Write fhirbridge/terminology/data/unit-spellings-lhncbc.tsv: LHNCBC's unit spellings that are valid UCUM.

python tools/make_unit_spellings.py UNIT_SPELLINGS_TO_UCUM_JSON
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fhirbridge.terminology import ucum

TARGET = Path(ucum.__file__).parent / "data" / "unit-spellings-lhncbc.tsv"
HEAD = (
    "# Printed unit spellings to UCUM, from LHNCBC (see NOTICE), those whose code is valid UCUM.\n"
    "# Made by tools/make_unit_spellings.py.\n"
    "printed\tucum\n"
)


def main() -> None:
    pairs = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    kept = sorted((k, v) for k, v in pairs.items() if ucum.measure(v) is not None and not k.startswith("10*"))
    TARGET.write_text(HEAD + "".join(f"{k}\t{v}\n" for k, v in kept), encoding="utf-8")


if __name__ == "__main__":
    main()
