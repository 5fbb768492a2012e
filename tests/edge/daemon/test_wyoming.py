"""The Wyoming door: the client of the library on one side, a real daemon on the other."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from edge.config import WyomingConfig, load_config
from edge.demo.broker import free_port
from edge.errors import ConfigError, RequestError
from edge.protocols.wyoming import WyomingDoor
from edge.protocols.wyoming_words import choose, named, say_command
from tests.edge.daemon.broker import wait_until
from tests.edge.daemon.conftest import Rig
from tests.edge.daemon.stand_in import SAMPLES_PER_CHARACTER, UNSPEAKABLE, level

pytest.importorskip("wyoming")

from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping
from wyoming.tts import Synthesize, SynthesizeVoice

pytestmark = pytest.mark.broker

TEXT = "over the wire"
START = {"rate": 32_000, "width": 2, "channels": 1, "timestamp": None}


@pytest.fixture
def rig(start_rig: Callable[..., Rig]) -> Rig:
    return start_rig(wyoming={"port": free_port()}, loudness={"target_dbfs": "off"})


def asked(rig: Rig, *events: Event, until: str = "audio-stop", n: int = 1) -> list[Event]:
    """What comes back until the n-th event of a kind, or the end of the connection."""
    assert rig.config.wyoming is not None
    port = rig.config.wyoming.port
    heard: list[Event] = []

    async def ask() -> None:
        async with AsyncTcpClient("127.0.0.1", port) as client:
            for event in events:
                await client.write_event(event)
            while [one.type for one in heard].count(until) < n:
                answer = await asyncio.wait_for(client.read_event(), 30)
                if answer is None:
                    break
                heard.append(answer)

    with suppress(ConnectionError):  # the door has closed it
        asyncio.run(ask())
    return heard


def line(text: str = TEXT, **voice: Any) -> Event:
    return Synthesize(text=text, voice=SynthesizeVoice(**voice) if voice else None).event()


def sound(heard: list[Event]) -> np.ndarray:
    assert heard[0].type == "audio-start" and heard[0].data == START
    assert {event.type for event in heard[1:-1]} == {"audio-chunk"} and heard[-1].type == "audio-stop"
    return np.frombuffer(b"".join(event.payload or b"" for event in heard[1:-1]), "<i2")


def test_a_line_is_sent_as_it_is_made(rig: Rig) -> None:
    samples = sound(asked(rig, line(name="ava")))
    assert len(samples) == len(TEXT) * SAMPLES_PER_CHARACTER and set(samples.tolist()) == {level(TEXT)}
    (accepted,) = rig.client.find(
        lambda heard: heard.topic == f"{rig.root}/event/ava" and heard.json["event"] == "accepted"
    )
    assert accepted.json["id"].startswith("wyoming-")
    rig.event(accepted.json["id"], "finished")
    assert not rig.sound().any(), "it is not played here as well"


def test_what_can_speak_is_described(rig: Rig) -> None:
    (event,) = asked(rig, Describe().event(), until="info")
    (program,) = Info.from_event(event).tts
    assert [(voice.name, voice.languages) for voice in program.voices] == [
        ("noah", ["zh", "en"]),
        ("ava", ["zh", "en"]),
    ]
    assert program.installed and not program.supports_synthesize_streaming
    (pong,) = asked(rig, Ping(text="there?").event(), until="pong")
    assert pong.data == {"text": "there?"}


def test_several_lines_may_follow_each_other(rig: Rig) -> None:
    """What nobody knows is passed over, as the protocol has it."""
    first = asked(rig, Event("select-program", {"name": "x"}), line("one"), line("two two"), n=2)
    stops = [index for index, event in enumerate(first) if event.type == "audio-stop"]
    assert len(sound(first[: stops[0] + 1])) == 3 * SAMPLES_PER_CHARACTER
    assert len(sound(first[stops[0] + 1 :])) == 7 * SAMPLES_PER_CHARACTER


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (line(UNSPEAKABLE), "text_unspeakable"),
        (line(" "), "text_empty"),
        (line(name="nobody"), "unknown_character"),
        (line("it breaks halfway"), "runner_error"),
        (Event("synthesize", {"text": 3}), "bad_request"),
        (Event("synthesize", {}), "bad_request"),
        (Synthesize(text="<speak/>", text_format="ssml").event(), "bad_request"),
    ],
)
def test_a_line_that_cannot_be_spoken_is_told_and_ends_the_connection(
    rig: Rig, event: Event, code: str
) -> None:
    last = asked(rig, event, until="nothing")[-1]
    assert (last.type, last.data["code"]) == ("error", code)
    assert len(sound(asked(rig, line()))) == len(TEXT) * SAMPLES_PER_CHARACTER, "others go on"


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"[]\n",
        b"{}\n",
        b'{"type": "synthesize", "data_length": 2000000000}\n',
        b'{"type": "synthesize", "data_length": "many"}\n',
        b'{"type": "synthesize", "payload_length": 99999999}\n',
        b'{"type": "synthesize", "data": "none"}\n',
        b'{"type": 5, "data": null}\n',
        b"\xff" * 3_000_000,
    ],
)
def test_what_is_no_event_ends_the_connection_and_nothing_else(rig: Rig, data: bytes) -> None:
    assert rig.config.wyoming is not None
    with socket.create_connection(("127.0.0.1", rig.config.wyoming.port), timeout=20) as client:
        with suppress(OSError):  # it may be gone before all is sent
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            while client.recv(65_536):
                pass
    assert asked(rig, Ping().event(), until="pong")


def test_a_line_whose_client_has_gone_is_given_up(rig: Rig) -> None:
    assert rig.config.wyoming is not None
    rig.voice.gate.clear()
    with socket.create_connection(("127.0.0.1", rig.config.wyoming.port)) as client:
        client.sendall(b'{"type": "synthesize", "data": {"text": "a line for nobody"}}\n')
        wait_until(lambda: rig.voice.started, what="the line")
    rig.client.wait(lambda heard: heard.topic.endswith("/event/noah") and heard.json["event"] == "cancelled")
    rig.voice.gate.set()
    assert len(sound(asked(rig, line()))) == len(TEXT) * SAMPLES_PER_CHARACTER


def test_the_label_of_the_venue_is_sent_with_the_line(start_rig: Callable[..., Rig]) -> None:
    """By the rules of every other way out: the sentence once, then the line."""
    loudness = {"target_dbfs": "off"}
    rig = start_rig(wyoming={"port": free_port()}, loudness=loudness, label={"profile": "eu"})
    notice = "This voice is generated by AI."
    samples = sound(asked(rig, line("hello there")))
    assert level(notice) in samples and level("hello there") in samples[len(notice) * SAMPLES_PER_CHARACTER :]


def test_the_queue_is_bounded_and_a_stop_reaches_the_line(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig(wyoming={"port": free_port(), "max_requests": 1}, loudness={"target_dbfs": "off"})
    assert rig.config.wyoming is not None
    rig.voice.gate.clear()
    with socket.create_connection(("127.0.0.1", rig.config.wyoming.port), timeout=20) as client:
        client.sendall(b'{"type": "synthesize", "data": {"text": "held up"}}\n')
        wait_until(lambda: rig.voice.started, what="the line")
        assert asked(rig, line())[-1].data["code"] == "queue_full"
        rig.client.say(f"{rig.root}/stop", "")
        answer = b""
        while data := client.recv(65_536):
            answer += data
        assert b"cancelled" in answer
    rig.voice.gate.set()


def test_who_speaks() -> None:
    cast = [{"name": "noah", "languages": ["en"]}, {"name": "mei", "languages": ["zh", "ja"]}]
    assert named({"text": "x", "voice": {"name": "mei", "speaker": None}}) == "mei"
    assert named({"text": "x", "voice": {"language": "ja"}}) == named({"text": "x"}) == ""
    assert choose({"text": "x", "voice": {"language": "zh_CN"}}, cast) == "mei"
    assert choose({"text": "x", "voice": {"language": "de"}}, cast) == "noah"
    command = say_command({"text": "Hi", "voice": {"language": "en-GB"}}, "noah", 5.0)
    asked: Any = command.request
    assert (asked.text, asked.character, asked.language) == ("Hi", "noah", "en")
    assert list(asked.output) == ["audio"]
    with pytest.raises(RequestError):
        say_command({"text": None}, "noah", 5.0)


def test_a_network_is_listened_on_only_where_one_is_allowed(start_rig: Callable[..., Rig]) -> None:
    with pytest.raises(ConfigError, match=r"wyoming\.allow"):
        load_config(None, {"wyoming.host": "0.0.0.0"})
    allowed = load_config(None, {"wyoming": {"host": "0.0.0.0", "allow": ["10.0.0.0/8"]}})
    assert allowed.wyoming is not None
    port = free_port()
    rig = start_rig(wyoming={"port": port, "allow": ["10.0.0.0/8"]})
    assert asked(rig, Ping().event(), until="pong") == [], "this machine is not among them"
    taken = WyomingDoor(WyomingConfig(port=port), lambda *_, **__: True, 1000)
    with pytest.raises(
        ConfigError, match=rf"wyoming: cannot listen on 127.0.0.1 port {port}: .*wyoming.port"
    ):
        taken.open()
