"""Weights of an s2 file as those of the networks: weight norm folded, names mapped, sizes read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from .folding import fold_weight_norm

# Beginnings of names: in the networks, in the files. Where the file has wrappers around a layer.
RENAMES = (
    ("quantizer.codebook", "quantizer.vq.layers.0._codebook.embed"),
    ("ref_enc.spectral.0.", "ref_enc.spectral.0.fc."),
    ("ref_enc.spectral.2.", "ref_enc.spectral.3.fc."),
    ("ref_enc.temporal.0.", "ref_enc.temporal.0.conv1.conv."),
    ("ref_enc.temporal.1.", "ref_enc.temporal.1.conv1.conv."),
    ("ref_enc.fc.", "ref_enc.fc.fc."),
)

# The posterior encoder and the running statistics of the codebook serve training alone.
TRAINING_ONLY = re.compile(r"enc_q\.|quantizer\.vq\.layers\.0\._codebook\.(embed_avg|cluster_size|inited)$")

DEFAULT_RATES = (10, 8, 2, 2, 2)
DEFAULT_DILATIONS = (1, 3, 5)


def network_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors by the names of the networks, without what serves training alone."""
    kept = {name: tensor for name, tensor in weights.items() if not TRAINING_ONLY.match(name)}
    return {_renamed(name, 1, 0): tensor for name, tensor in fold_weight_norm(kept).items()}


def file_name(name: str) -> str:
    """Return the name in the file of a tensor of the networks."""
    return _renamed(name, 0, 1)


def _renamed(name: str, old: int, new: int) -> str:
    for pair in RENAMES:
        if name.startswith(pair[old]):
            return pair[new] + name.removeprefix(pair[old])
    return name


@dataclass(frozen=True)
class S2Sizes:
    """Sizes of the s2 networks, read from the tensors so that models of any width load."""

    hidden: int
    """Channels of latents and text."""
    filters: int
    """Channels inside the feed-forward parts."""
    n_ssl_layers: int
    n_text_layers: int
    n_joint_layers: int
    """``n_ssl_layers``, ``n_text_layers``, ``n_joint_layers``: blocks of the three encoders."""
    head: int
    """Channels of an attention head."""
    window: int
    """Steps on either side that have a relative position."""
    kernel: int
    """Of the feed-forward convolutions."""
    content: int
    """Channels of content features and of the codebook."""
    n_codes: int
    """Entries of the codebook."""
    n_phonemes: int
    """Rows of the phoneme table."""
    mrte: int
    """Channels of the cross-attention between content and text."""
    timbre: int
    """Length of the timbre vector."""
    n_couplings: int
    """Coupling steps of the flow."""
    n_wavenet_layers: int
    wavenet_kernel: int
    """``n_wavenet_layers``, ``wavenet_kernel``: of each coupling."""
    initial: int
    """Channels at the start of the generator."""
    rates: tuple[int, ...]
    upsample_kernels: tuple[int, ...]
    """``rates``, ``upsample_kernels``: of the generator's transposed convolutions."""
    resblock_kernels: tuple[int, ...]
    dilations: tuple[tuple[int, ...], ...]
    """``resblock_kernels``, ``dilations``: of the generator's residual blocks."""
    reference: int
    """Channels of the reference encoder."""
    n_reference_bins: int
    """Frequency bins that the reference encoder sees, from the lowest."""
    reference_kernel: int
    """Of its convolutions."""
    speaker: int
    """Length of the speaker embedding; 0 where the model takes none."""

    @property
    def is_pro(self) -> bool:
        """Whether a speaker embedding adds to the timbre."""
        return self.speaker > 0


def sizes_of(weights: Mapping[str, Tensor], config: Mapping[str, Any]) -> S2Sizes:
    """Read the sizes from the tensors of the networks; rates and dilations leave no trace there.

    Raises:
        KeyError: a tensor is missing that sizes are read from; its argument is the name in the file.
    """
    shapes = _Shapes(weights)
    model = config.get("model") or {}
    table = shapes["enc_p.encoder_text.attn_layers.0.emb_rel_k"]
    n_stages = shapes.count(r"dec\.ups\.(\d+)\.")
    n_kernels = shapes.count(r"dec\.resblocks\.(\d+)\.") // max(n_stages, 1)
    n_units = shapes.count(r"dec\.resblocks\.0\.convs1\.(\d+)\.")
    dilations = model.get("resblock_dilation_sizes") or [DEFAULT_DILATIONS[:n_units]] * n_kernels
    return S2Sizes(
        hidden=shapes["enc_p.ssl_proj.weight"][0],
        filters=shapes["enc_p.encoder_text.ffn_layers.0.conv_1.weight"][0],
        n_ssl_layers=shapes.count(r"enc_p\.encoder_ssl\.attn_layers\.(\d+)\."),
        n_text_layers=shapes.count(r"enc_p\.encoder_text\.attn_layers\.(\d+)\."),
        n_joint_layers=shapes.count(r"enc_p\.encoder2\.attn_layers\.(\d+)\."),
        head=table[2],
        window=table[1] // 2,
        kernel=shapes["enc_p.encoder_text.ffn_layers.0.conv_1.weight"][2],
        content=shapes["quantizer.codebook"][1],
        n_codes=shapes["quantizer.codebook"][0],
        n_phonemes=shapes["enc_p.text_embedding.weight"][0],
        mrte=shapes["enc_p.mrte.c_pre.weight"][0],
        timbre=shapes["dec.cond.weight"][1],
        n_couplings=shapes.count(r"flow\.flows\.(\d+)\."),
        n_wavenet_layers=shapes.count(r"flow\.flows\.0\.enc\.in_layers\.(\d+)\."),
        wavenet_kernel=shapes["flow.flows.0.enc.in_layers.0.weight"][2],
        initial=shapes["dec.conv_pre.weight"][0],
        rates=tuple(model.get("upsample_rates") or DEFAULT_RATES[:n_stages]),
        upsample_kernels=tuple(shapes[f"dec.ups.{i}.weight"][2] for i in range(n_stages)),
        resblock_kernels=tuple(shapes[f"dec.resblocks.{j}.convs1.0.weight"][2] for j in range(n_kernels)),
        dilations=tuple(tuple(group) for group in dilations),
        reference=shapes["ref_enc.spectral.0.weight"][0],
        n_reference_bins=shapes["ref_enc.spectral.0.weight"][1],
        reference_kernel=shapes["ref_enc.temporal.0.weight"][2],
        speaker=shapes["sv_emb.weight"][1] if "sv_emb.weight" in weights else 0,
    )


class _Shapes:
    """Shapes by name; a missing one is reported by its name in the file."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        self.weights = weights

    def __getitem__(self, name: str) -> tuple[int, ...]:
        if name not in self.weights:
            raise KeyError(file_name(name))
        return tuple(self.weights[name].shape)

    def count(self, pattern: str) -> int:
        """Count the different numbers in that place of the names."""
        found = (re.match(pattern, name) for name in self.weights)
        return len({match[1] for match in found if match})
