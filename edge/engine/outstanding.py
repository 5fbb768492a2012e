"""Lines under way, and how far each has got: a second try goes on where the first one stopped."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeVar

from ..audio import AudioChunk, Pcm16
from ..synthesizer import SpeechRequest
from .base import EngineMessage, LineChunk, LineReady

RETRIES = 1  # of a line during which its child was lost
MAX_LOSSES = 3  # children that a line outlives while others were at fault

Message = TypeVar("Message", bound=EngineMessage)


@dataclass
class Delivered:
    """What of a line has been passed on; it comes out alike each time, so a second try skips that much."""

    ready: bool = False
    n_chunks: int = 0
    n_samples: int = 0
    _n_seen: int = 0

    @property
    def begun(self) -> bool:
        """Return whether this try has given sound, new or not."""
        return self._n_seen > 0

    def again(self) -> None:
        """Expect the line from its beginning."""
        self._n_seen = 0

    def fresh(self, message: EngineMessage) -> EngineMessage | None:
        """Return what is new in a message; None if all of it has been passed on before.

        Raises:
            ValueError: a chunk does not follow what came before it.
        """
        if isinstance(message, LineReady):
            first, self.ready = not self.ready, True
            return message if first else None
        if isinstance(message, LineChunk):
            chunk = self._fresh_sound(message.chunk)
            return None if chunk is None else replace(message, chunk=chunk)
        return message

    def _fresh_sound(self, chunk: AudioChunk) -> AudioChunk | None:
        end = chunk.start + len(chunk.samples)
        if chunk.start > self.n_samples:
            raise ValueError(f"sound from sample {chunk.start} on follows {self.n_samples} samples")
        self._n_seen += 1
        if end < self.n_samples or (end == self.n_samples and self._n_seen <= self.n_chunks):
            return None
        known, self.n_samples = self.n_samples - chunk.start, end
        self.n_chunks = max(self.n_chunks, self._n_seen)
        if not known:
            return chunk
        marks = tuple(mark for mark in chunk.marks if mark.sample >= chunk.start + known)
        return replace(
            chunk, samples=chunk.samples[known:], start=chunk.start + known, timeline=None, marks=marks
        )


@dataclass
class Outstanding:
    """A line that a child process works on or will."""

    serial: int
    """Names it between the processes."""
    line_id: str
    """Names it for the core."""
    request: SpeechRequest
    """What to say."""
    urgency: int
    """As given."""
    delivered: Delivered = field(default_factory=Delivered)
    """How far it has got."""
    voice: str = ""
    """Identity of the voice that it was begun with."""
    failures: int = 0
    """Children that were lost while they worked on it."""
    losses: int = 0
    """Children that were lost while it waited or was worked on."""
    pieces: list[Pcm16] = field(default_factory=list)
    """Sound of a chunk whose end has not arrived."""

    def begin(self, voice: str) -> None:
        """Note the voice with which it begins; what another one has announced without sound is told anew."""
        if self.voice not in ("", voice):
            self.delivered = Delivered()
        self.voice = voice

    def again(self) -> None:
        """Expect the line from its beginning, from another child."""
        self.pieces.clear()
        self.delivered.again()

    def lost(self, *, guilty: bool) -> bool:
        """Note that the child is lost which had the line; True if no other is to try it.

        Args:
            guilty: whether the child worked on this line.
        """
        self.again()
        self.losses += 1
        self.failures += guilty
        return self.failures > RETRIES or self.losses > MAX_LOSSES
