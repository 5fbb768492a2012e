"""The files of GPT-SoVITS: what is asked for, or an error that says what the file is and what to do.

The only reader of such files. Weights come back in single precision whatever the file has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .archive import Archive, AttributeBag, CheckpointError, blamed_on, read_archive
from .comparison import compare_tensors
from .identify import require, s2_version
from .s2_weights import TRAINING_ONLY, network_weights
from .speaker_verification import ERes2NetV2
from .synthesizer import Synthesizer
from .text2semantic import Text2Semantic, Text2SemanticSizes

__all__ = [
    "CheckpointError",
    "S1Checkpoint",
    "S2Checkpoint",
    "load_speaker_verification",
    "load_synthesizer",
    "load_text2semantic",
    "read_s1",
    "read_s2",
    "read_speaker_verification",
]

S1_PREFIX = "model."
MAX_CONFIG_VALUES = 10_000  # official ones have about 100
MAX_CONFIG_DEPTH = 20  # official ones have 4


@dataclass(frozen=True)
class S1Checkpoint:
    """A text-to-semantic model."""

    weights: dict[str, Tensor]
    """Single precision, by the names in the file without the leading ``model.``."""
    config: dict[str, Any]
    """Plain nested dict."""
    info: str
    """What the trainer noted, such as "GPT-e15"."""


@dataclass(frozen=True)
class S2Checkpoint:
    """A synthesizer."""

    weights: dict[str, Tensor]
    """Single precision, by the names in the file, weight norm not folded."""
    config: dict[str, Any]
    """Plain nested dict."""
    info: str
    """What the trainer noted, such as "8epoch_208iteration"."""
    version: str
    """"v1", "v2", "v2Pro" or "v2ProPlus", told from the tensors."""
    tag: str | None = None
    """The two characters in place of ``PK`` at the start, or None."""


def read_s1(path: str | Path) -> S1Checkpoint:
    """Read a ``.ckpt`` of any version and check that its tensors are those of a model.

    Raises:
        CheckpointError: the file is not that; the message begins with the path.
    """
    path = Path(path)
    archive = read_archive(path)
    with blamed_on(path):
        require("s1", archive)
        weights = _single_precision(archive.root["weight"])
        weights = {name.removeprefix(S1_PREFIX): tensor for name, tensor in weights.items()}
        checkpoint = S1Checkpoint(weights, _config(archive), _info(archive))
        compare_tensors(_s1_outline(checkpoint), weights, lambda name: S1_PREFIX + name)
        return checkpoint


def read_s2(path: str | Path) -> S2Checkpoint:
    """Read a ``.pth`` of v1, v2, v2Pro or v2ProPlus and check that its tensors are those of a model.

    Raises:
        CheckpointError: the file is not that; the message begins with the path.
    """
    path = Path(path)
    archive = read_archive(path)
    with blamed_on(path):
        require("s2", archive)
        weights, config = _single_precision(archive.root["weight"]), _config(archive)
        version = s2_version(weights, config, archive.tag)
        Synthesizer.outline(network_weights(weights), config, version)
        return S2Checkpoint(weights, config, _info(archive), version, archive.tag)


def read_speaker_verification(path: str | Path) -> dict[str, Tensor]:
    """Read the ERes2NetV2 file that the Pro versions need, a bare state dict.

    Raises:
        CheckpointError: the file is not that; the message begins with the path.
    """
    path = Path(path)
    archive = read_archive(path)
    with blamed_on(path):
        require("speaker-verification", archive)
        return _single_precision(archive.root)


def load_speaker_verification(path: str | Path) -> ERes2NetV2:
    """Load the ERes2NetV2 file, ready for inference."""
    weights = read_speaker_verification(path)
    with blamed_on(Path(path)):
        try:
            return ERes2NetV2.from_weights(weights)
        except ValueError as error:
            raise CheckpointError(str(error)) from error


def load_text2semantic(path: str | Path) -> Text2Semantic:
    """Load a ``.ckpt``, ready for inference."""
    checkpoint = read_s1(path)
    return Text2Semantic.from_weights(checkpoint.weights, checkpoint.config)


def load_synthesizer(path: str | Path) -> Synthesizer:
    """Load a ``.pth``, ready for inference."""
    checkpoint = read_s2(path)
    return Synthesizer.from_weights(checkpoint.weights, checkpoint.config, checkpoint.version)


def _s1_outline(checkpoint: S1Checkpoint) -> Mapping[str, Tensor]:
    """Return the tensors that a transformer of the sizes in the file has, without values."""
    try:
        sizes = Text2SemanticSizes.from_weights(checkpoint.weights, checkpoint.config)
        with torch.device("meta"):
            return Text2Semantic(sizes).state_dict()
    except (TypeError, ValueError) as error:
        raise CheckpointError(str(error)) from error


def _single_precision(weights: object) -> dict[str, Tensor]:
    """Check that these are named, finite tensors and widen them."""
    if not isinstance(weights, dict):
        raise CheckpointError(f"its weights are a {type(weights).__name__}, not tensors by name")
    wrong = [
        str(name)
        for name, value in weights.items()
        if not (isinstance(name, str) and isinstance(value, Tensor))
    ]
    if wrong:
        raise CheckpointError(f"its weights hold something else than tensors by name: {', '.join(wrong[:3])}")
    wide = {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}
    broken = [
        name
        for name, value in wide.items()
        if not TRAINING_ONLY.match(name) and not torch.isfinite(value).all()
    ]
    if broken:
        raise CheckpointError(
            f"{len(broken)} tensors hold infinities or no numbers, {broken[0]} first: training had"
            " diverged; take an earlier epoch"
        )
    return wide


def _info(archive: Archive) -> str:
    info = archive.root.get("info", "")
    return info if isinstance(info, str) else ""


def _config(archive: Archive) -> dict[str, Any]:
    """Return the configuration as plain values; the trainer pickles its own class."""
    config = _plain(archive.root.get("config"), _Allowance(MAX_CONFIG_VALUES), depth=0)
    if config is None:
        return {}
    if not isinstance(config, dict):
        raise CheckpointError(f"its configuration is a {type(config).__name__}, not a table")
    return config


@dataclass
class _Allowance:
    """How many values may still come; references can make a small pickle an endless tree."""

    left: int

    def spend(self, depth: int) -> None:
        self.left -= 1
        if self.left < 0 or depth > MAX_CONFIG_DEPTH:
            raise CheckpointError("its configuration is far larger than that of any voice")


def _plain(value: object, allowance: _Allowance, depth: int) -> Any:
    allowance.spend(depth)
    if isinstance(value, AttributeBag):
        value = vars(value)
    if isinstance(value, dict):
        return {str(key): _plain(item, allowance, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, allowance, depth + 1) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise CheckpointError(f"its configuration holds a {type(value).__name__}; plain values are expected")
