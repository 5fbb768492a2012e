"""Reference clips: real speech spoilt in known ways is found out, clean speech is not."""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from scipy import signal

from distill import sound
from distill.config import DistillError
from distill.teachers.reference import Reference
from distill.voice.clip_measures import (
    bandwidth_hz,
    clipped_share,
    decay_time_s,
    signal_to_noise_db,
    silence_share,
)
from distill.voice.reference_clip import Finding, check_references, findings_json, refuse_bad_references
from edge.spec import SAMPLE_RATE

Audio = NDArray[np.float64]
TEXT = "The stage is yours, and the house is full tonight. Take a seat, and wait for the light."
CHINESE = "今晚座无虚席，舞台是你的，请坐下来，等着灯光亮起。"

pytestmark = [pytest.mark.espeak, pytest.mark.flite]


def spoken(folder: Path, *command: str) -> Audio:
    path = folder / "line.wav"
    subprocess.run([*command, str(path)], check=True)
    audio, rate = soundfile.read(path, dtype="float32")
    return sound.resample(audio, rate).astype(np.float64)


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Audio]:
    folder = tmp_path_factory.mktemp("voices")
    espeak, flite = ("espeak-ng", TEXT, "-v"), ("flite", "-t", TEXT, "-voice")
    return {
        "man": spoken(folder, *espeak, "en-us", "-w"),
        "woman": spoken(folder, *espeak, "en-us+f3", "-w"),
        "lively": spoken(folder, *espeak, "en-us", "-P", "80", "-w"),
        "chinese": spoken(folder, "espeak-ng", CHINESE, "-v", "cmn", "-w"),
        "slt": spoken(folder, *flite, "slt", "-o"),
        "rms": spoken(folder, *flite, "rms", "-o"),
        "awb": spoken(folder, *flite, "awb", "-o"),
    }


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., dict[str, Finding]]:
    """Write a clip, give the findings about it by name."""

    def check_one(audio: Audio, rate: int = SAMPLE_RATE, text: str | None = TEXT) -> dict[str, Finding]:
        soundfile.write(tmp_path / "clip.wav", audio, rate, subtype="PCM_16")
        reference = Reference(audio=tmp_path / "clip.wav", text=text)
        return {finding.check: finding for finding in check_references({"sad": reference})}

    return check_one


def noise(n: int) -> Audio:
    return np.random.default_rng(0).standard_normal(n)


def with_noise(audio: Audio, below_db: float) -> Audio:
    level = np.sqrt((audio**2).mean()) * 10 ** (-below_db / 20)
    return 0.5 * (audio + level * noise(len(audio)))


def low_passed(audio: Audio, hz: float) -> Audio:
    return signal.sosfiltfilt(signal.butter(8, hz, fs=SAMPLE_RATE, output="sos"), audio)


def in_a_room(audio: Audio, decay_s: float) -> Audio:
    """Convolve with an echo as strong as the direct sound, which falls by 60 dB in ``decay_s``."""
    time_s = np.arange(round(1.2 * decay_s * SAMPLE_RATE)) / SAMPLE_RATE
    echo = noise(len(time_s)) * 10 ** (-3 * time_s / decay_s)
    echo[: round(0.003 * SAMPLE_RATE)] = 0.0
    echo /= np.sqrt((echo**2).sum())
    echo[0] = 1.0
    return 0.5 * signal.fftconvolve(audio, echo)


def spoilt(findings: dict[str, Finding]) -> dict[str, str]:
    return {name: one.severity for name, one in findings.items() if one.severity != "ok"}


# --- Clean speech -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["man", "woman", "lively", "chinese"])
def test_clean_speech_is_not_blamed(
    voices: dict[str, Audio], check: Callable[..., dict[str, Finding]], name: str
) -> None:
    findings = check(voices[name], text=CHINESE if name == "chinese" else TEXT)
    assert spoilt(findings) == {}
    assert {*findings} == {
        "transcript", "length", "sample rate", "level", "clipping", "noise", "bandwidth", "reverberation",
        "silence", "speakers", "pace",
    }  # fmt: skip
    assert all(one.measured is not None and not one.advice for one in findings.values())


@pytest.mark.parametrize("name", ["slt", "rms", "awb"])
def test_voices_at_16_khz_are_blamed_for_that_alone(
    voices: dict[str, Audio], check: Callable[..., dict[str, Finding]], name: str
) -> None:
    assert spoilt(check(voices[name])) == {"bandwidth": "warning"}  # 7.5 kHz, whatever the file says


# --- Speech spoilt in known ways ----------------------------------------------------------------------------


@pytest.mark.parametrize(("below_db", "severity"), [(30.0, "warning"), (15.0, "error")])
def test_noise(
    voices: dict[str, Audio], check: Callable[..., dict[str, Finding]], below_db: float, severity: str
) -> None:
    finding = check(with_noise(voices["man"], below_db))["noise"]
    assert finding.severity == severity and "quieter" in finding.advice
    assert finding.measured == pytest.approx(below_db + 1.5, abs=2.5)  # speech is louder without its pauses


@pytest.mark.parametrize(("hz", "severity"), [(7_000.0, "warning"), (3_400.0, "error")])
def test_bandwidth(
    voices: dict[str, Audio], check: Callable[..., dict[str, Finding]], hz: float, severity: str
) -> None:
    finding = check(low_passed(voices["woman"], hz))["bandwidth"]
    assert finding.severity == severity
    assert hz < (finding.measured or 0.0) < 1.4 * hz


@pytest.mark.parametrize(("gain", "severity"), [(2.0, "warning"), (8.0, "error")])
def test_clipping_is_found_at_any_level(
    voices: dict[str, Audio], check: Callable[..., dict[str, Finding]], gain: float, severity: str
) -> None:
    audio = voices["man"] / np.abs(voices["man"]).max()
    for after in (1.0, 0.3):
        finding = check(after * np.clip(gain * audio, -1.0, 1.0))["clipping"]
        assert finding.severity == severity


@pytest.mark.parametrize("name", ["man", "woman", "rms", "chinese"])
@pytest.mark.parametrize(("decay_s", "severity"), [(0.5, "warning"), (0.9, "error")])
def test_reverberation(
    voices: dict[str, Audio],
    check: Callable[..., dict[str, Finding]],
    name: str,
    decay_s: float,
    severity: str,
) -> None:
    finding = check(in_a_room(voices[name], decay_s))["reverberation"]
    assert finding.measured == pytest.approx(decay_s, rel=0.3)
    assert finding.severity in (severity, "warning")


def test_silence(voices: dict[str, Audio], check: Callable[..., dict[str, Finding]]) -> None:
    two_seconds = voices["man"][: 2 * SAMPLE_RATE]
    assert check(np.append(two_seconds, np.zeros(2 * SAMPLE_RATE)))["silence"].severity == "warning"
    assert check(np.append(two_seconds, np.zeros(7 * SAMPLE_RATE)))["silence"].severity == "error"


def test_level(voices: dict[str, Audio], check: Callable[..., dict[str, Finding]]) -> None:
    assert check(0.05 * voices["man"])["level"].severity == "warning"
    findings = check(0.0 * voices["man"])
    assert findings["level"].severity == "error" and "noise" not in findings


def test_length_and_rate(voices: dict[str, Audio], check: Callable[..., dict[str, Finding]]) -> None:
    short = check(voices["man"][: 2 * SAMPLE_RATE])["length"]
    assert (short.severity, short.measured) == ("error", 2.0)
    assert check(np.tile(voices["man"], 3))["length"].severity == "error"
    low = check(signal.resample_poly(voices["man"], 1, 2), SAMPLE_RATE // 2)["sample rate"]
    assert (low.severity, low.measured, low.expected) == ("error", 16_000, "at least 24000")


def test_two_speakers(voices: dict[str, Audio], check: Callable[..., dict[str, Finding]]) -> None:
    half = 5 * SAMPLE_RATE // 2
    finding = check(np.append(voices["man"][:half], voices["woman"][:half]))["speakers"]
    assert finding.severity == "warning" and 9 < (finding.measured or 0.0) < 16  # an octave apart


@pytest.mark.parametrize(
    ("text", "severity"), [("Take a seat.", "error"), (2 * TEXT, "warning"), (9 * TEXT, "error")]
)
def test_a_transcript_of_another_clip(
    voices: dict[str, Audio], check: Callable[..., dict[str, Finding]], text: str, severity: str
) -> None:
    finding = check(voices["man"], text=text)["pace"]
    assert finding.severity == severity and "word for word" in finding.advice


def test_files_and_transcripts(voices: dict[str, Audio], tmp_path: Path) -> None:
    (tmp_path / "clip.wav").write_bytes(b"no sound")
    findings = check_references({"neutral": Reference(audio=tmp_path / "clip.wav")})
    assert [(one.check, one.severity, one.measured) for one in findings] == [
        ("transcript", "error", None), ("file", "error", None),
    ]  # fmt: skip
    assert "clip.txt" in findings[0].advice


# --- What is done with it -----------------------------------------------------------------------------------


def test_errors_refuse_and_warnings_are_logged(
    voices: dict[str, Audio], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def reference(name: str, audio: Audio) -> Reference:
        soundfile.write(tmp_path / f"{name}.wav", audio, SAMPLE_RATE)
        return Reference(audio=tmp_path / f"{name}.wav", text=TEXT)

    doubtful = {"sad": reference("sad", with_noise(voices["man"], 30.0))}
    with caplog.at_level(logging.WARNING, "distill.voice.reference_clip"):
        findings = refuse_bad_references(doubtful)
    assert len(caplog.messages) == 1 and "noise 31" in caplog.messages[0]
    assert json.loads(json.dumps(findings_json(findings)))["findings"][0]["emotion"] == "sad"
    bad = {"angry": reference("angry", np.tile(with_noise(voices["man"], 10.0), 3))}
    with pytest.raises(DistillError, match=r"angry \(.*\): length 15\.\d+ s, expected 3 to 10; .*1 more"):
        refuse_bad_references({**doubtful, **bad})


def test_measures_of_made_up_signals() -> None:
    time_s = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * 1000 * time_s)
    assert clipped_share(0.5 * tone) < 1e-3
    assert clipped_share(np.clip(tone, -0.5, 0.5)) == pytest.approx(2 / 3, abs=0.03)  # |sin| > 1/2
    assert bandwidth_hz(tone, SAMPLE_RATE) == pytest.approx(1000, abs=200)
    bursts = tone * (time_s % 0.5 < 0.25)
    assert silence_share(bursts, SAMPLE_RATE) == pytest.approx(0.5, abs=0.05)
    hiss = 1e-3 * noise(len(time_s))
    assert signal_to_noise_db(bursts + hiss, SAMPLE_RATE) == pytest.approx(57, abs=1.0)  # -3 dBFS over -60
    assert decay_time_s(tone + 0.1 * noise(len(time_s)), SAMPLE_RATE) is None  # it never stops
