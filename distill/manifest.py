"""The corpus manifest: one JSON line per utterance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.spec import LANGUAGE_IDS
from edge.text.symbols import SYMBOL_TO_ID

from .files import read_rows


@dataclass(frozen=True)
class Label:
    """What is said in one line, and by whom."""

    id: str
    character: str
    language: str
    emotion: str
    text: str
    phonemes: tuple[str, ...]
    """Symbols with the leading silence and the final mark, as the student reads them."""
    languages: tuple[str, ...]
    word_starts: tuple[int, ...]
    """1 on the first phoneme of each word."""
    split: str

    @property
    def phoneme_ids(self) -> list[int]:
        """Indices of the inventory."""
        return [SYMBOL_TO_ID[symbol] for symbol in self.phonemes]

    @property
    def language_ids(self) -> list[int]:
        """Language index of each phoneme."""
        return [LANGUAGE_IDS[language] for language in self.languages]


@dataclass(frozen=True)
class Utterance(Label):
    """One rendered line, as the corpus command wrote it."""

    audio: Path
    """FLAC file, absolute."""
    phoneme_times: tuple[tuple[str, float], ...] = ()
    """(symbol, start in seconds) where the teacher tells; only to measure with."""
    prosody: Path | None = None
    """File of the durations, F0 and energy that the teacher tells, absolute; None where it does not."""


def read_manifest(corpus: Path) -> list[Utterance]:
    """Read every utterance of a corpus folder.

    Raises:
        FileNotFoundError: there is no manifest; run the corpus command first.
    """
    path = corpus / "manifest.jsonl"
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: run `sovits-distill corpus` first")
    return [_utterance(row, corpus) for row in read_rows(path)]


def label_of(row: dict[str, object]) -> dict[str, Any]:
    """Give the fields of a ``Label`` from a row of JSON."""
    return {
        **{name: str(row[name]) for name in ("id", "character", "language", "emotion", "text", "split")},
        **{name: tuple(row[name]) for name in ("phonemes", "languages", "word_starts")},  # type: ignore[arg-type]
    }


def _utterance(row: dict[str, object], corpus: Path) -> Utterance:
    times, told = row.get("phoneme_times") or (), row.get("prosody")
    return Utterance(
        **label_of(row),
        audio=corpus / str(row["audio"]),
        phoneme_times=tuple((str(s), float(t)) for s, t in times),  # type: ignore[attr-defined]
        prosody=corpus / str(told) if told else None,
    )
