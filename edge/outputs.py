"""Sound that goes elsewhere than into the loudspeaker: over MQTT and into files."""

from __future__ import annotations

import errno
import hashlib
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .audio import AudioChunk, wav_bytes, wav_header
from .messages import AudioEnd, AudioMeta, AudioOptions

logger = logging.getLogger(__name__)

ENDLESS_SAMPLES = (2**32 - 1 - 36) // 2
"""Length in a WAV header that is sent before the line is finished, as other programs do on pipes."""

Publish = Callable[[str, bytes, str | None], bool]
"""Takes topic below the device's root, payload and content type; False if the message could not be taken."""


class AudioSender:
    """One line as `audio/<id>/meta`, numbered chunks and `end`.

    Args:
        line_id: of the request.
        options: format and chunk size asked for.
        max_chunk_bytes: what the broker takes.
        publish: to the broker, in order.
        n_samples: length of the line if it is known already; it only goes into a WAV header.
    """

    def __init__(
        self,
        line_id: str,
        options: AudioOptions,
        max_chunk_bytes: int,
        publish: Publish,
        n_samples: int | None = None,
    ) -> None:
        self._topic = f"audio/{line_id}"
        self._line_id = line_id
        self._format = options.format
        self._chunk_bytes = min(options.chunk_bytes, max_chunk_bytes) // 2 * 2
        self._publish = publish
        self._n_samples = ENDLESS_SAMPLES if n_samples is None else n_samples
        self._waiting = bytearray()
        self._n_chunks = 0
        self._n_bytes = 0
        self._hash = hashlib.sha256()
        self._begun = False
        self.lost = False
        """Whether a message could not be taken, so that the sound is incomplete."""

    def send(self, chunk: AudioChunk) -> None:
        """Pass on sound at once, in chunks of at most the size asked for."""
        if not self._begun:
            self._begin(chunk.sample_rate)
        self._waiting += chunk.samples.astype("<i2").tobytes()
        while self._waiting:
            self._send_bytes(bytes(self._waiting[: self._chunk_bytes]))
            del self._waiting[: self._chunk_bytes]

    def end(self) -> None:
        """Say that it is complete."""
        end = AudioEnd(chunks=self._n_chunks, bytes=self._n_bytes, sha256=self._hash.hexdigest())
        self._give(f"{self._topic}/end", end.to_json(), "application/json")

    def _begin(self, sample_rate: int) -> None:
        self._begun = True
        meta = AudioMeta(id=self._line_id, format=self._format, sample_rate=sample_rate)
        self._give(f"{self._topic}/meta", meta.to_json(), "application/json")
        if self._format == "wav":
            self._waiting += wav_header(self._n_samples, sample_rate)

    def _send_bytes(self, data: bytes) -> None:
        self._give(f"{self._topic}/{self._n_chunks}", data, "application/octet-stream")
        self._n_chunks += 1
        self._n_bytes += len(data)
        self._hash.update(data)

    def _give(self, topic: str, payload: bytes, content_type: str) -> None:
        if not self._publish(topic, payload, content_type):
            self.lost = True


@dataclass(frozen=True)
class FileWritten:
    """A WAV file is complete, or could not be written (`path` is None)."""

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
        emit: takes `FileWritten`, on the writer's thread.
    """

    def __init__(self, directory: Path, max_bytes: int, emit: Callable[[FileWritten], None]) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._emit = emit
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="files", daemon=True)
        self._thread.start()

    def write(self, line_id: str, chunks: tuple[AudioChunk, ...]) -> None:
        """Write a line to `<id>.wav`; `FileWritten` follows."""
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
