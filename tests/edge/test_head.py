"""The spectral head: its excitations, its gains, streaming, and agreement with the torch twin."""

from __future__ import annotations

import numpy as np
import pytest

from edge.frames import Frames
from edge.head import (
    OverlapAdd,
    PhraseHead,
    Workspace,
    frame_window,
    noise_at,
    noise_table,
    pulse_kernels,
    pulse_train,
    render_pulses,
)
from edge.spec import FRAME_OUTPUTS, HOP_LENGTH, N_BINS, SAMPLE_RATE

SILENT = -30.0


def random_frames(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.3, (n, FRAME_OUTPUTS)).astype(np.float32)


def wandering_f0(n: int) -> np.ndarray:
    return 180.0 + 60.0 * np.sin(np.arange(n + 1) / 7.0)


def flat_frames(n: int, harmonic: float, noise: float) -> np.ndarray:
    frames = np.zeros((n, FRAME_OUTPUTS), np.float32)
    frames[:, :N_BINS] = harmonic
    frames[:, 2 * N_BINS : 3 * N_BINS] = noise
    return frames


def test_window_squares_add_up_to_one() -> None:
    squares = frame_window().astype(np.float64) ** 2
    assert np.allclose(squares[:HOP_LENGTH] + squares[HOP_LENGTH:], 1.0, atol=1e-6)


def test_noise_is_the_same_on_every_device() -> None:
    assert np.allclose(noise_table()[:3], noise_at(65_536, 3))
    assert abs(noise_table().std() - 1.0) < 0.01
    assert noise_table()[:2].tolist() == pytest.approx(noise_at(0, 2).tolist())


def test_pulses_of_a_steady_pitch_are_one_period_apart() -> None:
    positions, amplitudes = pulse_train(np.full(63, 123.4))
    assert np.allclose(np.diff(positions), SAMPLE_RATE / 123.4, atol=1e-6)
    assert np.allclose(amplitudes, np.sqrt(SAMPLE_RATE / 123.4))


def test_pulses_of_a_glide_follow_its_phase() -> None:
    f0 = np.linspace(80.0, 400.0, 101)
    positions, _ = pulse_train(f0)
    at = positions / HOP_LENGTH
    phase = (80.0 * at + 3.2 * at * at / 2) * HOP_LENGTH / SAMPLE_RATE
    assert np.allclose(phase, np.arange(1, len(positions) + 1), atol=1e-6)


def test_kernel_is_a_sinc_and_moves_with_its_fraction() -> None:
    taps = np.arange(-15, 17)
    for fraction in (0.0, 0.25, 0.9):
        distance = taps - fraction
        expected = np.sinc(distance) * (0.5 + 0.5 * np.cos(np.pi * distance / 16))
        assert np.allclose(pulse_kernels(np.array([fraction]))[0], expected, atol=2e-5)


def test_flat_pulses_have_unit_power_and_length_matches() -> None:
    frames = flat_frames(200, harmonic=0.0, noise=SILENT)
    sound = PhraseHead(np.full(201, 140.0)).render(Frames.of(frames))
    assert sound.shape == (200 * HOP_LENGTH,)
    assert abs(np.mean(sound[2000:-2000] ** 2) - 1.0) < 0.1


def test_flat_noise_comes_out_as_the_table() -> None:
    frames = flat_frames(40, harmonic=SILENT, noise=0.0)
    sound = PhraseHead(np.full(41, 140.0)).render(Frames.of(frames))
    assert np.abs(sound[256:-256] - noise_at(256, 40 * HOP_LENGTH - 512)).max() < 1e-3


def test_gains_are_heard_where_they_are_set() -> None:
    frames = flat_frames(9, harmonic=SILENT, noise=0.0)
    frames[:, -4:] = SILENT
    frames[4, -2] = 0.0  # third quarter of frame 4
    power = PhraseHead(np.full(10, 140.0)).render(Frames.of(frames)) ** 2
    centre = np.average(np.arange(len(power)), weights=power)
    assert abs(centre - (4 * HOP_LENGTH + 2.5 * 128)) < 40
    assert power[: 4 * HOP_LENGTH].max() < 1e-6 * power.max()


@pytest.mark.parametrize("sizes", [[1] * 75, [14, 20, 41], [74, 1], [1, 74], [33, 32, 10]])
def test_any_split_gives_exactly_the_whole(sizes: list[int]) -> None:
    frames, f0 = random_frames(75), wandering_f0(75)
    whole = PhraseHead(f0).render(Frames.of(frames))
    head, join, work, pieces, start = PhraseHead(f0), OverlapAdd(75), Workspace(), [], 0
    for size in sizes:
        stop, low = start + size, max(start - 3, 0)
        rows = head.rows(Frames.of(frames[low : stop + 2]), low, start, stop, work)
        pieces.append(join.add(rows))
        start = stop
    assert np.abs(np.concatenate(pieces) - whole).max() < 0.25 / 32768 * np.abs(whole).max()


def test_a_stretch_gives_all_its_sound_but_half_a_window() -> None:
    head = PhraseHead(wandering_f0(30))
    rows = head.rows(Frames.of(random_frames(11)), 0, 0, 10, Workspace())
    assert rows.shape == (11, HOP_LENGTH)
    assert len(OverlapAdd(30).add(rows)) == 10 * HOP_LENGTH - 256


def test_a_single_frame_is_a_phrase() -> None:
    assert PhraseHead(np.full(2, 200.0)).render(Frames.of(random_frames(1))).shape == (HOP_LENGTH,)


@pytest.mark.torch
def test_agrees_with_the_torch_twin() -> None:
    torch = pytest.importorskip("torch")
    from models.head import SourceFilterHead

    frames, f0 = random_frames(60), wandering_f0(60)
    pulses = torch.from_numpy(render_pulses(*pulse_train(f0), 0, 60 * HOP_LENGTH))[None]
    noise = torch.from_numpy(noise_at(0, 60 * HOP_LENGTH).copy())[None]
    twin = SourceFilterHead()(torch.from_numpy(frames)[None], pulses, noise)[0].numpy()
    ours = PhraseHead(f0).render(Frames.of(frames))
    error = 20 * np.log10(np.std(ours - twin) / np.std(twin))
    assert error < -110.0  # dB


def test_pulses_that_were_rendered_ahead_are_the_same() -> None:
    f0, frames = wandering_f0(150), random_frames(150)
    for start, stop in ((0, 8), (8, 79), (79, 150)):
        low, high = max(start - 1, 0), min(stop + 1, 150)
        plain, ahead = PhraseHead(f0), PhraseHead(f0)
        window = Frames.of(frames[low:high])
        ahead.render_ahead()
        expected = plain.rows(window, low, start, stop, Workspace())
        assert np.array_equal(ahead.rows(window, low, start, stop, Workspace()), expected)
