"""What is said while the connection comes up waits for it; the connection is a double: the race is rare."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace
from typing import Any

from edge.daemon.journal.memory import MemoryJournal
from edge.daemon.publisher import Publisher, TerminalDurable
from edge.topics import Topics


class ComingUp:
    """Publishes into a list; paho would let what is new overtake what it has kept, until it is ready."""

    def __init__(self) -> None:
        self.ready = False
        self.connected = True
        self.max_outgoing = 3
        self.statistics = SimpleNamespace(outgoing_dropped=0)
        self.published: list[str] = []

    def publish(self, topic: str, payload: bytes, **_: Any) -> int:
        self.published.append(payload.decode())
        return len(self.published)


def publisher(connection: ComingUp, journal: MemoryJournal) -> Publisher:
    later: deque[object] = deque()
    return Publisher(Topics("sovits", "box"), connection, journal, "boot", later.append)  # type: ignore[arg-type]


def test_messages_wait_until_they_are_sent_in_order() -> None:
    connection, delivered = ComingUp(), []
    journal = MemoryJournal()
    journal.delivered = delivered.append  # type: ignore[method-assign]
    voice = publisher(connection, journal)
    voice.later("mark/a", b"one")
    voice.flush()
    assert voice.now("lipsync/noah", b"two")
    voice.tell(TerminalDurable("sovits/box/event/noah", b"three", "boot-1"))
    assert connection.published == []

    connection.ready = True
    voice.flush()
    assert connection.published == ["one", "two", "three"]
    voice.delivered(3)
    assert delivered == ["boot-1"] and voice.unacknowledged == {1, 2}


def test_too_many_messages_without_a_connection_are_counted_and_dropped() -> None:
    connection = ComingUp()
    voice = publisher(connection, MemoryJournal())
    taken = [voice.now("lipsync/noah", b"%d" % index) for index in range(5)]
    assert taken == [True, True, True, False, False]
    assert connection.statistics.outgoing_dropped == 2
