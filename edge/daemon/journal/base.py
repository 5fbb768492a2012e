"""Request journal: which requests were accepted, how far they got, how they ended.

Each method that must be durable before the daemon goes on takes a ``then``, called once it is, on any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...errors import EdgeError

EventRecord = Mapping[str, Any]
"""A lifecycle event as it is published: the keys of the contract, section 3."""


@dataclass(frozen=True)
class Entry:
    """An accepted request."""

    request_id: str
    digest: str
    """Hash of the content, to tell a repetition from a conflict."""
    request: str
    """The request in JSON, complete enough to be done again after a restart."""
    received: float = 0.0
    """``time.monotonic()`` at arrival: one clock for all processes until Linux restarts."""
    deadline: float | None = None
    """On that clock; not to start after."""


@dataclass
class Known:
    """What is remembered of a request id."""

    digest: str
    last_event: EventRecord | None = None
    finished: bool = False


@dataclass(frozen=True)
class Unfinished:
    """A request that an earlier process accepted and did not end."""

    entry: Entry
    last_event: EventRecord | None
    heard: bool
    """Whether some of it may have reached the loudspeaker."""
    rebooted: bool = False
    """Whether the machine restarted since, so that the times of the entry mean nothing any more."""


@dataclass(frozen=True)
class JournalAlert:
    """The journal has begun to fail, or writes again (``fault`` is empty)."""

    fault: str


class Journal(Protocol):
    """Memory of accepted requests. Called from the core thread unless stated otherwise."""

    @property
    def fault(self) -> str:
        """Return what keeps the journal from writing, with the remedy; empty while all is well."""
        ...

    @property
    def backlog(self) -> int:
        """Return how many records wait to become durable."""
        ...

    @property
    def progress(self) -> int:
        """Return a number that changes whenever the writer gets through what it had in hand."""
        ...

    def recover(self) -> Sequence[Unfinished]:
        """Return what an earlier process left, in the order of acceptance. Called once, first."""
        ...

    def undelivered(self) -> Sequence[EventRecord]:
        """Return the terminal events that the broker had not confirmed, in order. Called once, first."""
        ...

    def find(self, request_id: str) -> Known | None:
        """Return what is known of an id, including ones whose acceptance is not durable yet."""
        ...

    def accept(self, entry: Entry, then: Callable[[], None], refused: Callable[[EdgeError], None]) -> None:
        """Remember a request; ``then`` when it is durable, and only then is ``accepted`` sent.

        Args:
            entry: the request.
            then: called once it is on disk.
            refused: called instead where it cannot be written; nothing of it is remembered then.
        """
        ...

    def advance(self, request_id: str, event: EventRecord) -> None:
        """Remember an event on the way; need not be durable."""
        ...

    def sounding(self, request_id: str) -> None:
        """Remember that the first sample is about to go out.

        Called on the sink's thread, immediately before the sample: must take well under a millisecond.
        """
        ...

    def finish(self, request_id: str, event: EventRecord, then: Callable[[], None]) -> None:
        """Remember the terminal event; ``then`` when it is durable, and only then is it sent."""
        ...

    def delivered(self, event_id: str) -> None:
        """Note that the broker has taken a terminal event: it need not be sent again."""
        ...

    def close(self) -> None:
        """Make everything durable and release the files."""
        ...
