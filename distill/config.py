"""What a corpus is made of: a TOML file, checked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BUILTIN = Path(__file__).parent / "configs" / "builtin.toml"


class DistillError(RuntimeError):
    """A file of the training side is missing or wrong; the message says what to change."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Recording(_Section):
    """What one character says in one language.

    Attributes:
        character: name of the character in the voice.
        language: ``zh``, ``en`` or ``ja``.
        teacher: who speaks.
        lines: number of training lines by emotion; the validation lines are shared out among these emotions.
        valid_lines: number of validation lines; all of the script when absent.
        test_lines: number of held-out lines by emotion; the first ones of the script's test lines.
        rate_test_lines: held-out lines said again, 10 % faster and slower in turn: the teacher's own spread.
    """

    character: str
    language: str = Field(pattern="^(zh|en|ja)$")
    teacher: str
    lines: dict[str, int]
    valid_lines: int | None = None
    test_lines: dict[str, int]
    rate_test_lines: int = 0


class CorpusConfig(_Section):
    """A corpus of several characters.

    Attributes:
        seed: decides which line goes to whom, and is handed to teachers that sample.
        level_dbfs: mean level of neutral speech, RMS over its sounding 4 ms steps; one gain per character and
            language brings it there, so that what is louder in one emotion stays louder.
        leading_silence_s: silence kept before the first sound.
        trailing_silence_s: silence kept after the last sound.
        recordings: who says what.
    """

    seed: int = 20240229
    level_dbfs: float = -26.0
    leading_silence_s: float = 0.016
    trailing_silence_s: float = 0.100
    recordings: tuple[Recording, ...]


def load_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        DistillError: the file is missing or not TOML.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise DistillError(f"cannot read {path}: {error.strerror}; give the path of a TOML file") from error
    except tomllib.TOMLDecodeError as error:
        raise DistillError(f"{path} is not TOML: {error}") from error


def load_corpus_config(path: Path = BUILTIN) -> CorpusConfig:
    """Read and check a corpus configuration.

    Raises:
        DistillError: a key is unknown or a value is out of place; the message names it.
    """
    try:
        return CorpusConfig.model_validate(load_toml(path).get("corpus", {}))
    except ValidationError as error:
        details = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise DistillError(f"{path}: [corpus] {details}") from error
