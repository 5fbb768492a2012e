"""Pictures of the report: drawn, described for those who cannot see them, packed into data URIs."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..evaluation import plots
from ..evaluation.alignment import Deviation
from ..evaluation.speakers import Student, TeacherLines
from ..evaluation.speech import Recording
from .players import LANGUAGE_ORDER
from .training import TrainingLog
from .verdict import LANGUAGES

PICTURE_S = 2.5  # a line of about this length fills a picture
N_CANDIDATES = 40  # held-out lines among which the one nearest to that length is looked for
N_ALIGNED = 100  # lines of each voice


@dataclass(frozen=True)
class Picture:
    """A PNG."""

    caption: str
    """Stands below it."""
    alt: str
    """Says what can be seen."""
    uri: str
    """The file as a data URI."""
    width: int
    height: int
    """``width``, ``height``: pixels, so that nothing jumps while the page is laid out."""


def draw_voices(
    teacher: TeacherLines, student: Student, characters: Mapping[str, Sequence[str]]
) -> Iterator[Picture]:
    """Draw a held-out line of every character and language: spectrograms, phonemes and pitch."""
    voices = [pair for pair in teacher.conditions() if pair[1] in characters.get(pair[0], ())]
    for character, language in sorted(voices, key=lambda pair: (LANGUAGE_ORDER.index(pair[1]), pair[0])):
        where = {"character": character, "language": language}
        lines = teacher.held_out(where | {"emotion": "neutral"}, N_CANDIDATES)
        lines = lines or teacher.held_out(where, N_CANDIDATES)
        if lines:
            told = min(map(teacher.record, lines), key=lambda line: abs(line.seconds - PICTURE_S))
            said = student.speak(told.text, character, language, told.emotion)
            yield draw_pair(told, said)


def draw_pair(told: Recording, said: Recording) -> Picture:
    """Draw one line as teacher and student say it."""
    name = f"{told.character}, {LANGUAGES[told.language]}, {told.emotion}"
    cut = "" if told.segments else " The teacher's sounds are not marked: nobody tells where they begin."
    alt = (
        "Two spectrograms with time to the right and frequency up, the teacher's of "
        f"{told.seconds:.1f} s above the student's of {said.seconds:.1f} s. {_pitch_in_words(told, said)}"
    )
    return _picture(lambda path: plots.draw_line(told, said, path), f"{name}: “{told.text}”{cut}", alt)


def _pitch_in_words(told: Recording, said: Recording) -> str:
    pitches = [line.pitch.median for line in (told, said)]
    if not np.isfinite(pitches).all():
        return "Pitch contours below; one of the two has no voiced sound."
    teacher, student = (2.0 ** (pitch / 12.0) for pitch in pitches)
    return f"Pitch contours below, with medians of {teacher:.0f} Hz (teacher) and {student:.0f} Hz (student)."


def draw_alignment(teacher: TeacherLines) -> Picture | None:
    """Draw how far learnt starts of sounds are from the teacher's own; None when it tells none."""
    apart = {voice: teacher.deviations(lines) for voice, lines in teacher.aligned_and_told(N_ALIGNED).items()}
    apart = {voice: seconds for voice, seconds in apart.items() if len(seconds)}
    if not apart:
        return None
    medians = "; ".join(f"{voice} {Deviation.of(s).median_ms:.0f} ms" for voice, s in sorted(apart.items()))
    caption = f"Learnt starts of sounds against those that the teacher tells. Medians: {medians}."
    alt = f"Share of sounds whose start is found within so many milliseconds, one curve per voice. {medians}."
    return _picture(lambda path: plots.draw_alignment(apart, path), caption, alt)


def draw_losses(log: TrainingLog) -> Picture | None:
    """Draw the loss by term; None for a run that has logged nothing yet."""
    if not log.train and not log.valid:
        return None
    caption = f"Loss by term over {log.last_step} steps. {log.in_words}".strip()
    alt = (
        f"A panel per term, log scales, training grey, validation red: {', '.join(log.terms)}. {log.in_words}"
    )
    return _picture(lambda path: plots.draw_losses(log.train, log.valid, path), caption, alt.strip())


def _picture(draw: Callable[[Path], None], caption: str, alt: str) -> Picture:
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        draw(path)
        with Image.open(path) as image:
            width, height = image.size
        packed = base64.b64encode(path.read_bytes()).decode("ascii")
    return Picture(caption, alt, f"data:image/png;base64,{packed}", width, height)
