"""Log of the daemon on standard error, as text or as one JSON object per line, told by a thread of its own.

Whoever logs never waits: a terminal that is held or a journal that is slow would hold up the core. Under
systemd each line carries its priority, which journald takes off again.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import sys
import threading
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any, Literal, TextIO

LogFormat = Literal["text", "json"]

MAX_WAITING = 10_000  # records; what comes while so many wait is counted and not told
MAX_CHARACTERS = 16_000  # of a message or a traceback; journald cuts lines of more than 48 KB
FLUSH_S = 1.0
_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_PRIORITIES = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))  # of syslog
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127)} | {10: "\\n", 13: "\\r", 9: "\t"}

_used: tuple[int, LogFormat] | None = None


def fields(**values: object) -> dict[str, dict[str, object]]:
    """Say what a message is about, for ``extra`` of a logging call; what is None is left out."""
    return {"fields": {name: value for name, value in values.items() if value is not None}}


def set_up(level: int, form: LogFormat, stream: TextIO | None = None, *, waits: bool = False) -> None:
    """Begin to log.

    Args:
        level: what is less important is not told.
        form: text, or JSON.
        stream: where to; standard error if absent.
        waits: tell on the caller's thread.
    """
    global _used
    _used = (level, form)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter(form, to_journal=_is_journal(handler.stream)))
    logging.basicConfig(level=level, handlers=[handler if waits else Told(handler)], force=True)


def in_use() -> tuple[int, LogFormat]:
    """Return level and format, for a process that shall log alike."""
    return _used or (logging.getLogger().getEffectiveLevel(), "text")


def formatter(form: LogFormat, *, to_journal: bool = False) -> logging.Formatter:
    """Make what turns records into lines."""
    return JsonLines(to_journal) if form == "json" else TextLines(to_journal)


class TextLines(logging.Formatter):
    """One line for each message: what a client sends cannot forge another; tracebacks follow below."""

    def __init__(self, to_journal: bool = False) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s" if to_journal else _TEXT)
        self._to_journal = to_journal

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - of the standard library
        """Write the first line."""
        record.message = record.message[:MAX_CHARACTERS].translate(_CONTROLS)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        text = super().format(record)
        if not self._to_journal:
            return text
        return "\n".join(f"<{priority(record.levelno)}>{line}" for line in text.splitlines())


class JsonLines(logging.Formatter):
    """One JSON object for each record: ``time``, ``level``, ``logger``, ``message``, and what it is about."""

    def __init__(self, to_journal: bool = False) -> None:
        super().__init__()
        self._to_journal = to_journal

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        when = datetime.fromtimestamp(record.created, timezone.utc)
        values: dict[str, Any] = {
            "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:MAX_CHARACTERS],
            "process": record.process,
            "thread": record.threadName,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            values["exception"] = self.formatException(record.exc_info)[-MAX_CHARACTERS:]
        line = json.dumps(values, ensure_ascii=False, default=str)
        line = line.encode("utf-8", "backslashreplace").decode("utf-8")  # half a surrogate pair is no UTF-8
        return f"<{priority(record.levelno)}>{line}" if self._to_journal else line


class Told(logging.Handler):
    """Hands records to another handler on a thread of its own.

    Args:
        handler: writes them, and may take its time.
    """

    def __init__(self, handler: logging.Handler) -> None:
        super().__init__()
        self._handler = handler
        self._waiting: queue.Queue[logging.LogRecord | None] = queue.Queue(MAX_WAITING)
        self._n_lost = 0
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Leave a record to be told."""
        try:
            record.msg, record.args = record.getMessage(), None  # what it names may change meanwhile
            self._waiting.put_nowait(record)
        except queue.Full:
            self._n_lost += 1
        except (TypeError, ValueError):  # a message that does not fit its arguments
            self.handleError(record)

    def close(self) -> None:
        """Tell what waits, as far as it is taken in time."""
        with suppress(queue.Full):
            self._waiting.put(None, timeout=FLUSH_S)
            self._thread.join(FLUSH_S)
        super().close()

    def _run(self) -> None:
        while (record := self._waiting.get()) is not None:
            self._handler.handle(record)
            if self._waiting.empty():
                self._tell_loss()
        self._tell_loss()

    def _tell_loss(self) -> None:
        n_lost, self._n_lost = self._n_lost, 0
        if n_lost:
            text = f"{n_lost} messages were not told: too many at once"
            values = {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING", "msg": text}
            self._handler.handle(logging.makeLogRecord(values))


def priority(level: int) -> int:
    """Return the priority that syslog and journald have for a level."""
    return next((number for least, number in _PRIORITIES if level >= least), 7)


def _is_journal(stream: Any) -> bool:
    """Tell whether journald reads a stream: systemd says which file it is."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        status = os.fstat(stream.fileno())
    except (OSError, AttributeError, ValueError):
        return False
    return (device, inode) == (str(status.st_dev), str(status.st_ino))


def flush() -> None:
    """Tell what waits, before a command says its last word."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Told):
            handler.close()
            logging.getLogger().removeHandler(handler)
    sys.stderr.flush()
