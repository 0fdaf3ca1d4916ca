"""How a mention stands in its own sentence: negated, possible, past, about somebody else, or no fact at all.

ConText's rules over the cues of `extract.cues`; measured on NegEx's 1,188 sentences in `benchmarks/negex.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from fhirbridge.extract.cues import Heard, search
from fhirbridge.extract.mentions import Mention
from fhirbridge.languages import spoken
from fhirbridge.records import Status


@dataclass(slots=True)
class Standing:
    """The kinds of cue that reach a mention, each with its own note."""

    kinds: dict[str, str] = field(default_factory=dict)

    def __contains__(self, kind: str) -> bool:
        return kind in self.kinds


_STOPPED_BY_STOP = frozenset(
    {"negated", "possible", "past", "history", "family", "planned", "stopped", "other", "continued"}
)
_LISTS = frozenset({"and the", ", the", "and your", "and also", "and my", "with"})
_TAKEN = frozenset({"medication", "medication-class"})
_NO_STATUS = frozenset({"stop", "pseudo", "exam", "exam-end"})


def standing(mention: Mention, heards: Sequence[Heard], text: str, language: str) -> Standing:
    """What the cues of its sentence say of a mention."""
    found = Standing()
    gap = spoken.rules(language).word_gap
    for number, heard in enumerate(heards):
        cue = heard.cue
        if heard.start < mention.start < heard.end:
            # the cue runs into the mention: "don't [feel down]"; of a pseudo-cue ("no [change in vision]") "no" counts
            if cue.kind not in _NO_STATUS and cue.direction != "backward":
                found.kinds.setdefault(cue.kind, cue.note)
            for part in search(text[heard.start : mention.start], language) if cue.kind == "pseudo" else ():
                if part.cue.kind not in _NO_STATUS and part.cue.direction != "backward":
                    found.kinds.setdefault(part.cue.kind, part.cue.note)
            continue
        if cue.kind in _NO_STATUS:
            continue
        if heard.end <= mention.start and cue.direction in ("forward", "both"):
            between = (heard.end, mention.start)
            others = heards[number + 1 :]
        elif heard.start >= mention.end and cue.direction in ("backward", "both"):
            between = (mention.end, heard.start)
            others = heards[:number]
        else:
            continue
        if between[1] - between[0] > _FARTHEST:
            continue
        if _far(text, between, cue.reach, gap) and not (cue.kind == "negated" and _listed(text[slice(*between)])):
            continue
        inside = [o for o in others if between[0] <= o.start < between[1]]
        if cue.kind == "continued":
            if not any(_ends_list(o, text) for o in inside):
                found.kinds.setdefault(cue.kind, cue.note)
            continue
        if any(_ends(o, cue.kind) and _ends_kin(cue.kind, text[o.start : o.end], language) for o in inside):
            continue
        found.kinds.setdefault(cue.kind, cue.note)
    if text[max(0, mention.start - 4) : mention.start] in ("non-", " non"):
        found.kinds["negated"] = ""
    return found


def _far(text: str, between: tuple[int, int], reach: int, gap: str) -> bool:
    if between[1] <= between[0]:
        return False
    if not gap:
        return between[1] - between[0] > reach
    return text.count(gap, *between) > reach


_FARTHEST = 400  # characters; no cue reaches farther
_SEPARATOR = re.compile(r",|\bor\b|\band\b|\bnor\b")


def _listed(between: str) -> bool:
    """Whether the words between are a list: "no recent weight loss, headaches, bone pain, or [blood in the stool]"."""
    pieces = _SEPARATOR.split(between)
    return len(pieces) > 2 and len(between) < 250 and all(piece.count(" ") <= 5 for piece in pieces)


def _ends_list(other: Heard, text: str) -> bool:
    """Whether a list of medicines that go on ends here: at another plan, not at "and the"."""
    if other.cue.kind == "stop":
        return text[other.start : other.end] not in _LISTS
    return other.cue.kind in ("planned", "stopped")


def _ends_kin(kind: str, words: str, language: str) -> bool:
    """What is told of a relative goes on until the talk is of the patient again ("my mum, she's had depression")."""
    if kind not in ("family", "other"):
        return True
    pattern = getattr(spoken.rules(language), "own", None)
    return pattern is None or pattern.search(words) is not None


def _ends(other: Heard, kind: str) -> bool:
    """Whether a cue between ends the reach of one of `kind`."""
    if other.cue.kind == "stop":
        return kind in other.cue.note.split() if other.cue.note else kind in _STOPPED_BY_STOP
    return False


def settle(mention: Mention, stand: Standing) -> None:
    """Write the status that its own sentence gives a mention."""
    if mention.dropped:
        return
    if "hypothetical" in stand and (stand.kinds["hypothetical"] == "strong" or "negated" not in stand):
        mention.dropped = "hypothetical"
        return
    if "other" in stand:
        mention.dropped = "other"
        return
    if "family" in stand:
        mention.relative = stand.kinds["family"]
    elif mention.key.startswith("family history of"):
        mention.relative = "FAMMEMB"
    mention.history = "history" in stand
    mention.stopped = "stopped" in stand
    negated = "negated" in stand
    if mention.fixed:
        if negated and mention.status is Status.PLANNED:
            mention.dropped = "not planned"
        return
    if mention.flip:
        mention.status = Status.PRESENT if negated else Status.ABSENT
    elif negated:
        mention.status = Status.ABSENT
    elif "possible" in stand:
        mention.status = Status.POSSIBLE
    elif "continued" in stand and mention.kind in _TAKEN:
        mention.status = Status.PRESENT
        mention.continued = True
    elif (
        ("stopped" in stand and mention.kind != "condition")
        or "history" in stand
        or ("past" in stand and _over(mention, stand))
    ):
        mention.status = Status.PAST
    elif "planned" in stand:
        mention.status = Status.PLANNED
    else:
        mention.status = Status.PRESENT


def _over(mention: Mention, stand: Standing) -> bool:
    """ "I had" tells that a disease is over, not that a complaint is."""
    return stand.kinds["past"] != "condition" or mention.kind not in ("symptom", "finding", "exam")
