"""Neural hidden Markov model that learns which frames belong to which phoneme.

Each phoneme is three states in a row; each state emits log-mel frames from a Gaussian whose mean
depends on the phoneme and the voice, not on its neighbours: a model that hears those may learn every
boundary shifted by half a phoneme. The likelihood sums over all monotonic alignments, the best single
one gives the durations.

Source: forward-sum training of alignments, arXiv:2108.10447; neural HMMs for speech, arXiv:2108.13320.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

# With two, an affricate has no state for its closure and leaves it to the vowel before.
STATES_PER_PHONEME = 3
IMPOSSIBLE = -1.0e9


class Aligner(nn.Module):
    """Emission model: phonemes and voice to the mean frame of each state."""

    def __init__(self, n_vocab: int, n_voices: int, n_mels: int, dim: int = 96) -> None:
        super().__init__()
        self.phoneme = nn.Embedding(n_vocab, dim)
        self.voice = nn.Embedding(n_voices, dim)
        self.hidden = nn.Linear(dim, 2 * dim)
        self.mean = nn.Linear(2 * dim, STATES_PER_PHONEME * n_mels)
        self.log_std = nn.Parameter(torch.zeros(n_mels))
        self.n_mels = n_mels

    def forward(self, phoneme_ids: Tensor, voice_ids: Tensor, mel: Tensor) -> Tensor:
        """Return the log-likelihood (B, T, 3 * P) of each frame under each state.

        Args:
            phoneme_ids: (B, P).
            voice_ids: (B,).
            mel: (B, T, n_mels), each band with zero mean and unit variance.
        """
        own = self.phoneme(phoneme_ids) + self.voice(voice_ids)[:, None]  # (B, P, D)
        x = torch.relu(self.hidden(torch.relu(own)))
        means = self.mean(x).reshape(x.shape[0], -1, self.n_mels)  # (B, 3P, M)
        log_std = self.log_std.clamp(-1.5, 1.0)
        scale = torch.exp(-log_std)
        frames, means = mel * scale, means * scale
        distance = frames.pow(2).sum(-1)[:, :, None] - 2.0 * frames @ means.transpose(1, 2)
        return -0.5 * (distance + means.pow(2).sum(-1)[:, None]) - log_std.sum()


def forward_sum(log_likelihood: Tensor, n_frames: Tensor, n_states: Tensor) -> Tensor:
    """Return (B,) the log-likelihood summed over all monotonic alignments.

    Args:
        log_likelihood: (B, T, S); a path starts in state 0 and advances by at most one state a frame.
        n_frames: (B,) valid frames of each row.
        n_states: (B,) valid states of each row; the path ends in the last of them.
    """
    batch, size, states = log_likelihood.shape
    alpha = log_likelihood.new_full((batch, states), IMPOSSIBLE)
    alpha = torch.cat([log_likelihood[:, 0, :1], alpha[:, 1:]], dim=1)
    steps = [alpha]
    for t in range(1, size):
        moved = nn.functional.pad(alpha[:, :-1], (1, 0), value=IMPOSSIBLE)
        alpha = torch.logaddexp(alpha, moved) + log_likelihood[:, t]
        steps.append(alpha)
    rows = torch.arange(batch, device=log_likelihood.device)
    return torch.stack(steps)[n_frames - 1, rows, n_states - 1]


@torch.no_grad()
def best_path(log_likelihood: Tensor, n_frames: Tensor, n_states: Tensor) -> list[Tensor]:
    """Return for each row the number of frames spent in each of its states on the best alignment.

    Args and shapes as in ``forward_sum``. Source: monotonic alignment search, arXiv:2005.11129.
    """
    batch, size, states = log_likelihood.shape
    score = torch.full((batch, states), IMPOSSIBLE, device=log_likelihood.device)
    score[:, 0] = log_likelihood[:, 0, 0]
    advanced = torch.zeros(size, batch, states, dtype=torch.bool)
    for t in range(1, size):
        moved = nn.functional.pad(score[:, :-1], (1, 0), value=IMPOSSIBLE)
        advanced[t] = moved > score
        score = torch.maximum(score, moved) + log_likelihood[:, t]
    state = n_states.clone() - 1
    rows = torch.arange(batch)
    counts = torch.zeros(batch, states, dtype=torch.long)
    for t in range(size - 1, -1, -1):
        valid = (t < n_frames).long()
        counts[rows, state] += valid
        state = state - (advanced[t][rows, state].long() * valid)
    return [counts[b, : int(n_states[b])] for b in range(batch)]
