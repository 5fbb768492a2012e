"""Adversary of the last part of training: it learns to tell the student from the teacher.

Distances of spectra alone end in a mean of all that could be said, which sounds dull; a discriminator sees
that no teacher sounds so. It looks at every other line of a batch: that is where its time goes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from edge.spec import SAMPLE_RATE
from models.discriminator import Discriminator, judged_made, judged_real

from .losses import FLOOR

LEARNING_RATE = 4e-4
_STRIDE = 2  # of the lines of a batch


class Adversary:
    """A discriminator with its optimiser."""

    def __init__(self, device: torch.device) -> None:
        self.discriminator = Discriminator(SAMPLE_RATE, FLOOR).to(device)
        self._optimizer = torch.optim.AdamW(
            self.discriminator.parameters(), lr=LEARNING_RATE, betas=(0.8, 0.99), weight_decay=0.01
        )

    def __call__(self, output: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Learn from the student's and the teacher's sound, then judge the student's.

        Args:
            output: (B, N) of the student.
            target: (B, N) of the teacher.

        Returns:
            ``adversarial``, how surely the student is found out, and ``features``, how far the layers'
            outputs are from those of the teacher's sound (arXiv:1910.06711).
        """
        output, target = output[::_STRIDE], target[::_STRIDE]
        real = self._learn(output.detach(), target)
        self.discriminator.requires_grad_(False)
        made = self.discriminator(output)
        self.discriminator.requires_grad_(True)
        pairs = [(a, b) for ours, theirs in zip(made, real, strict=True)
                 for a, b in zip(ours[:-1], theirs[:-1], strict=True)]  # fmt: skip
        features = [nn.functional.l1_loss(a, b.detach()) / b.detach().abs().mean() for a, b in pairs]
        return {"adversarial": judged_real(made), "features": torch.stack(features).mean()}

    def _learn(self, made: Tensor, target: Tensor) -> list[list[Tensor]]:
        real = self.discriminator(target)
        loss = judged_real(real) + judged_made(self.discriminator(made))
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        return real

    def state_dict(self) -> dict[str, Any]:
        """Return what a run needs to go on."""
        return {
            "discriminator": self.discriminator.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what ``state_dict`` returned."""
        self.discriminator.load_state_dict(state["discriminator"])
        self._optimizer.load_state_dict(state["optimizer"])
