"""The public names: sorted, documented, and every one of them really there."""

from __future__ import annotations

import inspect
import re

import pytest

import fhirbridge as fb


def test_all_is_sorted_and_equals_the_homes() -> None:
    assert sorted(fb.__all__) == fb.__all__
    assert set(fb.__all__) == set(fb._HOME)


def test_dir_lists_the_public_names() -> None:
    assert set(fb.__all__) <= set(dir(fb))


@pytest.mark.parametrize("name", fb.__all__)
def test_a_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(fb, name)
    assert inspect.getdoc(value), f"fb.{name} has no docstring"


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'read_mind'"):
        fb.read_mind  # noqa: B018


def test_version_is_a_release_number() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", fb.__version__)
