"""The words of each language: one folder a language, tables a clinician can review, and the rules that need code.

A table is a tab-separated file with a header line; `#` starts a comment line. Everything a stage has to know about a
language comes from here, so that a new language is one new folder.
"""

from __future__ import annotations

import csv
import pkgutil
import re
import unicodedata
from functools import lru_cache
from importlib import resources

from fhirbridge.errors import ConfigurationError

_CJK = re.compile(r"[㐀-鿿]")
_LATIN = re.compile(r"[A-Za-z]")


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """The languages there are, sorted: ("en", "zh")."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if m.ispkg))


@lru_cache(maxsize=256)
def rows(language: str, table: str) -> tuple[dict[str, str], ...]:
    """The rows of `languages/<language>/<table>.tsv`, each a dict by heading; ConfigurationError if there is none."""
    file = resources.files(__name__) / language / f"{table}.tsv"
    if language not in names() or not file.is_file():
        raise ConfigurationError(f"language '{language}' has no table '{table}'; languages: {', '.join(names())}")
    kept = [line for line in file.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#")]
    return tuple(csv.DictReader(kept, delimiter="\t", quoting=csv.QUOTE_NONE))


def detect(text: str) -> str:
    """The language most of `text` is in. One Chinese character weighs as much as three Latin letters."""
    sample = text[:20_000]
    return "zh" if 3 * len(_CJK.findall(sample)) > len(_LATIN.findall(sample)) else "en"


_BETWEEN = re.compile(r"[\W_]+")


@lru_cache(maxsize=200_000)
def fold(text: str) -> str:
    """A name as it is compared: full width made half, case and punctuation gone, one blank between words."""
    return _BETWEEN.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
