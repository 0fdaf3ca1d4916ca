"""Scored pairs a second: compiled studies against patients, without reasons and with reasons for the top 20.

usage: python benchmarks/matching_speed.py STUDIES PATIENTS [--patients N] [--workers N]

STUDIES: compiled studies (a file that `compile_studies(save=...)` wrote) or registry files. Wall and processor time are
both printed, since a shared machine makes the first lie; the ratio of the two runs is of one process and one moment.
"""

from __future__ import annotations

import argparse
import itertools
import time
from datetime import date
from functools import partial

import fhirbridge as fb
from fhirbridge.eligibility import batch
from fhirbridge.fhir import patient_bundle
from fhirbridge.records import Patient
from fhirbridge.terminology import lexicon


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies")
    parser.add_argument("patients")
    parser.add_argument("--patients", dest="count", type=int, default=100)
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    start = time.perf_counter()
    studies = fb.compile_studies(args.studies, workers=args.workers)
    print(f"{studies!r} ready in {time.perf_counter() - start:.1f} s")
    read = partial(patient_bundle.read, lexicon=lexicon.load())
    found = (p for source in patient_bundle.sources(args.patients) for p in read(source))
    people = list(itertools.islice((p for p in found if isinstance(p, Patient)), args.count))
    for explain in ("none", "top"):
        settings = batch.Settings.of(date(2026, 11, 22), 20, explain, None)
        batch.judged(people[0], studies, settings)  # what is made once is not counted
        wall, processor = time.perf_counter(), time.process_time()
        rows = batch.match(people, studies, settings, workers=args.workers)
        count = sum(1 for _ in rows.to_lines())
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        pairs = count * len(studies)
        print(f"reasons {explain}: {pairs} pairs, {pairs / wall:,.0f}/s wall, {pairs / processor:,.0f}/s processor")


if __name__ == "__main__":
    main()
