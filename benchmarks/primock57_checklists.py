"""Polarity against the clinicians' checklists of primock57's consultations.

usage: python benchmarks/primock57_checklists.py PRIMOCK57_DIR [--errors N] [--text DIR]

PRIMOCK57_DIR holds the two TextGrids of each consultation and `checklist_facts.jsonl`. A checklist fact that names
one complaint or disease is an item: present, or absent when it is denied ("no blood"). An item is found when the facts
of the transcript hold the same concept, right when they hold it with the same polarity. `--text` also writes each
consultation as labelled text. Clinicians who contradict each other about an item make it no item.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

from fhirbridge.extract import facts, recordings, turns
from fhirbridge.records import Fact, FactKind, Status
from fhirbridge.terminology import lexicon

_KINDS = (FactKind.CONDITION, FactKind.SYMPTOM, FactKind.EXAM)


def consultation(folder: Path, name: str) -> str:
    """The two speakers' TextGrids as one labelled text in the order of time."""
    said = []
    for role in ("doctor", "patient"):
        grid = (folder / f"{name}_{role}.TextGrid").read_text("utf-8")
        found = recordings.read(grid, name)
        said += [(turn.start or 0.0, role, turn.text) for turn in (found[1] if found else ())]
    return "".join(f"{role.capitalize()}: {text}\n" for _, role, text in sorted(said))


def polarity(fact: Fact) -> str:
    """present or absent."""
    return "absent" if fact.status is Status.ABSENT else "present"


def keys(fact: Fact) -> set[str]:
    """What makes two facts the same: the name, SNOMED codes, and ICD-10 to three characters."""
    codes = {c.code if "snomed" in c.system else c.code[:3] for c in fact.concept.codings if "loinc" not in c.system}
    return {fact.concept.name.lower(), *codes}


def items(folder: Path, words: lexicon.Lexicon) -> dict[str, list[tuple[str, set[str], str]]]:
    """(text, keys, polarity) of each consultation's items, one a concept."""
    found: dict[str, dict[str, list[tuple[str, set[str], str]]]] = defaultdict(lambda: defaultdict(list))
    for line in (folder / "checklist_facts.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        text = row["fact"].strip()
        if re.match(r"(?i)(?:or|as|then|and) ", text):  # goes on with the line above
            continue
        if (row["section"] or "").lower().startswith(("fh", "family", "plan", "mx")):
            continue
        read = [f for f in facts.find(turns.read(text + "\n"), words)[0] if f.kind in _KINDS]
        if len(read) == 1 and not read[0].concept.name.lower().startswith("no "):
            denied = re.match(r"(?i)\s*(?:no|nil|not|denies|denied|without|never|-ve|negative)\b", text) is not None
            found[row["consultation"]][read[0].concept.name].append(
                (text, keys(read[0]), "absent" if denied else polarity(read[0]))
            )
    out = {}
    for name, concepts in found.items():
        agreed = [group[0] for group in concepts.values() if len({p for _, _, p in group}) == 1]
        out[name] = agreed
    return out


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--errors", type=int, default=0)
    parser.add_argument("--text", type=Path)
    args = parser.parse_args()
    words = lexicon.load()
    count: Counter[str] = Counter()
    for name, wanted in sorted(items(args.folder, words).items()):
        text = consultation(args.folder, name)
        if args.text:
            args.text.mkdir(parents=True, exist_ok=True)
            (args.text / f"{name}.txt").write_text(text, "utf-8")
        heard = [f for f in facts.find(turns.read(text), words)[0] if f.kind in _KINDS]
        for item, concept, want in wanted:
            same = [f for f in heard if keys(f) & concept]
            right = any(polarity(f) == want for f in same)
            count["items"] += 1
            count["found"] += bool(same)
            count["right"] += right
            if not right and count["shown"] < args.errors:
                count["shown"] += 1
                print(name, repr(item), want, [(f.concept.name, f.status.value) for f in same] or "missed")
    print(f"items {count['items']}, found {count['found']}")
    right, found = count["right"], count["found"]
    print(f"polarity right on found {right / found:.3f}, of all items {right / count['items']:.3f}")


if __name__ == "__main__":
    main()
