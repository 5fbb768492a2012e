"""What the README tells people to type works as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import wave
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks import report
from edge.demo.broker import local_broker

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMAND_LINE = next((block for block in BLOCKS if "sovits-edge say" in block), "")
DAEMON = next((block for block in BLOCKS if "sovits-edge serve" in block), "")


def shim(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder that looks as after `make demo`, whose commands lead to this checkout."""
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "activate").write_text("", encoding="utf-8")
    shim(folder, "sovits-edge", f'exec {shlex.quote(sys.executable)} -m edge "$@"')
    shim(folder, "aplay", "cat > played.wav")
    return tmp_path


def start(block: str, place: Path, **more: str) -> subprocess.Popen[str]:
    path = f"{place / '.venv' / 'bin'}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(place), **more}
    return subprocess.Popen(
        ["bash", "-e", "-o", "pipefail", "-c", block],
        cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_there_are_three_blocks() -> None:
    assert len(BLOCKS) == 3 and COMMAND_LINE and DAEMON


def test_make_knows_the_targets_of_the_first_block() -> None:
    targets = re.findall(r"^make (\w+)", BLOCKS[0], re.MULTILINE)
    assert targets == ["demo", "test"]
    for target in [*targets, "check", "bench"]:
        result = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, timeout=30)
        assert result.returncode == 0, result.stderr


@pytest.mark.voice
def test_the_commands_speak(place: Path) -> None:
    process = start(COMMAND_LINE, place)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    with wave.open(str(place / "hello.wav"), "rb") as file:
        assert file.getframerate() == 32_000 and file.getnframes() > 16_000
    assert (place / "hello.json").stat().st_size > 100
    assert (place / "played.wav").read_bytes()[:4] == b"RIFF"
    assert "zh" in output and "noah" in output


@pytest.fixture
def heard(place: Path) -> Iterator[tuple[threading.Event, list[str]]]:
    """Every topic that a stranger on the broker hears; the commands of the block are led to that broker."""
    topics: list[str] = []
    silenced = threading.Event()

    def on_message(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        topics.append(message.topic)
        if b'"cancelled"' in message.payload:
            silenced.set()

    with local_broker() as broker:
        folder, publish = place / ".venv" / "bin", shutil.which("mosquitto_pub")
        shim(folder, "mosquitto", "")  # the broker of this test is there already
        edge = f"{shlex.quote(sys.executable)} -m edge"
        to_broker = f"--broker mqtt://127.0.0.1:{broker.port} --state-dir state"
        shim(folder, "sovits-edge", f'echo $$ > daemon.pid; exec {edge} "$@" {to_broker}')
        wait = f"mosquitto_sub -p {broker.port} -t sovits/kiosk/availability -C 1 -W 60 >/dev/null"
        # Somebody who types has waited until the daemon was ready, and has heard something before the stop.
        shim(folder, "mosquitto_pub", f'{wait}; {publish} -p {broker.port} "$@"; sleep 0.5')
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.on_message = on_message
        client.connect("127.0.0.1", broker.port)
        client.subscribe("sovits/kiosk/#", qos=1)
        client.loop_start()
        yield silenced, topics
        client.disconnect()
        client.loop_stop()


@pytest.mark.voice
@pytest.mark.broker
@pytest.mark.skipif(
    not shutil.which("mosquitto_pub"), reason="no mosquitto_pub: apt-get install mosquitto-clients"
)
def test_the_daemon_speaks_and_stops(place: Path, heard: tuple[threading.Event, list[str]]) -> None:
    silenced, topics = heard
    process = start(DAEMON, place)
    try:
        assert silenced.wait(60), topics
        assert "sovits/kiosk/event/noah" in topics
    finally:
        os.kill(int((place / "daemon.pid").read_text()), 15)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors


def test_the_files_in_the_readme_and_the_index_exist() -> None:
    for page in (ROOT / "README.md", ROOT / "docs" / "README.md"):
        links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
        missing = [link for link in links if not (page.parent / link).exists()]
        assert links and not missing, f"{page.name}: {missing}"
    diagram = re.search(r"^```text\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert diagram is not None
    for name in re.findall(r"\bedge/[\w/]+(?:\.py)?", diagram[1]):
        assert (ROOT / name).exists(), name


def test_every_document_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    missing = [page.name for page in (ROOT / "docs").glob("*.md") if f"({page.name})" not in index]
    assert not [name for name in missing if name != "README.md"]


def test_the_figures_are_those_that_were_measured() -> None:
    between = README.split(report.BEGIN)[1].split(report.END)[0].strip()
    assert between == report.section()
