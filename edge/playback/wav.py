"""A loudspeaker on paper: what would have been heard, as a WAV file."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import IO

import numpy as np

from ..audio import Pcm16
from .player import NS
from .sink import PacedSink

MAX_DATA_BYTES = 2**31 - 2**20  # what every reader of WAV can take; then a new file is begun


class WavSink(PacedSink):
    """Records at the pace of a sound card.

    Args:
        path: file to write; an existing one is replaced. Further files get a number before the extension.
        block_ms: length of a block.
        max_gap_s: silence between two lines is recorded up to this length.
    """

    name = "wav"

    def __init__(self, path: Path, block_ms: int, max_gap_s: float) -> None:
        super().__init__(block_ms)
        self._path = path
        self._max_gap_s = max_gap_s
        self._n_files = 0
        self._n_bytes = 0
        self._rested_ns: int | None = None
        self._end_ns = 0
        self._raw: IO[bytes] | None = None
        self._file: wave.Wave_write | None = None

    def _start(self) -> None:
        path, number = self._path, self._n_files + 1
        if number > 1:
            path = path.with_name(f"{path.stem}-{number}{path.suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._raw = path.open("wb")
        self._n_files = number
        self._file = wave.open(self._raw, "wb")  # noqa: SIM115 - _finish closes it
        self._file.setnchannels(1)
        self._file.setsampwidth(2)
        self._file.setframerate(self.player.sample_rate)
        self._file.writeframes(b"")
        self._raw.flush()
        self._n_bytes = 0

    def _resume(self, t_ns: int) -> None:
        if self._rested_ns is not None:
            gap_s = min((t_ns - self._rested_ns) / NS, self._max_gap_s)
            self._write(np.zeros(max(0, int(gap_s * self.player.sample_rate)), dtype=np.int16))
        self._end_ns = t_ns

    def _deliver(self, block: Pcm16) -> None:
        self._write(block)
        self._end_ns += len(block) * NS // self.player.sample_rate

    def _rest(self) -> None:
        self._rested_ns = self._end_ns
        if self._raw is not None:
            self._raw.flush()

    def _write(self, samples: Pcm16) -> None:
        if self._n_bytes + samples.nbytes > MAX_DATA_BYTES:
            self._finish()
            self._start()
        assert self._file is not None, "_start() comes first"
        self._file.writeframes(samples.astype("<i2").tobytes())  # keeps the header right meanwhile
        self._n_bytes += samples.nbytes

    def _finish(self) -> None:
        if self._file is not None and self._raw is not None:
            self._file.close()
            self._raw.close()
            self._file = self._raw = None
