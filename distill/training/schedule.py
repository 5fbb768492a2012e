"""Schedule of training, as the section [train] of a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCRATCH, BUILTIN = "scratch", "builtin"


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn."""

    steps: int
    """Optimiser steps in all."""
    learning_rate: float
    """At its peak; it falls along a cosine over all steps."""
    warmup: int
    """Steps until the peak."""


FROM_SCRATCH = Schedule(steps=12_000, learning_rate=1.2e-3, warmup=300)
FROM_STUDENT = Schedule(steps=3_000, learning_rate=6e-4, warmup=100)


def schedule(start: str) -> Schedule:
    """Give the default schedule for what training begins with."""
    return FROM_SCRATCH if start == SCRATCH else FROM_STUDENT


class TrainConfig(BaseModel):
    """Settings of training; what is left out has the default of ``sovits-distill train``."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    start: str = Field(default=BUILTIN, alias="from", min_length=1)
    """In the file ``from``: ``builtin``, the voice that comes with the package; ``scratch``; or the folder of
    a student, relative to the file."""
    steps: int | None = Field(default=None, ge=1)
    """Optimiser steps in all."""
    prosody_steps: int | None = Field(default=None, ge=0)
    """The first of them, which look at prosody alone."""
    adversarial_steps: int | None = Field(default=None, ge=0)
    """The last of them, against a discriminator."""
    batch: int | None = Field(default=None, ge=1)
    """Lines per step and process."""
    told: int | None = Field(default=None, ge=0)
    """Lines without sound besides, where the corpus has such."""
    learning_rate: float | None = Field(default=None, gt=0)
    warmup: int | None = Field(default=None, ge=0)
    """``learning_rate``, ``warmup``: peak rate, and steps until it is reached."""
    ema: float | None = Field(default=None, ge=0, lt=1)
    """Decay of the averaged weights, which are the ones that are kept."""
    seed: int | None = None
    """Decides weights, order and windows."""
    save_every: int | None = Field(default=None, ge=1)
    validate_every: int | None = Field(default=None, ge=1)
    """``save_every``, ``validate_every``: steps."""
    align_epochs: int | None = Field(default=None, ge=1)
    """Passes of the aligner."""
    threads: int | None = Field(default=None, ge=1)
    """Of each process; workers: processes that measure the corpus."""
    workers: int | None = Field(default=None, ge=1)
    loaders: int | None = Field(default=None, ge=0)
    """Processes that put batches together ahead of their step."""
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] | None = None
    """Mixed precision is for GPUs."""

    def options(self, folder: Path) -> dict[str, Any]:
        """Give what the file sets, with the student's folder relative to ``folder`` made absolute."""
        given = self.model_dump(exclude_none=True)
        if self.start not in (SCRATCH, BUILTIN):
            given["start"] = str((folder / self.start).resolve())
        return given
