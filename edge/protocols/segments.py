"""Lip-sync as published: flat objects in arrays, one kind of viseme per set."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..messages import Outbound

Seconds = float
Weight = Annotated[float, Field(ge=0, le=1)]


class _Item(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WordTime(_Item):
    """A word, seconds from the first sample of the line."""

    t: Seconds
    d: Seconds
    text: str


class PhonemeTime(_Item):
    """A phoneme."""

    t: Seconds
    d: Seconds
    ph: str


class OculusViseme(_Item):
    """A shape of the canonical set."""

    t: Seconds
    d: Seconds
    v: Literal["sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou"]
    w: Weight
    """How much of it."""


class RhubarbCue(_Item):
    """A mouth cue of Rhubarb."""

    start: Seconds
    end: Seconds
    value: Literal["A", "B", "C", "D", "E", "F", "G", "X"]


class AzureViseme(_Item):
    """A viseme of Azure's."""

    audio_offset: int
    """Start, in ticks of 100 ns."""
    viseme_id: int = Field(ge=0, le=21)


class PollyMark(_Item):
    """A speech mark of Polly's."""

    time: int
    """Milliseconds."""
    type: Literal["word", "viseme"]
    value: str
    start: int | None = None
    """Of a word: its first byte in the text without tags, UTF-8."""
    end: int | None = None


class ArkitFrame(_Item):
    """Weights of mouth shapes, 60 times a second."""

    t: Seconds
    jawOpen: Weight  # noqa: N815
    mouthClose: Weight  # noqa: N815
    mouthFunnel: Weight  # noqa: N815
    mouthPucker: Weight  # noqa: N815
    mouthPressLeft: Weight  # noqa: N815
    mouthPressRight: Weight  # noqa: N815
    mouthRollLower: Weight  # noqa: N815
    mouthLowerDownLeft: Weight  # noqa: N815
    mouthLowerDownRight: Weight  # noqa: N815
    mouthUpperUpLeft: Weight  # noqa: N815
    mouthUpperUpRight: Weight  # noqa: N815
    mouthStretchLeft: Weight  # noqa: N815
    mouthStretchRight: Weight  # noqa: N815
    tongueOut: Weight  # noqa: N815


class LipsyncSegment(Outbound):
    """What a stretch of a line looks like; sent before or with the sound that it describes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    segment: int
    """Number within the line, from 0."""
    final: bool
    """Whether it is the last one."""
    source: Literal["durations"] = "durations"
    words: list[WordTime]
    phonemes: list[PhonemeTime]
    visemes: list[OculusViseme] | list[RhubarbCue] | list[AzureViseme] | list[PollyMark] | list[ArkitFrame]
    """Of the set that was asked for."""
