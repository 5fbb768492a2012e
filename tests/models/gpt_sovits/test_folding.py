"""Weight norm folded by hand and against PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.gpt_sovits.folding import SPELLINGS, add_to_bias, fold_weight_norm
from models.gpt_sovits.s2_weights import file_name, network_weights


def test_by_hand() -> None:
    g = torch.tensor([10.0, 2.0]).view(2, 1, 1)
    v = torch.tensor([[[3.0], [4.0]], [[0.0], [-0.5]]])
    folded = fold_weight_norm({"a.weight_g": g, "a.weight_v": v, "a.bias": torch.zeros(2)})
    assert folded.keys() == {"a.weight", "a.bias"}
    assert folded["a.weight"].flatten().tolist() == [6.0, 8.0, 0.0, -2.0]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_agrees_with_pytorch_in_both_spellings(spelling: tuple[str, str]) -> None:
    g, v = torch.rand(3, 1, 1), torch.randn(3, 5, 8)
    folded = fold_weight_norm({f"up.{spelling[0]}": g, f"up.{spelling[1]}": v, "up.bias": torch.zeros(5)})
    assert folded.keys() == {"up.weight", "up.bias"}
    torch.testing.assert_close(folded["up.weight"], torch._weight_norm(v, g, 0))


def test_leaves_half_a_pair_and_a_pair_that_does_not_fit() -> None:
    half = {"a.weight_v": torch.ones(2, 1, 1)}
    assert fold_weight_norm(half).keys() == half.keys()
    misfit = half | {"a.weight_g": torch.ones(3, 1, 1)}
    assert fold_weight_norm(misfit).keys() == misfit.keys()


def test_adds_a_constant_to_a_bias() -> None:
    layer = nn.Conv1d(2, 3, 1)
    before, term = layer.bias.detach().clone(), torch.tensor([1.0, 2.0, 3.0])
    with torch.no_grad():
        add_to_bias(layer, term.view(1, 3, 1))
    torch.testing.assert_close(layer.bias.detach(), before + term)


def test_names_there_and_back_and_training_left_out() -> None:
    book = "quantizer.vq.layers.0._codebook"
    names = ["ref_enc.fc.fc.bias", "ref_enc.spectral.3.fc.bias", f"{book}.embed", "enc_p.proj.bias"]
    names += ["ref_enc.temporal.1.conv1.conv.bias", "ref_enc.slf_attn.fc.bias"]
    left_out = ["enc_q.pre.bias", f"{book}.embed_avg", f"{book}.inited", f"{book}.cluster_size"]
    ours = network_weights({name: torch.zeros(1) for name in names + left_out})
    assert [file_name(name) for name in ours] == names
    assert "quantizer.codebook" in ours and "ref_enc.spectral.2.bias" in ours
