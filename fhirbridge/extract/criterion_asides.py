"""Parts of a criterion that ask for nothing: how a finding was shown, who judges, notes that only explain.

They are replaced by as many spaces, so that every offset stays and no word of theirs is read as a demand ("metastases
confirmed by CT or MRI" asks for no MRI, "NOTE: There are no data" denies nothing).
"""

from __future__ import annotations

import re
from functools import lru_cache

from fhirbridge import languages

__all__ = ["without_asides"]


def without_asides(text: str, language: str) -> str:
    """The text with such parts as spaces; equally long."""
    method, aside, permission, note, demand, further, word = _patterns(language)
    text = further.sub(lambda m: word.pattern.ljust(len(m[0])), text)  # "NOTE: ≤ 5 x ULN is acceptable if ..."
    text = aside.sub(_spaces, method.sub(_spaces, text))
    text = permission.sub(lambda m: m[1] + " " * (len(m[0]) - len(m[1])), text)
    start = note.search(text)
    if start and text[: start.start()].strip() and not demand.search(text, start.end()):
        text = text[: start.start()] + " " * (len(text) - start.start())
    return text


def _spaces(found: re.Match[str]) -> str:
    return " " * len(found[0])


@lru_cache(maxsize=8)
def _patterns(language: str) -> tuple[re.Pattern[str], ...]:
    rows = {row["part"]: row["words"] for row in languages.rows(language, "criterion_asides")}
    shown, by, means = rows["shown"], rows["by"], rows["means"]
    between = rows["between"]
    method = rf"(?:{shown})\s*(?:{by})\s*(?:{means})(?:\s*(?:{between})\s*(?:{means}))*"
    edge = (r"\b", r"\b(?=\s*(?:[,.;:)]|$))") if language == "en" else ("", "")
    parts = (
        f"{edge[0]}{method}{edge[1]}",
        *(rows[name] for name in ("aside", "permission", "note", "demand", "further", "further word")),
    )
    return tuple(re.compile(part, re.IGNORECASE) for part in parts)
