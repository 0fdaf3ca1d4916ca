"""What the nights remember: each patient's row by what it was judged from, and which messages were sent.

An SQLite file. Lost or unreadable, it is made anew and everything is judged again: slower, never wrong.
"""

from __future__ import annotations

import sqlite3
import zlib
from pathlib import Path
from typing import Any

import orjson

_SCHEMA = """
create table if not exists rows (content text, judged text, rows blob, primary key (content, judged));
create table if not exists told (patient text primary key, studies blob);
create table if not exists sent (id text primary key, recipient text, at text);
create table if not exists nights (id text primary key, started text, finished text);
"""


class State:
    """The memory of one output directory. Not shared between processes: the run's lock sees to that."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.lost = False
        try:
            self._db = self._opened(path)
        except sqlite3.DatabaseError:
            path.unlink()
            self.lost = True
            self._db = self._opened(path)

    @staticmethod
    def _opened(path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(path)
        db.executescript(f"pragma journal_mode = wal; pragma synchronous = normal; {_SCHEMA}")
        db.execute("select count(*) from nights").fetchone()
        return db

    def rows(self, content: str, judged: str) -> list[dict[str, Any]] | None:
        """The rows of an input whose content and whose judge were the same, None if there are none."""
        found = self._db.execute("select rows from rows where content = ? and judged = ?", (content, judged)).fetchone()
        return orjson.loads(zlib.decompress(found[0])) if found else None

    def keep(self, content: str, judged: str, rows: list[dict[str, Any]]) -> None:
        """Remember the rows of an input; on disk when `commit` returns."""
        packed = zlib.compress(orjson.dumps(rows), 1)
        self._db.execute("insert or replace into rows values (?, ?, ?)", (content, judged, packed))

    def forget(self, judged: str) -> None:
        """Drop rows that were judged another way: they are of no use any more."""
        self._db.execute("delete from rows where judged <> ?", (judged,))

    def told(self, patient: str) -> dict[str, list[Any]]:
        """study -> [status, score] as of the last night that was told, {} if none."""
        found = self._db.execute("select studies from told where patient = ?", (patient,)).fetchone()
        return orjson.loads(found[0]) if found else {}

    def tell(self, patient: str, studies: dict[str, list[Any]]) -> None:
        """Remember what tonight says of a patient."""
        self._db.execute("insert or replace into told values (?, ?)", (patient, orjson.dumps(studies)))

    def was_sent(self, id: str) -> bool:
        """Whether a message of that id went out."""
        return self._db.execute("select 1 from sent where id = ?", (id,)).fetchone() is not None

    def sent(self, id: str, recipient: str, at: str) -> None:
        """Remember a message that went out, at once on disk."""
        self._db.execute("insert or replace into sent values (?, ?, ?)", (id, recipient, at))
        self._db.commit()

    def open_night(self) -> tuple[str, str] | None:
        """The id and start of a night that did not finish, None if the last one did."""
        found = self._db.execute("select id, started from nights where finished is null").fetchone()
        return (found[0], found[1]) if found else None

    def begin(self, id: str, started: str) -> None:
        """A night begins."""
        self._db.execute("insert or replace into nights values (?, ?, null)", (id, started))
        self._db.commit()

    def finish(self, id: str, finished: str) -> None:
        """A night is over."""
        self._db.execute("update nights set finished = ? where id = ?", (finished, id))
        self._db.commit()

    def commit(self) -> None:
        """Everything so far is on disk."""
        self._db.commit()

    def close(self) -> None:
        """Close the file."""
        self._db.commit()
        self._db.close()
