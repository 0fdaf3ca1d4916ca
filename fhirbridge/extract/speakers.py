"""Who a speaker label names, from the `speakers` table of every language."""

from __future__ import annotations

import re
from functools import lru_cache

from fhirbridge import languages
from fhirbridge.records import Speaker

_TRIM = re.compile(r"^[\W_]+|[\W_]+$")


@lru_cache(maxsize=1)
def _labels() -> dict[str, Speaker]:
    found: dict[str, Speaker] = {}
    for language in languages.names():
        for row in languages.rows(language, "speakers"):
            found[row["label"].casefold()] = Speaker(row["role"])
    return found


@lru_cache(maxsize=1024)
def role(label: str) -> Speaker | None:
    """The role a label names ("Dr. Smith", "PATIENT 1", "患者妈妈"), None when it names none."""
    labels = _labels()
    text = _TRIM.sub("", re.sub(r"[\s_]+", " ", label.casefold())).replace("’", "'")
    if text in labels:
        return labels[text]
    words = re.sub(r"[.\d]+", " ", text).split()
    if " ".join(words) in labels:
        return labels[" ".join(words)]
    # "Alk P" is no patient: a single letter is a label only when it stands alone
    # "patient's wife" and "患者妈妈" name the last word, "dr smith" and "nurse jones" the first
    for word in (*reversed(words), *words[:1]) if len(words) > 1 else ():
        if len(word) > 1 and word.removesuffix("'s") in labels:
            return labels[word.removesuffix("'s")]
    for length in range(min(4, len(text)), 1, -1):
        if not text.isascii() and text[-length:] in labels:
            return labels[text[-length:]]
    return None
