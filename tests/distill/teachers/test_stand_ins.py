"""The free synthesisers with settings: timbres that no voice of the package has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from distill import sound
from distill.teachers import LineRequest, TeacherError, make_teacher
from distill.teachers.settings import EspeakSettings, FliteSettings, OpenJTalkSettings
from distill.training.features import fundamental
from edge.text import FrontEnd

LINE = "The house is full tonight."


@pytest.fixture(scope="module")
def line(front_end: FrontEnd) -> LineRequest:
    return LineRequest(LINE, front_end.read(LINE, "en"), "en", "somebody")


def settings(**changes: Any) -> EspeakSettings:
    return EspeakSettings(kind="espeak-ng", **changes)


def pitch_and_length(line: LineRequest, **changes: Any) -> tuple[float, float]:
    """Median pitch in Hz, and seconds."""
    with make_teacher(settings(**changes)) as teacher:
        spoken = teacher.synthesize(line)
    audio = sound.trim(sound.resample(spoken.audio, spoken.sample_rate), 0.0, 0.0)[0]
    log_f0, voiced = fundamental(audio.astype(np.float64), len(audio) // 256 + 1)
    return float(np.exp(np.median(log_f0[voiced]))), len(audio) / 32_000


@pytest.mark.espeak
class TestEspeak:
    def test_the_variant_itself_is_the_character_of_the_package(self, line: LineRequest) -> None:
        with make_teacher(settings()) as own, make_teacher("espeak-ng") as builtin:
            noah = builtin.synthesize(replace(line, character="noah"))
            np.testing.assert_array_equal(own.synthesize(line).audio, noah.audio)

    def test_pitch_and_rate_are_heard(self, line: LineRequest) -> None:
        pitch, length = pitch_and_length(line)
        other_pitch, other_length = pitch_and_length(line, pitch=1.3, rate=0.8)
        assert other_pitch / pitch == pytest.approx(1.3, rel=0.06)
        assert other_length / length == pytest.approx(1 / 0.8, rel=0.1)

    def test_formants_move_what_is_heard(self, line: LineRequest) -> None:
        def centroid(formants: float) -> float:
            with make_teacher(settings(formants=formants)) as teacher:
                spoken = teacher.synthesize(line)
            spectrum = np.abs(np.fft.rfft(spoken.audio)) ** 2
            return float((spectrum * np.arange(len(spectrum))).sum() / spectrum.sum() / len(spoken.audio))

        assert centroid(0.85) < centroid(1.0) < centroid(1.2)

    def test_the_delivery_is_that_of_the_settings(self, line: LineRequest) -> None:
        def delivery(**changes: Any) -> str:
            with make_teacher(settings(**changes)) as teacher:
                return teacher.delivery(line)

        names = [
            delivery(),
            delivery(pitch=1.1),
            delivery(formants=1.1),
            delivery(rate=1.1),
            delivery(variant="ava"),
        ]
        assert len(set(names)) == len(names)

    def test_only_the_emotions_asked_for(self, line: LineRequest) -> None:
        with (
            make_teacher(settings(emotions=("neutral", "sad"))) as teacher,
            pytest.raises(
                TeacherError, match="no angry somebody; characters are somebody, emotions neutral, sad"
            ),
        ):
            teacher.synthesize(replace(line, emotion="angry"))


@pytest.mark.flite
def test_flite_has_other_voices(line: LineRequest) -> None:
    spoken = {}
    for voice in ("slt", "rms", "kal16"):
        with make_teacher(FliteSettings(kind="flite", voice=voice)) as teacher:
            spoken[voice] = teacher.synthesize(line)
            assert voice.rstrip("16") in teacher.origin().credit and voice in teacher.delivery(line)
    assert len({len(one.audio) for one in spoken.values()}) == 3
    assert all(one.sample_rate == 16_000 for one in spoken.values())


def test_open_jtalk_has_no_settings(front_end: FrontEnd) -> None:
    text = "舞台へようこそ。"
    request = LineRequest(text, front_end.read(text, "ja"), "ja", "somebody")
    with make_teacher(OpenJTalkSettings(kind="openjtalk")) as own, make_teacher("openjtalk") as builtin:
        np.testing.assert_array_equal(own.synthesize(request).audio, builtin.synthesize(request).audio)
