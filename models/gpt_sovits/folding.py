"""Constants folded into weights: weight norm once it is trained, and the terms of one timbre."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

# Both spellings of weight norm in PyTorch: names of length and direction.
SPELLINGS = (
    ("weight_g", "weight_v"),
    ("parametrizations.weight.original0", "parametrizations.weight.original1"),
)


def fold_weight_norm(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Replace each pair of length g and direction v by the weight g * v / |v|.

    The norm is over all axes but the first, which is the output of a convolution and the input of a
    transposed one. A pair that does not fit or lacks a half stays as it is, for whoever compares names.

    Source: Salimans and Kingma, arXiv:1602.07868, section 2.
    """
    folded = dict(weights)
    for length, direction in SPELLINGS:
        for name in [name for name in folded if name.endswith(f".{direction}")]:
            stem = name.removesuffix(direction)
            if stem + length in folded and len(folded[stem + length]) == len(folded[name]):
                g, v = folded.pop(stem + length), folded.pop(name)
                folded[f"{stem}weight"] = g * v / v.flatten(1).norm(dim=1).view(g.shape)
    return folded


def add_to_bias(layer: nn.Module, term: Tensor) -> None:
    """Add a constant, one value per output channel, to the bias of a convolution, for good."""
    bias = layer.bias
    assert isinstance(bias, Tensor), "only layers with a bias take constants"
    bias.add_(term.flatten())
