"""Identity of a file of the GPT-SoVITS family, told from its content, and what to do with a wrong one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from .archive import Archive, CheckpointError
from .comparison import incomplete

logger = logging.getLogger(__name__)

TAG_VERSIONS = {
    "00": "v1",
    "01": "v2",
    "02": "v3",
    "03": "v3 (LoRA)",
    "04": "v4 (LoRA)",
    "05": "v2Pro",
    "06": "v2ProPlus",
}

DESCRIPTIONS = {
    "s1": "a text-to-semantic model (GPT, s1, `.ckpt`)",
    "s2": "a synthesizer (SoVITS, s2, `.pth`)",
    "speaker-verification": "the speaker-verification model (ERes2NetV2)",
    "v3/v4": "a synthesizer of v3 or v4",
    "lora": "a LoRA of v3 or v4",
    "snapshot": "a training snapshot with optimizer state",
    "discriminator": "a discriminator, which only training uses",
    "other": "some other PyTorch file",
}

USE_HTTP = (
    "only v1, v2, v2Pro and v2ProPlus run natively: start GPT-SoVITS' api_v2.py with it and use the teacher"
    " gpt-sovits-http"
)
FINISHED = "give the finished voice, from the folder GPT_weights*/ (s1) or SoVITS_weights*/ (s2)"
ADVICE = {
    "s1": "it belongs where the .ckpt goes",
    "s2": "it belongs where the .pth goes",
    "speaker-verification": "it belongs where the speaker-verification model goes",
    "v3/v4": USE_HTTP,
    "lora": USE_HTTP,
    "snapshot": FINISHED,
    "discriminator": FINISHED,
    "other": FINISHED,
}


def require(kind: str, archive: Archive) -> None:
    """Refuse a file that is not of the kind asked for.

    Args:
        kind: "s1", "s2" or "speaker-verification".
        archive: the content of the file.
    """
    found = kind_of(archive)
    if found != kind:
        raise CheckpointError(f"this is {DESCRIPTIONS[found]}, not {DESCRIPTIONS[kind]}; {ADVICE[found]}")


def kind_of(archive: Archive) -> str:
    """Return the key of ``DESCRIPTIONS`` that fits."""
    root = archive.root
    if not isinstance(root, dict):
        return "other"
    if root.keys() & {"optimizer", "optimizer_states", "pytorch-lightning_version"}:
        return "snapshot"
    names = tensor_names(root.get("weight", root))
    if "lora_rank" in root or any(".lora_" in name for name in names):
        return "lora"
    if _has(names, "discriminators."):
        return "discriminator"
    if _has(names, "cfm.") or _has(names, "wns1.") or archive.tag in ("02", "03", "04"):
        return "v3/v4"
    if "weight" not in root:
        return "speaker-verification" if _has(names, "layer3_ds.") else "other"
    if _has(names, "model.h.layers."):
        return "s1"
    return "s2" if _has(names, "enc_p.") else "other"


def tensor_names(weights: object) -> list[str]:
    """Return the names of what may be a state dict."""
    return [name for name in weights if isinstance(name, str)] if isinstance(weights, dict) else []


def _has(names: list[str], beginning: str) -> bool:
    return any(name.startswith(beginning) for name in names)


def s2_version(weights: Mapping[str, Tensor], config: Mapping[str, Any], tag: str | None) -> str:
    """Tell the version of an s2 model from its tensors.

    The Pro versions have a speaker embedding; of the two, v2ProPlus starts its generator with a kernel of 20
    instead of 16, whatever the width. v1 reads the whole reference spectrogram and knows 322 phonemes, v2
    the lower 704 bins and 732. Size of the file, tag and configuration are not trusted, as they are wrong in
    files that users have.
    """
    version = _pro_version(weights, config, tag) if "sv_emb.weight" in weights else _plain_version(weights)
    if tag is not None and TAG_VERSIONS.get(tag) != version:
        meant = TAG_VERSIONS.get(tag, "no version that is known")
        logger.warning(
            "the tag %r means %s, but the tensors are those of %s, which counts", tag, meant, version
        )
    return version


def _plain_version(weights: Mapping[str, Tensor]) -> str:
    table, first = "enc_p.text_embedding.weight", "ref_enc.spectral.0.fc.weight"
    missing = [name for name in (table, first) if name not in weights]
    if missing:
        raise incomplete(f"missing: {', '.join(missing)}")
    n_phonemes, n_bins = _size(weights, table, 0), _size(weights, first, 1)
    version = {(322, 1025): "v1", (732, 704): "v2"}.get((n_phonemes, n_bins))
    if version is None:
        raise CheckpointError(
            f"a synthesizer with {n_phonemes} phonemes that reads {n_bins} bins of its reference; v1 has 322"
            " and 1025, v2 has 732 and 704: no official version, so its phonemes are unknown"
        )
    return version


def _pro_version(weights: Mapping[str, Tensor], config: Mapping[str, Any], tag: str | None) -> str:
    kernel = _size(weights, "dec.ups.0.weight_v", 2)
    width = _size(weights, "dec.conv_pre.weight", 0)
    model = config.get("model")
    said = model.get("version") if isinstance(model, dict) else None
    evidence = ({16: "v2Pro", 20: "v2ProPlus"}.get(kernel), {512: "v2Pro", 768: "v2ProPlus"}.get(width))
    for version in (*evidence, TAG_VERSIONS.get(tag or ""), said):
        if version in ("v2Pro", "v2ProPlus"):
            return version
    raise CheckpointError(
        f"a Pro synthesizer whose generator starts with kernel {kernel} and {width} channels; v2Pro has 16"
        " and 512, v2ProPlus has 20 and 768"
    )


def _size(weights: Mapping[str, Tensor], name: str, axis: int) -> int:
    """Return a size of a tensor, 0 where it is missing or has fewer axes."""
    shape = weights[name].shape if name in weights else ()
    return shape[axis] if axis < len(shape) else 0
