"""The student: shapes, masks, receptive field, conditioning."""

import pytest
import torch

from edge import spec
from models.sovits_tiny import Decoder, Encoder, SovitsTiny, StudentConfig, mel_cepstral_basis

SMALL = StudentConfig(
    n_vocab=20,
    encoder_dim=16,
    encoder_dilations=(1, 2),
    predictor_blocks=1,
    decoder_dim=16,
    decoder_blocks=3,
    n_harmonic_cepstra=12,
    n_noise_cepstra=8,
    zero_length_ids=(3,),
)


@pytest.fixture
def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder(SMALL).eval()


@pytest.fixture
def decoder() -> Decoder:
    torch.manual_seed(0)
    return Decoder(SMALL).eval()


def encode(encoder: Encoder, ids: list[list[int]], *, emotion: int = 1, strength: float = 1.0, mask=None):
    phonemes = torch.tensor(ids)
    batch = len(ids)
    with torch.no_grad():
        return encoder(
            phonemes,
            torch.ones_like(phonemes),
            torch.zeros_like(phonemes),
            torch.full((batch,), 2),
            torch.full((batch,), emotion),
            torch.full((batch,), strength),
            mask,
        )


def test_defaults_agree_with_the_device() -> None:
    config = StudentConfig()
    assert config.n_fft == spec.N_FFT and config.n_bins == spec.N_BINS
    assert config.f0_points == spec.F0_POINTS and config.subframes == spec.SUBFRAMES
    assert config.n_frame_features == spec.N_FRAME_FEATURES
    assert 3 * config.n_bins + 2 * config.subframes == spec.FRAME_OUTPUTS
    assert sum(p.numel() for p in SovitsTiny(config).parameters()) < 10_000_000


def test_config_survives_plain_values() -> None:
    assert (
        StudentConfig.from_dict(
            {k: list(v) if isinstance(v, tuple) else v for k, v in SMALL.to_dict().items()}
        )
        == SMALL
    )


def test_encoder_shapes(encoder: Encoder) -> None:
    durations, f0, energy, hidden = encode(encoder, [[1, 2, 4, 5, 6]])
    assert durations.shape == energy.shape == (1, 5)
    assert f0.shape == (1, 5, 4)
    assert hidden.shape == (1, 5, SMALL.decoder_dim)


def test_pitch_marks_take_no_time(encoder: Encoder) -> None:
    durations = encode(encoder, [[1, 3, 4, 3]])[0]
    assert durations[0, 1] == durations[0, 3] == 0.0
    assert durations[0, 0] > 0.0 and durations[0, 2] > 0.0


def test_padding_changes_nothing(encoder: Encoder) -> None:
    alone = encode(encoder, [[1, 2, 4]])
    mask = torch.tensor([[1.0, 1, 1, 0, 0], [1, 1, 1, 1, 1]]).unsqueeze(-1)
    padded = encode(encoder, [[1, 2, 4, 9, 9], [5, 6, 7, 8, 9]], mask=mask)
    for a, b in zip(alone, padded, strict=True):
        torch.testing.assert_close(a[0], b[0, :3], atol=1e-5, rtol=1e-5)


def test_strength_zero_is_neutral_and_strength_moves_away(encoder: Encoder) -> None:
    line = [[1, 2, 4, 5]]
    neutral = encode(encoder, line, emotion=0)
    for a, b in zip(neutral, encode(encoder, line, strength=0.0), strict=True):
        torch.testing.assert_close(a, b)
    half, full = (encode(encoder, line, strength=s)[3] for s in (0.5, 1.0))
    assert (full - neutral[3]).norm() > (half - neutral[3]).norm() > 0.0


def test_decoder_shape(decoder: Decoder) -> None:
    with torch.no_grad():
        frames = decoder(torch.randn(2, 9, SMALL.decoder_dim), torch.randn(2, 9, 6))
    assert frames.shape == (2, 9, 3 * SMALL.n_bins + 2 * SMALL.subframes)


def test_receptive_field_is_what_the_config_says(decoder: Decoder) -> None:
    hidden, features = torch.randn(1, 41, SMALL.decoder_dim), torch.randn(1, 41, 6)
    changed = hidden.clone()
    changed[0, 20] += 1.0
    with torch.no_grad():
        moved = (decoder(hidden, features) - decoder(changed, features)).abs().amax(-1)[0]
    touched = moved.nonzero().flatten()
    assert int(touched.min()) == 20 - SMALL.context_frames
    assert int(touched.max()) == 20 + SMALL.context_frames


def test_basis_gives_a_minimum_phase_filter() -> None:
    """A causal cepstrum means a causal impulse response whose energy comes first."""
    cosine, sine = mel_cepstral_basis(24, 1025, 0.5)
    cepstrum = torch.randn(24, generator=torch.Generator().manual_seed(1)) * 0.9 ** torch.arange(24)
    response = torch.fft.irfft(torch.polar(torch.exp(cepstrum @ cosine), -(cepstrum @ sine)))
    energy = response.pow(2)
    assert energy[: len(energy) // 2].sum() > 0.999 * energy.sum()


def test_basis_without_warp_is_the_plain_cepstrum() -> None:
    cosine, sine = mel_cepstral_basis(5, 9, 0.0)
    omega = torch.linspace(0, torch.pi, 9)
    torch.testing.assert_close(cosine[3], torch.cos(3 * omega), atol=1e-6, rtol=0)
    torch.testing.assert_close(sine[3], torch.sin(3 * omega), atol=1e-6, rtol=0)


def test_sharpening_scales_the_shape_of_envelopes_and_keeps_level_tilt_and_gains(decoder: Decoder) -> None:
    hidden, features = torch.randn(1, 6, SMALL.encoder_dim), torch.randn(1, 6, SMALL.n_frame_features)
    n_bins = SMALL.n_bins
    with torch.no_grad():
        before = decoder(hidden, features)
        decoder.sharpen(1.5, 0.5)
        after = decoder(hidden, features)
        decoder.sharpen(0.0, 0.0)
        flat = decoder(hidden, features)
    for factor, at in ((1.5, 0), (1.5, n_bins), (0.5, 2 * n_bins)):
        part = slice(at, at + n_bins)
        shape = before[..., part] - flat[..., part]
        assert shape.abs().max() > 0.01
        torch.testing.assert_close(after[..., part] - flat[..., part], factor * shape)
    gains = slice(3 * n_bins, None)
    torch.testing.assert_close(after[..., gains], before[..., gains])
    basis, _ = mel_cepstral_basis(2, n_bins, SMALL.warp)
    left = flat[0, :, :n_bins] @ torch.linalg.pinv(basis) @ basis
    torch.testing.assert_close(left, flat[0, :, :n_bins], atol=1e-4, rtol=1e-4)


def test_the_level_of_the_noise_is_moved_by_decibels(decoder: Decoder) -> None:
    hidden, features = torch.randn(1, 6, SMALL.encoder_dim), torch.randn(1, 6, SMALL.n_frame_features)
    with torch.no_grad():
        before = decoder(hidden, features)
        decoder.sharpen(1.0, 1.0, -6.0)
        after = decoder(hidden, features)
    noise = slice(2 * SMALL.n_bins, 3 * SMALL.n_bins)
    torch.testing.assert_close((after - before)[..., noise].exp().min(), torch.tensor(10 ** (-6 / 20)))
    torch.testing.assert_close(after[..., : 2 * SMALL.n_bins], before[..., : 2 * SMALL.n_bins])
