"""How much a word or disease tells trials apart: `data/rarity.tsv`, counted once over a whole registry.

The table does not change with the trials at hand, so that a trial has the same score beside any others.
"""

from __future__ import annotations

import csv
import math
from functools import lru_cache
from importlib import resources

__all__ = ["MEAN_WORDS", "disease", "word"]

_STUDIES = 35_491
_UNSEEN = 2  # studies that a term stands in which the table leaves out
MEAN_WORDS = {"conditions": 2.14, "title": 8.92}  # of the same records


def word(term: str) -> float:
    """The weight of a stemmed word: high when few trials hold it."""
    return _weight("word", term)


def disease(key: str) -> float:
    """The weight of a disease by its key."""
    return _weight("disease", key)


def _weight(kind: str, term: str) -> float:
    count = _counts().get((kind, term), _UNSEEN)
    return math.log(1 + (_STUDIES - count + 0.5) / (count + 0.5))


@lru_cache(maxsize=1)
def _counts() -> dict[tuple[str, str], int]:
    file = resources.files("fhirbridge.eligibility") / "data" / "rarity.tsv"
    kept = (line for line in file.read_text("utf-8").splitlines() if not line.startswith("#"))
    rows = csv.DictReader(kept, delimiter="\t", quoting=csv.QUOTE_NONE)
    return {(row["kind"], row["term"]): int(row["studies"]) for row in rows}
