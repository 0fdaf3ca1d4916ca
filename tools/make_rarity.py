"""How rare words and diseases are in trials: counts over compiled studies -> fhirbridge/eligibility/data/rarity.tsv.

usage: python tools/make_rarity.py COMPILED

COMPILED: what `compile_studies(save=...)` wrote for a whole registry (the table in the repository: 35,491 records of
ClinicalTrials.gov). Terms of fewer than five studies are left out; a term that is not in the table counts as rare.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from fhirbridge.eligibility import compiled
from fhirbridge.eligibility.compiled import CompiledStudies

TARGET = Path("fhirbridge/eligibility/data/rarity.tsv")
LEAST = 5
TABLES = {
    "word": ("inclusion words", "conditions", "title", "exclusion words"),
    "disease": ("subject keys", "inclusion keys"),
}


def counts(studies: CompiledStudies, names: tuple[str, ...]) -> dict[str, int]:
    """In how many studies each term stands."""
    found: dict[str, list[np.ndarray]] = {}
    for name in names:
        terms, starts, places, _ = studies.relevance.tables[name]
        for term, number in terms.items():
            found.setdefault(term, []).append(places[starts[number] : starts[number + 1]])
    return {term: len(np.unique(np.concatenate(places))) for term, places in found.items()}


def main() -> None:
    """Write the table."""
    studies = compiled.read(Path(sys.argv[1]))
    lines = [
        f"# In how many of {len(studies)} trial records a word (stemmed) or a disease of the lexicon stands.",
        "kind\tterm\tstudies",
    ]
    for kind, names in TABLES.items():
        for term, count in sorted(counts(studies, names).items()):
            if count >= LEAST:
                lines.append(f"{kind}\t{term}\t{count}")
    TARGET.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{len(lines) - 2} terms")


if __name__ == "__main__":
    main()
