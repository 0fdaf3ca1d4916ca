"""Where it is: "pain in my left knee", "my arm is getting weaker" -> knee pain, arm weakness, with site and side.

A general complaint and a part of the body that stand together become the exact complaint: the lexicon's own concept
where it has one ("knee pain"), else the two names together.
"""

# ruff: noqa: E501  (patterns read better on one line)
from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from fhirbridge.extract.mentions import Mention, Vocabulary
from fhirbridge.extract.talk import Talk
from fhirbridge.records import Body, Coding, Concept

# English keys of complaints that say little without a place.
BASES = frozenset(
    {
        "pain", "swelling", "numbness", "paresthesia", "weakness", "stiffness", "tenderness", "erythema", "itching", "rash",
        "bruising", "muscle cramp", "spasm", "lump", "burning sensation", "injury", "fracture", "sprain", "arthritis", "edema",
        "discomfort", "redness", "ache", "soreness", "tingling", "cramp", "muscle spasm", "peripheral edema", "strain",
        "effusion", "contusion", "laceration", "wound", "osteoarthritis", "mass", "nodule", "lesion",
    }
)  # fmt: skip
_AFTER = re.compile(
    r"(?! (?:your|my|his|her)\b)(?:[ ,]*(?:or|and|any|numbness|tingling|weakness|swelling|pain|pins and needles|stiffness|redness|rash|aching)\b)*"
    r"[ ,]*(?:(?:in|of|on|to|over|from|around|across|at|along|down|near|into|through|up|about|under|behind|inside|the|my|your|his|her|"
    r"both|left|right|upper|lower|whole|entire|side|sides|part|area|back|front|top|inner|outer|middle|and|that|this|a|bit|all|"
    r"way|kind|sort|like|also|here|when|palpation|palpate|base|end|tip|aspect|lateral|medial|posterior|anterior|distal|proximal)[ ,]+)*"
)
_BEFORE = re.compile(
    r"(?:'s)?[ ,]*(?:(?:is|are|was|were|has|have|been|feels?|felt|gets?|got|getting|keeps?|kept|started|starts|starting|to|be|a|"
    r"bit|little|really|very|so|just|also|definitely|still|always|kind|of|sort|quite|pretty|more|and|like|it|they|area|joint|muscle|muscles|"
    r"does|do|did|both|some|mild|severe|looks?|look|appears?|seems?|all|being|had|having|would|region|that|goes|go|going)[ ,]*)*"
)
_SIDE = re.compile(r"\b(left|right|bilateral|both(?= (?:of )?(?:my |your |his |her |the )?(?:\w+s|feet)\b))\b")
_SHARED_WORDS = ("area", "region")


def place(talk: Talk, mentions: list[Mention], vocabulary: Vocabulary) -> list[Mention]:
    """The mentions, those that have a place with it; parts of the body alone are left where they are."""
    by_sentence: dict[int, list[Mention]] = defaultdict(list)
    for mention in mentions:
        if mention.kind == "anatomy":
            by_sentence[mention.sentence].append(mention)
    for mention in mentions:
        if mention.kind == "anatomy" or talk.sentences[mention.sentence].language != "en":
            continue
        _side(talk, mention)
        if mention.key not in BASES:
            continue
        site = _near(talk, mention, by_sentence.get(mention.sentence, ()))
        if site is not None:
            _compose(talk, mention, site, vocabulary)
    return mentions


def _near(talk: Talk, mention: Mention, sites: Sequence[Mention]) -> Mention | None:
    for site in sites:
        if site.start >= mention.end and _AFTER.fullmatch(talk.text, mention.end, site.start):
            return site
    for site in reversed(sites):
        if site.end <= mention.start and _BEFORE.fullmatch(talk.text, site.end, mention.start):
            return site
    return None


def _compose(talk: Talk, mention: Mention, site: Mention, vocabulary: Vocabulary) -> None:
    start, end = min(mention.start, site.start), max(mention.end, site.end)
    side = _SIDE.search(talk.text, max(talk.sentences[mention.sentence].start, start - 12), end)
    name = site.concept.name.lower()
    base = mention.concept.name.lower()
    for phrase in (f"{name} {base}", f"{base} of {name}", f"{base} in {name}"):
        entry = vocabulary.find(phrase, "en")
        if entry is not None:
            mention.concept, mention.key = entry.in_language("en"), entry.key
            break
    else:
        codings: tuple[Coding, ...] = () if mention.key == "pain" else mention.concept.codings
        mention.concept = Concept(f"{name} {base}", codings)
        mention.key = f"{name} {base}"
    mention.start, mention.end = start, end
    mention.body = Body(site.concept, _side_name(side[1]) if side else "")


def _side(talk: Talk, mention: Mention) -> None:
    """The side of a complaint that names its own place ("left knee pain")."""
    if mention.body is not None or mention.kind not in ("symptom", "condition", "finding", "exam", "procedure"):
        return
    start = max(talk.sentences[mention.sentence].start, mention.start - 14)
    while talk.text[start - 1 : start].isalnum() and talk.text[start].isalnum():
        start += 1  # "alright" names no side
    side = _SIDE.search(talk.text[start : mention.end])
    if side is not None:
        mention.side = _side_name(side[1])


def _side_name(word: str) -> str:
    return "bilateral" if word == "both" else word
