"""What a daemon says is what the contract's document says that it says: every topic, every payload."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from edge.messages import OPERATIONS
from edge.protocols import asyncapi
from edge.protocols.channels import CHANNELS, Binary, Channel, Words
from tests.edge.daemon.broker import Heard, wait_until
from tests.edge.daemon.conftest import Rig

jsonschema = pytest.importorskip("jsonschema")

pytestmark = pytest.mark.broker

COMPONENTS = {"schemas": asyncapi.schemas()}
SENT = [channel for channel in CHANNELS if not channel.receives]


def channel_of(tail: str) -> Channel | None:
    """The most literal channel of a topic that the daemon wrote."""
    for channel in sorted(SENT, key=lambda channel: channel.tail.count("{")):
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", channel.tail), tail):
            return channel
    return None


def fits(payload: Any, heard: Heard) -> bool:
    if isinstance(payload, Binary):
        return True
    if isinstance(payload, Words):
        return not payload.words or heard.payload.decode() in payload.words
    schema = {"$ref": f"#/components/schemas/{payload.__name__}", "components": COMPONENTS}
    return bool(jsonschema.Draft7Validator(schema).is_valid(json.loads(heard.payload)))


def say_everything(rig: Rig) -> None:
    """Make the daemon say all that it can say."""
    for operation in OPERATIONS:  # refusals
        rig.request(operation, b"[")
    rig.request("dance", {})
    rig.client.say(f"{rig.root}/line/scene4", "")
    rig.client.say(f"{rig.root}/label/shown", "")
    rig.request("characters", {"id": "c"})
    rig.request("prepare", {"id": "p", "items": [{"character": "noah", "text": "x"}, {"text": 5}]})
    rig.say("late", "x", deadline_ms=1, not_before_ms=50)
    for viseme_set in ("oculus", "rhubarb", "azure", "arkit", "polly"):
        outputs = ["audio", "lipsync", "file"]
        rig.say(viseme_set, "[mark:gong]Well said.", output=outputs, visemes=viseme_set, nonsense=1)
        rig.event(viseme_set, "finished")
    rig.say("oculus", "[mark:gong]Well said.", output=outputs, visemes="oculus")
    rig.say("oculus", "something else")
    rig.say("bad", "it breaks after the first chunk")
    rig.event("bad", "failed")
    rig.event("late", "expired")
    rig.occupy("long", "[mark:gong]a line that is long enough to be cut", emotion="angry")
    rig.request("status", {"id": "s"})
    rig.request("cancel", {"id": "long"})
    rig.event("long", "cancelled")
    rig.client.say(f"{rig.root}/stop/noah", "")
    rig.request("stop", {"id": "halt"})
    rig.request("reload", {"id": "r"})
    rig.response("reload", "r")
    rig.request("flush_cache", {"id": "f"})
    rig.response("flush_cache", "f")
    rig.settle()
    rig.stop()


def test_everything_that_is_said_is_in_the_contract(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig()
    say_everything(rig)
    used: set[str] = set()
    for heard in rig.client.find(lambda heard: heard.topic.startswith(rig.root)):
        tail = heard.topic.removeprefix(rig.root + "/")
        if re.match(r"(say|line|stop|request|label|trust)(/|$)", tail):
            continue  # what the test itself sent
        if tail == "response/dance":
            continue  # an operation that is none
        channel = channel_of(tail)
        assert channel is not None, f"{heard.topic} is not in the contract"
        names = [name for name, payload in channel.messages.items() if fits(payload, heard)]
        assert names, f"{heard.topic}: {heard.payload[:300]!r}"
        used |= {f"{channel.name}.{name}" for name in names}
    known = {f"{channel.name}.{name}" for channel in SENT for name in channel.messages}
    assert known - used <= {"response_line.answer"}, "never said"


def test_retained_topics_are_those_of_the_contract(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig()
    rig.say("one")
    rig.event("one", "finished")
    late = type(rig.client)(rig.config.mqtt.port, f"{rig.root}/#")
    expected = {channel.name for channel in SENT if channel.retain}
    found: set[str] = set()

    def complete() -> bool:
        for heard in late.find(lambda heard: heard.retain):
            channel = channel_of(heard.topic.removeprefix(rig.root + "/"))
            assert channel is not None and channel.retain, heard.topic
            found.add(channel.name)
        return found == expected

    wait_until(complete, what="all retained topics")
    late.close()
