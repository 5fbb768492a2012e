"""The first network of the full model (s1): phonemes and a spoken prompt to semantic tokens.

A decoder-only transformer over ``[text | audio]``: text sees all text, audio sees all text and the audio
up to itself. The attributes are called as the tensors of the checkpoint.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .generation import Generation, GenerationItem, generate_batch
from .key_value_cache import KeyValueCache
from .sampling import SamplingOptions

MAX_POSITIONS = 4000


@dataclass(frozen=True)
class Text2SemanticSizes:
    """Sizes of the transformer, all but the heads taken from the tensors."""

    n_phonemes: int
    """Rows of the phoneme table, which may be more than the inventory has."""
    n_tokens: int
    """Semantic tokens, the end token included, which is the last."""
    bert_dim: int
    """Width of the text features."""
    dim: int
    feed_forward_dim: int
    n_layers: int
    n_heads: int

    @classmethod
    def from_weights(cls, weights: Mapping[str, Tensor], config: Mapping[str, Any]) -> Text2SemanticSizes:
        """Read the sizes off the tensors and the number of heads off the configuration."""
        try:
            dim, bert_dim = weights["bert_proj.weight"].shape
            sizes = cls(
                n_phonemes=len(weights["ar_text_embedding.word_embeddings.weight"]),
                n_tokens=len(weights["ar_audio_embedding.word_embeddings.weight"]),
                bert_dim=bert_dim,
                dim=dim,
                feed_forward_dim=len(weights["h.layers.0.linear1.weight"]),
                n_layers=sum(name.endswith(".self_attn.in_proj_weight") for name in weights),
                n_heads=int(config["model"]["head"]),
            )
        except KeyError as error:
            raise ValueError(
                f"the text-to-semantic checkpoint has no {error.args[0]!r}; "
                "give the .ckpt file of a GPT (s1) model"
            ) from error
        if sizes.dim % sizes.n_heads:
            raise ValueError(f"model.head is {sizes.n_heads}, which does not divide the width {sizes.dim}")
        return sizes


class TokenEmbedding(nn.Module):
    """Table of vectors."""

    def __init__(self, n_entries: int, dim: int) -> None:
        super().__init__()
        # Not `nn.Embedding(...)`: drawing its start values, even on the meta device, imports for two seconds.
        self.word_embeddings = nn.Embedding.from_pretrained(torch.empty(n_entries, dim))

    def forward(self, ids: Tensor) -> Tensor:
        """Turn (B, T) into (B, T, D)."""
        return self.word_embeddings(ids)


class SinePosition(nn.Module):
    """Sines (even channels) and cosines (odd) of the position, times a learnt factor."""

    table: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1))
        # On the CPU even when the weights are made as placeholders: nothing is loaded into the table.
        position = torch.arange(MAX_POSITIONS, dtype=torch.float32, device="cpu")[:, None]
        octave = torch.arange(0, dim, 2, dtype=torch.float32, device="cpu")
        angle = position * torch.exp(octave * (-math.log(10000.0) / dim))  # (positions, D / 2)
        table = torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)  # (positions, D)
        self.register_buffer("table", table, persistent=False)

    def forward(self, x: Tensor, first: Tensor | int = 0) -> Tensor:
        """Add the positions to (B, T, D); ``first`` is the position of index 0, (B,) or one for all."""
        if x.shape[1] > MAX_POSITIONS:
            raise ValueError(f"{x.shape[1]} positions in one go; split the line, {MAX_POSITIONS} is the most")
        steps = torch.arange(x.shape[1], device=x.device)
        places = torch.as_tensor(first, device=x.device).reshape(-1, 1) + steps  # (B or 1, T)
        return x + self.alpha * self.table[places]


class SelfAttention(nn.Module):
    """Multi-head attention over the positions in the cache."""

    def __init__(self, dim: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * dim, dim))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * dim))
        self.out_proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor | None, cache: KeyValueCache, layer: int) -> Tensor:
        """Attend from (B, T, D) to what the cache holds and to x itself; ``mask`` is True where allowed."""
        batch, n, dim = x.shape
        projected = functional.linear(x, self.in_proj_weight, self.in_proj_bias)
        heads = projected.view(batch, n, 3, self.n_heads, dim // self.n_heads)
        query, key, value = heads.permute(2, 0, 3, 1, 4)  # each (B, H, T, D / H)
        keys, values = cache.append(layer, key, value)
        attended = functional.scaled_dot_product_attention(query, keys, values, attn_mask=mask)
        return self.out_proj(attended.transpose(1, 2).reshape(batch, n, dim))


class TransformerBlock(nn.Module):
    """Attention and feed-forward, each with its layer norm after the residual."""

    def __init__(self, sizes: Text2SemanticSizes) -> None:
        super().__init__()
        self.self_attn = SelfAttention(sizes.dim, sizes.n_heads)
        self.linear1 = nn.Linear(sizes.dim, sizes.feed_forward_dim)
        self.linear2 = nn.Linear(sizes.feed_forward_dim, sizes.dim)
        self.norm1 = nn.LayerNorm(sizes.dim)
        self.norm2 = nn.LayerNorm(sizes.dim)

    def forward(self, x: Tensor, mask: Tensor | None, cache: KeyValueCache, layer: int) -> Tensor:
        """Transform (B, T, D)."""
        x = self.norm1(x + self.self_attn(x, mask, cache, layer))
        return self.norm2(x + self.linear2(functional.relu(self.linear1(x))))


class Transformer(nn.Module):
    """The stack of blocks; there is no norm behind the last."""

    def __init__(self, sizes: Text2SemanticSizes) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TransformerBlock(sizes) for _ in range(sizes.n_layers))

    def forward(self, x: Tensor, mask: Tensor | None, cache: KeyValueCache) -> Tensor:
        """Transform (B, T, D), the positions that follow those in the cache, and add them to it."""
        cache.reserve(x.shape[1])
        for index, block in enumerate(self.layers):
            x = block(x, mask, cache, index)
        cache.advance(x.shape[1])
        return x


@dataclass
class Context:
    """What the steps of a batch share. Rows end together: what is shorter is padded on the left."""

    cache: KeyValueCache
    """Keys and values so far."""
    starts: Tensor
    """(B,), the first position that is no padding."""
    next_audio: Tensor
    """(B,), audio position of the token that is fed next."""
    is_padded: bool
    """Whether any row starts later than 0."""

    def mask(self) -> Tensor | None:
        """Return (B, 1, 1, K), True for the keys that the next position may see; None when it may see all."""
        if not self.is_padded:
            return None
        columns = torch.arange(self.cache.length + 1, device=self.starts.device)
        return (columns >= self.starts[:, None])[:, None, None]

    def keep(self, order: Sequence[int]) -> None:
        """Go on with fewer rows; see ``KeyValueCache.keep``."""
        self.cache.keep(order)
        index = torch.tensor(order, device=self.starts.device)
        self.starts, self.next_audio = self.starts[index], self.next_audio[index]


class Text2Semantic(nn.Module):
    """Predicts 25 semantic tokens per second, one after the other."""

    def __init__(self, sizes: Text2SemanticSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.bert_proj = nn.Linear(sizes.bert_dim, sizes.dim)
        self.ar_text_embedding = TokenEmbedding(sizes.n_phonemes, sizes.dim)
        self.ar_text_position = SinePosition(sizes.dim)
        self.ar_audio_embedding = TokenEmbedding(sizes.n_tokens, sizes.dim)
        self.ar_audio_position = SinePosition(sizes.dim)
        self.h = Transformer(sizes)
        self.ar_predict_layer = nn.Linear(sizes.dim, sizes.n_tokens, bias=False)

    @classmethod
    def from_weights(cls, weights: Mapping[str, Tensor], config: Mapping[str, Any]) -> Text2Semantic:
        """Build the network around the tensors of a checkpoint, names without the leading ``model.``.

        Raises:
            ValueError: a tensor is missing, left over or of the wrong shape.
        """
        sizes = Text2SemanticSizes.from_weights(weights, config)
        with torch.device("meta"):
            model = cls(sizes)
        try:
            model.load_state_dict(dict(weights), assign=True)
        except RuntimeError as error:
            raise ValueError(f"not the tensors of a text-to-semantic transformer: {error}") from error
        return model.eval().requires_grad_(False)

    @property
    def end_token(self) -> int:
        """The token that ends a line."""
        return self.sizes.n_tokens - 1

    def embed_text(self, phoneme_ids: Tensor, bert: Tensor) -> Tensor:
        """Turn ids (1, P) and features (1, bert_dim, P) into (1, P, D)."""
        x = self.ar_text_embedding(phoneme_ids) + self.bert_proj(bert.transpose(1, 2))
        return self.ar_text_position(x)

    def embed_audio(self, tokens: Tensor, first: Tensor | int = 0) -> Tensor:
        """Turn tokens (B, T) into (B, T, D); ``first`` is the position of the first of them."""
        return self.ar_audio_position(self.ar_audio_embedding(tokens), first)

    def prefill(self, items: Sequence[GenerationItem]) -> tuple[Tensor, Context]:
        """Run text and prompt of every item, padded on the left to the longest.

        Returns:
            Output of the last block (B, S, D), and the context to go on from.
        """
        device = self.bert_proj.weight.device
        rows = [self._embed(item, device) for item in items]
        n = max(len(row) for row in rows)
        x = torch.stack([functional.pad(row, (0, 0, n - len(row), 0)) for row in rows])  # (B, S, D)
        starts = torch.tensor([n - len(row) for row in rows], device=device)
        next_audio = torch.tensor([item.n_prompt for item in items], device=device)
        sizes = self.sizes
        cache = KeyValueCache(sizes.n_layers, len(rows), sizes.n_heads, sizes.dim // sizes.n_heads, x)
        hidden = self.h(x, prefill_mask(starts, n - next_audio, n), cache)
        return hidden, Context(cache, starts, next_audio, bool((starts > 0).any()))

    def _embed(self, item: GenerationItem, device: torch.device) -> Tensor:
        item.check(self.sizes.n_phonemes, self.end_token, self.sizes.bert_dim)
        row = self.embed_text(item.phoneme_ids.to(device), item.bert.to(device, self.bert_proj.weight.dtype))[
            0
        ]
        if item.prompt is None:
            return row
        return torch.cat([row, self.embed_audio(item.prompt.to(device))[0]])  # (P + T, D)

    def step(self, tokens: Tensor, context: Context) -> Tensor:
        """Feed one token (B,) per row and return the logits (B, V) of the next."""
        x = self.embed_audio(tokens[:, None], context.next_audio)  # (B, 1, D)
        context.next_audio = context.next_audio + 1
        return self.logits(self.h(x, context.mask(), context.cache)[:, -1])

    def logits(self, hidden: Tensor) -> Tensor:
        """Turn outputs of the last block (..., D) into (..., V)."""
        return self.ar_predict_layer(hidden)

    def generate(
        self,
        phoneme_ids: Tensor,
        bert: Tensor,
        prompt: Tensor | None = None,
        options: SamplingOptions | None = None,
        generator: torch.Generator | None = None,
    ) -> Generation:
        """Say one line.

        Args:
            phoneme_ids: (1, P), of the prompt's transcript and of the line.
            bert: (1, bert_dim, P), text features of each phoneme, zeros where there are none.
            prompt: (1, T25), semantic tokens of the reference clip; None for none.
            options: how to draw.
            generator: decides every draw; None for torch's own.
        """
        return self.generate_batch([GenerationItem(phoneme_ids, bert, prompt, generator)], options)[0]

    def generate_batch(
        self, items: Sequence[GenerationItem], options: SamplingOptions | None = None
    ) -> list[Generation]:
        """Say several lines at once; each as if it were alone, but for rounding."""
        return generate_batch(self, self.sizes.n_tokens, items, options or SamplingOptions())


def prefill_mask(starts: Tensor, audio_starts: Tensor, n: int) -> Tensor:
    """Return which key (last axis) a query may see, (B, 1, n, n).

    Args:
        starts: (B,), first position that is no padding.
        audio_starts: (B,), first position of the prompt.
        n: positions.
    """
    place = torch.arange(n, device=starts.device)
    query, key = place[:, None], place[None, :]
    audio_start = audio_starts[:, None, None]
    seen = (key < audio_start) | ((query >= audio_start) & (key <= query))  # (B, n, n)
    # Padding sees itself, for a softmax over nothing is not a number; nobody sees padding.
    return ((seen & (key >= starts[:, None, None])) | (query == key))[:, None]
