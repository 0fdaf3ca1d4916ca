"""One choice = one file: the OCR engines, registries, languages, terminologies and channels a user can name.

A choice is a module in its kind's package whose name is what the user types. There is no table to edit: a file dropped
into the folder is a choice. Files that begin with `_` are not.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from fhirbridge.errors import ConfigurationError


def names(kind: str) -> tuple[str, ...]:
    """The choices of a kind ("ocr", "registries", "notify" ...), sorted."""
    package = importlib.import_module(f"fhirbridge.{kind}")
    return tuple(sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")))


def module(kind: str, name: str) -> ModuleType:
    """The module behind a choice; ConfigurationError names what there is when `name` is none of it."""
    known = names(kind)
    if name not in known:
        raise ConfigurationError(f"{kind}: unknown name '{name}'; choose one of {', '.join(known)}")
    return importlib.import_module(f"fhirbridge.{kind}.{name}")
