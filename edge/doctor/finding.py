"""Findings: what a check has found, how bad it is and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]
LEVELS: tuple[Level, ...] = ("error", "warning", "ok")
"""From worst to best."""


@dataclass(frozen=True)
class Finding:
    """One check."""

    check: str
    """Name of the check."""
    level: Level
    found: str
    """What was found."""
    remedy: str = ""
    """What to do; empty when all is well."""

    def line(self) -> str:
        """Say it in one line."""
        return f"{self.level}: {self.check}: {self.found}" + (f"; {self.remedy}" if self.remedy else "")


def worst(findings: Sequence[Finding]) -> Level:
    """Give the worst level."""
    return next((level for level in LEVELS if any(one.level == level for one in findings)), "ok")
