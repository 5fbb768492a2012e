"""What is said while the connection comes up waits for it; the connection is a double: the race is rare."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace
from typing import Any

from edge.daemon.journal.memory import MemoryJournal
from edge.daemon.publisher import Publisher, TerminalDurable
from edge.messages import Rejected
from edge.protocols.commands import Command
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


class Reply:
    """Counts acknowledgements."""

    def __init__(self) -> None:
        self.n_committed = 0

    def answer(self, payload: bytes) -> None:
        """Nobody listens."""

    def committed(self) -> None:
        self.n_committed += 1


def refuse(voice: Publisher) -> Reply:
    """Refuse a request whose sender waits for the broker's acknowledgement."""
    reply = Reply()
    command = Command("say", "x", 0.0, character="noah", reply=reply)
    voice.refusal(command, Rejected, reply.committed, code="queue_full", message="full", retryable=True)
    return reply


def test_a_refused_request_is_acknowledged_once_the_broker_has_the_refusal() -> None:
    connection = ComingUp()
    connection.ready = True
    voice = publisher(connection, MemoryJournal())
    reply = refuse(voice)
    voice.flush()
    assert len(connection.published) == 1 and reply.n_committed == 0
    voice.delivered(2)
    assert reply.n_committed == 0  # another message
    voice.delivered(1)
    voice.delivered(1)
    assert reply.n_committed == 1


def test_a_refusal_that_cannot_be_told_keeps_no_request_for_ever() -> None:
    connection = ComingUp()
    voice = publisher(connection, MemoryJournal())
    replies = [refuse(voice) for _ in range(5)]
    assert [reply.n_committed for reply in replies] == [0, 0, 0, 1, 1]  # dropped: there is no connection
    connection.ready = True
    voice.flush()
    voice.delivered(1, refusal="not authorised")
    assert replies[0].n_committed == 1


def test_what_an_earlier_client_had_not_confirmed_is_sent_again() -> None:
    connection, delivered = ComingUp(), []
    connection.ready = True
    journal = MemoryJournal()
    journal.delivered = delivered.append  # type: ignore[method-assign]
    voice = publisher(connection, journal)
    voice.tell(TerminalDurable("sovits/box/event/noah", b"three", "boot-1"))
    voice.link_replaced()
    voice.flush()
    assert connection.published == ["three", "three"]
    voice.delivered(1)  # the number of something else by now
    assert delivered == []
    voice.delivered(2)
    assert delivered == ["boot-1"]
