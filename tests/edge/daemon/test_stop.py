"""Stop in a burst: silence before what waits, nothing of what was sent before, one answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge.daemon.stops import StopCopies, StopCopy
from edge.protocols.link import Inbound
from tests.edge.daemon.broker import wait_until
from tests.edge.daemon.conftest import Rig
from tests.edge.daemon.stepped import Message, World

pytestmark = pytest.mark.broker

BURST, PUBLISHERS = 1500, 3


def burst(rig: Rig, number: int) -> None:
    """Publish as fast as the broker takes it, and wait until it has."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(1000)
    client.connect("127.0.0.1", rig.config.mqtt.port)
    client.loop_start()
    infos = [
        client.publish(
            f"{rig.root}/request/say", f'{{"id": "b{number}-{n}", "character": "noah", "text": "x"}}', 1
        )
        for n in range(BURST // PUBLISHERS)
    ]
    for info in infos:
        info.wait_for_publish(30)
    client.disconnect()
    client.loop_stop()


def test_a_stop_overtakes_a_burst_and_covers_it(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig(queue={"max_lines": 10_000})
    wait_until(lambda: rig.daemon._stops.ready)
    rig.occupy(text="long " * 400)  # 50 s: it sounds until the stop, however slow the machine
    publishers = [threading.Thread(target=burst, args=(rig, number)) for number in range(PUBLISHERS)]
    for publisher in publishers:
        publisher.start()
    for publisher in publishers:
        publisher.join()
    rig.request("stop", {"id": "halt"})
    answer = rig.response("stop", "halt")
    assert "first" in answer["cancelled"]
    ended = {"finished", "failed", "cancelled", "expired", "rejected"}

    def n_ended() -> int:
        events = rig.client.events()
        return len({event["id"] for event in events if event["event"] in ended and event["id"][0] == "b"})

    wait_until(lambda: n_ended() == BURST, timeout_s=60)
    assert len(rig.voice.started) == 1, "nothing that was sent before the stop is spoken after it"
    rig.settle()
    answers = rig.client.find(lambda heard: heard.topic == f"{rig.root}/response/stop")
    assert len(answers) == 1
    rig.say("afterwards", "all is well")
    rig.event("afterwards", "finished")


def test_a_stop_works_without_its_own_session(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig()
    wait_until(lambda: rig.daemon._stops.ready)
    rig.daemon._stops.close(2)
    wait_until(lambda: not rig.daemon._stops.connected)
    rig.daemon._stops._ready = False
    rig.occupy()
    rig.client.say(f"{rig.root}/stop", "")
    assert rig.event("first", "cancelled")["by"] == "stop"
    assert rig.response("stop")["cancelled"] == ["first"]


def test_a_cancel_of_what_is_still_on_its_way_waits_for_it(rig: Rig) -> None:
    for number in range(50):
        rig.say(f"line{number}", "to be taken back")
        rig.request("cancel", {"id": f"line{number}"})
    for number in range(50):
        rig.event(f"line{number}", "cancelled")
        assert rig.response("cancel", f"line{number}")["cancelled"]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def have_heard(world: World) -> None:
    """Have a line of noah's sounding."""
    world.send({"id": "show", "character": "noah", "text": "word " * 50})
    world.arrive(world.way.popleft())
    for _ in range(10):
        world.write()
        world.compute()
        world.play()
    assert world.core.state.active.speaking == {"noah"}


def is_silent_at_once(world: World) -> bool:
    """Tell whether the line ends within the time of a fade and a block."""
    for _ in range(4):
        world.play()
    world.write()
    return world.ended("show") == "cancelled"


def test_a_retained_stop_that_is_cleared_is_no_copy_of_the_next_stop(world: World) -> None:
    for urgent in (True, False):
        cleared = Message("sovits/w/stop", b"", world, retain=True)
        world.arrive(cleared, urgent=urgent)
        assert cleared.acknowledged
    have_heard(world)
    world.arrive(Message("sovits/w/stop", b"", world), urgent=True)
    assert is_silent_at_once(world)


def test_a_cancel_that_came_too_early_is_no_copy_of_the_next_one(world: World) -> None:
    world.send_cancel("show")
    world.arrive(world.urgent.popleft(), urgent=True)
    world.arrive(world.way.popleft())
    have_heard(world)
    world.send_cancel("show")
    world.arrive(world.urgent.popleft(), urgent=True)
    assert is_silent_at_once(world)
    world.arrive(world.way.popleft())
    assert world.ended("show") == "cancelled"


def message(received: float, payload: bytes = b"") -> Inbound:
    return Inbound("B/stop", payload, False, False, 1, 1, 1, received)


def test_copies_are_paired_in_order_and_once() -> None:
    copies = StopCopies()
    first, second = (copies.remember(StopCopy(message(at), is_urgent=True)) for at in (1.0, 2.0))
    assert copies.take(message(3.0, b"x"), urgent=True) is None
    assert copies.take(message(3.0), urgent=False) is None
    assert copies.take(message(3.0), urgent=True) is first
    assert copies.take(message(3.1), urgent=True) is second
    assert copies.take(message(3.2), urgent=True) is None
    copies.remember(StopCopy(message(1.0), is_urgent=True))
    assert copies.take(message(500.0), urgent=True) is None, "another stop, much later"
