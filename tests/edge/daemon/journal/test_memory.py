from __future__ import annotations

from edge.daemon.journal.base import Entry, Journal
from edge.daemon.journal.memory import MemoryJournal
from edge.errors import EdgeError


def refuse(error: EdgeError) -> None:
    raise AssertionError(error)


def test_a_request_is_known_from_acceptance_on() -> None:
    journal: Journal = MemoryJournal()
    order: list[str] = []
    assert journal.find("a") is None
    journal.accept(Entry("a", "digest", "{}"), lambda: order.append("accepted"), refuse)
    known = journal.find("a")
    assert known is not None and (known.digest, known.last_event, known.finished) == ("digest", None, False)
    journal.advance("a", {"event": "started"})
    assert known.last_event == {"event": "started"}
    journal.finish("a", {"event": "finished"}, lambda: order.append("finished"))
    known = journal.find("a")
    assert known is not None and known.finished and known.last_event == {"event": "finished"}
    assert order == ["accepted", "finished"] and journal.backlog == 0 and journal.recover() == ()


def test_memory_is_bounded_by_the_ended_not_by_the_open() -> None:
    journal = MemoryJournal(max_finished=10)
    for number in range(100):
        journal.accept(Entry(str(number), "d", "{}"), lambda: None, refuse)
        if number:
            journal.finish(str(number), {"event": "finished"}, lambda: None)
    assert journal.find("0") is not None and journal.find("1") is None and journal.find("99") is not None
