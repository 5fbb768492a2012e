from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.audio import Pcm16
from edge.bundle.manifest import Character
from edge.engine.source import VoiceSource
from edge.errors import RunnerError
from edge.loudness.level import (
    LEVELS_FILE,
    SENTENCES,
    SILENCE_DBFS,
    Levels,
    character_level,
    speech_level,
)
from edge.loudness.limiter import Limiter
from edge.spec import SAMPLE_RATE

NOAH = Character(name="noah", id=0, languages=("en",), emotions=("neutral",))


def tone(amplitude: float, seconds: float) -> Pcm16:
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.rint(amplitude * 32_767 * np.sin(2 * np.pi * 200 * t)).astype(np.int16)


def test_pauses_do_not_count() -> None:
    speech = tone(0.1, 1.0)
    paused = np.concatenate(
        [np.zeros(SAMPLE_RATE, np.int16), speech, np.zeros(SAMPLE_RATE, np.int16), speech]
    )
    assert speech_level(speech) == pytest.approx(-23.01, abs=0.05)
    assert speech_level(paused) == pytest.approx(speech_level(speech), abs=0.05)


@pytest.mark.parametrize("samples", [np.zeros(0, np.int16), np.zeros(SAMPLE_RATE, np.int16)])
def test_silence_has_a_level_too(samples: Pcm16) -> None:
    assert speech_level(samples) == SILENCE_DBFS


def measured(state_dir: Path | None, voice: str, speak: Callable[[str, str, str], Pcm16]) -> dict[str, float]:
    levels = Levels(state_dir, voice, [NOAH])
    while levels.missing:
        levels.measure(speak)
    return levels.known


def test_a_voice_is_measured_once(tmp_path: Path) -> None:
    said: list[tuple[str, str, str]] = []

    def speak(*what: str) -> Pcm16:
        said.append((what[0], what[1], what[2]))
        return tone(0.1, 1.0)

    first = measured(tmp_path, "voice 1", speak)
    assert measured(tmp_path, "voice 1", speak) == first
    assert said == [(SENTENCES["en"], "noah", "en")]
    for number in range(2, 20):
        measured(tmp_path, f"voice {number}", speak)
    assert len(json.loads((tmp_path / LEVELS_FILE).read_text())) == 8
    assert measured(tmp_path / LEVELS_FILE / "no folder", "voice 1", speak) == first
    assert measured(None, "voice 1", speak) == first


def broken(*_: str) -> Pcm16:
    raise RunnerError("the network broke")


def test_characters_are_measured_one_at_a_time_and_those_who_cannot_speak_not_again(tmp_path: Path) -> None:
    ava = NOAH.model_copy(update={"name": "ava", "id": 1})
    levels = Levels(tmp_path, "voice", [NOAH, ava])
    assert levels.missing == ("noah", "ava") and not levels.known
    levels.measure(lambda *_: tone(0.1, 1.0), "ava")
    assert levels.missing == ("noah",) and levels.known["ava"] == pytest.approx(-23.0, abs=0.1)
    levels.measure(lambda *_: tone(0.2, 1.0), "ava")
    with pytest.raises(RunnerError):
        levels.measure(broken, "noah")
    assert not levels.missing and levels.known == {"ava": levels.known["ava"], "noah": SILENCE_DBFS}
    assert Levels(tmp_path, "voice", [NOAH, ava]).missing == ("noah",), "next time, another try"
    assert Levels(tmp_path, "voice").known == {}, "nobody needs to know"


@pytest.mark.parametrize(
    "content", ["", "[]", '{"voice": 1}', '{"voice": {"noah": "loud"}}', '{"voice": {}}']
)
def test_a_file_that_says_nothing_is_written_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / LEVELS_FILE).write_text(content)
    levels = measured(tmp_path, "voice", lambda *_: tone(0.1, 1.0))
    assert json.loads((tmp_path / LEVELS_FILE).read_text())["voice"] == levels


def test_what_the_bundle_says_needs_no_measuring(tmp_path: Path) -> None:
    told = NOAH.model_copy(update={"level_dbfs": -25.5})
    ava = NOAH.model_copy(update={"name": "ava", "id": 1})
    levels = Levels(tmp_path, "voice", [told, ava])
    assert levels.known == {"noah": -25.5} and levels.missing == ("ava",)
    levels.measure(lambda *_: tone(0.1, 1.0))
    assert Levels(tmp_path, "voice", [told, ava]).missing == ()
    assert Levels(tmp_path, "voice", [told]).known == {"noah": -25.5}


def test_the_built_in_voice_tells_how_loud_it_is(tmp_path: Path) -> None:
    synthesizer = VoiceSource(state_dir=tmp_path, levels=True).load()
    try:
        assert synthesizer.levels.missing == ()
        for character in synthesizer.bundle.manifest.characters:
            found = character_level(synthesizer.sample, character)
            assert synthesizer.levels.known[character.name] == pytest.approx(found, abs=0.3)
        sound = synthesizer.sample("Please leave by the nearest exit. Thank you for coming!", "claire", "en")
    finally:
        synthesizer.close()
    out = Limiter(-18.0 - synthesizer.levels.known["claire"], -1.0).process(sound, last=True)
    assert speech_level(out) == pytest.approx(-18.0, abs=1.5)
