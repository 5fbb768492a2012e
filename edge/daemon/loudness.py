"""Loudness of lines: each character brought to its target, peaks held below the ceiling."""

from __future__ import annotations

import logging
from dataclasses import replace

from ..audio import AudioChunk
from ..config import LoudnessConfig
from ..engine.base import VoiceInfo
from ..loudness.level import SILENCE_DBFS
from ..loudness.limiter import Limiter

logger = logging.getLogger(__name__)


class LevelledLine:
    """A line on its way out, turned up or down; the last samples of a chunk come with the next one.

    Args:
        limiter: of this line alone.
    """

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._position = 0

    def take(self, chunk: AudioChunk) -> AudioChunk:
        """Return what is to be heard now: as many samples as went in, once the final chunk has."""
        samples = self._limiter.process(chunk.samples, last=chunk.final)
        start, self._position = self._position, self._position + len(samples)
        return replace(chunk, samples=samples, start=start)


class Loudness:
    """Knows by how much each character is turned up. Only the core thread uses it.

    Args:
        config: targets and ceiling.
    """

    def __init__(self, config: LoudnessConfig) -> None:
        self._config = config
        self._gains: dict[str, float] = {}

    def load(self, voice: VoiceInfo) -> None:
        """Work out the gains for a voice."""
        self._gains = {}
        for character in voice.characters:
            target, level = self._config.target(character.name), voice.levels.get(character.name)
            if target is None or level is None or level <= SILENCE_DBFS:
                continue
            gain = min(target - level, self._config.max_gain_db)
            self._gains[character.name] = gain
            logger.info("%s: %.1f dBFS, %+.1f dB", character.name, level, gain)

    def line(self, character: str) -> LevelledLine | None:
        """Begin a line; None where nothing is to be done."""
        gain = self._gains.get(character)
        return None if gain is None else LevelledLine(Limiter(gain, self._config.ceiling_dbfs))
