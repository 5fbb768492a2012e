"""The warped distance ignores tempo and hears everything else."""

import numpy as np
import pytest

from distill.evaluation.spectral import (
    FLOOR_DB,
    HOP,
    N_MELS,
    envelope_mel,
    frame_distances,
    log_mel,
    mel_filters,
    vocoder_copies,
    warp,
    warped_distance,
)

from .conftest import Speak

LINE = "请把门打开，谢谢你。"


def test_filters_have_equal_area_and_cover_the_band() -> None:
    filters = mel_filters()

    assert filters.shape == (N_MELS, 513)
    assert np.allclose(filters.sum(1), 1.0)


def test_frames_are_ten_milliseconds_apart_and_silence_is_at_the_floor() -> None:
    mel = log_mel(np.zeros(32_000, np.float32))

    assert mel.shape == (32_000 // HOP + 1, N_MELS)
    assert (mel == FLOOR_DB).all()


def test_a_tone_is_at_its_level() -> None:
    tone = (0.5 * np.sin(2 * np.pi * 1000 * np.arange(32_000) / 32_000)).astype(np.float32)

    assert -20 < log_mel(tone)[50].max() < -6  # 0.5 is -6 dB, spread over the bins of a band


def test_the_path_is_the_cheapest_one() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(7, 3)), rng.normal(size=(5, 3))
    cost = frame_distances(one, other)
    path = warp(one, other)

    assert tuple(path[0]) == (0, 0)
    assert tuple(path[-1]) == (6, 4)
    assert _weight(path, cost) == pytest.approx(_cheapest(cost))


def _weight(path: np.ndarray, cost: np.ndarray) -> float:
    steps = np.diff(path, axis=0).sum(1)  # 2 on a diagonal step, else 1
    return float(2 * cost[0, 0] + (steps * cost[path[1:, 0], path[1:, 1]]).sum())


def _cheapest(cost: np.ndarray) -> float:
    """The plain double loop."""
    total = np.full((cost.shape[0] + 1, cost.shape[1] + 1), np.inf)
    total[0, 0] = 0
    for i in range(cost.shape[0]):
        for j in range(cost.shape[1]):
            straight = min(total[i, j + 1], total[i + 1, j]) + cost[i, j]
            total[i + 1, j + 1] = min(total[i, j] + 2 * cost[i, j], straight)
    return float(total[-1, -1])


@pytest.mark.espeak
def test_equal_sounds_are_no_distance_apart(speak: Speak) -> None:
    audio = speak(LINE, "noah", "zh").audio

    assert warped_distance(audio, audio) == 0


@pytest.mark.espeak
def test_tempo_counts_far_less_than_anything_else(speak: Speak) -> None:
    line = speak(LINE, "noah", "zh").audio
    tempo = warped_distance(line, speak(LINE, "noah", "zh", rate=1.1).audio)
    others = {
        "voice": warped_distance(line, speak(LINE, "ava", "zh").audio),
        "words": warped_distance(line, speak("明天我们去公园玩吧。", "noah", "zh").audio),
        "noise": warped_distance(line, line + _noise(len(line), 0.03)),
        "dull": warped_distance(line, np.convolve(line, np.ones(8) / 8, "same").astype(np.float32)),
    }

    assert tempo < 2
    assert all(distance > 2 * tempo for distance in others.values()), others


def _noise(n: int, level: float) -> np.ndarray:
    return (np.random.default_rng(0).normal(size=n) * level).astype(np.float32)


def pulses(f0: float, n: int = 32_000) -> np.ndarray:
    """A vowel of one second: pulses through two formants."""
    time = np.arange(n) / 32_000
    harmonics = np.arange(1, int(8000 / f0)) * f0
    gains = sum(1 / (1 + ((harmonics - centre) / 80) ** 2) for centre in (700, 1200)) + 0.01
    return (0.05 * (gains[:, None] * np.cos(2 * np.pi * harmonics[:, None] * time)).sum(0)).astype(np.float32)


def test_the_envelope_does_not_hear_the_pitch_where_the_log_mel_does() -> None:
    low, high = pulses(220.0), pulses(233.1)  # a semitone apart

    apart = np.abs(np.median(envelope_mel(low)[20:-20] - envelope_mel(high)[20:-20], axis=0)).mean()
    heard = np.abs(np.median(log_mel(low)[20:-20] - log_mel(high)[20:-20], axis=0)).mean()

    assert apart < 0.4 * heard
    assert warped_distance(low, low, envelope_mel) == 0.0


@pytest.mark.espeak
def test_a_copy_a_little_higher_is_a_small_change(speak: Speak) -> None:
    line = speak(LINE, "ava", "zh").audio
    exact, higher = (warped_distance(line, copy) for copy in vocoder_copies(line, (0.0, 0.5)))
    words = warped_distance(line, speak("明天我们去公园玩吧。", "ava", "zh").audio)

    assert exact < higher < 0.5 * words


def test_envelope_and_log_mel_agree_on_the_level_of_noise() -> None:
    noise = np.random.default_rng(0).normal(scale=0.1, size=64_000).astype(np.float32)

    assert envelope_mel(noise)[20:-20].mean() == pytest.approx(log_mel(noise)[20:-20].mean(), abs=1.0)


@pytest.mark.espeak
def test_the_envelope_hears_words_and_voices_but_not_the_tempo(speak: Speak) -> None:
    line = speak(LINE, "noah", "zh").audio
    tempo = warped_distance(line, speak(LINE, "noah", "zh", rate=1.1).audio, envelope_mel)
    words = warped_distance(line, speak("明天我们去公园玩吧。", "noah", "zh").audio, envelope_mel)
    voice = warped_distance(line, speak(LINE, "ava", "zh").audio, envelope_mel)

    assert 3.0 * tempo < min(words, voice)
