"""Nearest entries of a codebook."""

from __future__ import annotations

import pytest
import torch

from models.gpt_sovits.quantizer import Quantizer


def quantizer(n_codes: int = 50, width: int = 6) -> Quantizer:
    module = Quantizer(n_codes, width)
    module.codebook = torch.randn(n_codes, width, generator=torch.Generator().manual_seed(0))
    return module


def test_finds_the_nearest_by_exhaustion() -> None:
    module = quantizer()
    x = torch.randn(2, 6, 30, generator=torch.Generator().manual_seed(1))
    distance = (x.transpose(1, 2)[:, :, None].double() - module.codebook.double()).norm(dim=-1)
    assert torch.equal(module.encode(x), distance.argmin(dim=-1))


def test_entries_are_their_own_tokens() -> None:
    module = quantizer()
    tokens = torch.randperm(50, generator=torch.Generator().manual_seed(2))[None]
    assert torch.equal(module.encode(module.decode(tokens)), tokens)
    assert module.decode(tokens).shape == (1, 6, 50)


@pytest.mark.parametrize("token", [-1, 50])
def test_refuses_tokens_outside(token: int) -> None:
    with pytest.raises(ValueError, match="the codebook has 50 entries from 0: cut the end token off"):
        quantizer().decode(torch.tensor([[3, token]]))
