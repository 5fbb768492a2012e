"""The installed teachers: each says what its label says, the same way every time, and nothing else."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from distill import sound
from distill.script import load_lines
from distill.teachers import LineRejectedError, LineRequest, Teacher, TeacherError, TeacherLine, make_teacher
from distill.teachers.espeak_phonemes import (
    english_word,
    espeak_text,
    japanese_phrase,
    mandarin_syllables,
)
from distill.training.features import fundamental
from edge.spec import SAMPLE_RATE
from edge.text import FrontEnd

ESPEAK, FLITE = pytest.mark.espeak, pytest.mark.flite


@pytest.fixture(scope="module")
def espeak() -> Iterator[Teacher]:
    with make_teacher("espeak-ng") as teacher:
        yield teacher


@pytest.fixture(scope="module")
def flite() -> Iterator[Teacher]:
    with make_teacher("flite") as teacher:
        yield teacher


@pytest.fixture(scope="module")
def openjtalk() -> Teacher:
    return make_teacher("openjtalk")


class Booth:
    """Writes requests the way the corpus does."""

    def __init__(self, front_end: FrontEnd) -> None:
        self._front_end = front_end

    def request(self, text: str, language: str, character: str, emotion: str = "neutral") -> LineRequest:
        return LineRequest(text, self._front_end.read(text, language), language, character, emotion)


@pytest.fixture(scope="module")
def booth(front_end: FrontEnd) -> Booth:
    return Booth(front_end)


def audible(line: TeacherLine) -> sound.Audio:
    """At 32 kHz, without the silence at both ends."""
    return sound.trim(sound.resample(line.audio, line.sample_rate), 0.0, 0.0)[0]


def pitch(line: TeacherLine) -> np.ndarray:
    """Hz of the voiced 8 ms steps, but for the two at the ends, where a tracker sees half a period."""
    audio = audible(line).astype(np.float64)
    log_f0, voiced = fundamental(audio, len(audio) // 256 + 1)
    return np.exp(log_f0[voiced])[1:-1]


def names(times: Sequence[tuple[str, float]] | None) -> list[str]:
    assert times is not None
    return [name for name, _ in times if name[0] != "_" or name == "_j"]


def sampled(language: str, step: int) -> list[str]:
    return [line.text for line in load_lines(language) if line.split == "train"][::step]


# --- Writing for espeak -------------------------------------------------------------------------------------


def test_english_mnemonics() -> None:
    assert english_word(("HH", "AH0", "L", "OW1")) == "h@l'oU"
    assert english_word(("K", "AA1", "R")) == "k'A@"  # vowel and R in one
    assert english_word(("S", "T", "AA1", "R", "IY0")) == "st'A:ri"  # but not when a vowel follows
    assert english_word(("DH", "AE1", "T"), stressed=False) == "Dat"


def test_japanese_mnemonics() -> None:
    assert japanese_phrase(("h", "a", "]", "sh", "i")) == "h'as\\i"  # the fall is where the stress is
    assert japanese_phrase(("s", "U", "k", "i")) == "ski"  # devoiced between voiceless consonants
    assert japanese_phrase(("k", "i", "cl", "p", "u")) == "kippu"
    assert japanese_phrase(("s", "a", "N", "p", "o")) == "sampo"


def test_pinyin_is_spelled_as_espeak_reads_it() -> None:
    assert mandarin_syllables(("n", "v3", "l", "ve4", "y", "v2", "zh", "ir1")) == [
        "nü3",
        "lüe4",
        "yu2",
        "zhi1",
    ]
    with pytest.raises(ValueError, match="pairs of onset and rime"):
        mandarin_syllables(("n", "v3", "l"))


def test_punctuation_stays_where_it_was(front_end: FrontEnd) -> None:
    assert espeak_text(front_end.read("你好，谢谢！", "zh"), "zh") == "ni2 hao3, xie4 xie5!"


# --- What is labelled is what is said -----------------------------------------------------------------------


def written(text: str) -> str:
    return re.sub(r"[\[\]' ,.!?…-]", "", text)


@ESPEAK
@pytest.mark.parametrize("language", ["en", "ja"])
def test_espeak_says_the_phonemes_of_the_label(espeak: Teacher, booth: Booth, language: str) -> None:
    for text in sampled(language, step=60):
        request = booth.request(text, language, "noah")
        told = "".join(names(espeak.synthesize(request).phoneme_times))
        # espeak links vowels by r and j, marks flaps, and says "@r" before a vowel as one; the label stays.
        said, asked = (
            re.sub("[r#;-]", "", re.sub("3(?!:)", "@", string))
            for string in (told, written(espeak_text(request.reading, language)))
        )
        assert said == asked, text


@ESPEAK
def test_espeak_says_every_mandarin_syllable(espeak: Teacher, booth: Booth) -> None:
    for text in sampled("zh", step=60):
        request = booth.request(text, "zh", "noah")
        times = espeak.synthesize(request).phoneme_times or ()
        rimes = [phoneme for phoneme in request.reading.phonemes if phoneme[-1].isdigit()]
        assert sum(name == "_|" for name, _ in times) == len(rimes), text


@ESPEAK
@pytest.mark.parametrize("character", ["noah", "ava"])
def test_mandarin_tones_are_heard(espeak: Teacher, booth: Booth, character: str) -> None:
    first, second, third, fourth = (
        pitch(espeak.synthesize(booth.request(c, "zh", character))) for c in "妈麻马骂"
    )
    assert first[-3:].mean() > 0.97 * first.max()
    assert second[-3:].mean() > 1.12 * second[:8].mean()
    middle = third[len(third) // 2 : -4].min()
    assert middle < 0.9 * np.median(first) and third[-3:].max() > 1.08 * middle
    assert fourth[-3:].mean() < 0.87 * fourth.max()


@FLITE
def test_flite_says_the_phones_of_the_label(flite: Teacher, booth: Booth) -> None:
    spoken = 0
    for text in sampled("en", step=110):
        request = booth.request(text, "en", "claire")
        try:
            times = flite.synthesize(request).phoneme_times
        except LineRejectedError:
            continue
        said = [{"ax": "ah", "axr": "er"}.get(name, name) for name in names(times) if name != "pau"]
        assert said == [p.rstrip("012").lower() for p in request.reading.phonemes if p[0].isalpha()], text
        spoken += 1
    assert spoken >= 10


@FLITE
def test_flite_takes_our_pronunciation(flite: Teacher, booth: Booth, front_end: FrontEnd) -> None:
    tomato = booth.request("A tomato.", "en", "claire")
    reading = front_end.read("A potato.", "en")
    reading = type(reading)(
        "A tomato.", reading.phonemes, reading.languages, reading.offsets,
        (reading.words[0], type(reading.words[1])("tomato", reading.words[1].start, reading.words[1].end)),
    )  # fmt: skip
    line = flite.synthesize(LineRequest("A tomato.", reading, "en", "claire"))
    assert [name for name in names(line.phoneme_times) if name != "pau"][1] == "p"
    assert names(flite.synthesize(tomato).phoneme_times) != names(line.phoneme_times)


@FLITE
def test_flite_says_the_before_vowels_and_consonants_in_one_line(flite: Teacher, booth: Booth) -> None:
    request = booth.request("The apple, the pear, and the orange.", "en", "claire")
    assert flite.synthesize(request).audio.any()


@FLITE
def test_flite_rejects_what_it_reads_otherwise(flite: Teacher, booth: Booth) -> None:
    with pytest.raises(LineRejectedError, match="r eh d") as rejection:
        flite.synthesize(booth.request("Could you read the message, please?", "en", "claire"))
    assert rejection.value.reason == "phonemes"


def test_open_jtalk_speaks_what_it_labels(openjtalk: Teacher, booth: Booth) -> None:
    line = openjtalk.synthesize(booth.request("博物館へようこそ。", "ja", "mei"))
    assert line.sample_rate == 48_000
    assert 0.8 < len(audible(line)) / SAMPLE_RATE < 3.0
    assert 120 < np.median(pitch(line)) < 400


def test_open_jtalk_rejects_another_reading(openjtalk: Teacher, front_end: FrontEnd) -> None:
    other = front_end.read("図書館へようこそ。", "ja")
    reading = type(other)("博物館へようこそ。", other.phonemes, other.languages, other.offsets, other.words)
    with pytest.raises(LineRejectedError, match="h a k u b u ts u k a N") as rejection:
        openjtalk.synthesize(LineRequest("博物館へようこそ。", reading, "ja", "mei"))
    assert rejection.value.reason == "phonemes"


# --- Delivery -----------------------------------------------------------------------------------------------


@ESPEAK
@pytest.mark.parametrize("character", ["noah", "ava"])
@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The captain opened the heavy door and saw a strange light."),
        ("zh", "船长打开了沉重的大门，看见了奇怪的光。"),
        ("ja", "船長は重い扉を開けて、不思議な光を見た。"),
    ],
)
def test_emotions_differ_in_rate_pitch_and_level(
    espeak: Teacher, booth: Booth, character: str, language: str, text: str
) -> None:
    lines = {
        emotion: espeak.synthesize(booth.request(text, language, character, emotion))
        for emotion in ("neutral", "happy", "sad", "angry")
    }
    seconds = {emotion: len(audible(line)) / SAMPLE_RATE for emotion, line in lines.items()}
    hertz = {emotion: float(np.median(pitch(line))) for emotion, line in lines.items()}
    level = {emotion: sound.level_dbfs([audible(line)]) for emotion, line in lines.items()}
    assert seconds["sad"] > 1.15 * seconds["neutral"] > 1.15 * seconds["angry"]
    assert seconds["neutral"] > 1.05 * seconds["happy"]
    assert hertz["happy"] > 1.1 * hertz["neutral"] > 1.1 * hertz["sad"]
    assert level["angry"] > level["neutral"] + 1.0 > level["sad"] + 2.0


@ESPEAK
def test_characters_differ_in_pitch(espeak: Teacher, booth: Booth) -> None:
    text = "Welcome to the museum."
    noah, ava = (
        np.median(pitch(espeak.synthesize(booth.request(text, "en", who)))) for who in ("noah", "ava")
    )
    assert ava > 1.4 * noah


RATED = [
    pytest.param("espeak-ng", "en", "noah", "Welcome to the museum.", marks=ESPEAK),
    pytest.param("flite", "en", "claire", "Welcome to the museum.", marks=FLITE),
    pytest.param("openjtalk", "ja", "mei", "博物館へようこそ。"),
]


@pytest.mark.parametrize(("name", "language", "character", "text"), RATED)
def test_rate_is_obeyed(front_end: FrontEnd, name: str, language: str, character: str, text: str) -> None:
    reading = front_end.read(text, language)
    with make_teacher(name) as teacher:
        slow, own, fast = (
            len(audible(teacher.synthesize(LineRequest(text, reading, language, character, rate=rate))))
            for rate in (0.8, 1.0, 1.25)
        )
    assert 1.1 < slow / own < 1.35  # Open JTalk stretches silence more than speech
    assert 1.1 < own / fast < 1.35


@pytest.mark.parametrize(("name", "language", "character", "text"), RATED)
def test_the_same_request_gives_the_same_samples(
    booth: Booth, name: str, language: str, character: str, text: str
) -> None:
    request = booth.request(text, language, character)
    between = booth.request("え？" if language == "ja" else "One more line.", language, character)
    with make_teacher(name) as teacher:
        first = teacher.synthesize(request)
        teacher.synthesize(between)
        again = teacher.synthesize(request)
    with make_teacher(name) as other:
        elsewhere = other.synthesize(request)
    np.testing.assert_array_equal(first.audio, again.audio)
    np.testing.assert_array_equal(first.audio, elsewhere.audio)
    assert first.phoneme_times == again.phoneme_times == elsewhere.phoneme_times


@pytest.mark.parametrize(("name", "language", "character", "text"), RATED)
def test_the_origin_can_be_credited(name: str, language: str, character: str, text: str) -> None:
    with make_teacher(name) as teacher:
        origin = teacher.origin()
    assert origin.name == name and origin.licence and origin.credit
    assert re.search(r"\d\.\d", origin.version)


@ESPEAK
def test_delivery_tells_emotions_and_characters_apart(espeak: Teacher, booth: Booth) -> None:
    told = {
        espeak.delivery(booth.request("Hello.", "en", who, emotion))
        for who in ("noah", "ava")
        for emotion in ("neutral", "happy", "sad", "angry")
    }
    assert len(told) == 8


# --- What must not happen -----------------------------------------------------------------------------------

HOSTILE = [
    'Say "hello"; touch pwned; `touch pwned` $(touch pwned) | tee pwned',
    '[[h@l\'oU]] <speak>hi</speak> \\[[ ]]]] {"text": 1}',
    "One line.\nquit\n\r{}\n\tAnother line.",
    "-o pwned -v pwned --stdin %s %n",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    ("name", "character"),
    [pytest.param("espeak-ng", "noah", marks=ESPEAK), pytest.param("flite", "claire", marks=FLITE)],
)
def test_hostile_text_is_only_spoken(
    booth: Booth, name: str, character: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with make_teacher(name) as teacher:
        before = teacher.synthesize(booth.request("Hello.", "en", character)).audio
        try:
            assert teacher.synthesize(booth.request(text, "en", character)).audio.any()
        except LineRejectedError as rejection:
            assert rejection.reason in ("phonemes", "phoneme")
        after = teacher.synthesize(booth.request("Hello.", "en", character)).audio
    np.testing.assert_array_equal(before, after)
    assert not list(tmp_path.iterdir())


@ESPEAK
def test_brackets_in_a_text_do_not_reach_espeak(booth: Booth) -> None:
    reading = booth.request("Hello [[t'u:]] world", "en", "noah").reading
    assert espeak_text(reading, "en").count("[[") == sum(mark in ",.!?-" for mark in reading.phonemes) + (
        reading.phonemes[-1] not in ",.!?-"
    )


@ESPEAK
def test_a_worker_that_is_killed_is_an_error_and_then_replaced(booth: Booth) -> None:
    with make_teacher("espeak-ng") as teacher:
        request = booth.request("Hello.", "en", "noah")
        teacher.synthesize(request)
        os.kill(teacher._process.pid, signal.SIGKILL)  # type: ignore[attr-defined]
        with pytest.raises(TeacherError, match="ended from outside"):
            teacher.synthesize(request)
        assert teacher.synthesize(request).audio.any()


@ESPEAK
def test_an_unknown_character_or_emotion_is_an_error(espeak: Teacher, booth: Booth) -> None:
    with pytest.raises(TeacherError, match="characters are noah, ava"):
        espeak.synthesize(booth.request("Hello.", "en", "claire"))
    with pytest.raises(TeacherError, match=r"no bored noah.*neutral, happy, sad, angry"):
        espeak.synthesize(booth.request("Hello.", "en", "noah", "bored"))


def test_the_teacher_of_the_page_is_a_teacher(booth: Booth, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "train-a-voice.md").read_text("utf-8")
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(code.group(1), "docs/train-a-voice.md", "exec"), names)
    (tmp_path / "neutral").mkdir()
    take = tmp_path / "neutral" / "Hello..wav"
    soundfile.write(take, np.full(1600, 0.25), 16_000)
    teacher: Teacher = names["Recordings"](tmp_path)
    request = booth.request("Hello.", "en", "jane")
    line = teacher.synthesize(request)
    assert (line.sample_rate, len(line.audio), line.audio.dtype) == (16_000, 1600, np.float32)
    first_take = teacher.delivery(request)
    soundfile.write(take, np.full(1600, 0.3), 16_000)
    assert teacher.delivery(request) != first_take
    with pytest.raises(LineRejectedError, match=r"there is no .*Bye"):
        teacher.synthesize(booth.request("Bye.", "en", "jane"))
    assert teacher.origin().credit


@pytest.mark.parametrize(
    ("name", "remedy"), [("espeak-ng", "apt install espeak-ng"), ("flite", "apt install flite")]
)
def test_a_missing_program_names_its_package(name: str, remedy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(TeacherError, match=remedy):
        make_teacher(name)


def test_a_missing_open_jtalk_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyopenjtalk", None)  # type: ignore[arg-type]
    with pytest.raises(TeacherError, match=r"pip install 'sovits-tiny\[ja\]'"):
        make_teacher("openjtalk")
