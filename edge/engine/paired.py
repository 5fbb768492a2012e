"""Two engines that share the lines: one that speaks, and one beside it for lines that nobody hears."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..errors import EdgeError
from .base import EngineMessage, VoiceInfo
from .child_process import ChildProcess
from .launch import MODULE
from .outstanding import Outstanding
from .process import HANG_S, ProcessEngine

NICENESS = 5  # the one that speaks gets three times as much of a processor that both want
PATIENCE = 4  # so many times longer without a sign of life: it waits for the other, and nobody hears it
IDLE_S = 60.0


@dataclass(frozen=True)
class LinesBack:
    """Lines that the second engine cannot go on with for now; the first one can."""

    lines: tuple[Outstanding, ...]


@dataclass(frozen=True)
class Idle:
    """The second engine has had no line for a while, or has none left and was to finish."""


SecondMessage = EngineMessage | LinesBack | Idle


class FirstEngine(ProcessEngine):
    """The engine that speaks. It can go on with lines of the second."""

    crowded = False
    """Whether the second one needs a processor that its child's other threads would have."""

    def take_over(self, line: Outstanding) -> bool:
        """Go on where a line has got to; False if that was with another voice.

        Args:
            line: no other engine has it any more.
        """
        with self._lock:
            child = self._current
            voice = "" if child is None or child.voice is None else child.voice.identity
            if line.delivered.n_chunks and voice not in ("", line.voice):
                return False
            line.serial = next(self._serials)
            self._lines[line.line_id] = line
            begun = self._begin(child, line)
        if not begun:
            self._children.ring()
        return True

    def _begin(self, child: ChildProcess | None, line: Outstanding) -> bool:
        if child is not None:
            child.memory.crowded = self.crowded
        return super()._begin(child, line)


class SecondEngine(ProcessEngine):
    """The engine for lines that nobody hears: less urgent, begun when it is needed, and then let go.

    A line with which its child is lost is tried again here, so that it cannot bring down the one that speaks.

    Args:
        settings: as for ``ProcessEngine``.
        tell: takes this engine and its messages, on the supervisor's thread.
        module: runs in the child.
        hang_s: as for the engine that speaks.
        idle_s: time without a line after which it is ``Idle``.
    """

    def __init__(
        self,
        settings: dict[str, Any],
        tell: Callable[[SecondEngine, SecondMessage], None],
        *,
        module: str = MODULE,
        hang_s: float = HANG_S,
        idle_s: float = IDLE_S,
    ) -> None:
        self._tell: Callable[[SecondMessage], None] = partial(tell, self)
        super().__init__(
            settings, self._tell, module=module, spare=False, hang_s=PATIENCE * hang_s, niceness=NICENESS
        )
        self._idle_s = idle_s
        self._busy_at = time.monotonic()
        self._finishing = False
        self.voice: VoiceInfo | None = None
        """What it has told that it speaks with; whoever it tells keeps that here."""
        self.away = False
        """Whether its child has been lost and another is not there yet; likewise."""

    @property
    def is_open(self) -> bool:
        """Return whether it has anything left to give back."""
        return self._thread.is_alive()

    def finish(self) -> None:
        """Tell of being ``Idle`` as soon as the lines in hand are done."""
        self._finishing = True
        self._children.ring()

    def leave(self) -> None:
        """Give everything up, but do not wait for it; ``close`` does."""
        self._closed = True
        self._children.ring()

    # The supervisor's thread from here on.

    def _look_after(self, now: float, elapsed: float) -> None:
        super()._look_after(now, elapsed)
        if self._lines or self._coming is not None:
            self._busy_at = now
        if not self._lines and (self._finishing or now - self._busy_at > self._idle_s):
            self._busy_at = now
            self._tell(Idle())

    def _on_up(self, child: ChildProcess, voice: VoiceInfo) -> None:
        self._busy_at = time.monotonic()
        super()._on_up(child, voice)

    def _load_again(self) -> None:
        if not self._closed:
            super()._load_again()

    def _lose(self, child: ChildProcess) -> None:
        super()._lose(child)
        self._give_back(lambda line: not line.failures)

    def _not_started(self, error: EdgeError) -> None:
        self._give_back(lambda _: True)
        super()._not_started(error)

    def _give_back(self, which: Callable[[Outstanding], bool]) -> None:
        with self._lock:
            lines = tuple(line for line in self._lines.values() if which(line))
            for line in lines:
                del self._lines[line.line_id]
        if lines:
            self._tell(LinesBack(lines))
