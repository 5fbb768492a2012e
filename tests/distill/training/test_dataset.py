"""Examples and batches: lengths that fit, targets where they belong, windows that stay inside."""

from pathlib import Path

import numpy as np
import pytest

from distill.manifest import Utterance
from distill.training.dataset import MARGIN, aligned_frames, collate, make_example, phoneme_energy
from distill.training.features import Features, believable, fundamental
from edge.spec import HOP_LENGTH

PHONEMES = ("SP", "HH", "AH0", "[", "L", "OW1", ".")
STEPS = np.array([4, 6, 10, 0, 7, 31, 22])  # of 8 ms: 80 steps, 40 frames


def utterance() -> Utterance:
    return Utterance(
        id="x", character="claire", language="en", emotion="neutral", text="hello", phonemes=PHONEMES,
        languages=("en",) * 7, word_starts=(0, 1, 0, 0, 0, 0, 0), audio=Path("x.flac"), split="train",
    )  # fmt: skip


def test_frames_begin_where_phonemes_do() -> None:
    durations = np.random.default_rng(5).uniform(1.0, 9.0, 200)
    frames = aligned_frames(durations, np.ones(200, bool))
    assert np.abs(np.cumsum(frames) - np.cumsum(durations)).max() <= 0.5
    short = aligned_frames(np.array([0.1, 0.0, 0.0, 0.2, 7.0]), np.array([True, True, False, True, True]))
    assert short.tolist() == [1, 1, 0, 1, 4]  # 7.3 in all: what is lent to short ones comes off the long one


@pytest.fixture
def features() -> Features:
    n_frames = 40
    time = np.arange(n_frames * HOP_LENGTH) / 32_000
    audio = (8000 * np.sin(2 * np.pi * 150 * time) * (time > 0.032)).astype(np.int16)
    log_f0 = np.linspace(np.log(100), np.log(200), 2 * n_frames + 1).astype(np.float32)
    voiced = np.arange(2 * n_frames + 1) >= 10
    return Features(audio, log_f0, voiced, np.zeros((2 * n_frames, 40), np.float16))


def test_example_fits_the_frames(features: Features) -> None:
    example = make_example(utterance(), features, STEPS, (2, 0))
    assert example.n_frames == 40 == len(example.features)
    assert example.durations.tolist() == (STEPS / 2).tolist()
    assert len(example.pulses) == len(example.audio) == 40 * HOP_LENGTH
    assert 3 not in example.frame_to_phoneme  # the pitch mark is never sounded
    assert np.all(np.diff(example.frame_to_phoneme) >= 0)
    assert example.voicing.tolist() == [[0.0] * 4, [0.0] * 4] + [[1.0] * 4] * 5
    rise = np.diff(example.log_f0[[0, 1, 2, 4, 5, 6]].ravel())
    assert np.all(rise[8:] > 0) and np.all(rise[:7] == 0)  # where there is voice


def test_jumps_and_ends_of_voice_are_not_believed() -> None:
    voiced = np.array([0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0], bool)
    log_f0 = np.full(12, 5.0, np.float32)
    log_f0[5] = 6.0  # a single jump
    log_f0[9:] = 4.0  # what the tracker finds where the voice ends, and what is filled in from there
    contour, sure = believable(log_f0, voiced)
    assert contour.tolist() == [5.0] * 12
    assert sure.tolist() == [False] * 2 + [True] * 7 + [False] * 3
    contour, sure = believable(log_f0, np.zeros(12, bool))
    assert len(contour) == 12 and not sure.any()


def test_energy_is_per_phoneme(features: Features) -> None:
    energy = phoneme_energy(features.audio, STEPS)
    assert energy[0] < -3.0  # silence
    sine = (np.log(8000 / 32768 / np.sqrt(2)) + 3.5) / 1.5
    assert energy[5] == pytest.approx(sine, abs=0.02)


def test_window_beyond_the_ends_is_masked(features: Features) -> None:
    example = make_example(utterance(), features, STEPS, (2, 0))
    for seed in range(20):
        batch = collate([example, example], 64, np.random.default_rng(seed))
        mask = batch["frame_mask"][..., 0].numpy()
        assert mask.sum(1).max() == 40 and mask.shape == (2, 64)
        assert np.argmax(mask, 1).max() <= MARGIN
        audio = batch["audio"].numpy().reshape(2, 64, HOP_LENGTH)
        assert not audio[mask == 0].any()
        np.testing.assert_allclose(audio[mask == 1][:40].reshape(-1), features.audio / 32768.0, atol=1e-6)


def test_lines_of_different_length_are_padded(features: Features) -> None:
    example = make_example(utterance(), features, STEPS, (2, 0))
    short = make_example(
        Utterance(**{**utterance().__dict__, "phonemes": PHONEMES[:3], "languages": ("en",) * 3,
                     "word_starts": (0, 1, 0)}),
        features, np.array([20, 20, 40]), (0, 1),
    )  # fmt: skip
    batch = collate([example, short], 32, np.random.default_rng(0))
    assert batch["phoneme_ids"].shape == (2, 7)
    assert batch["phoneme_mask"][1, :, 0].tolist() == [1, 1, 1, 0, 0, 0, 0]
    assert batch["target_mask"][0].tolist() == [1, 1, 1, 0, 1, 1, 1]
    assert batch["character_id"].tolist() == [2, 0]


def test_pitch_of_a_known_tone() -> None:
    time = np.arange(32_000) / 32_000
    saw = sum(np.sin(2 * np.pi * 130 * k * time) / k for k in range(1, 20)) * 0.2
    log_f0, voiced = fundamental(saw, 126)
    assert voiced[10:-10].all()
    np.testing.assert_allclose(np.exp(log_f0[10:-10]), 130.0, rtol=0.01)


def test_silence_has_the_fallback_pitch() -> None:
    log_f0, voiced = fundamental(np.zeros(16_000), 63)
    assert not voiced.any() and np.all(log_f0 == log_f0[0])
