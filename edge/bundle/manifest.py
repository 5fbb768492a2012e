"""``manifest.json`` of a voice bundle as a model: the authority on its keys, units and ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..errors import RequestError
from ..spec import NAME

Name = Annotated[str, Field(pattern=f"^{NAME}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Language = Literal["zh", "en", "ja"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Model):
    """A file of the bundle."""

    sha256: Sha256
    bytes: int = Field(ge=1, description="size")


class Character(_Model):
    """A voice of the bundle."""

    name: Name
    id: int = Field(ge=0, description="row of the character embedding")
    languages: tuple[Language, ...] = Field(min_length=1, description="spoken in training")
    emotions: tuple[Name, ...] = Field(min_length=1, description="heard in training")
    fallbacks: dict[Name, Name] = Field(default_factory=dict, description="emotion asked for -> emotion used")
    description: str = ""
    level_dbfs: float | None = Field(
        default=None, ge=-100, le=0, description="RMS of a sentence without pauses; absent: to be measured"
    )

    def emotion(self, asked: str) -> str:
        """Return the emotion that is used for one asked for: itself, or the nearest that was trained."""
        return asked if asked in self.emotions else self.fallbacks.get(asked, self.emotions[0])

    def emotion_warning(self, asked: str) -> list[str]:
        """Return what to tell the sender if an emotion is replaced; nothing if it is not."""
        used = self.emotion(asked)
        return [] if used == asked else [f"{self.name} has no emotion {asked!a}: {used} is used"]

    @model_validator(mode="after")
    def _fallbacks_exist(self) -> Character:
        for asked, used in self.fallbacks.items():
            if used not in self.emotions:
                raise ValueError(
                    f"character {self.name}: fall-back of {asked} is {used}, not one of {self.emotions}"
                )
        return self


def choose_character(characters: Sequence[Character], name: str | None) -> Character:
    """Return the character of that name; without a name, the only one there is.

    Raises:
        RequestError: ``unknown_character``, with the names that there are.
    """
    found = [entry for entry in characters if entry.name == name] if name else list(characters)
    if len(found) != 1:
        known = ", ".join(entry.name for entry in characters)
        fault = f"{name!a} is not one of them" if name else "the request names none"
        raise RequestError(f"the characters are {known}; {fault}", "unknown_character")
    return found[0]


class Provenance(_Model):
    """A teacher that the voice was distilled from."""

    teacher: str
    licence: str
    credit: str = ""
    synthesiser: str = Field(default="", description="name and version of the program that spoke")


class Consent(_Model):
    """Who allowed this voice to be cloned, and for what; absent where no person's voice is imitated."""

    holder: str
    scope: str
    date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    evidence: str = Field(default="", description="where the signed record is kept")
    revocation: str = Field(default="", description="whom to ask, or where revocations are published")


class Origin(_Model):
    """Whether the voice imitates a person. A bundle without it is taken for the voice of a person."""

    kind: Literal["synthetic", "person"]
    statement: str = Field(default="", description="how a synthetic voice came about; nobody is imitated")
    references: tuple[Sha256, ...] = Field(default=(), description="hashes of the recordings of a person")

    @model_validator(mode="after")
    def _says_enough(self) -> Origin:
        if self.kind == "synthetic" and (not self.statement or self.references):
            raise ValueError("origin: a synthetic voice needs a statement and has no references")
        if self.kind == "person" and not self.references:
            raise ValueError("origin: the voice of a person needs the hashes of its recordings (references)")
        return self


class Quantization(_Model):
    """How the networks were quantized and what that cost; figures of ``sovits-quantize compare``."""

    scheme: Literal["fp32", "int8-qdq"]
    float_layers: tuple[str, ...] = Field(default=(), description="matrix products kept in float32")
    half_layers: tuple[str, ...] = Field(
        default=(), description="layers that a GPU computes in float16, those in int8 with a float16 result"
    )
    log_mel_distance_db: float | None = Field(default=None, ge=0)
    spectral_snr_db: float | None = None
    duration_error_frames: float | None = Field(default=None, ge=0)
    f0_error_cents: float | None = Field(default=None, ge=0)
    speedup: float | None = Field(default=None, gt=0, description="FP32 time / INT8 time, same runtime")


class Golden(_Model):
    """A line and what it must come out as, to within the tolerances of :mod:`edge.golden`."""

    text: str = Field(min_length=1)
    character: Name
    language: Literal["auto", "zh", "en", "ja"] = "auto"
    durations: tuple[int, ...] = Field(min_length=1, description="frames per symbol of the only phrase")
    levels_db: tuple[float, ...] = Field(min_length=1, description="level of each 0.1 s, dB below full scale")


class Manifest(_Model):
    """Everything a device needs to know about a voice before it opens the networks."""

    format_version: int
    name: Name
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    sample_rate: int
    hop_length: int
    n_fft: int
    symbols_sha256: Sha256
    files: dict[FileName, FileEntry]
    context_frames: int = Field(ge=0, le=512, description="receptive field of the decoder on either side")
    first_window_frames: int = Field(ge=1, le=512)
    window_frames: int = Field(ge=1, le=4096)
    characters: tuple[Character, ...] = Field(min_length=1)
    emotions: dict[Name, Annotated[int, Field(ge=0)]] = Field(description="rows of the emotion embedding")
    provenance: tuple[Provenance, ...] = Field(min_length=1)
    licence: str
    consent: Consent | None = None
    origin: Origin | None = None
    quantization: Quantization
    golden: Golden

    @model_validator(mode="after")
    def _names_resolve(self) -> Manifest:
        names = [character.name for character in self.characters]
        if len(set(names)) != len(names):
            raise ValueError(f"characters: a name occurs twice in {names}")
        if "neutral" not in self.emotions:
            raise ValueError("emotions: neutral is missing")
        for character in self.characters:
            unknown = set(character.emotions) - set(self.emotions)
            if unknown:
                raise ValueError(f"character {character.name}: emotions {sorted(unknown)} have no id")
        if self.golden.character not in names:
            raise ValueError(f"golden: character {self.golden.character} is not one of {names}")
        return self
