"""A trained student on disk: weights in safetensors, everything else in JSON beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from edge.text.symbols import SYMBOLS_SHA256
from models.sovits_tiny import SovitsTiny, StudentConfig

WEIGHTS, DESCRIPTION = "student.safetensors", "student.json"


@dataclass(frozen=True)
class StudentInfo:
    """What must be known to use the weights.

    Attributes:
        config: sizes of the networks.
        characters, emotions: names to rows of the embedding tables.
        step: optimiser steps taken.
        corpus: summary of the corpus, copied from its manifest.
    """

    config: StudentConfig
    characters: dict[str, int]
    emotions: dict[str, int]
    step: int
    corpus: dict[str, Any]


def save_student(folder: Path, weights: dict[str, Tensor], info: StudentInfo) -> None:
    """Write weights and description; a reader never sees half a file."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / (WEIGHTS + ".partial")
    save_file({k: v.detach().cpu().contiguous() for k, v in weights.items()}, partial)
    partial.replace(folder / WEIGHTS)
    description = {
        "config": info.config.to_dict(),
        "characters": info.characters,
        "emotions": info.emotions,
        "symbols_sha256": SYMBOLS_SHA256,
        "step": info.step,
        "corpus": info.corpus,
    }
    partial = folder / (DESCRIPTION + ".partial")
    partial.write_text(json.dumps(description, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(folder / DESCRIPTION)


def load_student(folder: Path) -> tuple[SovitsTiny, StudentInfo]:
    """Read a student in evaluation mode.

    Raises:
        ValueError: the checkpoint was made with another symbol table.
    """
    description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    if description["symbols_sha256"] != SYMBOLS_SHA256:
        raise ValueError(f"{folder} was trained with another symbol table; train it again with this version")
    info = StudentInfo(
        config=StudentConfig.from_dict(description["config"]),
        characters=description["characters"],
        emotions=description["emotions"],
        step=description["step"],
        corpus=description["corpus"],
    )
    student = SovitsTiny(info.config)
    student.load_state_dict(load_file(folder / WEIGHTS))
    return student.eval(), info
