"""The night run on real files: judged, written, told once, resumed after a kill."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from fhirbridge import pipeline
from fhirbridge.cli import main
from fhirbridge.eligibility import since
from fhirbridge.errors import ConfigurationError
from fhirbridge.fhir.patient_bundle import Source
from fhirbridge.notify import run, settings
from fhirbridge.notify.inputs import Input, Inputs
from fhirbridge.notify.lock import held
from fhirbridge.notify.state import State
from fhirbridge.records import LeftOut
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


def _ndjson(home: Path, *patients: dict[str, Any], packed: bool = False, head: str = "") -> None:
    for old in (home / "patients").iterdir():
        old.unlink()
    text = head + "".join(json.dumps(p) + "\n" for p in patients)
    if packed:
        (home / "patients" / "all.ndjson.gz").write_bytes(gzip.compress(text.encode()))
    else:
        (home / "patients" / "all.ndjson").write_text(text)


def _figure(home: Path, name: str) -> int:
    found = re.search(rf"fhirbridge_night_{name} (\d+)", (home / "night.prom").read_text())
    assert found
    return int(found[1])


@pytest.mark.parametrize("packed", [False, True])
def test_lines_of_ndjson_are_read_again_where_they_lie(home: Path, packed: bool) -> None:
    assert _night(home) == 0
    expected = (home / "out" / "matches.ndjson").read_bytes()
    _ndjson(home, _patient(1), _patient(2), packed=packed)
    (home / "out" / "state.sqlite").unlink()
    assert _night(home) == 0
    assert (home / "out" / "matches.ndjson").read_bytes() == expected
    assert not (home / "out" / "inputs.aside").exists()


def test_a_line_that_moved_is_not_judged_again_and_a_place_that_is_named_is_the_new_one(home: Path) -> None:
    strange = _patient(2)
    value = {"resourceType": "Observation", "id": "nounit", "status": "final", "subject": {"reference": "Patient/p2"}}
    code = {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}
    strange["entry"].append({"resource": {**value, "code": code, "valueQuantity": {"value": 7}}})
    _ndjson(home, _patient(1), strange)
    _night(home)
    assert "all.ndjson line 2" in (home / "out" / "matches.ndjson").read_text()
    _ndjson(home, _patient(3), _patient(1), strange)
    _night(home)
    assert (_figure(home, "judged"), _figure(home, "reused")) == (2, 1)
    incremental = (home / "out" / "matches.ndjson").read_bytes()
    (home / "out" / "state.sqlite").unlink()
    _night(home)
    assert (home / "out" / "matches.ndjson").read_bytes() == incremental


def test_a_line_that_is_not_utf8_costs_only_itself(home: Path) -> None:
    _ndjson(home, _patient(1), _patient(2))
    file = home / "patients" / "all.ndjson"
    file.write_bytes(b'{"resourceType": "Bundle", "id": "\xff"}\n' + file.read_bytes())
    assert _night(home) == 1
    assert len((home / "out" / "matches.ndjson").read_text("utf-8").splitlines()) == 2
    assert "all.ndjson line 1" in (home / "out" / "index.html").read_text("utf-8")


def test_a_file_that_changes_after_it_was_listed_is_kept_under_what_was_judged(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps(_patient(1)))
    inputs = Inputs([tmp_path], tmp_path / "aside")
    (one,) = inputs.listed(lambda content, where: False)
    assert isinstance(one, Input)
    before = one.content
    file.write_text(json.dumps(_patient(1, birthDate="2001-01-01")))
    source = inputs.read(one)
    assert isinstance(source, Source) and "2001-01-01" in source.content
    (again,) = inputs.listed(lambda content, where: False)
    assert isinstance(again, Input)
    assert again.content == one.content != before
    file.unlink()
    inputs.close()
    assert isinstance(inputs.read(one), LeftOut)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_night_after_changed_trials_judges_these_alone_with_the_same_result(
    home: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, studies = home / "night.toml", home / "trials" / "studies.json"
    file.write_text(file.read_text().replace("workers = 1", f"workers = {workers}"))
    _ndjson(home, *(_patient(n) for n in (1, 2, 3)))
    _night(home)
    carried: list[str] = []
    real = since.updated

    def seen(patient: Any, *args: Any, **options: Any) -> Any:
        carried.append(patient.id)
        return real(patient, *args, **options)

    monkeypatch.setattr(since, "updated", seen)
    records = studies.read_text("utf-8")
    studies.write_text(records.replace("Add-on SGLT2 Inhibitor in Type 2 Diabetes", "Another title for it"), "utf-8")
    _ndjson(home, _patient(1), _patient(2, birthDate="2001-01-01"), _patient(3))
    assert _night(home) == 0
    after = (home / "out" / "matches.ndjson").read_bytes()
    assert "Another title for it" in after.decode()
    if workers == 1:
        assert carried == ["p1", "p3"]
    (home / "out" / "state.sqlite").unlink()
    assert _night(home) == 0
    assert (home / "out" / "matches.ndjson").read_bytes() == after
    assert "reserve" not in after.decode() and "packed" not in after.decode()


def test_new_and_changed_patients_come_first_then_those_whom_one_fact_would_settle(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ndjson(home, *(_patient(n) for n in (1, 2, 3)))
    _night(home)
    state = sqlite3.connect(home / "out" / "state.sqlite")
    state.execute("update rows set gain = 3 where instr(cast(brief as text), 'p1')")
    state.commit()
    state.close()
    order: list[str] = []
    real = pipeline.match_carried

    def seen(sources: Any, *args: Any, **options: Any) -> Any:
        def passed() -> Iterator[Any]:
            for source in sources:
                order.append(json.loads(source.content)["entry"][0]["resource"]["id"])
                yield source

        return real(passed(), *args, **options)

    monkeypatch.setattr(pipeline, "match_carried", seen)
    _ndjson(home, *(_patient(n) for n in (1, 2, 3)), _patient(4))
    file = home / "night.toml"
    file.write_text(file.read_text().replace("2026-11-22", "2026-11-23"))
    _night(home)
    assert order == ["p4", "p2", "p3", "p1"]
    rows = [json.loads(line)["patient"] for line in (home / "out" / "matches.ndjson").read_text().splitlines()]
    assert rows == [f"Patient/p{n}" for n in (1, 2, 3, 4)]


def test_whoever_could_not_be_told_is_told_the_next_night(home: Path, mail: tuple[Mailbox, int]) -> None:
    box, port = mail
    more = '[[tell.recipients]]\nname = "Dr Li"\nchannel = "smtp"\nto = "li@example.org"\npatients = ["p1"]\n'
    file = _configure(home, more=more)
    options = '\n[channels.smtp]\nhost = "127.0.0.1"\nport = {}\nsender = "n@example.org"\ntls = "none"\n'
    text = file.read_text()
    file.write_text(text + options.format(9))
    assert _night(home) == 1
    assert (len(_digests(home)), len(box.mails)) == (1, 0)
    file.write_text(text + options.format(port))
    assert _night(home) == 0
    assert (len(_digests(home)), len(box.mails)) == (1, 1)
    assert _night(home) == 0
    assert len(box.mails) == 1


def test_after_the_deadline_message_only_the_rest_is_told(home: Path) -> None:
    _configure(home, deadline="07:00")
    early, late = (datetime(2026, 11, 22, *at).astimezone() for at in ((6, 59), (7, 1)))
    times = iter([early, early])  # the start, and the first patient
    assert _night(home, clock=lambda: next(times, late)) == 0
    first, second = sorted((home / "digests").glob("*.txt"), key=lambda p: p.stat().st_mtime_ns)
    assert "1 patients were not judged by 07:00" in first.read_text("utf-8")
    assert "== p1 ==" in first.read_text("utf-8") and "== p1 ==" not in second.read_text("utf-8")
    assert "== p2 ==" in second.read_text("utf-8")


def test_the_deadline_is_on_the_wall_clock_also_when_the_clocks_change(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        chosen = settings.load(_configure(home, deadline="07:00"))
        for begun, hours in (("2026-10-24T23:00:00+02:00", 9), ("2027-03-27T23:00:00+01:00", 7)):
            deadline = run._next(datetime.fromisoformat(begun), chosen)
            assert (deadline.hour, deadline.minute) == (7, 0)
            assert deadline - datetime.fromisoformat(begun) == timedelta(hours=hours)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_an_interrupted_night_is_gone_on_with_but_not_the_day_after(home: Path) -> None:
    state = State(home / "out" / "state.sqlite")
    state.begin("x", datetime(2026, 11, 22, 2, 0).astimezone().isoformat())
    state.close()
    _configure(home, deadline="07:00")
    assert _night(home, clock=lambda: datetime(2026, 11, 22, 9, 0).astimezone()) == 0
    assert "was interrupted" in (home / "out" / "index.html").read_text("utf-8")
    state = State(home / "out" / "state.sqlite")
    state.begin("y", datetime(2026, 11, 22, 2, 0).astimezone().isoformat())
    state.close()
    assert _night(home, clock=lambda: datetime(2026, 11, 23, 2, 0).astimezone()) == 0
    assert "was interrupted" not in (home / "out" / "index.html").read_text("utf-8")


def test_a_change_says_which_new_result_made_it_so(home: Path) -> None:
    _night(home)
    told = _patient(1)
    code = {"coding": [{"system": "http://loinc.org", "code": "39156-5"}]}
    value = {"value": 27.5, "unit": "kg/m2", "system": "http://unitsofmeasure.org", "code": "kg/m2"}
    bmi = {"resourceType": "Observation", "id": "bmi", "status": "final", "subject": {"reference": "Patient/p1"}}
    told["entry"].append({"resource": bmi | {"code": code, "valueQuantity": value, "effectiveDateTime": "2026-11-21"}})
    (home / "patients" / "p1.json").write_text(json.dumps(told))
    _night(home)
    latest = max((home / "digests").glob("*.txt"), key=lambda p: p.stat().st_mtime_ns).read_text("utf-8")
    assert "now eligible, was not decided (since: BMI 27.5 kg/m2 on 2026-11-21; " in latest


def test_a_full_disk_costs_what_does_not_fit_and_the_next_run_goes_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ndjson(home, *(_patient(n) for n in range(1, 21)))
    opened = State._opened

    def small(self: State, path: Path) -> sqlite3.Connection:
        db = opened(self, path)
        (pages,) = db.execute("pragma page_count").fetchone()
        db.execute(f"pragma max_page_count = {pages + 12}")
        return db

    monkeypatch.setattr(State, "_opened", small)
    monkeypatch.setattr(run, "_COMMIT", 0.0)
    assert _night(home) == 1
    page = (home / "out" / "index.html").read_text("utf-8")
    assert "database or disk is full" in page and "goes on where it stopped" in page
    done = len((home / "out" / "matches.ndjson").read_text("utf-8").splitlines())
    assert 0 < done < 20
    monkeypatch.setattr(State, "_opened", opened)
    assert _night(home) == 0
    assert _figure(home, "reused") == done
    assert len((home / "out" / "matches.ndjson").read_text("utf-8").splitlines()) == 20
    told = re.findall(r"^== (p\d+) ==$", "\n".join(_digests(home)), re.MULTILINE)
    assert sorted(told) == sorted(f"p{n}" for n in range(1, 21))


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
