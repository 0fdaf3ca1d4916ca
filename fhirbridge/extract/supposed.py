"""What is only supposed, across turns: the rest of an "if" that goes on in the next turn, and its echo by the patient.

"If your headache is getting worse" - "or you develop any weakness" supposes both; a patient who repeats the warning
("either back pain or vomiting, great, I'll watch out") does not have what was warned of.
"""

from __future__ import annotations

from collections.abc import Sequence

from fhirbridge.extract.cues import Heard
from fhirbridge.extract.mentions import Mention
from fhirbridge.extract.talk import Talk
from fhirbridge.languages import spoken
from fhirbridge.records import Speaker

_ANSWERERS = (Speaker.PATIENT, Speaker.RELATIVE)
_BACK = 3  # turns in which the warning was given


def drop(talk: Talk, mentions: Sequence[Mention], heards: dict[int, list[Heard]]) -> None:
    """Drop the mentions that go on with a supposition, or only repeat one."""
    warned: list[tuple[int, str]] = []
    meant = {m.key for m in mentions if not m.dropped and talk.sentences[m.sentence].role in _ANSWERERS}
    feared = {m.key for m in mentions if m.dropped and talk.sentences[m.sentence].role in _ANSWERERS} - meant
    for mention in sorted(mentions, key=lambda m: m.start):
        sentence = talk.sentences[mention.sentence]
        rules = spoken.rules(sentence.language)
        if sentence.role is Speaker.CLINICIAN:
            goes_on = getattr(rules, "goes_on", None)
            supposed = _supposes(heards.get(_before(talk, mention.sentence), []))
            if not mention.dropped and supposed and goes_on is not None and goes_on.match(talk.words(sentence)):
                mention.dropped = "hypothetical"
            mention.recounted = _recounts(talk, mention)
            if not mention.dropped and mention.key in feared and mention.recounted:
                mention.dropped = "was only feared"
            if mention.dropped == "hypothetical":
                warned.append((sentence.turn, mention.key))
        elif sentence.role in _ANSWERERS and not mention.dropped and not mention.asked:
            told = getattr(rules, "told_of_self", None)
            near = {key for turn, key in warned if 0 < sentence.turn - turn <= _BACK}
            if mention.key in near and told is not None and not told.search(talk.words(sentence)):
                mention.dropped = "repeats a warning"


def _recounts(talk: Talk, mention: Mention) -> bool:
    """Whether the clinician only names what the other spoke of ("you mentioned brain cancer")."""
    sentence = talk.sentences[mention.sentence]
    pattern = getattr(spoken.rules(sentence.language), "recounts", None)
    before = talk.text[max(sentence.start, mention.start - 40) : mention.start]
    return pattern is not None and pattern.search(before) is not None


def _before(talk: Talk, number: int) -> int:
    """The sentence of the same speaker before a sentence."""
    role = talk.sentences[number].role
    return next((n for n in range(number - 1, max(number - 4, -1), -1) if talk.sentences[n].role is role), -1)


def _supposes(heards: Sequence[Heard]) -> bool:
    return any(h.cue.kind == "hypothetical" and h.cue.note == "strong" for h in heards)
