"""Every stage of the text-to-semantic transformer against `s1_io.npz`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, partial

import torch
from torch import Tensor

from models.gpt_sovits.generation import Generation, GenerationItem
from models.gpt_sovits.sampling import SamplingOptions, penalize, probabilities
from models.gpt_sovits.text2semantic import Context, Text2Semantic, prefill_mask

from .comparison import Arrays, Compute, Line, compare, number

INPUTS = re.compile(r"(\w+_)?(phones|bert|prompt)|target")
EARLY_STOP = {"eos": 80}
OTHER_EARLY_STOP = 40


def check(model: Text2Semantic, arrays: Arrays) -> Iterator[Line]:
    """Compare all arrays of a file."""
    stages = Stages(model, arrays)
    return compare(arrays, lambda name: INPUTS.fullmatch(name) is not None, stages.find)


class Stages:
    """The stages of the model, each computed from the inputs."""

    def __init__(self, model: Text2Semantic, arrays: Arrays) -> None:
        self.model, self.arrays = model, arrays
        self.runs: dict[str, Generation] = {}

    def find(self, name: str) -> Compute | None:
        """Return what computes an array."""
        if match := re.fullmatch(r"greedy_(eos|noprompt|rp\d+)_(tokens|idx)", name):
            return partial(self.greedy, match[1], match[2])
        if match := re.fullmatch(r"probs_k(\d+)_p(\d+(?:p\d+)?)_t(\d+(?:p\d+)?)_rp(\d+)", name):
            top_k, top_p, temperature = int(match[1]), number(match[2]), number(match[3])
            return partial(self.probs, SamplingOptions(top_k, top_p, temperature, _penalty(match[4])))
        if match := re.fullmatch(r"([kv])_cache_layer(\d+)", name):
            return partial(self.cached, match[1], int(match[2]))
        return getattr(self, name) if name in STAGES else None

    def text_emb(self) -> Tensor:
        return self.model.embed_text(self.arrays["phones"], self.arrays["bert"])

    def audio_emb(self) -> Tensor:
        return self.model.embed_audio(self.audio)

    @property
    def audio(self) -> Tensor:
        """Prompt and target."""
        return torch.cat([self.arrays["prompt"], self.arrays["target"]], dim=1)

    def blocked_mask(self) -> Tensor:
        """Return True where a position may not look."""
        n_text = self.arrays["phones"].shape[1]
        n = n_text + self.audio.shape[1]
        return ~prefill_mask(torch.tensor([0]), torch.tensor([n_text]), n)[0, 0]

    @cached_property
    def teacher_forced(self) -> tuple[Tensor, Context]:
        """Output of the last block and the cache, for text, prompt and target at once."""
        return self.model.prefill([GenerationItem(self.arrays["phones"], self.arrays["bert"], self.audio)])

    def hidden_tf(self) -> Tensor:
        return self.teacher_forced[0]

    def logits_tf(self) -> Tensor:
        first = self.arrays["phones"].shape[1] - 1
        return self.model.logits(self.teacher_forced[0][:, first:])

    def cached(self, kind: str, layer: int) -> Tensor:
        """Return keys ("k") or values of a layer, (1, T, D)."""
        cache, sizes = self.teacher_forced[1].cache, self.model.sizes
        nothing = torch.empty(1, sizes.n_heads, 0, sizes.dim // sizes.n_heads)
        pair = cache.append(layer, nothing, nothing)  # views of all that is there
        return pair["kv".index(kind)].transpose(1, 2).flatten(2)

    def step_logits(self) -> Tensor:
        """Return raw logits of the first steps, fed with the tokens that were drawn then."""
        a = self.arrays
        tokens = a["greedy_rp135_tokens"][a["prompt"].shape[1] :]
        hidden, context = self.model.prefill([GenerationItem(a["phones"], a["bert"], a["prompt"])])
        rows = [self.model.logits(hidden[:, -1])]
        rows += [self.model.step(token[None], context) for token in tokens[: len(a["step_logits"]) - 1]]
        return torch.cat(rows)

    def probs(self, options: SamplingOptions) -> Tensor:
        """Return the distribution of step 0, the end among the tokens."""
        a = self.arrays
        hidden, _ = self.model.prefill([GenerationItem(a["phones"], a["bert"], a["prompt"])])
        logits = self.model.logits(hidden[:, -1])
        seen = torch.zeros_like(logits, dtype=torch.bool)
        seen[0, a["prompt"][0]] = True
        return probabilities(penalize(logits, seen, options.repetition_penalty), options)

    def greedy(self, tag: str, what: str) -> Tensor:
        """Return prompt and tokens of a greedy run, or how many of them the original counts as new."""
        if tag not in self.runs:
            prefix = "eos_" if tag == "eos" else ""
            prompt = None if tag == "noprompt" else self.arrays[f"{prefix}prompt"]
            penalty = _penalty(tag.removeprefix("rp")) if tag.startswith("rp") else 1.35
            early_stop = EARLY_STOP.get(tag, OTHER_EARLY_STOP)
            options = SamplingOptions(top_k=1, repetition_penalty=penalty, early_stop=early_stop)
            phones, bert = self.arrays[f"{prefix}phones"], self.arrays[f"{prefix}bert"]
            self.runs[tag] = self.model.generate(phones, bert, prompt, options)
        run = self.runs[tag]
        return run.sequence if what == "tokens" else torch.tensor(run.index)


STAGES = {"text_emb", "audio_emb", "blocked_mask", "hidden_tf", "logits_tf", "step_logits"}


def _penalty(digits: str) -> float:
    """Read 135 as 1.35."""
    return float(f"{digits[0]}.{digits[1:] or 0}")
