"""Likeness of the student to its teacher: spectra, tones, durations, pitch, emotions, characters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict

import numpy as np

from ..manifest import Utterance
from . import alignment, emotion, prosody, spectral
from .character import CharacterClassifier, percent_right
from .result import Check, LeftOut, Target
from .session import Session
from .speakers import spread
from .speech import Recording
from .tones import FEW_SYLLABLES, ToneClassifier, count_syllables

DISTANCE = Target("log-mel distance over a small change's", "at most", 1.25, "ratio")
ENVELOPE = Target("envelope distance over a vocoder copy's", "at most", 1.25, "ratio")
TONES = Target("tones under teacher", "at most", 5.0, "points")
DURATION = Target("duration correlation", "at least", 0.9, "r")
TOLD_DURATION = Target("duration correlation, teacher's own times", "at least", 0.9, "r")
PITCH = Target("pitch correlation", "at least", 0.9, "r")
DURATION_WITHIN = Target("duration correlation within sentences", "at least", 0.9, "r")
PITCH_WITHIN = Target("pitch correlation within sentences", "at least", 0.9, "r")
EMOTION = Target("sad slower and lower than happy", "at least", 95.0, "% of lines")
CHARACTER = Target("characters told apart", "at least", 95.0, "% of lines")
ALIGNMENT = Target("alignment error, median", "at most", 20.0, "ms")

# How many lines a measure looks at, per character and language.
N_DISTANCE_LINES, N_PROSODY_LINES, N_EMOTION_LINES = 60, 60, 25
N_TONE_TRAIN, N_CHARACTER_TRAIN, N_CHARACTER_TEST, N_ALIGNMENT_LINES = 150, 30, 25, 100
N_COPY_LINES = 12
SMALL_PITCH = 0.5  # semitones, 3 %
NO_NEUTRAL = "no neutral line is held out"


def distance(session: Session) -> Iterator[Check | LeftOut]:
    """Warped distance to the teacher: log-mel against a small change's, envelope against a vocoder copy's.

    Small changes are the teacher's own line at 10 % other rate, and a copy of it half a semitone higher; the
    larger of the two counts.
    """
    for character, language in session.teacher.conditions():
        who, where = f"{character} {language}", {"character": character, "language": language}
        neutral = {u.text: u for u in session.teacher.find("test", where | {"emotion": "neutral"})}
        again = {u.text: u for u in session.teacher.find("test_rate", where) if u.text in neutral}
        lines = spread([neutral[text] for text in again or neutral], N_DISTANCE_LINES)
        if not lines:
            yield from (target.left_out(who, NO_NEUTRAL) for target in (DISTANCE, ENVELOPE))
            continue
        lines = [line for line in lines if session.says_the_same(line)]
        told = [session.told(line) for line in lines]
        student = [session.repeated(line) for line in lines]
        some = told[:: max(1, -(-len(told) // N_COPY_LINES))]
        copies, higher = _copies(some)
        changes = {"other_pitch_db": _apart(some, higher, spectral.log_mel)}
        if again:
            other = [session.told(again[line.text]) for line in lines]
            changes["other_rate_db"] = _apart(told, other, spectral.log_mel)
        yield _ratio(DISTANCE, who, told, student, spectral.log_mel, **changes)
        copy = _apart(some, copies, spectral.envelope_mel)
        yield _ratio(ENVELOPE, who, told, student, spectral.envelope_mel, world_copy_db=copy)


def _copies(some: Sequence[Recording]) -> tuple[list[Recording], list[Recording]]:
    """Copy lines through the vocoder, as they are and a little higher."""
    both = [spectral.vocoder_copies(one.audio, (0.0, SMALL_PITCH)) for one in some]
    same, higher = ([one.with_audio(pair[k]) for one, pair in zip(some, both, strict=True)] for k in (0, 1))
    return same, higher


def _ratio(
    target: Target,
    who: str,
    told: Sequence[Recording],
    student: Sequence[Recording],
    analysis: spectral.Analysis,
    **yardsticks: float,
) -> Check:
    """Hold the distance of teacher and student against the largest of some that are known to be small."""
    ours = _apart(told, student, analysis)
    judge = target.report if who.endswith(" en") else target.check  # English is judged by its words
    return judge(who, ours / max(yardsticks.values()), len(told), student_db=ours, **yardsticks)


def _apart(some: Sequence[Recording], others: Sequence[Recording], analysis: spectral.Analysis) -> float:
    if not some:
        return float("nan")
    pairs = zip(some, others, strict=True)
    return float(np.mean([spectral.warped_distance(a.audio, b.audio, analysis) for a, b in pairs]))


def tones(session: Session) -> Iterator[Check | LeftOut]:
    """Mandarin tones, by a classifier that learnt from the teacher's training lines."""
    if not session.characters("zh"):
        yield TONES.left_out("all", "no character speaks Mandarin")
    for character in session.characters("zh"):
        where = {"character": character, "language": "zh"}
        train = [session.told(u) for u in session.teacher.find("train", where, N_TONE_TRAIN)]
        pairs = session.pairs(session.teacher.held_out(where, N_PROSODY_LINES))
        n_known, n_held_out = (count_syllables(lines) for lines in (train, [teacher for teacher, _ in pairs]))
        if min(n_known, n_held_out) < FEW_SYLLABLES:
            counts = f"{n_known} syllables to learn from and {n_held_out} held out are cut"
            yield TONES.left_out(character, f"{counts}, {FEW_SYLLABLES} of each are needed")
            continue
        classifier = ToneClassifier(train)
        pairs = prosody.comparable(pairs)
        told, n = classifier.accuracy([teacher for teacher, _ in pairs])
        heard, _ = classifier.accuracy([student for _, student in pairs])
        yield TONES.check(
            character, told - heard, n,
            teacher_percent=told, student_percent=heard, trained_on=classifier.n_syllables,
        )  # fmt: skip


def agreement(session: Session) -> Iterator[Check | LeftOut]:
    """Durations and pitch, phoneme by phoneme."""
    together: dict[str, list[tuple[Recording, Recording]]] = {}
    for character, language in session.teacher.conditions():
        where = {"character": character, "language": language}
        lines = session.teacher.held_out(where, N_PROSODY_LINES)
        pairs = session.pairs(lines)
        together.setdefault(character, []).extend(pairs)
        yield from _agreement(f"{character} {language}", pairs, DURATION.report, PITCH.report)
        yield from _told_agreement(session, f"{character} {language}", lines)
        yield from _within(session, f"{character} {language}", where)
    for character, pairs in together.items():
        yield from _agreement(character, pairs, DURATION.check, PITCH.check)


def _within(session: Session, subject: str, where: Mapping[str, str]) -> Iterator[Check | LeftOut]:
    """How each sentence moves about its own mean: what lists of words and a lively voice cannot flatter."""
    pairs = prosody.comparable(session.pairs(session.teacher.sentences(where, N_PROSODY_LINES)))
    for target, measure in ((DURATION_WITHIN, prosody.durations), (PITCH_WITHIN, prosody.pitches)):
        found = prosody.Agreement.within([measure(pair) for pair in pairs])
        if found.n < prosody.FEW:
            yield target.left_out(subject, "too few phonemes of held-out sentences are cut")
        else:
            yield target.check(
                subject, found.correlation, found.n, mean_error=found.mean_error, lines=len(pairs)
            )


def _agreement(
    subject: str, pairs: prosody.Pairs, durations: Callable[..., Check], pitch: Callable[..., Check]
) -> Iterator[Check | LeftOut]:
    n_cut = sum(len(teacher.sounding) for teacher, _ in pairs)
    if n_cut < prosody.FEW:
        reason = f"{n_cut} phonemes of held-out lines are cut, a correlation needs {prosody.FEW}"
        yield from (target.left_out(subject, reason) for target in (DURATION, PITCH))
        return
    lines = {"lines": len(prosody.comparable(pairs)), "of": len(pairs)}
    for judge, measure in ((durations, prosody.duration_agreement), (pitch, prosody.pitch_agreement)):
        found = measure(pairs)
        yield judge(
            subject, found.correlation, found.n, mean_error=found.mean_error, bias=found.bias, **lines
        )


def _told_agreement(session: Session, subject: str, lines: Sequence[Utterance]) -> Iterator[Check | LeftOut]:
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


def emotions(session: Session) -> Iterator[Check | LeftOut]:
    """Sad against happy, the same lines."""
    for character, language in session.teacher.conditions():
        where = {"character": character, "language": language}
        happy = {u.text: u for u in session.teacher.find("test", where | {"emotion": "happy"})}
        sad = session.teacher.find("test", where | {"emotion": "sad"}, N_EMOTION_LINES)
        lines = [(u, happy[u.text]) for u in sad if u.text in happy]
        if not lines:
            yield EMOTION.left_out(f"{character} {language}", "no held-out line is said both sad and happily")
            continue
        teacher = emotion.contrast([(session.told(s), session.told(h)) for s, h in lines])
        student = emotion.contrast([(session.repeated(s), session.repeated(h)) for s, h in lines])
        yield EMOTION.check(
            f"{character} {language}", student.share, student.n,
            student=asdict(student), teacher=asdict(teacher),
        )  # fmt: skip


def characters(session: Session) -> Iterator[Check | LeftOut]:
    """Who speaks, by a classifier that learnt from the teachers."""
    if len({character for character, _ in session.teacher.conditions()}) < 2:
        yield CHARACTER.left_out("all", "there is one character, and nobody to take it for")
        return
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


def alignments(session: Session) -> Iterator[Check | LeftOut]:
    """Starts of phonemes in the learnt alignment against the teacher's own times."""
    aligned_and_told = session.teacher.aligned_and_told(N_ALIGNMENT_LINES)
    if not aligned_and_told:
        yield ALIGNMENT.left_out(
            "all", "the teacher tells no times of its phonemes, or no alignment is given"
        )
    for voice, lines in aligned_and_told.items():
        found = alignment.Deviation.of(session.teacher.deviations(lines))
        pairs = [alignment.told_durations(session.teacher.cut(u), u.phoneme_times, u.language) for u in lines]
        told, learnt = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
        agreement = prosody.Agreement.between(told, learnt)
        yield ALIGNMENT.report(
            voice, found.median_ms, found.n, **asdict(found), duration_correlation=agreement.correlation
        )
