"""Checkpoints of every version in every shape they come in, and what is said about all other files."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from models.gpt_sovits.checkpoint import (
    CheckpointError,
    load_synthesizer,
    load_text2semantic,
    read_s1,
    read_s2,
    read_speaker_verification,
)
from tests.data.make_gpt_sovits import (
    TAGS,
    S2Size,
    random_weights,
    s1_config,
    s1_shapes,
    s2_config,
    s2_shapes,
    s2_size_for,
    save,
    write_s1,
    write_s2,
)

TINY = S2Size(
    hidden=8, filters=8, content=8, mrte=8, timbre=8, initial=32, reference=8, codebook=16, speaker=40
)
GOLDEN = Path(__file__).parents[2] / "data" / "gpt_sovits_v2"


# Version, half precision, pickled class, enc_q, tag: each value of each meets each value of every other.
FORMS = [
    ("v1", True, True, False, True),
    ("v1", False, False, True, False),
    ("v2", True, False, True, False),
    ("v2", False, True, False, True),
    ("v2Pro", True, False, False, True),
    ("v2Pro", False, True, True, False),
    ("v2ProPlus", True, True, True, True),
    ("v2ProPlus", False, False, False, False),
]


@pytest.mark.parametrize(("version", "half", "hparams", "enc_q", "is_tagged"), FORMS)
def test_reads_every_form_of_s2(
    tmp_path: Path, version: str, half: bool, hparams: bool, enc_q: bool, is_tagged: bool
) -> None:
    tag = TAGS[version] if is_tagged else None
    path = tmp_path / "voice.pth"
    write_s2(path, version, size=TINY, half=half, tag=tag, hparams=hparams, enc_q=enc_q, seed=3)
    checkpoint = read_s2(path)
    size = s2_size_for(version, TINY)
    written = random_weights(s2_shapes(version, size, enc_q), seed=3)
    assert (checkpoint.version, checkpoint.tag, checkpoint.info) == (version, tag, "8epoch_208iteration")
    assert checkpoint.config == s2_config(version, size)
    assert checkpoint.weights.keys() == written.keys()
    for name, tensor in checkpoint.weights.items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, written[name].half().float() if half else written[name]), name


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(("half", "tag"), [(True, None), (False, None), (True, "01")])
def test_reads_every_form_of_s1(tmp_path: Path, version: str, half: bool, tag: str | None) -> None:
    path = write_s1(tmp_path / "voice.ckpt", version, half=half, tag=tag, seed=4)
    checkpoint = read_s1(path)
    written = random_weights(s1_shapes(version), seed=4)
    assert checkpoint.info == "GPT-e15" and checkpoint.config == s1_config(version)
    assert {f"model.{name}" for name in checkpoint.weights} == written.keys()
    for name, tensor in checkpoint.weights.items():
        expected = written[f"model.{name}"]
        assert torch.equal(tensor, expected.half().float() if half else expected), name
    assert load_text2semantic(path).sizes.n_phonemes == (512 if version == "v1" else 732)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
@pytest.mark.parametrize("zip_format", [True, False])
def test_reads_other_precisions_and_the_old_format(
    tmp_path: Path, dtype: torch.dtype, zip_format: bool
) -> None:
    weights = {name: tensor.to(dtype) for name, tensor in random_weights(s1_shapes()).items()}
    path = tmp_path / "voice.ckpt"
    save(path, {"weight": weights, "config": s1_config(), "info": ""}, zip_format=zip_format)
    name = "model.bert_proj.weight"
    assert torch.equal(read_s1(path).weights["bert_proj.weight"], weights[name].float())


def test_reads_files_of_the_original() -> None:
    assert read_s1(GOLDEN / "s1.ckpt").info == "GPT-e1"
    checkpoint = read_s2(GOLDEN / "s2.pth")
    assert checkpoint.version == "v2" and checkpoint.config["model"]["upsample_rates"] == [10, 8, 2, 2, 2]
    with pytest.raises(CheckpointError, match=r"stub_head05_dict\.pth: not the tensors of a complete model"):
        read_s2(GOLDEN / "stub_head05_dict.pth")


def test_loads_without_any_configuration(tmp_path: Path) -> None:
    content = {"weight": random_weights(s2_shapes("v2", s2_size_for("v2", TINY)))}
    model = load_synthesizer(save(tmp_path / "voice.pth", content))
    assert model.version == "v2" and not model.training


def test_a_wrong_tag_is_told_and_the_tensors_count(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_s2(tmp_path / "voice.pth", "v2Pro", size=TINY, tag="06")
    with caplog.at_level(logging.WARNING):
        assert read_s2(path).version == "v2Pro"
    assert "'06' means v2ProPlus, but the tensors are those of v2Pro" in caplog.text


def s2_content(version: str = "v2", **changes: Any) -> dict[str, Any]:
    size = s2_size_for(version, TINY)
    weights = random_weights(s2_shapes(version, size))
    return {"weight": weights, "config": s2_config(version, size), "info": ""} | changes


def refused(path: Path, content: Any, read: Callable[[Path], Any] = read_s2, tag: str | None = None) -> str:
    """Return what is said about a file, without the path in front."""
    save(path, content, tag=tag)
    with pytest.raises(CheckpointError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: ")
    return str(error.value).removeprefix(f"{path}: ")


WITHOUT = "not the tensors of a complete model"


def test_names_what_is_missing_unexpected_or_of_another_shape(tmp_path: Path) -> None:
    path, content = tmp_path / "voice.pth", s2_content()
    weights = content["weight"]
    gone = weights.pop("flow.flows.2.enc.in_layers.1.weight_v")
    said = refused(path, content)
    assert f"{WITHOUT} (missing: flow.flows.2.enc.in_layers.1.weight; unexpected: flow.flows.2" in said
    weights["flow.flows.2.enc.in_layers.1.weight_v"] = gone
    weights["dec.strange"] = torch.zeros(2)
    assert f"{WITHOUT} (unexpected: dec.strange)" in refused(path, content)
    del weights["dec.strange"]
    weights["ref_enc.fc.fc.weight"] = torch.zeros(9, 8)
    assert f"{WITHOUT} (of another shape: ref_enc.fc.fc.weight is [9, 8], not [8, 8])" in refused(
        path, content
    )
    del weights["ref_enc.fc.fc.weight"], weights["quantizer.vq.layers.0._codebook.embed"]
    assert "missing: quantizer.vq.layers.0._codebook.embed" in refused(path, content)


def test_names_what_an_s1_lacks(tmp_path: Path) -> None:
    path = tmp_path / "voice.ckpt"
    content = {"weight": random_weights(s1_shapes()), "config": s1_config(), "info": ""}
    gone = content["weight"].pop("model.h.layers.1.norm2.bias")
    assert f"{WITHOUT} (missing: model.h.layers.1.norm2.bias)" in refused(path, content, read_s1)
    content["weight"]["model.h.layers.1.norm2.bias"] = gone
    assert "has no 'model'" in refused(path, content | {"config": {}}, read_s1)


@pytest.mark.parametrize("prefix", ["", "weight"])
def test_sends_v3_and_v4_to_the_http_teacher(tmp_path: Path, prefix: str) -> None:
    weights = {"enc_p.ssl_proj.weight": torch.zeros(2), "cfm.estimator.x": torch.zeros(2)}
    content = {"weight": weights, "config": {}} if prefix else weights
    said = refused(tmp_path / "s2Gv4.pth", content)
    assert "a synthesizer of v3 or v4" in said and "gpt-sovits-http" in said
    lora = {"weight": {"cfm.to_q.lora_A.x": torch.zeros(2)}, "lora_rank": 32, "config": {}}
    for tag in (None, "03", "04"):
        said = refused(tmp_path / "lora.pth", lora, tag=tag)
        assert "a LoRA of v3 or v4" in said and "gpt-sovits-http" in said


def test_knows_training_snapshots(tmp_path: Path) -> None:
    snapshot = {"model": {"enc_p.x": torch.zeros(2)}, "iteration": 8, "optimizer": {}, "learning_rate": 1e-4}
    said = refused(tmp_path / "G_233333.pth", snapshot)
    assert "a training snapshot" in said and "SoVITS_weights" in said
    lightning = {"epoch": 3, "pytorch-lightning_version": "2.4", "state_dict": {}, "callbacks": Path("x")}
    said = refused(tmp_path / "epoch=3.ckpt", lightning, read_s1)
    assert "it names pathlib" in said and "training snapshot" in said and "GPT_weights" in said
    del lightning["callbacks"]
    assert "a training snapshot" in refused(tmp_path / "epoch=3.ckpt", lightning, read_s1)
    discriminator = {"weight": {"discriminators.0.convs.0.bias": torch.zeros(2)}}
    assert "a discriminator" in refused(tmp_path / "D.pth", discriminator)


def test_knows_the_other_half(tmp_path: Path) -> None:
    write_s1(tmp_path / "voice.ckpt")
    with pytest.raises(CheckpointError, match=r"text-to-semantic model .* belongs where the \.ckpt goes"):
        load_synthesizer(tmp_path / "voice.ckpt")
    write_s2(tmp_path / "voice.pth", size=TINY)
    with pytest.raises(CheckpointError, match=r"this is a synthesizer .* belongs where the \.pth goes"):
        load_text2semantic(tmp_path / "voice.pth")
    with pytest.raises(CheckpointError, match="not the speaker-verification model"):
        read_speaker_verification(tmp_path / "voice.pth")
    said = refused(tmp_path / "sv.ckpt", {"layer3_ds.weight": torch.zeros(2)})
    assert "the speaker-verification model (ERes2NetV2), not a synthesizer" in said


def test_reads_a_bare_state_dict_of_the_speaker_network(tmp_path: Path) -> None:
    weights = {"layer3_ds.weight": torch.ones(2).half(), "bn1.num_batches_tracked": torch.tensor(7)}
    found = read_speaker_verification(save(tmp_path / "sv.ckpt", weights))
    assert found["layer3_ds.weight"].dtype == torch.float32 and found["bn1.num_batches_tracked"] == 7


@pytest.mark.parametrize("root", [[1, 2], {"a": 1}, {"weight": {}}, {"weight": [1]}, 7])
def test_knows_that_it_knows_nothing(tmp_path: Path, root: Any) -> None:
    assert "some other PyTorch file" in refused(tmp_path / "a.pth", root)


def test_refuses_diverged_weights_but_not_diverged_statistics(tmp_path: Path) -> None:
    path, content = tmp_path / "voice.pth", s2_content()
    content["weight"]["quantizer.vq.layers.0._codebook.cluster_size"][0] = (
        torch.inf
    )  # overflows in half precision
    read_s2(save(path, content))
    content["weight"]["dec.conv_pre.bias"][0] = torch.nan
    assert "dec.conv_pre.bias first: training had diverged" in refused(path, content)


def test_refuses_what_is_no_weight_and_no_configuration(tmp_path: Path) -> None:
    path, content = tmp_path / "voice.pth", s2_content()
    content["weight"]["enc_p.x"] = "text"
    assert "something else than tensors by name: enc_p.x" in refused(path, content)
    assert "its configuration is a list" in refused(path, s2_content(config=[1]))
    assert "its configuration holds a Tensor" in refused(path, s2_content(config={"a": torch.zeros(1)}))
    endless: list[Any] = []
    endless.append(endless)
    assert "far larger" in refused(path, s2_content(config={"a": endless}))
    wide: list[Any] = [0] * 10
    for _ in range(15):
        wide = [wide, wide]  # few objects, 300,000 values
    assert "far larger" in refused(path, s2_content(config={"a": wide}))


def test_refuses_a_configuration_that_does_not_fit(tmp_path: Path) -> None:
    content = s2_content()
    content["config"]["model"]["upsample_rates"] = [10, 8]
    assert "do not fit together" in refused(tmp_path / "voice.pth", content)
