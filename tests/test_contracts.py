"""Every file of a kind keeps its kind's contract: one file = one choice, nothing to register."""

from __future__ import annotations

import inspect
from importlib import resources

import pytest

from fhirbridge import choices, languages
from fhirbridge.errors import ConfigurationError

KINDS = {
    "ocr": ("read",),
    "registries": ("recognises", "read", "read_record"),
}


def _choices() -> list[tuple[str, str]]:
    return [(kind, name) for kind in KINDS for name in choices.names(kind)]


@pytest.mark.parametrize(("kind", "name"), _choices())
def test_a_choice_has_create_and_its_object_the_methods(kind: str, name: str) -> None:
    module = choices.module(kind, name)
    assert inspect.getdoc(module), f"{kind}/{name}.py has no docstring"
    if hasattr(module, "available") and module.available():
        pytest.skip(f"{name}: {module.available()}")
    made = module.create()
    assert made.name == name
    for method in KINDS[kind]:
        assert callable(getattr(made, method)), f"{kind}/{name}: no {method}()"


def test_an_unknown_choice_names_what_there_is() -> None:
    with pytest.raises(ConfigurationError, match=r"ocr: unknown name 'glasses'; choose one of .*rapidocr"):
        choices.module("ocr", "glasses")


def test_every_language_has_every_table_of_the_other() -> None:
    """A table that only one language needs says so in its first line: `# only in this language: why`."""
    tables: dict[str, set[str]] = {}
    for language in languages.names():
        tables[language] = set()
        for file in (resources.files(languages) / language).iterdir():
            if file.name.endswith(".tsv") and "only in this language" not in file.read_text("utf-8").split("\n", 1)[0]:
                tables[language].add(file.name)
    assert tables["en"] == tables["zh"]


@pytest.mark.parametrize("language", languages.names())
def test_every_row_of_a_table_has_every_column(language: str) -> None:
    for file in (resources.files(languages) / language).iterdir():
        if file.name.endswith(".tsv"):
            for row in languages.rows(language, file.name.removesuffix(".tsv")):
                assert None not in row and None not in row.values(), f"{language}/{file.name}: {row}"


def test_an_unknown_table_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="language 'tlh' has no table 'cues'"):
        languages.rows("tlh", "cues")
