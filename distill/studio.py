"""One utterance: what is to be spoken, its sound in the corpus and its row in the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.spec import FINAL_SYMBOL, LEADING_SYMBOL, SAMPLE_RATE
from edge.text import Reading
from edge.text.symbols import PUNCTUATION

from . import sound
from .config import CorpusConfig
from .teachers import LineRejectedError, LineRequest, Teacher, make_teacher

# What a teacher tells of its own phonemes: name and start in seconds.
Times = list[tuple[str, float]]


@dataclass(frozen=True)
class Job:
    """One utterance to render.

    Attributes:
        id: names all that decides the sound; also the file name.
        gain: applied after resampling.
    """

    id: str
    split: str
    teacher: str
    request: LineRequest
    gain: float


class Studio:
    """Holds the teachers of one process and renders with them into a folder."""

    def __init__(self, config: CorpusConfig, folder: Path) -> None:
        self._config = config
        self._folder = folder
        self._teachers: dict[str, Teacher] = {}

    def teacher(self, name: str) -> Teacher:
        """Give the teacher of that name, made on first use.

        Raises:
            TeacherError: there is none, or its program is not installed.
        """
        if name not in self._teachers:
            self._teachers[name] = make_teacher(name)
        return self._teachers[name]

    def job(self, split: str, teacher: str, request: LineRequest, gain: float) -> Job:
        """Give an utterance its name: whatever decides the sound or the label changes it."""
        try:
            delivery = self.teacher(teacher).delivery(request)
        except LineRejectedError as rejection:  # to be said again, and counted, when it is rendered
            delivery = str(rejection)
        phonemes = request.reading.phonemes
        parts = (split, teacher, delivery, request.text, *phonemes, request.rate, request.seed, gain)
        digest = hashlib.sha256("\t".join(map(str, parts)).encode()).hexdigest()[:12]
        name = f"{request.character}-{request.language}-{request.emotion}-{digest}"
        return Job(name, split, teacher, request, gain)

    def speak(self, teacher: str, request: LineRequest) -> tuple[sound.Audio, Times]:
        """Give trimmed sound at 32 kHz and the teacher's own level, and phoneme times if it has them.

        Raises:
            LineRejectedError: the teacher would say something else, or nothing.
            TeacherError: the teacher is missing or broken.
        """
        line = self.teacher(teacher).synthesize(request)
        audio = sound.resample(line.audio, line.sample_rate)
        try:
            audio, moved = sound.trim(audio, self._config.leading_silence_s, self._config.trailing_silence_s)
        except ValueError as error:
            raise LineRejectedError("silent", str(error)) from error
        return audio, [(name, round(max(0.0, start - moved), 4)) for name, start in line.phoneme_times or ()]

    def render(self, job: Job) -> dict[str, Any]:
        """Write the sound of one utterance and give its manifest row, or why there is none."""
        try:
            audio, times = self.speak(job.teacher, job.request)
            self._save(job, audio * job.gain)
        except LineRejectedError as rejection:
            return {"id": job.id, "rejected": rejection.reason, "detail": str(rejection)}
        return _row(job, len(audio) / SAMPLE_RATE, times)

    def _save(self, job: Job, audio: sound.Audio) -> None:
        """Reject a line so loud that it would clip at the level of its character."""
        try:
            sound.save_flac(self._folder / "audio" / f"{job.id}.flac", audio)
        except ValueError as error:
            raise LineRejectedError("clipping", str(error)) from error

    def close(self) -> None:
        """End the teachers' processes."""
        for teacher in self._teachers.values():
            teacher.close()


def student_phonemes(reading: Reading) -> tuple[list[str], list[str], list[int]]:
    """Give phonemes, languages and word starts exactly as the student is given them at run time."""
    phonemes = [LEADING_SYMBOL, *reading.phonemes]
    languages = [reading.languages[0], *reading.languages]
    if phonemes[-1] not in PUNCTUATION:
        phonemes.append(FINAL_SYMBOL)
        languages.append(languages[-1])
    starts = {word.start + 1 for word in reading.words}
    return phonemes, languages, [int(index in starts) for index in range(len(phonemes))]


def _row(job: Job, seconds: float, times: Sequence[tuple[str, float]]) -> dict[str, Any]:
    request = job.request
    phonemes, languages, word_starts = student_phonemes(request.reading)
    row = {
        "id": job.id, "character": request.character, "language": request.language,
        "emotion": request.emotion, "text": request.text, "phonemes": phonemes, "languages": languages,
        "word_starts": word_starts, "audio": f"audio/{job.id}.flac", "seconds": round(seconds, 4),
        "split": job.split, "teacher": job.teacher, "rate": request.rate, "seed": request.seed,
    }  # fmt: skip
    return row | {"phoneme_times": times} if times else row
