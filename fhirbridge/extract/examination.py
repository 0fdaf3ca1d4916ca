"""What the clinician finds on examination is an observation, not a complaint.

An examination begins with words such as "let me take a look" and ends with "your results" or "my plan" (cue kinds
`exam` and `exam-end` of the language); what the clinician states in between was found.
"""

from __future__ import annotations

from collections.abc import Sequence

from fhirbridge.extract.cues import Heard
from fhirbridge.extract.mentions import Mention
from fhirbridge.extract.talk import Talk
from fhirbridge.languages import spoken
from fhirbridge.records import Speaker

_EVENTS = frozenset({"exam", "exam-end", "planned"})
_KINDS = frozenset({"symptom", "finding", "exam"})


def mark(talk: Talk, mentions: Sequence[Mention], heards: dict[int, list[Heard]]) -> None:
    """Mark the mentions that were found on examination."""
    events: list[tuple[int, bool]] = []
    for number, inside in heards.items():
        if talk.sentences[number].role not in (Speaker.CLINICIAN, Speaker.NOTE):
            continue
        events += [(h.start, h.cue.kind == "exam") for h in inside if h.cue.kind in _EVENTS]
    events.sort()
    place, open_ = 0, False
    for mention in sorted(mentions, key=lambda m: m.start):
        while place < len(events) and events[place][0] <= mention.start:
            open_ = events[place][1]
            place += 1
        role = talk.sentences[mention.sentence].role
        mention.examined = (
            open_
            and mention.kind in _KINDS
            and role in (Speaker.CLINICIAN, Speaker.NOTE)
            and not mention.asked
            and not _recounted(talk, mention)
        )


def _recounted(talk: Talk, mention: Mention) -> bool:
    """Whether the clinician repeats what was told ("you mentioned some dry skin")."""
    sentence = talk.sentences[mention.sentence]
    rules = spoken.rules(sentence.language)
    if mention.key in getattr(rules, "felt_only", ()):
        return True  # nobody finds tiredness by looking
    pattern = getattr(rules, "recounts", None)
    before = talk.text[max(sentence.start, mention.start - 60) : mention.start]
    return pattern is not None and pattern.search(before) is not None
