"""The mark: found where it is and nowhere else, the same in pieces as in one, not lost by small damage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.bundle.bundle import workshop
from edge.frames import Frames
from edge.head import OverlapAdd, PhraseHead, Workspace
from edge.spec import FRAME_OUTPUTS, SAMPLE_RATE
from edge.synthesizer import SpeechRequest, Synthesizer
from edge.watermark.detector import N_DECOYS, detect, resample
from edge.watermark.pattern import BINS, DEPTH_DB, PERIOD_FRAMES, PUBLIC_KEY, FrameMark, gains, signs
from tests.edge.bundle.trust.studio import Voice

TEXT = "The harbour lights were going out one by one, and nobody on the pier remembered who had lit them."


@pytest.fixture(scope="module")
def voice() -> Iterator[tuple[Synthesizer, Synthesizer]]:
    """The built-in voice without the mark, and with it."""
    plain, marked = Synthesizer.load(threads=1), Synthesizer.load(threads=1, marked=True)
    yield plain, marked
    plain.close()
    marked.close()


def spoken(synthesizer: Synthesizer, text: str = TEXT) -> NDArray[np.float32]:
    return synthesizer.synthesize(SpeechRequest(text, "claire")).audio.astype(np.float32) / 32768


def test_the_pattern_is_balanced_in_every_band() -> None:
    table = signs(PUBLIC_KEY)
    assert set(np.unique(table)) == {-1, 1} and not table.sum(axis=0).any()
    assert (signs(b"other") != table).mean() > 0.3
    assert gains().shape == (PERIOD_FRAMES, BINS.stop - BINS.start)
    assert 20 * np.log10(gains().max()) == pytest.approx(DEPTH_DB, abs=1e-3)


def test_the_pattern_never_changes() -> None:
    """What is found today has to be found in ten years, with whatever numpy."""
    assert "".join("+-"[int(value < 0)] for value in signs(PUBLIC_KEY)[0][:24]) == "++++-+++---+-+++-+-+-+-+"


def test_a_phrase_is_marked_alike_in_pieces_and_in_one() -> None:
    noise = np.random.default_rng(3).normal(-3, 0.5, (100, FRAME_OUTPUTS))
    frames = Frames.of(noise.astype(np.float32))
    f0 = np.full(101, 140.0)
    mark = FrameMark(777)
    whole = PhraseHead(f0, mark).render(frames)
    head, join, work, pieces = PhraseHead(f0, mark), OverlapAdd(100), Workspace(), []
    for start, stop in ((0, 9), (9, 80), (80, 100)):
        pieces.append(join.add(head.rows(frames, 0, start, stop, work)).copy())
    assert np.abs(np.concatenate(pieces) - whole).max() < 1e-5
    assert np.abs(PhraseHead(f0).render(frames) - whole).max() > 1e-3


@pytest.mark.voice
def test_the_mark_is_found_and_only_there(voice: tuple[Synthesizer, Synthesizer]) -> None:
    plain, marked = voice
    found, absent = detect(spoken(marked), SAMPLE_RATE), detect(spoken(plain), SAMPLE_RATE)
    assert found.verdict == "found" and found.score > 9 and found.seconds > 3
    assert absent.verdict == "not found" and absent.score < 5
    other = detect(spoken(marked), SAMPLE_RATE, b"another key")
    assert other.verdict != "found" and other.score < 0.7 * found.score


@pytest.mark.voice
def test_streaming_carries_the_same_mark(voice: tuple[Synthesizer, Synthesizer]) -> None:
    _, marked = voice
    request = SpeechRequest(TEXT + "[pause:300ms] " + TEXT, "claire")
    whole = marked.synthesize(request).audio
    streamed = np.concatenate([chunk.samples for chunk in marked.stream(marked.prepare(request))])
    assert np.abs(streamed.astype(int) - whole).max() <= 1


@pytest.mark.voice
@pytest.mark.parametrize("damage", ["crop", "quiet", "16 kHz", "8 kHz", "noise", "equaliser", "48 kHz"])
def test_ordinary_damage_does_not_hide_it(voice: tuple[Synthesizer, Synthesizer], damage: str) -> None:
    audio, rate = spoken(voice[1]), SAMPLE_RATE
    rng = np.random.default_rng(1)
    if damage == "crop":
        audio = audio[9_871:]
    elif damage == "quiet":
        audio = audio * np.float32(0.02)
    elif damage == "noise":
        audio = audio + rng.normal(0, audio.std() / 10, len(audio)).astype(np.float32)
    elif damage == "equaliser":
        spectrum = np.fft.rfft(audio)
        spectrum *= 10 ** (np.sin(np.linspace(0, 9, len(spectrum))) * 9 / 20)
        audio = np.fft.irfft(spectrum, len(audio)).astype(np.float32)
    elif damage.endswith("kHz"):
        rate = int(damage.split()[0]) * 1000
        size = round(len(audio) * rate / SAMPLE_RATE)
        spectrum = np.fft.rfft(audio)
        kept = np.zeros(size // 2 + 1, complex)
        n = min(len(kept), len(spectrum))
        kept[:n] = spectrum[:n]
        audio = np.fft.irfft(kept, size).astype(np.float32) * np.float32(size / len(audio))
    assert detect(audio, rate).verdict == "found"


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0),
        np.zeros(100),
        np.zeros(64_000),
        np.ones(64_000),
        np.random.default_rng(0).normal(size=9_000),
    ],
)
def test_clips_that_say_nothing(samples: NDArray[np.float64]) -> None:
    detection = detect(samples.astype(np.float32), SAMPLE_RATE)
    assert detection.verdict == "not found" and np.isfinite(detection.score)


def test_noise_and_tones_carry_no_mark() -> None:
    rng = np.random.default_rng(7)
    clips = [rng.normal(size=64_000) for _ in range(4)]
    clips += [
        np.sin(np.arange(64_000) * pitch) * (np.arange(64_000) % 7_000 < 5_000) for pitch in (0.02, 0.05)
    ]
    for clip in clips:
        detection = detect(clip.astype(np.float32), SAMPLE_RATE)
        assert detection.verdict == "not found", detection


def test_resampling_keeps_a_tone() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000).astype(np.float32)
    expected = np.sin(2 * np.pi * 440 * np.arange(32_000) / 32_000)
    assert np.abs(resample(tone, 16_000) - expected).max() < 1e-6


def test_a_persons_voice_is_always_marked_and_a_synthetic_one_only_on_request(tmp_path: Path) -> None:
    tiny = Voice(tmp_path / "voice").write()
    for marked in (False, True):
        synthesizer = Synthesizer.load(tiny, threads=1, gate=workshop, marked=marked)
        assert synthesizer.marked
        synthesizer.close()
    synthetic = Synthesizer.load(Path(__file__).parents[2] / "data" / "tiny_voice", threads=1)
    assert not synthetic.marked
    synthetic.close()


def test_there_are_enough_decoys() -> None:
    assert N_DECOYS >= 50
