from __future__ import annotations

import threading
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.config import EdgeConfig
from edge.daemon import Daemon
from edge.daemon.journal.base import Journal
from edge.daemon.service import MakeEngine
from edge.engine.thread import ThreadEngine
from edge.playback.sink import Sink
from tests.edge.daemon.broker import MOSQUITTO, PATIENCE_S, Client, mosquitto, wait_until
from tests.edge.daemon.stand_in import StandIn


@pytest.fixture(scope="session")
def broker_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (apt install mosquitto)")
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as port:
        yield port


class Rig:
    """A daemon with a stand-in voice and a WAV file for a loudspeaker, and a client that hears everything."""

    def __init__(
        self,
        port: int,
        directory: Path,
        number: int,
        sink: Sink | None,
        settings: dict[str, Any],
        v5: bool,
        journal: Journal | None,
    ) -> None:
        self.directory = directory
        self.voice = settings.pop("voice", None) or StandIn()
        notifier = settings.pop("notifier", None)
        make_engine: MakeEngine | None = settings.pop("make_engine", None)
        mqtt = {"port": port, **settings.pop("mqtt", {})}
        paths = {"state_dir": directory, "sink": {"type": "wav", "path": directory / "sound.wav"}}
        self.config = EdgeConfig.model_validate({"device": f"rig{number}", "mqtt": mqtt, **paths, **settings})
        self.root = f"sovits/{self.config.device}"
        self.daemon = Daemon(
            self.config,
            make_engine=make_engine or (lambda _, emit: ThreadEngine(lambda: self.voice, emit)),
            sink=sink,
            journal=journal,
            notifier=notifier,
        )
        self.client = Client(port, "sovits/#", "replies/#", v5=v5)
        self.error: Exception | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.daemon.run()
        except Exception as error:  # noqa: BLE001 - kept for the test
            self.error = error

    def wait_online(self, n: int = 1) -> None:
        self.client.wait(
            lambda heard: heard.topic == f"{self.root}/availability" and heard.payload == b"online", n
        )

    def settle_never_online(self, for_s: float = 1.5) -> None:
        """Wait long enough for a daemon that could connect to have done so, and see that it did not."""
        wait_until(lambda: self.daemon._core.state.admission is not None)
        time.sleep(for_s)
        assert not self.daemon._connection.connected and self.lamp("availability") == []

    def request(self, op: str, payload: Any = "", **options: Any) -> float:
        return self.client.say(f"{self.root}/request/{op}", payload, **options)

    def say(self, request_id: str, text: str = "hello", **keys: Any) -> float:
        return self.request("say", {"id": request_id, "character": "noah", "text": text, **keys})

    def response(self, op: str, request_id: str | None = None, n: int = 1) -> dict[str, Any]:
        heard = self.client.wait(
            lambda heard: (
                heard.topic == f"{self.root}/response/{op}"
                and (request_id is None or heard.json["id"] == request_id)
            ),
            n,
        )
        return dict(heard.json)

    def event(self, request_id: str, name: str) -> dict[str, Any]:
        return self.client.wait_event(request_id, name)

    def names(self, request_id: str) -> list[str]:
        return [event["event"] for event in self.client.events(request_id)]

    def lamp(self, tail: str) -> list[str]:
        found = self.client.find(lambda heard: heard.topic == f"{self.root}/{tail}")
        return [heard.payload.decode() for heard in found]

    def occupy(
        self, request_id: str = "first", text: str = "a line that is long enough to be cut", **keys: Any
    ) -> None:
        """Have a line sounding."""
        self.say(request_id, text, **keys)
        self.event(request_id, "first_audio")

    def sound(self) -> np.ndarray:
        """What the loudspeaker has played so far."""
        with wave.open(str(self.directory / "sound.wav")) as file:
            return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")

    def settle(self) -> None:
        """Wait until everything published before has been dealt with."""
        marker = f"settle-{time.monotonic_ns()}"
        self.request("status", {"id": marker})
        self.response("status", marker)

    def stop(self) -> None:
        """End the daemon and the client; a second call does nothing."""
        if self._stopped:
            return
        self._stopped = True
        self.daemon.stop()
        self._thread.join(timeout=PATIENCE_S)
        alive = self._thread.is_alive()
        self.voice.let_go()
        self.client.close()
        assert not alive, "the daemon did not end"


@pytest.fixture
def start_rig(
    broker_port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[Callable[..., Rig]]:
    """Starts daemons; a test fails where one of their core threads has met an exception and gone on."""
    rigs: list[Rig] = []

    def start(
        *,
        sink: Sink | None = None,
        journal: Journal | None = None,
        online: bool = True,
        port: int = broker_port,
        v5: bool = True,
        **settings: Any,
    ) -> Rig:
        directory = tmp_path / f"rig{len(rigs)}" if rigs else tmp_path
        directory.mkdir(exist_ok=True)
        rig = Rig(port, directory, time.monotonic_ns(), sink, settings, v5, journal)
        rigs.append(rig)
        if online:
            rig.wait_online()
        return rig

    yield start
    for rig in rigs:
        rig.stop()
    faults = [record for record in caplog.get_records("call") if record.name == "edge.daemon.core"]
    assert not [record.getMessage() for record in faults if record.exc_info]


@pytest.fixture
def rig(start_rig: Callable[..., Rig]) -> Rig:
    return start_rig()


__all__ = ["Rig", "wait_until"]
