"""Judges a voice bundle against its teachers and writes the numbers down.

    sovits-distill evaluate --bundle voice --corpus corpus --out benchmarks/results/quality/voice.json

About four minutes on two x86 cores. Everything is measured on sound that came out of the shipped networks
through the runtime of the device, on lines that training has not seen.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np

from .evaluation import alignment, defects, emotion, joins, prosody, spectral
from .evaluation.character import CharacterClassifier, percent_right
from .evaluation.intelligibility import Recogniser, WordErrors, said_words
from .evaluation.result import Check, Target, write_results
from .evaluation.speakers import Student, TeacherLines
from .evaluation.speech import Recording, Samples, is_sounding
from .evaluation.tones import ToneClassifier
from .manifest import Utterance
from .script.lines import FOLDER as SCRIPT

_log = logging.getLogger(__name__)

WORDS = Target("word error above teacher", "at most", 5.0, "points")
DISTANCE = Target("log-mel distance over teacher's own", "at most", 1.25, "ratio")
TONES = Target("tones under teacher", "at most", 5.0, "points")
DURATION = Target("duration correlation", "at least", 0.9, "r")
TOLD_DURATION = Target("duration correlation, teacher's own times", "at least", 0.9, "r")
PITCH = Target("pitch correlation", "at least", 0.9, "r")
EMOTION = Target("sad slower and lower than happy", "at least", 95.0, "% of lines")
CHARACTER = Target("characters told apart", "at least", 95.0, "% of lines")
STREAMED = Target("streamed against whole", "at most", 1.0, "16-bit steps")
JOINS = Target("joins that stand out", "at most", 2.0, "% of joins")  # chance gives 1
BROKEN = Target("samples that clip or are no numbers", "at most", 0.0, "samples")
DEAD_AIR = Target("silence inside a phrase above teacher", "at most", 0.05, "s")
READING = Target("lines read otherwise than in training", "at most", 0.0, "% of lines")
SHORT = Target("lines of one syllable not heard", "at most", 0.0, "lines")
ALIGNMENT = Target("alignment error, median", "at most", 20.0, "ms")

# How many lines a measure looks at, per character and language.
N_WORD_LINES, N_DISTANCE_LINES, N_PROSODY_LINES, N_EMOTION_LINES = 100, 60, 60, 25
N_TONE_TRAIN, N_CHARACTER_TRAIN, N_CHARACTER_TEST, N_ALIGNMENT_LINES = 150, 30, 25, 100
N_COPY_LINES = 8
N_FAULT_LINES = 200  # of all characters together
PICTURE_S = 2.5  # a line of about this length fills a picture
SHORT_LINES = (("嗯", "zh"), ("好。", "zh"), ("Go!", "en"), ("Yes", "en"), ("はい", "ja"), ("え", "ja"))


class Session:
    """A teacher and a student, with every line spoken only once."""

    def __init__(self, teacher: TeacherLines, student: Student) -> None:
        self.teacher = teacher
        self.student = student
        self._recorded: dict[str, Recording] = {}
        self._repeated: dict[str, Recording] = {}

    def told(self, utterance: Utterance) -> Recording:
        """The teacher's rendering."""
        if utterance.id not in self._recorded:
            self._recorded[utterance.id] = self.teacher.record(utterance)
        return self._recorded[utterance.id]

    def repeated(self, utterance: Utterance) -> Recording:
        """The student's rendering."""
        if utterance.id not in self._repeated:
            self._repeated[utterance.id] = self.student.repeat(utterance)
        return self._repeated[utterance.id]

    def says_the_same(self, utterance: Utterance) -> bool:
        """Whether the student reads a line as it was read for the corpus."""
        sounding = [p for p in utterance.phonemes if is_sounding(p)]
        return [s.symbol for s in self.repeated(utterance).sounding] == sounding

    def pairs(self, utterances: Sequence[Utterance]) -> list[tuple[Recording, Recording]]:
        """(teacher, student) for each utterance."""
        return [(self.told(u), self.repeated(u)) for u in utterances]

    def characters(self, language: str) -> list[str]:
        """Who speaks a language."""
        return [character for character, spoken in self.teacher.conditions() if spoken == language]


Measure = Callable[[Session], Iterator[Check]]


def run(
    bundle: Path | None,
    corpus: Path,
    output: Path,
    durations: Mapping[str, Sequence[int]] | None = None,
    measures: Sequence[str] | None = None,
    images: Path | None = None,
) -> list[Check]:
    """Evaluate a bundle and write ``output``.

    Args:
        bundle: voice to judge; None for the built-in one.
        corpus: folder that it was trained on, for its held-out lines.
        output: JSON result file.
        durations: learnt alignment in steps of 8 ms by utterance id; without it lines are cut by the times
            that their teacher tells, if it does.
        measures: names out of `MEASURES`; all when absent.
        images: folder for pictures; none are drawn when absent.

    Raises:
        KeyError: no measure has that name.
        EdgeError: the bundle cannot be loaded.
        FileNotFoundError: there is no corpus.
    """
    session = Session(TeacherLines(corpus, durations), Student(bundle))
    checks: list[Check] = []
    for name in measures or MEASURES:
        for check in MEASURES[name](session):
            _log.info("%s", check)
            checks.append(check)
    write_results(output, checks, session.student.synthesizer.bundle.manifest)
    if images is not None:
        illustrate(session, images)
    return checks


# --- Words --------------------------------------------------------------------------------------------------


def intelligibility(session: Session) -> Iterator[Check]:
    """Word error of the student against its teacher's, English, neutral."""
    with ProcessPoolExecutor(2) as pool:
        for character in session.characters("en"):
            where = {"character": character, "language": "en", "emotion": "neutral"}
            lines = session.teacher.find("test", where, N_WORD_LINES)
            words = [said_words(line.text) for line in lines]
            told = _count(pool, [session.told(line).audio for line in lines], words)
            heard = _count(pool, [session.repeated(line).audio for line in lines], words)
            yield WORDS.check(
                character, heard.percent - told.percent, len(lines),
                teacher_percent=told.percent, student_percent=heard.percent, words=heard.words,
            )  # fmt: skip


def _count(
    pool: ProcessPoolExecutor, audio: Sequence[Samples], words: Sequence[tuple[str, ...]]
) -> WordErrors:
    return sum(pool.map(_recognise, audio, words, chunksize=5), WordErrors(0, 0))


@cache
def _recogniser() -> Recogniser:
    return Recogniser((SCRIPT / "common_words_en.txt").read_text("utf-8").split())


def _recognise(audio: Samples, words: tuple[str, ...]) -> WordErrors:
    return _recogniser().count(audio, words)


# --- Sound --------------------------------------------------------------------------------------------------


def distance(session: Session) -> Iterator[Check]:
    """Warped log-mel distance to the teacher against the teacher's own at 10 % other rate."""
    for character, language in session.teacher.conditions():
        where = {"character": character, "language": language}
        neutral = {u.text: u for u in session.teacher.find("test", where | {"emotion": "neutral"})}
        again = session.teacher.find("test_rate", where, N_DISTANCE_LINES)
        lines = [(neutral[u.text], u) for u in again if u.text in neutral]
        lines = [(line, other) for line, other in lines if session.says_the_same(line)]
        if not lines:
            continue
        own = np.mean([_apart(session.told(line), session.told(other)) for line, other in lines])
        student = np.mean([_apart(session.told(line), session.repeated(line)) for line, _ in lines])
        copies = [session.told(line) for line, _ in lines[:N_COPY_LINES]]
        copy = np.mean([spectral.warped_distance(c.audio, spectral.vocoder_copy(c.audio)) for c in copies])
        judge = DISTANCE.report if language == "en" else DISTANCE.check  # English is judged by its words
        yield judge(
            f"{character} {language}", float(student / own), len(lines),
            teacher_db=float(own), student_db=float(student), world_copy_db=float(copy),
        )  # fmt: skip


def _apart(one: Recording, other: Recording) -> float:
    return spectral.warped_distance(one.audio, other.audio)


def tones(session: Session) -> Iterator[Check]:
    """Mandarin tones, by a classifier that learnt from the teacher's training lines."""
    for character in session.characters("zh"):
        where = {"character": character, "language": "zh"}
        train = [session.told(u) for u in session.teacher.find("train", where, N_TONE_TRAIN)]
        classifier = ToneClassifier(train)
        pairs = prosody.comparable(session.pairs(session.teacher.held_out(where, N_PROSODY_LINES)))
        told, n = classifier.accuracy([teacher for teacher, _ in pairs])
        heard, _ = classifier.accuracy([student for _, student in pairs])
        yield TONES.check(
            character, told - heard, n,
            teacher_percent=told, student_percent=heard, trained_on=classifier.n_syllables,
        )  # fmt: skip


def agreement(session: Session) -> Iterator[Check]:
    """Durations and pitch, phoneme by phoneme."""
    together: dict[str, list[tuple[Recording, Recording]]] = {}
    for character, language in session.teacher.conditions():
        where = {"character": character, "language": language}
        lines = session.teacher.held_out(where, N_PROSODY_LINES)
        pairs = session.pairs(lines)
        together.setdefault(character, []).extend(pairs)
        yield from _agreement(f"{character} {language}", pairs, DURATION.report, PITCH.report)
        yield from _told_agreement(session, f"{character} {language}", lines)
    for character, pairs in together.items():
        yield from _agreement(character, pairs, DURATION.check, PITCH.check)


def _agreement(
    subject: str, pairs: prosody.Pairs, durations: Callable[..., Check], pitch: Callable[..., Check]
) -> Iterator[Check]:
    lines = {"lines": len(prosody.comparable(pairs)), "of": len(pairs)}
    for judge, measure in ((durations, prosody.duration_agreement), (pitch, prosody.pitch_agreement)):
        found = measure(pairs)
        yield judge(
            subject, found.correlation, found.n, mean_error=found.mean_error, bias=found.bias, **lines
        )


def _told_agreement(session: Session, subject: str, lines: Sequence[Utterance]) -> Iterator[Check]:
    """Durations against those that the teacher tells, free of the errors of the learnt alignment."""
    pairs = [
        alignment.told_durations(session.repeated(u).segments, u.phoneme_times, u.language)
        for u in lines
        if u.phoneme_times and session.says_the_same(u)
    ]
    if pairs:
        told, student = (np.concatenate([pair[side] for pair in pairs]) * 1000.0 for side in (0, 1))
        found = prosody.Agreement.between(told, student)
        yield TOLD_DURATION.report(
            subject, found.correlation, found.n, mean_error=found.mean_error, bias=found.bias
        )


def emotions(session: Session) -> Iterator[Check]:
    """Sad against happy, the same lines."""
    for character, language in session.teacher.conditions():
        where = {"character": character, "language": language}
        happy = {u.text: u for u in session.teacher.find("test", where | {"emotion": "happy"})}
        sad = session.teacher.find("test", where | {"emotion": "sad"}, N_EMOTION_LINES)
        lines = [(u, happy[u.text]) for u in sad if u.text in happy]
        if not lines:
            continue
        teacher = emotion.contrast([(session.told(s), session.told(h)) for s, h in lines])
        student = emotion.contrast([(session.repeated(s), session.repeated(h)) for s, h in lines])
        yield EMOTION.check(
            f"{character} {language}", student.share, student.n,
            student=asdict(student), teacher=asdict(teacher),
        )  # fmt: skip


def characters(session: Session) -> Iterator[Check]:
    """Who speaks, by a classifier that learnt from the teachers."""
    train: list[Recording] = []
    held_out: list[tuple[Recording, Recording]] = []
    for character, language in session.teacher.conditions():
        where = {"character": character, "language": language}
        train += [session.told(u) for u in session.teacher.find("train", where, N_CHARACTER_TRAIN)]
        held_out += session.pairs(session.teacher.find("test", where, N_CHARACTER_TEST))
    classifier = CharacterClassifier(train)
    found = classifier.confusion([student for _, student in held_out])
    teacher = percent_right(classifier.confusion([teacher for teacher, _ in held_out]))
    yield CHARACTER.check(
        "all", percent_right(found), len(held_out), taken_for=found, teacher_percent=teacher
    )


# --- Faults -------------------------------------------------------------------------------------------------


def windows(session: Session) -> Iterator[Check]:
    """Streamed lines against whole ones, and clicks at the joins."""
    lines = session.teacher.find("test", limit=N_FAULT_LINES)
    streamed = [session.student.stream(line) for line in lines]
    steps = [
        _steps_apart(session.repeated(line).audio, stream.audio)
        for line, stream in zip(lines, streamed, strict=True)
    ]
    yield STREAMED.check("all", max(steps), len(lines))
    found = joins.judge([(line.audio, line.joins) for line in streamed])
    clicked = joins.judge([(joins.with_clicks(line.audio, line.joins), line.joins) for line in streamed])
    yield JOINS.check(
        "all", found.outstanding, found.n, worst=found.worst, found_of_injected_clicks=clicked.outstanding
    )


def _steps_apart(whole: Samples, streamed: Samples) -> float:
    if len(whole) != len(streamed):
        return float("inf")
    return float(np.abs(whole - streamed).max()) * 32768


def faults(session: Session) -> Iterator[Check]:
    """Clipping, dead air, other readings, and lines of one syllable."""
    lines = session.teacher.find("test", limit=N_FAULT_LINES)
    student = [defects.inspect(session.repeated(line)) for line in lines]
    cut = [session.told(line) for line in session.teacher.held_out({}, N_FAULT_LINES)]
    teacher = [defects.inspect(line) for line in cut if line.segments]
    broken = sum(found.clipped + (not found.finite) for found in student)
    yield BROKEN.check("all", broken, len(lines), peak=max(found.peak for found in student))
    longest, told = (max((found.dead_air_s for found in each), default=0.0) for each in (student, teacher))
    yield DEAD_AIR.check("all", longest - told, len(lines), student_s=longest, teacher_s=told)
    other = [line.text for line in lines if not session.says_the_same(line)]
    yield READING.check("all", 100.0 * len(other) / len(lines), len(lines), texts=other[:5])
    yield _short_lines(session)


def _short_lines(session: Session) -> Check:
    manifest = session.student.synthesizer.bundle.manifest
    spoken = {
        f"{entry.name} {text}": session.student.speak(text, entry.name, language)
        for entry in manifest.characters
        for text, language in SHORT_LINES
        if language in entry.languages
    }
    failed = [name for name, line in spoken.items() if not defects.is_spoken(line)]
    seconds = {name: line.seconds for name, line in spoken.items()}
    return SHORT.check("all", len(failed), len(spoken), failed=failed, seconds=seconds)


def alignments(session: Session) -> Iterator[Check]:
    """Starts of phonemes in the learnt alignment against the teacher's own times."""
    for voice, lines in session.teacher.aligned_and_told(N_ALIGNMENT_LINES).items():
        found = alignment.Deviation.of(session.teacher.deviations(lines))
        pairs = [alignment.told_durations(session.teacher.cut(u), u.phoneme_times, u.language) for u in lines]
        told, learnt = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
        agreement = prosody.Agreement.between(told, learnt)
        yield ALIGNMENT.report(
            voice, found.median_ms, found.n, **asdict(found), duration_correlation=agreement.correlation
        )


# --- Pictures -----------------------------------------------------------------------------------------------


def illustrate(session: Session, folder: Path) -> None:
    """Draw a held-out line of every character and language beside its teacher's, and the alignment."""
    from . import plots

    for character, language in session.teacher.conditions():
        where = {"character": character, "language": language, "emotion": "neutral"}
        lines = [u for u in session.teacher.held_out(where, N_PROSODY_LINES) if session.says_the_same(u)]
        if lines:
            line = min(lines, key=lambda u: abs(session.told(u).seconds - PICTURE_S))
            plots.draw_line(
                session.told(line), session.repeated(line), folder / f"{character}-{language}.png"
            )
    if told := session.teacher.aligned_and_told(N_ALIGNMENT_LINES):
        apart = {voice: session.teacher.deviations(lines) for voice, lines in told.items()}
        plots.draw_alignment(apart, folder / "alignment.png")


MEASURES: Mapping[str, Measure] = {
    "intelligibility": intelligibility,
    "distance": distance,
    "tones": tones,
    "agreement": agreement,
    "emotions": emotions,
    "characters": characters,
    "windows": windows,
    "faults": faults,
    "alignment": alignments,
}
