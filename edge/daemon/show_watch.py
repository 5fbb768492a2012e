"""Watch over the show file: read at the start, and again whenever it changes, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError
from ..show import Show, ShowFile

logger = logging.getLogger(__name__)

LOOK_S = 0.5


@dataclass(frozen=True)
class ShowRead:
    """A show file has been read; what plays of an earlier one goes on."""

    show: Show


@dataclass(frozen=True)
class ShowRefused:
    """A show file is wrong or gone; the show as it was stays."""

    message: str


class ShowWatch:
    """Looks at a show file.

    Args:
        path: of the file; None: there is no show.
        emit: takes ``ShowRead`` and ``ShowRefused``, on this thread.
    """

    def __init__(self, path: Path | None, emit: Callable[[ShowRead | ShowRefused], None]) -> None:
        self._path = path
        self._emit = emit
        self._seen: tuple[int, int, int] | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="show", daemon=True)

    def open(self) -> None:
        """Begin to look, if there is a file."""
        if self._path is not None:
            self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)

    def _run(self) -> None:
        assert self._path is not None
        self._look(self._path)
        while not self._ended.wait(LOOK_S):
            if _stamp(self._path) != self._seen:
                self._look(self._path)

    def _look(self, path: Path) -> None:
        self._seen = _stamp(path)
        try:
            self._emit(ShowRead(ShowFile(path).show))
        except ConfigError as error:
            self._emit(ShowRefused(str(error)))
        except Exception as error:
            logger.exception("show file")
            self._emit(ShowRefused(f"{path}: {error!r}"))


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)
