"""What a chart says about cancer: primaries, stage, metastases, alterations; each worked out once a patient."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from fhirbridge.eligibility.chart import Chart
from fhirbridge.eligibility.questions import Question
from fhirbridge.records import Item, ItemKind

__all__ = ["Finding", "Stage", "findings", "genes_in", "is_cancer_question", "primaries", "sites", "stage"]

_CANCER = re.compile(
    r"cancer|carcinoma|malignan|lymphoma|leuk(?:a)?emia|sarcoma|melanoma|myeloma|glioma|blastoma|mesothelioma|neoplasm|"
    r"癌|恶性|淋巴瘤|白血病|肉瘤|骨髓瘤|黑色素瘤|胶质瘤|母细胞瘤|nsclc|sclc",
    re.IGNORECASE,
)
_SECONDARY = re.compile(
    r"metasta|secondary malig|secondary neoplasm|转移|malignant (?:pleural|pericardial)|恶性(?:胸|心包)", re.IGNORECASE
)
_NOT_CANCER = re.compile(r"benign|history of|family|screening|risk of|良性|family history|家族", re.IGNORECASE)
_ICD_CANCER = re.compile(r"^icd10\|(?:C(?!7[789])\d\d|D0\d|D4[5-7])$")
_ICD_SECONDARY = re.compile(r"^icd10\|(?:C7[789]|J91\.0)")
_NUMBER = re.compile(r"\b(?:stage\s*)?(iv|iii|ii|i|4|3|2|1|0)\s*([abcd])?\s*(\d)?\b", re.IGNORECASE)
_NUMBER_ZH = re.compile(r"(iv|iii|ii|i|[1-4ⅠⅡⅢⅣ]|[一二三四])\s*([abc])?\s*(\d)?\s*期", re.IGNORECASE)
_ROMAN = {"1": "I", "2": "II", "3": "III", "4": "IV", "Ⅰ": "I", "Ⅱ": "II", "Ⅲ": "III", "Ⅳ": "IV"}
_ROMAN |= {"一": "I", "二": "II", "三": "III", "四": "IV", "0": "0"}
_STAGE_CODES = frozenset({"loinc|21908-9", "loinc|21902-2", "loinc|21914-7", "loinc|75620-2"})
_TNM = re.compile(r"\b[cpyra]{0,2}([TNM])\s?([0-4][a-d]?\d?|is|x)", re.IGNORECASE)
_TNM_NAMES = re.compile(r"primary tumou?r|regional lymph nodes|distant metastas|tnm|\bcT|\bpT", re.IGNORECASE)


def is_cancer_question(question: Question) -> bool:
    """Whether a question asks for a malignant disease."""
    return bool(_CANCER.search(question.name)) or any(k.startswith("icd10|C") for k in question.keys)


def is_cancer(item: Item) -> bool:
    """Whether a condition is a primary malignancy."""
    return _is_cancer(item.concept.name, item.keys)


@lru_cache(maxsize=50_000)
def _is_cancer(name: str, keys: frozenset[str]) -> bool:
    if any(_ICD_SECONDARY.match(k) for k in keys) or _SECONDARY.search(name):
        return False
    if any(_ICD_CANCER.match(k) for k in keys):
        return True
    return bool(_CANCER.search(name)) and not _NOT_CANCER.search(name)


def primaries(chart: Chart) -> list[Item]:
    """Primary malignancies, active ones first."""
    if "primaries" not in chart.memory:
        found = [i for i in chart.kind(ItemKind.CONDITION) if i.status in ("present", "past") and is_cancer(i)]
        chart.memory["primaries"] = sorted(found, key=lambda i: i.status != "present")
    return chart.memory["primaries"]  # type: ignore[return-value]


# ----------------------------------------------------------------------------------------------------------- stage


@dataclass(frozen=True, slots=True)
class Stage:
    """The latest stage: `group` is I to IV ("" unknown), `part` its letter, `words` like extensive; T, N, M."""

    group: str = ""
    part: str = ""
    words: frozenset[str] = frozenset()
    tnm: tuple[tuple[str, str], ...] = ()
    evidence: tuple[str, ...] = ()
    shown: str = ""


def stage(chart: Chart) -> Stage:
    """The stage as last recorded, metastases included."""
    if "stage" not in chart.memory:
        chart.memory["stage"] = _stage(chart)
    return chart.memory["stage"]  # type: ignore[return-value]


def _stage(chart: Chart) -> Stage:
    group = part = shown = ""
    words: set[str] = set()
    tnm: dict[str, str] = {}
    evidence: list[str] = []
    dated = sorted(chart.items, key=lambda i: i.start.latest.toordinal() if i.start else 0, reverse=True)
    for item in dated:
        if item.status in ("absent", "pending", "planned", "possible"):
            continue
        told = _told(item)
        if told and not group and (found := _group(told)):
            group, part = found
            shown = told.split(";")[0].strip()
            evidence.append(item.reference)
        if told:
            words |= {w for w, mark in _STAGE_WORDS.items() if mark.search(told)}
        if item.kind is ItemKind.OBSERVATION and _TNM_NAMES.search(item.concept.name):
            for letter, value in _TNM.findall(item.answer):
                tnm.setdefault(letter.upper(), value.lower())
                evidence.append(item.reference)
    for item in sites(chart).get("any", ()):
        words.add("metastatic")
        evidence.append(item.reference)
    return Stage(group, part, frozenset(words), tuple(sorted(tnm.items())), tuple(dict.fromkeys(evidence)), shown)


_STAGE_WORDS = {
    "extensive": re.compile(r"extensive|广泛期", re.IGNORECASE),
    "limited": re.compile(r"limited|局限期", re.IGNORECASE),
    "metastatic": re.compile(r"metasta|转移", re.IGNORECASE),
    "locally advanced": re.compile(r"locally advanced|局部晚期", re.IGNORECASE),
    "advanced": re.compile(r"advanced|晚期|进展期", re.IGNORECASE),
    "recurrent": re.compile(r"recurr|relaps|复发", re.IGNORECASE),
    "unresectable": re.compile(r"unresect|inoperable|不可切除|无法切除", re.IGNORECASE),
    "resectable": re.compile(r"(?<!un)resectable|(?<!不)可切除", re.IGNORECASE),
}


def _told(item: Item) -> str:
    """The words of an item that tell a stage of cancer."""
    if item.kind is ItemKind.OBSERVATION:
        named = "stage" in item.concept.name.casefold() or "分期" in item.concept.name
        return item.answer if named or _STAGE_CODES & item.keys else ""
    if item.kind is ItemKind.CONDITION and is_cancer(item):
        return f"{item.text}; {item.concept.name}"
    return ""


def _group(words: str) -> tuple[str, str] | None:
    found = _NUMBER_ZH.search(words) or re.search(_NUMBER.pattern.replace(r"(?:stage\s*)?", r"stage\s*"), words, re.I)
    if not found and len(words) < 40:
        found = _NUMBER.search(words)
    if not found:
        return None
    raw = found[1].upper()
    return _ROMAN.get(raw, raw), (found[2] or "").upper()


# ------------------------------------------------------------------------------------------------------- metastases

_SITES = {
    "brain": re.compile(r"brain|cerebr|cns|central nervous|intracranial|脑(?!膜)|颅内|中枢", re.IGNORECASE),
    "meninges": re.compile(r"mening|脑膜", re.IGNORECASE),
    "liver": re.compile(r"liver|hepatic|肝", re.IGNORECASE),
    "bone": re.compile(r"bone|osseous|skelet|骨", re.IGNORECASE),
    "lung": re.compile(r"lung|pulmon|肺", re.IGNORECASE),
    "adrenal": re.compile(r"adrenal|肾上腺", re.IGNORECASE),
    "spinal cord": re.compile(r"spinal cord|脊髓", re.IGNORECASE),
    "pleura": re.compile(r"pleura|胸膜|胸腔", re.IGNORECASE),
    "peritoneum": re.compile(r"periton|腹膜", re.IGNORECASE),
    "lymph node": re.compile(r"lymph node|淋巴结", re.IGNORECASE),
}
_ICD_SITES = {
    "C79.31": "brain",
    "C79.32": "meninges",
    "C79.3": "brain",
    "C78.7": "liver",
    "C79.5": "bone",
    "C78.0": "lung",
}
_ICD_SITES |= {"C79.7": "adrenal", "C78.2": "pleura", "J91.0": "pleura", "C78.6": "peritoneum", "C77": "lymph node"}
_WORDS = re.compile(r"metasta|secondary malig|secondary neoplasm|转移|carcinomat|leptomening", re.IGNORECASE)


def sites(chart: Chart) -> dict[str, list[Item]]:
    """Recorded metastases by site; "any" holds all distant ones, "no <site>" those recorded as absent."""
    if "sites" not in chart.memory:
        chart.memory["sites"] = _sites(chart)
    return chart.memory["sites"]  # type: ignore[return-value]


def _sites(chart: Chart) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for item in chart.kind(ItemKind.CONDITION, ItemKind.OBSERVATION):
        coded = {site for code, site in _ICD_SITES.items() if f"icd10|{code}" in item.keys}
        if not coded and not (_WORDS.search(item.concept.name) or any(_ICD_SECONDARY.match(k) for k in item.keys)):
            continue
        if item.kind is ItemKind.OBSERVATION and (
            item.status == "stated" or (item.status == "present" and not item.answer)
        ):
            continue
        if "loinc|21907-1" in item.keys or "loinc|21901-4" in item.keys:
            continue
        if coded == {"brain", "meninges"} and "icd10|C79.32" in item.keys:
            coded = {"meninges"}
        here = coded | {site for site, mark in _SITES.items() if mark.search(item.concept.name)}
        if item.status == "absent":
            for site in here:
                found.setdefault(f"no {site}", []).append(item)
        elif item.status in ("present", "past"):
            for site in (*here, *(() if here == {"lymph node"} else ("any",))):
                found.setdefault(site, []).append(item)
    return found


def site_of(words: str) -> set[str]:
    """The sites that a question's words name."""
    return {site for site, mark in _SITES.items() if mark.search(words)}


# ------------------------------------------------------------------------------------------------------ alterations


@dataclass(frozen=True, slots=True)
class Finding:
    """One tested marker: `tags` what was looked for or found (empty: any alteration), present or absent, the item."""

    gene: str
    tags: frozenset[str]
    status: str
    item: Item


_GENES = [
    "EGFR",
    "ALK",
    "ROS1",
    "KRAS",
    "NRAS",
    "HRAS",
    "BRAF",
    "MET",
    "RET",
    "NTRK",
    "NTRK1",
    "NTRK2",
    "NTRK3",
    "NRG1",
    "PIK3CA",
    "BRCA1",
    "BRCA2",
    "BRCA",
    "TP53",
    "IDH1",
    "IDH2",
    "FGFR",
    "FGFR1",
    "FGFR2",
    "FGFR3",
    "FLT3",
    "NPM1",
    "KIT",
    "PDGFRA",
    "JAK2",
    "ATM",
    "PALB2",
    "STK11",
    "KEAP1",
    "ESR1",
    "PTEN",
    "AKT1",
    "MDM2",
    "CLDN18",
    "TROP2",
    "MSH2",
    "MLH1",
    "MSH6",
    "PMS2",
    "CD19",
    "CD20",
    "CD30",
    "BCMA",
    "PSMA",
    "HRD",
    "TMB",
    "MSI",
    "MMR",
    "BCR-ABL",
    "DLL3",
    "MAP2K1",
    "LTK",
    "SHP2",
    "EML4",
]
_ALIASES = {
    "HER2": r"her-?\s?2|erbb-?2|人表皮生长因子受体2",
    "PD-L1": r"pd-?\s?l1|程序性死亡配体1",
    "ER": r"estrogen receptor|oestrogen receptor|\bER\b|雌激素受体",
    "PR": r"progesterone receptor|\bPR\b|\bPgR\b|孕激素受体",
    "HR": r"hormone receptor|激素受体",
    "AR": r"androgen receptor|雄激素受体",
    "MSI": r"microsatellite|msi-?h\b|\bmsi\b|微卫星",
    "MMR": r"mismatch repair|\bd?mmr\b|错配修复",
    "BCR-ABL": r"bcr[-/:]{0,2}abl|philadelphia|费城染色体",
    "CLDN18": r"claudin|cldn-?18",
}
GENES: dict[str, re.Pattern[str]] = {
    g: re.compile(_ALIASES.get(g) or rf"(?<![A-Za-z0-9]){re.escape(g)}(?![A-Za-z0-9])", re.IGNORECASE)
    for g in dict.fromkeys([*_GENES, *_ALIASES])
}
_CASED = frozenset({"MET", "KIT", "ATM", "RET", "ER", "PR", "HR", "AR"})  # words of English otherwise
GENES |= {g: re.compile(GENES[g].pattern) for g in _CASED}
GENES["ER"] = re.compile(r"[Ee]strogen [Rr]eceptor|[Oo]estrogen [Rr]eceptor|\bER\b|雌激素受体")
GENES["PR"] = re.compile(r"[Pp]rogesterone [Rr]eceptor|\bPR\b|\bPgR\b|孕激素受体")
GENES["HR"] = re.compile(r"[Hh]ormone[- ][Rr]eceptor|\bHR\b(?=[+-]|-?pos|-?neg)|(?<!雌)(?<!孕)激素受体")
_TAGS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (tag, re.compile(pattern, re.IGNORECASE))
    for tag, pattern in (
        ("exon 19 deletion", r"exon\s*19\s*del|19\s*-?\s*del|ex19del|del\s*19|19\s*号?外显子(?:的)?缺失|E746"),
        ("L858R", r"L858R|exon 21 (?:point|substitution)|21\s*号?外显子(?:的)?(?:点突变|L858R)"),
        ("T790M", r"T790M"),
        ("C797S", r"C797"),
        ("exon 20 insertion", r"exon\s*20\s*ins|20\s*ins|ex20ins|20\s*号?外显子(?:的)?插入"),
        ("G719X", r"G719|L861Q|S768I|uncommon"),
        ("G12C", r"G12C"),
        ("G12D", r"G12D"),
        ("G12V", r"G12V"),
        ("V600E", r"V600"),
        ("exon 14 skipping", r"exon\s*14|14\s*号?外显子(?:的)?跳"),
        ("amplification", r"amplif|扩增"),
        ("fusion", r"fusion|rearrange|translocat|重排|融合|\bEML4"),
        ("overexpression", r"over-?express|过表达"),
        ("ITD", r"\bITD\b"),
    )
)
_GENERIC = re.compile(r"mutat|alterat|variant|突变|变异|aberrat|positive|阳性", re.IGNORECASE)


def tags_of(words: str) -> frozenset[str]:
    """The alterations that words name; empty for a gene without more ("EGFR mutation")."""
    return frozenset(tag for tag, mark in _TAGS if mark.search(words))


def findings(chart: Chart) -> dict[str, list[Finding]]:
    """Tested markers by gene, newest last."""
    if "findings" not in chart.memory:
        chart.memory["findings"] = _findings(chart)
    return chart.memory["findings"]  # type: ignore[return-value]


_POSITIVE = re.compile(r"[-\s]?(?:positive|\+|mutat|mutant|rearrang|fusion|阳性|突变|amplif)", re.IGNORECASE)
_NEGATIVE = re.compile(r"[-\s]?(?:negative|wild[- ]?type|\bwt\b|阴性|野生型|-(?=\W|$))", re.IGNORECASE)


def _findings(chart: Chart) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    dated = sorted(chart.items, key=lambda i: i.start.latest.toordinal() if i.start else 0)
    for item in dated:
        for finding in _of_item(item):
            found.setdefault(finding.gene, []).append(finding)
            if (
                finding.gene in ("NTRK1", "NTRK2", "NTRK3")
                and "NTRK1/2" in finding.item.text + finding.item.concept.name
            ):
                found.setdefault("NTRK", []).append(finding)
    return found


def _of_item(item: Item) -> list[Finding]:
    words = f"{item.concept.name} {item.text}"
    if item.kind is ItemKind.OBSERVATION and not item.text.startswith("component"):
        genes = genes_in(f"{item.concept.name} {' '.join(c.display for c in item.concept.codings)}") or genes_in(words)
        if not genes:
            return []
        status = item.status if item.answer or item.status == "pending" else ""
        if status == "stated":
            status = "present" if _POSITIVE.search(item.answer) or tags_of(item.answer) else ""
        if item.quantity is not None and not item.answer:
            return []
        wild = re.search(
            r"wild[- ]?type|野生型|not mutated|microsatellite stable|\bMSS\b|\bpMMR\b|proficient", item.answer, re.I
        )
        if wild:
            status = "absent"
        return [Finding(g, tags_of(f"{words} {item.answer}"), status, item) for g in genes if status]
    if item.kind is ItemKind.CONDITION and item.status in ("present", "past"):
        made = []
        for gene in genes_in(item.concept.name):
            after = item.concept.name[GENES[gene].search(item.concept.name).end() :][:24]  # type: ignore[union-attr]
            if _NEGATIVE.match(after):
                made.append(Finding(gene, frozenset(), "absent", item))
            elif _POSITIVE.match(after) or tags_of(after):
                made.append(Finding(gene, tags_of(item.concept.name), "present", item))
        return made
    return []


@lru_cache(maxsize=50_000)
def genes_in(words: str) -> tuple[str, ...]:
    """The markers that words name."""
    return tuple(gene for gene, mark in GENES.items() if mark.search(words))
