"""After a restart: what an earlier process accepted and did not end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..errors import EdgeError
from ..messages import RETRYABLE_CODES, Expired, Failed, SayRequest
from ..protocols.commands import Command
from ..protocols.link import Inbound
from .journal.base import Unfinished
from .line import Line, Phase
from .requests import EVENTS

if TYPE_CHECKING:
    from .core import Core

ORPHAN = Inbound(topic="", payload=b"", retain=False, dup=False, qos=0, mid=0, epoch=0, received=0.0)
"""Stands for the message that an earlier process received; there is nobody to answer."""


def recover(core: Core) -> None:
    """Do again what nobody heard, fail what was partly heard, and send again what may not have arrived."""
    for record in core.journal.undelivered():
        core.announcer.resend(record, EVENTS[record["event"]])
    for unfinished in core.journal.recover():
        _take_up(core, unfinished)


def _take_up(core: Core, unfinished: Unfinished) -> None:
    assert core.admission is not None, "a voice is loaded first"
    entry = unfinished.entry
    request = SayRequest.model_validate_json(entry.request)
    command = Command("say", ORPHAN, entry.request_id, request, request.character or "")
    try:
        line = core.admission.line(command, request)
    except EdgeError as error:
        _fail(core, _stub(unfinished, command, request), error.code, str(error))
        return
    line.received, line.deadline = entry.received, entry.deadline
    line.n_events = _next_seq(unfinished)
    now = time.monotonic()
    if unfinished.heard:
        _fail(core, line, "interrupted_by_restart", "the daemon ended while the line was being heard")
    elif line.deadline is not None and (unfinished.rebooted or now > line.deadline):
        line.phase = Phase.ENDED
        core.announcer.event(line, Expired, late_ms=round(max(0.0, now - line.deadline) * 1000, 1))
    else:
        line.received = now if unfinished.rebooted else line.received
        _queue(core, line)


def _queue(core: Core, line: Line) -> None:
    try:
        ticket = line.ticket()
        core.scheduler.admit(ticket)
    except EdgeError as error:
        _fail(core, line, error.code, str(error))
        return
    core.lines[line.request_id] = line
    core.scheduler.release(line.request_id)
    line.order, line.phase = ticket.order, Phase.QUEUED


def _fail(core: Core, line: Line, code: str, message: str) -> None:
    line.phase = Phase.ENDED
    core.announcer.event(
        line, Failed, code=code, message=message, stage="restart", retryable=code in RETRYABLE_CODES
    )


def _stub(unfinished: Unfinished, command: Command, request: SayRequest) -> Line:
    """Make just enough of a line that the voice of today cannot say to report its end."""
    nothing: Any = None
    character = command.event_character
    line = Line(unfinished.entry.request_id, character, 0.0, request, nothing, "", "", command)
    line.n_events = _next_seq(unfinished)
    return line


def _next_seq(unfinished: Unfinished) -> int:
    return 1 if unfinished.last_event is None else int(unfinished.last_event["seq"]) + 1
