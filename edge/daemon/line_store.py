"""Finished lines on disk: they survive restarts, and a disk that fails costs a line nothing but its memory.

One folder for each voice, one file for each line. The core asks and goes on; a thread of the store's own
reads, writes and deletes, reading first. Each file is written aside, synced and renamed, and its hash is
checked whenever it is read, so a kill, a power cut or a flipped bit at worst loses the line.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import struct
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..durable import write_whole
from .cache import CachedLine
from .line_file import pack_line, unpack_line

logger = logging.getLogger(__name__)

CACHE_FOLDER = "cache"  # in the state directory
SUFFIX = ".line"
MAX_WAITING_BYTES = 64 * 2**20  # of lines that are to be written; a disk that is slower keeps what it can
CLOSE_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class LineRead:
    """A line that was asked for; None if it could not be read."""

    line_id: str
    key: str
    line: CachedLine | None


@dataclass(frozen=True)
class Stored:
    """What lies on disk."""

    n_lines: int = 0
    n_bytes: int = 0
    n_poisoned: int = 0
    """Files that were not what was written, and were deleted."""
    n_lost: int = 0
    """Lines that the disk did not take."""


def voice_folder(identity: str) -> str:
    """Name the folder for lines of a voice."""
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


class LineStore:
    """Lines by content key, the least recently used given up first. The core and its own thread use it.

    Its lock is a leaf: nothing is called while it is held, and no file is touched.

    Args:
        directory: for the folders of voices.
        max_bytes: of all lines together; with 0 nothing is kept.
        emit: takes ``LineRead``, on the store's thread.
    """

    def __init__(self, directory: Path, max_bytes: int, emit: Callable[[LineRead], None]) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._emit = emit
        self._condition = threading.Condition(threading.Lock())
        self._folder: Path | None = None
        self._sizes: OrderedDict[str, int] = OrderedDict()  # of files, the least recently used first
        self._n_bytes = 0
        self._waiting: OrderedDict[str, CachedLine] = OrderedDict()  # to be written
        self._n_waiting_bytes = 0
        self._wanted: list[tuple[str, str]] = []  # to be read: key, line id
        self._generation = 0  # of the index: what was begun before it was emptied does not enter it
        self._open = self._clear = self._closed = False
        self._scanning = False
        self._fault = ""
        self._n_poisoned = self._n_lost = 0
        self._thread = threading.Thread(target=self._run, name="line store", daemon=True)
        self._thread.start()

    def __contains__(self, key: object) -> bool:
        with self._condition:
            return key in self._sizes or key in self._waiting

    def stored(self) -> Stored:
        """Return what there is, and what went wrong."""
        with self._condition:
            n_lines = len(self._sizes.keys() | self._waiting.keys())
            return Stored(n_lines, self._n_bytes, self._n_poisoned, self._n_lost)

    def use(self, identity: str) -> None:
        """Take the folder of a voice into use; what was made of other voices is deleted."""
        folder = self._directory / voice_folder(identity)
        with self._condition:
            if folder == self._folder:
                return
            self._folder = folder
            self._forget()
            self._open = True
            self._condition.notify()

    def keep(self, key: str, line: CachedLine) -> bool:
        """Have a line written; False where nothing is kept, or too much waits for the disk."""
        with self._condition:
            too_much = self._n_waiting_bytes + line.n_bytes > MAX_WAITING_BYTES
            if not self._max_bytes or self._folder is None or too_much or line.n_bytes > self._max_bytes:
                self._n_lost += too_much
                return False
            if key not in self._sizes and key not in self._waiting:
                self._waiting[key] = line
                self._n_waiting_bytes += line.n_bytes
                self._condition.notify()
            return True

    def fetch(self, key: str, line_id: str) -> None:
        """Have a line read; ``LineRead`` follows."""
        with self._condition:
            self._wanted.append((key, line_id))
            self._condition.notify()

    def clear(self) -> int:
        """Forget every line at once and delete the files; return how many there were."""
        with self._condition:
            n_lines = len(self._sizes.keys() | self._waiting.keys())
            self._forget()
            self._clear = True
            self._condition.notify()
        return n_lines

    @property
    def is_busy(self) -> bool:
        """Tell whether something waits to be looked up, written or deleted."""
        with self._condition:
            return bool(self._open or self._clear or self._scanning or self._waiting)

    def close(self) -> None:
        """Write what waits, as far as the disk takes it in time."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        if self._thread.is_alive():
            self._thread.join(CLOSE_TIMEOUT_S)

    def _forget(self) -> None:
        """Empty the index; the caller holds the lock."""
        self._sizes.clear()
        self._waiting.clear()
        self._n_bytes = self._n_waiting_bytes = 0
        self._generation += 1

    # The store's thread from here on.

    def _run(self) -> None:
        while True:
            with self._condition:
                self._scanning = False
                while not (self._open or self._clear or self._wanted or self._waiting or self._closed):
                    self._condition.wait()
                generation, folder = self._generation, self._folder
                clear, self._clear = self._clear, False
                self._scanning = scan = self._open and not clear
                self._open = self._open and clear
                wanted = None if clear or scan or not self._wanted else self._wanted.pop(0)
                written = None if clear or scan or wanted else next(iter(self._waiting.items()), None)
            if clear and folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
            elif scan and folder is not None:
                self._scan(folder, generation)
            elif wanted is not None:
                self._emit(LineRead(wanted[1], wanted[0], self._read(folder, wanted[0])))
            elif written is not None and folder is not None:
                self._write(folder, generation, *written)
            elif not clear:
                return

    def _scan(self, folder: Path, generation: int) -> None:
        """Find out what is there; leftovers of a kill and lines of other voices go."""
        found: list[tuple[float, str, int]] = []
        try:
            for other in self._directory.iterdir() if self._directory.is_dir() else ():
                if other != folder or not self._max_bytes:
                    shutil.rmtree(other, ignore_errors=True)
            for path in folder.iterdir() if folder.is_dir() else ():
                if path.suffix == SUFFIX:
                    status = path.stat()
                    found.append((status.st_mtime, path.stem, status.st_size))
                else:
                    path.unlink(missing_ok=True)
        except OSError as error:
            self._failed(error)
        with self._condition:
            if generation != self._generation:
                return
            for _, key, size in sorted(found):
                self._add(key, size)
        self._evict(folder)

    def _read(self, folder: Path | None, key: str) -> CachedLine | None:
        with self._condition:
            waiting = self._waiting.get(key)
        if waiting is not None or folder is None:
            return waiting
        path = folder / f"{key}{SUFFIX}"
        try:
            line = unpack_line(key, path.read_bytes())
            os.utime(path)
        except FileNotFoundError:
            self._drop(key)
            return None
        except (OSError, ValueError, TypeError, KeyError, struct.error) as error:
            logger.warning("cache: %s: %s; the line is made anew", path.name, error)
            self._n_poisoned += 1
            self._drop(key)
            with suppress(OSError):
                path.unlink(missing_ok=True)
            return None
        with self._condition:
            if key in self._sizes:
                self._sizes.move_to_end(key)
        return line

    def _write(self, folder: Path, generation: int, key: str, line: CachedLine) -> None:
        """Write a line; one that the disk does not take is lost, and the fault is told once."""
        size = 0
        try:
            data = pack_line(key, line)
            write_whole(folder / f"{key}{SUFFIX}", data)
            size = len(data)
            self._fault = ""
        except OSError as error:
            self._failed(error)
        with self._condition:
            if generation != self._generation:
                return  # cleared meanwhile: the file goes with its folder
            del self._waiting[key]
            self._n_waiting_bytes -= line.n_bytes
            self._n_lost += not size
            if size:
                self._add(key, size)
        self._evict(folder)

    def _failed(self, error: OSError) -> None:
        reason = f"{error.filename or self._directory}: {error.strerror}"
        if reason != self._fault:
            logger.warning("cache: %s; lines are made anew after a restart", reason)
        self._fault = reason

    def _add(self, key: str, size: int) -> None:
        """Enter a file into the index; the caller holds the lock."""
        self._n_bytes += size - self._sizes.pop(key, 0)
        self._sizes[key] = size

    def _drop(self, key: str) -> None:
        with self._condition:
            self._n_bytes -= self._sizes.pop(key, 0)

    def _evict(self, folder: Path) -> None:
        """Give up the lines that were not used for longest, until the rest fits."""
        given_up = []
        with self._condition:
            while self._n_bytes > self._max_bytes and self._sizes:
                key, size = self._sizes.popitem(last=False)
                self._n_bytes -= size
                given_up.append(key)
        for key in given_up:
            with suppress(OSError):
                (folder / f"{key}{SUFFIX}").unlink(missing_ok=True)
