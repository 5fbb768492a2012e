"""What the doctor finds on a machine: each fault made, and the command with its exit status."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edge.config import EdgeConfig
from edge.demo.broker import free_port
from edge.doctor import device as device_module
from edge.doctor.device import DeviceChecks
from edge.doctor.finding import Finding, worst

ROOT = Path(__file__).parents[3]
TINY_VOICE = ROOT / "tests" / "data" / "tiny_voice"


def config(directory: Path, **settings: Any) -> EdgeConfig:
    usual = {"state_dir": directory / "state", "bundle": TINY_VOICE, "sink": {"type": "null"}}
    return EdgeConfig.model_validate({**usual, **settings})


def look(settings: EdgeConfig, check: str, **options: Any) -> Finding:
    return next(one for one in DeviceChecks(settings, serving=False, **options).look() if one.check == check)


def test_a_machine_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_module, "SLOW_SYNC_MS", 60_000)  # other tests use this disk too
    monkeypatch.setattr(device_module, "SLOW_FIRST_SOUND_MS", 60_000)
    found = list(DeviceChecks(config(tmp_path), serving=False).look())
    assert [one.check for one in found] == ["clock", "disk", "audio", "voice", "runner"]
    assert {one.level for one in found if one.check != "clock"} == {"ok"}, [one.line() for one in found]


def test_a_clock_of_1970(tmp_path: Path) -> None:
    found = look(config(tmp_path), "clock", clock=lambda: 0.0)
    assert found.level == "error" and "1970" in found.found and "timedatectl" in found.remedy


def test_a_state_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    found = look(config(tmp_path), "disk")
    assert found.level == "error" and str(tmp_path / "state") in found.found


def test_a_slow_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_module, "SLOW_SYNC_MS", 0.0)
    assert look(config(tmp_path), "disk").level == "warning"


class Card:
    """A double of sounddevice that takes 48 kHz only."""

    def query_devices(self, name: Any, kind: str) -> dict[str, str]:
        if name == "Gone":
            raise ValueError("No output device matching 'Gone'")
        return {"name": "USB Audio"}

    def check_output_settings(self, *, samplerate: int, **_: Any) -> None:
        if samplerate != 48_000:
            raise ValueError("Invalid sample rate")


@pytest.mark.parametrize(
    ("sink", "level", "told"),
    [
        ({"device": "USB", "sample_rate": 48_000}, "ok", "USB Audio, 48000 Hz"),
        ({"device": "USB"}, "error", "Invalid sample rate"),
        ({"device": "Gone"}, "error", "No output device"),
    ],
)
def test_a_sound_card(tmp_path: Path, sink: dict[str, Any], level: str, told: str) -> None:
    found = look(config(tmp_path, sink={"type": "alsa", **sink}), "audio", backend=Card())
    assert found.level == level and told in found.found


def test_a_card_that_plays_is_not_tried(tmp_path: Path) -> None:
    backend = SimpleNamespace(query_devices=lambda *_: {"name": "USB"}, check_output_settings=None)
    checks = DeviceChecks(config(tmp_path, sink={"type": "alsa"}), serving=True, backend=backend)
    assert next(one for one in checks.look() if one.check == "audio").level == "ok"


def test_a_damaged_voice(tmp_path: Path) -> None:
    shutil.copytree(TINY_VOICE, tmp_path / "voice")
    networks = tmp_path / "voice" / "decoder.onnx"
    data = bytearray(networks.read_bytes())
    data[len(data) // 2] ^= 1
    networks.write_bytes(data)
    found = look(config(tmp_path, bundle=tmp_path / "voice"), "voice")
    assert found.level == "error" and "decoder.onnx" in found.found and found.remedy == "copy the voice again"


def test_a_runner_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    found = look(config(tmp_path, runner="nothing"), "runner")
    assert found.level == "error" and found.remedy


def test_the_worst_counts() -> None:
    ok, warning, error = (Finding("x", level, "y") for level in ("ok", "warning", "error"))
    assert worst([ok, warning]) == "warning" and worst([warning, error, ok]) == "error" and worst([]) == "ok"
    assert Finding("disk", "error", "full", "make room").line() == "error: disk: full; make room"


@pytest.mark.slow
def test_the_command_tells_and_exits(tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    path.write_text(
        f'state_dir = "{tmp_path}/state"\nbundle = "{TINY_VOICE}"\n[mqtt]\nport = {free_port()}\n'
        '[sink]\ntype = "null"\n'
    )
    command = [sys.executable, "-m", "edge", "doctor", "--json", "--config", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    told = json.loads(done.stdout)
    assert told["worst"] == "error" and done.returncode == 2
    assert done.stderr.count("\n") == 1 and "names its remedy" in done.stderr
    assert {one["check"] for one in told["findings"]} >= {"clock", "disk", "audio", "voice", "broker"}
