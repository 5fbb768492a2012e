"""Writes GPT-SoVITS checkpoints with random weights in the official layouts, small by default.

    python -m tests.data.make_gpt_sovits FOLDER

Names and shapes are listed here on their own, apart from the networks in `models/gpt_sovits`, so that a
test can hold the two against each other; at full size they are those of the official models.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]

S2_VERSIONS = ("v1", "v2", "v2Pro", "v2ProPlus")
TAGS = {"v1": "00", "v2": "01", "v2Pro": "05", "v2ProPlus": "06"}
N_PHONEMES = {"v1": 322, "v2": 732, "v2Pro": 732, "v2ProPlus": 732}
UPSAMPLE_RATES = (10, 8, 2, 2, 2)


@dataclass(frozen=True)
class S2Size:
    """Widths of an s2 model; the kernels, strides and tables that all official models share are not here."""

    hidden: int = 16
    filters: int = 24
    layers: int = 2
    content: int = 24
    mrte: int = 32
    timbre: int = 20
    initial: int = 64
    reference: int = 16
    codebook: int = 1024
    speaker: int = 20480


SMALL = S2Size()
FULL = S2Size(
    hidden=192, filters=768, layers=6, content=768, mrte=512, timbre=512, initial=512, reference=128
)


def full_size(version: str) -> S2Size:
    """Return the widths of the official model of a version."""
    return replace(
        FULL,
        timbre=1024 if "Pro" in version else 512,
        initial=768 if version == "v2ProPlus" else 512,
    )


def _dense(name: str, *shape: int) -> Shapes:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def _normed(name: str, *shape: int, bias: int | None = None) -> Shapes:
    bias = shape[0] if bias is None else bias
    return {f"{name}.bias": (bias,), f"{name}.weight_g": (shape[0], 1, 1), f"{name}.weight_v": shape}


def _attention(name: str, width: int) -> Shapes:
    return {k: v for part in "qkvo" for k, v in _dense(f"{name}.conv_{part}", width, width, 1).items()}


def _encoder(name: str, size: S2Size, n_layers: int) -> Shapes:
    shapes: Shapes = {}
    for i in range(n_layers):
        head = size.hidden // 2
        shapes |= {f"{name}.attn_layers.{i}.emb_rel_{part}": (1, 9, head) for part in "kv"}
        shapes |= _attention(f"{name}.attn_layers.{i}", size.hidden)
        for norm in ("norm_layers_1", "norm_layers_2"):
            shapes |= {f"{name}.{norm}.{i}.{part}": (size.hidden,) for part in ("gamma", "beta")}
        shapes |= _dense(f"{name}.ffn_layers.{i}.conv_1", size.filters, size.hidden, 3)
        shapes |= _dense(f"{name}.ffn_layers.{i}.conv_2", size.hidden, size.filters, 3)
    return shapes


def _text_encoder(size: S2Size, version: str) -> Shapes:
    return {
        **_dense("enc_p.ssl_proj", size.hidden, size.content, 1),
        **_encoder("enc_p.encoder_ssl", size, size.layers // 2),
        **_encoder("enc_p.encoder_text", size, size.layers),
        "enc_p.text_embedding.weight": (N_PHONEMES[version], size.hidden),
        **_attention("enc_p.mrte.cross_attention", size.mrte),
        **_dense("enc_p.mrte.c_pre", size.mrte, size.hidden, 1),
        **_dense("enc_p.mrte.text_pre", size.mrte, size.hidden, 1),
        **_dense("enc_p.mrte.c_post", size.hidden, size.mrte, 1),
        **_encoder("enc_p.encoder2", size, size.layers // 2),
        **_dense("enc_p.proj", 2 * size.hidden, size.hidden, 1),
    }


def _generator(size: S2Size, version: str) -> Shapes:
    shapes = _dense("dec.conv_pre", size.initial, size.hidden, 7)
    kernels = (20 if version == "v2ProPlus" else 16, 16, 8, 2, 2)
    width = size.initial
    for stage, kernel in enumerate(kernels):
        shapes |= _normed(f"dec.ups.{stage}", width, width // 2, kernel, bias=width // 2)
        width //= 2
        for j, k in enumerate((3, 7, 11)):
            for part in ("convs1", "convs2"):
                for unit in range(3):
                    shapes |= _normed(f"dec.resblocks.{3 * stage + j}.{part}.{unit}", width, width, k)
    shapes["dec.conv_post.weight"] = (1, width, 7)
    return shapes | _dense("dec.cond", size.initial, size.timbre, 1)


def _wavenet(name: str, size: S2Size, n_layers: int) -> Shapes:
    width = size.hidden
    shapes = _normed(f"{name}.cond_layer", 2 * width * n_layers, size.timbre, 1)
    for i in range(n_layers):
        shapes |= _normed(f"{name}.in_layers.{i}", 2 * width, width, 5)
        out = width if i == n_layers - 1 else 2 * width
        shapes |= _normed(f"{name}.res_skip_layers.{i}", out, width, 1)
    return shapes


def _flow(size: S2Size) -> Shapes:
    shapes: Shapes = {}
    for i in range(0, 8, 2):
        shapes |= _dense(f"flow.flows.{i}.pre", size.hidden, size.hidden // 2, 1)
        shapes |= _wavenet(f"flow.flows.{i}.enc", size, 4)
        shapes |= _dense(f"flow.flows.{i}.post", size.hidden // 2, size.hidden, 1)
    return shapes


def _posterior_encoder(size: S2Size) -> Shapes:
    return {
        **_dense("enc_q.pre", size.hidden, 1025, 1),
        **_wavenet("enc_q.enc", size, 16),
        **_dense("enc_q.proj", 2 * size.hidden, size.hidden, 1),
    }


def _reference_encoder(size: S2Size, version: str) -> Shapes:
    width = size.reference
    shapes = _dense("ref_enc.spectral.0.fc", width, 1025 if version == "v1" else 704)
    shapes |= _dense("ref_enc.spectral.3.fc", width, width)
    for i in range(2):
        shapes |= _dense(f"ref_enc.temporal.{i}.conv1.conv", 2 * width, width, 5)
    for part in ("w_qs", "w_ks", "w_vs", "fc"):
        shapes |= _dense(f"ref_enc.slf_attn.{part}", width, width)
    return shapes | _dense("ref_enc.fc.fc", size.timbre, width)


def _quantizer(size: S2Size) -> Shapes:
    book = "quantizer.vq.layers.0._codebook"
    table = (size.codebook, size.content)
    return {
        f"{book}.inited": (1,),
        f"{book}.cluster_size": table[:1],
        f"{book}.embed": table,
        f"{book}.embed_avg": table,
    }


def s2_shapes(version: str, size: S2Size = SMALL, enc_q: bool = False) -> Shapes:
    """Return name and shape of every tensor of an s2 file."""
    shapes = _text_encoder(size, version) | _generator(size, version) | _flow(size)
    shapes |= _posterior_encoder(size) if enc_q else {}
    shapes |= _reference_encoder(size, version) | _dense("ssl_proj", size.content, size.content, 2)
    shapes |= _quantizer(size)
    if "Pro" in version:
        shapes |= _dense("sv_emb", size.timbre, size.speaker) | _dense("ge_to512", size.mrte, size.timbre)
        shapes["prelu.weight"] = (size.timbre,)
    return shapes


def s2_size_for(version: str, size: S2Size = SMALL) -> S2Size:
    """Return sizes that a version can have: without ge_to512, MRTE is as wide as the timbre vector."""
    return size if "Pro" in version else replace(size, timbre=size.mrte)


def s2_config(version: str, size: S2Size = SMALL) -> dict[str, Any]:
    """Return the configuration as a plain nested dict."""
    return {
        "train": {"seed": 1234, "learning_rate": 1e-4, "betas": [0.8, 0.99], "fp16_run": True},
        "data": {"sampling_rate": 32000, "filter_length": 2048, "hop_length": 640, "win_length": 2048},
        "model": {
            "inter_channels": size.hidden,
            "hidden_channels": size.hidden,
            "filter_channels": size.filters,
            "n_heads": 2,
            "n_layers": size.layers,
            "kernel_size": 3,
            "resblock": "1",
            "resblock_kernel_sizes": [3, 7, 11],
            "resblock_dilation_sizes": [[1, 3, 5]] * 3,
            "upsample_rates": list(UPSAMPLE_RATES),
            "upsample_initial_channel": size.initial,
            "upsample_kernel_sizes": [20 if version == "v2ProPlus" else 16, 16, 8, 2, 2],
            "gin_channels": size.timbre,
            "semantic_frame_rate": "25hz",
            "version": version,
        },
        "content_module": "cnhubert",
    }


def s1_shapes(version: str = "v2", width: int = 32, n_layers: int = 2, bert: int = 1024) -> Shapes:
    """Return name and shape of every tensor of an s1 file; the table of v1 has 512 rows, not 322."""
    shapes: Shapes = _dense("model.bert_proj", width, bert)
    n_rows = 512 if version == "v1" else 732
    shapes["model.ar_text_embedding.word_embeddings.weight"] = (n_rows, width)
    shapes["model.ar_text_position.alpha"] = (1,)
    shapes["model.ar_audio_embedding.word_embeddings.weight"] = (1025, width)
    shapes["model.ar_audio_position.alpha"] = (1,)
    for i in range(n_layers):
        layer = f"model.h.layers.{i}"
        shapes[f"{layer}.self_attn.in_proj_weight"] = (3 * width, width)
        shapes[f"{layer}.self_attn.in_proj_bias"] = (3 * width,)
        shapes |= _dense(f"{layer}.self_attn.out_proj", width, width)
        shapes |= _dense(f"{layer}.linear1", 4 * width, width) | _dense(f"{layer}.linear2", width, 4 * width)
        shapes |= _dense(f"{layer}.norm1", width) | _dense(f"{layer}.norm2", width)
    shapes["model.ar_predict_layer.weight"] = (1025, width)
    return shapes


def s1_config(version: str = "v2", width: int = 32, n_layers: int = 2, heads: int = 4) -> dict[str, Any]:
    """Return the configuration that an s1 file carries."""
    return {
        "train": {"seed": 1234, "precision": "16-mixed", "if_dpo": False},
        "data": {"max_sec": 54, "pad_val": 1024},
        "model": {
            "vocab_size": 1025,
            "phoneme_vocab_size": 512 if version == "v1" else 732,
            "embedding_dim": width,
            "hidden_dim": width,
            "head": heads,
            "linear_units": 2048,
            "n_layer": n_layers,
            "dropout": 0,
            "EOS": 1024,
        },
        "inference": {"top_k": 5 if version == "v1" else 15},
    }


def random_weights(shapes: Shapes, seed: int = 0) -> dict[str, Tensor]:
    """Draw weights that keep signals near unit size: scale 1/sqrt(inputs), gains near 1, small biases."""
    generator = torch.Generator().manual_seed(seed)
    return {name: _draw(name, shape, generator) for name, shape in shapes.items()}


def _draw(name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    noise = torch.randn(shape, generator=generator)
    last = name.rsplit(".", 1)[-1]
    is_gain = last in ("weight_g", "gamma", "alpha", "inited", "cluster_size")
    if is_gain or (".norm" in name and last == "weight"):
        return 1.0 + 0.1 * noise
    if last == "weight" and len(shape) == 1:  # PReLU
        return 0.25 + 0.1 * noise
    if last in ("bias", "beta"):
        return 0.1 * noise
    if last in ("embed", "embed_avg") or "embedding" in name:
        return noise
    return noise / math.sqrt(math.prod(shape[1:]))


@contextmanager
def _hparams_class() -> Iterator[Callable[[Any], Any]]:
    """Lend the top-level class that the official trainer pickles; afterwards nobody knows it any more."""
    module, before = ModuleType("utils"), sys.modules.get("utils")
    cls = type("HParams", (), {"__module__": "utils"})
    module.HParams = cls  # type: ignore[attr-defined]
    sys.modules["utils"] = module

    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        bag = cls()
        vars(bag).update({key: convert(item) for key, item in value.items()})
        return bag

    try:
        yield convert
    finally:
        sys.modules.pop("utils")
        if before is not None:
            sys.modules["utils"] = before


def save(path: Path, content: Any, *, tag: str | None = None, zip_format: bool = True) -> Path:
    """Save with `torch.save`, then put the two-byte tag over the first two bytes."""
    torch.save(content, path, _use_new_zipfile_serialization=zip_format)
    if tag is not None:
        data = path.read_bytes()
        path.write_bytes(tag.encode("ascii") + data[2:])
    return path


def write_s2(
    path: Path,
    version: str = "v2",
    *,
    size: S2Size = SMALL,
    half: bool = True,
    tag: str | None = None,
    hparams: bool = True,
    enc_q: bool = False,
    seed: int = 0,
) -> Path:
    """Write an s2 `.pth` as the trainer does: half precision, no enc_q, the configuration a pickled class."""
    size = s2_size_for(version, size)
    weights = random_weights(s2_shapes(version, size, enc_q), seed)
    weights = {name: tensor.half() if half else tensor for name, tensor in weights.items()}
    content = {"weight": weights, "config": s2_config(version, size), "info": "8epoch_208iteration"}
    if not hparams:
        return save(path, content, tag=tag)
    with _hparams_class() as convert:
        return save(path, content | {"config": convert(content["config"])}, tag=tag)


def write_s1(
    path: Path,
    version: str = "v2",
    *,
    width: int = 32,
    n_layers: int = 2,
    heads: int = 4,
    half: bool = True,
    tag: str | None = None,
    seed: int = 0,
) -> Path:
    """Write an s1 `.ckpt`."""
    weights = random_weights(s1_shapes(version, width, n_layers), seed)
    weights = {name: tensor.half() if half else tensor for name, tensor in weights.items()}
    config = s1_config(version, width, n_layers, heads)
    return save(path, {"weight": weights, "config": config, "info": "GPT-e15"}, tag=tag)


def main(folder: Path) -> None:
    """Write one pair of files per version."""
    folder.mkdir(parents=True, exist_ok=True)
    for version in S2_VERSIONS:
        write_s1(folder / f"{version}.ckpt", version)
        write_s2(folder / f"{version}.pth", version, tag=TAGS[version] if "Pro" in version else None)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "gpt-sovits-random"))
