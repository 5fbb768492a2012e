"""Sink: blocks drawn from the player at the pace of a clock, and the way back after a loss."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..audio import Pcm16
from ..errors import SinkError
from ..logs import fields
from .player import NS, Player

logger = logging.getLogger(__name__)

RETRY_MIN_S, RETRY_MAX_S = 0.5, 10.0
LATE_LIMIT_S = 0.5  # later than this (a suspended machine), a paced sink starts its clock anew


@dataclass(frozen=True)
class SinkLost:
    """Sound cannot be delivered; the sink tries to come back by itself."""

    message: str


@dataclass(frozen=True)
class SinkBack:
    """Sound can be delivered, for the first time or again."""


class Sink(ABC):
    """An output for sound, with its own thread.

    Attributes:
        name: as in the configuration.
    """

    name = ""

    def __init__(self) -> None:
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="sink", daemon=True)
        self._player: Player | None = None
        self._report: Callable[[SinkLost | SinkBack], None] = lambda _: None

    @property
    def player(self) -> Player:
        """Return what the sink draws from."""
        assert self._player is not None, "open() comes first"
        return self._player

    def open(self, player: Player, report: Callable[[SinkLost | SinkBack], None]) -> None:
        """Begin to draw from a player. ``report`` is called on the sink's thread and must not block."""
        self._player = player
        self._report = report
        player.wake = self.wake
        self._thread.start()

    def close(self) -> None:
        """Stop and release the output."""
        self._closed.set()
        self.wake()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)

    @abstractmethod
    def wake(self) -> None:
        """Hear that there is sound to pull."""

    @abstractmethod
    def _play(self) -> None:
        """Open the output, call ``_ready``, and draw until closed.

        Raises:
            SinkError, OSError: the output is gone.
        """

    def _ready(self) -> None:
        self._report(SinkBack())

    def _keep(self) -> None:
        delay_s = RETRY_MIN_S
        while not self._closed.is_set():
            begun = time.monotonic()
            try:
                self._play()
            except (SinkError, OSError) as error:
                logger.error("sink %s: %s", self.name, error, extra=fields(code="audio_device_lost"))
                self._report(SinkLost(f"{self.name}: {error}"))
            except Exception as error:
                logger.exception("sink %s", self.name)
                self._report(SinkLost(f"{self.name}: {error!r}"))
            delay_s = RETRY_MIN_S if time.monotonic() - begun > RETRY_MAX_S else min(2 * delay_s, RETRY_MAX_S)
            self._closed.wait(delay_s)


class PacedSink(Sink):
    """A sink without hardware: blocks are due at the times at which a sound card would take them.

    Args:
        block_ms: length of a block.
    """

    def __init__(self, block_ms: int) -> None:
        super().__init__()
        self._block_ms = block_ms
        self._sound = threading.Event()

    def wake(self) -> None:
        """Pull at once, if resting."""
        self._sound.set()

    def _start(self) -> None:
        """Open the output."""

    def _resume(self, t_ns: int) -> None:
        """Hear that sound begins again at this time, after a rest."""

    def _rest(self) -> None:
        """Hear that there is no more sound for now."""

    def _deliver(self, block: Pcm16) -> None:
        """Take a block."""

    def _finish(self) -> None:
        """Close the output."""

    def _play(self) -> None:
        self._start()
        self._ready()
        try:
            while not self._closed.is_set():
                self._sound.wait()
                self._sound.clear()
                self._draw()
        finally:
            self._finish()

    def _draw(self) -> None:
        """Pull and deliver blocks at their times until there is no more sound."""
        block = np.zeros(self._block_ms * self.player.sample_rate // 1000, dtype=np.int16)
        due_ns = time.monotonic_ns()
        resumed = False
        while self.player.pull(block, due_ns, 0.0) and not self._closed.is_set():
            if not resumed:
                resumed = True
                self._resume(due_ns)
            self._deliver(block)
            due_ns += self._block_ms * NS // 1000
            ahead_s = (due_ns - time.monotonic_ns()) / NS
            if ahead_s > 0:
                self._closed.wait(ahead_s)
            elif ahead_s < -LATE_LIMIT_S:
                due_ns = time.monotonic_ns()
        if resumed:
            self._rest()


class NullSink(PacedSink):
    """Swallows sound at the pace of a sound card."""

    name = "null"
