"""Matching on Apache Spark (extra `spark`): the same pure function a partition, the same bytes as on one machine.

Patients are NDJSON, one Bundle a line, on any path that Spark reads; compiled studies go to every worker as a file.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from fhirbridge.errors import ConfigurationError, MissingDependency
from fhirbridge.records import LeftOut

if TYPE_CHECKING:
    from fhirbridge.eligibility.compiled import CompiledStudies

_NAME = "fhirbridge-studies.compiled"
_LOADED: dict[str, CompiledStudies] = {}  # a worker process loads the studies once, not once a partition


def match(
    patients: Sequence[str],
    studies: CompiledStudies,
    *,
    as_of: date | None = None,
    top: int | None = None,
    explain: str = "all",
    session: Any = None,
) -> Iterator[str | LeftOut]:
    """JSON text of each patient's row, in the order of the lines; what could not be read as LeftOut.

    `session` is a SparkSession; without one the session of the process is taken or made. ConfigurationError for a path
    that is not NDJSON, MissingDependency without pyspark.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise MissingDependency("pyspark is not installed; pip install 'fhirbridge[spark]'") from error
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # workers need the packages that this process has
    for path in patients:
        if not path.removesuffix(".gz").endswith(".ndjson"):
            raise ConfigurationError(f"{path}: --engine spark reads NDJSON, one Bundle a line")
    context = (session or SparkSession.builder.appName("fhirbridge").getOrCreate()).sparkContext
    with tempfile.TemporaryDirectory() as folder:
        saved = studies.save(Path(folder) / _NAME)
        context.addFile(str(saved))
        judge = partial(_judged, as_of=as_of or date.today(), top=top, explain=explain)
        for text in context.textFile(",".join(patients)).mapPartitions(judge).toLocalIterator():
            row = orjson.loads(text) if text.startswith('{"left_out"') else None
            yield LeftOut(*row["left_out"]) if row else text


def _judged(lines: Iterable[str], *, as_of: date, top: int | None, explain: str) -> Iterator[str]:
    """What one partition gives; runs in a Spark worker."""
    from pyspark import SparkFiles

    from fhirbridge import pipeline
    from fhirbridge.fhir.patient_bundle import Source

    saved = SparkFiles.get(_NAME)
    if saved not in _LOADED:
        _LOADED[saved] = pipeline.compile_studies(saved)
    sources = (Source(f"line {n}", "", line) for n, line in enumerate(lines, 1) if line.strip())
    for rows in pipeline.match_each(sources, _LOADED[saved], as_of=as_of, top=top, explain=explain):
        for row in rows:
            if isinstance(row, LeftOut):
                yield orjson.dumps({"left_out": [row.source, row.reason]}).decode()
            else:
                yield orjson.dumps(row).decode()
