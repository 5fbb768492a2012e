"""Reference encoder in NumPy, and what it does not read."""

from __future__ import annotations

import numpy as np
import torch

from models.gpt_sovits.reference_encoder import GatedConvolution, ReferenceEncoder, StyleAttention

from .test_attention import Array, filled


def linear(layer: torch.nn.Linear, x: Array) -> Array:
    return x @ layer.weight.numpy().T + layer.bias.numpy()


def test_attention_divides_by_the_root_of_the_whole_width() -> None:
    module = filled(StyleAttention(6))
    x = np.random.default_rng(0).standard_normal((5, 6))
    q, k, v = (linear(layer, x) for layer in (module.w_qs, module.w_ks, module.w_vs))
    heads = []
    for columns in (slice(0, 3), slice(3, 6)):
        weights = np.exp(q[:, columns] @ k[:, columns].T / np.sqrt(6.0))
        heads.append(weights / weights.sum(axis=1, keepdims=True) @ v[:, columns])
    expected = x + linear(module.fc, np.concatenate(heads, axis=1))
    np.testing.assert_allclose(module(torch.from_numpy(x)[None])[0].numpy(), expected, atol=1e-12)


def test_the_second_half_gates_the_first() -> None:
    module = filled(GatedConvolution(1, 1))
    (a, b), (c, d) = module.weight.flatten().tolist(), module.bias.tolist()
    expected = 3.0 + (3.0 * a + c) / (1.0 + np.exp(-(3.0 * b + d)))
    assert abs(float(module(torch.full((1, 1, 1), 3.0, dtype=torch.float64))) - expected) < 1e-12


def test_first_layers_in_numpy_and_mean_at_the_end() -> None:
    module = filled(ReferenceEncoder(n_bins=7, width=4, timbre=5, kernel=5))
    spectrogram = np.random.default_rng(3).standard_normal((1, 10, 8))
    x = spectrogram[0, :7].T
    for layer in (module.spectral[0], module.spectral[2]):
        y = linear(layer, x)
        x = y * np.tanh(np.log1p(np.exp(y)))  # Mish
    x = module.temporal(torch.from_numpy(x.T)[None]).transpose(1, 2)
    expected = linear(module.fc, module.slf_attn(x)[0].numpy()).mean(axis=0)
    found = module(torch.from_numpy(spectrogram))
    assert found.shape == (1, 5, 1)
    np.testing.assert_allclose(found.flatten().numpy(), expected, atol=1e-12)


def test_does_not_read_bins_above_those_it_knows() -> None:
    module = filled(ReferenceEncoder(n_bins=704, width=4, timbre=5, kernel=5))
    spectrogram = torch.rand(1, 1025, 6, dtype=torch.float64)
    louder = spectrogram.clone()
    louder[:, 704:] += 100.0
    assert torch.equal(module(spectrogram), module(louder))
