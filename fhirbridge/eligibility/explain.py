"""Why: criteria with result, sentence and evidence, what is missing for a study, and what would settle most studies."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from fhirbridge import languages
from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.columns import tree_of
from fhirbridge.eligibility.compiled import CompiledStudies, CriterionText
from fhirbridge.eligibility.judge import judge_tree
from fhirbridge.eligibility.judgement import Judgement
from fhirbridge.eligibility.relevance import words_of
from fhirbridge.eligibility.score import STATUS, Scores
from fhirbridge.records import ItemKind, LeafKind, Truth

__all__ = ["explained", "reasons_of", "row_of"]


def explained(
    compiled: CompiledStudies, chart: Chart, result: Scores, study: int, rank: int, *, with_reasons: bool
) -> dict[str, Any]:
    """One study of a patient's row."""
    shown = compiled.studies[study]
    row: dict[str, Any] = {
        "study": f"ResearchStudy/{shown.id}",
        "title": shown.title,
        "rank": rank,
        "score": float(result.score[study]),
        "status": STATUS[int(result.status[study])],
        "parts": {
            "eligibility": round(float(result.eligibility[study]), 4),
            "relevance": round(float(result.relevance[study]), 4),
            "confirmed": round(float(result.confirmed[study]), 4),
            "near": round(float(result.near[study]), 4),
            "against": int(result.against[study]),
        },
        "fingerprint": shown.fingerprint,
    }
    if with_reasons:
        row["criteria"], row["missing"] = reasons_of(compiled, chart, study, row["status"])
    return row


def reasons_of(
    compiled: CompiledStudies, chart: Chart, study: int, status: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The criteria of a study with result, reason and evidence, and what is missing."""
    rows: list[dict[str, Any]] = []
    needs: dict[str, list[int]] = {}
    deciding: set[str] = set()
    settled = _settled_groups(compiled, chart, study)
    for place, number in enumerate(compiled.criteria(study)):
        text = compiled.texts[number]
        found = _judged(compiled, chart, number, text)
        rows.append(_shown(text, found))
        if found.truth is not Truth.UNKNOWN or text.administrative or status == "excluded" or text.group in settled:
            continue
        if not text.exclude or compiled.arrays["molecular"][number]:
            need = found.need or _short(text.text)
            deciding.add(need)
            needs.setdefault(need, []).append(place)
        elif found.need:
            needs.setdefault(found.need, []).append(place)
    missing = [{"need": n, "criteria": c, "would_settle": deciding == {n}} for n, c in needs.items()]
    missing.sort(key=lambda m: (not m["would_settle"], m["need"] not in deciding, m["criteria"]))
    return rows, missing


def _settled_groups(compiled: CompiledStudies, chart: Chart, study: int) -> set[str]:
    """Groups of alternatives of which one is met."""
    found = set()
    for number in compiled.criteria(study):
        group = compiled.texts[number].group
        if group and group not in found and _judged(compiled, chart, number, compiled.texts[number]).truth is Truth.MET:
            found.add(group)
    return found


def _judged(compiled: CompiledStudies, chart: Chart, number: int, text: CriterionText) -> Judgement:
    node = int(compiled.arrays["node"][number])
    key = f"node {node}"
    if key not in chart.memory:
        chart.memory[key] = judge_tree(tree_of(compiled, node), chart)
    found: Judgement = chart.memory[key]  # type: ignore[assignment]
    untold = chart.patient.narrative and text.exclude and not compiled.arrays["molecular"][number]
    return _untold(found, chart, text) if untold and found.truth is Truth.UNKNOWN and not found.evidence else found


_ASKED_ANYWAY = re.compile(
    r"pregnan|lactat|nursing|breast-?\s?feed|childbearing|\bweigh|body mass|\bbmi\b|妊娠|孕|哺乳|体重|investigator|opinion",  # noqa: E501
    re.IGNORECASE,
)


def _untold(found: Judgement, chart: Chart, text: CriterionText) -> Judgement:
    """An exclusion of which a told story does not say one word: a note is written to mention what matters."""
    if chart.policy.silence(LeafKind.TEXT, narrative=True) is not Truth.NOT_MET or _ASKED_ANYWAY.search(text.text):
        return found
    told = chart.memory.get("told")
    if told is None:
        told = frozenset(w for i in chart.kind(ItemKind.DOCUMENT) for w in words_of(i.text))
        chart.memory["told"] = told
    telling = set(words_of(text.text)) - _untelling()
    if not told or not telling or not told.isdisjoint(telling):  # type: ignore[attr-defined]
        return found
    reason = "nothing of it is told in the note, taken as absent ({0})"
    return Judgement(Truth.NOT_MET, reason, (chart.policy.name,), silent=True)


@lru_cache(maxsize=1)
def _untelling() -> frozenset[str]:
    """Words that name no disease, treatment or finding."""
    rows = (row["word"] for name in languages.names() for row in languages.rows(name, "untelling_words"))
    return frozenset(stem for word in rows for stem in words_of(word))


def _shown(text: CriterionText, found: Judgement) -> dict[str, Any]:
    truth = found.truth
    row: dict[str, Any] = {
        "text": text.text,
        "kind": "exclusion" if text.exclude else "inclusion",
        "result": truth.value,
        "reason": found.reason,
        "evidence": list(found.evidence),
    }
    if text.administrative:
        row["administrative"] = True
    if text.group:
        row["alternative"] = text.group
    return row


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= 80 else plain[:77] + "..."


def row_of(chart: Chart, listed: list[dict[str, Any]], reserve: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A patient's row; `missing` are the facts that would settle most of the listed studies.

    `reserve`: the studies that come next, without reasons, for a run that goes on from this row.
    """
    counts: dict[str, int] = {}
    for match in listed:
        for need in match.get("missing", ()):
            if need["would_settle"]:
                counts[need["need"]] = counts.get(need["need"], 0) + 1
    patient = chart.patient
    row: dict[str, Any] = {
        "patient": f"Patient/{patient.id}",
        "as_of": chart.as_of.isoformat(),
        "matches": listed,
        "missing": [
            {"need": need, "would_settle": count} for need, count in sorted(counts.items(), key=lambda n: (-n[1], n[0]))
        ],
        "fingerprint": patient.fingerprint,
    }
    if reserve is not None:
        row["reserve"] = reserve
    if patient.gaps:
        row["gaps"] = [f"{gap.source}: {gap.reason}" for gap in patient.gaps]
    return row
