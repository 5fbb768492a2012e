"""The loop on a handful of synthetic lines: it learns, resumes exactly and saves what it learnt."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from distill.align import AlignmentData, cut, train_aligner
from distill.checkpoint import load_student
from distill.features import extract
from distill.manifest import read_manifest
from distill.train import TrainOptions, train
from edge.text.symbols import SYMBOLS
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
)  # fmt: skip


def vowel(name: str, seconds: float) -> np.ndarray:
    """Two formants on a 120 Hz pulse train."""
    n = int(seconds * 32_000)
    time = np.arange(n) / 32_000
    harmonics = np.arange(120, 4000, 120)
    gains = sum(np.exp(-(((harmonics - f) / 150) ** 2)) for f in TONES[name])
    return 0.1 * (gains[:, None] * np.sin(2 * np.pi * harmonics[:, None] * time)).sum(0)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    rng, rows = np.random.default_rng(0), []
    for i in range(40):
        names = [str(n) for n in rng.permutation(list(TONES))]
        seconds = rng.uniform(0.1, 0.3, len(names))
        pieces = [np.zeros(1024), *map(vowel, names, seconds), np.zeros(1600)]
        starts = np.cumsum([0, *(len(p) for p in pieces)])[:-1] / 32_000
        soundfile.write(folder / f"{i}.flac", np.concatenate(pieces), 32_000)
        phonemes = ["SP", *names, "."]
        row = {
            "id": str(i),
            "character": "tone",
            "language": "en",
            "emotion": "neutral",
            "audio": f"{i}.flac",
        }
        row |= {"text": " ".join(names), "phonemes": phonemes, "languages": ["en"] * 5}
        row |= {"word_starts": [0, 1, 1, 1, 0], "split": "valid" if i >= 36 else "train"}
        rows.append({**row, "phoneme_times": list(zip(phonemes, starts.tolist(), strict=True))})
    (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_student(folder)[0].state_dict()


def test_aligner_finds_the_boundaries(corpus: Path) -> None:
    utterances = read_manifest(corpus)
    data = AlignmentData(utterances, [extract(u.audio) for u in utterances])
    durations = cut(train_aligner(data, epochs=60, seed=1), data)
    errors = [
        abs(start - found * 0.008)
        for u in utterances
        for (_, start), found in zip(u.phoneme_times[1:], np.cumsum(durations[u.id]), strict=False)
    ]
    assert np.median(errors) < 0.016  # two steps of 8 ms


def test_a_killed_run_goes_on_as_if_nothing_happened(corpus: Path, tmp_path: Path) -> None:
    whole = train(corpus, tmp_path / "whole", OPTIONS, SMALL)
    interrupted = tmp_path / "halves"
    _train_until(corpus, interrupted, 3)
    resumed = train(corpus, interrupted, OPTIONS, SMALL)
    for key, value in weights(whole).items():
        torch.testing.assert_close(weights(resumed)[key], value, atol=1e-6, rtol=1e-5)


def _train_until(corpus: Path, out: Path, step: int) -> None:
    """Run and die right after ``step``, as a kill would."""
    from distill import train as module

    class KilledError(Exception):
        pass

    original = module.Run.save

    def save_and_die(run: module.Run) -> None:
        original(run)
        if run.step == step:
            raise KilledError

    module.Run.save = save_and_die  # type: ignore[method-assign]
    try:
        with pytest.raises(KilledError):
            train(corpus, out, OPTIONS, SMALL)
    finally:
        module.Run.save = original  # type: ignore[method-assign]


def test_losses_fall(corpus: Path, tmp_path: Path) -> None:
    options = TrainOptions(**{**OPTIONS.__dict__, "steps": 100, "learning_rate": 3e-3, "validate_every": 10})
    train(corpus, tmp_path, options, SMALL)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    valid = [row for row in rows if row["kind"] == "valid"]
    for term in ("mel", "log_stft", "duration"):
        assert valid[-1][term] < 0.8 * valid[0][term], term


def test_missing_corpus_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="sovits-distill corpus"):
        train(tmp_path / "nowhere", tmp_path / "out", OPTIONS, SMALL)


def test_student_of_another_symbol_table_is_refused(corpus: Path, tmp_path: Path) -> None:
    folder = train(corpus, tmp_path, OPTIONS, SMALL)
    description = json.loads((folder / "student.json").read_text(encoding="utf-8"))
    description["symbols_sha256"] = "0" * 64
    (folder / "student.json").write_text(json.dumps(description), encoding="utf-8")
    with pytest.raises(ValueError, match="another symbol table"):
        load_student(folder)
