"""What a written heart consultation leaves open: asked, feared or explained, neither confirmed nor denied.

In a chat nobody examines the patient, and questions stay unanswered. A heart doctor who reads it later wants to see
which heart conditions and warning signs were raised and not settled: they become unconfirmed, preliminary Conditions.
Other fields, visits in the consulting room and notes keep the usual rule: what was not answered is no fact.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fhirbridge.languages.zh.mention import Mention
from fhirbridge.records import Status

_PROBLEM = ("condition", "symptom", "finding")
# ICD-10: circulation, congenital heart disease, signs of the heart and chest, and the risk factors asked for.
_HEART = re.compile(r"I[0-5]|I9|Q2|R0[0-3]|R06|R07|R55|R57|R23.0|R9431")
_RAISED = re.compile(
    r"I|Q2|R0[0-37]|R06|R55|R57|R23|R60|R61|R53|R42|R50|R11|E0[5-9]|E1[0-4]|E78|D5|D6[0-4]|J00|J06|F41|M54|R73|K2|R10|R51"
)
_OPENING = re.compile(r"(?<![手脚恶点小放担关粗爱开耐细热空])心(?![情理烦急意里得])|冠脉|冠状动脉|房颤|早搏|支架")
_WORDS = re.compile(r"心(?!理|情)|早搏|房颤|室缺|房缺")


def settle(found: Sequence[Mention], opening: str) -> None:
    """Make the open heart topics of a heart consultation possible; nothing when it opens with something else."""
    problems = [m for m in found if m.kind in _PROBLEM and not m.family and m.text not in ("心脏病", "心脏问题")]
    complaint = [m for m in problems if m.turn == 0]
    early = complaint or [m for m in problems if m.turn <= 2 and m.status is Status.PRESENT]
    if not (_OPENING.search(opening) or any(_is(m, _HEART) for m in early)):
        return
    known = {m.key for m in problems if m.status is not None and not m.dropped}
    for mention in problems:
        waits = mention.asked and mention.status is None and not mention.dropped
        unsure = mention.dropped == "the patient could not say"
        if (
            (waits or unsure or (mention.open and mention.dropped))
            and mention.key not in known
            and _is(mention, _RAISED)
        ):
            mention.dropped, mention.status, mention.certain = "", Status.POSSIBLE, False


def _is(mention: Mention, codes: re.Pattern[str]) -> bool:
    listed = [c.code for c in mention.concept.codings if "icd-10" in c.system]
    return any(codes.match(code) for code in listed) or (_WORDS.search(mention.concept.name) is not None)


def vague(found: Sequence[Mention]) -> None:
    """Take "heart trouble" out where it names no disease of the patient's: a wish for a clinic, a general word."""
    for mention in found:
        generic = mention.text in ("心脏病", "心脏问题", "心脏疾病", "心脏不好", "肿瘤", "癌症")
        if generic and mention.status in (Status.PRESENT, Status.POSSIBLE) and mention.rank < 4 and not mention.stated:
            mention.dropped = "no disease named"
