"""Corpus configuration: who says which lines, and how the sound is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ..config import Section

BUILTIN = Path(__file__).parents[1] / "configs" / "builtin.toml"
GENRES = ("heldout", "dialogue", "scene", "narration", "stage", "numbers", "cries", "long", "mixed", "sounds")
BUILTIN_SCRIPT = "builtin"  # the lines in distill/script
MORE_LINES = "builtin-more"  # and what is there besides, in English
CORE_LINES = "builtin-core"  # of the lines in distill/script, those that no pattern made
TOLD_SCRIPTS = (BUILTIN_SCRIPT, "scene")  # of a voice of one's own, unless its file says otherwise
PACKAGE_SCRIPTS = {  # how their files begin
    BUILTIN_SCRIPT: "lines",
    MORE_LINES: "more",
    CORE_LINES: "lines",
    **{name: name for name in GENRES},
}


class Recording(Section):
    """What one character says in one language."""

    character: str
    """Name of the character in the voice."""
    language: str = Field(pattern="^(zh|en|ja)$")
    """``zh``, ``en`` or ``ja``."""
    teacher: str
    """Who speaks."""
    script: tuple[str, ...] = (BUILTIN_SCRIPT,)
    """``builtin``, ``builtin-more``, or files of lines, as absolute paths; several are read one after the
    other."""
    lines: dict[str, int] = Field(default_factory=dict)
    """Number of training lines by emotion, each at most the whole script; the validation lines are shared out
    among these emotions."""
    shares: dict[str, Annotated[float, Field(ge=0.0, le=1.0)]] = Field(default_factory=dict)
    """In place of numbers, what share of the whole script is said in each emotion, 0 to 1. Which lines
    depends on their texts alone, so that a script can grow without being said again."""
    told: tuple[str, ...] = ()
    """Scripts of which the teacher tells the prosody of the training lines without saying them
    (``sovits-distill tell``), in the emotions of ``shares`` or ``lines`` and in these proportions."""
    takes: int = Field(default=1, ge=1)
    """How often each training line is said, each time with another seed."""
    valid_lines: int | None = None
    """Number of validation lines; all of the script when absent."""
    test_lines: dict[str, int]
    """Number of held-out lines by emotion; the first ones of the script's test lines."""
    rate_test_lines: int = 0
    """Held-out lines said again, 10 % faster and slower in turn: the teacher's own spread."""

    @model_validator(mode="after")
    def _numbers_or_shares(self) -> Recording:
        if self.shares and (self.lines or sum(self.shares.values()) > 1 + 1e-9):
            raise ValueError("shares stand in place of lines and are at most 1 together")
        return self

    def told_shares(self) -> dict[str, float]:
        """Give the share of each emotion in the lines that are told."""
        total = sum(self.lines.values())
        return self.shares or {emotion: count / total for emotion, count in self.lines.items() if count}


class CorpusSound(Section):
    """How the lines of a corpus are kept, whoever says them."""

    seed: int = 20240229
    """Decides which line goes to whom, and is handed to teachers that sample."""
    level_dbfs: float = Field(default=-26.0, ge=-60.0, le=-6.0)
    """Mean level of neutral speech, RMS over its sounding 4 ms steps; one gain per character and language
    brings it there, so that what is louder in one emotion stays louder."""
    leading_silence_s: float = Field(default=0.016, ge=0.0, le=1.0)
    """Silence kept before the first sound."""
    trailing_silence_s: float = Field(default=0.100, ge=0.0, le=1.0)
    """Silence kept after the last sound."""
    lexicon: Path | None = None
    """Words with a reading of their own (docs/lexicon.md); relative to the file."""

    @field_validator("lexicon")
    @classmethod
    def _lexicon_beside_the_file(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        folder = (info.context or {}).get("folder")
        return value if value is None or folder is None else (Path(folder) / value).resolve()


class CorpusConfig(CorpusSound):
    """A corpus of several characters."""

    recordings: tuple[Recording, ...]
    """Who says what."""
