"""A voice from its configuration to a bundle that speaks, by the command, in a few steps of training."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch")

import torch

from distill.config import DistillError
from distill.corpus.told_prosody import TOLD
from distill.ledger import Ledger
from distill.run import Production, Step, follow
from distill.sound import resample
from distill.training.checkpoint import StudentInfo, save_student
from distill.voice.config import load_voice_config
from edge.bundle.bundle import Bundle, workshop
from edge.errors import TrustError
from edge.spec import SAMPLE_RATE, ZERO_LENGTH_SYMBOLS
from edge.synthesizer import SpeechRequest, Synthesizer
from edge.text.symbols import SYMBOL_TO_ID
from models.sovits_tiny import SovitsTiny, StudentConfig

from .conftest import environment

SMALL = StudentConfig(
    encoder_dim=64, encoder_dilations=(1, 2), predictor_blocks=1, decoder_dim=64, decoder_blocks=2,
    expansion=2, n_harmonic_cepstra=16, n_noise_cepstra=8, n_characters=2, n_emotions=2,
    zero_length_ids=tuple(SYMBOL_TO_ID[symbol] for symbol in ZERO_LENGTH_SYMBOLS),
)  # fmt: skip
GOLDEN = Path(__file__).parents[1] / "data" / "gpt_sovits_v2"
VOICE = f"""
[voice]
name = "random"
licence = "CC0-1.0"
languages = ["en"]
golden = "The stage is yours."

[teacher]
kind = "gpt-sovits"
gpt_weights = "{GOLDEN / "s1.ckpt"}"
sovits_weights = "{GOLDEN / "s2.pth"}"
hubert = "hubert"
device = "cpu"
emotions = {{ neutral = "neutral.wav" }}

[corpus]
lines = 6
valid_lines = 2
test_lines = 2
rate_test_lines = 1

[gate]
enabled = false

[train]
from = "student"
steps = 4
batch = 2
warmup = 1
save_every = 2
align_epochs = 1
threads = 1
workers = 1
"""
CLIP = "The stage is yours, and the house is full tonight. Take a seat, and wait."


def write_student(folder: Path) -> None:
    """A student that could have been trained on two other characters."""
    torch.manual_seed(5)
    student = SovitsTiny(SMALL)
    with torch.no_grad():
        for name, parameter in student.named_parameters():
            if "norm" in name:  # equal tensors would share one constant in the graph
                parameter.add_(0.1 * torch.randn_like(parameter))
        student.encoder.to_duration.bias.fill_(1.6)  # about 5 frames a phoneme
    info = StudentInfo(SMALL, {"noah": 0, "ava": 1}, {"neutral": 0, "sad": 1}, 100, {})
    save_student(folder, student.state_dict(), info, half=True)


def write_helpers(folder: Path) -> None:
    """What the small checkpoints need beside them: random content features, and a clip to speak like."""
    from transformers import HubertConfig, HubertModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    convolutions: Any = {"conv_dim": (16,) * 7, "num_conv_pos_embeddings": 16}
    hubert = HubertConfig(
        hidden_size=48, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        num_conv_pos_embedding_groups=2, **convolutions,
    )  # fmt: skip
    HubertModel(hubert).save_pretrained(folder / "hubert")
    subprocess.run(["espeak-ng", CLIP, "-v", "en-us", "-w", str(folder / "espeak.wav")], check=True)
    audio, rate = soundfile.read(folder / "espeak.wav", dtype="float32")
    soundfile.write(folder / "neutral.wav", resample(audio, rate), SAMPLE_RATE, subtype="PCM_16")
    (folder / "neutral.txt").write_text(CLIP, "utf-8")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "voice.toml"
    path.write_text(VOICE, "utf-8")
    return path


def command(config: Path, out: Path) -> list[str]:
    options = ["--config", str(config), "--out", str(out), "--processes", "1"]
    return [sys.executable, "-m", "distill", "run", *options]


def run(config: Path, out: Path) -> list[str]:
    """Run to the end; give the lines that are printed."""
    single = environment() | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command(config, out), env=single, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.espeak
def test_a_voice_is_made_although_the_command_was_killed(config: Path, tmp_path: Path) -> None:
    write_student(tmp_path / "student")
    write_helpers(tmp_path)
    out = tmp_path / "out"
    _kill_when(out / "train" / "state.pt", command(config, out))
    told = run(config, out)
    names = [line.split(":")[0] for line in told if not line.startswith("references: warning")]
    assert names == [
        "references", "corpus", "train", "quantize", "pack", "evaluate", "report", str(out / "voice")
    ]  # fmt: skip
    done = [line.split(":")[0] for line in told if "done before" in line]
    assert done == ["references", "corpus"]
    _look_at(out)
    assert sum("done before" in line for line in run(config, out)) == 7


def _kill_when(path: Path, arguments: list[str]) -> None:
    """Kill the command without warning as soon as a file is there."""
    process = subprocess.Popen(
        arguments, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 300
    while not path.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    assert path.exists(), errors.decode()


def _look_at(out: Path) -> None:
    """The bundle speaks and says what it was made from; every number has a place to be read."""
    with pytest.raises(TrustError, match="a person's voice"):
        Bundle.load(out / "random.voice")
    manifest = Bundle.load(out / "random.voice", gate=workshop).manifest
    assert manifest.quantization.scheme == "int8-qdq" and manifest.golden.text == "The stage is yours."
    (character,) = manifest.characters
    assert (character.name, character.languages, character.emotions) == ("random", ("en",), ("neutral",))
    assert manifest.provenance[0].synthesiser.startswith("gpt-sovits s1.ckpt ")
    assert Bundle.load(out / "voice-float", gate=workshop).manifest.quantization.scheme == "fp32"
    voice = Synthesizer.load(out / "random.voice", threads=1, gate=workshop)
    speech = voice.synthesize(SpeechRequest("Hello there."))
    assert np.abs(speech.audio.astype(int)).max() > 0

    student = json.loads((out / "train" / "student" / "student.json").read_text("utf-8"))
    assert student["step"] == 4 and student["started_from"]["characters"].keys() == {"random"}
    assert json.loads((out / "references.json").read_text("utf-8"))["findings"]
    cost = json.loads((out / "cost.json").read_text("utf-8"))
    assert all(step["finished"] and step["seconds"] >= 0 for step in cost["steps"].values())
    quality = json.loads((out / "quality.json").read_text("utf-8"))
    assert "characters told apart" in {entry["measure"] for entry in quality["left_out"]}
    assert "<html" in (out / "report.html").read_text("utf-8")


@pytest.mark.espeak
def test_a_missing_student_is_found_before_anything_is_rendered(config: Path, tmp_path: Path) -> None:
    write_helpers(tmp_path)
    done = subprocess.run(
        command(config, tmp_path / "out"), env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 2 and not (tmp_path / "out").exists()
    assert done.stderr.startswith(f"sovits-distill: {tmp_path.resolve() / 'student'} holds no student")


def steps(folder: Path, done: list[str], inputs: int = 1) -> list[Step]:
    def work(name: str) -> str:
        (folder / name).touch()
        done.append(name)
        return "worked"

    return [
        Step("one", folder / "one", 0, lambda: work("one")),
        Step("two", folder / "two", inputs, lambda: work("two")),
        Step("three", folder / "three", 0, lambda: work("three")),
    ]


def production(folder: Path, teacher: str) -> Production:
    path = folder / "voice.toml"
    voice = '[voice]\nname = "noah"\nlicence = "CC0-1.0"\nlanguages = ["en"]'
    path.write_text(f"{voice}\n[teacher]\n{teacher}\n[corpus]\nlines = 2\n")
    voice = load_voice_config(path)
    return Production(voice, path, folder, 1, 1, 0, lambda line: None)


def test_a_teacher_that_tells_is_asked_before_training(tmp_path: Path) -> None:
    kokoro = production(tmp_path, 'kind = "kokoro"\nvoices = { am_michael = 1.0 }').steps()
    espeak = production(tmp_path, 'kind = "espeak-ng"').steps()
    assert [step.name for step in kokoro[:4]] == ["references", "corpus", "tell", "train"]
    assert [step.name for step in espeak[:3]] == ["references", "corpus", "train"]


def test_other_told_lines_begin_training_anew(tmp_path: Path) -> None:
    made = production(tmp_path, 'kind = "kokoro"\nvoices = { am_michael = 1.0 }')
    corpus, state = tmp_path / "corpus", tmp_path / "train" / "state.pt"
    corpus.mkdir()
    (corpus / "manifest.jsonl").write_text("{}\n")
    made._forget_other_corpus()
    state.touch()
    made._forget_other_corpus()
    assert state.exists()
    (corpus / TOLD).write_text("{}\n")
    made._forget_other_corpus()
    assert not state.exists()


def test_steps_are_done_once_and_again_after_a_change_before_them(tmp_path: Path) -> None:
    done: list[str] = []
    said: list[str] = []
    path = tmp_path / "cost.json"
    follow(steps(tmp_path, done), Ledger(path), said.append)
    assert done == ["one", "two", "three"] and said[0] == "one: worked, 0.0 s"
    follow(steps(tmp_path, done), Ledger(path), said.append)
    assert len(done) == 3 and said[-1] == "three: done before, in 0.0 s"
    follow(steps(tmp_path, done, inputs=2), Ledger(path), said.append)
    assert done[3:] == ["two", "three"]
    (tmp_path / "three").unlink()
    follow(steps(tmp_path, done, inputs=2), Ledger(path), said.append)
    assert done[5:] == ["three"]


def test_a_step_that_fails_is_done_again(tmp_path: Path) -> None:
    done: list[str] = []

    def fails() -> str:
        raise DistillError("not today")

    broken = [replace(step, work=fails) if step.name == "two" else step for step in steps(tmp_path, done)]
    with pytest.raises(DistillError, match="not today"):
        follow(broken, Ledger(tmp_path / "cost.json"), lambda line: None)
    follow(steps(tmp_path, done), Ledger(tmp_path / "cost.json"), lambda line: None)
    assert done == ["one", "two", "three"]
