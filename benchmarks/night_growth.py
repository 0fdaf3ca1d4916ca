"""Draws how a night grows with its patients, from the lines that `benchmarks.night_load --csv` wrote.

    python -m benchmarks.night_growth docs/night_growth.csv docs/night_growth.svg

Processor time should lie on a line through the start of the process, memory on a level one.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", type=Path)
    parser.add_argument("picture", type=Path)
    a = parser.parse_args(argv)
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams["svg.hashsalt"] = "night"
    with a.figures.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["night"] == "first"]
    figure = Figure(figsize=(8, 3), layout="constrained")
    for axes, column, label in zip(
        figure.subplots(1, 2), ("processor", "peak_gb"), ("processor time, s", "memory at its highest, GB"), strict=True
    ):
        for trials in sorted({int(row["trials"]) for row in rows}):
            mine = sorted((int(r["patients"]), float(r[column])) for r in rows if int(r["trials"]) == trials)
            axes.plot(*zip(*mine, strict=True), marker="o", label=f"{trials:,} trials")
        axes.set(xlabel="patients", ylabel=label, xlim=0, ylim=0)
        axes.legend(frameon=False)
    figure.savefig(a.picture, metadata={"Date": None})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
