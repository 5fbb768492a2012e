"""What a corpus is made of: who says which lines, and how the sound is kept."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from ..config import Section

BUILTIN = Path(__file__).parents[1] / "configs" / "builtin.toml"
BUILTIN_SCRIPT = "builtin"  # the lines in distill/script
MORE_LINES = "builtin-more"  # and what is there besides, in English
PACKAGE_SCRIPTS = {BUILTIN_SCRIPT: "lines", MORE_LINES: "more"}  # how their files begin


class Recording(Section):
    """What one character says in one language.

    Attributes:
        character: name of the character in the voice.
        language: ``zh``, ``en`` or ``ja``.
        teacher: who speaks.
        script: ``builtin``, ``builtin-more``, or files of lines, as absolute paths; several are read one
            after the other.
        lines: number of training lines by emotion, each at most the whole script; the validation lines are
            shared out among these emotions.
        takes: how often each training line is said, each time with another seed.
        valid_lines: number of validation lines; all of the script when absent.
        test_lines: number of held-out lines by emotion; the first ones of the script's test lines.
        rate_test_lines: held-out lines said again, 10 % faster and slower in turn: the teacher's own spread.
    """

    character: str
    language: str = Field(pattern="^(zh|en|ja)$")
    teacher: str
    script: tuple[str, ...] = (BUILTIN_SCRIPT,)
    lines: dict[str, int]
    takes: int = Field(default=1, ge=1)
    valid_lines: int | None = None
    test_lines: dict[str, int]
    rate_test_lines: int = 0


class CorpusSound(Section):
    """How the lines of a corpus are kept, whoever says them.

    Attributes:
        seed: decides which line goes to whom, and is handed to teachers that sample.
        level_dbfs: mean level of neutral speech, RMS over its sounding 4 ms steps; one gain per character and
            language brings it there, so that what is louder in one emotion stays louder.
        leading_silence_s: silence kept before the first sound.
        trailing_silence_s: silence kept after the last sound.
    """

    seed: int = 20240229
    level_dbfs: float = Field(default=-26.0, ge=-60.0, le=-6.0)
    leading_silence_s: float = Field(default=0.016, ge=0.0, le=1.0)
    trailing_silence_s: float = Field(default=0.100, ge=0.0, le=1.0)


class CorpusConfig(CorpusSound):
    """A corpus of several characters.

    Attributes:
        recordings: who says what.
    """

    recordings: tuple[Recording, ...]
