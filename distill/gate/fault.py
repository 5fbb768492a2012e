"""What the gate finds wrong with a line."""

from __future__ import annotations

from dataclasses import dataclass

REASONS = (
    "silent", "clipping", "pause", "length", "loop", "words", "unlike", "timbre", "recogniser",
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """Why a line is rejected.

    Attributes:
        reason: one of ``REASONS``.
        measured, threshold: in the unit of the reason's limit.
        detail: one sentence with units.
    """

    reason: str
    measured: float
    threshold: float
    detail: str
