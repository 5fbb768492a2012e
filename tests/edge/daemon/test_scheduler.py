from __future__ import annotations

import random
from typing import Any

import pytest

from edge.daemon.scheduler import Scheduler, Ticket, cuts_off
from edge.errors import RequestError


def ticket(line_id: str, priority: int = 5, **keys: Any) -> Ticket:
    values: dict[str, Any] = {
        "character": "noah",
        "lane": "play",
        "interrupt": "none",
        "due": 0.0,
        "deadline": None,
    }
    return Ticket(line_id=line_id, priority=priority, **(values | keys))


def admitted(*tickets: Ticket, max_lines: int = 100) -> Scheduler:
    scheduler = Scheduler(max_lines)
    for entry in tickets:
        scheduler.admit(entry)
        scheduler.release(entry.line_id)
    return scheduler


def taken(scheduler: Scheduler, now: float = 0.0) -> list[str]:
    ids = []
    while (entry := scheduler.take("play", now)) is not None:
        ids.append(entry.line_id)
    return ids


def test_priority_first_then_arrival() -> None:
    scheduler = admitted(ticket("a", 5), ticket("b", 9), ticket("c", 5), ticket("d", 0), ticket("e", 9))
    assert [scheduler.position(name) for name in "bearc".replace("r", "")] == [0, 1, 2, 3]
    assert taken(scheduler) == ["b", "e", "a", "c", "d"]


def test_lanes_do_not_mix() -> None:
    scheduler = admitted(ticket("file", lane="render"), ticket("spoken"))
    assert taken(scheduler) == ["spoken"]
    assert (entry := scheduler.take("render", 0.0)) is not None and entry.line_id == "file"


def test_nothing_starts_before_it_is_on_disk() -> None:
    scheduler = Scheduler(10)
    waiting = ticket("a")
    scheduler.admit(waiting)
    assert scheduler.take("play", 0.0) is None and scheduler.poll(99.0).expired == []
    assert scheduler.release("a") is waiting and scheduler.release("gone") is None
    assert taken(scheduler) == ["a"]


def test_a_line_that_is_not_due_lets_others_pass() -> None:
    scheduler = admitted(ticket("later", 9, due=5.0), ticket("now", 1))
    assert scheduler.next_change(0.0) == 5.0
    assert taken(scheduler, 1.0) == ["now"]
    assert taken(scheduler, 5.0) == ["later"]


def test_deadlines() -> None:
    scheduler = admitted(ticket("a", deadline=1.0), ticket("b", deadline=3.0), ticket("c"))
    assert scheduler.next_change(0.0) == 1.0
    assert scheduler.poll(1.0).expired == []
    assert [entry.line_id for entry in scheduler.poll(1.01).expired] == ["a"]
    assert "a" not in scheduler and len(scheduler) == 2


def test_a_full_queue_lets_only_higher_priorities_in() -> None:
    scheduler = admitted(ticket("a", 5), ticket("b", 3), ticket("c", 3), max_lines=3)
    with pytest.raises(RequestError, match="3 lines are waiting") as caught:
        scheduler.admit(ticket("d", 3))
    assert caught.value.code == "queue_full"
    outranked = scheduler.admit(ticket("e", 4))
    scheduler.release("e")
    assert outranked is not None and outranked.line_id == "c"  # of equals, the last to arrive
    assert taken(scheduler) == ["a", "e", "b"]


def test_an_interrupt_counts_once_and_when_due() -> None:
    scheduler = admitted(ticket("a", interrupt="all", due=2.0), ticket("b", interrupt="lower"))
    assert [entry.line_id for entry in scheduler.poll(0.0).interrupting] == ["b"]
    assert [entry.line_id for entry in scheduler.poll(2.0).interrupting] == ["a"]
    assert scheduler.poll(3.0).interrupting == []


@pytest.mark.parametrize(
    ("interrupt", "character", "priority", "active", "cut"),
    [
        ("lower", "ava", 4, True, True),
        ("lower", "noah", 5, True, False),
        ("lower", "noah", 1, False, False),
        ("character", "noah", 9, True, True),
        ("character", "noah", 9, False, True),
        ("character", "ava", 1, True, False),
        ("all", "ava", 9, False, True),
        ("none", "noah", 0, True, False),
    ],
)
def test_who_is_cut_off(interrupt: str, character: str, priority: int, active: bool, cut: bool) -> None:
    new = ticket("new", 5, interrupt=interrupt)
    new.order = 10
    assert cuts_off(new, character, priority, 9, active=active) is cut
    assert not cuts_off(new, character, priority, 11, active=active)


def test_with_a_channel_each_a_higher_priority_cuts_only_its_own() -> None:
    new = ticket("new", 5, interrupt="lower", channel="noah")
    new.order = 10
    assert cuts_off(new, "noah", 4, 9, active=True) and not cuts_off(new, "ava", 4, 9, active=True)
    new.interrupt = "all"
    assert cuts_off(new, "ava", 9, 9, active=True)


def test_a_busy_channel_holds_nobody_else_up() -> None:
    scheduler = admitted(
        ticket("n1", 9, channel="noah"), ticket("n2", 9, channel="noah"), ticket("a", 1, channel="ava")
    )
    assert scheduler.position("n2") == 1 and scheduler.position("a") == 0
    assert (entry := scheduler.take("play", 0.0, {"noah"})) is not None and entry.line_id == "a"
    assert scheduler.take("play", 0.0, {"noah"}) is None
    assert taken(scheduler) == ["n1", "n2"]


def test_ten_thousand_random_steps_lose_and_double_nothing() -> None:
    chance = random.Random(7)
    scheduler = Scheduler(20)
    alive: dict[str, Ticket] = {}
    gone: set[str] = set()
    now = 0.0

    def leave(entry: Ticket) -> None:
        assert entry.line_id not in gone
        gone.add(entry.line_id)
        del alive[entry.line_id]

    for step in range(10_000):
        now += chance.random()
        action = chance.randrange(5)
        if action <= 1:
            new = ticket(str(step), chance.randrange(10), due=now + chance.choice([0, 3]), deadline=now + 6)
            try:
                outranked = scheduler.admit(new)
            except RequestError:
                assert len(scheduler) == 20
                continue
            alive[new.line_id] = new
            scheduler.release(new.line_id)
            if outranked is not None:
                assert outranked.priority < new.priority
                leave(outranked)
        elif action == 2 and alive:
            removed = scheduler.remove(chance.choice(list(alive)))
            assert removed is not None
            leave(removed)
        elif action == 3:
            for expired in scheduler.poll(now).expired:
                assert expired.deadline is not None and expired.deadline < now
                leave(expired)
        elif (next_one := scheduler.take("play", now)) is not None:
            assert all(
                next_one.rank < other.rank
                for other in alive.values()
                if other.due <= now and other is not next_one
            )
            leave(next_one)
        assert len(scheduler) == len(alive) <= 20
    assert len(gone) > 2000


def test_no_step_looks_at_the_whole_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranks that are looked at for one more line, ten thousand waiting."""
    looked: list[int] = []
    ranked = Ticket.rank.fget
    assert ranked is not None
    scheduler = Scheduler(20_000)
    chance = random.Random(3)
    for number in range(10_000):
        scheduler.admit(
            ticket(str(number), chance.randrange(10), due=chance.choice([0.0, 1e6]), deadline=2e6)
        )
        scheduler.release(str(number))
    scheduler.poll(1.0)
    monkeypatch.setattr(Ticket, "rank", property(lambda self: looked.append(1) or ranked(self)))
    scheduler.admit(ticket("one more", 5, due=0.0, deadline=9.0, interrupt="all"))
    scheduler.release("one more")
    assert scheduler.position("one more") > 1000
    assert [entry.line_id for entry in scheduler.poll(1.0).interrupting] == ["one more"]
    assert scheduler.next_change(1.0) == 9.0
    assert scheduler.take("play", 1.0) is not None
    assert [entry.line_id for entry in scheduler.poll(10.0).expired] == ["one more"]
    scheduler.remove("5000")
    assert len(looked) < 300


class Naive:
    """The same queue, said in the plainest way."""

    def __init__(self) -> None:
        self.tickets: list[Ticket] = []
        self.interrupted: set[str] = set()

    def take(self, lane: str, now: float, busy: set[str]) -> str | None:
        startable = [
            t for t in self.tickets if t.ready and t.lane == lane and t.due <= now and t.channel not in busy
        ]
        first = min(startable, key=lambda t: t.rank, default=None)
        if first is None:
            return None
        self.tickets.remove(first)
        return first.line_id

    def poll(self, now: float) -> tuple[set[str], list[str]]:
        expired = {t.line_id for t in self.tickets if t.ready and t.deadline is not None and now > t.deadline}
        self.tickets = [t for t in self.tickets if t.line_id not in expired]
        cutting = [
            t
            for t in self.tickets
            if t.ready and t.due <= now and t.interrupt != "none" and t.line_id not in self.interrupted
        ]
        self.interrupted |= {t.line_id for t in cutting}
        return expired, [t.line_id for t in sorted(cutting, key=lambda t: t.order)]


@pytest.mark.parametrize("seed", range(20))
def test_it_does_what_the_plain_queue_does(seed: int) -> None:
    chance = random.Random(seed)
    scheduler, plain, now = Scheduler(1000), Naive(), 0.0
    for step in range(500):
        now += chance.random() / 2
        action = chance.randrange(6)
        if action <= 1:
            new = ticket(
                str(step),
                chance.randrange(10),
                due=now + chance.choice([-1, 0, 2]),
                deadline=chance.choice([None, now + 3]),
                lane=chance.choice(["play", "render"]),
                interrupt=chance.choice(["none", "none", "all"]),
                channel=chance.choice(["noah", "ava"]) if seed % 2 else "",
            )
            scheduler.admit(new)
            plain.tickets.append(new)
            if chance.random() < 0.8:
                scheduler.release(new.line_id)
        elif action == 2 and plain.tickets:
            gone = chance.choice(plain.tickets)
            assert scheduler.remove(gone.line_id) is gone
            plain.tickets.remove(gone)
        elif action == 3 and plain.tickets:
            scheduler.release(chance.choice(plain.tickets).line_id)
        elif action == 4:
            polled = scheduler.poll(now)
            found = {t.line_id for t in polled.expired}, [t.line_id for t in polled.interrupting]
            assert found == plain.poll(now)
        else:
            lane = chance.choice(["play", "render"])
            busy = {chance.choice(["noah", "ava", "nobody"])}
            one = scheduler.take(lane, now, busy)  # type: ignore[arg-type]
            assert (one and one.line_id) == plain.take(lane, now, busy)
        ranked = sorted(plain.tickets, key=lambda t: t.rank)
        assert scheduler.waiting() == ranked
        for channel in ("noah", "ava", ""):
            queue = [t for t in ranked if t.channel == channel]
            assert all(scheduler.position(t.line_id) == place for place, t in enumerate(queue))
