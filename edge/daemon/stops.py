"""Copies of a stop: each arrives over two sessions and is answered once."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from ..protocols.commands import Command
from ..protocols.link import Inbound

WINDOW_S = 60.0
MEMORY = 10_000


@dataclass(eq=False)
class StopCopy:
    """One copy of a stop or cancel, until the other has come."""

    inbound: Inbound
    is_urgent: bool
    is_early: bool = False
    """Whether it is a cancel that has overtaken its line: the other copy comes behind it and is obeyed."""
    silenced: list[str] = field(default_factory=list)
    """Ids of the lines that it has silenced so far."""
    unanswered: Command | None = None
    """What has to be answered yet: with the other copy, which knows of more, or soon without it."""


@dataclass(frozen=True)
class StopAnswer:
    """Time to answer a stop whose other copy has not come."""

    copy: StopCopy


@dataclass(frozen=True)
class StopRelease:
    """Time to let lines start again although the other copy of a stop has not come."""

    copy: StopCopy


class StopCopies:
    """Pairs the copies of stops, whichever comes first. Only the core thread uses it."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[object, ...], deque[StopCopy]] = {}
        self._order: deque[StopCopy] = deque()

    def remember(self, copy: StopCopy) -> StopCopy:
        """Note a copy whose other one may come."""
        self._forget_before(copy.inbound.received - WINDOW_S)
        self._waiting.setdefault(_key(copy.inbound, copy.is_urgent), deque()).append(copy)
        self._order.append(copy)
        return copy

    def take(self, inbound: Inbound, *, urgent: bool) -> StopCopy | None:
        """Return the other copy of a message, once.

        Args:
            inbound: the copy in hand.
            urgent: whether the other one came over the session for stops.
        """
        self._forget_before(inbound.received - WINDOW_S)
        key = _key(inbound, urgent)
        waiting = self._waiting.get(key)
        if not waiting:
            return None
        copy = waiting.popleft()
        if not waiting:
            del self._waiting[key]
        return copy

    def _forget_before(self, when: float) -> None:
        """Forget copies whose other one has not come for long, and some where there are far too many."""
        while self._order and (self._order[0].inbound.received < when or len(self._order) > MEMORY):
            oldest = self._order.popleft()
            key = _key(oldest.inbound, oldest.is_urgent)
            waiting = self._waiting.get(key)
            if waiting and waiting[0] is oldest:
                waiting.popleft()
                if not waiting:
                    del self._waiting[key]


def _key(inbound: Inbound, is_urgent: bool) -> tuple[object, ...]:
    return inbound.topic, inbound.payload, inbound.correlation, inbound.response_topic, is_urgent
