"""Sampling of the next semantic token from the logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

MIN_TEMPERATURE = 1e-5
# Tokens are 25 per second. The original stops after 50 tokens for each of `data.max_sec` = 54 s, a limit that
# is never met, because it also stops after 1500 steps.
EARLY_STOP = 2700
MAX_STEPS = 1500


@dataclass(frozen=True)
class SamplingOptions:
    """How tokens are drawn and when to give up."""

    top_k: int = 15
    """How many of the best tokens stay; 1 is greedy."""
    top_p: float = 1.0
    """Tokens stay until their probabilities add up to this; 1 keeps all."""
    temperature: float = 1.0
    """Above 1 flattens the distribution, below 1 sharpens it."""
    repetition_penalty: float = 1.35
    """Divides positive and multiplies negative logits of tokens that occurred already."""
    early_stop: int = EARLY_STOP
    """Tokens; a run ends as "limit" once it has made more than this."""
    max_steps: int = MAX_STEPS
    """Tokens; a run ends as "limit" once it has made this many."""

    def __post_init__(self) -> None:
        for name, least in (("top_k", 1), ("early_stop", 0), ("max_steps", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; give a whole number of at least {least}")
        if not 0.0 < self.top_p <= 1.0:
            raise ValueError(f"top_p is {self.top_p}; give a share above 0 and up to 1")
        if self.temperature < 0.0:
            raise ValueError(f"temperature is {self.temperature}; give 0 or more")
        if self.repetition_penalty <= 0.0:
            raise ValueError(f"repetition_penalty is {self.repetition_penalty}; give a number above 0")


def penalize(logits: Tensor, seen: Tensor, penalty: float) -> Tensor:
    """Make tokens that occurred already less likely, each once however often it occurred.

    Args:
        logits: (B, V).
        seen: (B, V), True for tokens of the prompt and of the output.
        penalty: above 1 discourages.
    """
    return torch.where(seen, torch.where(logits < 0, logits * penalty, logits / penalty), logits)


def probabilities(logits: Tensor, options: SamplingOptions) -> Tensor:
    """Turn penalized logits (B, V) into the distribution to draw from, (B, V).

    The order decides the result: top-p looks at the logits before the temperature, top-k after it.
    """
    if options.top_p < 1.0:
        logits = _keep_nucleus(logits, options.top_p)
    logits = logits / max(options.temperature, MIN_TEMPERATURE)
    if options.top_k < logits.shape[-1]:
        weakest = logits.topk(options.top_k).values[:, -1:]  # (B, 1)
        logits = logits.masked_fill(logits < weakest, -torch.inf)
    return logits.softmax(-1)


def _keep_nucleus(logits: Tensor, top_p: float) -> Tensor:
    ordered, places = logits.sort(descending=True)
    is_dropped = ordered.softmax(-1).cumsum(-1) > top_p
    is_dropped[:, 0] = False
    return logits.masked_fill(torch.zeros_like(is_dropped).scatter(1, places, is_dropped), -torch.inf)


def draw(probability: Tensor, generators: Sequence[torch.Generator | None]) -> Tensor:
    """Draw one token per row, (B,), from (B, V).

    Dividing by exponential noise and taking the largest is a draw from the distribution. Every row has a
    generator of its own, so that a line does not depend on what shares its batch.
    """
    noise = torch.stack([_exponential(probability[row], each) for row, each in enumerate(generators)])
    return (probability / noise).argmax(-1)


def _exponential(like: Tensor, generator: torch.Generator | None) -> Tensor:
    device = like.device if generator is None else generator.device
    noise = torch.empty(like.shape, dtype=like.dtype, device=device)
    return noise.exponential_(generator=generator).to(like.device)
