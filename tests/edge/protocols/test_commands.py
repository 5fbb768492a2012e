"""Reading messages, without a broker."""

from __future__ import annotations

from typing import Any

import pytest

from edge.daemon.inbox import Inbox
from edge.messages import SayRequest, StopRequest
from edge.protocols.commands import Command
from edge.protocols.link import Inbound
from edge.protocols.mqtt_reader import MqttReader, MqttReply
from edge.topics import Topics

from .carrier import Recorded

TOPICS = Topics("sovits", "kiosk")


@pytest.fixture
def reader() -> MqttReader:
    return MqttReader(TOPICS, 10_000, (), Recorded())


def inbound(tail: str, payload: bytes = b"", **keys: Any) -> Inbound:
    values: dict[str, Any] = {"retain": False, "dup": False, "qos": 1, "mid": 1, "epoch": 1, "received": 0.0}
    return Inbound(f"sovits/kiosk/{tail}", payload, **(values | {"n_payload": len(payload)} | keys))


def read(reader: MqttReader, message: Inbound) -> Command:
    address = TOPICS.read(message.topic)
    assert address is not None
    return reader.read(message, address)


def test_text_is_the_line_whatever_it_looks_like(reader: MqttReader) -> None:
    for text in ('{"text": "x"}', "[1, 2]", "null", "GO", "1"):
        command = read(reader, inbound("say/noah", text.encode()))
        assert isinstance(command.request, SayRequest) and command.request.text == text
        assert command.character == "noah" and command.op == "say"


def test_a_repeated_delivery_of_a_text_keeps_its_id(reader: MqttReader) -> None:
    first = read(reader, inbound("say/noah", b"hello", received=1.0)).request_id
    pressed_again = read(reader, inbound("say/noah", b"hello", received=2.0)).request_id
    assert pressed_again != first
    assert read(reader, inbound("say/noah", b"hello", dup=True, received=3.0)).request_id == pressed_again
    assert read(reader, inbound("say/ava", b"hello", dup=True, received=3.0)).request_id != pressed_again
    assert read(reader, inbound("say/noah", b"hello", dup=True, received=99.0)).request_id != pressed_again


def test_stop_takes_anything(reader: MqttReader) -> None:
    for payload in (b"", b"1", b"\xff\xfe", b"{"):
        command = read(reader, inbound("stop", payload))
        assert isinstance(command.request, StopRequest) and command.request.character is None
    assert read(reader, inbound("stop/noah", b"x")).request == StopRequest(character="noah")


def test_a_stop_that_comes_again_is_known(reader: MqttReader) -> None:
    assert not read(reader, inbound("stop", b"x", received=1.0)).repeated
    assert not read(reader, inbound("stop", b"x", received=2.0)).repeated
    again = inbound("stop", b"x", received=3.0, dup=True)
    assert read(reader, again).repeated and read(reader, again).repeated
    assert not read(reader, inbound("stop/noah", b"x", received=3.0, dup=True)).repeated
    first_seen_late = inbound("stop", b"unseen", received=3.0, dup=True)
    assert not read(reader, first_seen_late).repeated and not read(reader, first_seen_late).repeated


def test_a_line_of_the_show_file_takes_overrides(reader: MqttReader) -> None:
    request = read(reader, inbound("line/scene4", b'{"rate": 1.2}')).request
    assert isinstance(request, SayRequest) and (request.line, request.rate) == ("scene4", 1.2)
    assert read(reader, inbound("line/Scene 4")).error is not None


@pytest.mark.parametrize("tail", ["say/noah", "stop", "stop/noah", "request/say", "line/x"])
def test_retained_commands_are_refused(reader: MqttReader, tail: str) -> None:
    command = read(reader, inbound(tail, b"{}", retain=True))
    assert command.error is not None and command.error.code == "retained_command"
    assert command.character == ("noah" if "noah" in tail else "")


def test_an_answer_finds_its_way_even_if_the_request_is_wrong(reader: MqttReader) -> None:
    payload = b'{"id": "mine", "character": "noah", "rate": 99, "reply_to": "replies/x"}'
    command = read(reader, inbound("request/say", payload, response_topic="replies/y"))
    assert command.error is not None and command.error.code == "bad_request"
    assert (command.request_id, command.character) == ("mine", "noah")
    assert isinstance(command.reply, MqttReply) and command.reply.topics == ["replies/y", "replies/x"]


def test_a_payload_that_was_not_kept_is_too_large(reader: MqttReader) -> None:
    command = read(reader, inbound("request/say", b"", n_payload=20_000))
    assert command.error is not None and command.error.code == "too_large" and "20000" in str(command.error)


def test_the_inbox_reads_urgent_before_own_before_foreign() -> None:
    inbox = Inbox(max_intake=10, max_intake_bytes=100_000)
    inbox.offer(inbound("say/noah", b"first"))
    inbox.put("own")
    inbox.offer(inbound("stop"), urgent=True)
    assert inbox.get(None) == inbound("stop")
    assert inbox.get(None, with_intake=False) == "own"
    assert inbox.get(0.0, with_intake=False) is None
    assert inbox.get(None) == inbound("say/noah", b"first")
    assert inbox.is_empty()


def test_the_inbox_is_bounded_in_number_and_bytes_but_keeps_what_it_owes() -> None:
    inbox = Inbox(max_intake=3, max_intake_bytes=10_000)
    assert [inbox.offer(inbound("say/noah", b"x")) for _ in range(5)] == [True, True, True, False, False]
    assert inbox.offer(inbound("say/noah", b"x"), owed=True)
    assert (inbox.dropped, inbox.intake_depth()) == (2, 4)
    while inbox.get(0.0) is not None:
        pass
    assert inbox.offer(inbound("say/noah", b"x" * 8000))
    assert not inbox.offer(inbound("say/noah", b"x" * 8000))
