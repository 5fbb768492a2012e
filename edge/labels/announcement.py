"""Audible label of a line: the sentence or the rhythm, heard before or after what is said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..audio import AudioChunk, Pcm16
from ..lipsync.timeline import Timeline, concatenate, shifted, silence_timeline
from ..spec import SAMPLE_RATE
from ..text.scripts import HAN, KANA
from .policy import LinePlan, Position
from .rhythm import rhythm

PAUSE_S = 0.2  # between the sentence and the line
_KANA, _HAN = re.compile(f"[{KANA}]"), re.compile(f"[{HAN}]")


@dataclass(frozen=True)
class Announcement:
    """What is heard of a label."""

    samples: Pcm16
    """(n,) PCM."""
    timeline: Timeline
    """Words, phonemes and mouth shapes from its own first sample."""
    position: Position
    """Before or after the line."""

    @property
    def lead(self) -> int:
        """Samples by which the line itself begins later."""
        return len(self.samples) if self.position == "start" else 0


def announcement(plan: LinePlan, notice: Sequence[AudioChunk]) -> Announcement | None:
    """Put together what a plan asks for; None if that is nothing.

    Args:
        plan: of the line.
        notice: its sentence as spoken; where it could not be spoken, the rhythm stands in for it.
    """
    if not plan.is_due:
        return None
    parts = [_silent(rhythm())] if plan.rhythm or not notice else []
    if plan.notice and notice:
        parts.append(_spoken(notice))
    pause = _silent(np.zeros(round(PAUSE_S * SAMPLE_RATE), np.int16))
    parts = [*parts, pause] if plan.position == "start" else [pause, *parts]
    timelines, at = [], 0
    for samples, timeline in parts:
        timelines.append(shifted(timeline, at))
        at += len(samples)
    audio = np.concatenate([samples for samples, _ in parts])
    return Announcement(audio, concatenate(timelines), plan.position)


class Announced:
    """A line with its label, chunk by chunk: samples, marks and times of the line move along.

    Args:
        label: what is heard with it; None for nothing.
    """

    def __init__(self, label: Announcement | None) -> None:
        self.label = label
        self._is_led = label is None or label.position == "end"

    def around(self, chunk: AudioChunk) -> list[AudioChunk]:
        """Return what is to be heard for a chunk of the line."""
        label = self.label
        if label is None:
            return [chunk]
        chunks = [] if self._is_led else [self._heard(0, chunk.sample_rate)]
        self._is_led = True
        chunks.append(_moved(chunk, label.lead))
        if chunk.final and label.position == "end":
            chunks[-1] = replace(chunks[-1], final=False)
            end = chunk.start + len(chunk.samples)
            chunks.append(replace(self._heard(end, chunk.sample_rate), final=True))
        return chunks

    def _heard(self, start: int, sample_rate: int) -> AudioChunk:
        assert self.label is not None
        timeline = shifted(self.label.timeline, start)
        return AudioChunk(self.label.samples, sample_rate, start, False, timeline)


def line_language(plain: str, asked: str, languages: Sequence[str]) -> str:
    """Language in which a line is announced: its own as far as its letters tell, else one of the voice's.

    Args:
        plain: text without tags.
        asked: ``auto``, or what the request says.
        languages: of the character.
    """
    if asked in languages:
        return asked
    is_japanese, is_han = _KANA.search(plain) is not None, _HAN.search(plain) is not None
    wanted = ["ja", "zh"] if is_japanese else ["zh", "ja"] if is_han else ["en"]
    return next((name for name in [*wanted, *languages] if name in languages), "en")


def _silent(samples: Pcm16) -> tuple[Pcm16, Timeline]:
    return samples, silence_timeline(0, len(samples))


def _spoken(notice: Sequence[AudioChunk]) -> tuple[Pcm16, Timeline]:
    """Sound and times of a sentence; its words have no place in the text of the line."""
    timeline = concatenate(chunk.timeline for chunk in notice if chunk.timeline is not None)
    words = tuple(word._replace(offset=-1) for word in timeline.words)
    return np.concatenate([chunk.samples for chunk in notice]), replace(timeline, words=words)


def _moved(chunk: AudioChunk, by: int) -> AudioChunk:
    if not by:
        return chunk
    return replace(
        chunk,
        start=chunk.start + by,
        timeline=None if chunk.timeline is None else shifted(chunk.timeline, by),
        marks=tuple(replace(mark, sample=mark.sample + by) for mark in chunk.marks),
    )
