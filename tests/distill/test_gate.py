"""The quality gate on real speech with faults made on purpose."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from distill.config import DistillError
from distill.corpus.measure_gate import CLEAN, KINDS, Booth, Case
from distill.gate import GateConfig, Heard, Voice, ask_recogniser, first_look, learn_voice
from distill.gate.learn import learn
from distill.gate.loops import written_share
from distill.gate.pauses import find_pauses
from distill.gate.phonetics import SILENCE, estimate, unit
from distill.gate.recogniser import written_error
from distill.gate.robust import centre_and_spread, fit_plane
from distill.gate.spectrum import N_CEPSTRA, N_MELS, cepstra, log_mel
from distill.gate.words import JUMP_NATS, jump_nats
from distill.script import load_lines
from distill.teachers import make_teacher
from edge.spec import SAMPLE_RATE
from edge.text import FrontEnd

CONFIG = GateConfig()
WORDS = ("words dropped", "words repeated", "ends early")


def noise(seconds: float, level: float = 0.1) -> np.ndarray:
    size = round(seconds * SAMPLE_RATE)
    return (level * np.random.default_rng(1).standard_normal(size)).astype(np.float32)


def heard(audio: np.ndarray, text: str = "你好，朋友。") -> Heard:
    return Heard(audio, FrontEnd().read(text, "zh"), "zh")


@pytest.fixture(scope="module")
def booth() -> Iterator[Booth]:
    with make_teacher("espeak-ng") as teacher:
        yield Booth(teacher, "noah", "zh")


@pytest.fixture(scope="module")
def texts() -> list[str]:
    lines = [line.text for line in load_lines("zh") if line.split == "train" and 12 <= len(line.text) <= 20]
    random.Random(3).shuffle(lines)
    return lines


@pytest.fixture(scope="module")
def voice(booth: Booth, texts: list[str]) -> Voice:
    return learn_voice([booth.case(text, (CLEAN,)).heard() for text in texts[:45]])


@pytest.fixture(scope="module")
def cases(booth: Booth, texts: list[str]) -> list[Case]:
    return [booth.case(text, KINDS) for text in texts[45:53]]


# --- A line by itself ---------------------------------------------------------------------------------------


def test_shapes_and_rate_of_frames() -> None:
    mel = log_mel(noise(1.0))
    assert mel.shape == (101, N_MELS) and cepstra(mel).shape == (101, 2 * N_CEPSTRA)


def test_pauses_are_measured_and_taken_from_the_speech() -> None:
    audio = np.concatenate((noise(0.5), np.zeros(SAMPLE_RATE, np.float32), noise(0.5)))
    pauses = find_pauses(audio)
    assert pauses.seconds == pytest.approx([1.0], abs=0.01)
    assert pauses.speech_s == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("text", "fine"), [("你好，朋友。", True), ("你好朋友。", False)])
def test_a_silence_needs_a_mark(text: str, fine: bool) -> None:
    audio = np.concatenate((noise(0.5), np.zeros(round(0.7 * SAMPLE_RATE), np.float32), noise(0.5)))
    fault = first_look(CONFIG, heard(audio, text))
    assert (fault is None) is fine
    assert fault is None or (fault.reason, fault.threshold) == ("pause", 0.5)


def test_no_mark_excuses_a_very_long_silence() -> None:
    audio = np.concatenate((noise(0.5), np.zeros(2 * SAMPLE_RATE, np.float32), noise(0.5)))
    fault = first_look(CONFIG, heard(audio))
    assert fault is not None and fault.reason == "pause" and fault.measured == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize(("seconds", "side"), [(0.2, "short"), (3.5, "long")])
def test_length_by_the_number_of_phonemes(seconds: float, side: str) -> None:
    fault = first_look(CONFIG, heard(noise(seconds)))
    assert fault is not None and fault.reason == "length" and side in fault.detail


def test_what_is_written_twice_may_be_said_twice() -> None:
    phonemes = FrontEnd().read("不要走，不要走，不要走。", "zh").phonemes
    assert written_share(phonemes) > 0.4
    assert written_share(FrontEnd().read("今天天气很好。", "zh").phonemes) == 0.0


@pytest.mark.espeak
def test_first_look_needs_to_know_nothing(cases: Sequence[Case]) -> None:
    assert [first_look(CONFIG, case.heard()) for case in cases] == [None] * len(cases)
    expected = {"clipped": {"clipping"}, "loop": {"loop", "length"}, "silence inside": {"pause"}}
    for kind, reasons in expected.items():
        faults = [first_look(CONFIG, case.heard(kind)) for case in cases]
        assert {fault.reason for fault in faults if fault is not None} <= reasons
        # A silence beside a mark, and a loop of one syllable, are left to what knows the voice.
        assert sum(fault is not None for fault in faults) >= len(cases) - 3, kind


# --- A line of a known voice --------------------------------------------------------------------------------


@pytest.mark.espeak
def test_clean_lines_pass(voice: Voice, cases: Sequence[Case]) -> None:
    faults = [voice.judge(CONFIG, case.heard()) for case in cases]
    assert faults == [None] * len(cases)


@pytest.mark.espeak
@pytest.mark.parametrize("kind", WORDS)
def test_words_left_out_or_said_twice_are_found(voice: Voice, cases: Sequence[Case], kind: str) -> None:
    found = [voice.judge(CONFIG, case.heard(kind)) for case in cases]
    assert sum(fault is not None and fault.reason == "words" for fault in found) >= len(cases) - 1, found


@pytest.mark.espeak
def test_the_words_are_named(voice: Voice, booth: Booth, texts: list[str]) -> None:
    reading = FrontEnd().read("我们明天早上去公园散步。", "zh")
    spoken = booth.case("我们明天早上去散步。", (CLEAN,)).sounds[CLEAN]
    fault = voice.judge(CONFIG, Heard(spoken, reading, "zh"))
    assert fault is not None and fault.reason == "words" and "公园" in fault.detail


@pytest.mark.espeak
def test_another_voice_and_another_text_are_found(voice: Voice, cases: Sequence[Case]) -> None:
    for case, other in zip(cases, [*cases[1:], cases[0]], strict=True):
        assert voice.judge(CONFIG, case.heard("another voice")) is not None
        assert voice.judge(CONFIG, replace(case.heard(), audio=other.sounds[CLEAN])) is not None


@pytest.mark.espeak
def test_a_teachers_own_timbre_is_used(booth: Booth, texts: list[str], cases: Sequence[Case]) -> None:
    lines = [booth.case(text, (CLEAN,)).heard() for text in texts[:10]]

    def timbre(audio: np.ndarray) -> np.ndarray:
        return np.array([len(audio) % 7 / 100, 1.0], np.float32)

    own = learn_voice(lines, timbre)
    assert len(own.manners[""].timbre) == 2
    # Too few lines to know the phonemes: here only the timbre is to decide.
    lax = GateConfig(word_nats=1e9, fit_deviations=1e9, length_deviations=1e9)
    line = cases[0].heard()
    assert own.judge(lax, line, timbre) is None
    fault = own.judge(lax, line, lambda _: np.array([9.0, 9.0], np.float32))
    assert fault is not None and fault.reason == "timbre"


def test_a_phoneme_lasts_as_long_as_it_did_on_average() -> None:
    # "a" has 3 frames twice, "t" 4 once; three occurrences of the mean, 10 / 3 frames, are added to each.
    states = np.array([0, 0, 1, 1, 2, 3, 4, 4, 4, 1, 2, 2, 0])
    frames = np.zeros((len(states), 2 * N_CEPSTRA), np.float32)
    phonetics = estimate(("a", "t", "unknown"), frames, states)
    assert phonetics.lengths == pytest.approx([(6 + 10) / 5, (4 + 10) / 4, 10 / 3])
    assert phonetics.usual_frames(["a", ",", "t", "q"]) == pytest.approx(16 / 5 + 14 / 4 + 10 / 3)


@pytest.mark.espeak
def test_half_the_pace_is_found(voice: Voice, cases: Sequence[Case]) -> None:
    faults = [voice.judge(CONFIG, case.heard("half as fast")) for case in cases]
    assert all(fault is not None for fault in faults)
    assert sum(fault is not None and fault.reason == "length" for fault in faults) >= len(cases) - 1


@pytest.mark.espeak
def test_a_learnt_voice_is_kept(
    voice: Voice, cases: Sequence[Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice.save(tmp_path / "noah.npz", "key")
    same = Voice.load(tmp_path / "noah.npz", "key")
    assert same is not None and same.manners == voice.manners
    line = cases[0].heard("words dropped")
    assert same.judge(CONFIG, line) == voice.judge(CONFIG, line)
    assert Voice.load(tmp_path / "noah.npz", "another key") is None
    assert Voice.load(tmp_path / "none.npz", "key") is None
    monkeypatch.setattr("distill.gate.voice.FORMAT", 3)
    assert Voice.load(tmp_path / "noah.npz", "key") is None


@pytest.mark.espeak
def test_fewer_frames_than_phonemes_is_a_fault_of_length(voice: Voice) -> None:
    fault = voice.judge(CONFIG, heard(noise(0.1)))
    assert fault is not None and fault.reason == "length"


@pytest.mark.espeak
def test_learning_twice_gives_the_same(booth: Booth, texts: list[str]) -> None:
    lines = [booth.case(text, (CLEAN,)).heard() for text in texts[:6]]
    first, second = learn(lines, rounds=2), learn(lines, rounds=2)
    assert np.array_equal(first.means, second.means) and first.means[SILENCE, 0] < 0


def test_a_jump_costs_more_when_little_is_known() -> None:
    assert jump_nats(1000) == jump_nats(150) == JUMP_NATS < jump_nats(60)


def test_tones_and_stress_do_not_matter_and_marks_do_not_sound() -> None:
    assert [unit(s) for s in ("ao3", "AH0", "k", ",", "[", "SP")] == ["ao", "AH", "k", None, None, None]


def test_statistics_stand_outliers() -> None:
    values = np.concatenate((np.random.default_rng(1).normal(5, 2, 500), np.full(50, 1000.0)))
    centre, spread = centre_and_spread(values)
    assert centre == pytest.approx(5, abs=0.5) and spread == pytest.approx(2, abs=0.5)
    x = np.arange(100.0)
    y = 3 + 2 * x
    y[:8] = 1000
    assert fit_plane((np.ones(100), x), y) == pytest.approx([3, 2], abs=0.2)


# --- The recogniser -----------------------------------------------------------------------------------------


def recogniser(tmp_path: Path, code: str) -> GateConfig:
    script = tmp_path / "recogniser with a space.py"
    script.write_text("import sys, time, soundfile\n" + code)
    command = f"'{sys.executable}' '{script}' {{wav}} {{language}}"
    return GateConfig(recogniser=command, recogniser_timeout_s=20)


HEARS = """
audio, rate = soundfile.read(sys.argv[1], dtype="int16")
assert rate == 16000 and audio.ndim == 1 and sys.argv[2] == "zh"
print({text!r})
"""


@pytest.mark.parametrize(("text", "fine"), [("你好 朋友", True), ("你好，鹏友", True), ("再见了大家", False)])
def test_a_recogniser_has_the_last_word(tmp_path: Path, text: str, fine: bool) -> None:
    config = recogniser(tmp_path, HEARS.format(text=text))
    fault = ask_recogniser(config, heard(noise(1.0)), "你好，朋友。")
    assert (fault is None) is fine
    assert fault is None or (fault.reason == "recogniser" and text in fault.detail)


@pytest.mark.parametrize(
    ("code", "message"),
    [("sys.exit('no model')", "ended with status 1: no model"), ("time.sleep(60)", "took more than 0.5 s")],
)
def test_a_broken_recogniser_ends_the_run(tmp_path: Path, code: str, message: str) -> None:
    config = recogniser(tmp_path, code).model_copy(
        update={"recogniser_timeout_s": 0.5 if "sleep" in code else 20}
    )
    with pytest.raises(DistillError, match=message):
        ask_recogniser(config, heard(noise(1.0)), "你好，朋友。")


def test_a_missing_recogniser_ends_the_run() -> None:
    config = GateConfig(recogniser="no-such-program {wav}")
    with pytest.raises(DistillError, match="'no-such-program' cannot be started"):
        ask_recogniser(config, heard(noise(1.0)), "你好，朋友。")


def test_words_are_counted_in_english_and_characters_elsewhere() -> None:
    assert written_error("I can't go, Tom!", "i can't go tim", "en") == pytest.approx(1 / 4)
    assert written_error("你好，朋友。", "你好朋", "zh") == pytest.approx(1 / 4)


# --- The section --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"attempts": 0}, "greater than or equal to 1"),
        ({"atempts": 3}, "Extra inputs"),
        ({"recogniser": "my-asr"}, "does not say where the file goes"),
        ({"recogniser": "my-asr '{wav}"}, "is not a command line"),
        ({"ms_per_phoneme": {"zh": (40, 200)}}, "lacks en, ja"),
        ({"ms_per_phoneme": {"zh": (40, 20), "en": (1, 2), "ja": (1, 2)}}, "in this order"),
    ],
)
def test_a_wrong_section_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        GateConfig.model_validate(values)
