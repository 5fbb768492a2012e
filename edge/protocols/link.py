"""Link between the connection to the broker and the core: what passes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

FLAPPING_WINDOW_S, FLAPPING_COUNT = 60.0, 4


class Source(Protocol):
    """The session that brought a message."""

    def acknowledge(self, inbound: Inbound) -> None:
        """Tell the broker that a message is dealt with."""
        ...


@dataclass(frozen=True)
class Inbound:
    """One message as received."""

    topic: str
    payload: bytes
    retain: bool
    dup: bool
    qos: int
    mid: int
    epoch: int
    """Number of the connection that brought it: an acknowledgement is never sent on another one."""
    received: float
    """`time.monotonic()` at arrival."""
    n_payload: int = 0
    """Bytes sent; `payload` is empty if that was more than the daemon reads."""
    response_topic: str | None = None
    correlation: bytes | None = None
    expiry_s: int | None = None
    source: Source | None = None

    @property
    def n_bytes(self) -> int:
        """Return about how much memory it takes."""
        return len(self.payload) + len(self.topic) + 512


@dataclass(frozen=True)
class Urgent:
    """A stop or cancel from the session of its own, where nothing queues before it."""

    inbound: Inbound

    @property
    def n_bytes(self) -> int:
        """Return about how much memory it takes."""
        return self.inbound.n_bytes


@dataclass
class StopSignal:
    """A stop or cancel from the session that brings everything.

    With the other session up, this is its second copy, and comes in its turn: what was sent before it and has
    arrived since is silenced too. Without, the core meets it twice: early to silence, in its turn to answer.
    """

    inbound: Inbound
    is_early: bool = False
    silenced: list[str] = field(default_factory=list)
    """Ids of the lines that it has silenced so far."""

    @property
    def n_bytes(self) -> int:
        """Return about how much memory it takes."""
        return self.inbound.n_bytes


@dataclass(frozen=True)
class LinkUp:
    """Connected and subscribed."""

    epoch: int
    refused: tuple[str, ...]
    """Subscriptions that the broker did not grant."""


@dataclass(frozen=True)
class LinkDown:
    """Not connected; a new attempt follows by itself."""

    reason: str


@dataclass(frozen=True)
class LinkReplaced:
    """The protocol version changed; what the broker had not confirmed before is given up."""


@dataclass(frozen=True)
class Delivered:
    """The broker has taken a QoS 1 message, or refuses it."""

    mid: int
    refusal: str = ""


@dataclass
class LinkStatistics:
    """Counters for health; written by paho's thread and read by the core, each a plain assignment."""

    reconnects: int = 0
    outgoing_dropped: int = 0
    losses: deque[float] = field(default_factory=lambda: deque(maxlen=FLAPPING_COUNT))

    def flapping(self, now: float) -> bool:
        """Tell whether working connections were lost often of late: likely a second client has our id."""
        return len(self.losses) == FLAPPING_COUNT and now - self.losses[0] < FLAPPING_WINDOW_S
