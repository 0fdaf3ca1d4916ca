"""Negation on NegEx's 1,188 sentences, through the assertion code that transcripts use.

usage: python benchmarks/negex.py ANNOTATIONS [--errors N]

ANNOTATIONS is `Annotations-1-120-random.txt` of chapmanbe/negex (tab-separated: number, concept, sentence, Negated or
Affirmed). Prints precision, recall and F1 of "negated".
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from pathlib import Path

from fhirbridge.extract import cues, facts
from fhirbridge.extract.mentions import Mention
from fhirbridge.extract.talk import Talk
from fhirbridge.records import Concept, Span, Speaker, Status, Turn


def negated(sentence: str, concept: str) -> bool | None:
    """Whether the concept is denied; None when it is not in the sentence."""
    text = re.sub(r"\s+", " ", sentence.strip().strip('"'))
    talk = Talk([Turn(Speaker.NOTE, text, Span(0, len(text)))], "en", False)
    words = re.sub(r"\s+", " ", concept.strip().strip('"').strip().lower())
    place = re.sub(r"\s+", " ", text).find(words.upper())
    found = talk.text.find(words, max(0, place - 5) if place >= 0 else 0)
    found = found if found >= 0 else talk.text.find(words)
    if found < 0:
        return None
    number = talk.sentence_at(found)
    mention = Mention(found, found + len(words), "condition", words, Concept(words), number)
    facts.weigh(talk, mention, cues.find(talk).get(number, []), set())
    return mention.status is Status.ABSENT


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("annotations", type=Path)
    parser.add_argument("--errors", type=int, default=0)
    args = parser.parse_args()
    count: Counter[str] = Counter()
    for line in args.annotations.read_text("utf-8", errors="replace").splitlines():
        parts = line.split("\t")
        if len(parts) < 4 or parts[3].strip() not in ("Negated", "Affirmed"):
            continue
        want, got = parts[3].strip() == "Negated", negated(parts[2], parts[1])
        name = "missing" if got is None else ("tp" if want else "fp") if got else ("fn" if want else "tn")
        count[name] += 1
        if name in ("fp", "fn", "missing") and count["shown"] < args.errors:
            count["shown"] += 1
            print(name, repr(parts[1]), parts[2][-300:])
    precision, recall = count["tp"] / (count["tp"] + count["fp"]), count["tp"] / (count["tp"] + count["fn"])
    print(
        f"negated: precision {precision:.3f} recall {recall:.3f} F1 {2 * precision * recall / (precision + recall):.3f}"
    )
    print(dict(count))


if __name__ == "__main__":
    main()
