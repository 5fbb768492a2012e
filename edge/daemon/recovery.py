"""Recovery after a restart: what an earlier process accepted and did not end."""

from __future__ import annotations

import time

from ..errors import EdgeError
from ..messages import RETRYABLE_CODES, Expired, Failed, SayRequest
from ..protocols.commands import Command
from .journal.base import Unfinished
from .line import Line, Phase, Reported
from .requests import EVENTS
from .state import State


def recover(state: State) -> None:
    """Do again what nobody heard, fail what was partly heard, and send again what may not have arrived."""
    for record in state.journal.undelivered():
        state.publisher.resend(record, EVENTS[record["event"]])
    for unfinished in state.journal.recover():
        _take_up(state, unfinished)


def _take_up(state: State, unfinished: Unfinished) -> None:
    entry = unfinished.entry
    request = SayRequest.model_validate_json(entry.request)
    command = Command(
        "say", entry.request_id, entry.received, request=request, character=request.character or ""
    )
    try:
        line = state.require_voice().line(command, request)
    except EdgeError as error:
        told = Reported(
            request_id=entry.request_id, character=command.event_character, n_events=_next_seq(unfinished)
        )
        _fail(state, told, error.code, str(error))
        return
    line.received, line.deadline = entry.received, entry.deadline
    line.n_events = _next_seq(unfinished)
    now = time.monotonic()
    if unfinished.heard:
        _fail(state, line, "interrupted_by_restart", "the daemon ended while the line was being heard")
    elif line.deadline is not None and (unfinished.rebooted or now > line.deadline):
        line.phase = Phase.ENDED
        state.publisher.event(line, Expired, late_ms=round(max(0.0, now - line.deadline) * 1000, 1))
    else:
        line.received = now if unfinished.rebooted else line.received
        _queue(state, line)


def _queue(state: State, line: Line) -> None:
    try:
        ticket = line.ticket()
        state.scheduler.admit(ticket)
    except EdgeError as error:
        _fail(state, line, error.code, str(error))
        return
    state.lines[line.request_id] = line
    state.scheduler.release(line.request_id)
    line.order, line.phase = ticket.order, Phase.QUEUED


def _fail(state: State, line: Reported, code: str, message: str) -> None:
    state.publisher.event(
        line, Failed, code=code, message=message, stage="restart", retryable=code in RETRYABLE_CODES
    )


def _next_seq(unfinished: Unfinished) -> int:
    return 1 if unfinished.last_event is None else int(unfinished.last_event["seq"]) + 1
