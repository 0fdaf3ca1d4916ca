"""Tests for infectious agents: what they are called, and what they say together."""

from __future__ import annotations

import re
from functools import lru_cache

from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.judgement import Judgement, any_of, no, yes
from fhirbridge.eligibility.questions import Question
from fhirbridge.records import Item, ItemKind

__all__ = ["SIGNS", "VIRUSES", "agent_of", "is_infection_test", "no_virus", "serology"]

SIGNS = {
    "positive": re.compile(r"positive|present|detect|reactive|阳性|检出|\bpos\b|\+", re.IGNORECASE),
    "negative": re.compile(r"negative|absent|not detected|undetect|non-?reactive|阴性|未检出|\bneg\b", re.IGNORECASE),
}
_AGENTS = (
    ("hepatitis b", re.compile(r"hepatitis b|hbv|hbsag|乙肝|乙型肝炎", re.IGNORECASE)),
    ("hepatitis c", re.compile(r"hepatitis c|hcv|丙肝|丙型肝炎", re.IGNORECASE)),
    ("hiv", re.compile(r"\bhiv\b|human immunodeficiency|aids|艾滋|人类免疫缺陷", re.IGNORECASE)),
    ("tuberculosis", re.compile(r"tubercul|\btb\b|结核", re.IGNORECASE)),
    ("covid", re.compile(r"covid|sars-cov|新冠|新型冠状", re.IGNORECASE)),
    ("syphilis", re.compile(r"syphilis|梅毒|treponema", re.IGNORECASE)),
)
_CORE = re.compile(r"core|hbcab|anti-?hbc|核心抗体", re.IGNORECASE)
_SURFACE_AB = re.compile(r"surface ab|hbsab|anti-?hbs\b|表面抗体", re.IGNORECASE)


def agent_of(question: Question) -> str:
    """The agent whose serology answers a question about an infection, "" where there is none."""
    return next(iter(_tested(question.name)[0]), "")


def serology(agent: str, chart: Chart) -> Judgement | None:
    """What the tests for an agent say together; None where none answers."""
    key = f"serology {agent}"
    if key not in chart.memory:
        found = [_serology(item) for item in chart.kind(ItemKind.OBSERVATION) if _is_test(item, agent)]
        answers = [f for f in found if f is not None]
        chart.memory[key] = any_of(answers) if answers else None
    return chart.memory[key]  # type: ignore[return-value]


def _is_test(item: Item, agent: str) -> bool:
    agents, antibody = _tested(item.concept.name)
    return agent in agents and not antibody and bool(item.answer or item.quantity is not None)


@lru_cache(maxsize=50_000)
def _tested(name: str) -> tuple[tuple[str, ...], bool]:
    """The agents that a test's name means, and whether it looks for antibodies that outlast the infection."""
    agents = tuple(agent for agent, mark in _AGENTS if mark.search(name))
    return agents, bool(agents) and bool(_CORE.search(name) or _SURFACE_AB.search(name))


VIRUSES = {"hcv_rna": "hepatitis c", "hbv_dna": "hepatitis b", "hiv_rna": "hiv"}


def no_virus(question: Question, key: str, chart: Chart) -> Judgement | None:
    """A viral load that nobody measured because the serology is negative."""
    agent = VIRUSES.get(key, "")
    for item in chart.kind(ItemKind.OBSERVATION) if agent else ():
        agents, antibody = _tested(item.concept.name)
        if agent in agents and not antibody and item.status == "absent":
            wanted = " ".join((*question.values, *question.qualifiers)).casefold()
            below = (question.high is not None and question.low is None) or "negative" in wanted
            return (yes if below else no)("{0} negative, so no virus", item.concept.name, evidence=(item.reference,))
    return None


def is_infection_test(item: Item) -> bool:
    """Whether an observation tests for one of the agents that criteria ask about."""
    return item.kind is ItemKind.OBSERVATION and bool(_tested(item.concept.name)[0])


def _serology(item: Item) -> Judgement | None:
    day = item.start.latest.isoformat() if item.start else "undated"
    evidence = (item.reference,)
    if item.status == "absent" or SIGNS["negative"].search(item.answer):
        return no("{0} negative on {1}", item.concept.name, day, evidence=evidence)
    if SIGNS["positive"].search(item.answer):
        return yes("{0} positive on {1}", item.concept.name, day, evidence=evidence)
    return None
