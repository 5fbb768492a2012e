"""Judge a line by itself, before anything is known about the voice: silence, clipping, length, loops."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from edge.text import Reading
from edge.text.symbols import PUNCTUATION

from ..sound import Audio
from .clipping import judge_clipping
from .config import GateConfig
from .fault import Fault
from .loops import repeated_share, written_share
from .pauses import Pauses, find_pauses
from .phonetics import unit
from .spectrum import Frames, cepstra, log_mel

ENDS_S = 0.4  # a line's ends take so much longer than its phonemes: what few phonemes may last besides


@dataclass(frozen=True)
class Heard:
    """A line that was spoken; measures are taken when they are first asked for."""

    audio: Audio
    """(n_samples,) at 32 kHz, trimmed."""
    reading: Reading
    language: str
    emotion: str = "neutral"
    rate: float = 1.0
    """Speaking rate relative to the character's own."""

    @cached_property
    def mel(self) -> Frames:
        """Log-mel frames every 10 ms."""
        return log_mel(self.audio)

    @cached_property
    def cepstra(self) -> Frames:
        """Cepstra and slopes every 10 ms."""
        return cepstra(self.mel)

    @cached_property
    def pauses(self) -> Pauses:
        """Silence inside the line."""
        return find_pauses(self.audio)

    @property
    def n_sounded(self) -> int:
        """Phonemes that sound."""
        return sum(unit(symbol) is not None for symbol in self.reading.phonemes)

    @property
    def n_marks(self) -> int:
        """Punctuation marks inside the line, where a voice may pause."""
        marks = [symbol in PUNCTUATION for symbol in self.reading.phonemes]
        return sum(marks) - sum(marks[len(marks) - 1 :])


def first_look(config: GateConfig, line: Heard) -> Fault | None:
    """Find what is wrong with a line by itself; the gravest fault that is cheap to see comes first."""
    for judge in (_clipping, _pause, _length, _loop):
        if (fault := judge(config, line)) is not None:
            return fault
    return None


def _clipping(config: GateConfig, line: Heard) -> Fault | None:
    return judge_clipping(config, line.audio)


def _pause(config: GateConfig, line: Heard) -> Fault | None:
    seconds = line.pauses.seconds
    if seconds and seconds[0] > config.longest_pause_s:
        return Fault("pause", seconds[0], config.longest_pause_s, f"a silence of {seconds[0]:.2f} s inside")
    unaccounted = seconds[line.n_marks] if len(seconds) > line.n_marks else 0.0
    if unaccounted <= config.pause_s:
        return None
    detail = f"{line.n_marks + 1} silences of {unaccounted:.2f} s or more, but {line.n_marks} marks inside"
    return Fault("pause", unaccounted, config.pause_s, detail)


def _length(config: GateConfig, line: Heard) -> Fault | None:
    shortest, longest = config.ms_per_phoneme[line.language]
    each = 1000 * line.rate * line.pauses.speech_s / max(1, line.n_sounded)
    if each < shortest:
        return Fault("length", each, shortest, f"{each:.0f} ms per phoneme, too short for all of them")
    each -= 1000 * ENDS_S / max(1, line.n_sounded)
    if each > longest:
        return Fault("length", each, longest, f"{each:.0f} ms per phoneme without the ends, too long")
    return None


def _loop(config: GateConfig, line: Heard) -> Fault | None:
    share = repeated_share(line.mel) - written_share(line.reading.phonemes)
    if share <= config.repeated_share:
        return None
    return Fault("loop", share, config.repeated_share, f"{100 * share:.0f} % of the line repeats the rest")
