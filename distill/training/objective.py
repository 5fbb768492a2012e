"""Objective of training: the student, its head and the losses as one module."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from edge.spec import HOP_LENGTH
from models.head import SourceFilterHead
from models.sovits_tiny import SovitsTiny

from .dataset import MARGIN, Example, collate
from .losses import ProsodyMasks, SpectralLoss, prosody_loss

# Convergence compares linear magnitudes, and two noises agree best in that when one of them is 2 dB too quiet
# (the mean of a Rayleigh variable squared over its mean square): at 0.5 the whole voice came out 1 dB low.
# Squared, the pitch of a teacher who moves little is learnt twice as fast: of claire's alone, 400 steps bring
# the correlation on training lines from 0.870 to 0.915, with the absolute distance alone to 0.894.
WEIGHTS = {
    "log_stft": 1.0, "convergence": 0.15, "mel": 2.0,
    "duration": 1.0, "f0": 2.0, "f0_squared": 20.0, "energy": 0.3,
    "adversarial": 0.2, "features": 0.6,
}  # fmt: skip
OWN_ENERGY = 0.5  # share of lines decoded with the energy that the student predicts, as on the device
SILENT = 20.0  # taken from the log-magnitudes of frames outside the line

Batch = dict[str, Tensor]
Judge = Callable[[Tensor, Tensor], dict[str, Tensor]]  # of the student's and the teacher's sound


class Objective(torch.nn.Module):
    """Student, head and losses: a batch in, named losses out."""

    def __init__(self, student: SovitsTiny) -> None:
        super().__init__()
        self.student, self.head, self.spectral = student, SourceFilterHead(), SpectralLoss()

    def forward(self, batch: Batch, sound: bool = True, judge: Judge | None = None) -> dict[str, Tensor]:
        """Return one scalar per term for a batch of ``dataset.collate``: of prosody, of sound, of a judge."""
        strength = torch.ones_like(batch["energy"][:, 0])
        durations, f0, energy, hidden = self.student.encoder(
            batch["phoneme_ids"], batch["language_ids"], batch["word_starts"],
            batch["character_id"], batch["emotion_id"], strength, batch["phoneme_mask"],
        )  # fmt: skip
        targets = (batch["durations"], batch["log_f0"], batch["energy"])
        masks = ProsodyMasks(
            batch["target_mask"], batch["length_mask"], batch["energy_mask"], batch["voicing"]
        )
        terms = prosody_loss((durations, f0, energy), targets, masks)
        if not sound:
            return terms
        heard = len(batch["audio"])  # the lines after these are told without sound
        output = self.render(hidden[:heard], energy[:heard].detach(), batch)
        inner = slice(MARGIN * HOP_LENGTH, -MARGIN * HOP_LENGTH)
        pair = output[:, inner], batch["audio"][:, inner]
        return {**terms, **self.spectral(*pair), **(judge(*pair) if judge else {})}

    def render(self, hidden: Tensor, energy: Tensor, batch: Batch) -> Tensor:
        """Decode the windows of a batch with the teacher's times and pitch, (B, T * HOP_LENGTH).

        Every other line has the energy (B, P) that the student predicts, so that the decoder does not come to
        rely on a level that nobody can know exactly.
        """
        places = batch["frame_to_phoneme"]
        own = torch.rand_like(energy[:, :1]) < OWN_ENERGY
        features = batch["features"].clone()
        features[..., -1] = torch.where(own, energy.gather(1, places), features[..., -1])
        index = places.unsqueeze(-1).expand(-1, -1, hidden.shape[-1])
        frames = self.student.decoder(hidden.gather(1, index), features, batch["frame_mask"])
        frames = frames - SILENT * (1.0 - batch["frame_mask"])
        return self.head(frames, batch["pulses"], torch.randn_like(batch["pulses"]))


def weighted(terms: Mapping[str, Tensor]) -> Tensor:
    """Add the terms up to the loss."""
    return torch.stack([WEIGHTS[key] * value for key, value in terms.items()]).sum()


@torch.no_grad()
def average_losses(
    objective: Objective,
    examples: Sequence[Example],
    batch: int,
    window: int,
    seed: int,
    to_device: Callable[[Batch], Batch] = lambda moved: moved,
) -> dict[str, float]:
    """Average the losses over one window of each example; the same seed looks at the same windows.

    Returns:
        The mean of each term, and of their weighted sum as ``loss``.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        rng = np.random.default_rng(seed)
        groups = [examples[k : k + batch] for k in range(0, len(examples), batch)]
        rows = [objective(to_device(collate(group, window, rng))) for group in groups]
        rows = [{**terms, "loss": weighted(terms)} for terms in rows]
    return {key: torch.stack([row[key] for row in rows]).mean().item() for key in rows[0]}
