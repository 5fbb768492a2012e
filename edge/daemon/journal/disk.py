"""Request journal on disk: SQLite, many records per transaction, nothing told before it is durable.

One thread writes. It takes what waits, writes it in one transaction (write-ahead log, ``synchronous=FULL``)
and calls back for all of it. What cannot be written is either refused (a new request) or kept and tried again
(an end, which must not be lost); a reserve file is given up to make room for ends on a full disk.

That a line sounds is noted in a file of its own, without waiting for the disk: it survives the process at
once, and a failure of the machine's power a moment later, when the writer has it.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import EdgeError
from ...logs import fields
from .base import Entry, EventRecord, Known, Unfinished
from .files import Reserve, SoundingFile
from .schema import boot_id, checksum, connect, row

logger = logging.getLogger(__name__)

FILE = "journal.sqlite"
LAZY_S = 0.05  # what need not be durable waits this long for something that must
RETRY_S = 0.5
OPEN_LIMIT_S = 10.0
SLOW_S = 2.0  # a record that has waited this long makes the daemon degraded
PRUNE_EVERY = 256  # ends between two looks at what can be forgotten

_ACCEPT = """INSERT OR IGNORE INTO requests (id, digest, request, received, deadline, boot, crc)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
_ADVANCE = "UPDATE requests SET last_event = ? WHERE id = ? AND ended = 0"
_HEARD = "UPDATE requests SET heard = 1 WHERE id = ?"
_END = "UPDATE requests SET ended = 1, request = '', last_event = ? WHERE id = ?"
_OUTBOX = "INSERT OR IGNORE INTO outbox (event_id, event, crc) VALUES (?, ?, ?)"
_DELIVERED = "DELETE FROM outbox WHERE event_id = ?"
_PRUNE = """DELETE FROM requests WHERE ended = 1 AND number <= (
    SELECT number FROM requests WHERE ended = 1 ORDER BY number DESC LIMIT 1 OFFSET ?)"""
_OPEN = """SELECT id, digest, request, received, deadline, boot, crc, heard, last_event
    FROM requests WHERE ended = 0 ORDER BY number"""


@dataclass
class _Record:
    """Something to be written: statements, and what follows once they are durable."""

    statements: tuple[tuple[str, tuple[Any, ...]], ...]
    then: Callable[[], None] | None = None
    refused: Callable[[EdgeError], None] | None = None
    """Given for what may be refused; everything else is kept until it is written."""
    lazy: bool = False
    since: float = 0.0


class DiskJournal:
    """The journal of a device.

    Args:
        directory: of the state; the caller holds its lock.
        max_finished: ended requests remembered; the longest ended are forgotten first.
        alert: called when the journal begins or ceases to fail, on the writer's thread.
    """

    def __init__(
        self, directory: Path, max_finished: int, alert: Callable[[str], None] = lambda _: None
    ) -> None:
        self._directory = directory
        self._path = directory / FILE
        self._max_finished = max_finished
        self._alert = alert
        self._boot = boot_id()
        self._open: dict[str, tuple[Entry, Known]] = {}
        self._ending: dict[str, Known] = {}
        self._condition = threading.Condition()
        self._records: list[_Record] = []
        self._writing: list[_Record] = []
        self._closing = False
        self._ended_since_prune = 0
        self._rounds = 0
        self._fault = ""
        self._is_full = False  # the reserve has been given up for the ends of lines
        self._connection: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._sounding = SoundingFile(directory)
        self._reserve = Reserve(directory)
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def backlog(self) -> int:
        """Return how many records wait to become durable."""
        return len(self._records) + len(self._writing)

    @property
    def progress(self) -> int:
        """Return how often the writer has got through what it had in hand, written or kept for later."""
        return self._rounds

    @property
    def fault(self) -> str:
        """Return what keeps the journal from writing, with the remedy; empty while all is well."""
        oldest = next(iter([*self._writing, *self._records]), None)
        if not self._fault and oldest is not None and time.monotonic() - oldest.since > SLOW_S:
            return f"{self._directory}: the disk has not answered for {SLOW_S:g} s; check it"
        return self._fault

    def recover(self) -> Sequence[Unfinished]:
        """Return what an earlier process left, in the order of acceptance; waits until the file is open."""
        self._opened.wait(OPEN_LIMIT_S)
        left = []
        for *values, crc, heard, event in self._select(_OPEN):
            request_id = str(values[0])
            if checksum(tuple(values)) != crc:
                logger.error("journal: request %s is damaged; it is dropped", request_id)
                self._put(_Record(((_END, (None, request_id)),)))
                continue
            entry = Entry(*values[:5])
            last = _parsed(event)
            self._open[request_id] = entry, Known(entry.digest, last)
            was_heard = bool(heard) or request_id in self._sounding.before
            left.append(Unfinished(entry, last, was_heard, rebooted=values[5] != self._boot))
        return left

    def undelivered(self) -> Sequence[EventRecord]:
        """Return the terminal events that the broker had not confirmed, in order."""
        rows = self._select("SELECT event, crc FROM outbox ORDER BY number")
        found = [_parsed(event) for event, crc in rows if checksum((event,)) == crc]
        return [event for event in found if event is not None]

    def find(self, request_id: str) -> Known | None:
        """Return what is known of an id."""
        if request_id in self._open:
            return self._open[request_id][1]
        ending = self._ending.get(request_id)
        if ending is not None:
            return ending
        query = "SELECT digest, last_event, ended FROM requests WHERE id = ?"
        for digest, event, ended in self._select(query, request_id):
            return Known(digest, _parsed(event), bool(ended))
        return None

    def accept(self, entry: Entry, then: Callable[[], None], refused: Callable[[EdgeError], None]) -> None:
        """Remember a request; ``then`` once it is on disk."""
        self._open[entry.request_id] = entry, Known(entry.digest)

        def forget(error: EdgeError) -> None:
            self._open.pop(entry.request_id, None)
            refused(error)

        self._put(_Record(((_ACCEPT, row(entry, self._boot)),), then, forget))

    def advance(self, request_id: str, event: EventRecord) -> None:
        """Remember an event on the way, soon."""
        if request_id in self._open:
            self._open[request_id][1].last_event = event
            self._put(_Record(((_ADVANCE, (_text(event), request_id)),), lazy=True))

    def sounding(self, request_id: str) -> None:
        """Remember that the first sample is about to go out."""
        self._sounding.note(request_id)
        self._put(_Record(((_HEARD, (request_id,)),), lazy=True))

    def finish(self, request_id: str, event: EventRecord, then: Callable[[], None]) -> None:
        """Remember the terminal event; ``then`` once it is on disk."""
        _, known = self._open.pop(request_id, (None, Known("")))
        known.last_event, known.finished = event, True
        self._ending[request_id] = known

        def written() -> None:
            self._ending.pop(request_id, None)
            then()

        text = _text(event)
        statements = ((_END, (text, request_id)), (_OUTBOX, (event["event_id"], text, checksum((text,)))))
        self._put(_Record(statements, written))

    def delivered(self, event_id: str) -> None:
        """Note that the broker has taken a terminal event."""
        self._put(_Record(((_DELIVERED, (event_id,)),), lazy=True))

    def close(self) -> None:
        """Write what waits and release the files."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join(timeout=5.0)
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        self._sounding.close()

    def _put(self, record: _Record) -> None:
        record.since = time.monotonic()
        with self._condition:
            self._records.append(record)
            if not record.lazy or len(self._records) == 1:
                self._condition.notify()

    def _select(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read on the core's own connection; nothing where the journal cannot be read."""
        try:
            if self._reader is None and self._connection is not None:
                self._reader = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=1.0)
            return [] if self._reader is None else self._reader.execute(query, values).fetchall()
        except sqlite3.Error as error:
            logger.error("journal: %s", error)
            self._reader = None
            return []

    # On the writer's thread from here on.

    def _run(self) -> None:
        self._try_open()
        self._opened.set()
        while self._wait():
            with self._condition:
                self._writing, self._records = self._records, []
            if self._connection is None:
                self._try_open()
            try:
                if self._connection is None:
                    self._refuse(self._fault)
                    self._keep(self._writing)
                else:
                    self._refuse_without_room()
                    self._write(self._connection, self._writing)
            except (sqlite3.Error, OSError) as error:
                self._take_fault(error)
            except Exception:
                logger.exception("journal")
                self._refuse("the journal failed; see the log")
                self._keep(self._writing)
            self._writing = []
            self._rounds += 1
        if self._connection is not None:
            self._connection.close()

    def _wait(self) -> bool:
        """Wait for something to write, a while where it may wait or has just failed; False at the end."""
        with self._condition:
            if self._fault and not self._closing:
                self._condition.wait(RETRY_S)
            while not self._closing and all(record.lazy for record in self._records):
                if not self._records:
                    self._condition.wait(RETRY_S if self._fault else None)
                    if self._fault:
                        break
                    continue
                left = self._records[0].since + LAZY_S - time.monotonic()
                if left <= 0:
                    break
                self._condition.wait(left)
            return not self._closing or (bool(self._records) and not self._fault)

    def _write(self, connection: sqlite3.Connection, records: list[_Record]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            for record in records:
                for statement, values in record.statements:
                    connection.execute(statement, values)
            self._prune(connection, records)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        self._writing = []
        if not self._reserve.take():
            self._is_full = False
            self._clear_fault()
        for record in records:
            if record.then is not None:
                record.then()
        self._begin_sounding_anew()

    def _prune(self, connection: sqlite3.Connection, records: list[_Record]) -> None:
        self._ended_since_prune += sum(record.statements[0][0] == _END for record in records)
        if self._ended_since_prune >= min(PRUNE_EVERY, self._max_finished):
            self._ended_since_prune = 0
            connection.execute(_PRUNE, (self._max_finished,))

    def _take_fault(self, error: sqlite3.Error | OSError) -> None:
        """Refuse what may be refused, keep the rest, and set a damaged journal aside."""
        text = str(error)
        reason = f"{self._path}: {text}"
        if isinstance(error, sqlite3.DatabaseError) and _is_damage(error):
            self._set_aside(text)
            reason = f"{self._path} was damaged ({text}); it was set aside and a new one begun"
        else:
            self._is_full = True
            self._reserve.give_up()
            reason = self._unwritable(text)
        self._refuse(reason)
        self._keep(self._writing)

    def _keep(self, records: list[_Record]) -> None:
        with self._condition:
            self._records[:0] = records

    def _set_fault(self, reason: str) -> None:
        if reason != self._fault:
            logger.error("journal: %s", reason, extra=fields(code="disk_full"))
            self._fault = reason
            self._alert(reason)

    def _clear_fault(self) -> None:
        if self._fault:
            logger.warning("journal: written again")
            self._fault = ""
            self._alert("")

    def _try_open(self) -> None:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._connection = self._connect()
            self._sounding.open()
        except (sqlite3.Error, OSError) as error:
            self._set_fault(self._unwritable(getattr(error, "strerror", None) or str(error)))

    def _connect(self) -> sqlite3.Connection:
        try:
            return connect(self._path)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            self._set_aside(str(error))
            return connect(self._path)

    def _set_aside(self, reason: str) -> None:
        """Begin a new journal with what is known in memory; the damaged one stays to be looked into."""
        logger.error("journal: %s is damaged (%s); it is set aside", self._path, reason)
        if self._connection is not None:
            self._connection.close()
        self._connection = self._reader = None
        aside = self._path.with_name(f"{FILE}.damaged-{int(time.time())}")
        for ending in ("", "-wal", "-shm"):
            with suppress(OSError):
                Path(f"{self._path}{ending}").replace(f"{aside}{ending}")
        known = [row(entry, self._boot) for entry, _ in list(self._open.values())]
        with suppress(sqlite3.Error):
            self._connection = connect(self._path)
            self._connection.executemany(_ACCEPT, known)

    def _begin_sounding_anew(self) -> None:
        """Empty the file of lines that sound, once the table has all of them."""
        if self._sounding.is_long():
            with self._condition:
                if not any(record.statements[0][0] == _HEARD for record in self._records):
                    self._sounding.begin_anew()

    def _refuse_without_room(self) -> None:
        """Refuse new requests while there is no room for the ends of those that are accepted."""
        reason = "" if self._is_full else self._reserve.take()
        if reason or self._is_full:
            self._refuse(self._unwritable(reason) if reason else self._fault)

    def _unwritable(self, reason: str) -> str:
        return (
            f"the state directory {self._directory} cannot be written: {reason}; mend that, or choose another"
        )

    def _refuse(self, reason: str) -> None:
        """Refuse what may be refused and go on with the rest."""
        self._set_fault(reason)
        refusal = EdgeError(reason, code="disk_full")
        refusable = [record for record in self._writing if record.refused is not None]
        self._writing = [record for record in self._writing if record.refused is None]
        for record in refusable:
            assert record.refused is not None
            record.refused(refusal)


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    text = str(error)
    return (
        "malformed" in text or "not a database" in text or "no such table" in text or "no such column" in text
    )


def _text(event: EventRecord) -> str:
    return json.dumps(dict(event), ensure_ascii=False)


def _parsed(event: str | None) -> EventRecord | None:
    try:
        value = None if event is None else json.loads(event)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
