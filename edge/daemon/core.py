"""The daemon's one deciding thread: takes messages from the inbox, decides, and never computes or waits.

Locks, in the order in which they may be taken: the player's, then the inbox's. The engine's is never held
together with either. paho's own locks are taken by publishing, with none of ours held; its callbacks take
only the inbox's. Everything that the core knows (lines, queue, cache, timers) is touched by this thread
alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..config import EdgeConfig
from ..engine.base import Engine, EngineDown, EngineUp, LineChunk, LineDone, LineError, LineReady, VoiceInfo
from ..errors import EdgeError
from ..messages import Accepted, Cancelled, Event, Expired, Topics
from ..playback.files import FileWriter, FileWritten
from ..playback.player import LineBegan, LineEnded, LineMark, LineSilenced, Player
from ..playback.sink import SinkBack, SinkLost
from ..protocols.link import Delivered, Inbound, LinkDown, LinkReplaced, LinkUp, StopSignal
from ..protocols.mqtt import Connection
from .active import Stage
from .admission import Admission
from .cache import LineCache
from .health import Loopback
from .inbox import Inbox
from .journal.base import Journal
from .line import CutBy, Line, Phase
from .operations import Operations
from .prepare import ID_PREFIX, Preparations, PrepareTick
from .publisher import Announcer, TerminalDurable
from .recovery import recover
from .requests import Committed, Reception
from .scheduler import Lane, Scheduler, Ticket, cuts_off
from .status import Lamps, LampTick, StatusTick
from .timers import CutWatch, EndHeard, EngineWatch, MarkHeard, SilenceHeard, Timers

logger = logging.getLogger(__name__)

LAMP_LATENESS_S = 0.02  # by which lamps may lag while messages pour in
SHUTDOWN_LIMIT_S = 2.0  # for fading, files and the broker's last confirmations
LANES: tuple[Lane, ...] = ("play", "render")


@dataclass(frozen=True)
class Shutdown:
    """End in order."""


@dataclass(frozen=True)
class ShutdownLimit:
    """End now."""


@dataclass(frozen=True)
class _StopMark:
    received: float
    silenced: list[str]


@dataclass(frozen=True)
class Parts:
    """What the core works with; the service builds and starts it."""

    config: EdgeConfig
    boot_id: str
    topics: Topics
    inbox: Inbox
    connection: Connection
    journal: Journal
    engine: Engine
    player: Player
    files: FileWriter


class Core:
    """Decides everything."""

    def __init__(self, parts: Parts) -> None:
        config = parts.config
        self.config = config
        self.inbox = parts.inbox
        self.connection = parts.connection
        self.journal = parts.journal
        self.engine = parts.engine
        self.topics = parts.topics
        self.timers = Timers()
        self.cache = LineCache(config.cache.max_mb * 2**20)
        self.announcer = Announcer(
            parts.topics, parts.connection, parts.journal, parts.boot_id, parts.inbox.put
        )
        self.stage = Stage(
            engine=parts.engine,
            player=parts.player,
            cache=self.cache,
            announcer=self.announcer,
            timers=self.timers,
            files=parts.files,
            max_audio_bytes=lambda: parts.connection.max_payload_bytes,
            engine_timeout_s=config.engine_timeout_s,
            ended=self._ended,
            engine_hung=self._engine_hung,
        )
        self.preparations = Preparations(parts.engine, self.cache, self.announcer)
        self.scheduler = Scheduler(config.queue.max_lines)
        self.lines: dict[str, Line] = {}
        """Every line that has been admitted and not ended."""
        self.loopback = Loopback(parts.boot_id)
        self.lamps = Lamps(self, parts.boot_id)
        self.operations = Operations(self)
        self.voice: VoiceInfo | None = None
        self.admission: Admission | None = None
        self.refused_subscriptions: tuple[str, ...] = ()
        self.error: EdgeError | None = None
        """Why the daemon cannot go on."""
        self.reception = Reception(self)
        self._stopped: dict[str, _StopMark] = {}
        self._lamps_due = 0.0
        self._link_fault = ""
        self.stopping = False
        self._done = False
        self._handlers = self._make_handlers()

    def run(self) -> None:
        """Work until shut down, or until something makes that pointless (`error` says what)."""
        self.lamps.start()
        while not self._done:
            message = self.timers.due(time.monotonic())
            if message is None:
                message = self.inbox.get(self._next_change(), with_intake=self.admission is not None)
            try:
                if message is not None:
                    self._handlers[type(message)](message)
                self._turn()
            except Exception as error:
                logger.exception("core, on %s", type(message).__name__)
                self._contain(getattr(message, "line_id", ""), error)

    def cancel(self, line: Line, by: CutBy) -> None:
        """Take a line out of the queue, or cut it."""
        self.scheduler.remove(line.request_id)
        if line.phase is Phase.COMMITTING:
            line.cut_by = line.cut_by or by
        elif line.phase is Phase.QUEUED:
            self._end_waiting(line, Cancelled, by=by, played_ms=0.0)
        else:
            self.stage.cut(line, by)

    def stop(self, character: str | None, received: float, silenced: list[str]) -> None:
        """Silence a character, or everyone, and clear the queue of what arrived before.

        Args:
            character: whom; `None` is everyone.
            received: when the stop arrived. What arrived before and is looked at later is silenced then.
            silenced: ids of the lines concerned are added to it, now and later.
        """
        if character is not None and not (self.admission and self.admission.knows(character)):
            return
        self._stopped[character or ""] = _StopMark(received, silenced)
        for line in list(self.lines.values()):
            if line.received <= received and character in (None, line.character):
                if line.request_id not in silenced:
                    silenced.append(line.request_id)
                self.cancel(line, "stop")

    def _make_handlers(self) -> dict[type, Callable[[Any], None]]:
        stage = self.stage
        return {
            Inbound: self.reception.on_inbound,
            StopSignal: self.reception.on_stop_signal,
            Committed: self._on_committed,
            TerminalDurable: self.announcer.tell,
            Delivered: lambda message: self.announcer.delivered(message.mid),
            EngineUp: self._on_engine_up,
            EngineDown: self._on_engine_down,
            LineReady: stage.on_ready,
            LineChunk: self._on_chunk,
            LineDone: self._on_done,
            LineError: self._on_error,
            LineBegan: stage.on_began,
            LineMark: stage.on_mark,
            LineEnded: stage.on_ended,
            LineSilenced: stage.on_silenced,
            FileWritten: stage.on_file,
            SinkLost: lambda message: stage.lose_sink(message.message),
            SinkBack: self._on_sink_back,
            MarkHeard: stage.on_mark_heard,
            EndHeard: stage.on_end_heard,
            SilenceHeard: stage.on_silence_heard,
            EngineWatch: stage.on_engine_watch,
            CutWatch: stage.on_cut_watch,
            LinkUp: self._on_link_up,
            LinkDown: self._on_link_down,
            LinkReplaced: lambda _: self.announcer.unacknowledged.clear(),
            PrepareTick: lambda _: None,  # the turn that follows takes the step
            LampTick: lambda _: self.lamps.tick(),
            StatusTick: lambda _: self.lamps.status_tick(),
            Shutdown: self._on_shutdown,
            ShutdownLimit: self._on_shutdown_limit,
        }

    def _next_change(self) -> float | None:
        times = [self.timers.next_time()]
        if len(self.scheduler):
            times.append(self.scheduler.next_change(time.monotonic()))
        return min((when for when in times if when is not None), default=None)

    def _turn(self) -> None:
        """After every message: start what may start, then report; lamps follow when there is time."""
        if len(self.scheduler):
            self._dispatch()
        if self.admission is not None and not self.stopping:
            goes_on = self.preparations.step(self.admission)
            if goes_on and self.inbox.is_empty():
                self.inbox.put(PrepareTick())
        if self.inbox.is_empty() or time.monotonic() > self._lamps_due:
            self._lamps_due = time.monotonic() + LAMP_LATENESS_S
            self.lamps.update()
        self.announcer.flush()
        if self.stopping:
            self._done = not self.lines and self.lamps.farewell_delivered()

    def _dispatch(self) -> None:
        now = time.monotonic()
        polled = self.scheduler.poll(now)
        for ticket in polled.expired:
            late_ms = round((now - (ticket.deadline or now)) * 1000, 1)
            self._end_waiting(self.lines[ticket.line_id], Expired, late_ms=late_ms)
        for ticket in polled.interrupting:
            self._interrupt(ticket)
        for lane in LANES:
            while self.stage.free(lane) and (taken := self.scheduler.take(lane, now)) is not None:
                self._start(self.lines[taken.line_id], lane)

    def _start(self, line: Line, lane: Lane) -> None:
        try:
            self.stage.start(line, lane)
        except Exception as error:
            logger.exception("starting line %s", line.request_id)
            self._contain(line.request_id, error)

    def _contain(self, line_id: str, error: Exception) -> None:
        """After a fault of the daemon's own: the line concerned ends, everything else goes on."""
        self.stage.tally.last_error = f"internal: {error!r}"[:300]
        line = self.lines.get(line_id)
        if line is not None:
            self.scheduler.remove(line_id)
            self.stage.fail(line, "internal", self.stage.tally.last_error, "daemon")

    def _interrupt(self, ticket: Ticket) -> None:
        for other in self.scheduler.waiting():
            if cuts_off(ticket, other.character, other.priority, other.order, active=False):
                self.cancel(self.lines[other.line_id], "interrupt")
        for line in self.stage.lines:
            if cuts_off(ticket, line.character, line.request.priority, line.order, active=True):
                self.cancel(line, "interrupt")

    def _on_committed(self, message: Committed) -> None:
        line = self.lines[message.line_id]
        ticket = self.scheduler.release(line.request_id)
        line.phase = Phase.QUEUED
        position = 0 if ticket is None else self.scheduler.position(line.request_id)
        cached = line.request.cache != "bypass" and line.key in self.cache
        self.announcer.event(
            line, Accepted, position=position, cached=cached, warnings=line.command.warnings or None
        )
        self.announcer.answer(line.command, position=position, cached=cached)
        self.connection.acknowledge(line.command.inbound)
        marks = (self._stopped.get(scope) for scope in ("", line.character))
        stopped = next((mark for mark in marks if mark and line.received <= mark.received), None)
        if line.cut_by is not None:
            self._end_waiting(line, Cancelled, by=line.cut_by, played_ms=0.0)
        elif stopped is not None:
            stopped.silenced.append(line.request_id)
            self.cancel(line, "stop")
        elif self.stopping:
            self.cancel(line, "shutdown")

    def _on_chunk(self, message: LineChunk) -> None:
        (self.preparations if message.line_id.startswith(ID_PREFIX) else self.stage).on_chunk(message)

    def _on_done(self, message: LineDone) -> None:
        (self.preparations if message.line_id.startswith(ID_PREFIX) else self.stage).on_done(message)

    def _on_error(self, message: LineError) -> None:
        (self.preparations if message.line_id.startswith(ID_PREFIX) else self.stage).on_error(message)

    def _on_engine_up(self, message: EngineUp) -> None:
        is_first = self.voice is None
        self.voice = message.voice
        self.cache.clear()  # a lexicon that changed does not show in the keys
        self.admission = Admission(message.voice, self.cache)
        if is_first:
            recover(self)
        logger.info("voice %s, %s %s", message.voice.bundle, message.voice.runner, message.voice.precision)
        self.operations.reloaded(None)

    def _on_engine_down(self, message: EngineDown) -> None:
        self.stage.tally.last_error = f"{message.error.code}: {message.error}"
        if self.voice is None:
            self._give_up(message.error)
        else:
            self.operations.reloaded(message.error)

    def _engine_hung(self) -> None:
        if not self.engine.restart():
            message = "the synthesiser hangs; only a new process helps"
            self._give_up(EdgeError(message, code="runner_timeout"))

    def _give_up(self, error: EdgeError) -> None:
        self.error = error
        self._on_shutdown(Shutdown())

    def _on_sink_back(self, _message: SinkBack) -> None:
        self.stage.sink_lost = ""

    def _on_link_up(self, message: LinkUp) -> None:
        logger.info("mqtt: connected, protocol %s", self.connection.protocol)
        self._link_fault = ""
        self.refused_subscriptions = message.refused
        if message.refused:
            self.stage.tally.last_error = f"the broker does not let us read {', '.join(message.refused)}"
            logger.error("mqtt: %s; check its access rules", self.stage.tally.last_error)
        self.announcer.repeat_retained()
        self.lamps.send_health()

    def _on_link_down(self, message: LinkDown) -> None:
        """Say it once, not with every attempt."""
        level = logging.DEBUG if message.reason == self._link_fault else logging.WARNING
        self._link_fault = message.reason
        logger.log(level, "mqtt: %s", message.reason)

    def _on_shutdown(self, _message: Shutdown) -> None:
        if self.stopping:
            return
        self.stopping = True
        for line in list(self.lines.values()):
            self.cancel(line, "shutdown")
        self.preparations.clear()
        self.timers.at(time.monotonic() + SHUTDOWN_LIMIT_S, ShutdownLimit())

    def _on_shutdown_limit(self, _message: ShutdownLimit) -> None:
        logger.warning("shutdown: %d lines not ended, broker not answering", len(self.lines))
        self._done = True

    def _end_waiting(self, line: Line, model: type[Event], **keys: Any) -> None:
        """End a line that never came on stage."""
        line.phase = Phase.ENDED
        self.stage.tally.lines[model.model_fields["event"].default] += 1
        self.announcer.event(line, model, **keys)
        self._ended(line)

    def _ended(self, line: Line) -> None:
        self.lines.pop(line.request_id, None)
