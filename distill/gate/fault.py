"""Fault that the gate finds in a line."""

from __future__ import annotations

from dataclasses import dataclass

REASONS = (
    "silent", "clipping", "pause", "length", "loop", "words", "unlike", "timbre", "recogniser",
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """Why a line is rejected."""

    reason: str
    """One of ``REASONS``."""
    measured: float
    threshold: float
    """``measured``, ``threshold``: in the unit of the reason's limit."""
    detail: str
    """One sentence with units."""
