"""Three speakers side by side: who is worse than the teacher, and by how much, in each language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, cast

import numpy as np
import pytest

from distill.evaluation import listener, listening, transcript
from distill.evaluation.listener import MissingEarError
from distill.evaluation.result import FLOAT, STUDENT, TEACHER, Check, LeftOut
from distill.evaluation.session import Session
from distill.evaluation.speakers import Student, TeacherLines
from distill.evaluation.speech import Recording
from distill.manifest import Utterance

TEXTS = {"en": "The red fox sleeps.", "zh": "他买了三本书。", "ja": "猫が好きです。"}
MISHEARD = {"en": "The red box sleeps.", "zh": "他卖了三本书。", "ja": "猫が浮きです。"}


class Lines:
    """Two characters: one of three languages and one of English; a line each."""

    def __init__(self, corpus: Path) -> None:
        self.corpus = corpus

    def conditions(self) -> list[tuple[str, str]]:
        return [("ava", "en"), ("claire", "en"), ("ava", "ja"), ("ava", "zh")]

    def sentences(self, where: dict[str, str], limit: int, phase: float) -> list[Utterance]:
        assert where["emotion"] == "neutral" and limit >= 1 and 0 <= phase < 1
        language = where["language"]
        return [
            Utterance(
                id=language, character=where["character"], language=language, emotion="neutral",
                text=TEXTS[language], phonemes=(), languages=(), word_starts=(), audio=Path(), split="test",
            )
        ]  # fmt: skip

    def record(self, line: Utterance) -> Recording:
        return spoken(line, 1.0)


def spoken(line: Utterance, quality: float) -> Recording:
    """A line whose samples say how good it is."""
    audio = np.full(100, quality, np.float32)
    return Recording(line.text, line.character, line.language, line.emotion, audio)


class Speaker:
    def __init__(self, quality: float) -> None:
        self._quality = quality

    def repeat(self, line: Utterance) -> Recording:
        return spoken(line, self._quality)


Compare = Callable[[float, float | None], Session]


@pytest.fixture
def session(tmp_path: Path) -> Compare:
    """Give a session of a student and, beside it, float networks, by how good they are."""

    def compare(student: float, plain: float | None) -> Session:
        float_student = None if plain is None else cast(Student, Speaker(plain))
        return Session(cast(TeacherLines, Lines(tmp_path)), cast(Student, Speaker(student)), float_student)

    return compare


class Recogniser:
    """Mishears what is not good."""

    def transcribe(self, audio: np.ndarray, language: str) -> str:
        return (TEXTS if audio[0] > 0.7 else MISHEARD)[language]


@pytest.fixture
def ears(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "whisper", Recogniser)
    monkeypatch.setattr(transcript, "require_simplifier", lambda: None)
    monkeypatch.setattr(transcript, "_unified", lambda text, language: text)
    for name in ("distill_mos", "dns_mos"):
        monkeypatch.setattr(listener, name, lambda: lambda audio: 4.0 * float(audio[0]))
    monkeypatch.setattr(listener, "timbre", lambda: describe)


def describe(audio: np.ndarray) -> np.ndarray:
    """The better, the nearer to the teacher's direction."""
    angle = np.arccos(np.clip(audio[0], -1.0, 1.0))
    return np.array([np.cos(angle), np.sin(angle)], np.float32)


def checks(found: Iterator[Check | LeftOut]) -> dict[tuple[str, str], Check]:
    return {(one.measure, one.subject): one for one in found if isinstance(one, Check)}


@pytest.mark.usefixtures("ears")
def test_what_the_student_says_worse_is_counted_by_language(session: Compare) -> None:
    found = checks(listening.heard(session(0.6, 0.8)))
    words = found["words misheard above teacher", "claire en"]
    assert (words.value, words.passed) == (25.0, False)
    assert words.detail == {TEACHER: 0.0, FLOAT: 0.0, STUDENT: 25.0, "units": 4}
    assert found["syllables misheard above teacher", "ava zh"].passed is True  # only a tone is wrong
    assert found["toned syllables misheard above teacher", "ava zh"].value == pytest.approx(100 / 6)
    assert found["morae misheard above teacher", "ava ja"].passed is False
    assert found["characters misheard above teacher", "ava ja"].passed is None
    assert ("words misheard above teacher", "ava ja") not in found


@pytest.mark.usefixtures("ears")
def test_a_student_as_good_as_the_teacher_passes_everything(session: Compare) -> None:
    same = session(1.0, None)
    for measure in (listening.heard, listening.judged, listening.recognised):
        found = checks(measure(same))
        assert found and all(one.passed in (True, None) for one in found.values())
        assert all(FLOAT not in one.detail for one in found.values())


@pytest.mark.usefixtures("ears")
def test_judges_compare_with_the_teacher(session: Compare) -> None:
    found = checks(listening.judged(session(0.9, 0.95)))
    score = found["DistillMOS below teacher", "ava ja"]
    assert score.value == pytest.approx(0.4) and score.passed is False
    assert list(score.detail.values()) == pytest.approx([4.0, 3.8, 3.6])
    assert found["DNSMOS below teacher", "claire en"].passed is False


@pytest.mark.usefixtures("ears")
def test_another_voice_is_recognised_and_so_is_one_that_changes_with_the_language(session: Compare) -> None:
    found = checks(listening.recognised(session(0.8, 0.9)))
    assert found["likeness to the teacher's voice", "ava zh"].value == pytest.approx(0.8)
    assert found["likeness to the teacher's voice", "ava zh"].passed is False
    between = {who for measure, who in found if measure == "likeness of a voice between languages"}
    assert between == {"ava en-ja", "ava en-zh", "ava ja-zh"}  # claire has one language


class TwoLines(Lines):
    """Each sentence has a direction of its own, as sentences have to a speaker encoder."""

    ANGLES: ClassVar = {"a": 0.9, "b": 0.5}

    def sentences(self, where: dict[str, str], limit: int, phase: float) -> list[Utterance]:
        (line,) = super().sentences(where, limit, phase)
        return [replace(line, id=text, text=text) for text in self.ANGLES]

    def record(self, line: Utterance) -> Recording:
        return spoken(line, self.ANGLES[line.text])

    repeat = record


@pytest.mark.usefixtures("ears")
def test_a_voice_is_compared_line_by_line_and_what_sentences_differ_by_is_told(tmp_path: Path) -> None:
    lines = TwoLines(tmp_path)
    session = Session(cast(TeacherLines, lines), cast(Student, lines), None)
    found = checks(listening.recognised(session))
    assert found["likeness to the teacher's voice", "claire en"].value == pytest.approx(1.0)
    other = found["likeness to the teacher's other lines", "claire en"]
    apart = np.cos(np.arccos(0.9) - np.arccos(0.5))
    assert other.passed is None and other.detail == pytest.approx({TEACHER: apart, STUDENT: apart})


@pytest.mark.parametrize(
    ("measure", "missing"),
    [(listening.heard, "whisper"), (listening.judged, "dns_mos"), (listening.recognised, "timbre")],
)
@pytest.mark.usefixtures("ears")
def test_what_has_no_ear_is_left_out_with_the_remedy(
    measure: Callable[[Session], Iterator[Check | LeftOut]],
    missing: str,
    session: Compare,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load() -> None:
        raise MissingEarError("not installed; pip install 'sovits-tiny[evaluation]'")

    monkeypatch.setattr(listener, missing, load)
    left = [one for one in measure(session(1.0, None)) if isinstance(one, LeftOut)]
    assert left and all("pip install" in one.reason for one in left)


@pytest.mark.usefixtures("ears")
def test_a_teacher_is_heard_once(session: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    first = [checks(measure(session(0.6, 0.8))) for measure in (listening.heard, listening.judged)]
    listened: list[float] = []

    class Counting(Recogniser):
        def transcribe(self, audio: np.ndarray, language: str) -> str:
            listened.append(float(audio[0]))
            return super().transcribe(audio, language)

    monkeypatch.setattr(listener, "whisper", Counting)
    monkeypatch.setattr(listener, "distill_mos", lambda: lambda audio: listened.append(audio[0]) or 1.0)
    again = [checks(measure(session(0.6, 0.8))) for measure in (listening.heard, listening.judged)]
    assert first[0] == again[0]
    assert set(np.round(listened, 1)) == {0.6, 0.8}  # 1.0 is the teacher
    score = again[1]["DistillMOS below teacher", "ava ja"]
    assert score.detail[TEACHER] == 4.0 and score.value == pytest.approx(3.0)
