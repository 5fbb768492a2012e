"""A corpus of three synthetic vowels, small enough to train on in a test."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from distill.corpus.told_prosody import ToldProsody, save_prosody
from distill.training import train
from distill.training.train import TrainOptions
from edge.spec import ZERO_LENGTH_SYMBOLS
from edge.text.symbols import SYMBOL_TO_ID, SYMBOLS
from models.sovits_tiny import StudentConfig

TONES = {"AA1": (700, 1200), "IY1": (300, 2300), "UW1": (320, 800)}
OPTIONS = TrainOptions(
    steps=6,
    batch=2,
    window=24,
    warmup=2,
    save_every=3,
    validate_every=6,
    align_epochs=1,
    threads=1,
    workers=1,
)
SMALL = StudentConfig(
    n_vocab=len(SYMBOLS), n_characters=1, n_emotions=1, encoder_dim=16, encoder_dilations=(1,),
    predictor_blocks=1, decoder_dim=16, decoder_blocks=2, n_harmonic_cepstra=16, n_noise_cepstra=8,
    zero_length_ids=tuple(SYMBOL_TO_ID[symbol] for symbol in ZERO_LENGTH_SYMBOLS),
)  # fmt: skip


def vowel(name: str, seconds: float, pitch: int = 120) -> np.ndarray:
    """Two formants on a pulse train."""
    n = int(seconds * 32_000)
    time = np.arange(n) / 32_000
    harmonics = np.arange(pitch, 4000, pitch)
    gains = sum(np.exp(-(((harmonics - f) / 150) ** 2)) for f in TONES[name])
    return 0.1 * (gains[:, None] * np.sin(2 * np.pi * harmonics[:, None] * time)).sum(0)


def write_tone_corpus(
    folder: Path,
    n: int = 40,
    character: str = "tone",
    emotions: Sequence[str] = ("neutral",),
    pitch: int = 120,
    told: bool = False,
) -> Path:
    """Write ``n`` lines of three vowels, every tenth of them for validation; ``told``: with their prosody."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, rows = np.random.default_rng(0), []
    for i in range(n):
        names = [str(name) for name in rng.permutation(list(TONES))]
        seconds = rng.uniform(0.1, 0.3, len(names))
        spoken = [vowel(name, length, pitch) for name, length in zip(names, seconds, strict=True)]
        pieces = [np.zeros(1024), *spoken, np.zeros(1600)]
        soundfile.write(folder / f"{i}.flac", np.concatenate(pieces), 32_000)
        phonemes = ["SP", *names, "."]
        row = {"id": str(i), "character": character, "language": "en", "audio": f"{i}.flac"}
        row |= {"emotion": emotions[i % len(emotions)], "text": " ".join(names), "phonemes": phonemes}
        row |= {"languages": ["en"] * 5, "word_starts": [0, 1, 1, 1, 0]}
        row |= {"split": "valid" if i % 10 == 9 else "train"}
        if told:
            row["prosody"] = save_prosody(folder, f"{i}.flac", tone_prosody([1024 / 32_000, *seconds], pitch))
        rows.append(row)
    (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


def tone_prosody(seconds: Sequence[float], pitch: int) -> ToldProsody:
    """What a teacher would tell of a line of silence, vowels and silence; values from 0.1 s before it on."""
    starts = np.concatenate([[0.0], np.cumsum(seconds)])
    times = -0.1 + 0.01 * np.arange(round((starts[-1] + 0.2) / 0.01))
    voiced = (times >= starts[1]) & (times < starts[-1])
    f0 = np.where(voiced, float(pitch), 3.0).astype(np.float32)
    edges = np.append(starts, starts[-1] + 0.05).astype(np.float32)
    return ToldProsody(edges, f0, np.zeros_like(f0), -0.1, 0.01)


def train_until(
    step: int, corpus: Path, out: Path, options: TrainOptions, config: StudentConfig | None = None
) -> None:
    """Run and die right after ``step``, as a kill would."""

    class KilledError(Exception):
        pass

    original = train.Run.save

    def save_and_die(run: train.Run) -> None:
        original(run)
        if run.step == step:
            raise KilledError

    train.Run.save = save_and_die  # type: ignore[method-assign]
    try:
        with pytest.raises(KilledError):
            train.train(corpus, out, options, config)
    finally:
        train.Run.save = original  # type: ignore[method-assign]
