"""The examples for show control: what they send is obeyed, sent by the program itself where it runs here."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import types
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from edge.demo.broker import free_port
from edge.protocols.channels import CHANNELS, Words
from tests.edge.daemon.broker import PATIENCE_S, Client, accepts, needs_clients, wait_until
from tests.edge.daemon.conftest import Rig

pytestmark = pytest.mark.broker

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs" / "show-control"
MODULES = ROOT / ".node" / "node_modules"
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(
    NODE is None or not (MODULES / "node-red").is_dir(), reason="Node-RED is not installed (make node)"
)


def rows(page: str) -> list[list[str]]:
    """Cells of the tables of a page, without code marks."""
    lines = [line for line in (EXAMPLES / page).read_text("utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


@pytest.fixture
def kiosk(start_rig: Callable[..., Rig]) -> Rig:
    return start_rig(device="kiosk", osc={"port": free_port()})


@needs_clients
def test_the_buttons_of_companion(kiosk: Rig) -> None:
    buttons = [row for row in rows("companion.md") if row[3] == "1"]
    assert len(buttons) == 5
    port = str(kiosk.config.mqtt.port)
    for _, topic, payload, qos in buttons:
        command = ["mosquitto_pub", "-V", "mqttv311", "-p", port, "-t", topic, "-m", payload, "-q", qos]
        subprocess.run(command, check=True, timeout=PATIENCE_S)
        kind, operation = topic.split("/")[2:4] if topic.count("/") > 2 else (topic.split("/")[2], "")
        assert kiosk.response(operation if kind == "request" else kind)["ok"], topic
    assert "Good evening. [mark:lights]The doors are open." in kiosk.voice.started


def test_the_lamps_of_companion_are_words_of_the_contract() -> None:
    lamps = [row for row in rows("companion.md") if row[1].startswith("sovits/") and row[3] != "1"]
    assert len(lamps) == 5
    for _, topic, word, _ in lamps:
        (channel,) = [one for one in CHANNELS if f"sovits/kiosk/{one.tail}" == topic]
        payload = channel.messages["word"]
        assert isinstance(payload, Words) and word in payload.words, topic


def test_the_cues_of_qlab(kiosk: Rig) -> None:
    builder = pytest.importorskip("pythonosc.osc_message_builder")
    assert kiosk.config.osc is not None
    where = ("127.0.0.1", kiosk.config.osc.port)
    messages = [row[1] for row in rows("qlab.md") if row[1].startswith("/")]
    assert len(messages) == 4
    for message in messages:
        address, _, argument = message.partition(" ")
        packet = builder.OscMessageBuilder(address)
        if argument:
            packet.add_arg(argument.strip('"'))
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            sender.sendto(packet.build().dgram, where)
        kiosk.response("say" if address.startswith("/say") else "stop")
    answers = kiosk.client.find(lambda heard: "/response/" in heard.topic)
    assert all(heard.json["ok"] for heard in answers)
    kiosk.client.wait(lambda heard: "/response/stop" in heard.topic, n=2)


def load_callbacks(op: Callable[[str], Any]) -> types.ModuleType:
    module = types.ModuleType("callbacks")
    module.__dict__["op"] = op
    source = (EXAMPLES / "touchdesigner.py").read_text("utf-8")
    exec(compile(source, "touchdesigner.py", "exec"), module.__dict__)
    return module


class Lamps(dict[str, str]):
    """A Table DAT, as far as the callbacks use it."""

    def row(self, name: str) -> bool:
        return name in self

    def appendRow(self, cells: list[str]) -> None:
        self[cells[0]] = cells[1]

    def __setitem__(self, key: Any, value: str) -> None:
        super().__setitem__(key[0] if isinstance(key, tuple) else key, value)


def test_the_callbacks_of_touchdesigner(kiosk: Rig) -> None:
    pulses: list[str] = []
    ends: list[str] = []
    lamps = Lamps()
    dat = types.SimpleNamespace(publish=lambda topic, data, qos: kiosk.client.say(topic, data, qos=qos))
    trigger = types.SimpleNamespace(pulse=lambda: pulses.append("lights"))
    chop = types.SimpleNamespace(par=types.SimpleNamespace(triggerpulse=trigger))
    nodes = {"mqttclient1": dat, "lamps": lamps, "mark_lights": chop}
    module = load_callbacks(nodes.get)
    subscribed: list[str] = []
    module.onConnect(types.SimpleNamespace(subscribe=lambda topic, qos: subscribed.append(topic)))
    listener = Client(kiosk.config.mqtt.port, *subscribed)
    module.say("noah", "[mark:lights]你好", then=lambda event: ends.append(event["event"]), priority=7)
    kiosk.client.wait(lambda heard: "/event/" in heard.topic and heard.json["event"] == "finished")
    module.stop("noah")
    kiosk.response("stop")

    def feed() -> bool:
        for heard in listener.find(lambda heard: True):
            module.onMessage(dat, heard.topic, heard.payload, 1, heard.retain, False)
        return bool(ends and pulses and lamps)

    wait_until(feed, what="the end, the mark and the lamps")
    assert ends == ["finished"] and lamps["availability"] == "online"
    assert lamps["state"] in ("idle", "speaking")
    listener.close()


@needs_node
@pytest.mark.node
def test_mqtt_js_says_a_line(kiosk: Rig) -> None:
    command = [str(NODE), str(EXAMPLES / "say.cjs"), f"mqtt://127.0.0.1:{kiosk.config.mqtt.port}", "kiosk"]
    environment = {**os.environ, "NODE_PATH": str(MODULES)}

    def run(text: str) -> tuple[int, list[dict[str, Any]]]:
        done = subprocess.run(
            [*command, "noah", text], env=environment, capture_output=True, timeout=PATIENCE_S, check=False
        )
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    status, told = run("你好，{欢迎}光临！")
    assert status == 0, told
    assert {message.get("event", message.get("op")) for message in told} == {
        "say", "accepted", "started", "first_audio", "finished",
    }  # fmt: skip
    status, told = run("it breaks after the first chunk")
    assert status == 1 and told[-1]["code"] == "runner_error"


@contextmanager
def node_red(broker_port: int, directory: Path) -> Iterator[int]:
    """Node-RED with the example's flow, its broker here; yields the port of its editor."""
    flow = json.loads((EXAMPLES / "node-red.json").read_text("utf-8"))
    for node in flow:
        if node["type"] == "mqtt-broker":
            node["port"] = str(broker_port)
    (directory / "flows.json").write_text(json.dumps(flow))
    port = free_port()
    settings = f"module.exports = {{uiPort: {port}, uiHost: '127.0.0.1', flowFile: 'flows.json', "
    settings += "credentialSecret: false, logging: {console: {level: 'warn'}}, telemetry: {enabled: false}};"
    (directory / "settings.js").write_text(settings)
    with (directory / "log").open("wb") as log:
        program = [str(NODE), str(MODULES / "node-red" / "red.js"), "--userDir", str(directory)]
        process = subprocess.Popen(program, stdout=log, stderr=log, cwd=directory)
    try:
        wait_until(lambda: accepts(port), what=f"Node-RED; {(directory / 'log').read_text()}")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


@needs_node
@pytest.mark.node
def test_the_flow_of_node_red(kiosk: Rig, tmp_path: Path) -> None:
    directory = tmp_path / "node-red"
    directory.mkdir()
    listener = Client(kiosk.config.mqtt.port, "show/#")

    with node_red(kiosk.config.mqtt.port, directory) as port:

        def press(node: str) -> bool:
            request = urllib.request.Request(f"http://127.0.0.1:{port}/inject/{node}", method="POST")
            try:
                with urllib.request.urlopen(request, timeout=10):
                    return True
            except OSError:  # the flow has not started yet
                return False

        def gone_on() -> bool:
            """GO once more: the first may come before Node-RED hears what becomes of it."""
            press("sovits_go")
            with suppress(AssertionError):
                listener.wait(lambda heard: heard.topic == "show/cue/next", timeout_s=3)
            return bool(listener.heard)

        wait_until(lambda: press("sovits_stop_button"), what=(directory / "log").read_text())
        wait_until(gone_on, what=(directory / "log").read_text())
        cues = listener.find(lambda heard: heard.topic == "show/cue/next")
        assert {heard.payload for heard in cues} <= {b"finished"}
        listener.wait(lambda heard: heard.topic == "show/lights" and heard.json["name"] == "lights")
        assert press("sovits_stop_button")
        assert kiosk.response("stop")["ok"]
    listener.close()


def test_every_example_is_on_the_page() -> None:
    page = (EXAMPLES / "README.md").read_text("utf-8")
    named = set(re.findall(r"\]\((\w[\w.-]*)\)", page))
    assert named == {path.name for path in EXAMPLES.iterdir()} - {"README.md"}
