"""Held-out lines to listen to: the teacher beside the student, whole and quantized."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import soundfile

from edge.spec import SAMPLE_RATE

from ..evaluation.speakers import Student, TeacherLines
from ..evaluation.speech import Recording, Samples
from ..manifest import Utterance

N_LINES = 24
PREFERRED_S = 3.0  # long enough for a melody, short enough to compare two renderings in one's head
SOUND_BYTES = 10 * 10**6  # of FLAC; base64 makes a third more of it
LANGUAGE_ORDER = ("zh", "en", "ja")


@dataclass(frozen=True)
class Take:
    """One rendering of a line."""

    who: str
    """Teacher or which student."""
    seconds: float
    uri: str
    """FLAC, lossless, so that nothing is heard but the voice."""


@dataclass(frozen=True)
class HeardLine:
    """A line with all of its renderings."""

    id: str
    text: str
    character: str
    language: str
    emotion: str
    takes: tuple[Take, ...]


def choose(teacher: TeacherLines, characters: Mapping[str, Sequence[str]]) -> list[Utterance]:
    """Choose lines by their length alone, so that nobody can pick the ones that came out well.

    Every character, language and emotion has one, neutral first; more go round until there are ``N_LINES``.

    Args:
        teacher: the corpus.
        characters: languages by character of the voice; other lines of the corpus are left out.
    """
    groups: dict[tuple[str, str, str], list[Utterance]] = {}
    for line in teacher.find("test") or teacher.find("valid"):
        if line.language in characters.get(line.character, ()):
            groups.setdefault((line.emotion, line.character, line.language), []).append(line)
    ordered = [groups[key] for key in sorted(groups, key=lambda key: (key[0] != "neutral", key))]
    for group in ordered:
        group.sort(key=lambda line: (abs(_seconds(line) - PREFERRED_S), line.id))
    depth = max((len(group) for group in ordered), default=0)
    turns = [group[turn] for turn in range(depth) for group in ordered if turn < len(group)]
    return turns[: max(N_LINES, len(ordered))]


def _seconds(line: Utterance) -> float:
    return float(soundfile.info(line.audio).duration)


def speak(
    teacher: TeacherLines, students: Mapping[str, Student], lines: Sequence[Utterance]
) -> list[HeardLine]:
    """Render lines until they are spoken or the room in the file is used up.

    Returns:
        In the order of language, character and emotion.
    """
    heard, room = [], SOUND_BYTES
    for line in lines:
        found = HeardLine(
            line.id, line.text, line.character, line.language, line.emotion,
            tuple(_takes(teacher, students, line)),
        )  # fmt: skip
        room -= sum(len(take.uri) * 3 // 4 for take in found.takes)
        if room < 0:
            break
        heard.append(found)
    return sorted(heard, key=_place)


def _takes(teacher: TeacherLines, students: Mapping[str, Student], line: Utterance) -> Iterator[Take]:
    yield _take("Teacher", teacher.record(line))
    for who, student in students.items():
        yield _take(who, student.repeat(line))


def _take(who: str, recording: Recording) -> Take:
    return Take(who, recording.seconds, sound_uri(recording.audio))


def sound_uri(audio: Samples) -> str:
    """Pack sound (n_samples,) into a data URI."""
    packed = io.BytesIO()
    soundfile.write(packed, audio, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return "data:audio/flac;base64," + base64.b64encode(packed.getvalue()).decode("ascii")


def _place(line: HeardLine) -> tuple[int, str, bool, str, str]:
    language = LANGUAGE_ORDER.index(line.language)
    return language, line.character, line.emotion != "neutral", line.emotion, line.id
