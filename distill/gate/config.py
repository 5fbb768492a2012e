"""The ``[gate]`` section: what is taken for a fault, and how often a teacher may try again."""

from __future__ import annotations

import shlex

from pydantic import BaseModel, ConfigDict, Field, field_validator

WHISPER = "whisper"  # the recogniser that evaluations use

Range = tuple[float, float]


class GateConfig(BaseModel):
    """Limits of the quality gate. The defaults were measured: benchmarks/results/quality/gate.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    """Judge lines at all."""
    attempts: int = Field(default=4, ge=1, le=50)
    """How often a teacher that samples may say a line, each time with another seed."""
    review: bool = True
    """Judge a second time with what the corpus taught about each voice: words, length, timbre. Only for
    teachers that may say something else than what is written."""
    review_lines: int = Field(default=100, ge=20)
    """Fewest lines of a character in a language from which a voice is learnt."""
    clipped_share: float = Field(default=0.004, gt=0, le=1)
    """Largest share of samples at the very top of a line, 0 to 1."""
    pause_s: float = Field(default=0.5, gt=0)
    """Silence inside a line that is this long needs a punctuation mark, seconds."""
    longest_pause_s: float = Field(default=1.2, gt=0)
    """Longest silence inside a line, seconds."""
    ms_per_phoneme: dict[str, Range] = {"zh": (45.0, 260.0), "en": (38.0, 200.0), "ja": (32.0, 180.0)}
    """Shortest and longest mean length of a sounded phoneme by language, in milliseconds at rate 1; holds
    until the corpus has taught better."""
    repeated_share: float = Field(default=0.3, gt=0, le=1)
    """Largest share of a line that repeats what was said before in it, beyond what is written, 0 to 1:
    endless loops."""
    word_nats: float = Field(default=20.0, gt=0)
    """How much more likely a line must be with words dropped or repeated than as written."""
    length_deviations: float = Field(default=4.5, gt=0)
    """Allowed deviation from the voice's own length, in robust standard deviations."""
    fit_deviations: float = Field(default=6.0, gt=0)
    """Allowed lack of likeness to the voice's own phonemes, likewise."""
    timbre_deviations: float = Field(default=8.0, gt=0)
    """Allowed distance from the voice's own timbre, likewise."""
    recogniser: str | None = None
    """``whisper``, or a command that prints what it hears, such as ``my-asr --lang {language} {wav}``; run
    without a shell on a WAV file of 16 kHz, 16 bit, mono."""
    recogniser_error: float = Field(default=0.3, ge=0)
    """Largest share of characters (Chinese, Japanese), words (English) or phonemes, whichever is smallest,
    that the recogniser may hear otherwise."""
    recogniser_timeout_s: float = Field(default=60.0, gt=0)
    """For one line, seconds."""

    @field_validator("recogniser")
    @classmethod
    def _names_the_file(cls, value: str | None) -> str | None:
        if value in (None, WHISPER):
            return value
        try:
            words = shlex.split(value)
        except ValueError as error:
            raise ValueError(f"{value!r} is not a command line: {error}") from error
        if not any("{wav}" in word for word in words):
            raise ValueError(
                f'{value!r} does not say where the file goes; write it as "my-asr {{wav}}", or "{WHISPER}"'
            )
        return value

    @field_validator("ms_per_phoneme")
    @classmethod
    def _has_every_language(cls, value: dict[str, Range]) -> dict[str, Range]:
        missing = {"zh", "en", "ja"} - set(value)
        if missing:
            raise ValueError(f"lacks {', '.join(sorted(missing))}; give zh, en and ja")
        if any(not 0 < low < high for low, high in value.values()):
            raise ValueError("each language needs its shortest and its longest length, in this order")
        return value
