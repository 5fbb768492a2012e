"""Level of a character: as its bundle says, or measured once for each voice on a sentence, and kept."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from ..audio import Pcm16
from ..bundle.manifest import Character
from ..durable import write_whole
from ..spec import SAMPLE_RATE

logger = logging.getLogger(__name__)

LEVELS_FILE = "levels.json"  # in the state directory
SENTENCES = {
    "en": "The doors open at seven, and everyone finds a seat before the lights go down.",
    "ja": "開場は七時です。明かりが消える前に、どうぞお席にお着きください。",
    "zh": "七点开门，灯光变暗之前，请大家都找到自己的座位。",
}
SILENCE_DBFS = -100.0
_BLOCK = SAMPLE_RATE // 10
_GATE_DB = 10.0  # blocks this much below the mean are pauses
_KEPT_VOICES = 8

Speak = Callable[[str, str, str], Pcm16]
"""Takes text, character and language; returns the sound of the whole line."""


def speech_level(samples: Pcm16) -> float:
    """Return the level of speech without its pauses, RMS in dB below full scale.

    Args:
        samples: (n,) at the rate of a voice; less than 0.1 s is silence.
    """
    blocks = samples[: len(samples) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).astype(np.float64) / 32_768
    power = np.mean(blocks**2, axis=1)
    if not power.size or not power.max():
        return SILENCE_DBFS
    spoken = power[power >= power.mean() * 10 ** (-_GATE_DB / 10)]
    return max(SILENCE_DBFS, round(float(10 * np.log10(spoken.mean())), 2))


def character_level(speak: Speak, character: Character) -> float:
    """Return how loud a character is, RMS in dBFS, from a sentence in its first language.

    Raises:
        EdgeError: it does not speak.
    """
    language = character.languages[0]
    return speech_level(speak(SENTENCES[language], character.name, language))


class Levels:
    """How loud the characters of a voice are: as told or kept, the others measured one at a time.

    Args:
        state_dir: where levels are kept; None: nowhere.
        fingerprint: of everything that the sound depends on.
        characters: of the voice; none where nobody needs to know.
    """

    def __init__(
        self, state_dir: Path | None = None, fingerprint: str = "", characters: Sequence[Character] = ()
    ) -> None:
        self._path = None if state_dir is None else state_dir / LEVELS_FILE
        self._fingerprint = fingerprint
        self.known = {one.name: one.level_dbfs for one in characters if one.level_dbfs is not None}
        """RMS in dBFS by character."""
        self._missing = {one.name: one for one in characters if one.name not in self.known}
        kept = _read(self._path).get(fingerprint, {}) if self._path is not None and self._missing else {}
        for name in self._missing.keys() & kept.keys():
            self.known[name] = kept[name]
            del self._missing[name]

    @property
    def missing(self) -> tuple[str, ...]:
        """Return whom nobody has measured yet."""
        return tuple(self._missing)

    def measure(self, speak: Speak, name: str = "") -> None:
        """Measure a character that has not been measured; if there is one.

        Args:
            speak: says a sentence as one of them.
            name: whom; whoever is next if empty.

        Raises:
            EdgeError: it does not speak; it counts as silent, and is not tried again.
        """
        character = self._missing.pop(name or next(iter(self._missing), ""), None)
        if character is None:
            return
        self.known[character.name] = SILENCE_DBFS
        level = self.known[character.name] = character_level(speak, character)
        logger.info("%s speaks at %.1f dBFS", character.name, level)
        if self._path is not None:
            self._keep(self._path)

    def _keep(self, path: Path) -> None:
        others = {voice: levels for voice, levels in _read(path).items() if voice != self._fingerprint}
        heard = {name: level for name, level in self.known.items() if level > SILENCE_DBFS}
        _write(path, {**dict(list(others.items())[1 - _KEPT_VOICES :]), self._fingerprint: heard})


def _read(path: Path) -> dict[str, dict[str, float]]:
    """Return what was kept; a file that says nothing sensible counts as none."""
    with suppress(OSError, ValueError, AttributeError, TypeError):
        found = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(voice): {str(name): float(level) for name, level in levels.items()}
            for voice, levels in found.items()
        }
    return {}


def _write(path: Path, levels: dict[str, dict[str, float]]) -> None:
    try:
        write_whole(path, json.dumps(levels, indent=1).encode())
    except OSError as error:
        logger.debug("levels are measured again at the next start: %s", error)
