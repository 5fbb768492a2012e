"""Scheduler: which line is next, by priority, earliest start and deadline, and who is cut off. No clock."""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Literal

from ..errors import RequestError

Lane = Literal["play", "render"]
"""`play` lines need a channel of the loudspeaker, one at a time; `render` lines only the synthesiser."""
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
    channel: str = ""
    """In which it speaks: one for all, or one for each character."""
    order: int = -1
    """Place in the order of arrival; set by the scheduler."""
    ready: bool = False
    """Whether it may start: its acceptance is on disk."""

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
    """The queue of accepted lines, bounded. No step takes time that grows with its length.

    Lists sorted by rank are searched by halves; due times and deadlines stand in heaps, where tickets that
    were taken out are passed over when they come up.
    """

    def __init__(self, max_lines: int) -> None:
        self._max_lines = max_lines
        self._tickets: list[Ticket] = []  # sorted by rank
        self._queues: dict[str, list[Ticket]] = {}  # by channel, sorted by rank
        self._startable: dict[Lane, dict[str, list[Ticket]]] = {
            "play": {},
            "render": {},
        }  # ready and due, by channel, sorted by rank
        self._due: list[tuple[float, int, Ticket]] = []  # heap of those that are ready
        self._deadlines: list[tuple[float, int, Ticket]] = []  # heap of those that are ready
        self._interrupting: list[Ticket] = []
        self._by_id: dict[str, Ticket] = {}
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._tickets)

    def __contains__(self, line_id: str) -> bool:
        return line_id in self._by_id

    def admit(self, ticket: Ticket) -> Ticket | None:
        """Take a line into the queue; it starts only after ``release``.

        Returns:
            The line that had to give way: the lowest in rank, if the new one has a higher priority.

        Raises:
            RequestError: ``queue_full``.
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
        bisect.insort(self._tickets, ticket, key=_rank)
        bisect.insort(self._queues.setdefault(ticket.channel, []), ticket, key=_rank)
        self._by_id[ticket.line_id] = ticket
        return outranked

    def release(self, line_id: str) -> Ticket | None:
        """Allow a line to start; `None` if it has been taken out meanwhile."""
        ticket = self._by_id.get(line_id)
        if ticket is not None and not ticket.ready:
            ticket.ready = True
            heapq.heappush(self._due, (ticket.due, ticket.order, ticket))
            if ticket.deadline is not None:
                heapq.heappush(self._deadlines, (ticket.deadline, ticket.order, ticket))
        return ticket

    def remove(self, line_id: str) -> Ticket | None:
        """Take a line out of the queue, if it is there."""
        ticket = self._by_id.pop(line_id, None)
        if ticket is not None:
            startable = self._startable[ticket.lane].get(ticket.channel, [])
            for tickets in (self._tickets, self._queues[ticket.channel], startable):
                index = bisect.bisect_left(tickets, ticket.rank, key=_rank)
                if index < len(tickets) and tickets[index] is ticket:
                    del tickets[index]
        return ticket

    def position(self, line_id: str) -> int:
        """Return how many waiting lines of its channel rank before this one."""
        ticket = self._by_id[line_id]
        return bisect.bisect_left(self._queues[ticket.channel], ticket.rank, key=_rank)

    def waiting(self) -> list[Ticket]:
        """Return the waiting lines, next first."""
        return list(self._tickets)

    def take(self, lane: Lane, now: float, busy: Container[str] = ()) -> Ticket | None:
        """Take the line that starts now, if one may; none of a channel that is busy."""
        self._ripen(now)
        queues = self._startable[lane].items()
        firsts = [queue[0] for channel, queue in queues if queue and channel not in busy]
        return self.remove(min(firsts, key=_rank).line_id) if firsts else None

    def poll(self, now: float) -> Polled:
        """Find what has expired (taken out of the queue) and what has become due and interrupts."""
        self._ripen(now)
        polled = Polled()
        while (ticket := self._first(self._deadlines)) is not None and now > (ticket.deadline or 0.0):
            self.remove(ticket.line_id)
            polled.expired.append(ticket)
        polled.interrupting = [ticket for ticket in self._interrupting if self._is_here(ticket)]
        polled.interrupting.sort(key=lambda ticket: ticket.order)
        self._interrupting = []
        return polled

    def next_change(self, now: float) -> float | None:
        """Return when time alone will next change something: a line becomes due or expires."""
        self._ripen(now)
        due, expiring = self._first(self._due), self._first(self._deadlines)
        times = [None if due is None else due.due, None if expiring is None else expiring.deadline]
        return min((when for when in times if when is not None), default=None)

    def _ripen(self, now: float) -> None:
        """Let those start that have become due."""
        while (ticket := self._first(self._due)) is not None and ticket.due <= now:
            heapq.heappop(self._due)
            startable = self._startable[ticket.lane].setdefault(ticket.channel, [])
            bisect.insort(startable, ticket, key=_rank)
            if ticket.interrupt != "none":
                self._interrupting.append(ticket)

    def _first(self, heap: list[tuple[float, int, Ticket]]) -> Ticket | None:
        """Return the first of a heap that is still in the queue."""
        while heap and not self._is_here(heap[0][2]):
            heapq.heappop(heap)
        return heap[0][2] if heap else None

    def _is_here(self, ticket: Ticket) -> bool:
        return self._by_id.get(ticket.line_id) is ticket


def _rank(ticket: Ticket) -> tuple[int, int]:
    return ticket.rank


def cuts_off(
    new: Ticket, other_character: str, other_priority: int, other_order: int, *, active: bool
) -> bool:
    """Tell whether a line that interrupts cuts off another one.

    `lower` cuts what is being spoken in its channel with a lower priority; what waits with a lower priority
    comes later anyway. `character` and `all` also take out what waits: the rest of a paragraph must not
    follow the line that interrupted it. Lines that arrived after the interrupting one stay.
    """
    if other_order >= new.order:
        return False
    if new.interrupt == "lower":
        is_in_channel = new.channel in ("", other_character)
        return active and other_priority < new.priority and is_in_channel
    if new.interrupt == "character":
        return other_character == new.character
    return new.interrupt == "all"
