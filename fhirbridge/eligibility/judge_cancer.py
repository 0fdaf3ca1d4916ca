"""Questions of oncology: stage, histology, grade, biomarkers, metastases, measurable disease."""

from __future__ import annotations

import re
from dataclasses import replace

from fhirbridge.eligibility import judge_measure
from fhirbridge.eligibility.cancer_facts import (
    GENES,
    Finding,
    findings,
    genes_in,
    primaries,
    site_of,
    sites,
    stage,
    tags_of,
)
from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.judge_disease import silent
from fhirbridge.eligibility.judgement import Judgement, all_of, any_of, negated, no, unknown, yes
from fhirbridge.eligibility.questions import Question
from fhirbridge.eligibility.windows import shown
from fhirbridge.records import Item, ItemKind, Truth

__all__ = ["biomarker", "grade", "histology", "measurable", "metastasis", "stage_asked"]

_ROMAN = {"1": "I", "2": "II", "3": "III", "4": "IV", "Ⅰ": "I", "Ⅱ": "II", "Ⅲ": "III", "Ⅳ": "IV"}
_GROUP = re.compile(r"^(?:stage\s*)?(iv|iii|ii|i|0|[1-4ⅠⅡⅢⅣ])\s*-?([abc])?(\d)?(?:期)?$", re.IGNORECASE)
_TNM = re.compile(r"^[cp]?([tnm])\s?(\d[a-d]?|is|x|\+|any)?$", re.IGNORECASE)
_RANK = {"0": 0, "I": 1, "II": 2, "III": 3, "IV": 4}


def stage_asked(question: Question, chart: Chart) -> Judgement:
    """Any of the stages asked for: IIIB is III; IV is advanced and metastatic."""
    values = question.values or tuple(question.name.split())
    return any_of(_stage_one(value.strip(), chart) for value in values) if values else silent(question, chart)


def _stage_one(value: str, chart: Chart) -> Judgement:
    key = f"stage asked {value}"
    if key not in chart.memory:
        chart.memory[key] = _stage_found(value, chart)
    return chart.memory[key]  # type: ignore[return-value]


def _stage_found(value: str, chart: Chart) -> Judgement:
    now = stage(chart)
    told = f"stage {now.group}{now.part}" if now.group else ", ".join(sorted(now.words)) or "stage"
    group = _GROUP.match(value)
    if group:
        raw = group[1].upper()
        return _group(_ROMAN.get(raw, raw), (group[2] or "").upper(), chart, told)
    letters = _TNM.match(value)
    if letters:
        return _letter(letters[1].upper(), (letters[2] or "").lower(), chart)
    return _word(value.casefold(), chart, told)


def _group(wanted: str, part: str, chart: Chart, told: str) -> Judgement:
    now = stage(chart)
    if not now.group:
        if "metastatic" in now.words and wanted in _RANK:
            judge = yes if wanted == "IV" else no
            return judge("metastatic disease recorded; asked stage {0}{1}", wanted, part, evidence=now.evidence)
        return unknown("stage", "stage not recorded")
    if now.group != wanted or (part and now.part and part != now.part):
        if wanted == "IV" and "metastatic" in now.words and _RANK.get(now.group, 0) < 4:
            return yes("{0} at diagnosis, metastatic now", told, evidence=now.evidence)
        return no("{0}; asked {1}{2}", told, wanted, part, evidence=now.evidence)
    if part and not now.part:
        return unknown("exact stage", "{0} without its letter; asked {1}{2}", told, wanted, part, evidence=now.evidence)
    return yes("{0}", told, evidence=now.evidence)


def _letter(letter: str, wanted: str, chart: Chart) -> Judgement:
    now = stage(chart)
    value = dict(now.tnm).get(letter, "")
    if letter == "M" and not value:
        value = (
            "1" if "metastatic" in now.words or now.group == "IV" else "0" if now.group in ("I", "II", "III") else ""
        )
    if not value or value == "x":
        return unknown(f"{letter} stage", "{0} stage not recorded", letter)
    held = value.startswith(wanted) if wanted not in ("", "any", "+") else wanted == "any" or value[0] != "0"
    if not held and wanted.startswith(value):
        return unknown(f"{letter} stage", "{0}{1} recorded; asked {0}{2}", letter, value, wanted, evidence=now.evidence)
    return (yes if held else no)("{0}{1} recorded; asked {0}{2}", letter, value, wanted, evidence=now.evidence)


def _word(word: str, chart: Chart, told: str) -> Judgement:
    now = stage(chart)
    known = bool(now.group or now.words)
    rank = _RANK.get(now.group, 0)
    late = rank == 4 or (rank == 3 and now.part in ("B", "C")) or "metastatic" in now.words
    held: bool | None
    if "metasta" in word or "转移" in word:
        held = rank == 4 or "metastatic" in now.words if known else None
    elif "locally" in word or "局部" in word:
        held = rank == 3 or "locally advanced" in now.words if known else None
    elif "unresect" in word or "inoperable" in word or "不可切除" in word:
        held = True if late or "unresectable" in now.words else False if rank in (1, 2) else None
    elif "resect" in word or "operable" in word or "可切除" in word:
        held = False if rank == 4 or "metastatic" in now.words else True if rank in (1, 2) else None
    elif "advanced" in word or "晚期" in word or "进展" in word:
        held = late or rank == 3 or "advanced" in now.words if known else None
    elif "early" in word or "早期" in word:
        held = rank in (1, 2) if now.group else False if "metastatic" in now.words else None
    elif "extensive" in word or "广泛" in word:
        held = "extensive" in now.words or rank == 4 if known else None
    elif "limited" in word or "局限" in word:
        held = "limited" in now.words or (0 < rank < 4 and "extensive" not in now.words) if known else None
    elif "recurr" in word or "relaps" in word or "复发" in word:
        held = True if "recurrent" in now.words else None
    else:
        held = None
    if held is None:
        return unknown("stage", "{0} not recorded", word)
    return (yes if held else no)("{0}; asked {1}", told, word, evidence=now.evidence)


# -------------------------------------------------------------------------------------------------------- histology

_FAMILIES = {
    "small cell": r"(?<!non[- ])(?<!non)small[- ]cell|(?<!非)小细胞|\bsclc\b",
    "squamous": r"(?<!non[- ])(?<!non)squamous|(?<!非)鳞(?:状|癌|状细胞)",
    "adenocarcinoma": r"(?<!non-)adenocarcinoma|腺癌|ductal|lobular|adeno-",
    "large cell": r"large[- ]cell(?! lymphoma)|大细胞(?!淋巴)",
    "neuroendocrine": r"neuroendocrine|carcinoid|神经内分泌|类癌",
    "sarcomatoid": r"sarcomatoid|肉瘤样",
    "urothelial": r"urothelial|transitional cell|尿路上皮",
    "clear cell": r"clear[- ]cell|透明细胞",
    "sarcoma": r"sarcoma(?!toid)|肉瘤(?!样)",
    "lymphoma": r"lymphoma|淋巴瘤",
    "melanoma": r"melanoma|黑色素瘤",
    "leukemia": r"leuk(?:a)?emia|白血病",
}
_MARKS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _FAMILIES.items()}
_WIDE = {"small cell": {"neuroendocrine"}, "neuroendocrine": {"small cell", "large cell"}}
_NON = re.compile(r"non-?\s?squamous|非鳞", re.IGNORECASE)


def histology(question: Question, chart: Chart) -> Judgement:
    """The tumour's type against the types asked for; a known other type is a no."""
    asked = " ".join((question.name, *question.values))
    families, items = _patient_families(chart)
    if _NON.search(asked):
        if "squamous" in families:
            return no("{0}: squamous", shown(items[0]), evidence=_refs(items))
        if families:
            return yes("{0}: not squamous", shown(items[0]), evidence=_refs(items))
        return unknown("histology", "histology not recorded")
    wanted = {name for name, mark in _MARKS.items() if mark.search(asked)}
    by_key = [i for i in chart.with_keys(question.keys, ItemKind.CONDITION) if i.status == "present"]
    if by_key and "mixed" not in question.qualifiers:
        return yes("{0} recorded", shown(by_key[0]), evidence=_refs(by_key[:1]))
    if wanted & families:
        return yes("{0} recorded", shown(items[0]), evidence=_refs(items))
    if families and wanted:
        return no("{0}; asked {1}", shown(items[0]), asked.strip() or "another type", evidence=_refs(items))
    if items and not wanted:
        return unknown(question.name or "histology", "{0} does not tell {1}", shown(items[0]), asked.strip())
    return silent(question, chart, "histology")


def _patient_families(chart: Chart) -> tuple[set[str], list[Item]]:
    items = [i for i in primaries(chart) if i.status == "present"] or primaries(chart)
    words = " ".join(f"{i.concept.name} {i.text} {' '.join(i.keys)}" for i in items[:1])
    return {name for name, mark in _MARKS.items() if mark.search(words)}, items[:1]


def _refs(items: list[Item]) -> tuple[str, ...]:
    return tuple(i.reference for i in items)


def grade(question: Question, chart: Chart) -> Judgement:
    """Tumour grade is only known where an observation names it."""
    for item in chart.kind(ItemKind.OBSERVATION):
        if re.search(r"grade|gleason|分级", item.concept.name, re.IGNORECASE) and item.answer:
            wanted = [v for v in question.values if v.casefold() in item.answer.casefold()]
            judge = yes if wanted else no
            return judge("{0}: {1}", item.concept.name, item.answer.split(";")[0], evidence=(item.reference,))
    return silent(question, chart, "grade")


# ------------------------------------------------------------------------------------------------------ metastases


def metastasis(question: Question, chart: Chart) -> Judgement:
    """Metastases at a site, or anywhere; symptomatic, untreated, active as the record tells."""
    wanted = site_of(" ".join((question.name, *question.values)))
    if not wanted:
        return _anywhere(question, chart)
    return any_of(_at(site, question, chart) for site in sorted(wanted))


def _anywhere(question: Question, chart: Chart) -> Judgement:
    now = stage(chart)
    if now.group == "IV" or "metastatic" in now.words:
        return yes("metastatic disease recorded", evidence=now.evidence)
    if now.group:
        return no("stage {0}{1}, no metastasis recorded", now.group, now.part, evidence=now.evidence)
    return silent(question, chart, "metastasis")


def _at(site: str, question: Question, chart: Chart) -> Judgement:
    found = sites(chart)
    here, denied = found.get(site, []), found.get(f"no {site}", [])
    if here and (not denied or _day(here[-1]) >= _day(denied[-1])):
        return _degree(here[-1], question)
    if denied:
        return no("{0}: recorded as absent", shown(denied[-1]), evidence=_refs(denied[-1:]))
    for item in found.get("any", []):
        if site == "meninges" and re.search(r"no leptomening|无脑膜", item.text, re.IGNORECASE):
            return no("{0}: no leptomeningeal disease", shown(item), evidence=(item.reference,))
    if site == "meninges" and "with brain" in question.qualifiers and found.get("no brain"):
        clear = found["no brain"][-1]
        return no("{0}: recorded as absent", shown(clear), evidence=(clear.reference,))
    name = {"brain": "brain imaging", "meninges": "meningeal disease"}.get(site, f"{site} metastasis")
    known = question.known
    if known and chart.policy.silence(question.kind, known=True) is Truth.NOT_MET:
        return Judgement(Truth.NOT_MET, "no known {0} metastasis on record", (site,), silent=True)
    if (
        chart.policy.silence(question.kind, narrative=chart.patient.narrative, required=question.required)
        is Truth.NOT_MET
    ):
        return Judgement(Truth.NOT_MET, "{0} metastasis not mentioned, taken as absent", (site,), silent=True)
    if site not in ("brain", "meninges") and stage(chart).group in ("I", "II", "III"):
        return no("stage {0}, no metastasis", stage(chart).group, evidence=stage(chart).evidence)
    return unknown(name, "{0} not recorded", name)


def _day(item: Item) -> int:
    return item.start.latest.toordinal() if item.start else 0


def _degree(item: Item, question: Question) -> Judgement:
    words = f"{item.concept.name} {item.text}"
    asked = set(question.qualifiers)
    quiet = re.search(r"asymptomatic|no (?:neurologic(?:al)? )?symptoms|无症状", words, re.IGNORECASE)
    loud = re.search(r"(?<!a)symptomatic|seizure|headache|有症状", words, re.IGNORECASE)
    untreated = re.search(r"not treated|untreated|未治|未经治疗", words, re.IGNORECASE)
    treated = re.search(r"(?<!un)(?<!not )treated|radiosurg|stable|已治|稳定|放疗后", words, re.IGNORECASE)
    evidence = (item.reference,)
    if "symptomatic" in asked and quiet:
        return no("{0}: asymptomatic", shown(item), evidence=evidence)
    if "uncontrolled" in asked or "unstable" in asked:
        if quiet:
            return no("{0}: asymptomatic", shown(item), evidence=evidence)
        if not loud:
            return unknown(
                "control of metastases", "{0}: whether controlled is not recorded", shown(item), evidence=evidence
            )
    if asked & {"untreated", "active"} and treated and not untreated:
        return no("{0}: treated", shown(item), evidence=evidence)
    if "symptomatic" in asked and not loud:
        return unknown("symptoms of metastases", "{0}: symptoms not recorded", shown(item), evidence=evidence)
    if "asymptomatic" in asked and loud and not quiet:
        return no("{0}: symptomatic", shown(item), evidence=evidence)
    return yes("{0} recorded", shown(item), evidence=evidence)


def measurable(question: Question, chart: Chart) -> Judgement:
    """Measurable disease as recorded, or a target lesion of 10 mm."""
    for item in reversed(chart.kind(ItemKind.OBSERVATION)):
        if re.search(r"measurable|可测量|recist", item.concept.name, re.IGNORECASE) and item.status != "pending":
            if item.quantity is None and (item.answer or item.status == "absent"):
                no_word = item.status == "absent"
                return (no if no_word else yes)(
                    "{0}: {1}", shown(item), "no" if no_word else "yes", evidence=(item.reference,)
                )
            if item.quantity is not None and item.quantity.unit == "mm":
                held = item.quantity.value >= 10
                return (yes if held else no)(
                    "{0}: {1} mm", shown(item), item.quantity.value, evidence=(item.reference,)
                )
    return silent(question, chart, "measurable disease")


# ------------------------------------------------------------------------------------------------------- biomarkers

_NEG = re.compile(
    r"negative|wild[- ]?type|absent|\bwt\b|阴性|野生|not detected|without|non-?mutat|stable|proficient|low",
    re.IGNORECASE,
)
_SENSITISING = re.compile(r"sensiti[sz]|activating|敏感|常见突变|targetable", re.IGNORECASE)
_DRIVERS = ("EGFR", "ALK", "ROS1", "KRAS", "BRAF", "MET", "RET", "NTRK1", "HER2")
_WHOLE = frozenset({"fusion", "overexpression"})


def biomarker(question: Question, chart: Chart) -> Judgement:
    """A gene or marker: its alterations present or absent, a level, or not tested."""
    asked = " ".join((question.name, *question.values))
    if question.low or question.high or question.measure in ("pdl1", "pdl1_cps", "tmb", "ki67"):
        return _level(question, chart)
    genes = list(genes_in(question.name) or genes_in(asked))
    if not genes:
        if re.search(r"triple[- ]negative|三阴", asked, re.IGNORECASE):
            return all_of(_gene(g, replace(question, values=("negative",)), chart) for g in ("ER", "PR", "HER2"))
        if re.search(r"driver|co-?mutation|targetable|actionable|驱动", asked, re.IGNORECASE):
            own = {a.removeprefix("gene ") for a in question.anchors}
            if own & {"NTRK", "NTRK1", "NTRK2", "NTRK3"}:
                own |= {"NTRK", "NTRK1", "NTRK2", "NTRK3"}
            asked_values = replace(question, values=(), name="")
            return any_of(_gene(g, asked_values, chart) for g in _DRIVERS if g not in own)
        return silent(question, chart)
    if genes == ["HR"]:
        both = (_gene("ER", question, chart), _gene("PR", question, chart))
        direct = _gene("HR", question, chart)
        if direct.truth is not Truth.UNKNOWN:
            return direct
        return all_of(both) if _NEG.search(" ".join(question.values)) else any_of(both)
    if "NTRK" in genes:
        genes = [*genes, "NTRK1", "NTRK2", "NTRK3"]
        found = [f for f in (_gene(g, question, chart) for g in dict.fromkeys(genes)) if f.truth is not Truth.UNKNOWN]
        return any_of(found) if found else _gene("NTRK", question, chart)
    return any_of(_gene(g, question, chart) for g in dict.fromkeys(genes))


def _level(question: Question, chart: Chart) -> Judgement:
    measure = question.measure or "pdl1"
    if chart.measured.get(measure) and (question.low or question.high):
        return judge_measure.value(replace(question, measure=measure), chart)
    values = [i for i in chart.measured.get(measure, []) if i.quantity is not None]
    if values and measure == "pdl1" and values[0].quantity is not None:
        positive = values[0].quantity.value >= 1
        negative_asked = bool(_NEG.search(" ".join(question.values)))
        judge = yes if positive != negative_asked else no
        return judge("PD-L1 TPS {0} %", values[0].quantity.value, evidence=(values[0].reference,))
    return silent(question, chart, question.name)


def _gene(gene: str, question: Question, chart: Chart) -> Judgement:
    tested = findings(chart).get(gene, [])
    values = [v for v in question.values if v]
    negative = bool(values) and all(_NEG.search(v) for v in values)
    asked = " ".join((question.name, *question.values, *question.qualifiers))
    wanted = tags_of(asked)
    if gene == "EGFR" and not wanted and _SENSITISING.search(asked):
        wanted = frozenset({"exon 19 deletion", "L858R", "G719X"})
    found = _alteration(gene, wanted, tested, question, chart)
    return negated(found) if negative else found


def _alteration(
    gene: str, wanted: frozenset[str], tested: list[Finding], question: Question, chart: Chart
) -> Judgement:
    """Whether the wanted alterations of a gene (any, when none is named) were found."""
    label = f"{gene} {' or '.join(sorted(wanted))}".strip()
    present = [f for f in tested if f.status == "present"]
    for finding in reversed(present):
        if not wanted or wanted & finding.tags:
            return yes("{0} found{1}", _name(finding), _dated(finding), evidence=(finding.item.reference,))
    absent = [f for f in tested if f.status == "absent"]
    for finding in reversed(present):
        if wanted and finding.tags:
            return no(
                "{0} found{1}; asked {2}", _name(finding), _dated(finding), label, evidence=(finding.item.reference,)
            )
    for finding in reversed(absent):
        whole = not finding.tags or (not wanted and gene not in ("EGFR", "KRAS", "HER2")) or finding.tags <= _WHOLE
        if whole or (wanted and wanted <= finding.tags):
            return no("{0}: not found{1}", _name(finding), _dated(finding), evidence=(finding.item.reference,))
    if present:
        item = present[-1].item
        return unknown(
            label,
            "{0} found, its kind is not recorded; asked {1}",
            _name(present[-1]),
            label,
            evidence=(item.reference,),
        )
    pending = [f for f in tested if f.status == "pending"]
    if pending and not question.known:
        return unknown(label, "{0}: result pending", label, evidence=(pending[-1].item.reference,))
    return silent(replace(question, name=label), chart, label)


def _name(finding: Finding) -> str:
    name = finding.item.concept.name
    return name if GENES[finding.gene].search(name) else f"{finding.gene} {name}"


def _dated(finding: Finding) -> str:
    return f" {finding.item.start.latest.isoformat()}" if finding.item.start else ""
