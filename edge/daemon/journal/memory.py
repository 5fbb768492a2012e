"""Request journal that lasts as long as the process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ...errors import EdgeError
from .base import Entry, EventRecord, Known, Unfinished


@dataclass
class MemoryJournal:
    """A journal that lasts as long as the process. ``then`` is called before the method returns."""

    max_finished: int = 10_000
    """Ended requests remembered; the longest ended are forgotten first."""
    _open: dict[str, Known] = field(default_factory=dict)
    _finished: OrderedDict[str, Known] = field(default_factory=OrderedDict)

    @property
    def fault(self) -> str:
        """Memory does not fail."""
        return ""

    @property
    def backlog(self) -> int:
        """Nothing ever waits."""
        return 0

    @property
    def progress(self) -> int:
        """Nothing is ever in hand."""
        return 0

    def recover(self) -> Sequence[Unfinished]:
        """There was no earlier process."""
        return ()

    def undelivered(self) -> Sequence[EventRecord]:
        """There was no earlier process."""
        return ()

    def find(self, request_id: str) -> Known | None:
        """Return what is known of an id."""
        return self._open.get(request_id) or self._finished.get(request_id)

    def accept(self, entry: Entry, then: Callable[[], None], refused: Callable[[EdgeError], None]) -> None:
        """Remember a request."""
        self._open[entry.request_id] = Known(entry.digest)
        then()

    def advance(self, request_id: str, event: EventRecord) -> None:
        """Remember an event on the way."""
        known = self._open.get(request_id)
        if known is not None:
            known.last_event = event

    def sounding(self, request_id: str) -> None:
        """Nothing outlives the process, so there is nothing to note."""

    def finish(self, request_id: str, event: EventRecord, then: Callable[[], None]) -> None:
        """Remember the terminal event and let the oldest ended request go."""
        known = self._open.pop(request_id)
        known.last_event, known.finished = event, True
        self._finished[request_id] = known
        while len(self._finished) > self.max_finished:
            self._finished.popitem(last=False)
        then()

    def delivered(self, event_id: str) -> None:
        """Nothing is sent again after a restart, so there is nothing to note."""

    def close(self) -> None:
        """Nothing to release."""
