"""Memory that two processes share: samples on their way to the daemon, and what the child is at."""

from __future__ import annotations

import mmap
import threading
from collections.abc import Iterator

import numpy as np

from ..audio import Pcm16

_HEADER_BYTES = 64


class SoundMemory:
    """A ring of samples behind a number. Bytes are ordered by the messages that tell of them."""

    def __init__(self, descriptor: int) -> None:
        """Map what ``launch`` made; the descriptor may be closed afterwards."""
        self._map = mmap.mmap(descriptor, 0)
        self._working, self._warm, self._crowded = np.frombuffer(self._map, np.int64, 3).reshape(3, 1)
        self._ring = np.frombuffer(self._map, np.int16, offset=_HEADER_BYTES)

    @property
    def n_samples(self) -> int:
        """Return how many samples fit."""
        return len(self._ring)

    @property
    def working(self) -> int:
        """Return the serial number of the line that is, or was, being computed; it outlives the process."""
        return int(self._working[0])

    @working.setter
    def working(self, serial: int) -> None:
        self._working[0] = serial

    @property
    def warm(self) -> bool:
        """Return whether the child has loaded all its dictionaries: until then a line may take longer."""
        return bool(self._warm[0])

    @warm.setter
    def warm(self, warm: bool) -> None:
        self._warm[0] = warm

    @property
    def crowded(self) -> bool:
        """Return whether another child needs the processors that this one's other threads would have."""
        return bool(self._crowded[0])

    @crowded.setter
    def crowded(self, crowded: bool) -> None:
        self._crowded[0] = crowded

    def read(self, at: int, n: int) -> Pcm16:
        """Copy samples out.

        Raises:
            ValueError: they are not all within the ring.
        """
        if not 0 <= at <= at + n <= len(self._ring):
            raise ValueError(f"{n} samples at {at} are not within {len(self._ring)}")
        samples: Pcm16 = self._ring[at : at + n].copy()
        return samples

    def write(self, at: int, samples: Pcm16) -> None:
        """Copy samples in."""
        self._ring[at : at + len(samples)] = samples

    def close(self) -> None:
        """Let go of the memory."""
        del self._working, self._warm, self._crowded, self._ring
        self._map.close()


class SoundWriter:
    """Fills the ring, and waits while the reader has not made room."""

    def __init__(self, memory: SoundMemory) -> None:
        self._memory = memory
        self._at = 0
        self._n_free = memory.n_samples
        self._room = threading.Condition(threading.Lock())

    def pieces(self, samples: Pcm16) -> Iterator[tuple[int, int, bool]]:
        """Copy samples in, piece by piece; the reader has to be told of one before the next is asked for.

        Yields:
            Where the piece is, how long, and whether it is the last.
        """
        total = self._memory.n_samples
        while len(samples):
            n = min(len(samples), total - self._at, total // 4)
            with self._room:
                self._room.wait_for(lambda n=n: self._n_free >= n)  # type: ignore[misc]
                self._n_free -= n
            self._memory.write(self._at, samples[:n])
            at, samples = self._at, samples[n:]
            self._at = (at + n) % total
            yield at, n, not len(samples)

    def free(self, n: int) -> None:
        """Take note that the reader is done with the oldest ``n`` samples."""
        with self._room:
            self._n_free += n
            self._room.notify()
