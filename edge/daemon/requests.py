"""Where requests arrive: read, accepted or refused, and answered."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import EdgeError, RequestError
from ..messages import (
    RETRYABLE_CODES,
    Accepted,
    Cancelled,
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
from ..protocols.commands import Command, Intake
from ..protocols.link import Inbound, StopSignal
from .journal.base import Entry, Known

if TYPE_CHECKING:
    from .core import Core

logger = logging.getLogger(__name__)

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


class Reception:
    """Deals with each message from outside. Only the core thread uses it."""

    def __init__(self, core: Core) -> None:
        config = core.config
        self._core = core
        self.silenced: list[str] = []
        """Lines that the stop being answered has silenced so far."""
        self._intake = Intake(core.topics, config.queue.max_request_bytes, config.mqtt.reply_prefixes)

    def on_inbound(self, inbound: Inbound) -> None:
        """Deal with a message; the broker is told at once, or once an accepted request is on disk."""
        core = self._core
        address = core.topics.read(inbound.topic)
        if address is None:
            core.connection.acknowledge(inbound)
        elif address.kind == "health":
            core.loopback.returned(inbound)
            core.connection.acknowledge(inbound)
        elif not self._obey(self._intake.read(inbound, address)):
            core.connection.acknowledge(inbound)

    def on_stop_signal(self, signal: StopSignal) -> None:
        """Silence at once what is known; the second time, what came in between, and answer for both."""
        if signal.silenced is not None:
            self.silenced = signal.silenced
            self.on_inbound(signal.inbound)
            return
        address = self._core.topics.read(signal.inbound.topic)
        command = None if address is None else self._intake.read(signal.inbound, address)
        signal.silenced = []
        if command is None or command.error is not None or command.repeated:
            return
        if isinstance(command.request, StopRequest):
            self._core.stop(command.request.character, signal.inbound.received, signal.silenced)

    def _obey(self, command: Command) -> bool:
        """Do what a command says; `True` if the acknowledgement has to wait for the journal."""
        try:
            if command.error is not None:
                raise command.error
            if self._core.stopping:
                raise RequestError("the daemon is stopping", code="shutting_down")
            if isinstance(command.request, SayRequest):
                return self._say(command, command.request)
            if not command.repeated:
                self._core.operations.obey(command)
        except EdgeError as error:
            self._refuse(command, error)
        except Exception as error:
            logger.exception("request on %s", command.inbound.topic)
            self._refuse(command, EdgeError(f"the daemon failed on this request: {error!r}"[:300]))
        return False

    def _say(self, command: Command, request: SayRequest) -> bool:
        core = self._core
        assert core.admission is not None, "intake is read only once a voice is loaded"
        known = core.journal.find(command.request_id)
        if known is not None:
            self._repeat(command, request, known)
            return False
        line = core.admission.line(command, request)
        ticket = line.ticket()
        outranked = core.scheduler.admit(ticket)
        line.order = ticket.order
        core.lines[line.request_id] = line
        if outranked is not None:
            core.cancel(core.lines[outranked.line_id], "interrupt")
        digest, content = request.content_digest(), request.model_dump_json()
        entry = Entry(line.request_id, digest, content, line.received, line.deadline)
        core.journal.accept(entry, lambda: core.inbox.put(Committed(line.request_id)))
        return True

    def _repeat(self, command: Command, request: SayRequest, known: Known) -> None:
        """Answer a request whose id has been seen before."""
        if known.digest != request.content_digest():
            raise RequestError(
                f"id {command.request_id} was used for another request; use a new id", code="id_conflict"
            )
        if known.last_event is not None:
            self._core.announcer.repeat(known.last_event, EVENTS[known.last_event["event"]])
        self._core.announcer.answer(command, message="already known; nothing is done twice", duplicate=True)

    def _refuse(self, command: Command, error: EdgeError) -> None:
        core = self._core
        core.stage.tally.last_error = f"{error.code}: {error}"
        if command.op in SPEAKING_OPERATIONS:
            core.stage.tally.lines["rejected"] += 1
            retryable = error.code in RETRYABLE_CODES
            core.announcer.refusal(
                command, Rejected, code=error.code, message=str(error), retryable=retryable
            )
        core.announcer.answer(command, code=error.code, message=str(error))
