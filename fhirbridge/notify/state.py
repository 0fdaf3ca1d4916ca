"""What a night remembers, in SQLite: rows already judged, what each recipient was told, what was sent.

A state file that cannot be read is set aside anew and everything is judged again: slower, never wrong.
"""

from __future__ import annotations

import errno
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from fhirbridge.notify import changes
from fhirbridge.notify.changes import Standing
from fhirbridge.notify.inputs import About
from fhirbridge.records import LeftOut

_VERSION = 3
_TABLES = ("rows", "carried", "trials", "told", "sent", "nights")
_SCHEMA = """
create table if not exists rows (content text, judged text, place text, gain integer, brief blob, lines blob,
    primary key (content, judged));
create table if not exists carried (content text, number integer, judged text, patient blob, reserve blob,
    primary key (content, number));
create table if not exists trials (judged text primary key, way text, fingerprints blob);
create table if not exists told (recipient text, patient text, brief blob, primary key (recipient, patient));
create table if not exists sent (id text primary key, night text, recipient text, part text, at text);
create index if not exists sent_of on sent (night, recipient, part);
create table if not exists nights (id text primary key, started text, finished text);
"""


class Kept(NamedTuple):
    """A row as it is kept: made where the patient was judged, so that one process need not pack for all.

    `line`, its NDJSON, and `reserve`, what stands behind its list, are compressed; `packed` is the patient.
    """

    patient: str
    standing: Standing
    gain: int
    gaps: bool
    line: bytes
    reserve: bytes
    packed: bytes

    @classmethod
    def of(cls, row: dict[str, Any], packed: bytes) -> Kept:
        """A row with its reserve, which is not written with it."""
        reserve = zlib.compress(orjson.dumps(row.pop("reserve")), 1)
        line = zlib.compress(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE), 1)
        return cls(row["patient"], changes.standing(row), _gain(row), bool(row.get("gaps")), line, reserve, packed)


@dataclass(frozen=True, slots=True)
class Brief:
    """What telling and counting need of an input's rows: patients with their standing, and whom they belong to."""

    patients: tuple[tuple[str, Standing], ...]
    practitioners: tuple[str, ...] = ()
    resources: bytes = b""
    left_out: tuple[LeftOut, ...] = ()

    @classmethod
    def of(cls, rows: Iterable[Kept], about: About | None, left_out: Iterable[LeftOut]) -> Brief:
        """The brief of the rows of an input."""
        told = about or About((), b"")
        patients = tuple((row.patient, row.standing) for row in rows)
        return cls(patients, told.practitioners, told.resources, tuple(left_out))

    def packed(self) -> bytes:
        """As kept."""
        left_out = [(f.source, f.reason) for f in self.left_out]
        return orjson.dumps((self.patients, self.practitioners, self.resources.hex(), left_out))

    @classmethod
    def unpacked(cls, data: bytes) -> Brief:
        """The brief that was kept."""
        patients, practitioners, resources, left_out = orjson.loads(data)
        kept = tuple((p, s) for p, s in patients)
        return cls(kept, tuple(practitioners), bytes.fromhex(resources), tuple(LeftOut(*f) for f in left_out))


@contextmanager
def _written() -> Iterator[None]:
    """A disk that is full or cannot be written is an OSError, as it is for files."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise OSError(errno.ENOSPC, f"state.sqlite: {error}") from error


class State:
    """The memory of one output directory. Not shared between processes: the run's lock sees to that."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.lost, self.path = False, path
        try:
            self._db = self._opened(path)
        except sqlite3.DatabaseError:
            for beside in ("", "-wal", "-shm"):
                path.with_name(path.name + beside).unlink(missing_ok=True)
            self.lost = True
            self._db = self._opened(path)

    @classmethod
    def reading(cls, path: Path) -> State:
        """The same memory as of the last commit, for another thread that only reads."""
        state = cls.__new__(cls)
        state.lost, state.path = False, path
        state._db = sqlite3.connect(path)
        return state

    def _opened(self, path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(path)
        version = db.execute("pragma user_version").fetchone()[0]
        if version != _VERSION:
            older = db.execute("select count(*) from sqlite_master").fetchone()[0]
            self.lost = self.lost or bool(older)
            db.executescript("".join(f"drop table if exists {table};" for table in _TABLES if older))
        db.executescript(
            f"pragma journal_mode = wal; pragma synchronous = normal; {_SCHEMA} pragma user_version = {_VERSION};"
        )
        db.execute("select count(*) from nights").fetchone()
        return db

    # ------------------------------------------------------------------------------------------------------- the rows

    def has(self, content: str, judged: str, where: str) -> bool:
        """Whether the rows of an input are kept, judged the same way, with the place they name, if they name one."""
        found = self._db.execute("select place from rows where content = ? and judged = ?", (content, judged))
        row = found.fetchone()
        return row is not None and row[0] in ("", where)

    def gain(self, content: str) -> int | None:
        """How little there is to gain from a content that was judged before, in any way; None if it never was."""
        found = self._db.execute("select min(gain) from rows where content = ?", (content,)).fetchone()
        return int(found[0]) if found[0] is not None else None

    def brief(self, content: str, judged: str) -> Brief | None:
        """What is told and counted of an input's rows, None if they are not kept."""
        found = self._db.execute("select brief from rows where content = ? and judged = ?", (content, judged))
        row = found.fetchone()
        return Brief.unpacked(row[0]) if row else None

    def lines(self, content: str, judged: str) -> bytes:
        """The NDJSON lines of an input's rows, as they are written."""
        found = self._db.execute("select lines from rows where content = ? and judged = ?", (content, judged))
        return zlib.decompress(found.fetchone()[0])

    @_written()
    def keep(self, content: str, judged: str, where: str, rows: Sequence[Kept], brief: Brief) -> None:
        """Remember the rows of an input, and what the next night goes on from; on disk when `commit` returns."""
        place = where if brief.left_out or any(row.gaps for row in rows) else ""
        lines = rows[0].line if len(rows) == 1 else zlib.compress(b"".join(zlib.decompress(r.line) for r in rows), 1)
        kept = (content, judged, place, min(row.gain for row in rows), brief.packed(), lines)
        self._db.execute("insert or replace into rows values (?, ?, ?, ?, ?, ?)", kept)
        self._db.execute("delete from carried where content = ?", (content,))
        carried = [(content, number, judged, row.packed, row.reserve) for number, row in enumerate(rows)]
        self._db.executemany("insert into carried values (?, ?, ?, ?, ?)", carried)

    @_written()
    def forget(self, judged: str) -> None:
        """Drop rows that were judged another way: they are of no use any more."""
        for table in ("rows", "carried", "trials"):
            self._db.execute(f"delete from {table} where judged <> ?", (judged,))

    # ------------------------------------------------------------------------------------------- what is carried on

    @_written()
    def keep_trials(self, judged: str, way: str, fingerprints: Mapping[str, str]) -> None:
        """Remember which trials a way of judging has; `way` is how patients are judged, whatever the trials."""
        packed = zlib.compress(orjson.dumps(fingerprints), 1)
        self._db.execute("insert or replace into trials values (?, ?, ?)", (judged, way, packed))

    def trials(self, way: str) -> dict[str, dict[str, str]]:
        """judged -> study id -> fingerprint, of all that were judged in this way."""
        found = self._db.execute("select judged, fingerprints from trials where way = ?", (way,))
        return {judged: orjson.loads(zlib.decompress(packed)) for judged, packed in found}

    def carried(self, content: str, where: str) -> list[tuple[bytes, bytes, int, bytes, str]]:
        """For each patient of an input: packed, the rows, which of them is his, his reserve, how he was judged."""
        query = "select number, judged, patient, reserve from carried where content = ? order by number"
        found = self._db.execute(query, (content,)).fetchall()
        if not found or not self.has(content, found[0][1], where):
            return []
        query = "select lines from rows where content = ? and judged = ?"
        lines = self._db.execute(query, (content, found[0][1])).fetchone()[0]
        return [(patient, lines, number, reserve, judged) for number, judged, patient, reserve in found]

    # ---------------------------------------------------------------------------------------------- who was told what

    def told(self, recipient: str, patient: str) -> tuple[Standing, bytes]:
        """A patient's standing and the marks of the record when a recipient was last told, ({}, b"") if never."""
        found = self._db.execute("select brief from told where recipient = ? and patient = ?", (recipient, patient))
        row = found.fetchone()
        if row is None:
            return {}, b""
        standing, resources = orjson.loads(row[0])
        return standing, bytes.fromhex(resources)

    @_written()
    def tell(self, recipient: str, patient: str, standing: Standing, resources: bytes) -> None:
        """Remember what a recipient knows of a patient; on disk with the message that was `sent`."""
        kept = (recipient, patient, orjson.dumps((standing, resources.hex())))
        self._db.execute("insert or replace into told values (?, ?, ?)", kept)

    def was_sent(self, id: str) -> bool:
        """Whether a message of that id went out."""
        return self._db.execute("select 1 from sent where id = ?", (id,)).fetchone() is not None

    def was_told(self, night: str, recipient: str, part: str) -> bool:
        """Whether a recipient got that part of a night."""
        found = self._db.execute(
            "select 1 from sent where night = ? and recipient = ? and part = ?", (night, recipient, part)
        )
        return found.fetchone() is not None

    @_written()
    def sent(self, id: str, *, night: str, recipient: str, part: str, at: str) -> None:
        """Remember a message that went out, at once on disk."""
        self._db.execute("insert or replace into sent values (?, ?, ?, ?, ?)", (id, night, recipient, part, at))
        self._db.commit()

    # ----------------------------------------------------------------------------------------------------- the nights

    def open_night(self) -> tuple[str, str] | None:
        """The id and start of a night that did not finish, None if the last one did."""
        found = self._db.execute("select id, started from nights where finished is null").fetchone()
        return (found[0], found[1]) if found else None

    @_written()
    def begin(self, id: str, started: str) -> None:
        """A night begins."""
        self._db.execute("insert or replace into nights values (?, ?, null)", (id, started))
        self._db.commit()

    @_written()
    def finish(self, id: str, finished: str) -> None:
        """A night is over."""
        self._db.execute("update nights set finished = ? where id = ?", (finished, id))
        self._db.commit()

    @_written()
    def commit(self) -> None:
        """Everything so far is on disk."""
        self._db.commit()

    def rollback(self) -> None:
        """Nothing since the last commit happened."""
        self._db.rollback()

    def close(self) -> None:
        """Close the file."""
        with suppress(sqlite3.OperationalError):
            self._db.commit()
        self._db.close()


def _gain(row: Mapping[str, Any]) -> int:
    """0 where one fact would settle an option, 1 where an option is open, 2 where something is listed, 3 nothing."""
    found = 3
    for match in row["matches"]:
        if match["status"] == "undetermined":
            settles = any(m.get("would_settle") for m in match.get("missing", ()))
            found = min(found, 0 if settles else 1)
        elif match["status"] == "eligible":
            found = min(found, 2)
    return found
