"""Versions told from tensors, for full and for shrunken models."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.gpt_sovits.archive import CheckpointError
from models.gpt_sovits.identify import s2_version
from tests.data.make_gpt_sovits import S2_VERSIONS, SMALL, S2Size, full_size, s2_shapes


def empty(version: str, size: S2Size) -> dict[str, Tensor]:
    return {name: torch.empty(shape, device="meta") for name, shape in s2_shapes(version, size).items()}


@pytest.mark.parametrize("version", S2_VERSIONS)
def test_tells_full_and_shrunken_models(version: str) -> None:
    for size in (full_size(version), SMALL):
        assert s2_version(empty(version, size), {}, None) == version


@pytest.mark.parametrize("version", S2_VERSIONS)
def test_believes_neither_configuration_nor_tag(version: str) -> None:
    for said in (*S2_VERSIONS, "v3", None):
        for tag in ("00", "01", "05", "06", "99"):
            assert s2_version(empty(version, SMALL), {"model": {"version": said}}, tag) == version


def test_asks_the_width_the_tag_and_the_configuration_when_the_kernel_does_not_tell() -> None:
    weights = empty("v2Pro", full_size("v2ProPlus"))
    weights["dec.ups.0.weight_v"] = torch.empty(768, 384, 18, device="meta")
    assert s2_version(weights, {}, None) == "v2ProPlus"
    weights["dec.conv_pre.weight"] = torch.empty(64, 192, 7, device="meta")
    assert s2_version(weights, {}, "05") == "v2Pro"
    assert s2_version(weights, {"model": {"version": "v2ProPlus"}}, None) == "v2ProPlus"
    with pytest.raises(CheckpointError, match="starts with kernel 18 and 64 channels"):
        s2_version(weights, {"model": {"version": "v2"}}, None)


def test_refuses_a_phoneme_table_of_no_version() -> None:
    weights = empty("v2", SMALL)
    weights["enc_p.text_embedding.weight"] = torch.empty(500, 16, device="meta")
    with pytest.raises(CheckpointError, match="500 phonemes that reads 704 bins"):
        s2_version(weights, {}, None)
