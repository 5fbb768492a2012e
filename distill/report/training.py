"""The log of a training run as curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from ..evaluation.plots import Curve
from .files import read_lines

TOTAL = "loss"  # the weighted sum of the terms, where it is logged


class _Row(BaseModel):
    """A line of ``log.jsonl``; everything else in it is a term of the loss."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: Literal["train", "valid"]
    step: int
    time: float

    @property
    def terms(self) -> dict[str, Any]:
        """Losses by name."""
        return self.model_extra or {}


@dataclass(frozen=True)
class TrainingLog:
    """Curves by term, each steps (n,) and losses (n,)."""

    train: Mapping[str, Curve]
    valid: Mapping[str, Curve]

    @property
    def terms(self) -> list[str]:
        """Names in order."""
        return list(dict.fromkeys([*self.valid, *self.train]))

    @property
    def last_step(self) -> int:
        """Where the log ends."""
        curves = [*self.train.values(), *self.valid.values()]
        return int(max((steps[-1] for steps, _ in curves), default=0))

    @property
    def in_words(self) -> str:
        """First and last validation."""
        found = [
            f"{term} {losses[0]:.3g} to {losses[-1]:.3g}"
            for term, (_, losses) in self.valid.items()
            if len(losses) > 1
        ]
        return f"Validation, first to last: {', '.join(found)}." if found else ""


def read_log(path: Path) -> TrainingLog:
    """Read ``log.jsonl``; of steps that were done again after a kill, the last time counts.

    Raises:
        DistillError: it is no training log.
    """
    rows = {(row.kind, row.step): row for row in read_lines(path, _Row)}
    ordered = sorted(rows.values(), key=lambda row: row.step)
    return TrainingLog(*(_curves([r for r in ordered if r.kind == kind]) for kind in ("train", "valid")))


def _curves(rows: list[_Row]) -> dict[str, Curve]:
    terms = dict.fromkeys(term for row in rows for term in row.terms)
    names = [*([TOTAL] if TOTAL in terms else []), *(term for term in terms if term != TOTAL)]
    return {term: _curve(term, rows) for term in names}


def _curve(term: str, rows: list[_Row]) -> Curve:
    steps, losses = np.array([(row.step, row.terms[term]) for row in rows if term in row.terms], np.float64).T
    return steps, losses
