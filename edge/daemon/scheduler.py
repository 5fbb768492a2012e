"""Which line is next: priorities, earliest starts, deadlines, and who is cut off. No threads, no clock."""

from __future__ import annotations

import bisect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ..errors import RequestError

Lane = Literal["play", "render"]
"""`play` lines need the loudspeaker, one at a time; `render` lines only the synthesiser."""
Interrupt = Literal["none", "lower", "character", "all"]


@dataclass
class Ticket:
    """A line in the queue; times are seconds on a monotonic clock."""

    line_id: str
    character: str
    lane: Lane
    priority: int
    interrupt: Interrupt
    due: float
    """Not to start before."""
    deadline: float | None
    """Not to start after."""
    order: int = -1
    """Place in the order of arrival; set by the scheduler."""
    ready: bool = False
    """Whether it may start: its acceptance is on disk."""
    interrupted: bool = False
    """Whether it has already cut off what it cuts off."""

    @property
    def rank(self) -> tuple[int, int]:
        """Return the sort key: higher priority first, then order of arrival."""
        return (-self.priority, self.order)


@dataclass
class Polled:
    """What time has brought."""

    expired: list[Ticket] = field(default_factory=list)
    interrupting: list[Ticket] = field(default_factory=list)
    """Tickets that have become due and now cut others off, in the order of arrival."""


class Scheduler:
    """The queue of accepted lines, bounded."""

    def __init__(self, max_lines: int) -> None:
        self._max_lines = max_lines
        self._tickets: list[Ticket] = []  # sorted by rank
        self._by_id: dict[str, Ticket] = {}
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._tickets)

    def __contains__(self, line_id: str) -> bool:
        return line_id in self._by_id

    def admit(self, ticket: Ticket) -> Ticket | None:
        """Take a line into the queue; it starts only after `release`.

        Returns:
            The line that had to give way: the lowest in rank, if the new one has a higher priority.

        Raises:
            RequestError: `queue_full`.
        """
        outranked = None
        if len(self._tickets) >= self._max_lines:
            lowest = self._tickets[-1]
            if lowest.priority >= ticket.priority:
                waiting = f"{len(self._tickets)} lines are waiting, none below priority {ticket.priority}"
                raise RequestError(f"{waiting}; send it again later", code="queue_full")
            outranked = self.remove(lowest.line_id)
        self._arrivals += 1
        ticket.order = self._arrivals
        bisect.insort(self._tickets, ticket, key=lambda other: other.rank)
        self._by_id[ticket.line_id] = ticket
        return outranked

    def release(self, line_id: str) -> Ticket | None:
        """Allow a line to start; `None` if it has been taken out meanwhile."""
        ticket = self._by_id.get(line_id)
        if ticket is not None:
            ticket.ready = True
        return ticket

    def remove(self, line_id: str) -> Ticket | None:
        """Take a line out of the queue, if it is there."""
        ticket = self._by_id.pop(line_id, None)
        if ticket is not None:
            self._tickets.remove(ticket)
        return ticket

    def position(self, line_id: str) -> int:
        """Return how many waiting lines rank before this one."""
        return self._tickets.index(self._by_id[line_id])

    def waiting(self, wanted: Callable[[Ticket], bool] = lambda _: True) -> list[Ticket]:
        """Return the waiting lines that are wanted, next first."""
        return [ticket for ticket in self._tickets if wanted(ticket)]

    def take(self, lane: Lane, now: float) -> Ticket | None:
        """Take the line that starts now, if one may."""
        for ticket in self._tickets:
            if ticket.lane == lane and ticket.ready and ticket.due <= now:
                return self.remove(ticket.line_id)
        return None

    def poll(self, now: float) -> Polled:
        """Find what has expired (taken out of the queue) and what has become due and interrupts."""
        polled = Polled()
        for ticket in list(self._tickets):
            if not ticket.ready:
                continue
            if ticket.deadline is not None and now > ticket.deadline:
                self.remove(ticket.line_id)
                polled.expired.append(ticket)
            elif ticket.interrupt != "none" and not ticket.interrupted and ticket.due <= now:
                ticket.interrupted = True
                polled.interrupting.append(ticket)
        polled.interrupting.sort(key=lambda ticket: ticket.order)
        return polled

    def next_change(self, now: float) -> float | None:
        """Return when time alone will next change something: a line becomes due or expires."""
        times = [ticket.due for ticket in self._tickets if ticket.due > now]
        times += [ticket.deadline for ticket in self._tickets if ticket.deadline is not None]
        return min(times, default=None)


def cuts_off(
    new: Ticket, other_character: str, other_priority: int, other_order: int, *, active: bool
) -> bool:
    """Tell whether a line that interrupts cuts off another one.

    `lower` cuts what is being spoken with a lower priority; what waits with a lower priority comes later
    anyway. `character` and `all` also take out what waits: the rest of a paragraph must not follow the
    line that interrupted it. Lines that arrived after the interrupting one stay.
    """
    if other_order >= new.order:
        return False
    if new.interrupt == "lower":
        return active and other_priority < new.priority
    if new.interrupt == "character":
        return other_character == new.character
    return new.interrupt == "all"
