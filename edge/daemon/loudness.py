"""Loudness of lines: each character brought to its target, peaks held below the ceiling."""

from __future__ import annotations

import logging
from dataclasses import replace

from ..audio import AudioChunk
from ..config import LoudnessConfig
from ..engine.base import EngineLevels, VoiceInfo
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
        self._voice: VoiceInfo | None = None
        self._levels: dict[str, float] = {}
        self._gains: dict[str, float] = {}

    def load(self, voice: VoiceInfo) -> None:
        """Work out the gains for a voice; what has been measured of the same one before holds."""
        if self._voice is None or self._voice.fingerprint != voice.fingerprint:
            self._levels, self._gains = {}, {}
        self._voice = voice
        self.learn(EngineLevels(voice.fingerprint, voice.levels))

    def learn(self, message: EngineLevels) -> None:
        """Take note of levels; those of a voice that has been replaced are of no use."""
        if self._voice is None or message.fingerprint != self._voice.fingerprint:
            return
        for name, level in message.levels.items():
            target = self._config.target(name)
            if self._levels.get(name) != level and target is not None and level > SILENCE_DBFS:
                gain = min(target - level, self._config.max_gain_db)
                self._gains[name] = gain
                logger.info("%s: %.1f dBFS, %+.1f dB", name, level, gain)
            self._levels[name] = level

    def awaits(self, character: str) -> bool:
        """Tell whether the level of a character will be known once the synthesiser has spoken as it."""
        due = () if self._voice is None else self._voice.unmeasured
        return character in due and character not in self._levels

    def line(self, character: str) -> LevelledLine | None:
        """Begin a line; None where nothing is to be done."""
        gain = self._gains.get(character)
        return None if gain is None else LevelledLine(Limiter(gain, self._config.ceiling_dbfs))
