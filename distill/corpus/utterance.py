"""One utterance: what is to be spoken, its sound in the corpus and its row in the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import soundfile as sf

from edge.spec import FINAL_SYMBOL, LEADING_SYMBOL, SAMPLE_RATE
from edge.text import Reading
from edge.text.symbols import PUNCTUATION

from .. import sound
from .config import CorpusConfig
from ..gate import Fault, GateConfig, Heard, Voice, ask_recogniser, first_look, judge_clipping, learn_voice  # fmt: skip
from ..teachers import LineRejectedError, LineRequest, Teacher, TeacherError, make_teacher
from .told_prosody import ToldProsody, save_prosody, tell, to_row, unheard

Row = dict[str, Any]
Times = list[tuple[str, float]]  # what a teacher tells of its own phonemes: name and start in seconds
MakeTeacher = Callable[[str], Teacher]

SEED_STEP = 100_000  # from one attempt at a line to the next; takes are one apart


class FaultyLineError(LineRejectedError):
    """The gate found a fault in a line."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason, fault.detail)
        self.fault = fault


@dataclass(frozen=True)
class Job:
    """One utterance to render."""

    id: str
    """Names all that decides the sound, however many attempts it takes."""
    split: str
    teacher: str
    request: LineRequest
    gain: float
    """Applied after resampling."""


@dataclass(frozen=True)
class Judge:
    """How the lines of a job are judged."""

    key: str
    """Of the gate's limits and of what the voice was learnt from; kept with the row."""
    voice: Path | None = None
    """File of the learnt voice; None before there is one."""


class Studio:
    """Holds the teachers of one process and renders with them into a folder."""

    def __init__(
        self,
        config: CorpusConfig,
        folder: Path,
        gate: GateConfig | None = None,
        make: MakeTeacher = make_teacher,
    ) -> None:
        self._config, self._folder, self._make = config, folder, make
        self._gate = gate or GateConfig()
        self._teachers: dict[str, Teacher] = {}
        self._voices: dict[tuple[Path, str], Voice | None] = {}

    def teacher(self, name: str) -> Teacher:
        """Give the teacher of that name, made on first use.

        Raises:
            TeacherError: there is none, or its program is not installed.
        """
        if name not in self._teachers:
            self._teachers[name] = self._make(name)
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

    def speak(self, teacher: str, request: LineRequest) -> tuple[sound.Audio, Times, ToldProsody | None]:
        """Give trimmed sound at 32 kHz and the teacher's own level, with the times and prosody that it tells.

        Raises:
            LineRejectedError: the teacher would say something else, or nothing, or its sound is clipped.
            TeacherError: the teacher is missing or broken.
        """
        line = self.teacher(teacher).synthesize(request)
        if self._gate.enabled and (fault := judge_clipping(self._gate, line.audio)) is not None:
            raise FaultyLineError(fault)
        audio = sound.resample(line.audio, line.sample_rate)
        try:
            audio, moved = sound.trim(audio, self._config.leading_silence_s, self._config.trailing_silence_s)
        except ValueError as error:
            raise LineRejectedError("silent", str(error)) from error
        times = [(name, round(max(0.0, start - moved), 4)) for name, start in line.phoneme_times or ()]
        told = tell(line.prosody, request.reading, moved, audio, self._config.trailing_silence_s)
        return audio, times, told

    def level(self, job: Job) -> tuple[float, int] | None:
        """Give the summed power of a line's sounding steps and their number; None for a faulty line."""
        try:
            audio, _, _ = self.speak(job.teacher, job.request)
            self._judge(job, audio, None)
        except LineRejectedError:
            return None
        powers = sound.step_levels(audio)[sound.sounding(audio)] ** 2
        return float(powers.sum()), len(powers)

    def render(self, job: Job, judge: Judge, first: int = 0, rejections: Sequence[Row] = ()) -> Row:
        """Write the sound of one utterance and give its row, or why there is none.

        Args:
            job: what to say.
            judge: how to judge it.
            first: attempts that were made before; a teacher that samples makes as many as the gate allows.
            rejections: what became of them.
        """
        failed = list(rejections)
        for attempt in range(first, self._gate.attempts if self.teacher(job.teacher).samples else 1):
            request = replace(job.request, seed=job.request.seed + SEED_STEP * attempt)
            try:
                audio, times, prosody = self.speak(job.teacher, request)
                self._judge(job, audio, self._voice(judge))
                path = self._save(job, attempt, audio * job.gain)
            except LineRejectedError as rejection:
                failed.append(_rejection(request.seed, attempt, rejection))
                continue
            row = _row(job, path, len(audio) / SAMPLE_RATE, times)
            if prosody is not None:
                row["prosody"] = save_prosody(self._folder, path, prosody)
            return row | {"seed": request.seed, "attempt": attempt} | _kept(judge, failed)
        last = failed[-1]
        return {"id": job.id, "rejected": last["reason"], "detail": last["detail"]} | _kept(judge, failed)

    def tell(self, job: Job) -> Row:
        """Give the row of an utterance of which the teacher tells the prosody without saying it.

        Raises:
            TeacherError: the teacher cannot.
        """
        try:
            prosody = self.teacher(job.teacher).tell(job.request)
        except LineRejectedError as rejection:
            return {"id": job.id, "rejected": rejection.reason, "detail": str(rejection)}
        if prosody is None:
            raise TeacherError(f"{job.teacher} tells no prosody without sound; take `told` out of its recordings")
        config = self._config
        told = unheard(prosody, job.request.reading, config.leading_silence_s, config.trailing_silence_s)
        return _label(job) | to_row(told)

    def review(self, job: Job, row: Row, judge: Judge) -> Row:
        """Judge a line that was rendered; where it fails, let the teacher say it with the seeds left."""
        audio, _ = sf.read(self._folder / row["audio"], dtype="float32")
        attempt, failed = row.get("attempt", 0), row.get("rejections", [])
        try:
            self._judge(job, audio / job.gain, self._voice(judge))
        except LineRejectedError as rejection:
            failed = [*failed, _rejection(row["seed"], attempt, rejection)]
            return self.render(job, judge, attempt + 1, failed)
        return row | _kept(judge, failed)

    def learn(self, jobs: Sequence[tuple[Job, str]], judge: Judge) -> str:
        """Learn a voice from lines of the corpus, each with its file, unless that was done before."""
        assert judge.voice is not None
        if self._voice(judge) is None:
            lines = [
                _heard(job, sf.read(self._folder / path, dtype="float32")[0] / job.gain) for job, path in jobs
            ]
            judge.voice.parent.mkdir(exist_ok=True)
            learn_voice(lines, self._timbre(jobs[0][0].teacher)).save(judge.voice, judge.key)
        return judge.key

    def _judge(self, job: Job, audio: sound.Audio, voice: Voice | None) -> None:
        """Let the gate look at a line at the teacher's own level.

        Raises:
            FaultyLineError: it found a fault.
        """
        if not self._gate.enabled:
            return
        line = _heard(job, audio)
        fault = first_look(self._gate, line)
        if fault is None and voice is not None:
            fault = voice.judge(self._gate, line, self._timbre(job.teacher))
        if fault is None:
            fault = ask_recogniser(self._gate, line, job.request.text)
        if fault is not None:
            raise FaultyLineError(fault)

    def _timbre(self, teacher: str) -> Callable[[sound.Audio], Any]:
        return lambda audio: self.teacher(teacher).timbre(audio, SAMPLE_RATE)

    def _voice(self, judge: Judge) -> Voice | None:
        if judge.voice is None:
            return None
        known = (judge.voice, judge.key)
        if self._voices.get(known) is None:
            self._voices[known] = Voice.load(judge.voice, judge.key)
        return self._voices[known]

    def _save(self, job: Job, attempt: int, audio: sound.Audio) -> str:
        """Write the sound of an attempt; reject one so loud that it would clip at its character's level."""
        path = f"audio/{job.id}-{attempt}.flac" if attempt else f"audio/{job.id}.flac"
        try:
            sound.save_flac(self._folder / path, audio)
        except ValueError as error:
            raise LineRejectedError("clipping", str(error)) from error
        return path

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


def _heard(job: Job, audio: sound.Audio) -> Heard:
    request = job.request
    return Heard(audio, request.reading, request.language, request.emotion, request.rate)


def _row(job: Job, path: str, seconds: float, times: Sequence[tuple[str, float]]) -> Row:
    row = _label(job) | {"audio": path, "seconds": round(seconds, 4)}
    return row | {"phoneme_times": times} if times else row


def _label(job: Job) -> Row:
    request = job.request
    phonemes, languages, word_starts = student_phonemes(request.reading)
    return {
        "id": job.id, "character": request.character, "language": request.language,
        "emotion": request.emotion, "text": request.text, "phonemes": phonemes, "languages": languages,
        "word_starts": word_starts, "split": job.split, "teacher": job.teacher, "rate": request.rate,
    }  # fmt: skip


def _rejection(seed: int, attempt: int, rejection: LineRejectedError) -> Row:
    row: Row = {"attempt": attempt, "seed": seed, "reason": rejection.reason, "detail": str(rejection)}
    if isinstance(rejection, FaultyLineError):
        # Sums in single precision depend on how many threads make them; what is kept must not.
        row["measured"] = float(f"{rejection.fault.measured:.4g}")
        row["threshold"] = round(rejection.fault.threshold, 4)
    return row


def _kept(judge: Judge, rejections: Sequence[Row]) -> Row:
    return {"judged": judge.key, "rejections": list(rejections)}
