"""What a line of eligibility text is, when it is no criterion: a heading, a label, an empty word, a note."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from fhirbridge import languages

_DRESSING = re.compile(r"^[\s*_#=~\-•·\[【\"“'(（《>]+|[\s*_#=~\-•·\]】\"”'》:：;；,，.。]+$")
_NUMBERED = re.compile(r"^(?:[(（]?(?:\d{1,2}|[A-Za-z]|[IVXivx]{1,4}|[一二三四五六七八九十]{1,3})[.)）、:]\s*)+")
_LONGEST = 200  # a longer line is no heading


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: its kind (inclusion, exclusion, both, section, label, empty) and its words."""

    kind: str
    words: str


@lru_cache(maxsize=8)
def _table(language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (row["kind"], re.compile(row["pattern"], re.IGNORECASE))
        for row in languages.rows(language, "criteria_headings")
    )


def heading(line: str) -> Heading | None:
    """The heading a whole line is, or None."""
    if len(line) > _LONGEST:
        return None
    return _heading(line, line.rstrip().endswith((":", "：")))


@lru_cache(maxsize=65536)
def _heading(line: str, opens: bool) -> Heading | None:
    words = bare(line)
    if not words:
        return Heading("empty", "")
    for kind, pattern in _all():
        if kind == "note" or not pattern.fullmatch(words):
            continue
        if kind in ("section", "label") and not opens and not _is_set_apart(line, words, kind):
            continue
        return Heading(kind, words)
    return None


@lru_cache(maxsize=1)
def _all() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(row for language in languages.names() for row in _table(language))


def bare(line: str) -> str:
    """The line without bullets, numbering, bold signs and closing colon."""
    words = re.sub(r"\s+", " ", line)
    for _ in range(3):
        words = _DRESSING.sub("", words).strip()
    shorter = _NUMBERED.sub("", words).strip()
    words = shorter or words
    return (
        words + ")"
        if words.count("(") > words.count(")")
        else words + "）"
        if words.count("（") > words.count("）")
        else words
    )


def _is_set_apart(line: str, words: str, kind: str) -> bool:
    """Whether a line without colon is still a heading: capitals, bold, or a bare division such as 'Part B'."""
    if kind == "section":
        return bool(
            re.fullmatch(r"(?:Part|Cohort|Arm|Group|Phase|Stage|Stratum)\s+\S{1,4}(?:\s+only)?", words, re.I)
        ) or (line.strip().startswith(("**", "__", "#", "【", "[")) and len(words) < 80)
    return (words.isupper() and len(words) > 5) or line.strip().startswith(("**", "__", "#", "【"))


def is_note(words: str) -> bool:
    """Whether a piece says something about the criterion before it ("Note: ...")."""
    start = words[:60].lstrip()
    return any(pattern.match(start) for pattern in _notes())


@lru_cache(maxsize=1)
def _notes() -> tuple[re.Pattern[str], ...]:
    return tuple(pattern for kind, pattern in _all() if kind == "note")


_ADJECTIVE = r"(?:(?:KEY|MAIN|MAJOR|Key|Main|Major|Patient|Subject|Other|General|Specific)\s+)?"
_SIDE = r"(?:Inclusion|INCLUSION|Exclusion|EXCLUSION|Non[- ]?[Ii]nclusion|NON[- ]?INCLUSION|Eligibility|ELIGIBILITY)"
_CRITERIA = (
    r"\s+(?:[Cc]riteri(?:a|on)|CRITERI(?:A|ON))(?:\s*\([^()\n]{1,60}\))?(?:\s+(?:are|include|for|of)\b[^:\n.]{0,80})?"
)
_CHINESE = r"(?:主要|关键)?(?:入选|纳入|入组|排除|除外|剔除)标准"
_INLINE = re.compile(
    rf"(?P<gap>^|[.;:。；)）\]]\s*|\n\s*|\s{{2,}}|\s-\s)(?P<title>{_ADJECTIVE}{_SIDE}{_CRITERIA}|{_CHINESE})"
    r"\s*(?:[:：]|\s[-–—](?=\s)|\.\s)"
    r"|(?P<gap2>^|\n\s*|[.;]\s+)(?P<title2>(?:INCLUSION|EXCLUSION|Inclusion|Exclusion)(?:s|S)?)\s*(?::|\s-(?=\s))"
)


def inline(text: str) -> list[tuple[int, int, Heading]]:
    """Side headings with a colon that stand before or between the words of a line: start, end, heading."""
    found = []
    for m in _INLINE.finditer(text):
        name = "title" if m["title"] else "title2"
        words = heading(m[name])
        if words and words.kind in ("inclusion", "exclusion", "both"):
            found.append((m.start(name), m.end(), words))
    return found


_OLD_NCI = re.compile(
    r"(?:^|(?<=\s))(?:DISEASE CHARACTERISTICS|PATIENT CHARACTERISTICS|PRIOR CONCURRENT THERAPY|"
    r"(?:Age|Sex|Menopausal status|Performance status|Life expectancy|Hematopoietic|Hepatic|Renal|Cardiovascular|"
    r"Pulmonary|Immunologic|Neurologic|Gastrointestinal|Metabolic|Ophthalmic|Hormone receptor status|Other|General|"
    r"Biologic therapy|Chemotherapy|Endocrine therapy|Radiotherapy|Surgery|Hemoglobin|Bilirubin|Creatinine)): ?"
)
_EMPTY_WORDS = re.compile(
    r"(?:Not specified|Not applicable|See (?:Disease|Patient) Characteristics)\b\.?", re.IGNORECASE
)


def old_nci(text: str) -> list[tuple[int, int, Heading]]:
    """The headings and empty words in a paragraph of an old NCI record ("... Hepatic: Not specified Renal: ...")."""
    if "CHARACTERISTICS:" not in text and "THERAPY:" not in text:
        return []
    found = [(m.start(), m.end(), _nci_heading(m[0])) for m in _OLD_NCI.finditer(text)]
    found += [(m.start(), m.end(), Heading("empty", "")) for m in _EMPTY_WORDS.finditer(text)]
    return sorted(found, key=lambda f: f[0])


def _nci_heading(title: str) -> Heading:
    words = title.strip().rstrip(":")
    return Heading("inclusion" if words.isupper() else "label", words)


_SIDE_WORDS = re.compile(
    r"^(?:(?:[\w-]+\s+){0,4}?(?:patients?|subjects?|participants?|individuals?|women|men|children|those|persons?|anyone)\b.{0,200}?)?"
    r"\b(?:(?:are|is|will be|must be|should be|were|shall be|to be)\s+(?:not\s+(?:be\s+)?eligible|ineligible|excluded)|"
    r"(?:not eligible|ineligible|excluded)\b|will not be (?:eligible|included|enrolled)|"
    r"(?:must|may|should|can)\s?not (?:be (?:included|enrolled)|participate|enter|have|be))",
    re.IGNORECASE,
)


def says_exclusion(words: str) -> bool:
    """Whether a criterion that stands under no side heading says by itself that it excludes."""
    return bool(_SIDE_WORDS.search(words[:400]))
