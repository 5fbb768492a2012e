"""Files beside the journal: which lines sound, and room held back for a full disk."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

SOUNDING_FILE = "sounding"
SOUNDING_LIMIT = 1 << 16  # bytes after which the file is begun anew
RESERVE_FILE = "reserve"
RESERVE_BYTES = 1 << 20


class SoundingFile:
    """Ids of lines whose first sample went out: written at once, so that it survives the process."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / SOUNDING_FILE
        self._lock = threading.Lock()
        self._fd = -1
        self.before: frozenset[str] = frozenset()
        """Ids that an earlier process left."""

    def open(self) -> None:
        """Read what is there and go on behind it.

        Raises:
            OSError: the directory cannot be written.
        """
        if self._fd >= 0:
            return
        with suppress(FileNotFoundError):
            self.before = frozenset(self._path.read_text(encoding="utf-8", errors="replace").split())
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(self, request_id: str) -> None:
        """Add an id; takes microseconds, and nothing where the disk refuses."""
        with self._lock, suppress(OSError):
            if self._fd >= 0:
                os.write(self._fd, f"{request_id}\n".encode())

    def is_long(self) -> bool:
        """Tell whether it is time to begin anew."""
        return self._fd >= 0 and os.fstat(self._fd).st_size >= SOUNDING_LIMIT

    def begin_anew(self) -> None:
        """Forget every id."""
        with self._lock, suppress(OSError):
            os.ftruncate(self._fd, 0)

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
            self._fd = -1


class Reserve:
    """Room on the disk for the ends of lines, which must be written even where nothing new is accepted."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / RESERVE_FILE

    def take(self) -> str:
        """Hold the room back, and see that as much is free besides; return why not, empty if all is well."""
        try:
            if not self._path.exists() or self._path.stat().st_size < RESERVE_BYTES:
                self._path.write_bytes(bytes(RESERVE_BYTES))
            disk = os.statvfs(self._path.parent)
            if disk.f_bavail * disk.f_frsize < RESERVE_BYTES:
                return f"less than {RESERVE_BYTES >> 20} MiB are free"
        except OSError as error:
            self.give_up()
            return error.strerror or str(error)
        return ""

    def give_up(self) -> None:
        """Make the room free."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
