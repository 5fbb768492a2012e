"""What a killed daemon leaves on the broker is put right before the voice of the next one is loaded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NoReturn

import pytest

from edge.daemon import Daemon
from edge.engine.thread import ThreadEngine
from edge.errors import EdgeError
from tests.edge.daemon.broker import Client
from tests.edge.daemon.conftest import Rig

pytestmark = pytest.mark.broker


def test_no_character_is_left_speaking(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig()
    rig.stop()
    client = Client(rig.config.mqtt.port, "sovits/#")
    lamp = f"{rig.root}/character/noah/state"
    client.say(lamp, "speaking", retain=True)
    client.wait(lambda heard: heard.topic == lamp and heard.payload == b"speaking")
    done = threading.Event()

    def load() -> NoReturn:
        done.wait(20)
        raise EdgeError("there is no voice")

    again = Daemon(rig.config, make_engine=lambda _, emit: ThreadEngine(load, emit))
    failed: list[EdgeError] = []

    def run() -> None:
        try:
            again.run()
        except EdgeError as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        n_before = len(client.find(lambda heard: heard.topic == lamp and heard.payload == b"idle"))
        client.wait(lambda heard: heard.topic == lamp and heard.payload == b"idle", n_before + 1)
    finally:
        done.set()
        thread.join(20)
        client.close()
    assert failed and not thread.is_alive()
