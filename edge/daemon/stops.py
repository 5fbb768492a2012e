"""Copies of a stop: each arrives over two sessions and is answered once."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from ..protocols.commands import Command
from ..protocols.link import Inbound

WINDOW_S = 60.0
MEMORY = 256


@dataclass(eq=False)
class StopCopy:
    """One copy of a stop or cancel, until the other has come."""

    inbound: Inbound
    is_urgent: bool
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
        self._seen: deque[StopCopy] = deque(maxlen=MEMORY)

    def remember(self, copy: StopCopy) -> StopCopy:
        """Note a copy whose other one may come."""
        self._seen.append(copy)
        return copy

    def take(self, inbound: Inbound, *, urgent: bool) -> StopCopy | None:
        """Return the other copy of a message, once.

        Args:
            inbound: the copy in hand.
            urgent: whether the other one came over the session for stops.
        """
        for seen in self._seen:
            near = abs(inbound.received - seen.inbound.received) < WINDOW_S
            if near and seen.is_urgent is urgent and _key(seen.inbound) == _key(inbound):
                self._seen.remove(seen)
                return seen
        return None


def _key(inbound: Inbound) -> tuple[object, ...]:
    return inbound.topic, inbound.payload, inbound.correlation, inbound.response_topic
