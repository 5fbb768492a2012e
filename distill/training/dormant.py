"""Units that have stopped firing begin anew: behind a ReLU they get no gradient and never come back.

Without that, most units of the encoder's later blocks were silent on every line after some thousand steps. A
unit begins anew with fresh weights towards it and none away from it: the student says the same as before, and
learns from there.

Source: dormant neurons and their recycling (ReDo): Sokar et al., arXiv:2302.12902.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn

from models.layers import ConvNeXtBlock

REVIVE_EVERY = 250  # steps, some ten thousand lines: what has not fired in any of them is silent
REVIVE_UNTIL = 0.6  # of a run; afterwards the learning rate is too small for a fresh unit

Units = dict[str, Tensor]
"""Indices by name of the block."""


def due(step: int, steps: int) -> bool:
    """Say whether units begin anew after this step of a run."""
    return step % REVIVE_EVERY == 0 and step <= REVIVE_UNTIL * steps


class Watch:
    """Notes which units of a student's perceptrons fire while it learns.

    Args:
        student: watched from now on.
    """

    def __init__(self, student: nn.Module) -> None:
        modules = student.named_modules()
        self._blocks = {name: block for name, block in modules if isinstance(block, ConvNeXtBlock)}
        self.fired: dict[str, Tensor] = {}
        """Whether each unit of a block has fired since the last time."""
        for name, block in self._blocks.items():
            self._follow(name, block)

    def _follow(self, name: str, block: ConvNeXtBlock) -> None:
        masks: list[Tensor | None] = [None]

        def remember(_: nn.Module, given: tuple[Tensor, Tensor | None]) -> None:
            masks[0] = given[1] if len(given) > 1 else None

        def note(_: nn.Module, given: tuple[Tensor], output: Tensor) -> None:
            if torch.is_grad_enabled():  # not while it is only being measured
                positive = output.detach() > 0
                inside = positive if masks[0] is None else positive & masks[0].bool()
                fired = inside.flatten(0, 1).any(dim=0)
                self.fired[name] = self.fired.get(name, torch.zeros_like(fired)).to(fired.device) | fired

        block.register_forward_pre_hook(remember)
        block.expand.register_forward_hook(note)

    def take_silent(self, joined: Callable[[Tensor], Tensor] = lambda fired: fired) -> Units:
        """Give the units that have not fired since the last time; none of blocks that did not run.

        Args:
            joined: the largest values of what all processes have seen.
        """
        seen = {name: joined(fired.to(torch.uint8)) for name, fired in self.fired.items()}
        self.fired.clear()
        return {name: torch.nonzero(fired == 0).squeeze(1).cpu() for name, fired in seen.items()}


def revive(
    student: nn.Module,
    units: Units,
    optimizer: torch.optim.Optimizer,
    average: Mapping[str, Tensor],
    seed: int,
) -> int:
    """Let units begin anew.

    Args:
        student: changed; what it says stays the same.
        units: from ``Watch.take_silent``.
        optimizer: forgets what it knows of them.
        average: averaged weights, where they begin anew too.
        seed: of the fresh weights.

    Returns:
        How many there were.
    """
    parameters = dict(student.named_parameters())
    generator = torch.Generator().manual_seed(seed)
    for block, rows in units.items():
        for name, part, fresh in _fresh(parameters, block, rows, generator):
            parameter = parameters[name]
            moments = optimizer.state.get(parameter, {})
            parameter.data[part] = fresh.to(parameter)
            average[name][part] = fresh.to(average[name])
            for moment in ("exp_avg", "exp_avg_sq"):
                if moment in moments:
                    moments[moment][part] = 0.0
    return sum(len(rows) for rows in units.values())


def _fresh(
    parameters: Mapping[str, Tensor], block: str, rows: Tensor, generator: torch.Generator
) -> Iterator[tuple[str, tuple[Tensor | slice, ...], Tensor]]:
    """Parameters of some units, which part of each, and its new values, as a linear layer begins."""
    width = parameters[f"{block}.expand.weight"].shape[1]
    bound = 1.0 / math.sqrt(width)
    towards = (torch.rand(len(rows), width, generator=generator) * 2.0 - 1.0) * bound
    yield f"{block}.expand.weight", (rows,), towards
    yield f"{block}.expand.bias", (rows,), torch.zeros(len(rows))
    away = parameters[f"{block}.project.weight"]
    yield f"{block}.project.weight", (slice(None), rows), torch.zeros(len(away), len(rows))
