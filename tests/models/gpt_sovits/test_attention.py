"""Attention with relative positions, position by position in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.gpt_sovits.attention import ChannelNorm, Encoder, FeedForward, MultiHeadAttention

Array = NDArray[np.float64]


def filled(module: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
    return module.double().eval().requires_grad_(False)


def project(layer: torch.nn.Conv1d, x: Array) -> Array:
    assert layer.bias is not None
    return layer.weight[:, :, 0].numpy() @ x + layer.bias.numpy()[:, None]


def slow_attention(module: MultiHeadAttention, x: Array, context: Array) -> tuple[Array, Array]:
    """Every score and every sum written out; x is (C, T)."""
    q, k, v = project(module.conv_q, x), project(module.conv_k, context), project(module.conv_v, context)
    n, m, head = x.shape[1], context.shape[1], module.head
    out, all_weights = np.zeros_like(x), np.zeros((module.n_heads, n, m))
    for h in range(module.n_heads):
        rows = slice(h * head, (h + 1) * head)
        for i in range(n):
            query = q[rows, i] / np.sqrt(head)
            scores = np.array([query @ (k[rows, j] + relative(module, "emb_rel_k", j - i)) for j in range(m)])
            weights = np.exp(scores - scores.max())
            weights /= weights.sum()
            all_weights[h, i] = weights
            values = [v[rows, j] + relative(module, "emb_rel_v", j - i) for j in range(m)]
            out[rows, i] = sum(weight * value for weight, value in zip(weights, values, strict=True))
    return project(module.conv_o, out), all_weights


def relative(module: MultiHeadAttention, table: str, distance: int) -> Array | float:
    if not module.window or abs(distance) > module.window:
        return 0.0
    return getattr(module, table)[0, distance + module.window].numpy()


@pytest.mark.parametrize("n", [1, 3, 5, 14])  # shorter than the window of 4 on either side, and longer
def test_within_a_sequence(n: int) -> None:
    module = filled(MultiHeadAttention(6, 2, window=4))
    x = np.random.default_rng(n).standard_normal((6, n))
    out, weights = module(torch.from_numpy(x)[None], torch.from_numpy(x)[None])
    expected, expected_weights = slow_attention(module, x, x)
    np.testing.assert_allclose(out[0].numpy(), expected, atol=1e-12)
    np.testing.assert_allclose(weights[0].numpy(), expected_weights, atol=1e-12)


def test_between_two_sequences() -> None:
    module = filled(MultiHeadAttention(8, 4))
    rng = np.random.default_rng(1)
    x, context = rng.standard_normal((8, 5)), rng.standard_normal((8, 7))
    out, weights = module(torch.from_numpy(x)[None], torch.from_numpy(context)[None])
    assert out.shape == (1, 8, 5) and weights.shape == (1, 4, 5, 7)
    np.testing.assert_allclose(out[0].numpy(), slow_attention(module, x, context)[0], atol=1e-12)


def test_norm_is_over_channels() -> None:
    norm = filled(ChannelNorm(3))
    x = torch.tensor([[[1.0, 5.0], [2.0, 5.5], [6.0, 7.5]]], dtype=torch.float64)
    column = x[0, :, 1].numpy()
    expected = (column - column.mean()) / np.sqrt(
        column.var() + 1e-5
    ) * norm.gamma.numpy() + norm.beta.numpy()
    np.testing.assert_allclose(norm(x)[0, :, 1].numpy(), expected, atol=1e-12)


def test_feed_forward_sees_one_step_to_either_side() -> None:
    layer = filled(FeedForward(2, 5, 3))
    x = np.random.default_rng(2).standard_normal((2, 6))
    inner = np.maximum(convolve(layer.conv_1, x), 0.0)
    found = layer(torch.from_numpy(x)[None])[0].numpy()
    np.testing.assert_allclose(found, convolve(layer.conv_2, inner), atol=1e-12)


def convolve(layer: torch.nn.Conv1d, x: Array) -> Array:
    assert layer.bias is not None
    weight, padded = layer.weight.numpy(), np.pad(x, ((0, 0), (1, 1)))
    columns = [np.einsum("oik,ik->o", weight, padded[:, t : t + 3]) for t in range(x.shape[1])]
    return np.stack(columns, axis=1) + layer.bias.numpy()[:, None]


def test_encoder_puts_the_norm_after_the_residual() -> None:
    encoder = filled(Encoder(4, 6, n_layers=1, head=2, window=4, kernel=3))
    x = torch.randn(2, 4, 9, dtype=torch.float64)
    middle = encoder.norm_layers_1[0](x + encoder.attn_layers[0](x, x)[0])
    expected = encoder.norm_layers_2[0](middle + encoder.ffn_layers[0](middle))
    torch.testing.assert_close(encoder(x), expected)
    torch.testing.assert_close(encoder(x[1:]), expected[1:])
