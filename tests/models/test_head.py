"""The torch head against its NumPy twin on the device."""

import numpy as np
import pytest
import torch

from distill.training.dataset import harmonic_excitation
from edge.frames import Frames
from edge.head import PhraseHead, noise_at
from edge.spec import FRAME_OUTPUTS, HOP_LENGTH, N_BINS
from models.head import SourceFilterHead


def random_frames(n_frames: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    frames = rng.standard_normal((n_frames, FRAME_OUTPUTS)).astype(np.float32) * 0.5
    frames[:, :N_BINS] -= 3.0
    frames[:, 2 * N_BINS : 3 * N_BINS] -= 4.0
    return frames


def test_agrees_with_the_device() -> None:
    n_frames = 40
    frames = random_frames(n_frames)
    f0_edges = np.linspace(90.0, 260.0, n_frames + 1)
    device = PhraseHead(f0_edges).render(Frames.of(frames))
    pulses = torch.from_numpy(harmonic_excitation(f0_edges).astype(np.float32))[None]
    noise = torch.from_numpy(noise_at(0, n_frames * HOP_LENGTH).astype(np.float32))[None]
    torch_sound = SourceFilterHead()(torch.from_numpy(frames)[None], pulses, noise)[0].numpy()
    assert torch_sound.shape == (n_frames * HOP_LENGTH,)
    inner = slice(HOP_LENGTH, -2 * HOP_LENGTH)  # the device keeps its last frame until the phrase ends
    error = device[inner] - torch_sound[: len(device)][inner]
    # The training excitation is stored as float16: 11 bits, -66 dB.
    assert np.sqrt(np.mean(error**2)) < 1e-3 * np.sqrt(np.mean(device[inner] ** 2))


def test_excitation_has_unit_power() -> None:
    for f0 in (80.0, 200.0, 411.0):
        pulses = harmonic_excitation(np.full(101, f0)).astype(np.float32)
        assert np.mean(pulses**2) == pytest.approx(1.0, abs=0.05)


def test_flat_envelope_returns_the_noise() -> None:
    """Analysis and synthesis windows add up to one, so an all-pass frame gives its input back."""
    n_frames = 12
    frames = torch.full((1, n_frames, FRAME_OUTPUTS), 0.0)
    frames[..., :N_BINS] = -50.0
    noise = torch.randn(1, n_frames * HOP_LENGTH)
    out = SourceFilterHead()(frames, torch.zeros_like(noise), noise)
    inner = slice(HOP_LENGTH, -HOP_LENGTH)
    torch.testing.assert_close(out[:, inner], noise[:, inner], atol=1e-5, rtol=0)


def test_refuses_a_hop_that_does_not_add_up() -> None:
    with pytest.raises(ValueError, match="twice the hop"):
        SourceFilterHead(n_fft=1024, hop_length=256)
