"""The corpus manifest: one JSON line per utterance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.spec import LANGUAGE_IDS
from edge.text.symbols import SYMBOL_TO_ID

from .files import read_rows


@dataclass(frozen=True)
class Utterance:
    """One rendered line, as the corpus command wrote it."""

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
    audio: Path
    """FLAC file, absolute."""
    split: str
    phoneme_times: tuple[tuple[str, float], ...] = ()
    """(symbol, start in seconds) where the teacher tells; only to measure with."""
    prosody: Path | None = None
    """File of the durations, F0 and energy that the teacher tells, absolute; None where it does not."""

    @property
    def phoneme_ids(self) -> list[int]:
        """Indices of the inventory."""
        return [SYMBOL_TO_ID[symbol] for symbol in self.phonemes]

    @property
    def language_ids(self) -> list[int]:
        """Language index of each phoneme."""
        return [LANGUAGE_IDS[language] for language in self.languages]


def read_manifest(corpus: Path) -> list[Utterance]:
    """Read every utterance of a corpus folder.

    Raises:
        FileNotFoundError: there is no manifest; run the corpus command first.
    """
    path = corpus / "manifest.jsonl"
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: run `sovits-distill corpus` first")
    return [_utterance(row, corpus) for row in read_rows(path)]


def _utterance(row: dict[str, object], corpus: Path) -> Utterance:
    times, told = row.get("phoneme_times") or (), row.get("prosody")
    return Utterance(
        id=str(row["id"]),
        character=str(row["character"]),
        language=str(row["language"]),
        emotion=str(row["emotion"]),
        text=str(row["text"]),
        phonemes=tuple(row["phonemes"]),  # type: ignore[arg-type]
        languages=tuple(row["languages"]),  # type: ignore[arg-type]
        word_starts=tuple(row["word_starts"]),  # type: ignore[arg-type]
        audio=corpus / str(row["audio"]),
        split=str(row["split"]),
        phoneme_times=tuple((str(s), float(t)) for s, t in times),  # type: ignore[attr-defined]
        prosody=corpus / str(told) if told else None,
    )
