"""Words a second from file to Bundle, on one core, beside medspaCy's default pipeline on the same text in the same run.

usage: python benchmarks/transcript_speed.py FILE... [--words 9000] [--rounds 5]

The files' texts are put together until there are `--words` words. fhirbridge reads the file and writes the Bundle's
JSON; medspaCy only runs `load()` over each turn's text, without any FHIR. The best round of each counts (processor
time). Also prints the first read in this process (loading included), the process from its start, and its peak memory.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import resource
import tempfile
import time
from pathlib import Path

STARTED = time.perf_counter()


def text_of(files: list[Path], words: int) -> str:
    """Visits one after the other until there are enough words."""
    text = ""
    for file in files:
        text += file.read_text("utf-8").rstrip("\n") + "\n"
        if len(text.split()) >= words:
            break
    return text


def best(rounds: int, run: object) -> float:
    """The least processor time of some rounds, in seconds."""
    took = []
    for _ in range(rounds):
        begin = time.process_time()
        run()  # type: ignore[operator]
        took.append(time.process_time() - begin)
    return min(took)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--words", type=int, default=9000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    text = text_of(sorted(args.files), args.words)
    count = len(text.split())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "visit.txt"
        file.write_text(text, "utf-8")
        import fhirbridge

        def read() -> None:
            fhirbridge.read_transcript(file).to_json()

        begin = time.perf_counter()
        read()
        first, since = time.perf_counter() - begin, time.perf_counter() - STARTED
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        ours = best(args.rounds, read)
    print(f"{count} words; first read {first:.2f} s, process {since:.2f} s, {memory:.0f} MB")
    print(f"fhirbridge {count / ours:,.0f} words/s")
    logging.disable(logging.CRITICAL)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        import medspacy

        nlp = medspacy.load()
        turns = [line for line in text.splitlines() if line.strip()]

        def theirs() -> None:
            for turn in turns:
                nlp(turn)

        slow = best(max(1, args.rounds // 2), theirs)
    print(f"medspaCy   {count / slow:,.0f} words/s; fhirbridge is {slow / ours:.1f} times as fast")


if __name__ == "__main__":
    main()
