"""A night that is killed at random moments and run again until it is done: every patient told once, nothing lost.

    python -m benchmarks.night_kills [--kills 20] [--patients 120] [--recipients 30] [--seed 1] [--deadline]

Each patient belongs to three recipients: one told by files, one by mail, one over HTTP, the last two by servers on
loopback that count what they take. Half of the kills (SIGKILL) come at a random moment of the run, half a random few
messages after telling began. A first, undisturbed night says what has to come out. With --deadline the deadline passes
on the way, so that there are messages before it and after it; then each patient is still told once to each recipient.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from tests.fhir.servers import free_port

ROOT = Path(__file__).resolve().parent.parent
_FIXTURES = ROOT / "fixtures"
_KINDS = ("folder", "smtp", "apprise")
_NAMED = re.compile(r"^== (\S+) ==\r?$", re.MULTILINE)


@dataclass
class Taken:
    """The texts that servers took, as (recipient, text), each id once; `again` counts deliveries of a known id.

    A run that is killed after a server took a message and before its answer was written down cannot know, and sends it
    again under the same id. A receiver that looks at ids, as this one does, drops it.
    """

    texts: list[tuple[str, str]] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    again: int = 0
    delay: float = 0.02
    arrived: threading.Event = field(default_factory=threading.Event)

    def add(self, recipient: str, text: str, id: str) -> None:
        """One more message, taken slowly."""
        time.sleep(self.delay)
        self.again += id in self.ids
        if id not in self.ids:
            self.texts.append((recipient, text))
            self.ids.add(id)
        self.arrived.set()


@dataclass(frozen=True)
class Outcome:
    """How often each recipient was told of each patient; how many runs were killed; what came again under its id."""

    expected: Counter[tuple[str, str]]
    told: Counter[tuple[str, str]]
    killed: int
    same_list: bool
    again: int

    @property
    def lost(self) -> int:
        """Patients of a recipient who was never told of them."""
        return sum(1 for key in self.expected if not self.told[key])

    @property
    def repeated(self) -> int:
        """Patients of a recipient who was told of them more than once."""
        return sum(1 for count in self.told.values() if count > 1)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures; 1 if anything was lost or told twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--patients", type=int, default=120)
    parser.add_argument("--recipients", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--deadline", action="store_true")
    a = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        found = killed_nights(
            Path(folder), kills=a.kills, patients=a.patients, recipients=a.recipients, seed=a.seed, deadline=a.deadline
        )
    print(
        f"killed {found.killed} times; {len(found.expected)} tellings expected, {found.lost} lost, "
        f"{found.repeated} repeated; {found.again} messages came again under the same id; "
        f"the lists are {'the same' if found.same_list else 'DIFFERENT'}"
    )
    return int(bool(found.lost or found.repeated or not found.same_list))


def killed_nights(
    folder: Path, *, kills: int, patients: int, recipients: int, seed: int, deadline: bool = False
) -> Outcome:
    """Run one night undisturbed and one that is killed, and compare whom each recipient was told of."""
    dice = random.Random(seed)
    calm, rough = folder / "calm", folder / "rough"
    with _servers() as (taken, ports):
        for home in (calm, rough):
            _made(home, patients, recipients, ports)
        started = time.monotonic()
        _run(calm).wait()
        lasted = time.monotonic() - started
        expected = _told(calm, taken)
        if deadline:
            _configure(rough, patients, recipients, ports, _soon(lasted * 0.6))
        killed = sum(_killed(rough, taken, dice, lasted, n < kills / 2) for n in range(kills))
        if _run(rough).wait() not in (0, 1):
            raise SystemExit("the night did not end well")
        told = _told(rough, taken)
    same = (calm / "out" / "matches.ndjson").read_bytes() == (rough / "out" / "matches.ndjson").read_bytes()
    return Outcome(expected, told, killed, same, taken.again)


def _killed(home: Path, taken: Taken, dice: random.Random, lasted: float, by_time: bool) -> bool:
    process = _run(home)
    if by_time:
        time.sleep(dice.uniform(0.1, lasted * 0.6))  # most of them before it is done
    else:
        for _ in range(dice.randint(1, 4)):
            taken.arrived.clear()
            while process.poll() is None and not taken.arrived.wait(0.05):
                pass
        time.sleep(dice.uniform(0, 2 * taken.delay))
    over = process.poll() is not None
    process.kill()
    process.wait()
    return not over


def _run(home: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "fhirbridge.cli", "night", str(home / "night.toml")]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _told(home: Path, taken: Taken) -> Counter[tuple[str, str]]:
    """(recipient, patient) -> how often, out of the folder and of what the servers took since the last call."""
    found: Counter[tuple[str, str]] = Counter()
    files = [(p.name.split(".")[0], p.read_text("utf-8")) for p in (home / "digests").glob("*.txt")]
    for recipient, text in [*files, *taken.texts]:
        found.update((recipient, patient) for patient in _NAMED.findall(text))
    taken.texts.clear()
    taken.ids.clear()
    return found


# ------------------------------------------------------------------------------------------- what a night is made of


def _made(home: Path, patients: int, recipients: int, ports: tuple[int, int]) -> None:
    home.mkdir(parents=True)
    bundle = (_FIXTURES / "patients" / "bundle_en" / "bundle.json").read_text("utf-8")
    lines = [json.dumps(json.loads(bundle.replace("ehr-1", f"p{n}"))) + "\n" for n in range(patients)]
    (home / "patients.ndjson").write_text("".join(lines), "utf-8")
    _configure(home, patients, recipients, ports, "23:59:59")


def _soon(seconds: float) -> str:
    return (datetime.now() + timedelta(seconds=seconds)).strftime("%H:%M:%S")


def _configure(home: Path, patients: int, recipients: int, ports: tuple[int, int], deadline: str) -> None:
    addresses = {"folder": "", "smtp": "d{n}@example.org", "apprise": f"json://127.0.0.1:{ports[1]}/d{{n}}"}
    told = []
    for n in range(recipients):
        ids = json.dumps([f"p{k}" for k in range(n, patients, recipients)])
        for kind in _KINDS:
            to = addresses[kind].format(n=n) or f"folder{n}"
            told.append(
                f'[[tell.recipients]]\nname = "{kind} {n}"\nchannel = "{kind}"\nto = "{to}"\npatients = {ids}\n'
            )
    (home / "night.toml").write_text(
        f'[patients]\npaths = ["patients.ndjson"]\n[trials]\npaths = ["{_FIXTURES}/trials/registry/studies.json"]\n'
        f'[tell]\ntop = 3\n{"".join(told)}[channels.folder]\npath = "digests"\n[channels.smtp]\nhost = "127.0.0.1"\n'
        f'port = {ports[0]}\nsender = "night@example.org"\ntls = "none"\n[channels.apprise]\nlink_only = false\n'
        f'[output]\ndirectory = "out"\n[run]\nas_of = 2026-11-22\nworkers = 2\ndeadline = "{deadline}"\n',
        "utf-8",
    )


@contextmanager
def _servers() -> Iterator[tuple[Taken, tuple[int, int]]]:
    """An SMTP and an HTTP server on loopback that count what they take."""
    taken = Taken()

    class Mail:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            mail = message_from_bytes(envelope.content, policy=policy.default)
            body = mail.get_body(("plain",))
            taken.add(envelope.rcpt_tos[0], body.get_content() if body else "", str(mail["Message-ID"]))
            return "250 OK"

    class Web(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            taken.add(self.path, told["message"], self.path + told["message"].rsplit("[", 1)[-1])
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    port = free_port()
    mail = Controller(Mail(), hostname="127.0.0.1", port=port)
    mail.start()
    try:
        yield taken, (port, web.server_address[1])
    finally:
        mail.stop()
        web.shutdown()
        web.server_close()
        thread.join()


if __name__ == "__main__":
    raise SystemExit(main())
