"""The Chinese tables: patterns that compile, LOINC codes that exist."""

import gzip
import re
from pathlib import Path

import pytest

from fhirbridge import languages
from fhirbridge.languages.zh import measures, mentions

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "terminology" / "loinc-core.csv.gz"


@pytest.mark.parametrize("table", ["status_words", "reply_words", "sayings"])
def test_every_pattern_compiles(table: str) -> None:
    for row in languages.rows("zh", table):
        pattern = row["pattern"].replace("{A}", mentions.ADVERBS).replace("{N}", mentions.NEGATION)
        assert re.compile(pattern).fullmatch("") is None, row


def test_combinations_name_sites_and_feelings_that_exist() -> None:
    sites = {row["site"] for row in languages.rows("zh", "sites")}
    feelings = {row["feeling"] for row in languages.rows("zh", "feelings")} | {"痒"}
    for row in languages.rows("zh", "combinations"):
        assert row["site"] in sites, row
        assert row["feeling"] in feelings, row


@pytest.mark.skipif(not SHARED.is_file(), reason="the terminology sources are not beside this checkout")
def test_every_loinc_code_exists() -> None:
    with gzip.open(SHARED, "rt", encoding="utf-8") as lines:
        known = {line.split(",", 1)[0].strip('"') for line in lines}
    codes = {row["loinc"] for row in languages.rows("zh", "spoken_measures") if row["loinc"]}
    assert codes - known == set()


def test_a_measure_has_room_between_its_limits() -> None:
    table, _ = measures._table()
    for analyte in table.values():
        assert analyte.low < analyte.high or analyte.high == 0, analyte
