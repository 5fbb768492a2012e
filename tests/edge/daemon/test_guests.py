"""Hermes and Home Assistant, over a real broker."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.edge.daemon.broker import Client, needs_mosquitto, wait_until
from tests.edge.daemon.conftest import Rig, mosquitto
from tests.edge.daemon.stand_in import UNSPEAKABLE

pytestmark = pytest.mark.broker

SAY = "hermes/tts/say"
FINISHED = "hermes/tts/sayFinished"
ERROR = "hermes/error/tts"


@pytest.fixture
def guest(broker_port: int) -> Any:
    client = Client(broker_port, "hermes/#", "homeassistant/#")
    yield client
    client.close()


def heard(client: Client, topic: str, n: int = 1) -> dict[str, Any]:
    return dict(client.wait(lambda message: message.topic == topic and not message.retain, n).json)


@pytest.fixture
def hermes(start_rig: Callable[..., Rig]) -> Rig:
    return start_rig(hermes={"site_ids": ["default", "stage"], "character": "ava"})


def test_a_line_of_hermes_is_said_and_its_end_told(hermes: Rig, guest: Client) -> None:
    message = {"text": "Good evening.", "siteId": "stage", "lang": "en_US", "id": "7", "sessionId": "s1"}
    guest.say(SAY, {**message, "volume": None})
    assert heard(guest, FINISHED) == {"siteId": "stage", "id": "7", "sessionId": "s1"}
    assert hermes.voice.started == ["Good evening."]
    finished = hermes.client.wait(lambda m: "/event/ava" in m.topic and m.json["event"] == "finished").json
    assert hermes.names(finished["id"]) == ["accepted", "started", "first_audio", "finished"]
    guest.say(SAY, {"text": "And again."})
    assert heard(guest, FINISHED, 2) == {"siteId": "default", "id": None, "sessionId": None}
    assert not guest.find(lambda message: message.topic == ERROR)


def test_other_sites_are_left_alone(hermes: Rig, guest: Client) -> None:
    guest.say(SAY, {"text": "not here", "siteId": "kitchen"})
    guest.say(SAY, {"text": 3, "siteId": "kitchen"})
    guest.say(SAY, {"text": "here", "siteId": "stage"})
    heard(guest, FINISHED)
    assert hermes.voice.started == ["here"]
    assert len(guest.find(lambda message: message.topic in (FINISHED, ERROR))) == 1


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ("{", "bad_json"),
        ("", "bad_request: text"),
        ({"text": ""}, "text_empty"),
        ({"text": 3, "id": "x"}, "bad_request: text"),
        ({"text": "x" * 2001}, "too_large"),
        ({"text": "x", "volume": 3}, "bad_request: volume"),
        ({"text": UNSPEAKABLE}, "text_unspeakable"),
        ({"text": "it breaks in the middle of the line"}, "runner_error"),
        (b"\xc4\xe3\xba\xc3", "bad_encoding"),
        (b"x" * 300_000, "too_large"),
        (b"[" * 50_000, "bad_json"),
    ],
)
def test_a_fault_is_told_and_the_dialogue_goes_on(
    hermes: Rig, guest: Client, payload: Any, told: str
) -> None:
    guest.say(SAY, payload)
    error = heard(guest, ERROR)
    assert error["error"].startswith(told) and error["siteId"] == "default"
    heard(guest, FINISHED)
    guest.say(SAY, {"text": "still there"})
    heard(guest, FINISHED, 2)


def test_a_line_that_is_stopped_is_over_too(hermes: Rig, guest: Client) -> None:
    guest.say(SAY, {"text": "a line that is long enough to be stopped in the middle of it", "id": "1"})
    hermes.client.wait(lambda message: "/event/" in message.topic and message.json["event"] == "first_audio")
    hermes.client.say(f"{hermes.root}/stop", "")
    assert heard(guest, FINISHED)["id"] == "1"


def test_a_retained_line_is_refused(hermes: Rig, guest: Client) -> None:
    guest.say(SAY, {"text": "again and again"}, retain=True)
    assert heard(guest, ERROR)["error"].startswith("retained_command")
    guest.say(SAY, b"", retain=True)
    guest.say(SAY, {"text": "once"})
    heard(guest, FINISHED, 2)
    assert hermes.voice.started == ["once"]


def test_the_first_character_speaks_unless_configured(start_rig: Callable[..., Rig], guest: Client) -> None:
    rig = start_rig(hermes={})
    guest.say(SAY, {"text": "hello"})
    heard(guest, FINISHED)
    assert rig.client.find(lambda message: message.topic == f"{rig.root}/event/noah")


def test_nothing_is_heard_unless_asked(rig: Rig, guest: Client) -> None:
    guest.say(SAY, {"text": "hello"})
    guest.say("homeassistant/status", "online")
    rig.settle()
    assert rig.voice.started == [] and not guest.find(lambda message: message.topic == FINISHED)
    node = rig.root.replace("/", "-")
    assert not guest.find(lambda message: f"/{node}/" in message.topic)


def configs(client: Client, rig: Rig) -> dict[str, dict[str, Any]]:
    node = rig.root.replace("/", "-")
    found = client.find(lambda message: f"/{node}/" in message.topic and message.payload)
    return {message.topic.removeprefix("homeassistant/"): message.json for message in found}


def test_home_assistant_finds_the_device(start_rig: Callable[..., Rig], guest: Client) -> None:
    rig = start_rig(homeassistant={})
    node = rig.root.replace("/", "-")
    names = ["sensor/{}/state", "sensor/{}/queue", "sensor/{}/last_error", "button/{}/stop"]
    names += ["text/{}/say_noah", "notify/{}/notify_noah", "text/{}/say_ava", "notify/{}/notify_ava"]
    wait_until(lambda: len(configs(guest, rig)) == 8, what="eight entities")
    found = configs(guest, rig)
    assert sorted(found) == sorted(f"{name.format(node)}/config" for name in names)
    assert len({entity["unique_id"] for entity in found.values()}) == 8
    for entity in found.values():
        assert entity["availability_topic"] == f"{rig.root}/availability"
        assert entity["device"]["identifiers"] == [node] and entity["origin"]["name"] == "sovits-tiny"
    state = found[f"sensor/{node}/state/config"]
    assert rig.lamp(state["state_topic"].removeprefix(rig.root + "/"))[-1] in state["options"]

    notify = found[f"notify/{node}/notify_ava/config"]
    guest.say(notify["command_topic"], "a line that is long enough to be stopped in the middle of it")
    rig.client.wait(
        lambda message: message.topic == f"{rig.root}/event/ava" and message.json["event"] == "first_audio"
    )
    stop = found[f"button/{node}/stop/config"]
    guest.say(stop["command_topic"], stop["payload_press"])
    rig.client.wait(
        lambda message: message.topic == f"{rig.root}/event/ava" and message.json["event"] == "cancelled"
    )


@needs_mosquitto
def test_state_comes_before_discovery_and_both_again_when_home_assistant_starts(
    start_rig: Callable[..., Rig], tmp_path: Path
) -> None:
    with mosquitto(tmp_path) as port:
        client = Client(port, "#")
        rig = start_rig(port=port, homeassistant={"prefix": "ha"})
        last = f"ha/notify/{rig.root.replace('/', '-')}/notify_ava/config"
        client.wait(lambda message: message.topic == last)
        order = [message.topic for message in client.find(lambda message: True)]
        first = min(index for index, topic in enumerate(order) if topic.startswith("ha/"))
        assert {f"{rig.root}/state", f"{rig.root}/availability"} <= set(order[:first])
        client.say("ha/status", "offline")
        client.say("ha/status", "online")
        client.wait(lambda message: message.topic == last, 2)
        assert (
            client.wait(lambda message: message.topic == f"{rig.root}/availability", 2).payload == b"online"
        )
        rig.stop()
        client.close()


def test_a_character_that_has_gone_goes_there_too(start_rig: Callable[..., Rig], guest: Client) -> None:
    rig = start_rig(homeassistant={})
    node = rig.root.replace("/", "-")
    wait_until(lambda: len(configs(guest, rig)) == 8, what="eight entities")
    rig.voice.bundle.manifest.characters = rig.voice.bundle.manifest.characters[:1]
    rig.request("reload", {"id": "r"})
    rig.response("reload", "r")
    gone = f"homeassistant/text/{node}/say_ava/config"
    guest.wait(lambda message: message.topic == gone and message.payload == b"")
    assert json.loads(guest.find(lambda message: message.topic.endswith("/say_noah/config"))[-1].payload)
