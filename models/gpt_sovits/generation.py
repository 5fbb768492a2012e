"""The loop that draws semantic tokens until a line has been said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

import torch
from torch import Tensor

from .key_value_cache import close_gaps
from .sampling import SamplingOptions, draw, penalize, probabilities

STEPS_WITHOUT_END = 11  # the end cannot be drawn before 0.44 s of speech


@dataclass(frozen=True)
class GenerationItem:
    """A line to be said."""

    phoneme_ids: Tensor
    """(1, P), of the prompt's transcript and of the line."""
    bert: Tensor
    """(1, bert_dim, P), text features of each phoneme, zeros where there are none."""
    prompt: Tensor | None = None
    """(1, T25), semantic tokens of the reference clip; None for none."""
    generator: torch.Generator | None = None
    """Decides every draw of this line; None for torch's own."""

    @property
    def n_prompt(self) -> int:
        """Tokens of the prompt."""
        return 0 if self.prompt is None else self.prompt.shape[-1]

    def check(self, n_phonemes: int, end_token: int, bert_dim: int) -> None:
        """Raise ValueError for what the network has no row for."""
        n = self.phoneme_ids.shape[-1]
        if self.phoneme_ids.shape != (1, n) or n == 0 or self.bert.shape != (1, bert_dim, n):
            raise ValueError(
                f"phoneme ids of shape {tuple(self.phoneme_ids.shape)} came with text features of shape "
                f"{tuple(self.bert.shape)}; expected (1, P) and (1, {bert_dim}, P) with P of at least 1"
            )
        _check_range("phoneme id", self.phoneme_ids, n_phonemes)
        if self.prompt is not None:
            if self.prompt.shape != (1, self.n_prompt) or not self.n_prompt:
                raise ValueError(f"the prompt has shape {tuple(self.prompt.shape)}; expected (1, T) or None")
            _check_range("prompt token", self.prompt, end_token)


def _check_range(what: str, values: Tensor, n: int) -> None:
    least, most = int(values.min()), int(values.max())
    if least < 0 or most >= n:
        raise ValueError(f"{what} {least if least < 0 else most} is outside the table of {n}")


@dataclass(frozen=True)
class Generation:
    """What was drawn for a line."""

    tokens: Tensor
    """(T25,), the semantic tokens of the line."""
    stopped: Literal["eos", "limit"]
    """"eos" when the network ended the line, "limit" when the options did."""
    sequence: Tensor
    """Prompt and every new token but the end."""
    index: int
    """How many new tokens the original counts: all of them after an end, one less than that at a limit, so
    that the first is lost, and 0 without a prompt, which keeps all."""


class BatchContext(Protocol):
    """What the steps of a batch share."""

    def keep(self, order: Sequence[int]) -> None:
        """Go on with fewer rows."""
        ...


_Context = TypeVar("_Context", bound=BatchContext)


class TokenModel(Protocol[_Context]):
    """What the loop needs of a model: the first logits of every line, then one step after the other."""

    def prefill(self, items: Sequence[GenerationItem]) -> tuple[Tensor, _Context]:
        """Run text and prompt of every line; (B, S, D) and the context to go on from."""
        ...

    def logits(self, hidden: Tensor) -> Tensor:
        """Turn (..., D) into (..., V)."""
        ...

    def step(self, tokens: Tensor, context: _Context) -> Tensor:
        """Feed one token (B,) per row; (B, V) of the next."""
        ...


@torch.inference_mode()
def generate_batch(
    model: TokenModel[_Context], n_tokens: int, items: Sequence[GenerationItem], options: SamplingOptions
) -> list[Generation]:
    """Draw tokens for all lines side by side; lines that have ended leave the batch.

    Args:
        model: that predicts them.
        n_tokens: size of its output, the end token included.
        items: the lines.
        options: how to draw.
    """
    if not items:
        return []
    hidden, context = model.prefill(items)
    logits = model.logits(hidden[:, -1])
    batch = _Batch(items, n_tokens, options, logits.device)
    while True:
        drawn, is_end = batch.draw(logits)
        order = batch.leave(is_end)
        if not order:
            return batch.results()
        if len(order) < len(is_end):
            context.keep(order)
            drawn = drawn[torch.tensor(order, device=drawn.device)]
        logits = model.step(drawn, context)


class _Batch:
    """The lines that are still being said, and those that have ended."""

    def __init__(
        self, items: Sequence[GenerationItem], n_tokens: int, options: SamplingOptions, device: torch.device
    ) -> None:
        self._items, self._options, self._end_token = items, options, n_tokens - 1
        self._rows = list(range(len(items)))  # which item each row of the batch is
        self._generators = [item.generator for item in items]
        self._seen = torch.zeros(len(items), n_tokens, dtype=torch.bool, device=device)
        for row, item in enumerate(items):
            if item.prompt is not None:
                self._seen[row, item.prompt[0].to(device)] = True
        self._tokens = torch.empty(len(items), options.max_steps, dtype=torch.long, device=device)
        self._step = 0
        self._done: dict[int, Generation] = {}

    def draw(self, logits: Tensor) -> tuple[Tensor, list[bool]]:
        """Draw a token (B,) per row; tell for each row whether it or the best token is the end."""
        n = self._end_token if self._step < STEPS_WITHOUT_END else self._end_token + 1
        logits = penalize(logits[:, :n], self._seen[:, :n], self._options.repetition_penalty)
        drawn = draw(probabilities(logits, self._options), self._generators)
        # The penalty counts for this test too: the original changes the logits in place.
        is_end = (drawn == self._end_token) | (logits.argmax(-1) == self._end_token)
        self._tokens[:, self._step] = drawn
        self._seen.scatter_(1, drawn[:, None], True)
        self._step += 1
        return drawn, is_end.tolist()

    def leave(self, is_end: Sequence[bool]) -> list[int]:
        """Finish the rows that have ended and return the order of those that go on."""
        at_limit = self._step > self._options.early_stop or self._step >= self._options.max_steps
        is_done = [ended or at_limit for ended in is_end]
        for row in (row for row, done in enumerate(is_done) if done):
            self._finish(row, is_end[row])
        order = close_gaps(is_done)
        if len(order) < len(is_done):
            self._rows = [self._rows[row] for row in order]
            self._generators = [self._generators[row] for row in order]
            self._seen, self._tokens = self._seen[order], self._tokens[order]
        return order

    def _finish(self, row: int, is_end: bool) -> None:
        item = self._items[self._rows[row]]
        new = self._tokens[row, : self._step - 1 if is_end else self._step].clone()
        if item.prompt is None:
            sequence, index = new, 0
        else:
            sequence = torch.cat([item.prompt[0].to(new), new])
            index = self._step - 1
        # A slice from -0 is everything: without a prompt nothing is lost.
        self._done[self._rows[row]] = Generation(
            sequence[-index:], "eos" if is_end else "limit", sequence, index
        )

    def results(self) -> list[Generation]:
        """Return what was drawn, in the order of the items."""
        return [self._done[index] for index in range(len(self._items))]
