"""The night run on real files: judged, written, told once, resumed after a kill."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from fhirbridge.cli import main
from fhirbridge.errors import ConfigurationError
from fhirbridge.notify import run, settings
from fhirbridge.notify.lock import held
from tests.fhir.servers import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
FIXTURES = ROOT / "fixtures"
CONFIGURATION = """
[patients]
paths = ["patients/"]
[trials]
paths = ["trials/studies.json"]
[tell]
top = 3
quiet_when_unchanged = {quiet}
[[tell.recipients]]
name = "Ward"
channel = "folder"
everyone = true
{more}
[channels.folder]
path = "digests"
[output]
directory = "out"
metrics = "night.prom"
[run]
as_of = 2026-11-22
workers = 1
deadline = "{deadline}"
"""


def _patient(number: int, **more: Any) -> dict[str, Any]:
    bundle = json.loads((FIXTURES / "patients" / "bundle_en" / "bundle.json").read_text("utf-8"))
    text = json.dumps(bundle).replace("ehr-1", f"p{number}")
    made: dict[str, Any] = json.loads(text)
    made["entry"][0]["resource"].update(more)
    return made


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "patients").mkdir()
    (tmp_path / "trials").mkdir()
    (tmp_path / "trials" / "studies.json").write_bytes((FIXTURES / "trials" / "registry" / "studies.json").read_bytes())
    for number in (1, 2):
        (tmp_path / "patients" / f"p{number}.json").write_text(json.dumps(_patient(number)))
    _configure(tmp_path)
    return tmp_path


def _configure(home: Path, *, quiet: str = "true", more: str = "", deadline: str = "23:59") -> Path:
    file = home / "night.toml"
    file.write_text(CONFIGURATION.format(quiet=quiet, more=more, deadline=deadline))
    return file


def _night(home: Path, **options: Any) -> int:
    return run.night(home / "night.toml", **options)


def _digests(home: Path) -> list[str]:
    return (
        [p.read_text("utf-8") for p in sorted((home / "digests").glob("*.txt"))] if (home / "digests").exists() else []
    )


def test_a_night_writes_lists_pages_and_a_digest(home: Path) -> None:
    assert _night(home) == 0
    rows = [json.loads(line) for line in (home / "out" / "matches.ndjson").read_text("utf-8").splitlines()]
    assert [row["patient"] for row in rows] == ["Patient/p1", "Patient/p2"]
    (digest,) = _digests(home)
    assert "== p1 ==" in digest and "Add-on SGLT2 Inhibitor in Type 2 Diabetes" in digest
    assert "Contact: " in digest
    assert "fhirbridge_night_judged 2" in (home / "night.prom").read_text()
    page = (home / "out" / "index.html").read_text("utf-8")
    assert "NCT99000006" in page


def test_the_next_night_judges_only_what_changed_and_says_what_is_new(home: Path) -> None:
    _night(home)
    first = (home / "out" / "matches.ndjson").read_text("utf-8")
    changed = _patient(2)
    changed["entry"] = [e for e in changed["entry"] if e["resource"]["id"] != "c1"]  # no diabetes after all
    (home / "patients" / "p2.json").write_text(json.dumps(changed))
    assert _night(home) == 0
    figures = (home / "night.prom").read_text()
    assert "fhirbridge_night_judged 1" in figures and "fhirbridge_night_reused 1" in figures
    second = (home / "out" / "matches.ndjson").read_text("utf-8")
    assert second.splitlines()[0] == first.splitlines()[0]
    assert second.splitlines()[1] != first.splitlines()[1]
    latest = max((home / "digests").glob("*.txt"), key=lambda p: p.stat().st_mtime_ns).read_text("utf-8")
    assert "== p2 ==" in latest and "== p1 ==" not in latest


def test_an_incremental_night_gives_what_a_full_run_gives(home: Path, tmp_path: Path) -> None:
    _night(home)
    (home / "patients" / "p3.json").write_text(json.dumps(_patient(3, birthDate="2015-01-01")))
    _night(home)
    incremental = (home / "out" / "matches.ndjson").read_bytes()
    (home / "out" / "state.sqlite").unlink()
    _night(home)
    assert (home / "out" / "matches.ndjson").read_bytes() == incremental


def test_nobody_is_told_twice_what_did_not_change(home: Path) -> None:
    _night(home)
    _night(home)
    assert len(_digests(home)) == 1


def test_a_lost_memory_means_a_full_run_and_is_said(home: Path) -> None:
    _night(home)
    (home / "out" / "state.sqlite").write_bytes(b"not a database at all" * 100)
    for beside in (home / "out").glob("state.sqlite-*"):
        beside.unlink()
    assert _night(home) == 0
    assert "memory of earlier nights was lost" in (home / "out" / "index.html").read_text("utf-8")
    assert "fhirbridge_night_judged 2" in (home / "night.prom").read_text()


def test_two_runs_at_once_are_refused(home: Path) -> None:
    with held(home / "out" / "night.lock"), pytest.raises(ConfigurationError, match="another night run holds"):
        _night(home)


def test_the_lock_goes_with_the_process_that_held_it(home: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from fhirbridge.notify.lock import held\n"
        "with held(Path(sys.argv[1])): print('held', flush=True); import time; time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(home / "x.lock")], stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout and process.stdout.readline() == b"held\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with held(home / "x.lock"):
        pass


def test_at_the_deadline_what_is_done_is_told_and_the_rest_is_finished(home: Path) -> None:
    _configure(home, deadline="07:00")
    times = iter([datetime(2026, 11, 22, 6, 59).astimezone()] + [datetime(2026, 11, 22, 7, 1).astimezone()] * 50)
    assert _night(home, clock=lambda: next(times)) == 0
    texts = _digests(home)
    assert any("2 patients were not judged by 07:00" in text for text in texts)
    assert any("== p1 ==" in text and "== p2 ==" in text for text in texts)


def test_a_broken_patient_and_a_refusing_channel_are_named_and_the_rest_is_done(home: Path) -> None:
    (home / "patients" / "p0.json").write_text('{"resourceType": "Bundle", "entry": [')
    more = '[[tell.recipients]]\nname = "Dr Nobody"\nchannel = "smtp"\nto = "n@example.org"\neveryone = true\n'
    file = _configure(home, more=more)
    file.write_text(
        file.read_text() + '\n[channels.smtp]\nhost = "127.0.0.1"\nport = 9\nsender = "a@b"\ntls = "none"\n'
    )
    assert _night(home) == 1
    page = (home / "out" / "index.html").read_text("utf-8")
    assert "p0.json" in page and "Dr Nobody" in page
    assert len((home / "out" / "matches.ndjson").read_text("utf-8").splitlines()) == 2
    assert len(_digests(home)) == 1


@pytest.mark.parametrize("content", ["", '{"studies": [{"protocolSec'])
def test_a_half_written_trials_file_means_the_last_good_one(home: Path, content: str) -> None:
    _night(home)
    (home / "trials" / "studies.json").write_text(content)
    assert _night(home) == 1
    assert "the last good ones are used" in (home / "out" / "index.html").read_text("utf-8")
    assert (home / "out" / "matches.ndjson").read_text("utf-8").count("NCT99000006") == 2


class Mailbox:
    """Keeps the mails an SMTP server took."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(envelope)
        return "250 OK"


@pytest.fixture
def mail() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


def test_a_practitioner_gets_a_mail_about_his_own_patients(home: Path, mail: tuple[Mailbox, int]) -> None:
    box, port = mail
    mine = _patient(7, generalPractitioner=[{"reference": "Practitioner/li"}])
    (home / "patients" / "p7.json").write_text(json.dumps(mine))
    about = 'to = "li@example.org"\npractitioner = "Practitioner/li"\n'
    more = f'[[tell.recipients]]\nname = "Dr Li"\nchannel = "smtp"\n{about}'
    file = _configure(home, more=more)
    options = f'\n[channels.smtp]\nhost = "127.0.0.1"\nport = {port}\nsender = "night@example.org"\ntls = "none"\n'
    file.write_text(file.read_text() + options)
    assert _night(home) == 0
    (envelope,) = box.mails
    text = envelope.content.decode()
    assert envelope.rcpt_tos == ["li@example.org"]
    subject = next(line for line in text.splitlines() if line.startswith("Subject:"))
    assert "p7" not in subject
    assert "p7" in text and "p1 =" not in text
    assert re.search(r"Message-ID:\s+<[0-9a-f]{64}@fhirbridge>", text)


def test_a_message_that_leaves_the_house_names_no_patient(home: Path, mail: tuple[Mailbox, int]) -> None:
    box, port = mail
    more = '[[tell.recipients]]\nname = "Team"\nchannel = "smtp"\nto = "t@example.org"\neveryone = true\n'
    file = _configure(home, more=more)
    options = f'host = "127.0.0.1"\nport = {port}\nsender = "a@b.org"\ntls = "none"\nlink_only = true\n'
    file.write_text(
        file.read_text().replace("top = 3", 'top = 3\nlink = "https://intranet.example.org/n/"')
        + f"\n[channels.smtp]\n{options}"
    )
    assert _night(home) == 0
    text = box.mails[0].content.decode()
    assert "https://intranet.example.org/n/" in text
    assert "p1" not in text and "Diabetes" not in text


@pytest.mark.slow
def test_killed_at_any_moment_and_resumed_every_digest_is_there_once(home: Path) -> None:
    for number in range(3, 40):
        (home / "patients" / f"p{number:02d}.json").write_text(json.dumps(_patient(number)))
    command = [sys.executable, "-m", "fhirbridge.cli", "night", str(home / "night.toml")]
    for wait in (0.8, 1.4, 2.0, 2.6):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, env=os.environ).returncode == 0
    assert len(_digests(home)) == 1
    assert len((home / "out" / "matches.ndjson").read_text("utf-8").splitlines()) == 39


# ---------------------------------------------------------------------------------------- configuration and schedule


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("top = 3", "top = 0"), "tell.top (0): Input should be greater than or equal to 1"),
        (("everyone = true", ""), "tell.recipients.0: say everyone = true, a practitioner, or a list of patients"),
        (('channel = "folder"', 'channel = "pigeon"'), "unknown name 'pigeon'; choose one of apprise, folder, smtp"),
        (('path = "digests"', ""), "channels.folder.path is missing"),
        (("workers = 1", "workers = many"), "not valid TOML"),
        (("[run]", "[run]\ncolour = 1"), "run.colour (1): Extra inputs are not permitted"),
    ],
)
def test_a_wrong_configuration_names_key_value_and_cure(home: Path, change: tuple[str, str], told: str) -> None:
    file = home / "night.toml"
    file.write_text(file.read_text().replace(*change))
    with pytest.raises(ConfigurationError) as caught:
        _night(home)
    assert told in str(caught.value)


def test_init_writes_a_configuration_that_can_be_loaded(tmp_path: Path) -> None:
    file = tmp_path / "new.toml"
    assert main(["night", str(file), "--init"]) == 0
    assert settings.load(file).tell.top == 5
    assert main(["night", str(file), "--init"]) == 2  # never overwritten


def test_check_tries_everything_and_sends_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["night", str(home / "night.toml"), "--check"]) == 0
    assert "trials.paths trials/studies.json: 1 files" in capsys.readouterr().out
    (home / "trials" / "studies.json").unlink()
    assert main(["night", str(home / "night.toml"), "--check"]) == 2
    assert _digests(home) == []


def test_a_dry_run_writes_and_tells_nobody(home: Path) -> None:
    assert _night(home, dry_run=True) == 0
    assert (home / "out" / "matches.ndjson").exists()
    assert _digests(home) == []


def test_install_prints_and_writes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(home.rglob("*"))
    assert main(["night", str(home / "night.toml"), "--install", "--at", "05:30"]) == 0
    out = capsys.readouterr().out
    assert "OnCalendar=*-*-* 05:30:00" in out and "30 5 * * *" in out and "<integer>5</integer>" in out
    assert sorted(home.rglob("*")) == before


def test_the_schedule_waits_for_the_wall_clock_and_runs_each_night() -> None:
    from datetime import time as clock

    from fhirbridge.notify.schedule import every_night

    at = [datetime(2026, 11, 22, 6, 0).astimezone()]
    started: list[datetime] = []

    def sleep(seconds: float) -> None:
        at[0] += timedelta(seconds=seconds)

    def once() -> int:
        started.append(at[0])
        return len(started) - 1

    assert every_night(once, clock(7, 0), now=lambda: at[0], sleep=sleep, nights=2) == 1
    assert [(s.day, s.hour, s.minute) for s in started] == [(22, 7, 0), (23, 7, 0)]
