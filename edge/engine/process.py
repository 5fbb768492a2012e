"""Synthesiser in a child process, and the supervisor that replaces it when it crashes, hangs or raves.

A line is tried again once, in a new child, from where its sound had got to. One thread supervises: it starts
children, reads what they send, and is the only one that emits. ``start`` and ``cancel`` write to the child on
the caller's thread, which spares the first sound a change of threads. The lock guards what both touch and is
never held while something is emitted.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from ..errors import EdgeError, RunnerError
from ..logs import fields
from ..synthesizer import SpeechRequest
from .base import (
    EngineAlert,
    EngineDown,
    EngineLevels,
    EngineMessage,
    EngineUp,
    LineDone,
    LineError,
    VoiceInfo,
)
from .child_process import ChildProcess
from .children import Children
from .launch import MODULE, Launched
from .outstanding import RETRIES, Outstanding
from .restarts import Restarts
from .thread import is_runner_fault
from .wire import Packet, error_of, levels_of, line_message, voice_of

logger = logging.getLogger(__name__)

HANG_S = 0.8  # without a sign of life; with a start of some 0.9 s a hang costs less than 2 s
TICK_S = 0.1
TORN = "the synthesiser was replaced by one with another voice in the middle of the line"


class ProcessEngine:
    """A synthesiser in a child process; ``Engine`` says what its methods do.

    Args:
        settings: for the loader in the child.
        emit: takes the messages, on the supervisor's thread.
        fallback: settings to go on with where those fail after a crash: the processor, when a GPU is lost.
        module: runs in the child; its ``main`` calls ``edge.engine.child.run``.
        first: a child of that module that has been launched already.
        spare: keep another in reserve, which has imported its libraries: a loss costs half the time.
        hang_s: silence that means that a child hangs; reading a text may take a millisecond a character more.
        niceness: by how much the children give way to the daemon.
    """

    def __init__(
        self,
        settings: dict[str, Any],
        emit: Callable[[EngineMessage], None],
        *,
        fallback: dict[str, Any] | None = None,
        module: str = MODULE,
        first: Launched | None = None,
        spare: bool = True,
        hang_s: float = HANG_S,
        niceness: int = 0,
    ) -> None:
        self._settings = settings
        self._emit = emit
        self._fallback = fallback
        self._hang_s = hang_s
        self._serials = itertools.count(1)
        self._children = Children(module, first, keeps_spare=spare, niceness=niceness)
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._lock = threading.Lock()
        self._lines: dict[str, Outstanding] = {}  # by id, in order of arrival
        self._current: ChildProcess | None = None
        self._reload = self._unload = self._closed = False
        self._n_turns, self._turns_seen = 0, -1
        # What follows is the supervisor's alone.
        self._coming: ChildProcess | None = None
        self._retiring: list[ChildProcess] = []
        self._voice: VoiceInfo | None = None
        self._answer_due = True
        self._falls_back = False
        self._alerted = EngineAlert("")
        self._restarts = Restarts()

    @property
    def pid(self) -> int | None:
        """Return the number of the process that speaks at present."""
        with self._lock:
            return None if self._current is None else self._current.pid

    @property
    def pids(self) -> tuple[int, ...]:
        """Return that number, and those of processes which finish lines of the voice before."""
        with self._lock:
            return tuple(child.pid for child in self._speaking())

    def open(self) -> None:
        """Begin to load."""
        self._thread.start()

    def start(self, line_id: str, request: SpeechRequest, urgency: int) -> None:
        """Begin a line, now or as soon as there is a child."""
        line = Outstanding(next(self._serials), line_id, request, urgency)
        with self._lock:
            self._lines[line_id] = line
            begun = self._begin(self._current, line)
        if not begun:
            self._children.ring()

    def cancel(self, line_id: str) -> None:
        """Give a line up."""
        with self._lock:
            line = self._lines.pop(line_id, None)
            if line is None:
                return
            for child in self._speaking():
                if child.lines.pop(line.serial, None) is not None:
                    child.send(["cancel", line.serial])

    def reload(self) -> None:
        """Load the bundle again in a new child, while the old one goes on."""
        with self._lock:
            self._reload = True
        self._children.ring()

    def unload(self) -> None:
        """Kill every child that has a voice."""
        with self._lock:
            self._unload = True
            self._lines.clear()
            if self._current is not None:
                self._current.fault = self._current.fault or "is let go"
        self._children.ring()

    def moves(self) -> bool:
        """Tell whether the supervisor has gone round since the last call, and have it go round."""
        before, self._turns_seen = self._turns_seen, self._n_turns
        self._children.ring()
        return self._turns_seen != before

    def restart(self, line_id: str = "") -> bool:
        """Replace the child."""
        with self._lock:
            if self._current is not None:
                self._current.fault = self._current.fault or "hangs"
        self._children.ring()
        return True

    def close(self) -> None:
        """End the children and the supervisor."""
        self._closed = True
        if self._thread.ident is None:  # never opened
            self._children.close()
            return
        self._children.ring()
        self._thread.join(timeout=5.0)

    def _speaking(self) -> list[ChildProcess]:
        return [child for child in (self._current, *self._retiring) if child is not None]

    def _begin(self, child: ChildProcess | None, line: Outstanding) -> bool:
        """Hand a line to a child; the caller holds the lock."""
        if child is None or child.fault or child.voice is None:
            return False
        line.begin(child.voice.identity)
        return child.begin(line)

    # The supervisor's thread from here on.

    def _run(self) -> None:
        self._start_child()
        before = time.monotonic()
        while not self._closed:
            wait_s = self._wait_s(before)
            for child in self._children.wait(wait_s):
                self._hear(child)
            now = time.monotonic()
            # While this process was kept from running as well, silence of a child tells nothing.
            self._look_after(now, min(now - before, wait_s + TICK_S))
            before = now
            self._n_turns += 1
        for child in (*self._speaking(), *([self._coming] if self._coming else [])):
            self._children.discard(child, kill=self._unload or bool(child.fault))
        self._children.close()

    def _wait_s(self, now: float) -> float:
        children = self._speaking()
        if self._children.leaving or any(child.watched for child in children):
            return TICK_S
        times = [child.ask_at for child in children]
        times += [when or now + 1.0 for when in (self._restarts.at, self._children.spare_at)]
        return max(min(times) - now, 0.0)

    def _hear(self, child: ChildProcess) -> None:
        try:
            for packet in child.receive():
                self._obey(child, packet)
                if child.fault:
                    return
        except EOFError:
            child.fault = child.fault or child.last_words()
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            logger.exception("synthesiser process %d", child.pid)
            child.fault = f"sent nonsense: {error!r}"[:200]

    def _obey(self, child: ChildProcess, packet: Packet) -> None:
        kind = packet[0]
        if kind == "up":
            self._on_up(child, voice_of(packet))
        elif kind == "down":
            self._on_down(child, error_of(packet))
        elif kind == "levels":
            self._emit(levels_of(packet))
        elif kind != "pong":
            line = child.take(packet)
            if line is not None and kind != "sound":
                self._on_line(child, line, packet)

    def _on_line(self, child: ChildProcess, line: Outstanding, packet: Packet) -> None:
        """Pass on what a line gives; a fault of the runner costs the child, and the line one try."""
        message = line_message(packet, line)
        if is_runner_fault(message) and line.failures < RETRIES:
            child.guilty = line.serial  # not the one that the child has gone on to since
            child.fault = f"failed: {packet[3]}"
            return
        fresh = line.delivered.fresh(message)
        with self._lock:
            if self._lines.get(line.line_id) is not line:
                return
            if isinstance(message, LineDone | LineError):
                del self._lines[line.line_id]
                child.lines.pop(line.serial, None)
                child.useful = True
        if fresh is not None:
            self._emit(fresh)

    def _on_up(self, child: ChildProcess, voice: VoiceInfo) -> None:
        """Take a child into use; the one before it finishes what it has begun."""
        if child is not self._coming:
            raise ValueError("a child that has been up comes up")
        child.voice = voice
        changed = self._voice is None or not voice.speaks_like(self._voice)
        self._voice, self._coming = voice, None
        with self._lock:
            if self._current is not None:
                self._retiring.append(self._current)
            self._current = child
            for each in self._retiring if changed else ():
                each.put_back()
        if changed or self._answer_due:
            self._answer_due = False
            self._emit(EngineUp(voice))
        elif voice.levels:  # the one before it may have died with what it had measured untold
            self._emit(EngineLevels(voice.fingerprint, voice.levels))
        with self._lock:
            begun = {serial for each in self._speaking() for serial in each.lines}
            waiting = [line for line in self._lines.values() if line.serial not in begun]
        self._hand_over(waiting)
        self._alert(
            f"{self._alerted.fault}; speaking on the processor" if self._falls_back else "", away=False
        )
        self._children.plan_spare()

    def _on_down(self, child: ChildProcess, error: EdgeError) -> None:
        """Part with a child that could not load; one that speaks stays."""
        self._children.discard(child)
        self._coming = None
        if child.fault and child.from_reserve:  # lost, and by nothing that has to do with this voice
            self._start_child(falls_back=self._falls_back)
        else:
            self._not_started(error)

    def _not_started(self, error: EdgeError) -> None:
        if self._answer_due:
            self._answer_due = False
            self._emit(EngineDown(error))
        if self._current is not None or self._voice is None:
            return
        if self._fallback is not None and not self._falls_back:
            self._start_child(falls_back=True)
            return
        self._restarts.plan(was_useful=False)
        self._alert(fault := f"the synthesiser does not start: {error}")
        self._fail(list(self._lines.values()), "runner_error", fault)

    def _look_after(self, now: float, elapsed: float) -> None:
        """Do what is due: replace, ask, see out, start."""
        with self._lock:
            reload, self._reload = self._reload, False
            unload, self._unload = self._unload, False
        if unload:
            reload = self._let_go() or reload
        if reload:
            self._load_again()
        coming = self._coming
        if coming is not None:
            coming.look_after_loading(now, elapsed)
            if coming.fault:
                self._on_down(coming, RunnerError(f"the synthesiser process {coming.fault}"))
        for child in self._speaking():
            with self._lock:
                child.look_after(now, elapsed, self._hang_s)
            if child.fault:
                self._lose(child)
            elif child is not self._current and not child.lines:
                self._retiring.remove(child)
                self._children.discard(child, kill=False)
        self._children.look_after(now)
        if self._restarts.is_due(now):
            self._start_child()
        if self._current is None and self._coming is None and self._restarts.at is None:
            self._fail(list(self._lines.values()), "runner_error", "no voice is loaded")

    def _let_go(self) -> bool:
        """Part with all children; tell whether one was loading for somebody who waits for an answer."""
        with self._lock:
            children, self._current = self._speaking(), None
        asked = self._coming is not None and self._answer_due
        for child in (*children, *([self._coming] if self._coming else [])):
            self._children.discard(child)
        self._retiring.clear()
        self._coming = self._voice = None
        self._restarts.cancel()
        self._alert("", away=False)
        return asked

    def _load_again(self) -> None:
        if self._coming is not None:  # it may have read files from before they were changed
            self._children.discard(self._coming)
        self._answer_due = True
        self._restarts.begin_anew()
        self._start_child()

    def _start_child(self, *, falls_back: bool = False) -> None:
        self._restarts.cancel()
        self._coming, self._falls_back = None, falls_back
        settings = self._fallback if falls_back and self._fallback is not None else self._settings
        try:
            self._coming = self._children.start(settings)
        except OSError as error:
            self._not_started(RunnerError(f"no process for the synthesiser: {error}"))

    def _lose(self, child: ChildProcess) -> None:
        """Part with a child that crashed, hangs or raves; its lines are tried again where they may."""
        reason = f"the synthesiser process {child.fault}"
        code = "runner_timeout" if child.fault == "hangs" else "runner_error"
        logger.error("%s", reason, extra=fields(code=code, pid=child.pid))
        with self._lock:
            lines, child.lines = list(child.lines.values()), {}
            is_current = child is self._current
            if is_current:
                self._current = None
        guilty = child.memory.working if child.guilty is None else child.guilty
        hopeless = [line for line in lines if line.lost(guilty=line.serial == guilty)]
        self._children.discard(child)
        if is_current:
            self._alert(reason)
            if self._coming is None:
                self._restarts.plan(child.was_useful)
        else:
            self._retiring.remove(child)
        self._fail(hopeless, code, reason)
        self._hand_over(line for line in lines if line not in hopeless)

    def _hand_over(self, lines: Iterable[Outstanding]) -> None:
        """Give lines to the child that speaks now, if there is one and it can go on where they stand."""
        torn = []
        with self._lock:
            for line in lines:
                child = self._current
                if child is None or child.voice is None or self._lines.get(line.line_id) is not line:
                    continue
                if line.delivered.n_chunks and line.voice != child.voice.identity:
                    torn.append(line)
                else:
                    self._begin(child, line)
        self._fail(torn, "runner_error", TORN)

    def _fail(self, lines: Iterable[Outstanding], code: str, message: str) -> None:
        for line in lines:
            with self._lock:
                found = self._lines.get(line.line_id) is line
                if found:
                    del self._lines[line.line_id]
            if found:
                self._emit(LineError(line.line_id, code, message, "synthesis"))

    def _alert(self, fault: str, *, away: bool = True) -> None:
        alert = EngineAlert(fault, away)
        if alert != self._alerted:
            self._alerted = alert
            self._emit(alert)
