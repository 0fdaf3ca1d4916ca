"""Rows -> a DataFrame of pandas or polars, whichever was asked for. Below every stage; both are loaded when needed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from fhirbridge.errors import MissingDependency


def frame(rows: Sequence[dict[str, Any]], *, polars: bool = False) -> Any:
    """A pandas DataFrame of the rows, or a polars one. MissingDependency if the package is not installed.

    A polars column has one type and its decimals one number of digits: printed numbers (12.30 beside 5, or beside
    "negative") are text there, so that no digit is lost or made up.
    """
    return _polars().DataFrame(_one_type_a_column(rows)) if polars else _pandas().DataFrame(list(rows))


def _one_type_a_column(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    columns = {name: [row.get(name) for row in rows] for name in dict.fromkeys(name for row in rows for name in row)}
    for name, values in columns.items():
        kinds = {type(value) for value in values if value is not None}
        if len(kinds) > 1 or Decimal in kinds:
            columns[name] = [None if value is None else str(value) for value in values]
    return columns


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise MissingDependency("pandas is not installed; pip install 'fhirbridge[dataframe]'") from error
    return pandas


def _polars() -> Any:
    try:
        import polars
    except ImportError as error:
        raise MissingDependency("polars is not installed; pip install 'fhirbridge[polars]'") from error
    return polars
