"""How a voice is trained, as the section [train] of its configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCRATCH, BUILTIN = "scratch", "builtin"


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn.

    Attributes:
        steps: optimiser steps in all.
        learning_rate: at its peak; it falls along a cosine over all steps.
        warmup: steps until the peak.
    """

    steps: int
    learning_rate: float
    warmup: int


FROM_SCRATCH = Schedule(steps=12_000, learning_rate=1.2e-3, warmup=300)
FROM_STUDENT = Schedule(steps=3_000, learning_rate=6e-4, warmup=100)


def schedule(start: str) -> Schedule:
    """Give the default schedule for what training begins with."""
    return FROM_SCRATCH if start == SCRATCH else FROM_STUDENT


class TrainConfig(BaseModel):
    """Settings of training; what is left out has the default of ``sovits-distill train``.

    Attributes:
        start: in the file ``from``: ``builtin``, the voice that comes with the package; ``scratch``; or the
            folder of a student, relative to the file.
        steps: optimiser steps in all.
        prosody_steps: the first of them, which look at prosody alone.
        batch: lines per step and process.
        learning_rate, warmup: peak rate, and steps until it is reached.
        ema: decay of the averaged weights, which are the ones that are kept.
        seed: decides weights, order and windows.
        save_every, validate_every: steps.
        align_epochs: passes of the aligner.
        threads: of each process; workers: processes that measure the corpus.
        loaders: processes that put batches together ahead of their step.
        precision: mixed precision is for GPUs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    start: str = Field(default=BUILTIN, alias="from", min_length=1)
    steps: int | None = Field(default=None, ge=1)
    prosody_steps: int | None = Field(default=None, ge=0)
    batch: int | None = Field(default=None, ge=1)
    learning_rate: float | None = Field(default=None, gt=0)
    warmup: int | None = Field(default=None, ge=0)
    ema: float | None = Field(default=None, ge=0, lt=1)
    seed: int | None = None
    save_every: int | None = Field(default=None, ge=1)
    validate_every: int | None = Field(default=None, ge=1)
    align_epochs: int | None = Field(default=None, ge=1)
    threads: int | None = Field(default=None, ge=1)
    workers: int | None = Field(default=None, ge=1)
    loaders: int | None = Field(default=None, ge=0)
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] | None = None

    def options(self, folder: Path) -> dict[str, Any]:
        """Give what the file sets, with the student's folder relative to ``folder`` made absolute."""
        given = self.model_dump(exclude_none=True)
        if self.start not in (SCRATCH, BUILTIN):
            given["start"] = str((folder / self.start).resolve())
        return given
