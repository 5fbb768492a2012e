"""Finished lines as WAV files, written on a thread of their own."""

from __future__ import annotations

import errno
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..audio import AudioChunk, wav_bytes
from ..labels.aigc import label, with_label
from ..labels.credentials import Credentials

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FileWritten:
    """A WAV file is complete, or could not be written (``path`` is None)."""

    line_id: str
    path: str | None
    code: str = "internal"
    message: str = ""


@dataclass(frozen=True)
class _Job:
    line_id: str
    chunks: tuple[AudioChunk, ...]


class FileWriter:
    """Writes finished lines as WAV files, on a thread of its own: a slow disk holds nobody up.

    Args:
        directory: where; made if absent.
        max_bytes: the oldest files are deleted when all together are larger.
        emit: takes ``FileWritten``, on the writer's thread.
        producer: code of whoever answers for the sound, for the label in each file; empty: no label.
        credentials: signs each file; None: nobody does.
    """

    def __init__(
        self,
        directory: Path,
        max_bytes: int,
        emit: Callable[[FileWritten], None],
        producer: str = "",
        credentials: Credentials | None = None,
    ) -> None:
        self._producer = producer
        self._credentials = credentials
        self._directory = directory
        self._max_bytes = max_bytes
        self._emit = emit
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="files", daemon=True)
        self._thread.start()

    def write(self, line_id: str, chunks: tuple[AudioChunk, ...]) -> None:
        """Write a line to ``<id>.wav``; ``FileWritten`` follows."""
        self._jobs.put(_Job(line_id, chunks))

    def close(self) -> None:
        """Write what waits, for a moment, then stop."""
        self._jobs.put(None)
        self._thread.join(timeout=2.0)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._emit(FileWritten(job.line_id, str(self._write(job))))
            except OSError as error:
                full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
                message = f"{self._directory}: {error.strerror or error}"
                self._emit(FileWritten(job.line_id, None, "disk_full" if full else "internal", message))
            except Exception as error:
                logger.exception("writing %s", job.line_id)
                self._emit(FileWritten(job.line_id, None, "internal", repr(error)))

    def _write(self, job: _Job) -> Path:
        self._directory.mkdir(parents=True, exist_ok=True)
        samples = np.concatenate([chunk.samples for chunk in job.chunks])
        data = wav_bytes(samples, job.chunks[0].sample_rate)
        if self._producer:
            data = with_label(data, label(self._producer, job.line_id))
        if self._credentials is not None:
            data = self._credentials.sign(data, job.line_id)
        self._make_room(len(data))
        path = self._directory / f"{job.line_id}.wav"  # an id has neither / nor NUL
        partial = self._directory / f".{job.line_id}.part"
        try:
            partial.write_bytes(data)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        return path

    def _make_room(self, n_bytes: int) -> None:
        files = sorted((path.stat().st_mtime_ns, path) for path in self._directory.glob("*.wav"))
        total = n_bytes + sum(path.stat().st_size for _, path in files)
        for _, path in files:
            if total <= self._max_bytes:
                return
            total -= path.stat().st_size
            path.unlink(missing_ok=True)
