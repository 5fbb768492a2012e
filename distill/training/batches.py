"""The batches of a run: which lines each step sees, put together while the step before is at work."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from .dataset import Example, Line, collate
from .objective import Batch

POOL = 8  # batches drawn at once and cut by length, so that little is padded: a step costs a fifth less
MOST_LOADERS = 8


@dataclass(frozen=True)
class BatchPlan:
    """What decides the batches of a run."""

    lines: int
    """Per step and process."""
    prosody_steps: int
    """The first steps, which get twice the lines."""
    window: int
    """Frames of each line that the decoder sees."""
    seed: int
    """Of the order and the windows."""
    rank: int
    """Of the process."""
    told: int = 0
    """Lines without sound that are learnt from besides."""


class Batches(Dataset[Batch]):
    """Batches by step; the same step gives the same batch, whoever asks and in whatever order."""

    def __init__(self, examples: Sequence[Example], plan: BatchPlan, told: Sequence[Line] = ()) -> None:
        self._examples, self._plan, self._told = examples, plan, told

    def __getitem__(self, step: int) -> Batch:
        """Return the batch of one step, as ``distill.training.dataset.collate`` makes it."""
        plan = self._plan
        lines = plan.lines if step >= plan.prosody_steps else 2 * plan.lines
        rng = np.random.default_rng((plan.seed, step, plan.rank))
        examples = _alike(self._examples, lines, rng)
        told = _near(self._told, plan.told, len(examples[-1].phoneme_ids), rng) if plan.told else []
        return collate(examples, plan.window, rng, told)


def _alike(examples: Sequence[Example], lines: int, rng: np.random.Generator) -> list[Example]:
    """Draw lines of similar length, the longest last."""
    pool = max(1, min(POOL, len(examples) // lines))
    drawn = rng.choice(len(examples), size=pool * lines, replace=len(examples) < lines)
    by_length = sorted(drawn, key=lambda i: len(examples[i].phoneme_ids))
    first = lines * int(rng.integers(pool))
    return [examples[i] for i in by_length[first : first + lines]]


def _near(told: Sequence[Line], lines: int, length: int, rng: np.random.Generator) -> list[Line]:
    """Draw lines, those nearest to a length among ``POOL`` times as many."""
    drawn = rng.integers(len(told), size=POOL * lines).tolist()
    nearest = sorted(drawn, key=lambda i: abs(len(told[i].phoneme_ids) - length))
    return [told[i] for i in nearest[:lines]]


def in_order(batches: Batches, steps: range, loaders: int) -> Iterator[Batch]:
    """Yield the batches of ``steps``, made ahead of their use by ``loaders`` processes, or here for 0."""
    return iter(DataLoader(batches, batch_size=None, sampler=steps, num_workers=loaders))


def enough_loaders(device: torch.device) -> int:
    """Choose how many processes make batches: a GPU waits for them, on a CPU they would slow it down."""
    if device.type == "cpu":
        return 0
    return min(MOST_LOADERS, max(1, (os.cpu_count() or 1) // 2))
