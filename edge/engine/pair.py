"""Two children: one speaks, the other takes lines that nobody hears while many of them are under way.

Two threads of one process hold each other up by Python's lock; two processes do not. The second child is
there only while it is of use, never speaks with another voice than the first, and may fail: its lines go on
in the first, and nobody notices.

The lock guards what the core's thread and both supervisors touch. It is held while messages are passed on,
so that a line is told of by one engine at a time, and in order with the voice. It comes before those of the
engines and of whoever takes the messages.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..synthesizer import SpeechRequest
from .base import (
    RENDER,
    EngineAlert,
    EngineDown,
    EngineLevels,
    EngineMessage,
    EngineUp,
    LineDone,
    LineError,
    VoiceInfo,
)
from .launch import MODULE, Launched
from .paired import IDLE_S, FirstEngine, Idle, LinesBack, SecondEngine, SecondMessage
from .process import HANG_S, TORN, ProcessEngine

logger = logging.getLogger(__name__)

MANY = 2  # lines that nobody hears, for which a second child is worth its start
MANY_FOR_S = 0.5  # as long: what is done sooner does not need it
GAP_S = 1.0  # between lines, which does not count as an end
RETRY_S = 30.0  # after a second child that was of no use
THREADS = 1  # of the second child


def _processors() -> int:
    return len(os.sched_getaffinity(0))


@dataclass
class _Way:
    """A line under way."""

    engine: ProcessEngine
    request: SpeechRequest
    urgency: int
    is_told_of: bool = False
    """Whether anything about it has been passed on."""


class PairEngine:
    """A synthesiser in one child process, and at times in two; ``Engine`` says what its methods do.

    Args:
        settings: for the loader in the first child; in the second, ``threads`` is another.
        emit: takes the messages, on the thread of either supervisor; calls nothing here.
        module: runs in the children.
        first: a child of that module that has been launched already.
        spare: keep a child in reserve for the first.
        hang_s: silence that means that the first child hangs.
        idle_s: time without a line after which the second child is let go.
        many_for_s: time for which many lines have to be under way until there is a second child.
    """

    def __init__(
        self,
        settings: dict[str, Any],
        emit: Callable[[EngineMessage], None],
        *,
        module: str = MODULE,
        first: Launched | None = None,
        spare: bool = True,
        hang_s: float = HANG_S,
        idle_s: float = IDLE_S,
        many_for_s: float = MANY_FOR_S,
    ) -> None:
        self._settings = {**settings, "threads": THREADS}
        self._options: dict[str, Any] = {"module": module, "hang_s": hang_s, "idle_s": idle_s}
        self._emit = emit
        self._many_for_s = many_for_s
        self._first = FirstEngine(
            settings, self._hear_first, module=module, first=first, spare=spare, hang_s=hang_s
        )
        self._lock = threading.Lock()
        self._ways: dict[str, _Way] = {}  # by id of the line
        self._voice: VoiceInfo | None = None
        self._second: SecondEngine | None = None
        self._leaving: list[SecondEngine] = []
        self._given_up: tuple[str, ProcessEngine] = ("", self._first)
        self._many_since = self._many_at = self._not_before = 0.0
        self._closed = False

    @property
    def pids(self) -> tuple[int, ...]:
        """Return the numbers of the processes that speak at present, that of the first in front."""
        with self._lock:
            return tuple(pid for engine in self._engines() for pid in engine.pids)

    def open(self) -> None:
        """Begin to load."""
        self._first.open()

    def start(self, line_id: str, request: SpeechRequest, urgency: int) -> None:
        """Begin a line where it belongs."""
        with self._lock:
            engine = self._first if urgency < RENDER else self._share()
            self._ways[line_id] = _Way(engine, request, urgency)
            engine.start(line_id, request, urgency)
            self._weigh()

    def cancel(self, line_id: str) -> None:
        """Give a line up."""
        with self._lock:
            way = self._ways.pop(line_id, None)
            if way is not None:
                self._given_up = (line_id, way.engine)
                way.engine.cancel(line_id)

    def reload(self) -> None:
        """Load the bundle again; the second child is kept if its voice turns out to be the same."""
        self._first.reload()

    def unload(self) -> None:
        """Kill every child that has a voice."""
        with self._lock:
            self._voice = None
            self._ways.clear()
            self._drop()
            for second in self._leaving:
                second.leave()  # first: it is not to load the voice for anybody who waits for an answer
            for engine in self._engines():
                engine.unload()

    def moves(self) -> bool:
        """Tell whether every supervisor has gone round since the last call."""
        with self._lock:
            engines = [self._first] if self._second is None else [self._first, self._second]
            return sum(engine.moves() for engine in engines) == len(engines)  # each is asked

    def restart(self, line_id: str = "") -> bool:
        """Replace the child that had the line."""
        with self._lock:
            given_up, engine = self._given_up
            return (engine if given_up == line_id else self._first).restart()

    def close(self) -> None:
        """End the children and their supervisors."""
        with self._lock:
            self._closed = True
            self._drop()
            engines = self._engines()
            for second in self._leaving:
                second.leave()
        for engine in engines:
            engine.close()

    # With the lock held from here on.

    def _engines(self) -> list[ProcessEngine]:
        self._leaving = [second for second in self._leaving if second.is_open]
        return [self._first, *([] if self._second is None else [self._second]), *self._leaving]

    def _share(self) -> ProcessEngine:
        """Choose the engine for a line that nobody hears: the second where it can, and has less to do."""
        second = self._second
        if second is not None and (second.away or not self._is_alike(second)):
            second = None
        self._first.crowded = second is not None and _processors() - THREADS <= 1
        engines = [way.engine for way in self._ways.values()]
        if second is None or engines.count(second) >= engines.count(self._first):
            return self._first
        return second

    def _is_alike(self, second: SecondEngine) -> bool:
        """Tell whether both speak with one voice.

        The show's lexicon is left out: either reads it again when it has changed, and each line tells with
        which it was read.
        """
        if second.voice is None or self._voice is None:
            return False
        return replace(second.voice, lexicon="").speaks_like(replace(self._voice, lexicon=""))

    def _weigh(self) -> None:
        """Begin a second child once many lines that nobody hears have been under way for a while."""
        if self._second is not None or sum(way.urgency >= RENDER for way in self._ways.values()) < MANY:
            return
        now = time.monotonic()
        if now - self._many_at > GAP_S:
            self._many_since = now
        self._many_at = now
        is_due = now - self._many_since >= self._many_for_s and now >= self._not_before
        if is_due and self._voice is not None and not self._closed:
            self._begin_second()

    def _begin_second(self) -> None:
        second = None
        try:
            second = SecondEngine(self._settings, self._hear_second, **self._options)
            second.open()
        except (OSError, RuntimeError) as error:  # no descriptors, no threads
            logger.warning("no second synthesiser: %s", error)
            self._not_before = time.monotonic() + RETRY_S
            if second is not None:
                second.close()
        else:
            self._second = second

    def _drop(self) -> None:
        """Let the second child go with all that it has."""
        if self._second is not None:
            self._second.leave()
            self._leaving.append(self._second)
            self._second = None

    def _part(self) -> None:
        """Have the second child finish what has been told of; the rest is for the first one's voice."""
        second, self._second = self._second, None
        if second is None:
            return
        for line_id, way in self._ways.items():
            if way.engine is second and not way.is_told_of:
                second.cancel(line_id)
                way.engine = self._first
                self._first.start(line_id, way.request, way.urgency)
        second.finish()
        self._leaving.append(second)

    def _pass_on(self, engine: ProcessEngine, message: Any) -> None:
        """Pass on what an engine tells of a line that it has."""
        way = self._ways.get(message.line_id)
        if way is None or way.engine is not engine:
            return
        way.is_told_of = True
        if isinstance(message, LineDone | LineError):
            del self._ways[message.line_id]
        self._emit(message)

    def _go_on(self, second: SecondEngine, lines: LinesBack) -> None:
        """Have the first engine go on with lines of the second."""
        for line in lines.lines:
            way = self._ways.get(line.line_id)
            if way is None or way.engine is not second:
                continue
            if self._first.take_over(line):
                way.engine = self._first
            else:
                del self._ways[line.line_id]
                self._emit(LineError(line.line_id, "runner_error", TORN, "synthesis"))

    # Threads of the supervisors.

    def _hear_first(self, message: EngineMessage) -> None:
        with self._lock:
            if isinstance(message, EngineUp):
                self._voice = message.voice
                self._emit(message)
                if self._second is not None and self._second.voice and not self._is_alike(self._second):
                    self._part()
            elif isinstance(message, EngineDown | EngineAlert | EngineLevels):
                self._emit(message)
            else:
                self._weigh()
                self._pass_on(self._first, message)

    def _hear_second(self, second: SecondEngine, message: SecondMessage) -> None:
        with self._lock:
            if isinstance(message, EngineUp):
                second.voice, second.away = message.voice, False
                if second is self._second and not self._is_alike(second):
                    logger.info("the second synthesiser has loaded another voice than the first speaks with")
                    self._not_before = time.monotonic() + RETRY_S
                    self._part()
            elif isinstance(message, EngineDown):
                logger.warning("no second synthesiser: %s", message.error)
                self._not_before = time.monotonic() + RETRY_S
                self._rest(second)
            elif isinstance(message, EngineAlert):
                second.away = message.away
            elif isinstance(message, LinesBack):
                self._go_on(second, message)
            elif isinstance(message, Idle):
                self._rest(second)
            elif isinstance(message, EngineLevels):
                self._emit(message)
            else:
                self._pass_on(second, message)

    def _rest(self, second: SecondEngine) -> None:
        """Let a second child go that has nothing to do."""
        if any(way.engine is second for way in self._ways.values()):
            return
        if second is self._second:
            self._drop()
        else:
            second.leave()
