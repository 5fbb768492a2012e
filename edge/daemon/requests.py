"""Requests: read, accepted or refused, and answered."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import EdgeError, RequestError
from ..logs import fields
from ..messages import (
    RETRYABLE_CODES,
    Accepted,
    Cancelled,
    CancelRequest,
    Event,
    Expired,
    Failed,
    Finished,
    FirstAudio,
    Rejected,
    SayRequest,
    Started,
    StopRequest,
)
from ..protocols.commands import Command
from ..protocols.link import Inbound, StopSignal, Urgent
from ..protocols.mqtt_reader import MqttReader
from .checks import TextChecks, needs_check
from .guests import Guests
from .journal.base import Entry, Known
from .line import Line, Phase
from .operations import Operations
from .state import State
from .stops import StopAnswer, StopCopies, StopCopy, StopRelease

logger = logging.getLogger(__name__)

HOLD_LIMIT_S = 10.0  # lines start again by then, also where the other copy of a stop never comes
ANSWER_LIMIT_S = 0.25  # a stop is answered by then, also where its other copy waits behind a burst
SPEAKING_OPERATIONS = ("say", "line")
"""Those that have a lifecycle, and so are refused by an event as well as by an answer."""
EVENTS: dict[str, type[Event]] = {
    model.model_fields["event"].default: model
    for model in (Accepted, Started, FirstAudio, Finished, Failed, Cancelled, Expired)
}


@dataclass(frozen=True)
class Committed:
    """The journal has an accepted request."""

    line_id: str


@dataclass(frozen=True)
class NotCommitted:
    """The journal cannot write an accepted request: it is refused after all."""

    line_id: str
    error: EdgeError


class Requests:
    """Deals with each message from outside. Only the core thread uses it."""

    def __init__(
        self, state: State, operations: Operations, guests: Guests, engine_hung: Callable[[str], None]
    ) -> None:
        config = state.config
        self._state = state
        self._operations = operations
        self._guests = guests
        self._copies = StopCopies()
        self.checks = TextChecks(state, self._accept, self._refuse_line, engine_hung)
        self._reader = MqttReader(
            state.topics, config.queue.max_request_bytes, config.mqtt.reply_prefixes, state.publisher
        )

    def on_inbound(self, inbound: Inbound) -> None:
        """Deal with a message; the broker is told at once, or once an accepted request is on disk."""
        state = self._state
        address = state.topics.read(inbound.topic)
        if address is None:
            self._on_guest(inbound)
        elif inbound.retain and inbound.n_payload == 0:  # a retained one is cleared
            state.publisher.acknowledge(inbound)
        elif address.kind == "label":
            state.label_shown = state.label_shown or not inbound.retain  # a retained word may be an old one
            state.publisher.acknowledge(inbound)
        elif address.kind == "trust":
            state.trust.take(inbound)
        elif address.kind == "health":
            state.loopback.returned(inbound)
            state.publisher.acknowledge(inbound)
        else:
            self.on_command(self._reader.read(inbound, address))

    def _on_guest(self, inbound: Inbound) -> None:
        """Deal with a message of another protocol over MQTT."""
        command = self._guests.read(inbound)
        if command is None:
            self._state.publisher.acknowledge(inbound)
        else:
            self.on_command(command)

    def on_offered(self, command: Command) -> None:
        """Deal with a command that came through a door."""
        self._operations.silenced = []
        self.on_command(command)

    def on_command(self, command: Command) -> None:
        """Do what a command says, whatever protocol brought it."""
        if not self._obey(command):
            command.reply.committed()

    def on_urgent(self, urgent: Urgent) -> None:
        """Obey a stop or cancel at once; a stop is answered with its other copy, which knows of more."""
        inbound, state = urgent.inbound, self._state
        address = state.topics.read(inbound.topic)
        is_nothing = address is None or (inbound.retain and inbound.n_payload == 0)
        if address is None or is_nothing or self._copies.take(inbound, urgent=False) is not None:
            state.publisher.acknowledge(inbound)
            return
        command = self._reader.read(inbound, address)
        request = command.request
        copy = self._copies.remember(StopCopy(inbound, is_urgent=True))
        if isinstance(request, CancelRequest) and not self._is_known(request.id):
            copy.is_early = True
            state.publisher.acknowledge(inbound)
        elif self._silence(command, copy.silenced):
            copy.unanswered = command
            state.awaited.add(copy)
            state.timers.at(time.monotonic() + ANSWER_LIMIT_S, StopAnswer(copy))
            state.timers.at(time.monotonic() + HOLD_LIMIT_S, StopRelease(copy))
        else:
            self.on_command(command)

    def on_stop_signal(self, signal: StopSignal) -> None:
        """Silence what arrived before a stop, and answer it for both of its copies."""
        inbound, state = signal.inbound, self._state
        address = state.topics.read(inbound.topic)
        command = None if address is None else self._reader.read(inbound, address)
        if signal.is_early or command is None:
            signal.is_early = False
            if command is not None:
                self._silence(command, signal.silenced)
            return
        if inbound.retain and inbound.n_payload == 0:  # a retained one is cleared: no copy of anything
            state.publisher.acknowledge(inbound)
            return
        copy = self._copies.take(inbound, urgent=True)
        if copy is None:
            self._copies.remember(StopCopy(inbound, is_urgent=False, silenced=signal.silenced))
        if copy is None or copy.is_early:
            self._operations.silenced = signal.silenced
            self.on_inbound(inbound)
        else:
            self._silence(command, copy.silenced)
            if copy.unanswered is not None:  # this copy's place tells what was sent after the stop
                copy.unanswered.received = inbound.received
            state.awaited.discard(copy)
            self.on_stop_answer(StopAnswer(copy))
            state.publisher.acknowledge(inbound)

    def on_stop_answer(self, message: StopAnswer) -> None:
        """Answer a stop with what it has silenced so far, once."""
        command, message.copy.unanswered = message.copy.unanswered, None
        if command is not None:
            self._operations.silenced = message.copy.silenced
            self.on_command(command)

    def on_stop_release(self, message: StopRelease) -> None:
        """Let lines start again."""
        self._state.awaited.discard(message.copy)

    def _silence(self, command: Command, silenced: list[str]) -> bool:
        """Obey a stop that is in order and new; False for anything else."""
        is_stop = command.error is None and not command.repeated and isinstance(command.request, StopRequest)
        if is_stop:
            assert isinstance(command.request, StopRequest)
            self._state.stop(command.request.character, command.received, silenced)
        return is_stop

    def _is_known(self, request_id: str) -> bool:
        return request_id in self._state.lines or self._state.journal.find(request_id) is not None

    def _obey(self, command: Command) -> bool:
        """Do what a command says; `True` if the acknowledgement waits for the journal or a delivery."""
        try:
            if command.error is not None:
                raise command.error
            if self._state.stopping:
                raise RequestError("the daemon is stopping", code="shutting_down")
            if isinstance(command.request, SayRequest):
                return self._say(command, command.request)
            if not command.repeated:
                self._operations.obey(command)
        except EdgeError as error:
            self._refuse(command, error, command.reply.committed)
            return True
        except Exception as error:
            extra = fields(line=command.request_id, op=command.op, code="internal")
            logger.exception("request %s, %s", command.op, command.request_id, extra=extra)
            fault = EdgeError(f"the daemon failed on this request: {error!r}"[:300])
            self._refuse(command, fault, command.reply.committed)
            return True
        return False

    def _say(self, command: Command, request: SayRequest) -> bool:
        state = self._state
        known = state.journal.find(command.request_id) or self.checks.find(command.request_id)
        if known is not None:
            return self._repeat(command, request, known)
        line = state.require_voice().line(command, request, state.shows.script)
        ticket = line.ticket()
        outranked = state.scheduler.admit(ticket)
        line.order = ticket.order
        state.lines[line.request_id] = line
        if outranked is not None:
            state.cancel(state.lines[outranked.line_id], "interrupt")
        if needs_check(line) and line.key not in state.cache:
            self.checks.begin(line)
        else:
            self._accept(line)
        return True

    def _accept(self, line: Line) -> None:
        """Write a request down; what follows comes once it is on disk."""
        state, asked = self._state, line.command.request
        assert isinstance(asked, SayRequest)
        state.begin_early(line)  # first: the journal's thread would take the processor from this one
        digest, content = asked.content_digest(), line.request.model_dump_json()
        entry = Entry(line.request_id, digest, content, line.received, line.deadline)
        state.journal.accept(
            entry,
            lambda: state.inbox.put(Committed(line.request_id)),
            lambda error: state.inbox.put(NotCommitted(line.request_id, error)),
        )

    def _repeat(self, command: Command, request: SayRequest, known: Known) -> bool:
        """Answer a request whose id has been seen before; True if it is not on disk yet."""
        if known.digest != request.content_digest():
            raise RequestError(
                f"id {command.request_id} was used for another request; use a new id", code="id_conflict"
            )
        if known.last_event is not None:
            self._state.publisher.repeat(known.last_event, EVENTS[known.last_event["event"]])
        self._state.publisher.answer(command, message="already known; nothing is done twice", duplicate=True)
        line = self._state.lines.get(command.request_id)
        is_committing = line is not None and line.phase is Phase.COMMITTING
        if line is not None and is_committing:
            line.repeats.append(command.reply)
        return is_committing

    def on_not_committed(self, message: NotCommitted) -> None:
        """Refuse a request that the journal could not write."""
        self._state.tally.last_error = f"{message.error.code}: {message.error}"
        self._refuse_line(self._state.lines[message.line_id], message.error)

    def _refuse_line(self, line: Line, error: EdgeError) -> None:
        """Refuse a request that has been given its place in the queue."""
        line.phase = Phase.ENDED
        self._state.forget(line)
        self._state.scheduler.remove(line.request_id)
        self._refuse(line.command, error, line.committed)

    def _refuse(self, command: Command, error: EdgeError, committed: Callable[[], None]) -> None:
        """Say no; ``committed`` acknowledges the request, one to speak only once the broker has the event."""
        state = self._state
        state.tally.faults[error.code] += 1
        if command.op in SPEAKING_OPERATIONS:
            state.tally.lines["rejected"] += 1
            retryable = error.code in RETRYABLE_CODES
            state.publisher.refusal(
                command, Rejected, committed, code=error.code, message=str(error), retryable=retryable
            )
        else:
            committed()
        state.publisher.answer(command, code=error.code, message=str(error))
