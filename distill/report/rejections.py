"""Rejections of the quality gate: counted by reason, and line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .files import Rejection

LISTED = 200  # lines in the report; lost ones first

REASONS = {
    "silent": "nothing is heard",
    "clipping": "the sound hits the top of the scale",
    "pause": "too long a silence inside the line",
    "length": "too long or too short for its text",
    "loop": "something is said over and over",
    "words": "words are dropped or repeated",
    "unlike": "does not sound like the text in this voice",
    "timbre": "sounds like somebody else",
    "recogniser": "the recogniser hears something else",
    "limit": "the teacher found no end",
    "phoneme": "the teacher has no such sound",
    "phonemes": "the teacher would say something else",
    "crash": "the teacher's program ended",
    "failed": "the server broke off",
    "missing": "nobody recorded it",
    "unreadable": "the recording cannot be read",
}


@dataclass(frozen=True)
class ReasonRow:
    """A reason."""

    reason: str
    meaning: str
    attempts: int
    """Renderings turned down for it."""
    lines: int
    """Lines that this happened to."""
    recovered: int
    """Those of which another attempt was good."""
    lost: int
    """Those that are not in the corpus."""


def by_reason(rejections: Sequence[Rejection]) -> tuple[ReasonRow, ...]:
    """Count, the commonest reason first."""
    attempts = Counter(rejection.reason for rejection in rejections)
    return tuple(_count(reason, rejections) for reason, _ in attempts.most_common())


def _count(reason: str, rejections: Sequence[Rejection]) -> ReasonRow:
    found = [rejection for rejection in rejections if rejection.reason == reason]
    lost_ids = {rejection.id for rejection in rejections if rejection.lost}
    lines = {rejection.id for rejection in found}
    lost = len(lines & lost_ids)
    return ReasonRow(reason, REASONS.get(reason, ""), len(found), len(lines), len(lines) - lost, lost)


def listed(rejections: Sequence[Rejection]) -> tuple[Rejection, ...]:
    """Choose what is shown one by one: lines that were lost before those that another attempt saved."""
    return tuple(sorted(rejections, key=lambda rejection: not rejection.lost)[:LISTED])
