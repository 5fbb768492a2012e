"""The OSC listener: python-osc's client on one side, a real daemon on the other."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.config import EdgeConfig
from edge.daemon import Daemon
from edge.demo.broker import free_port
from edge.errors import ConfigError, RequestError
from edge.protocols.osc import OscDoor, read_message, unpack
from tests.edge.daemon.broker import wait_until
from tests.edge.daemon.conftest import Rig

pythonosc = pytest.importorskip("pythonosc")

from pythonosc.dispatcher import Dispatcher  # noqa: E402
from pythonosc.osc_bundle_builder import OscBundleBuilder  # noqa: E402
from pythonosc.osc_message_builder import OscMessageBuilder  # noqa: E402
from pythonosc.osc_server import BlockingOSCUDPServer  # noqa: E402
from pythonosc.udp_client import SimpleUDPClient  # noqa: E402

pytestmark = pytest.mark.broker


class Desk:
    """A show control desk: sends, and hears answers."""

    def __init__(self, rig: Rig, server: BlockingOSCUDPServer, heard: list[tuple[Any, ...]]) -> None:
        self.rig = rig
        self.heard = heard
        assert rig.config.osc is not None
        self.port = rig.config.osc.port
        self.client = SimpleUDPClient("127.0.0.1", self.port)
        self._server = server

    def send(self, address: str, *arguments: Any) -> None:
        self.client.send_message(address, list(arguments))

    def raw(self, data: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(data, ("127.0.0.1", self.port))

    def answer(self, n: int = 1) -> tuple[Any, ...]:
        """The n-th answer: operation, id, code, message."""

        def found() -> list[tuple[Any, ...]]:
            return [message[1:] for message in self.heard if message[0] == "/sovits/answer"]

        wait_until(lambda: len(found()) >= n, what=f"answer {n}")
        return found()[n - 1]

    def spoken(self, n: int = 1) -> list[str]:
        wait_until(lambda: len(self.rig.voice.started) >= n, what=f"{n} lines")
        return self.rig.voice.started


@pytest.fixture
def open_desk(start_rig: Callable[..., Rig]) -> Iterator[Callable[..., Desk]]:
    servers: list[BlockingOSCUDPServer] = []
    desks: list[Desk] = []

    def start(**settings: Any) -> Desk:
        heard: list[tuple[Any, ...]] = []
        dispatcher = Dispatcher()
        dispatcher.set_default_handler(lambda *message: heard.append(message))
        server = BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        values = {"port": free_port(), "reply_port": server.server_address[1], **settings}
        desks.append(Desk(start_rig(osc=values), server, heard))
        return desks[-1]

    yield start
    for desk in desks:
        desk.client._sock.close()  # python-osc leaves it to the garbage collector
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk()


@pytest.mark.parametrize(
    ("address", "arguments", "text", "character"),
    [
        ("/say/noah", ["你好，[emotion:sad]欢迎"], "你好，[emotion:sad]欢迎", "noah"),
        ("/say", ["ava", "Good evening."], "Good evening.", "ava"),
        ("/say", ["noah", "Good", "evening", "everyone"], "Good evening everyone", "noah"),
        ("/say/ava", ["Row", 12, 1.5], "Row 12 1.5", "ava"),
        ("/say/noah", [42], "42", "noah"),
    ],
)
def test_a_line_is_said(desk: Desk, address: str, arguments: list[Any], text: str, character: str) -> None:
    desk.send(address, *arguments)
    assert desk.spoken() == [text]
    op, request_id, code, message = desk.answer()
    assert (op, code, message) == ("say", "ok", "")
    desk.rig.event(request_id, "finished")
    events = [message for message in desk.heard if message[0] == "/sovits/event"]
    wait_until(lambda: len([m for m in desk.heard if m[0] == "/sovits/event"]) == 4)
    events = [message for message in desk.heard if message[0] == "/sovits/event"]
    expected = ["accepted", "started", "first_audio", "finished"]
    assert events == [("/sovits/event", request_id, name, character, "") for name in expected]


@pytest.mark.parametrize(
    ("address", "arguments", "code"),
    [
        ("/say", ["hello"], "unknown_character"),
        ("/say", [], "text_empty"),
        ("/say/noah", [], "text_empty"),
        ("/say/No.ah", ["x"], "unknown_character"),
        ("/say/nobody", ["x"], "unknown_character"),
        ("/say/noah", ["x" * 2001], "too_large"),
        ("/line/scene4", [], "unknown_line"),
        ("/line", [], "unknown_line"),
        ("/line", [12], "unknown_line"),
        ("/stop/nobody", [], "unknown_character"),
        ("/stop", ["No ah"], "unknown_character"),
        ("/cancel", ["never"], "bad_request"),
        ("/cancel", [], "bad_request"),
        ("/play", [], "bad_request"),
        ("/", [], "bad_request"),
        ("/say/noah/loud", ["x"], "bad_request"),
        ("/say/noah", [b"blob"], "text_empty"),
    ],
)
def test_a_fault_is_answered(desk: Desk, address: str, arguments: list[Any], code: str) -> None:
    desk.send(address, *arguments)
    answer = desk.answer()
    assert answer[2] == code and answer[3]
    assert desk.rig.voice.started == []


def test_text_in_another_encoding_is_told(desk: Desk) -> None:
    text = "你好你好".encode("gb18030")
    desk.raw(b"/say/noah\0\0\0,s\0\0" + text + b"\0" * (4 - len(text) % 4))
    assert desk.answer()[2] == "bad_encoding" and "GB18030" in desk.answer()[3]


def test_stop_silences_and_a_button_let_go_does_nothing(desk: Desk) -> None:
    desk.rig.occupy("one", "a line that is long enough to be cut off by a stop")
    desk.send("/stop", 0.0)
    desk.send("/stop/ava", 1)
    time.sleep(0.2)
    assert "cancelled" not in desk.rig.names("one")
    begun = time.monotonic()
    desk.send("/stop", 1.0)
    assert desk.rig.event("one", "cancelled")["by"] == "stop" and time.monotonic() - begun < 0.3
    desk.rig.occupy("two", "another line that is long enough to be cut off by a stop")
    desk.send("/cancel", "two")
    assert desk.rig.event("two", "cancelled")["by"] == "request"
    desk.rig.occupy("three", "a third line that is long enough to be cut off by a stop")
    desk.send("/stop", "noah")
    assert desk.rig.event("three", "cancelled")["by"] == "stop"


def bundle(when: float, *messages: tuple[str, str]) -> bytes:
    builder = OscBundleBuilder(when)
    for address, text in messages:
        message = OscMessageBuilder(address)
        message.add_arg(text)
        builder.add_content(message.build())
    return bytes(builder.build().dgram)


def test_a_bundle_is_done_when_it_is_due(desk: Desk) -> None:
    begun = time.time()
    desk.raw(bundle(begun + 0.6, ("/say/noah", "later")))
    desk.raw(bundle(begun - 5, ("/say/noah", "now"), ("/say/ava", "and now")))
    assert desk.spoken(3) == ["now", "and now", "later"] and time.time() - begun >= 0.6
    desk.raw(bundle(begun + 10_000_000, ("/say/noah", "never")))
    assert desk.answer(4)[2] == "bad_request" and "clocks" in desk.answer(4)[3]


def test_only_allowed_networks_are_heard(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(allow=["10.0.0.0/8"])
    desk.send("/say/noah", "hello")
    time.sleep(0.3)
    assert desk.rig.voice.started == [] and desk.heard == []
    both = open_desk(allow=["10.0.0.0/8", "127.0.0.1/32"])
    both.send("/say/noah", "hello")
    assert both.spoken() == ["hello"]


def test_no_answers_unless_asked(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(reply_port=None)
    desk.send("/say/noah", "hello")
    desk.rig.client.wait(lambda heard: "/event/" in heard.topic and heard.json["event"] == "finished")
    desk.send("/nonsense")
    time.sleep(0.2)
    assert desk.heard == []


def element(data: bytes, size: int | None = None) -> bytes:
    return struct.pack(">i", len(data) if size is None else size) + data


HEAD = b"#bundle\0" + struct.pack(">Q", 1)
NESTED = b"/stop\0\0\0"
for _ in range(200):
    NESTED = HEAD + element(NESTED)

HOSTILE = [
    b"",
    b"\0" * 100,
    b"/",
    b"/say",
    b"/say/noah\0\0\0,",
    b"/say/noah\0\0\0,s\0\0",
    b"/say/noah\0\0\0,s\0\0no end",
    b"/say/noah\0\0\0,[[[[\0\0\0",
    b"/say/noah\0\0\0,]]]]\0\0\0",
    b"/say/noah\0\0\0,b\0\0\xff\xff\xff\xff",
    b"/say/noah\0\0\0,b\0\0\x7f\xff\xff\xff",
    b"/say/noah\0\0\0," + b"q" * 8000 + b"\0" * 4,
    b"/say/noah\0\0\0," + b"N" * 8000 + b"\0" * 4,
    b"/\xff\xfe\0,s\0\0x\0\0\0",
    b"#bundle\0",
    HEAD + element(b"/stop\0\0\0", -4),
    HEAD + element(b"/stop\0\0\0", -8),
    HEAD + element(b"/stop\0\0\0", 0),
    HEAD + element(b"/stop\0\0\0", 2**31 - 1),
    HEAD + element(b"nonsense"),
    HEAD + element(b"/nothing\0\0\0\0") * 500,
    NESTED,
    b"x" * 60_000,
]


@pytest.mark.parametrize("data", HOSTILE)
def test_hostile_packets_are_refused_in_no_time(data: bytes) -> None:
    begun = time.monotonic()
    try:
        for when, message in unpack(data):
            read_message(message, when)
    except RequestError:
        pass
    assert time.monotonic() - begun < 0.5


def test_the_listener_survives_them_all(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    generator = random.Random(0)
    seeds = [
        *HOSTILE,
        bundle(time.time(), ("/say/noah", "x")),
        b"/say/noah\0\0\0,sifT\0\0\0a\0\0\0" + b"\1" * 8,
    ]
    for data in seeds:
        desk.raw(data)
    for _ in range(2000):
        data = bytearray(generator.choice(seeds)[:400])
        for _ in range(generator.randrange(4)):
            if data:
                data[generator.randrange(len(data))] = generator.randrange(256)
        desk.raw(bytes(data))

    def is_heard() -> bool:
        desk.send("/stop")
        desk.send("/say/noah", "still there")
        return "still there" in desk.rig.voice.started

    wait_until(is_heard, what="the line after the storm", every_s=0.5)
    assert not [record for record in caplog.records if record.levelname == "ERROR" and record.exc_info]


def test_a_taken_port_is_said_at_start(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        values = {"osc": {"port": port}, "state_dir": tmp_path, "sink": {"type": "null"}, "mqtt": {"port": 1}}
        daemon = Daemon(EdgeConfig.model_validate(values))
        with pytest.raises(ConfigError, match=rf"osc: cannot listen on 127.0.0.1 port {port}: .*osc.port"):
            daemon.run()


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from edge.config import OscConfig

    monkeypatch.setitem(sys.modules, "pythonosc", None)
    with pytest.raises(ConfigError, match=r"\[osc\] needs pythonosc: pip install 'sovits-tiny\[osc\]'"):
        OscDoor(OscConfig(), lambda command, **_: True).open()
