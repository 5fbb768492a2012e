"""Semantic tokens and phonemes to the prior of the latents."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from .attention import Encoder, MultiHeadAttention
from .folding import add_to_bias
from .s2_weights import S2Sizes

MRTE_HEADS = 4  # fixed in the original, and no tensor tells


class Prior(NamedTuple):
    """Distribution of the latents before the flow, and where each frame looked in the text."""

    mean: Tensor
    log_scale: Tensor
    """``mean``, ``log_scale``: (B, C, T50) mean and log standard deviation."""
    alignment: Tensor
    """(B, 4, T50, P), each row sums to 1; at speed 1 whatever the speed asked for."""


class TextReferenceFusion(nn.Module):
    """Content frames look at the phonemes and take on the timbre (MRTE)."""

    def __init__(self, hidden: int, width: int) -> None:
        super().__init__()
        self.cross_attention = MultiHeadAttention(width, MRTE_HEADS)
        self.c_pre = nn.Conv1d(hidden, width, 1)
        self.text_pre = nn.Conv1d(hidden, width, 1)
        self.c_post = nn.Conv1d(width, hidden, 1)

    def forward(self, content: Tensor, text: Tensor, timbre: Tensor | None) -> tuple[Tensor, Tensor]:
        """Fuse content (B, C, T50), text (B, C, P) and timbre (B, mrte, 1), which may be folded in.

        Returns:
            (B, C, T50) and the attention weights (B, 4, T50, P).
        """
        content = self.c_pre(content)  # (B, mrte, T50)
        found, weights = self.cross_attention(content, self.text_pre(text))
        fused = found + content
        return self.c_post(fused if timbre is None else fused + timbre), weights

    def fold(self, timbre: Tensor) -> None:
        """Move timbre (1, mrte, 1) into the bias of the attention's output, for good."""
        add_to_bias(self.cross_attention.conv_o, timbre)


class TextEncoder(nn.Module):
    """Encoders of content and text, their fusion, and the prior."""

    def __init__(self, sizes: S2Sizes) -> None:
        super().__init__()
        self.ssl_proj = nn.Conv1d(sizes.content, sizes.hidden, 1)
        self.encoder_ssl = _encoder(sizes, sizes.n_ssl_layers)
        self.encoder_text = _encoder(sizes, sizes.n_text_layers)
        # Not `nn.Embedding(...)`: drawing its start values, even on the meta device, imports for two seconds.
        self.text_embedding = nn.Embedding.from_pretrained(torch.empty(sizes.n_phonemes, sizes.hidden))
        self.mrte = TextReferenceFusion(sizes.hidden, sizes.mrte)
        self.encoder2 = _encoder(sizes, sizes.n_joint_layers)
        self.proj = nn.Conv1d(sizes.hidden, 2 * sizes.hidden, 1)

    def forward(
        self, content: Tensor, phoneme_ids: Tensor, timbre: Tensor | None, speed: float = 1.0
    ) -> Prior:
        """Return the prior.

        Args:
            content: (B, content, T50) codebook rows at 50 Hz.
            phoneme_ids: (B, P).
            timbre: (B, mrte, 1), or None when it is folded in.
            speed: above 1 is faster; the frames are stretched between encoder and prior.
        """
        content = self.encoder_ssl(self.ssl_proj(content))  # (B, C, T50)
        text = self.encode_text(phoneme_ids)
        fused, alignment = self.mrte(content, text, timbre)
        frames = self.encoder2(fused)
        if speed != 1.0:
            n_frames = int(frames.shape[-1] / speed) + 1
            frames = nn.functional.interpolate(frames, size=n_frames, mode="linear")
        mean, log_scale = self.proj(frames).chunk(2, dim=1)
        return Prior(mean, log_scale, alignment)

    def encode_text(self, phoneme_ids: Tensor) -> Tensor:
        """Encode phonemes (B, P) to (B, C, P)."""
        return self.encoder_text(self.text_embedding(phoneme_ids).transpose(1, 2))


def _encoder(sizes: S2Sizes, n_layers: int) -> Encoder:
    return Encoder(sizes.hidden, sizes.filters, n_layers, sizes.head, sizes.window, sizes.kernel)
