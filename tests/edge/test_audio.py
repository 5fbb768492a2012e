"""PCM conversion, the limiter and WAV."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from edge.audio import LIMIT_KNEE, soft_limit, to_pcm16, wav_bytes


def test_quiet_sound_is_only_rounded() -> None:
    samples = np.linspace(-LIMIT_KNEE, LIMIT_KNEE, 1001, dtype=np.float32)
    pcm = to_pcm16(samples)
    assert pcm.dtype == np.int16
    assert np.abs(pcm / 32767 - samples).max() <= 0.5001 / 32767


def test_loud_sound_bends_without_clipping_and_keeps_its_order() -> None:
    samples = np.linspace(-1.4, 1.4, 2001, dtype=np.float32)
    limited = soft_limit(samples)
    assert np.abs(limited).max() < 1.0
    assert (np.diff(limited) > 0).all()
    assert np.allclose(limited, -limited[::-1])
    assert np.abs(to_pcm16(samples * 10, volume=2.0).astype(int)).max() <= 32767


@pytest.mark.parametrize("volume", [0.0, 0.5, 2.0])
def test_volume_is_a_linear_gain(volume: float) -> None:
    samples = np.full(10, 0.3, np.float32)
    assert np.allclose(to_pcm16(samples, volume), round(0.3 * volume * 32767), atol=1)


def test_limiting_in_chunks_equals_limiting_the_whole() -> None:
    samples = np.random.default_rng(0).standard_normal(4000).astype(np.float32)
    pieces = np.concatenate([to_pcm16(samples[:1500]), to_pcm16(samples[1500:])])
    assert np.array_equal(pieces, to_pcm16(samples))


def test_empty_sound_stays_empty() -> None:
    assert to_pcm16(np.empty(0, np.float32)).shape == (0,)


def test_wav_reads_back_with_the_standard_library() -> None:
    pcm = np.arange(-500, 500, dtype=np.int16)
    with wave.open(io.BytesIO(wav_bytes(pcm))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (32000, 1, 2)
        assert np.array_equal(np.frombuffer(file.readframes(file.getnframes()), "<i2"), pcm)
