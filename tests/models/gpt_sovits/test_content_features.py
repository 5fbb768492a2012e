"""HuBERT from a folder, against the library's own network in memory."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from models.gpt_sovits.content_features import ContentEncoder
from models.gpt_sovits.pretrained import PretrainedFolderError

DIM = 24


@pytest.fixture(scope="module")
def hubert() -> Any:
    """A HuBERT of the base layout (group norm in the first convolution), but narrow."""
    from transformers import HubertConfig, HubertModel

    torch.manual_seed(2)
    config = HubertConfig(
        hidden_size=DIM,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(16,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )
    return HubertModel(config).eval()


@pytest.fixture(scope="module")
def folder(hubert: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network as GPT-SoVITS ships it: a pickle that spells weight norm the old way."""
    folder = tmp_path_factory.mktemp("pretrained") / "chinese-hubert-base"
    folder.mkdir()
    hubert.config.save_pretrained(folder)
    torch.save(old_names(hubert), folder / "pytorch_model.bin")
    return folder


def old_names(hubert: Any) -> dict[str, torch.Tensor]:
    parts = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    weights = {}
    for name, tensor in hubert.state_dict().items():
        for new, old in parts.items():
            name = name.replace(new, old)
        weights[name] = tensor
    assert "encoder.pos_conv_embed.conv.weight_g" in weights
    return weights


def sound(n_samples: int) -> torch.Tensor:
    return 0.1 * torch.randn(1, n_samples, generator=torch.Generator().manual_seed(4))


def by_library(hubert: Any, waveform: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return hubert(waveform).last_hidden_state.transpose(1, 2)


def test_gives_what_the_library_gives(hubert: Any, folder: Path) -> None:
    waveform = sound(16000) + 0.2  # neither mean nor level is normalized
    features = ContentEncoder.load(folder)(waveform)
    torch.testing.assert_close(features, by_library(hubert, waveform), atol=1e-5, rtol=1e-5)
    assert features.shape == (1, DIM, 49)


def test_a_frame_is_20_ms(folder: Path) -> None:
    encoder = ContentEncoder.load(folder)
    # The first frame sees 400 samples, each further one 320 more.
    assert [encoder(sound(n)).shape[2] for n in (400, 719, 720, 32000)] == [1, 1, 2, 1 + (32000 - 400) // 320]


def test_a_reference_clip_gets_its_silence(hubert: Any, folder: Path) -> None:
    waveform = sound(48000)
    features = ContentEncoder.load(folder).reference(waveform)
    padded = torch.cat([waveform, torch.zeros(1, 9600)], dim=1)
    torch.testing.assert_close(features, by_library(hubert, padded), atol=1e-5, rtol=1e-5)


def test_a_reference_clip_of_another_length_is_refused(folder: Path) -> None:
    encoder = ContentEncoder.load(folder)
    for n_samples, seconds in ((47999, "3.00"), (160001, "10.00"), (32000, "2.00")):
        with pytest.raises(ValueError, match=rf"lasts {seconds} s; cut it to between 3 and 10 s"):
            encoder.reference(sound(n_samples))


def test_half_precision_on_disk_is_single_in_memory(hubert: Any, folder: Path, tmp_path: Path) -> None:
    half = shutil.copytree(folder, tmp_path / "half")
    torch.save({name: t.half() for name, t in old_names(hubert).items()}, half / "pytorch_model.bin")
    waveform = sound(16000)
    features = ContentEncoder.load(half)(waveform)
    assert features.dtype == torch.float32
    torch.testing.assert_close(features, by_library(hubert, waveform), atol=0.05, rtol=0)


# --- Folders that do not hold it ----------------------------------------------------------------------------


def refused(folder: Path, match: str) -> None:
    with pytest.raises(PretrainedFolderError, match=match) as error:
        ContentEncoder.load(folder)
    assert str(folder) in str(error.value)
    assert "chinese-hubert-base" in str(error.value)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    refused(tmp_path / "none", "is not there; copy the folder chinese-hubert-base")


def test_files_that_are_not_there(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "pytorch_model.bin").unlink()
    refused(copy, r"has no model\.safetensors or pytorch_model\.bin")
    (copy / "config.json").unlink()
    refused(copy, r"has no config\.json, no model\.safetensors")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.safetensors"])
def test_half_a_download(folder: Path, tmp_path: Path, name: str) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "pytorch_model.bin").unlink()
    (copy / name).write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    refused(copy, "as after half a download")


def test_a_tensor_that_is_missing_is_not_made_up(hubert: Any, folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    weights = old_names(hubert)
    del weights["encoder.layers.1.attention.q_proj.weight"]
    torch.save(weights, copy / "pytorch_model.bin")
    refused(copy, r"1 tensors are missing, encoder\.layers\.1\.attention\.q_proj\.weight first")


def test_a_broken_configuration(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "config.json").write_text("{", "utf-8")
    refused(copy, r"not a valid JSON file")
