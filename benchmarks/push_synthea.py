"""Pushes 200 Synthea Bundles twice to a SEKMET on loopback: lost, doubled, changed; entries a second.

    python -m benchmarks.push_synthea [--number 200] [--source FOLDER_OR_TAR]
    python -m benchmarks.push_synthea --faults 0.05 --kills 10 --seed 1

Each resource is read back and compared: all that may differ is `id`, the server's own `meta`, references (which must
lead to the very resource that was meant), and digits that the server does not keep, which are listed. Without faults,
a plain loop of requests that posts the same transactions to a second, empty server is the measure of speed; the two
take turns, Bundle by Bundle, since other work on the machine would favour one of them. With faults, every request
meets with that probability a 429, a 503, a dropped or a half-sent answer, half of them after the server has done the
work; and `fhirbridge push` is killed at so many random moments and run again. What the check before sending refuses
(Synthea writes the unit "(score)", which is not UCUM) is named and then sent with `insist`.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests

import fhirbridge as fb
from fhirbridge.fhir import lossless, validation
from fhirbridge.fhir.push_entries import entries
from fhirbridge.fhir.server_transport import FHIR_JSON
from fhirbridge.terminology import ucum
from tests.fhir.fault_proxy import FaultProxy, fault_proxy
from tests.fhir.read_back import SYNTHEA, compare, synthea
from tests.fhir.servers import sekmet

Bundle = dict[str, Any]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures; 1 if anything was lost, doubled or changed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, default=SYNTHEA)
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--faults", type=float, default=0.0)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args(argv)
    named = sorted(synthea(a.number, a.source), key=lambda item: bool(_findings(item[1])))  # refused ones go last
    for name, bundle in named:
        for finding in _findings(bundle):
            print(f"refused, then sent with insist: {name}, {finding}")
    with tempfile.TemporaryDirectory() as folder:
        if a.faults or a.kills:
            return through_faults(named, Path(folder), rate=a.faults, kills=a.kills, seed=a.seed)
        return twice([bundle for _, bundle in named], Path(folder))


def twice(bundles: list[Bundle], folder: Path) -> int:
    """Push twice, compare, and print how fast it was beside a plain loop."""
    total = sum(len(b["entry"]) for b in bundles)
    with sekmet(folder / "ours") as base, sekmet(folder / "plain") as other:
        ours, theirs, failed = _taking_turns(bundles, base, other)
        refused = [b for b in bundles if _findings(b)]
        failed += sum(len(s.failed) for s in fb.FHIRServer(base).push_each(refused, insist=True))
        failed -= sum(len(b["entry"]) for b in refused)
        second = list(fb.FHIRServer(base).push_each(bundles, insist=True))
        difference = compare(bundles, base)
    failed += sum(len(s.failed) for s in second)
    again = sum(s.created for s in second)
    print(f"{len(bundles)} Bundles of {total:,} entries pushed twice; {failed} failed, {again} created again")
    print(difference)
    print(f"{total / ours:.0f} entries/s, plain loop {total / theirs:.0f}: {theirs / ours:.2f} of its speed")
    return 1 if difference.wrong or failed or again else 0


def _findings(bundle: Bundle) -> set[str]:
    return {str(f) for found in validation.check_bundle(bundle, ucum=ucum.is_valid).values() for f in found}


def _taking_turns(bundles: list[Bundle], base: str, other: str) -> tuple[float, float, int]:
    """Seconds of our push and of the plain loop over the same Bundles, and how many entries failed."""
    groups = [bundles[n : n + 10] for n in range(0, len(bundles), 10)]
    ours = theirs = 0.0
    failed = 0
    server = fb.FHIRServer(base)
    with requests.Session() as session:
        for number, group in enumerate(groups):
            bodies = [_transaction(b) for b in group]
            for turn in (0, 1) if number % 2 else (1, 0):
                start = time.perf_counter()
                if turn:
                    failed += sum(len(s.failed) for s in server.push_each(group))
                    ours += time.perf_counter() - start
                else:
                    for body in bodies:
                        session.post(other, data=body, headers={"Content-Type": FHIR_JSON}).raise_for_status()
                    theirs += time.perf_counter() - start
    return ours, theirs, failed


def _transaction(bundle: Bundle) -> bytes:
    inside = ",".join(e.request({}) for e in entries(bundle)[0])
    return f'{{"resourceType":"Bundle","type":"transaction","entry":[{inside}]}}'.encode()


# ------------------------------------------------------------------------------------------------------------ faults


def through_faults(named: list[tuple[str, Bundle]], folder: Path, *, rate: float, kills: int, seed: int) -> int:
    """Push by the command line through a proxy that spoils answers, killed and run again; compare and print."""
    files = []
    for name, bundle in named:
        files.append(folder / ("refused" if _findings(bundle) else "bundles") / name)
        lossless.write_text(files[-1], lossless.dumps(bundle))
    with sekmet(folder / "data") as base, fault_proxy(base, rate=rate, seed=seed) as proxy:
        command = [sys.executable, "-m", "fhirbridge.cli", "push", str(folder / "bundles"), "--server", proxy.base]
        command += ["--journal", str(folder / "journal.jsonl")]
        killed = _killed(command, proxy, moments(len(files), kills, seed))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        every = [str(file) for file in files]
        insisting = [*command[:4], *every, *command[5:], "--insist"]
        subprocess.run(insisting, capture_output=True, text=True, check=False)
        again = subprocess.run(
            [a for a in insisting if "journal" not in a], capture_output=True, text=True, check=False
        )
        difference = compare([bundle for _, bundle in named], base)
    created = 0 if again.stdout.startswith("0 created") else 1
    print(f"{len(files)} Bundles, killed {killed} times, {proxy.seen} requests, faults: {dict(proxy.injected)}")
    print(f"resumed: {done.stdout.strip()} {done.stderr.strip()[-300:]}")
    print(f"pushed again without the journal: {again.stdout.strip()} {again.stderr.strip()[-300:]}")
    print(difference)
    return 1 if difference.wrong or done.returncode or again.returncode or created or killed < kills else 0


def moments(requests_expected: int, kills: int, seed: int) -> list[tuple[int, float]]:
    """Random moments: after so many requests, and so many seconds into the next one."""
    dice = random.Random(seed)
    after = sorted(dice.sample(range(requests_expected), min(kills, requests_expected)))
    return [(n, dice.uniform(0, 0.4)) for n in after]


def _killed(command: list[str], proxy: FaultProxy, when: list[tuple[int, float]]) -> int:
    killed = 0
    for after, seconds in when:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and proxy.seen <= after:
            proxy.arrived.clear()
            proxy.arrived.wait(0.2)
        time.sleep(seconds)
        killed += process.poll() is None
        process.kill()
        process.wait()
    return killed


if __name__ == "__main__":
    sys.exit(main())
