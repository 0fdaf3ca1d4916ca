"""The lexicon finds what is named, where it stands, in both languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirbridge.terminology import lexicon

WORDS = lexicon.load()


@pytest.mark.parametrize(
    ("text", "piece", "key"),
    [
        ("She has high blood pressure.", "high blood pressure", "hypertension"),
        ("known HTN, on treatment", "HTN", "hypertension"),
        ("血压高了好几年", "血压高", "hypertension"),
    ],
)
def test_a_name_is_found_where_it_stands(text: str, piece: str, key: str) -> None:
    hits = WORDS.scan(text)
    assert [(text[h.span.offset : h.span.end], h.entry.key) for h in hits if h.entry.key == key] == [(piece, key)]


@given(st.text(max_size=200))
def test_hits_lie_inside_the_text_and_do_not_overlap(text: str) -> None:
    end = 0
    for hit in WORDS.scan(text):
        assert hit.span.offset >= end
        assert hit.span.length > 0
        end = hit.span.end
    assert end <= len(text)
