"""Turns out of every kind of input, and what is not fit to be read."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path

import pytest

from fhirbridge.errors import EmptyInput, InputTooLarge, MissingInput, UnreadableInput
from fhirbridge.extract import turns
from fhirbridge.records import Speaker, Transcript


def _holds(transcript: Transcript) -> None:
    for turn in transcript.turns:
        assert transcript.text[turn.span.offset : turn.span.end] == turn.text


def _roles(transcript: Transcript) -> list[str]:
    return [turn.speaker.value for turn in transcript.turns]


@pytest.mark.parametrize(
    ("label", "role"),
    [
        ("Doctor", "clinician"), ("DOCTOR", "clinician"), ("Dr", "clinician"), ("Dr.", "clinician"),
        ("Dr. Smith", "clinician"), ("D", "clinician"), ("GP", "clinician"), ("Clinician", "clinician"),
        ("Nurse", "clinician"), ("Nurse Practitioner", "clinician"), ("Patient", "patient"), ("Pt", "patient"),
        ("P", "patient"), ("Mother", "relative"), ("Wife", "relative"), ("Patient's wife", "relative"),
        ("Patient 1", "patient"),
        ("医生", "clinician"), ("大夫", "clinician"), ("患者", "patient"), ("病人", "patient"),
        ("家属", "relative"), ("妈妈", "relative"), ("患者妈妈", "relative"),
    ],
)  # fmt: skip
def test_a_label_names_its_role(label: str, role: str) -> None:
    read = turns.read(f"{label}: hello there\nDoctor: hi\nPatient: hi\n")
    assert read.turns[0].speaker.value == role
    _holds(read)


@pytest.mark.parametrize(
    "line",
    [
        "Doctor: any pain?", "[doctor] any pain?", "[00:01:05] Doctor: any pain?", "Doctor (00:05): any pain?",
        "00:05 Doctor: any pain?", "**Doctor**: any pain?", "- Doctor: any pain?", "Doctor：any pain?",
        "DOCTOR : any pain?", "(00:01:05.200) Doctor: any pain?",
    ],
)  # fmt: skip
def test_a_label_is_found_with_and_without_a_time(line: str) -> None:
    read = turns.read(f"{line}\nPatient: no\n")
    assert [t.text for t in read.turns] == ["any pain?", "no"]
    assert _roles(read) == ["clinician", "patient"]
    _holds(read)


def test_a_line_without_label_goes_on() -> None:
    read = turns.read("Doctor: any pain\nin your chest?\nPatient: no\n")
    assert read.turns[0].text == "any pain\nin your chest?"
    _holds(read)


def test_headings_of_a_note_are_no_speakers() -> None:
    read = turns.read("Chief complaint: cough\nBlood pressure: 120/80\nPlan: rest\n")
    assert set(_roles(read)) == {"note"}
    assert any("no speakers" in left.reason for left in read.left_out)


def test_webvtt_keeps_times_voices_and_offsets() -> None:
    text = (
        "WEBVTT\n\n1\n00:00:01.000 --> 00:00:03.500\n<v Doctor>any chest pain?</v>\n\n"
        "2\n00:00:04.000 --> 00:00:05.000\n<v Patient>no\n"
    )
    read = turns.read(text)
    assert [(t.text, t.start, t.end) for t in read.turns] == [("any chest pain?", 1.0, 3.5), ("no", 4.0, 5.0)]
    assert _roles(read) == ["clinician", "patient"]
    _holds(read)


def test_srt_with_labels() -> None:
    text = (
        "1\n00:00:01,000 --> 00:00:03,500\nDoctor: any chest pain?\n\n2\n00:00:04,000 --> 00:00:05,000\nPatient: no\n"
    )
    read = turns.read(text)
    assert [t.text for t in read.turns] == ["any chest pain?", "no"]
    assert read.turns[0].start == 1.0
    _holds(read)


@pytest.mark.parametrize("key", [None, "segments", "turns", "utterances"])
def test_json_turns(key: str | None) -> None:
    said = [
        {"speaker": "Doctor", "text": "any chest pain?", "start": 0.5, "end": 2},
        {"speaker": "Patient", "text": "no \u201cnever\u201d", "start": 2.5, "end": 3},
    ]
    read = turns.read(json.dumps(said if key is None else {key: said}))
    assert [t.text for t in read.turns] == ["any chest pain?", "no “never”"]
    assert read.turns[0].start == 0.5
    _holds(read)


def test_json_without_turns_is_an_error() -> None:
    with pytest.raises(UnreadableInput, match="turns"):
        turns.read('{"a": 1}')


def test_broken_json_names_its_line() -> None:
    with pytest.raises(UnreadableInput, match="line 2"):
        turns.read('[{"speaker": "Doctor",\n "text": }]')


def test_unknown_speakers_are_told() -> None:
    read = turns.read("SPEAKER_00: any pain?\nSPEAKER_01: no\nSPEAKER_00: okay\n")
    assert set(_roles(read)) == {"unknown"}
    assert any("speaker could not be told" in left.reason for left in read.left_out)
    _holds(read)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    text = "Doctor: any pain? 医生\nPatient: no, none at all\n" * 5
    file = tmp_path / "visit.txt"
    file.write_bytes(text.encode(encoding))
    read = turns.read(file)
    assert read.turns[0].text == "any pain? 医生"
    assert "\ufeff" not in read.text
    _holds(read)


def test_stray_bytes_are_told_and_the_rest_is_read(tmp_path: Path) -> None:
    file = tmp_path / "visit.txt"
    file.write_bytes("Doctor: 发烧吗\n".encode() * 40 + b"Patient: no \xff\xff\n")
    read = turns.read(file)
    assert any("encoding" in left.reason for left in read.left_out)
    assert read.turns[-1].text.startswith("no ")


@pytest.mark.parametrize("data", [b"", b"  \n\t ", b"\xef\xbb\xbf\n"])
def test_nothing_in_it(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "empty.txt"
    file.write_bytes(data)
    with pytest.raises(EmptyInput):
        turns.read(file)


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(200), bytes(range(256)) * 20])
def test_binary_is_no_text(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "photo.txt"
    file.write_bytes(data)
    with pytest.raises(UnreadableInput, match=r"photo\.txt"):
        turns.read(file)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(MissingInput, match="nowhere"):
        turns.read(Path("nowhere.txt"))
    with pytest.raises(MissingInput, match="nowhere"):
        turns.read("nowhere.txt")


def test_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LIMIT", 10)
    file = tmp_path / "long.txt"
    file.write_text("Doctor: any chest pain?\n")
    with pytest.raises(InputTooLarge):
        turns.read(file)


def test_ten_megabytes_are_read_in_seconds(tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    file.write_text("Doctor: any chest pain?\nPatient: no , nothing like that\n" * 180_000)
    begin = time.process_time()
    read = turns.read(file)
    assert len(read.turns) == 360_000
    assert time.process_time() - begin < 30


@pytest.mark.parametrize("words", ["שלום מה שלומך", "مرحبا", "👍🏽 ok 👨‍👩‍👧", "İstanbul ﬁ", "a\u0301"])
def test_any_script_keeps_its_offsets(words: str) -> None:
    read = turns.read(f"Doctor: {words}\nPatient: {words} no\n")
    assert read.turns[0].text == words
    _holds(read)


def test_language_and_date_are_kept() -> None:
    read = turns.read("医生：你好\n患者：我头疼\n", visit_date=date(2026, 3, 1))
    assert (read.language, read.visit_date) == ("zh", date(2026, 3, 1))
    assert turns.read("Doctor: hi\nPatient: hi\n", language="zh").language == "zh"
    assert read.turns[0].speaker is Speaker.CLINICIAN
