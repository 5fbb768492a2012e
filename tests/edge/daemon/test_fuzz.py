"""Whatever is sent, the daemon lives and answers afterwards."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.answers import Response
from edge.messages import OPERATIONS, Code, SayRequest
from edge.protocols.commands import Command
from edge.protocols.link import Inbound
from edge.protocols.mqtt_reader import MqttReader
from edge.topics import Topics
from tests.edge.daemon.conftest import Rig
from tests.edge.protocols.carrier import Recorded

pytestmark = pytest.mark.slow

TOPICS = Topics("sovits", "kiosk")
CODES = frozenset(Code.__args__)  # type: ignore[attr-defined]

CORPUS: dict[str, bytes] = {
    "empty": b"",
    "truncated": b'{"id": "x", "text": "hal',
    "deep nesting": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "deep and closed": b'{"text":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "not a number": b'{"text": "x", "rate": NaN}',
    "infinite": b'{"text": "x", "rate": Infinity}',
    "overflow": b'{"text": "x", "rate": 1e999}',
    "huge integer": b'{"text": "x", "priority": ' + b"9" * 5000 + b"}",
    "duplicate keys": b'{"text": "x", "text": "y"}',
    "an array": b'["say"]',
    "a string": b'"say"',
    "null": b"null",
    "invalid UTF-8": b'{"text": "\xff\xfe"}',
    "GB18030": "你好，世界".encode("gb18030"),
    "UTF-16": '{"text": "x"}'.encode("utf-16"),
    "lone surrogate": b'{"text": "\\ud800"}',
    "lone surrogate in a key": b'{"\\ud800": 1, "character": "noah", "text": "\\ud800"}',
    "surrogate id": b'{"id": "\\udfff", "text": "x"}',
    "NUL": b'{"text": "a\x00b"}',
    "only NUL": b"\x00" * 100,
    "control characters": bytes(range(32)),
    "wrong types": b'{"id": 5, "text": ["x"], "output": "play", "audio": 3, "reply_to": {}}',
    "text a number": b'{"text": 1e5}',
    "boolean priority": b'{"character": "noah", "text": "x", "priority": true}',
    "id with a slash": b'{"id": "../../etc", "text": "x"}',
    "long id": b'{"id": "' + b"x" * 65 + b'", "text": "x"}',
    "many unknown keys": json.dumps({f"key{number}": number for number in range(5000)}).encode(),
    "long text": json.dumps({"character": "noah", "text": "x" * 2001}).encode(),
    "too large": b"x" * 300_000,
    "wildcard character": b'{"character": "+", "text": "x"}',
    "unclosed tag": b'{"character": "noah", "text": "[emotion:"}',
    "many tags": json.dumps({"character": "noah", "text": "[mark:a]" * 200}).encode(),
    "prepare junk": b'{"items": [1, 2, 3]}',
    "prepare nothing": b'{"items": []}',
    "XML bomb": b'<!DOCTYPE lolz [<!ENTITY lol "lol">]>',
    "shell": b"$(reboot); `reboot` && reboot | reboot > /dev/null",
}


def inbound(topic: str, payload: bytes, **keys: Any) -> Inbound:
    values: dict[str, Any] = {"retain": False, "dup": False, "qos": 1, "mid": 1, "epoch": 1}
    return Inbound(
        topic=topic, payload=payload, received=time.monotonic(), n_payload=len(payload), **(values | keys)
    )


def read(topic: str, payload: bytes, **keys: Any) -> Command:
    address = TOPICS.read(topic)
    assert address is not None
    return MqttReader(TOPICS, 262_144, (), Recorded()).read(inbound(topic, payload, **keys), address)


def check(command: Command) -> None:
    """Understood or refused with a code of the contract, and either way it can be answered."""
    assert (command.error is None) == (command.request is not None)
    if command.error is not None:
        assert command.error.code in CODES and str(command.error)
    answer = Response(
        id=command.request_id,
        op=command.op,
        ok=command.error is None,
        code="ok" if command.error is None else command.error.code,  # type: ignore[arg-type]
        message=str(command.error or ""),
        warnings=command.warnings,
    )
    assert json.loads(answer.to_json())["id"] == command.request_id
    assert len(answer.to_json()) < 20_000


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters(exclude_categories=()), max_size=30),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=10), children, max_size=4)
    ),
    max_leaves=12,
)
say_keys = st.sampled_from([*SayRequest.model_fields, "items", "colour"])


@given(st.sampled_from(OPERATIONS), st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_on_a_request_topic(op: str, payload: bytes) -> None:
    check(read(f"sovits/kiosk/request/{op}", payload))


@given(st.sampled_from(OPERATIONS), st.dictionaries(say_keys, json_values, max_size=8))
@settings(max_examples=400, deadline=None)
def test_any_values_for_the_known_keys(op: str, values: dict[str, Any]) -> None:
    check(read(f"sovits/kiosk/request/{op}", json.dumps(values).encode()))


@given(st.binary(max_size=300), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_bytes_as_a_line(payload: bytes, dup: bool) -> None:
    command = read("sovits/kiosk/say/noah", payload, dup=dup)
    check(command)
    if command.error is None:
        assert isinstance(command.request, SayRequest) and command.request.text is not None
        command.request.text.encode()


@given(st.text(max_size=80), st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_topic_and_any_reply_topic(tail: str, reply: str) -> None:
    topic = f"sovits/kiosk/{tail}"
    address = TOPICS.read(topic)
    if address is not None and address.kind != "health":
        check(
            MqttReader(TOPICS, 4096, (), Recorded()).read(
                inbound(topic, b"{}", response_topic=reply), address
            )
        )


@pytest.mark.parametrize("name", CORPUS)
def test_the_corpus_offline(name: str) -> None:
    for topic in ("say/noah", "line/x", "stop", *(f"request/{op}" for op in OPERATIONS)):
        check(read(f"sovits/kiosk/{topic}", CORPUS[name]))


@pytest.mark.broker
def test_the_corpus_against_a_living_daemon(rig: Rig) -> None:
    topics = ["say/noah", "say/nobody", "say/NOT A NAME", "line/x", "stop/noah", "stop/$", "request/dance"]
    topics += [f"request/{op}" for op in OPERATIONS]
    for payload in CORPUS.values():
        for topic in topics:
            rig.client.say(f"{rig.root}/{topic}", payload)
    rig.client.say(f"{rig.root}/say/{'x' * 60_000}", "x")
    rig.client.say(f"{rig.root}/stop", "")
    rig.say("afterwards", "still here")
    rig.client.wait_event("afterwards", "finished", timeout_s=60)
    assert rig.error is None
    responses = rig.client.find(lambda heard: heard.topic.startswith(f"{rig.root}/response/"))
    answered = [
        heard.json for heard in responses if not heard.topic.endswith(("/prepare", "/stop", "/reload"))
    ]
    assert len(answered) > len(CORPUS) * 8
    assert {answer["code"] for answer in answered} <= CODES | {"ok"}
    internal = [answer for answer in answered if answer["code"] == "internal"]
    assert not internal, internal[:3]
