"""Core: the daemon's one deciding thread takes messages from the inbox, decides, and never computes or waits.

Locks, in the order in which they may be taken: the player's, then the inbox's. The engine's is never held
together with either. paho's own locks are taken by publishing, with none of ours held; its callbacks take
only the inbox's. Everything in ``State`` is touched by this thread alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..engine import base as engine
from ..errors import EdgeError
from ..garbage import tidy
from ..logs import fields
from ..messages import Accepted
from ..playback.files import FileWritten
from ..playback.player import LineBegan, LineEnded, LineMark, LineSilenced
from ..playback.sink import SinkBack, SinkLost
from ..protocols.commands import Command
from ..protocols.door import Probe
from ..protocols.link import Delivered, Inbound, LinkDown, LinkReplaced, LinkUp, StopSignal, Urgent
from . import checks, labels, prepare
from .active import ActiveLines
from .checks import TextChecks
from .dispatcher import Dispatcher
from .guests import Guests
from .head_start import HeadStart
from .journal.base import JournalAlert
from .labels import Labels
from .line import Phase
from .line_store import LineRead
from .operations import Operations
from .pace import Pace
from .prepare import Preparations, PrepareTick
from .publisher import TerminalDurable
from .recovery import recover
from .requests import Committed, NotCommitted, Requests
from .show_watch import ShowRead, ShowRefused
from .state import Parts, State
from .status import HealthTick, StatusTick, StatusTopics
from .stops import StopAnswer, StopRelease
from .supervision import Pulse, PulseDue, Supervision
from .timers import CutWatch, EndHeard, EngineWatch, MarkHeard, ReadWatch, SilenceHeard
from .trust import MUTING_CODES, ListTaken, TrustWarning, VoiceEnded

logger = logging.getLogger(__name__)

STATUS_LATENESS_S = 0.02  # by which retained topics may lag while messages pour in
FEW_LINES = 500  # waiting, so that looking for garbage among them takes a few milliseconds
SHUTDOWN_LIMIT_S = 2.0  # for fading, files and the broker's last confirmations


@dataclass(frozen=True)
class Shutdown:
    """End in order."""


@dataclass(frozen=True)
class ShutdownLimit:
    """End now."""


class Core:
    """The loop: one message, what follows from it, what starts next, what is reported."""

    def __init__(self, parts: Parts) -> None:
        self.state = State(parts, self._engine_hung)
        self._inbox = parts.inbox
        self._status = StatusTopics(self.state)
        self._operations = Operations(self.state, self._status)
        self._guests = Guests(self.state)
        self._requests = Requests(self.state, self._operations, self._guests, self._engine_hung)
        self._supervision = Supervision(self.state, parts.notifier)
        self._pace = Pace()
        self._dispatcher = Dispatcher(self.state, self._pace, self._contain)
        self._status_due = 0.0
        self._link_fault = ""
        self._publish_fault = ""
        self._done = False
        self._recovered = False
        self._handlers = self._make_handlers()

    def run(self) -> None:
        """Work until shut down, or until something makes that pointless (``state.error`` says what)."""
        self.start()
        while not self._done:
            self.step(self._next_change())

    def start(self) -> None:
        """Show that the daemon is coming up."""
        self._status.start()
        self._supervision.start()

    def step(self, until: float | None) -> bool:
        """Deal with the next message and what follows from it; return whether there was one.

        Args:
            until: ``time.monotonic()`` until which to wait for a message; None waits for ever.
        """
        message = self.state.timers.due(time.monotonic()) or self._receive(until)
        try:
            if message is not None:
                self._handlers[type(message)](message)
            self._turn()
        except Exception as error:
            logger.exception("core, on %s", type(message).__name__, extra=fields(code="internal"))
            self._contain(getattr(message, "line_id", ""), error)
        return message is not None

    def _receive(self, until: float | None) -> object | None:
        """Take the next message; while something is heard, requests at a pace that leaves room for it."""
        if not self.state.active.speaking:
            return self._inbox.get(until, self.state.takes_requests)
        now = time.monotonic()
        allowed = self._pace.allows(now)
        if not allowed:
            permitted = self._pace.next_time()
            until = permitted if until is None else min(permitted, until)
        message = self._inbox.get(until, self.state.takes_requests, with_intake=allowed)
        if isinstance(message, Inbound | Command):
            self._pace.take(now)
        return message

    def _make_handlers(self) -> dict[type, Callable[[Any], None]]:
        state, active = self.state, self.state.active
        return {
            Inbound: self._requests.on_inbound,
            Command: self._requests.on_offered,
            Probe: self._on_probe,
            Urgent: self._requests.on_urgent,
            StopAnswer: self._requests.on_stop_answer,
            StopRelease: self._requests.on_stop_release,
            StopSignal: self._requests.on_stop_signal,
            Committed: self._on_committed,
            NotCommitted: self._requests.on_not_committed,
            JournalAlert: self._on_journal_alert,
            TerminalDurable: state.publisher.tell,
            Delivered: self._on_delivered,
            engine.EngineUp: self._on_engine_up,
            engine.EngineLevels: state.loudness.learn,
            engine.EngineDown: self._on_engine_down,
            engine.EngineAlert: self._on_engine_alert,
            engine.LineReady: self._on_ready,
            LineRead: active.on_line_read,
            ReadWatch: active.on_read_watch,
            engine.LineChunk: self._on_chunk,
            engine.LineDone: self._on_done,
            engine.LineError: self._on_error,
            LineBegan: active.on_began,
            LineMark: active.on_mark,
            LineEnded: active.on_ended,
            LineSilenced: active.on_silenced,
            FileWritten: active.on_file,
            SinkLost: lambda message: active.lose_sink(message.message),
            SinkBack: self._on_sink_back,
            MarkHeard: active.on_mark_heard,
            EndHeard: active.on_end_heard,
            SilenceHeard: active.on_silence_heard,
            EngineWatch: active.on_engine_watch,
            CutWatch: active.on_cut_watch,
            checks.CheckWatch: self._requests.checks.on_watch,
            LinkUp: self._on_link_up,
            LinkDown: self._on_link_down,
            LinkReplaced: lambda _: state.publisher.link_replaced(),
            PrepareTick: lambda _: None,  # the turn that follows takes the step
            HealthTick: self._on_health_tick,
            StatusTick: lambda _: self._status.status_tick(),
            PulseDue: self._supervision.on_pulse_due,
            Pulse: self._supervision.on_pulse,
            VoiceEnded: self._on_voice_ended,
            TrustWarning: self._on_trust_warning,
            ShowRead: state.shows.on_read,
            ShowRefused: state.shows.on_refused,
            ListTaken: lambda message: state.publisher.acknowledge(message.inbound),
            Shutdown: self._on_shutdown,
            ShutdownLimit: self._on_shutdown_limit,
        }

    def _next_change(self) -> float | None:
        state = self.state
        times = [state.timers.next_time()]
        if len(state.scheduler):
            times += [state.scheduler.next_change(time.monotonic()), self._dispatcher.due]
        return min((when for when in times if when is not None), default=None)

    def _turn(self) -> None:
        """After every message: start what may start, then report; retained topics when there is time."""
        state = self.state
        if len(state.scheduler):
            self._dispatcher.dispatch()
        if state.admission is not None and not state.stopping:
            goes_on = state.preparations.step(state.admission)
            if goes_on and self._inbox.is_empty():
                self._inbox.put(PrepareTick())
        if self._inbox.is_empty() or time.monotonic() > self._status_due:
            self._status_due = time.monotonic() + STATUS_LATENESS_S
            self._status.update()
        state.publisher.flush()
        self._supervision.update()
        if state.stopping and not self._done:
            told = not state.lines and not state.publisher.n_untold
            self._done = told and self._status.last_state_delivered()

    def _contain(self, line_id: str, error: Exception) -> None:
        """After a fault of the daemon's own: the line concerned ends, everything else goes on."""
        state = self.state
        state.tally.last_error = f"internal: {error!r}"[:300]
        line = state.lines.get(line_id)
        if line is not None:
            state.scheduler.remove(line_id)
            state.active.fail(line, "internal", state.tally.last_error, "daemon")

    def _on_committed(self, message: Committed) -> None:
        state = self.state
        line = state.lines[message.line_id]
        ticket = state.scheduler.release(line.request_id)
        line.phase = Phase.QUEUED
        position = 0 if ticket is None else state.scheduler.position(line.request_id)
        cached = line.request.cache != "bypass" and line.key in state.cache
        state.publisher.event(
            line, Accepted, position=position, cached=cached, warnings=line.command.warnings or None
        )
        state.publisher.answer(line.command, position=position, cached=cached)
        line.committed()
        state.settle(line)
        state.make_way(line)

    def _on_delivered(self, message: Delivered) -> None:
        """Note a confirmation; one that refuses names the access rules, once for each connection."""
        if message.refusal and message.refusal != self._publish_fault:
            self.state.tally.last_error = f"the broker refuses what we publish: {message.refusal}"
            logger.error("mqtt: %s; check its access rules", self.state.tally.last_error)
            self._publish_fault = message.refusal
        self.state.publisher.delivered(message.mid, message.refusal)

    def _on_probe(self, message: Probe) -> None:
        """Show a door how the daemon is."""
        message.answer(self._status.figures())

    def _on_health_tick(self, _message: HealthTick) -> None:
        """Say how things are, and tidy up while nobody waits."""
        self._status.tick()
        state = self.state
        tidy(is_idle=not state.active.lines and len(state.lines) < FEW_LINES)

    def _on_journal_alert(self, message: JournalAlert) -> None:
        """Show a journal that cannot write; the status of this turn says ``degraded``."""
        if message.fault:
            self.state.tally.last_error = f"disk_full: {message.fault}"

    def _maker(self, line_id: str) -> ActiveLines | HeadStart | Labels | Preparations | TextChecks:
        """Return who has asked the synthesiser for this."""
        state = self.state
        if state.active.head_start.has(line_id):
            return state.active.head_start
        if line_id.startswith(checks.ID_PREFIX):
            return self._requests.checks
        if line_id.startswith(prepare.ID_PREFIX):
            return state.preparations
        return state.labels if line_id.startswith(labels.ID_PREFIX) else state.active

    def _on_ready(self, message: engine.LineReady) -> None:
        """Note with which lexicon a line was read: its sound is kept under that one, others are sought."""
        state, head_start = self.state, self.state.active.head_start
        if state.admission is not None:
            state.admission.lexicon = message.lexicon
            line = state.lines.get(message.line_id)
            if line is not None:
                line.key = state.admission.key(line.speech)
            state.preparations.on_ready(message, state.admission)
        (head_start if head_start.has(message.line_id) else state.active).on_ready(message)

    def _on_chunk(self, message: engine.LineChunk) -> None:
        maker = self._maker(message.line_id)
        if not isinstance(maker, TextChecks):  # a text that is only read has no sound
            maker.on_chunk(message)

    def _on_done(self, message: engine.LineDone) -> None:
        self._maker(message.line_id).on_done(message)

    def _on_error(self, message: engine.LineError) -> None:
        self._maker(message.line_id).on_error(message)

    def _on_engine_up(self, message: engine.EngineUp) -> None:
        voice = message.voice
        self.state.load(voice)
        self._status.voice_loaded()
        self.state.trust.voice_loaded(voice.identity)
        self._recover()
        self._status.update()
        self._guests.announce(self._status.status())
        logger.info("voice %s, %s %s", voice.bundle, voice.runner, voice.precision)
        self._operations.reloaded(None)

    def _on_engine_down(self, message: engine.EngineDown) -> None:
        state = self.state
        error = message.error if state.voice else state.trust.verdict(message.error)
        state.tally.last_error = f"{error.code}: {error}"
        if state.voice is None and state.muted is None and error.code not in MUTING_CODES:
            self._give_up(error)
            return
        if state.voice is None:
            logger.error("no voice: %s", error, extra=fields(code=error.code))
            self._mute(error)
            state.trust.voice_refused()
            self._recover()
        self._operations.reloaded(error)

    def _recover(self) -> None:
        """Take up what an earlier process left, once it is known whether there is a voice."""
        if not self._recovered:
            self._recovered = True
            recover(self.state)

    def _on_voice_ended(self, message: VoiceEnded) -> None:
        """Silence a voice that may not speak any more; the daemon goes on, and says why."""
        voice = self.state.voice
        if voice is not None and voice.identity == message.identity:
            logger.error("the voice is silenced: %s", message.error, extra=fields(code=message.error.code))
            self._mute(message.error)

    def _mute(self, error: EdgeError) -> None:
        """Let the voice go, and refuse what was to be read with it."""
        self.state.mute(error)
        self._requests.checks.clear(error)

    def _on_trust_warning(self, message: TrustWarning) -> None:
        """Show what is wrong with the documents of the voice; the status of this turn says ``degraded``."""
        self.state.trust_warning = message.text
        if message.text:
            self.state.tally.last_error = message.text
            logger.warning("trust: %s", message.text)

    def _on_engine_alert(self, message: engine.EngineAlert) -> None:
        """Show a synthesiser that is being replaced; the status of this turn says ``degraded``."""
        self.state.engine_fault = message.fault
        self.state.active.engine_loading = message.away
        if message.fault:
            self.state.tally.engine_faults += 1
            self.state.tally.last_error = f"runner_error: {message.fault}"

    def _engine_hung(self, line_id: str) -> None:
        if not self.state.engine.restart(line_id):
            message = "the synthesiser hangs; only a new process helps"
            self._give_up(EdgeError(message, code="runner_timeout"))

    def _give_up(self, error: EdgeError) -> None:
        self.state.error = error
        self._on_shutdown(Shutdown())

    def _on_sink_back(self, _message: SinkBack) -> None:
        self.state.active.sink_lost = ""

    def _on_link_up(self, message: LinkUp) -> None:
        state = self.state
        logger.info("mqtt: connected, protocol %s", state.connection.protocol)
        self._link_fault = self._publish_fault = ""
        state.refused_subscriptions = message.refused
        if message.refused:
            state.tally.last_error = f"the broker does not let us read {', '.join(message.refused)}"
            logger.error("mqtt: %s; check its access rules", state.tally.last_error)
        state.publisher.repeat_retained()
        state.publisher.retry_refused()
        self._status.send_health()

    def _on_link_down(self, message: LinkDown) -> None:
        """Log a fault once, not with every attempt."""
        level = logging.DEBUG if message.reason == self._link_fault else logging.WARNING
        self._link_fault = message.reason
        logger.log(level, "mqtt: %s", message.reason)

    def _on_shutdown(self, _message: Shutdown) -> None:
        state = self.state
        if state.stopping:
            return
        state.stopping = True
        self._supervision.stopping()
        for line in list(state.lines.values()):
            state.cancel(line, "shutdown")
        state.preparations.clear("shutting_down", "the daemon is stopping")
        self._requests.checks.clear(EdgeError("the daemon is stopping", "shutting_down"))
        state.timers.at(time.monotonic() + SHUTDOWN_LIMIT_S, ShutdownLimit())

    def _on_shutdown_limit(self, _message: ShutdownLimit) -> None:
        n_lines = len(self.state.lines)
        logger.warning("shutdown: %d lines not ended, broker not answering", n_lines)
        self._done = True
