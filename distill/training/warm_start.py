"""Begin with a student that has learnt to speak: a new voice then costs minutes instead of hours.

Everything that belongs to languages and not to a voice is taken over: the tables of phonemes, languages and
word starts, and all blocks. The tables of characters, emotions and their pairs are made for the new names:

- A name that the old student knows keeps its row.
- A new character is given the row, and the shares in the emotions, of the old character whose voice gives the
  least loss on some lines of the new one; the mean of all of them is tried as well.
- An emotion that the old student does not know starts as neutral.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from edge.spec import LANGUAGE_IDS
from edge.text.symbols import SYMBOLS
from models.sovits_tiny import SovitsTiny, StudentConfig

from ..config import DistillError
from .checkpoint import BUILTIN_STUDENT, StudentInfo, load_student, weights_sha256
from .dataset import Example
from .schedule import BUILTIN, SCRATCH

TRIAL_LINES = 32  # of a new character, on which the old ones are compared
MEAN = "mean of all"
_REMADE = ("character", "emotion", "interaction")

Score = Callable[[Sequence[Example]], float]


@dataclass(frozen=True)
class Start:
    """A trained student to begin with."""

    student: SovitsTiny
    info: StudentInfo
    """``student``, ``info``: as it was saved."""
    origin: dict[str, Any]
    """Name, hash and steps, for the provenance of what is made from it."""


def open_start(name: str) -> Start | None:
    """Read what training is to begin with.

    Args:
        name: ``scratch``, ``builtin`` or the folder of a student.

    Returns:
        None for ``scratch``.

    Raises:
        DistillError: there is no such student, or it does not fit this version's symbols and languages.
    """
    if name == SCRATCH:
        return None
    folder = BUILTIN_STUDENT if name == BUILTIN else Path(name)
    student, info = load_student(folder)
    _check_sizes(folder, info.config)
    # a student may be given away: where the other one lay is nobody's business
    known_as = name if name == BUILTIN else "/".join(folder.resolve().parts[-2:])
    origin = {"name": known_as, "sha256": weights_sha256(folder), "step": info.step}
    return Start(student, info, origin)


def _check_sizes(folder: Path, config: StudentConfig) -> None:
    for name, wanted in (("n_vocab", len(SYMBOLS)), ("n_languages", len(LANGUAGE_IDS))):
        if (found := getattr(config, name)) != wanted:
            message = f"{folder} has {name} {found}, this version has {wanted}"
            raise DistillError(f"{message}; begin with a student of this version, or with --from scratch")


def adapt(start: Start, characters: Mapping[str, int], emotions: Mapping[str, int]) -> SovitsTiny:
    """Make a student for other characters and emotions; new characters begin as the mean of the old ones."""
    config = replace(start.info.config, n_characters=len(characters), n_emotions=len(emotions))
    student = SovitsTiny(config)
    names = [f"encoder.conditioning.{table}.weight" for table in _REMADE]
    kept = {key: value for key, value in start.student.state_dict().items() if key not in names}
    student.load_state_dict(kept, strict=False)
    table = student.encoder.conditioning.emotion.weight
    with torch.no_grad():
        for name, row in emotions.items():
            table[row] = _emotion_row(start, name)
    for name in characters:
        voice = Voice.of(start, name) if name in start.info.characters else Voice.mean(start)
        voice.put(student, characters[name], emotions)
    return student


def _emotion_row(start: Start, name: str) -> Tensor:
    old = start.student.encoder.conditioning.emotion.weight
    known = start.info.emotions.get(name)
    return torch.zeros_like(old[0]) if known is None else old[known].detach()


@dataclass(frozen=True)
class Voice:
    """What a student knows of one character."""

    name: str
    """Of the character."""
    row: Tensor
    """(D,) of the character table."""
    shares: dict[str, Tensor]
    """(D,) of the table of pairs, by the emotions that the character has spoken with."""

    @classmethod
    def of(cls, start: Start, name: str) -> Voice:
        """Take a character out of a student."""
        tables, index = start.student.encoder.conditioning, start.info.characters[name]
        pairs = tables.interaction.weight.detach()
        spoken = _spoken(start.info)
        shares = {
            emotion: pairs[index * tables.n_emotions + row]
            for emotion, row in start.info.emotions.items()
            if (name, emotion) in spoken
        }
        return cls(name, tables.character.weight.detach()[index], shares)

    @classmethod
    def mean(cls, start: Start) -> Voice:
        """Average all characters, and for each emotion those that have spoken with it."""
        voices = [cls.of(start, name) for name in start.info.characters]
        shares = {
            emotion: torch.stack([v.shares[emotion] for v in voices if emotion in v.shares]).mean(0)
            for emotion in {name for voice in voices for name in voice.shares}
        }
        return cls(MEAN, torch.stack([voice.row for voice in voices]).mean(0), shares)

    def put(self, student: SovitsTiny, index: int, emotions: Mapping[str, int]) -> None:
        """Give a character of another student this voice."""
        tables = student.encoder.conditioning
        with torch.no_grad():
            tables.character.weight[index] = self.row
            for emotion, row in emotions.items():
                share = self.shares.get(emotion, torch.zeros_like(self.row))
                tables.interaction.weight[index * tables.n_emotions + row] = share


def _spoken(info: StudentInfo) -> set[tuple[str, str]]:
    """Pairs of character and emotion that the student was trained on; all where its corpus is not known."""
    rows = [key.split() for key in info.corpus.get("lines", {})]  # character, language, emotion, split
    found = {(row[0], row[2]) for row in rows if row[3] == "train"}
    return found or {(character, emotion) for character in info.characters for emotion in info.emotions}


def choose_voices(
    student: SovitsTiny,
    start: Start,
    examples: Sequence[Example],
    characters: Mapping[str, int],
    emotions: Mapping[str, int],
    score: Score,
) -> dict[str, str]:
    """Let each new character begin as the old one that it is least unlike.

    Args:
        student: as ``adapt`` made it; its tables are set.
        start: where the old characters are.
        examples: training lines of all new characters.
        characters: names to rows of the new student.
        emotions: the same.
        score: loss of ``student`` on lines.

    Returns:
        By name of the new character, the name of the one that it begins as.
    """
    chosen = {}
    for name, index in characters.items():
        if name in start.info.characters:
            chosen[name] = name
            continue
        lines = [e for e in examples if e.condition[0] == index]
        lines = lines[:: max(1, len(lines) // TRIAL_LINES)][:TRIAL_LINES]
        tried = []
        for voice in _candidates(start):
            voice.put(student, index, emotions)
            tried.append((score(lines), voice))
        best = min(tried, key=lambda pair: pair[0])[1]
        best.put(student, index, emotions)
        chosen[name] = best.name
    return chosen


def _candidates(start: Start) -> Iterator[Voice]:
    yield Voice.mean(start)
    yield from (Voice.of(start, name) for name in start.info.characters)
