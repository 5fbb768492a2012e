"""The whole way by command: checkpoint and corpus in, a voice that speaks and a report out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge.bundle.bundle import Bundle
from edge.spec import HOP_LENGTH
from edge.synthesizer import SpeechRequest, Synthesizer
from quantize.card import read_card
from quantize.cli import cli
from quantize.compare import kernels

pytestmark = pytest.mark.torch

CARD = """
name = "test-voice"
version = "1.2.3"
licence = "CC0-1.0"

[[characters]]
name = "noah"
languages = ["zh", "en"]
emotions = ["neutral", "happy"]
fallbacks = { sad = "neutral" }

[[provenance]]
teacher = "random numbers"
licence = "CC0-1.0"

[origin]
kind = "synthetic"
statement = "random numbers"

[consent]
holder = "Nobody"
scope = "tests"
date = "2024-02-29"

[golden]
text = "The stage is yours."
character = "noah"
"""


@pytest.fixture
def card(tmp_path: Path) -> Path:
    path = tmp_path / "card.toml"
    path.write_text(CARD, encoding="utf-8")
    return path


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=True)


def test_run_makes_a_voice_that_speaks(checkpoint: Path, corpus: Path, card: Path, tmp_path: Path) -> None:
    output, voice = tmp_path / "voice", tmp_path / "test.voice"
    result = invoke(
        "run", "--checkpoint", checkpoint, "--corpus", corpus, "--lines", 4, "--voice", card,
        "--work", tmp_path / "work", "--output", output, "--tar", voice,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    manifest = Bundle.load(voice).manifest
    assert (manifest.name, manifest.version) == ("test-voice", "1.2.3")
    assert manifest.quantization.scheme == "int8-qdq"
    assert manifest.quantization.log_mel_distance_db is not None
    assert manifest.quantization.log_mel_distance_db < 1.0
    assert manifest.consent is not None
    speech = Synthesizer.load(voice, threads=1).synthesize(SpeechRequest("Hello there."))
    assert np.abs(speech.audio.astype(int)).max() > 300

    report = json.loads((tmp_path / "work" / "report.json").read_text(encoding="utf-8"))
    assert report["comparison"]["unfused_products"] == {"encoder.onnx": 0, "decoder.onnx": 0}
    assert report["comparison"]["bytes"]["int8"] < report["comparison"]["bytes"]["float32"]
    text = (tmp_path / "work" / "report.md").read_text(encoding="utf-8")
    for word in ("Quality", "Speed", "Size", "/decoder/blocks.0/expand/MatMul"):
        assert word in text


def test_dequantized_bundle_speaks_in_float(
    checkpoint: Path, corpus: Path, card: Path, tmp_path: Path
) -> None:
    networks, quantized = tmp_path / "float", tmp_path / "int8"
    steps = (
        ("export", "--checkpoint", checkpoint, "--output", networks),
        ("quantize", "--networks", networks, "--corpus", corpus, "--lines", 2, "--output", quantized),
        ("pack", "--networks", quantized, "--voice", card, "--output", tmp_path / "voice"),
        ("dequantize", "--bundle", tmp_path / "voice", "--output", tmp_path / "restored"),
    )
    for step in steps:
        assert invoke(*step).exit_code == 0
    restored = tmp_path / "restored"
    assert Bundle.load(restored).manifest.quantization.scheme == "fp32"
    assert not any("Quantize" in name for name in kernels(restored / "decoder.onnx"))
    one, other = (
        Synthesizer.load(folder, threads=1).synthesize(SpeechRequest("Hello there.")).audio
        for folder in (tmp_path / "voice", restored)
    )
    assert abs(len(one) - len(other)) <= 2 * HOP_LENGTH  # a duration may round the other way
    assert one.std() == pytest.approx(other.std(), rel=0.1)


def test_a_character_that_was_not_trained_is_refused(
    float_networks: Path, card: Path, tmp_path: Path
) -> None:
    card.write_text(CARD.replace('"noah"', '"nobody"'), encoding="utf-8")
    result = invoke("pack", "--networks", float_networks, "--voice", card, "--output", tmp_path / "voice")
    assert isinstance(result.exception, ValueError)
    assert "nobody" in str(result.exception)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("voice")]


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('licence = "CC0-1.0"', 'licence = "CC0-1.0"\ncolour = "red"', "colour"),
        ('date = "2024-02-29"', 'date = "yesterday"', "consent.date"),
        ("name =", "name", "TOML"),
    ],
)
def test_a_wrong_card_is_refused_by_key(card: Path, old: str, new: str, word: str) -> None:
    card.write_text(CARD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=word):
        read_card(card)


def test_a_missing_card_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"docs/quantize\.md"):
        read_card(tmp_path / "none.toml")


def test_the_card_of_the_built_in_voice_is_sound() -> None:
    card = read_card(Path("quantize/voices/builtin.toml"))
    assert {character.name for character in card.characters} == {"noah", "ava", "claire", "mei"}
