"""``make demo``: a broker, the daemon, and lines in three languages sent to it as a show would send them.

Leaves a WAV and a lip-sync file for each line in demo-out/ and prints what it measured.
"""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from ..errors import EdgeError
from ..protocols.mqtt import send_at_once
from .broker import LocalBroker, local_broker

ROOT = "sovits/demo"
START_TIMEOUT_S = 60.0
LINE_TIMEOUT_S = 60.0
TEXT_COLUMNS = 46


@dataclass(frozen=True)
class DemoLine:
    """A line to be spoken and the name of the files that it leaves."""

    name: str
    character: str
    text: str


LINES = (
    DemoLine("1-zh", "noah", "你终究还是选择了怀疑……[pause:300ms][emotion:sad]我本可以拯救所有人。"),
    DemoLine("2-en", "claire", "Good evening. The show starts at 7:30, and tickets are $12.50."),
    DemoLine("3-ja", "mei", "本日はご来場いただき、誠にありがとうございます。"),
    DemoLine(
        "4-mixed", "ava", "[emotion:happy]欢迎来到 Science Museum！[mark:doors][pause:200ms]请从3号门入场。"
    ),
    DemoLine("5-angry", "noah", "[emotion:angry]You should have told me before the lights went out!"),
    DemoLine("6-zh-again", "noah", "你终究还是选择了怀疑……[pause:300ms][emotion:sad]我本可以拯救所有人。"),
)


@dataclass
class Spoken:
    """What came back for a line; times in ms."""

    latency_ms: float = 0.0
    audio_ms: float = 0.0
    rtf: float = 0.0
    cached: bool = False
    wav: Path = Path()
    marks: list[str] = field(default_factory=list)
    segments: list[dict[str, Any]] = field(default_factory=list)


class Show:
    """A show controller: an MQTT 3.1.1 client that sends lines and listens."""

    def __init__(self, port: int) -> None:
        self._messages: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
        self._client.on_connect = lambda client, *_: client.subscribe(f"{ROOT}/#", qos=1)
        self._client.on_message = lambda _client, _data, message: self._messages.put(message)
        self._client.on_socket_open = send_at_once
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def wait_online(self, daemon: subprocess.Popen[bytes]) -> None:
        """Wait for the daemon's retained ``online``.

        Raises:
            EdgeError: it ended or took too long.
        """
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if daemon.poll() is not None:
                raise EdgeError("the daemon ended before it was ready; its message is above")
            message = self._next(0.2)
            if message is not None and (message.topic, message.payload) == (
                f"{ROOT}/availability",
                b"online",
            ):
                return
        raise EdgeError(f"the daemon was not ready within {START_TIMEOUT_S:.0f} s")

    def speak(self, line: DemoLine) -> Spoken:
        """Send a line and wait for its end.

        Raises:
            EdgeError: it was refused, failed or took too long.
        """
        request = {
            "id": line.name,
            "character": line.character,
            "text": line.text,
            "output": ["play", "file", "lipsync"],
        }
        published_ns = time.monotonic_ns()
        self._client.publish(f"{ROOT}/request/say", json.dumps(request, ensure_ascii=False), qos=1)
        spoken = Spoken()
        deadline = time.monotonic() + LINE_TIMEOUT_S
        while time.monotonic() < deadline:
            message = self._next(0.2)
            if message is not None and _note(spoken, line, message, published_ns):
                return spoken
        raise EdgeError(f"line {line.name} was not finished within {LINE_TIMEOUT_S:.0f} s")

    def _next(self, timeout_s: float) -> mqtt.MQTTMessage | None:
        try:
            return self._messages.get(timeout=timeout_s)
        except queue.Empty:
            return None


def _note(spoken: Spoken, line: DemoLine, message: mqtt.MQTTMessage, published_ns: int) -> bool:
    """Take one message in; True when the line has ended."""
    kind = message.topic[len(ROOT) + 1 :].split("/")[0]
    if kind not in ("event", "lipsync", "mark"):
        return False
    facts = json.loads(message.payload)
    if facts.get("id") != line.name:
        return False
    if kind == "lipsync":
        spoken.segments.append(facts)
    elif kind == "mark":
        spoken.marks.append(facts["name"])
    elif facts["event"] == "first_audio":
        spoken.latency_ms = (facts["t0_mono_ns"] - published_ns) / 1e6
    elif facts["event"] == "finished":
        spoken.audio_ms, spoken.rtf, spoken.cached = facts["audio_ms"], facts["rtf"], facts["cached"]
        spoken.wav = Path(facts["path"])
        return True
    elif facts["event"] in ("rejected", "failed", "cancelled", "expired"):
        raise EdgeError(f"line {line.name} was {facts['event']}: {facts.get('message', '')}")
    return False


@contextmanager
def running_daemon(
    broker: LocalBroker, state_dir: Path, flags: Sequence[str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``sovits-edge serve`` for as long as the block lasts, paced like a sound card but silent."""
    # amqtt leaves an MQTT 5 client waiting: asked for 3.1.1 at once, the daemon is ready 22 s sooner.
    config = state_dir / "demo.toml"
    config.write_text(
        f'mqtt.protocol = "{"3.1.1" if broker.name == "amqtt" else "auto"}"\n', encoding="utf-8"
    )
    command = [sys.executable, "-m", "edge", "serve", "--broker", f"mqtt://127.0.0.1:{broker.port}"]
    command += ["--device", "demo", "--sink", "null", "--state-dir", str(state_dir), "--quiet"]
    command += ["--config", str(config), *flags]
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


def save(spoken: Spoken, line: DemoLine, folder: Path) -> None:
    """Leave the sound and the lip-sync track of a line in ``folder``."""
    shutil.copyfile(spoken.wav, folder / f"{line.name}.wav")
    segments = sorted(spoken.segments, key=lambda segment: int(segment["segment"]))
    track: dict[str, Any] = {"id": line.name, "text": line.text, "source": "durations"}
    for kind in ("words", "phonemes", "visemes"):
        track[kind] = [item for segment in segments for item in segment[kind]]
    (folder / f"{line.name}.json").write_text(
        json.dumps(track, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )


def fit(text: str, columns: int) -> str:
    """Cut or pad text to a width on a terminal, where Han characters and kana take two columns."""
    shown, width = "", 0
    for character in text:
        step = 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if width + step > columns - 1 and len(shown) < len(text) - 1:
            shown, width = shown + "…", width + 1
            break
        shown, width = shown + character, width + step
    return shown + " " * (columns - width)


def run(folder: Path, flags: Sequence[str] = ()) -> None:
    """Give the demonstration.

    Args:
        folder: where the files go.
        flags: more for ``sovits-edge serve``, such as ``--bundle``.

    Raises:
        EdgeError: something is missing or went wrong; the message says what.
    """
    folder.mkdir(exist_ok=True)
    with local_broker() as broker, tempfile.TemporaryDirectory(prefix="sovits-demo-") as state_dir:
        click.echo(f"broker: {broker.name} on 127.0.0.1:{broker.port}")
        started = time.monotonic()
        with running_daemon(broker, Path(state_dir), flags) as daemon:
            show = Show(broker.port)
            try:
                show.wait_online(daemon)
                click.echo(f"daemon: ready after {time.monotonic() - started:.1f} s\n")
                _speak_all(show, folder)
            finally:
                show.close()
    click.echo(
        f"\nSound and lip-sync: {folder}/. First sound: from publish to the first sample at the output."
    )
    if broker.name == "amqtt":
        click.echo(
            "amqtt is a broker for trying things out, and slow: apt-get install mosquitto for a real one."
        )


def _speak_all(show: Show, folder: Path) -> None:
    click.echo(f"{fit('line', TEXT_COLUMNS)} {'first sound':>12} {'length':>8} {'real-time factor':>17}")
    for line in LINES:
        spoken = show.speak(line)
        save(spoken, line, folder)
        factor = "cached" if spoken.cached else f"{spoken.rtf:.4f}"
        text = fit(f"{line.character}: {line.text}", TEXT_COLUMNS)
        click.echo(f"{text} {spoken.latency_ms:>9.1f} ms {spoken.audio_ms / 1000:>6.2f} s {factor:>17}")


def main() -> None:
    """Run as a command whose arguments are flags for the daemon; one line and status 1 if it cannot."""
    try:
        run(Path("demo-out"), sys.argv[1:])
    except EdgeError as error:
        click.echo(f"make demo: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
