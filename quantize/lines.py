"""Lines of a corpus as the encoder takes them: to calibrate with, and to compare on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.runners.base import EncoderInputs
from edge.spec import LANGUAGE_IDS
from edge.text.symbols import SYMBOL_TO_ID


@dataclass(frozen=True)
class Line:
    """One line."""

    name: str
    """For reports."""
    phonemes: tuple[str, ...]
    """(P,) symbols with the leading silence and the final punctuation."""
    inputs: EncoderInputs
    """For the encoder."""


def read_lines(corpus: Path, student: dict[str, Any], split: str, n: int) -> list[Line]:
    """Take n lines of a split, evenly over its characters, languages and emotions.

    Args:
        corpus: folder with the ``manifest.jsonl`` of ``sovits-distill corpus``.
        student: description of the checkpoint, for the ids of characters and emotions.
        split: ``train``, ``valid`` or ``test``.
        n: at most this many.

    Raises:
        ValueError: the split has no line.
    """
    path = corpus / "manifest.jsonl"
    rows = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines() if text.strip()]
    conditions: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in sorted((row for row in rows if row["split"] == split), key=lambda row: str(row["id"])):
        conditions.setdefault((row["character"], row["language"], row["emotion"]), []).append(row)
    if not conditions:
        raise ValueError(f"{path}: no line of split {split!r}")
    deepest = max(len(group) for group in conditions.values())
    turns = [group[i] for i in range(deepest) for group in conditions.values() if i < len(group)]
    return [_line(row, student) for row in turns[:n]]


def _line(row: dict[str, Any], student: dict[str, Any]) -> Line:
    inputs = EncoderInputs(
        phoneme_ids=np.array([[SYMBOL_TO_ID[symbol] for symbol in row["phonemes"]]], np.int64),
        language_ids=np.array([[LANGUAGE_IDS[name] for name in row["languages"]]], np.int64),
        word_starts=np.array([row["word_starts"]], np.int64),
        character_id=np.array([student["characters"][row["character"]]], np.int64),
        emotion_id=np.array([student["emotions"][row["emotion"]]], np.int64),
        emotion_strength=np.array([1.0], np.float32),
    )
    return Line(str(row["id"]), tuple(row["phonemes"]), inputs)
