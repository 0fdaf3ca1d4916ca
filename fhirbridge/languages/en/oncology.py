# ruff: noqa: E501  (patterns read better on one line)
"""Tumours as they are told in English: stage, TNM, markers, PD-L1, spread, lines of therapy, response, size."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fhirbridge.languages.en.numbers import numbers
from fhirbridge.languages.spoken import Told

_TOPIC = re.compile(
    r"cancer|carcinoma|tumou?r|melanoma|lymphoma|leuk(?:a)?emia|sarcoma|myeloma|metast|oncolog|malignan|mesothelioma|glioma|blastoma|biopsy|chemo|egfr|pd-?l1|her-?2"
)
_STAGE = re.compile(
    r"(?<!\w)stage (?P<number>iv|iii|ii|i|four|three|two|one|[1-4])(?:[ -]?(?P<letter>[abc])(?P<digit>[1-3])?)?(?!\w)(?! (?:chronic |of )?(?:kidney|ckd|renal|heart|pressure|ulcer|hypertension|copd|liver|sleep))"
)
_ROMAN = {"four": "IV", "three": "III", "two": "II", "one": "I", "4": "IV", "3": "III", "2": "II", "1": "I"}
_EXTENT = re.compile(r"(?<!\w)(?P<word>limited|extensive)[ -]stage(?!\w)")
_TNM = re.compile(
    r"(?<!\w)(?P<prefix>yp|yc|c|p)?t(?P<t>[0-4x]|is)(?P<ts>[a-d]?) ?,? ?n(?P<n>[0-3x])(?P<ns>[a-d]?)(?: ?,? ?m(?P<m>[01x])(?P<ms>[a-d]?))?(?!\w)"
)
_GENES = {
    "egfr": "EGFR mutation", "alk": "ALK rearrangement", "ros1": "ROS1 rearrangement", "ros-1": "ROS1 rearrangement",
    "ros one": "ROS1 rearrangement", "kras": "KRAS mutation", "k-ras": "KRAS mutation", "nras": "NRAS mutation",
    "braf": "BRAF mutation", "b-raf": "BRAF mutation", "c-met": "MET alteration", "met": "MET alteration",
    "her2": "HER2", "her-2": "HER2", "her 2": "HER2", "her two": "HER2", "ret": "RET rearrangement",
    "ntrk": "NTRK fusion", "brca1": "BRCA1 mutation", "brca2": "BRCA2 mutation", "brca": "BRCA mutation",
    "brca one": "BRCA1 mutation", "brca two": "BRCA2 mutation", "pik3ca": "PIK3CA mutation", "tp53": "TP53 mutation",
    "estrogen receptor": "Estrogen receptor", "er": "Estrogen receptor", "progesterone receptor": "Progesterone receptor",
    "pr": "Progesterone receptor", "idh1": "IDH1 mutation", "flt3": "FLT3 mutation", "bcr-abl": "BCR-ABL fusion",
    "fgfr2": "FGFR2 fusion", "jak2": "JAK2 mutation",
}  # fmt: skip
_NAMES = "|".join(sorted(map(re.escape, _GENES), key=len, reverse=True))
_VARIANT = r"exon (?:\d{1,2}|nineteen|twenty one|twenty|fourteen|eighteen) (?:deletions?|insertions?|skipping|mutations?)|l858r|t790m|c797s|g12[cdvras]|v600[ek]|exon 19 del|amplification|amplified"
_RESULT = r"positive|negative|wild[ -]?type|mutated|mutant|mutation|rearranged|rearrangement|fusion|not detected|detected|overexpressed|not found|\d\+|three plus|two plus|one plus"
_LINK = r"(?:[ ,:-]|is|was|were|came|back|the|a|an|gene|status|receptor|testing|test|mutation|mutations|rearrangement|fusion|expression|and|also|both|they|it's|are|shows?|showed|found|as|an?|your|to|be|comes|with)*"
_GENE = re.compile(
    rf"(?<![\w-])(?P<gene>{_NAMES})(?![\w])(?:{_LINK}?(?P<variant>{_VARIANT})(?!\w))?(?:{_LINK}?(?P<result>{_RESULT})(?!\w))?"
)
_NEGATED = re.compile(r"(?:\bno\b|\bnot\b|n't|\bwithout\b|negative for)(?: \w+){0,4} ?$")
_ASKED = re.compile(
    r"(?:test(?:ing|ed)? (?:for|the)|check(?:ing)?(?: for)?|send(?:ing)?(?: for)?|waiting (?:for|on)|if (?:it|you)(?: is| has| have|'s)?|whether)(?: \w+){0,4} ?$"
)
_PDL1 = re.compile(r"(?<!\w)pd[ -]?l[ -]?(?:1|one)(?!\w)(?P<between>[^.;?!]{0,45})")
_SCORE = re.compile(r"(?<!\w)(tps|cps|tumou?r proportion score|combined positive score)(?!\w)")
_MSI = re.compile(
    r"(?<!\w)(?P<name>msi[ -]?(?:high|h|low|l)|mss|microsatellite[ -](?:instability[ -]high|instable|unstable|stable)|d-?mmr|p-?mmr|mismatch repair (?:deficient|proficient))(?!\w)"
)
_SITES = {
    "brain": "brain", "head": "brain", "bone": "bone", "bones": "bone", "spine": "bone", "liver": "liver", "lung": "lung",
    "lungs": "lung", "lymph nodes": "lymph node", "lymph node": "lymph node", "nodes": "lymph node", "adrenal": "adrenal gland",
    "adrenals": "adrenal gland", "pleura": "pleura", "peritoneum": "peritoneum",
}  # fmt: skip
_SITE = "|".join(sorted(_SITES, key=len, reverse=True))
_SPREAD = re.compile(
    rf"(?<!\w)(?:(?P<site>{_SITE}) (?:metastas[ei]s|mets)|(?:metastas[ei]s|mets|metastati[cz]\w*(?: \w+)?|metastasi[sz]ed|spread)(?: \w+){{0,2}}? (?:to|in|into) (?:(?:the|your|his|her|my|a) )?(?:other )?(?P<to>{_SITE}))(?!\w)(?P<more>(?:,? (?:and )?(?:the |your |his |her )?(?:{_SITE})(?!\w))*)"
)
_LINE = re.compile(
    r"(?<!\w)(?P<n>first|second|third|fourth|1st|2nd|3rd|4th)[ -]line(?: (?:of )?(?:treatment|therapy|chemo(?:therapy)?|regimen))?(?!\w)"
)
_LINES = {"first": "1", "1st": "1", "second": "2", "2nd": "2", "third": "3", "3rd": "3", "fourth": "4", "4th": "4"}
_RESPONSE = re.compile(
    r"(?<!\w)(?P<value>complete response|partial response|stable disease|progressive disease|disease progression|complete remission|partial remission|(?:cancer|tumou?r|disease) (?:has |have |is )?(?:progressed|progressing|stable|shrunk|shrinking|grown))(?!\w)"
)
_SIZE = re.compile(
    r"(?<!\w)(?:(?P<what>mass|nodule|tumou?r|lesion|lump|cyst)(?: \w+){0,5}? )(?=(?:\w+[ .-]){0,4}?(?:cm|centimet|mm|millimet))(?P<number>[\w .]{1,24}?) ?(?P<unit>cm|centimet(?:er|re)s?|mm|millimet(?:er|re)s?)(?!\w)"
)
_LOINC = "http://loinc.org"
_STAGE_GROUP = (_LOINC, "21908-9", "Stage group.clinical Cancer")


def told(text: str) -> Iterator[Told]:
    """What a sentence says of a tumour; nothing when it speaks of none. `text` is what is said around it too."""
    if not _TOPIC.search(text):
        return
    yield from _stages(text)
    yield from _markers(text)
    yield from _spread(text)
    for match in _LINE.finditer(text):
        yield Told(match.start(), match.end(), "observation", "Line of therapy", _LINES[match["n"]])
    for match in _RESPONSE.finditer(text):
        yield Told(match.start(), match.end(), "observation", "Response to treatment", match["value"])
    for match in _SIZE.finditer(text):
        counted = numbers(match["number"])
        if counted:
            unit = "mm" if match["unit"].startswith(("mm", "mill")) else "cm"
            size = " x ".join(str(n.value) for n in counted[:3])
            yield Told(match.start(), match.end(), "exam", f"Size of {match['what']}", f"{size} {unit}")


def _stages(text: str) -> Iterator[Told]:
    for match in _STAGE.finditer(text):
        if re.search(r"\b(?:if|whether|could be|what)\b[\w ]{0,12}$", text[: match.start()]):
            continue
        number = _ROMAN.get(match["number"], match["number"].upper())
        stage = number + (match["letter"] or "").upper() + (match["digit"] or "")
        yield Told(match.start(), match.end(), "observation", "Cancer stage", stage, (_STAGE_GROUP,))
    for match in _EXTENT.finditer(text):
        yield Told(match.start(), match.end(), "observation", "Cancer stage", f"{match['word']} stage", (_STAGE_GROUP,))
    for match in _TNM.finditer(text):
        parts = [
            f"{letter.upper()}{(match[letter] or '').replace('x', 'X')}{match[letter + 's'] or ''}"
            for letter in "tnm"
            if match[letter]
        ]
        yield Told(match.start(), match.end(), "observation", "TNM stage", (match["prefix"] or "") + "".join(parts))


def _markers(text: str) -> Iterator[Told]:
    found = list(_GENE.finditer(text))
    for place, match in enumerate(found):
        result, variant = match["result"], match["variant"]
        before = text[max(0, match.start() - 40) : match.start()]
        if not result and not variant:
            # "ALK and ROS1 are negative": the next one's result is this one's too
            later = found[place + 1] if place + 1 < len(found) else None
            if (
                later is None
                or not later["result"]
                or not re.fullmatch(r"[ ,]*(?:and |or |nor )?", text[match.end() : later.start()])
            ):
                continue
            result = later["result"]
        if _ASKED.search(before) or (match["gene"] in ("met", "ret", "er", "pr", "alk") and not (result or variant)):
            continue
        if match["gene"] == "met" and not (
            variant or (result and re.search(r"mutation|amplif|positive|negative|skipping", result))
        ):
            continue
        negative = bool(result and re.search(r"negative|wild|not ", result)) or _NEGATED.search(before) is not None
        name = _GENES[match["gene"]]
        if variant:
            short = " " not in variant and any(c.isdigit() for c in variant)
            name = f"{name.split()[0]} {variant.upper() if short else variant}"
        yield Told(match.start(), match.end(), "laboratory", name, "negative" if negative else "positive")
    for match in _PDL1.finditer(text):
        between = match["between"]
        score = _SCORE.search(between)
        kind = "CPS" if score and score[0].startswith(("cps", "combined")) else "TPS"
        counted = [n for n in numbers(between) if 0 <= n.value <= 100]
        if counted:
            end = match.start("between") + counted[0].end
            yield Told(
                match.start(),
                end,
                "laboratory",
                f"PD-L1 {kind}",
                f"{counted[0].value}" + ("" if kind == "CPS" else " %"),
            )
        elif word := re.search(r"\b(positive|negative|high|low)\b", between):
            yield Told(match.start(), match.start("between") + word.end(), "laboratory", "PD-L1", word[1])
    for match in _MSI.finditer(text):
        name = match["name"].replace(" ", "-")
        high = (
            name.startswith(("msi-h", "msih", "dmmr", "d-mmr"))
            or "high" in name
            or "unstable" in name
            or "instable" in name
            or "deficient" in name
        )
        yield Told(
            match.start(),
            match.end(),
            "laboratory",
            "Microsatellite instability",
            "MSI-high" if high else "microsatellite stable",
        )


def _spread(text: str) -> Iterator[Told]:
    for match in _SPREAD.finditer(text):
        before = text[max(0, match.start() - 45) : match.start()]
        sites = [
            _SITES[match["site"] or match["to"]],
            *(_SITES[s] for s in re.findall(rf"\b(?:{_SITE})\b", match["more"] or "")),
        ]
        if _ASKED.search(before) or re.search(r"\b(?:if|can|could|may|might|would|make sure)\b[\w ,]{0,25}$", before):
            continue
        absent = re.search(r"\b(?:no|not|n't|hasn't|without|negative for)\b[\w ,]{0,30}$", before) is not None
        for site in dict.fromkeys(sites):
            yield Told(
                match.start(), match.end(), "condition", f"{site} metastasis", "", (), "absent" if absent else "present"
            )
