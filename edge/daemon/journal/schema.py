"""Tables of the journal: their versions, and the checks that a row is what was written."""

from __future__ import annotations

import sqlite3
import zlib
from pathlib import Path
from typing import Any

from .base import Entry

BUSY_TIMEOUT_S = 2.0

MIGRATIONS = (
    """
    CREATE TABLE requests (
        number INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of acceptance
        id TEXT NOT NULL UNIQUE,
        digest TEXT NOT NULL,
        request TEXT NOT NULL,  -- JSON; empty once the request has ended
        received REAL NOT NULL,  -- CLOCK_MONOTONIC
        deadline REAL,
        boot TEXT NOT NULL,  -- boot of the machine that this clock belongs to
        crc INTEGER NOT NULL,
        heard INTEGER NOT NULL DEFAULT 0,
        last_event TEXT,
        ended INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX requests_open ON requests (ended, number);
    CREATE TABLE outbox (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        event_id TEXT NOT NULL UNIQUE,
        event TEXT NOT NULL,
        crc INTEGER NOT NULL
    );
    """,
)
"""One script for each version, from the one before; ``PRAGMA user_version`` counts them."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a journal for writing, make it or bring it up to this version, and check it.

    Raises:
        sqlite3.DatabaseError: it is damaged, made by a later version, or cannot be written.
    """
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # a commit is on disk, not in the system's cache
        connection.execute("PRAGMA cell_size_check = ON")
        faults = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
        if faults != ["ok"]:
            raise sqlite3.DatabaseError(f"malformed: {faults[0]}")
        _migrate(connection)
        if _tables(connection) != _expected():
            raise sqlite3.DatabaseError("malformed: its tables are not those of this version")
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise sqlite3.DatabaseError(f"malformed: version {version}, this daemon knows {len(MIGRATIONS)}")
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        connection.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT;")


def _tables(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
    """Definitions as the file has them, in which SQLite does not notice a flipped bit either."""
    columns = ", ".join(f"CAST({name} AS BLOB)" for name in ("type", "name", "tbl_name", "sql"))
    return sorted(connection.execute(f"SELECT {columns} FROM sqlite_master"), key=repr)


def _expected() -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        _migrate(connection)
        return _tables(connection)
    finally:
        connection.close()


def boot_id() -> str:
    """Name this boot of the machine: what a monotonic time belongs to."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def row(entry: Entry, boot: str) -> tuple[Any, ...]:
    """Columns ``id`` to ``crc`` of an accepted request."""
    values = (entry.request_id, entry.digest, entry.request, entry.received, entry.deadline, boot)
    return (*values, checksum(values))


def checksum(values: tuple[Any, ...]) -> int:
    """CRC-32 of the columns of a row: SQLite itself does not notice a flipped bit in a text."""
    return zlib.crc32(repr(values).encode())
