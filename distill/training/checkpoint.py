"""A trained student on disk: weights in safetensors, everything else in JSON beside it.

A copy of half the size: ``python -m distill.training.checkpoint runs/builtin/student FOLDER``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from edge.text.symbols import SYMBOLS_SHA256
from models.sovits_tiny import SovitsTiny, StudentConfig

from ..config import DistillError
from ..files import replacing, write_json

WEIGHTS, DESCRIPTION = "student.safetensors", "student.json"
BUILTIN_STUDENT = Path(__file__).parents[1] / "students" / "builtin"


@dataclass(frozen=True)
class StudentInfo:
    """What must be known to use the weights."""

    config: StudentConfig
    """Sizes of the networks."""
    characters: dict[str, int]
    emotions: dict[str, int]
    """``characters``, ``emotions``: names to rows of the embedding tables."""
    step: int
    """Optimiser steps taken."""
    corpus: dict[str, Any]
    """Summary of the corpus, copied from its manifest."""
    started_from: dict[str, Any] = field(default_factory=dict)
    """Name and hash of the student that training began with; empty from scratch."""


def save_student(folder: Path, weights: dict[str, Tensor], info: StudentInfo, half: bool = False) -> None:
    """Write weights and description; a reader never sees half a file.

    Args:
        folder: made if it is not there.
        weights: state dict of the student.
        info: goes into the description.
        half: keep trained values as float16, which changes them by one part in two thousand at most; the
            constants of the networks stay as they are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    values = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    if half:
        values |= {name: values[name].half() for name, _ in SovitsTiny(info.config).named_parameters()}
    with replacing(folder / WEIGHTS) as unfinished:
        save_file(values, unfinished)
    write_json(folder / DESCRIPTION, _describe(info), indent=2)


def _describe(info: StudentInfo) -> dict[str, Any]:
    description = {
        "config": info.config.to_dict(),
        "characters": info.characters,
        "emotions": info.emotions,
        "symbols_sha256": SYMBOLS_SHA256,
        "step": info.step,
        "corpus": info.corpus,
    }
    return description | ({"started_from": info.started_from} if info.started_from else {})


def load_student(folder: Path) -> tuple[SovitsTiny, StudentInfo]:
    """Read a student in float32 and evaluation mode.

    Raises:
        DistillError: there is no student, it was made with another symbol table, or its parts do not belong
            together.
    """
    info = read_info(folder)
    student = SovitsTiny(info.config)
    try:
        student.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, SafetensorError) as error:
        raise DistillError(f"cannot read {folder / WEIGHTS}: {error}; copy the student again") from error
    except RuntimeError as error:
        detail = str(error).splitlines()[-1].strip()
        message = f"{folder}: {WEIGHTS} is not of the sizes that {DESCRIPTION} says ({detail})"
        raise DistillError(f"{message}; copy both files of one student") from error
    return student.eval(), info


def read_info(folder: Path) -> StudentInfo:
    """Read the description of a student.

    Raises:
        DistillError: there is none, or it was made with another symbol table.
    """
    path = folder / DESCRIPTION
    if not path.is_file():
        raise DistillError(f"{folder} holds no student; give the folder 'student' of a run of sovits-distill")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        table = found["symbols_sha256"]
        info = StudentInfo(
            config=StudentConfig.from_dict(found["config"]),
            characters=found["characters"],
            emotions=found["emotions"],
            step=found["step"],
            corpus=found["corpus"],
            started_from=found.get("started_from", {}),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DistillError(f"{path} does not describe a student ({error!r}); copy it again") from error
    if table != SYMBOLS_SHA256:
        message = f"{folder} was trained with another symbol table; train it again with this version"
        raise DistillError(message)
    return info


def weights_sha256(folder: Path) -> str:
    """Name the weights of a student beyond doubt."""
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()


def halve(source: Path, target: Path) -> None:
    """Write a copy of a student that takes half the room."""
    student, info = load_student(source)
    save_student(target, student.state_dict(), info, half=True)


def largest_change(source: Path, target: Path) -> float:
    """Largest difference of the trained values of two students, by the largest value of each tensor."""
    one, other = (dict(load_student(folder)[0].named_parameters()) for folder in (source, target))
    with torch.no_grad():
        apart = [(value - other[name]).abs().max() / value.abs().max() for name, value in one.items()]
    return float(torch.stack(apart).max())


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m distill.training.checkpoint", description=__doc__)
    parser.add_argument("source", type=Path, help="folder of a student")
    parser.add_argument("target", type=Path, help="folder to write, with float16 weights")
    options = parser.parse_args()
    halve(options.source, options.target)
    print(f"{options.target}: within {largest_change(options.source, options.target):.1e}")  # noqa: T201


if __name__ == "__main__":
    main()
