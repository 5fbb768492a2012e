"""The flow: there and back, by hand, and with the timbre folded."""

from __future__ import annotations

import copy

import numpy as np
import torch

from models.gpt_sovits.flow import Coupling, Flow, WaveNet

from .test_attention import filled


def test_wavenet_of_one_channel_by_hand() -> None:
    module = filled(WaveNet(width=1, n_layers=2, kernel=1, timbre=1))
    x, ge, skip = 0.7, -1.3, 0.0
    (first, second), (last_in, last) = module.in_layers, module.res_skip_layers
    condition = (module.cond_layer.weight.flatten() * ge + module.cond_layer.bias).numpy().reshape(2, 2)
    for i, (layer, out) in enumerate(((first, last_in), (second, last))):
        content, gate = layer.weight.flatten().numpy() * x + layer.bias.numpy() + condition[i]
        y = out.weight.flatten().numpy() * (np.tanh(content) / (1.0 + np.exp(-gate))) + out.bias.numpy()
        if i == 0:
            x += y[0]
        skip += y[-1]
    found = module(
        torch.full((1, 1, 1), 0.7, dtype=torch.float64), torch.full((1, 1, 1), ge, dtype=torch.float64)
    )
    assert abs(float(found) - skip) < 1e-12


def test_coupling_moves_the_second_half_only() -> None:
    module = filled(Coupling(4, n_layers=2, kernel=5, timbre=3))
    x, ge = torch.randn(1, 4, 7, dtype=torch.float64), torch.randn(1, 3, 1, dtype=torch.float64)
    shift = module.post(module.enc(module.pre(x[:, :2]), ge))
    torch.testing.assert_close(module(x, ge, 1), torch.cat([x[:, :2], x[:, 2:] + shift], dim=1))
    torch.testing.assert_close(module(module(x, ge, 1), ge, -1), x)


def flow() -> Flow:
    module = filled(Flow(channels=6, n_couplings=4, n_layers=3, kernel=5, timbre=3))
    assert isinstance(module, Flow)
    return module


def test_reverse_undoes_forward() -> None:
    module = flow()
    z, ge = torch.randn(2, 6, 9, dtype=torch.float64), torch.randn(1, 3, 1, dtype=torch.float64)
    moved = module(z, ge)
    assert float((moved - z).abs().max()) > 0.1
    torch.testing.assert_close(module.reverse(moved, ge), z)


def test_forward_couples_first_and_turns_after() -> None:
    module = flow()
    z, ge = torch.randn(1, 6, 5, dtype=torch.float64), torch.randn(1, 3, 1, dtype=torch.float64)
    expected = z
    for number in ("0", "2", "4", "6"):
        expected = module.flows[number](expected, ge, 1)[:, [5, 4, 3, 2, 1, 0]]
    torch.testing.assert_close(module(z, ge), expected)


def test_folded_timbre() -> None:
    module = flow()
    z, ge = torch.randn(1, 6, 9, dtype=torch.float64), torch.randn(1, 3, 1, dtype=torch.float64)
    folded = copy.deepcopy(module)
    folded.fold(ge)
    torch.testing.assert_close(folded.reverse(z, None), module.reverse(z, ge))
    assert not any("cond_layer" in name for name in folded.state_dict())
