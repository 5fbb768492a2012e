"""The generator against transposed convolutions and residual blocks written out."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from models.gpt_sovits.generator import Generator, ResidualBlock
from models.gpt_sovits.s2_weights import S2Sizes, network_weights, sizes_of
from tests.data.make_gpt_sovits import SMALL, random_weights, s2_config, s2_shapes, s2_size_for

from .test_attention import Array, filled


def sizes(version: str) -> S2Sizes:
    size = s2_size_for(version, SMALL)
    return sizes_of(network_weights(random_weights(s2_shapes(version, size))), s2_config(version, size))


def generator(version: str) -> Generator:
    module = Generator(sizes(version))
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return module.double().eval().requires_grad_(False)


@pytest.mark.parametrize("version", ["v2", "v2ProPlus"])
def test_each_stage_multiplies_the_length_by_its_rate(version: str) -> None:
    module, z = generator(version), torch.randn(1, 16, 3, dtype=torch.float64)
    lengths = []
    x = module.conv_pre(z)
    for up in module.ups:
        x = up(x)
        lengths.append(x.shape[-1])
    assert lengths == [30, 240, 480, 960, 1920]
    assert module.ups[0].kernel_size == ((20,) if version == "v2ProPlus" else (16,))


def test_transposed_convolution_adds_scaled_kernels() -> None:
    up = generator("v2").ups[1]  # kernel 16, rate 8, padding 4
    x = np.random.default_rng(0).standard_normal((up.in_channels, 5))
    out = np.zeros((up.out_channels, 4 * 8 + 16))
    for t in range(5):
        out[:, 8 * t : 8 * t + 16] += np.einsum("i,iok->ok", x[:, t], up.weight.numpy())
    expected = out[:, 4:-4] + up.bias.numpy()[:, None]
    np.testing.assert_allclose(up(torch.from_numpy(x)[None])[0].numpy(), expected, atol=1e-12)


def leaky(x: Array, slope: float) -> Array:
    return np.where(x > 0, x, slope * x)


def dilated(layer: torch.nn.Conv1d, x: Array, dilation: int) -> Array:
    weight = layer.weight.numpy()
    reach = (weight.shape[2] - 1) * dilation // 2
    padded = np.pad(x, ((0, 0), (reach, reach)))
    taps = [weight[:, :, k] @ padded[:, k * dilation :][:, : x.shape[1]] for k in range(weight.shape[2])]
    return sum(taps) + layer.bias.numpy()[:, None]


def test_residual_block_in_numpy() -> None:
    module = filled(ResidualBlock(2, kernel=7, dilations=(1, 3, 5)))
    x = np.random.default_rng(1).standard_normal((2, 40))
    expected = x
    for first, second, dilation in zip(module.convs1, module.convs2, (1, 3, 5), strict=True):
        y = dilated(first, leaky(expected, 0.1), dilation)
        expected = expected + dilated(second, leaky(y, 0.1), 1)
    np.testing.assert_allclose(module(torch.from_numpy(x)[None])[0].numpy(), expected, atol=1e-10)


def test_the_stages_in_order() -> None:
    module = generator("v2")
    z, ge = torch.randn(1, 16, 2, dtype=torch.float64), torch.randn(1, 32, 1, dtype=torch.float64)
    x = module.conv_pre(z) + module.cond(ge)
    for stage in range(5):
        x = module.ups[stage](torch.nn.functional.leaky_relu(x, 0.1))
        x = torch.stack([module.resblocks[3 * stage + j](x) for j in range(3)]).mean(dim=0)
    expected = torch.tanh(module.conv_post(torch.nn.functional.leaky_relu(x, 0.01)))
    torch.testing.assert_close(module(z, ge), expected)
    folded = copy.deepcopy(module)
    folded.fold(ge)
    torch.testing.assert_close(folded(z, None), expected)
    assert not any("cond" in name for name in folded.state_dict())
