"""Faults no listener may hear: clicks where windows join, clipping, dead air, other readings, lost lines."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from . import defects, joins
from .result import Check, LeftOut, Target
from .session import Session
from .speech import Samples

STREAMED = Target("streamed against whole", "at most", 1.0, "16-bit steps")
JOINS = Target("joins that stand out", "at most", 2.0, "% of joins")  # chance gives 1
BROKEN = Target("samples that clip or are no numbers", "at most", 0.0, "samples")
DEAD_AIR = Target("silence inside a phrase above teacher", "at most", 0.05, "s")
READING = Target("lines read otherwise than in training", "at most", 0.0, "% of lines")
SHORT = Target("lines of one syllable not heard", "at most", 0.0, "lines")

N_FAULT_LINES = 200  # of all characters together
NOTHING = "no line is held out"
SHORT_LINES = (("嗯", "zh"), ("好。", "zh"), ("Go!", "en"), ("Yes", "en"), ("はい", "ja"), ("え", "ja"))


def windows(session: Session) -> Iterator[Check | LeftOut]:
    """Streamed lines against whole ones, and clicks at the joins."""
    lines = session.teacher.find("test", limit=N_FAULT_LINES)
    if not lines:
        yield from (target.left_out("all", NOTHING) for target in (STREAMED, JOINS))
        return
    streamed = [session.student.stream(line) for line in lines]
    steps = [
        _steps_apart(session.repeated(line).audio, stream.audio)
        for line, stream in zip(lines, streamed, strict=True)
    ]
    yield STREAMED.check("all", max(steps), len(lines))
    if not any(line.joins for line in streamed):
        yield JOINS.left_out("all", "no line is so long that it has two windows")
        return
    found = joins.judge([(line.audio, line.joins) for line in streamed])
    clicked = joins.judge([(joins.with_clicks(line.audio, line.joins), line.joins) for line in streamed])
    yield JOINS.check(
        "all", found.outstanding, found.n, worst=found.worst, found_of_injected_clicks=clicked.outstanding
    )


def _steps_apart(whole: Samples, streamed: Samples) -> float:
    if len(whole) != len(streamed):
        return float("inf")
    return float(np.abs(whole - streamed).max()) * 32768


def faults(session: Session) -> Iterator[Check | LeftOut]:
    """Clipping, dead air, other readings, and lines of one syllable."""
    yield _short_lines(session)
    lines = session.teacher.find("test", limit=N_FAULT_LINES)
    if not lines:
        yield from (target.left_out("all", NOTHING) for target in (BROKEN, DEAD_AIR, READING))
        return
    student = [defects.inspect(session.repeated(line)) for line in lines]
    cut = [session.told(line) for line in session.teacher.held_out({}, N_FAULT_LINES)]
    teacher = [defects.inspect(line) for line in cut if line.segments]
    broken = sum(found.clipped + (not found.finite) for found in student)
    yield BROKEN.check("all", broken, len(lines), peak=max(found.peak for found in student))
    longest, told = (max((found.dead_air_s for found in each), default=0.0) for each in (student, teacher))
    yield DEAD_AIR.check("all", longest - told, len(lines), student_s=longest, teacher_s=told)
    other = [line.text for line in lines if not session.says_the_same(line)]
    yield READING.check("all", 100.0 * len(other) / len(lines), len(lines), texts=other[:5])


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
