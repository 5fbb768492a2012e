"""What starts next, one line at a time: between two of them a stop gets through."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from ..logs import fields
from ..messages import Expired
from .line import Line
from .pace import Pace
from .scheduler import Lane, Ticket, cuts_off
from .state import State

logger = logging.getLogger(__name__)


class Dispatcher:
    """Ends what has expired, cuts off what gives way, and starts lines. Only the core thread uses it.

    Args:
        state: of the daemon.
        pace: of lines that nobody hears, while another is heard.
        contain: ends the line of this id after a fault of the daemon's own.
    """

    def __init__(self, state: State, pace: Pace, contain: Callable[[str, Exception], None]) -> None:
        self._state = state
        self._pace = pace
        self._contain = contain
        self.due: float | None = None
        """When another line may start (monotonic seconds); None: not before something has happened."""

    def dispatch(self) -> None:
        """Do what is due by now."""
        self.due = None
        state, now = self._state, time.monotonic()
        polled = state.scheduler.poll(now)
        for ticket in polled.expired:
            late_ms = round((now - (ticket.deadline or now)) * 1000, 1)
            state.end_waiting(state.lines[ticket.line_id], Expired, late_ms=late_ms)
        for ticket in polled.interrupting:
            self._interrupt(ticket)
        if state.awaited:
            return
        self._start_next("play", now)
        if not state.active.speaking or self._pace.allows(now):
            self._start_next("render", now)
        elif self.due is None:
            self.due = self._pace.next_time()

    def _start_next(self, lane: Lane, now: float) -> None:
        line = self._state.take(lane, now)
        if line is None:
            return
        self.due = now
        if lane == "render":
            self._pace.take(now)
        self._start(line, lane)

    def _start(self, line: Line, lane: Lane) -> None:
        try:
            self._state.active.start(line, lane)
            self._state.read_ahead(line)
        except Exception as error:
            logger.exception("starting line %s", line.request_id, extra=fields(line=line.request_id))
            self._contain(line.request_id, error)

    def _interrupt(self, ticket: Ticket) -> None:
        state = self._state
        for other in state.scheduler.waiting():
            if cuts_off(ticket, other.character, other.priority, other.order, active=False):
                state.cancel(state.lines[other.line_id], "interrupt")
        for line in state.active.lines:
            if cuts_off(ticket, line.character, line.request.priority, line.order, active=True):
                state.cancel(line, "interrupt")
