"""Judges a voice bundle against its teachers and writes the numbers down.

    sovits-distill evaluate --bundle voice --corpus corpus --out benchmarks/results/quality/voice.json

About four minutes on two x86 cores. Everything is measured on sound that came out of the shipped networks
through the runtime of the device, on lines that training has not seen.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from .faults import faults, windows
from .likeness import (
    N_ALIGNMENT_LINES,
    N_PROSODY_LINES,
    agreement,
    alignments,
    characters,
    distance,
    emotions,
    tones,
)
from .listening import heard, judged, recognised
from .result import Check, LeftOut, write_results
from .session import Measure, Session
from .speakers import Student, TeacherLines
from .words import intelligibility

_log = logging.getLogger(__name__)

PICTURE_S = 2.5  # a line of about this length fills a picture


def run(
    bundle: Path | None,
    corpus: Path,
    output: Path,
    durations: Mapping[str, Sequence[int]] | None = None,
    measures: Sequence[str] | None = None,
    images: Path | None = None,
    float_bundle: Path | None = None,
    most: int | None = None,
) -> list[Check]:
    """Evaluate a bundle and write ``output``.

    Args:
        bundle: voice to judge; None for the built-in one.
        corpus: folder that it was trained on, for its held-out lines.
        output: JSON result file.
        durations: learnt alignment in steps of 8 ms by utterance id; without it lines are cut by the times
            that their teacher tells, if it does.
        measures: names out of ``MEASURES``; all when absent.
        images: folder for pictures; none are drawn when absent.
        float_bundle: the same voice with float networks, for the measures that compare all three.
        most: lines of a character in a language that the independent ears hear, for a quick look.

    Returns:
        Every number. What could not be measured on this voice is in the file, with the reason.

    Raises:
        KeyError: no measure has that name.
        EdgeError: the bundle cannot be loaded.
        FileNotFoundError: there is no corpus.
    """
    plain = Student(float_bundle) if float_bundle else None
    session = Session(TeacherLines(corpus, durations), Student(bundle), plain, most)
    checks: list[Check] = []
    left_out: list[LeftOut] = []
    for name in measures or MEASURES:
        for found in MEASURES[name](session):
            _log.info("%s", found)
            if isinstance(found, Check):
                checks.append(found)
            else:
                left_out.append(found)
    write_results(output, checks, session.student.synthesizer.bundle.manifest, left_out)
    if images is not None:
        illustrate(session, images)
    return checks


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
    "heard": heard,
    "judged": judged,
    "recognised": recognised,
}
