"""Audit log: one line for every decision about a voice; no text that was said, no name of a person."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from ..durable import write_whole

RETENTION_DAYS = 180
AUDIT_FILE = "audit.jsonl"
"""In the state directory."""


class AuditLog:
    """Lines of JSON that are only appended, each on disk before the call returns.

    Args:
        path: file; a new one is made.
        clock: seconds since 1970.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock

    def write(self, event: str, **details: str | int) -> None:
        """Append a line.

        Raises:
            OSError: the disk is full or read-only.
        """
        line = json.dumps({"t": int(self._clock()), "event": event, **details}, ensure_ascii=False)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            os.write(descriptor, (self._torn(descriptor) + line + "\n").encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def entries(self) -> list[dict[str, str | int]]:
        """Every whole line, oldest first; the rest of one that a crash cut short is left out."""
        try:
            content = self._path.read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return []
        return [entry for line in content.splitlines() if (entry := _entry(line)) is not None]

    def prune(self, days: int = RETENTION_DAYS) -> int:
        """Drop what is older; returns how many lines."""
        entries = self.entries()
        kept = [entry for entry in entries if int(entry["t"]) >= self._clock() - days * 86_400]
        if len(kept) < len(entries):
            content = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in kept)
            write_whole(self._path, content.encode())
        return len(entries) - len(kept)

    @staticmethod
    def _torn(descriptor: int) -> str:
        """A line break where the last line has none."""
        size = os.fstat(descriptor).st_size
        return "\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else ""


def _entry(line: str) -> dict[str, str | int] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and isinstance(value.get("t"), int) else None
