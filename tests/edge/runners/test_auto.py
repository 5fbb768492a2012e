"""Verdicts: who wins, why the others lose, and when it is measured again."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from edge.bundle.bundle import Bundle
from edge.errors import ConfigError, RunnerError
from edge.runners import EncoderInputs, Runner, auto, open_runner
from edge.runners.ort import OnnxRuntimeRunner
from edge.runners.verdict import Evidence, Thresholds, rejection, too_far, winner

pytestmark = pytest.mark.slow


class Other(Runner):
    """ONNX Runtime under another name, later, or with another sound."""

    name: ClassVar[str] = "openvino"

    def __init__(self, bundle: Bundle, delay_s: float = 0.0, gain: float = 0.0) -> None:
        self._inner = OnnxRuntimeRunner(bundle, 1)
        self._delay_s, self._gain = delay_s, gain
        self.closed = False

    def _run_encoder(self, inputs: EncoderInputs) -> Sequence[np.ndarray]:
        time.sleep(self._delay_s)
        return self._inner._run_encoder(inputs)

    def _run_decoder(self, hidden: np.ndarray, features: np.ndarray) -> Sequence[np.ndarray]:
        time.sleep(self._delay_s)
        return [part + np.float32(self._gain) for part in self._inner._run_decoder(hidden, features)]

    def close(self) -> None:
        self.closed = True
        self._inner.close()


@pytest.fixture
def bundle(tiny_voice: Path) -> Bundle:
    return Bundle.load(tiny_voice)


class Machine:
    """What is installed, for ``open_runner`` as ``auto`` sees it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.delays = {"onnxruntime": 0.004}
        self.gains: dict[str, float] = {}
        self.opened: list[tuple[str, Other]] = []
        monkeypatch.setattr(auto, "open_runner", self.open)

    def open(self, bundle: Bundle, name: str, threads: int, state_dir: Path | None) -> Runner:
        if name not in self.delays:
            raise ConfigError(f"runner {name!r} needs a library that is not installed")
        self.opened.append((name, Other(bundle, self.delays[name], self.gains.get(name, 0.0))))
        return self.opened[-1][1]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def verdict(state_dir: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((state_dir / "verdicts" / "tiny.json").read_text("utf-8"))
    return content


def test_the_faster_wins_and_says_why(bundle: Bundle, machine: Machine, tmp_path: Path) -> None:
    machine.delays["openvino"] = 0.0
    auto.open_bundle(bundle, 1, tmp_path)
    held = verdict(tmp_path)
    assert held["winner"] == "openvino" and "times as fast as onnxruntime" in str(held["why"])
    assert [name for name, runner in machine.opened if not runner.closed] == ["openvino"]
    assert "not installed" in json.dumps(held["absent"])


def test_another_sound_loses_whatever_its_speed(bundle: Bundle, machine: Machine, tmp_path: Path) -> None:
    machine.delays["openvino"], machine.gains["openvino"] = 0.0, 0.5
    auto.open_bundle(bundle, 1, tmp_path)
    assert verdict(tmp_path)["winner"] == "onnxruntime" and "log-mel" in str(verdict(tmp_path)["why"])


def test_it_is_measured_again_when_something_changes(
    bundle: Bundle, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.delays["openvino"] = 0.0
    auto.open_bundle(bundle, 1, tmp_path)
    machine.opened.clear()
    auto.open_bundle(bundle, 1, tmp_path)
    assert [name for name, _ in machine.opened] == ["openvino"], "known: nothing else is opened"
    for change in (("_version", lambda name: "9.9"), ("_processor", lambda: "another"), None):
        machine.opened.clear()
        if change:
            monkeypatch.setattr(auto, *change)
        else:
            (tmp_path / "verdicts" / "tiny.json").write_text("{damaged", encoding="utf-8")
        auto.open_bundle(bundle, 1, tmp_path)
        assert len(machine.opened) == 2


def test_a_winner_that_is_gone_is_replaced(bundle: Bundle, machine: Machine, tmp_path: Path) -> None:
    machine.delays["openvino"] = 0.0
    auto.open_bundle(bundle, 1, tmp_path)
    del machine.delays["openvino"]
    auto.open_bundle(bundle, 1, tmp_path)
    assert verdict(tmp_path)["winner"] == "onnxruntime"


def test_real_libraries_without_state(bundle: Bundle) -> None:
    with open_runner(bundle, "auto", 1) as runner:
        assert runner.name in auto.CANDIDATES


def test_a_state_that_cannot_be_written_is_no_fault(
    bundle: Bundle, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "verdicts").write_text("in the way", encoding="utf-8")
    with auto.open_bundle(bundle, 1, tmp_path):
        assert "verdict not kept" in caplog.text


def test_only_a_clear_win_counts() -> None:
    limits = Thresholds()
    found = {"a": Evidence(speedup=1.0), "b": Evidence(speedup=1.09), "c": Evidence(speedup=1.3)}
    assert winner("a", found, limits) == "c"
    assert winner("a", {name: found[name] for name in "ab"}, limits) == "a"
    assert "1.09 times" in rejection(found["b"], limits)
    assert winner("a", {**found, "c": Evidence(speedup=1.3, problem="NaN")}, limits) == "a"


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (Evidence(log_mel_db=1.2), "log-mel distance 1.20 dB"),
        (Evidence(worst_db=2.5, worst_line="Stop."), "'Stop.'"),
        (Evidence(duration_frames=0.6), "durations"),
        (Evidence(log_mel_db=0.9, worst_db=1.9, duration_frames=0.4), ""),
    ],
)
def test_what_is_too_far(evidence: Evidence, words: str) -> None:
    told = too_far(evidence, Thresholds())
    assert (words in told) if words else not told


def test_openvino_says_what_onnx_runtime_says(bundle: Bundle) -> None:
    pytest.importorskip("openvino")
    from tests.edge.runners.test_ort import encoder_inputs

    with open_runner(bundle, "openvino", 1) as ours, open_runner(bundle, "onnxruntime", 1) as theirs:
        for n in (1, 17, 90):
            one, other = ours.encode(encoder_inputs(n)), theirs.encode(encoder_inputs(n))
            assert np.abs(one.hidden - other.hidden).max() < 1e-4
        with pytest.raises(RunnerError, match="OpenVINO failed in decoder"):
            ours.decode(np.zeros((1, 5, 3), np.float32), np.zeros((1, 5, 6), np.float32))
