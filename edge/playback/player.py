"""The lines that sound as a sink draws them, one by one in each channel; cutting, marks and the sound clock.

A sink pulls: it asks for the next block when its clock says so, on its own thread. Everything that happens at
a sample (first sound, a mark, the end, silence after a cut) is reported from there with the time at which it
is heard.

Lock order: the player's lock, then the inbox's (a leaf). The core takes the player's lock only through the
methods here, which hold it for microseconds.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from ..audio import AudioChunk, Pcm16
from .mixer import LOOK_AHEAD, Mixer

FADE_MS = 20
NS = 1_000_000_000


@dataclass(frozen=True)
class LineBegan:
    """The first sample went to the sink at ``t0_ns`` (monotonic) and is heard ``device_latency_s`` later."""

    line_id: str
    t0_ns: int
    device_latency_s: float


@dataclass(frozen=True)
class LineMark:
    """A mark; heard at ``heard`` (monotonic seconds)."""

    line_id: str
    name: str
    sample: int
    heard: float


@dataclass(frozen=True)
class LineEnded:
    """The last sample has been given to the sink."""

    line_id: str
    heard: float
    n_samples: int
    underruns: int


@dataclass(frozen=True)
class LineSilenced:
    """A line that was cut is silent; ``n_samples`` of it were given to the sink."""

    line_id: str
    heard: float
    n_samples: int


PlayerMessage = LineBegan | LineMark | LineEnded | LineSilenced


@dataclass
class _Track:
    line_id: str
    chunks: deque[Pcm16] = field(default_factory=deque)
    marks: deque[tuple[int, str]] = field(default_factory=deque)
    offset: int = 0
    """Samples already taken from the first chunk."""
    position: int = 0
    """Samples given to the sink."""
    complete: bool = False
    starving: bool = False
    underruns: int = 0
    device_underruns_before: int = 0
    fade_total: int = 0
    fade_left: int | None = None
    """Samples until silence, once the line is cut."""

    def available(self) -> int:
        return sum(len(chunk) for chunk in self.chunks) - self.offset

    def read(self, out: Pcm16) -> int:
        """Fill the beginning of ``out``, faded if the line is cut; return how many samples."""
        wanted = len(out) if self.fade_left is None else min(len(out), self.fade_left)
        filled = 0
        while filled < wanted and self.chunks:
            chunk = self.chunks[0]
            n_samples = min(wanted - filled, len(chunk) - self.offset)
            out[filled : filled + n_samples] = chunk[self.offset : self.offset + n_samples]
            filled += n_samples
            self.offset += n_samples
            if self.offset == len(chunk):
                self.chunks.popleft()
                self.offset = 0
        if self.fade_left is not None and filled:
            gains = np.arange(self.fade_left - 1, self.fade_left - 1 - filled, -1) / self.fade_total
            out[:filled] = np.rint(out[:filled] * gains).astype(np.int16)
            self.fade_left -= filled
        self.position += filled
        return filled

    @property
    def over(self) -> bool:
        if self.fade_left is not None:
            return self.fade_left == 0 or not self.chunks
        return self.complete and not self.chunks


class Player:
    """What sounds and what sounds next.

    Args:
        sample_rate: Hz of every line.
        emit: takes the messages; called on the sink's thread or the caller's, must not block.
        before_first: called with the id of a line immediately before its first sample goes to the sink.
        mixer: lets several channels sound at the same time; absent: there is one.
    """

    def __init__(
        self,
        sample_rate: int,
        emit: Callable[[PlayerMessage], None],
        before_first: Callable[[str], None] = lambda _: None,
        mixer: Mixer | None = None,
    ) -> None:
        self.sample_rate = sample_rate
        self.wake: Callable[[], None] = lambda: None
        """Set by the sink: called when there is something to pull."""
        self.device_underruns = 0
        """Counted up by the sink when the device itself ran dry; they go to the line that was sounding."""
        self._emit = emit
        self._before_first = before_first
        self._lock = threading.Lock()
        self._mixer = mixer
        self._channels: dict[str, deque[_Track]] = {}

    def begin(self, line_id: str, channel: str = "") -> None:
        """Put a line behind those that sound in its channel; its sound follows by ``feed``."""
        with self._lock:
            self._channels.setdefault(channel if self._mixer else "", deque()).append(_Track(line_id))

    def feed(self, line_id: str, chunk: AudioChunk) -> None:
        """Add sound to a line. Ignored for a line that is cut or gone."""
        with self._lock:
            track = self._find(line_id)
            if track is None or track.fade_left is not None:
                return
            if len(chunk.samples):
                track.chunks.append(chunk.samples)
            track.marks.extend((mark.sample, mark.name) for mark in chunk.marks)
            track.complete = chunk.final
        self.wake()

    def finish(self, line_id: str) -> None:
        """Say that a line has all its sound."""
        with self._lock:
            track = self._find(line_id)
            if track is not None:
                track.complete = True
        self.wake()

    def cut(self, line_id: str) -> bool:
        """Silence a line within ``FADE_MS``; ``LineSilenced`` follows. ``False`` if it is not here."""
        with self._lock:
            track = self._find(line_id)
            if track is None or track.fade_left is not None:
                return track is not None
            if track.position == 0 or not track.chunks:
                next(tracks for tracks in self._channels.values() if track in tracks).remove(track)
                self._emit(LineSilenced(line_id, 0.0, track.position))
                return True
            track.fade_total = min(FADE_MS * self.sample_rate // 1000, track.available())
            track.fade_left = track.fade_total
        return True

    def drop_all(self) -> list[str]:
        """Forget every line, for a sink that is gone; return their ids."""
        with self._lock:
            dropped = [track.line_id for track in self._tracks()]
            self._channels.clear()
            return dropped

    def pull(self, out: Pcm16, t_ns: int, latency_s: float) -> bool:
        """Give the sink its next block.

        Args:
            out: (n,) filled with sound, and with silence where there is none.
            t_ns: ``time.monotonic_ns()`` at which the sink takes the block.
            latency_s: how much later its first sample is heard.

        Returns:
            Whether anything sounds; if not, the sink may rest until ``wake``. A line whose first sound is not
            there yet lets it rest: what comes then is pulled at once, not at the next block.
        """
        with self._lock:
            active = any(track.chunks or track.position or track.complete for track in self._tracks())
            if self._mixer is None:
                out[self._fill(self._channels.get("", deque()), out, t_ns, latency_s) :] = 0
                return active
            active = active or self._mixer.sounds
            latency_s += LOOK_AHEAD / self.sample_rate
            self._mixer.mix(self._blocks(len(out), t_ns, latency_s), out)
            return active

    def _blocks(self, n: int, t_ns: int, latency_s: float) -> Iterator[Pcm16]:
        """Give what each channel has to say now; nothing for those that are silent."""
        for tracks in self._channels.values():
            block = np.zeros(n, np.int16)
            if self._fill(tracks, block, t_ns, latency_s):
                yield block

    def _fill(self, tracks: deque[_Track], out: Pcm16, t_ns: int, latency_s: float) -> int:
        """Fill the beginning of ``out`` from one channel; return how many samples."""
        filled = 0
        while filled < len(out) and tracks:
            track = tracks[0]
            t_block = t_ns + filled * NS // self.sample_rate
            filled += self._read(track, out[filled:], t_block, latency_s)
            if not track.over:
                break
            tracks.popleft()
            self._report_end(track, t_ns + filled * NS // self.sample_rate, latency_s)
        return filled

    def _read(self, track: _Track, out: Pcm16, t_ns: int, latency_s: float) -> int:
        begins = track.position == 0 and bool(track.chunks)
        if begins:
            track.device_underruns_before = self.device_underruns
            self._before_first(track.line_id)
        before = track.position
        n_read = track.read(out)
        if begins:
            self._emit(LineBegan(track.line_id, t_ns, latency_s))
        while track.marks and (track.marks[0][0] < track.position or (track.complete and not track.chunks)):
            sample, name = track.marks.popleft()
            heard = (t_ns + max(0, sample - before) * NS // self.sample_rate) / NS + latency_s
            self._emit(LineMark(track.line_id, name, sample, heard))
        starving = track.position > 0 and n_read < len(out) and not track.over
        if starving and not track.starving:
            track.underruns += 1
        track.starving = starving
        return n_read

    def _report_end(self, track: _Track, t_ns: int, latency_s: float) -> None:
        heard = t_ns / NS + latency_s
        if track.fade_left is not None:
            self._emit(LineSilenced(track.line_id, heard, track.position))
        else:
            underruns = track.underruns + self.device_underruns - track.device_underruns_before
            self._emit(LineEnded(track.line_id, heard, track.position, underruns))

    def _find(self, line_id: str) -> _Track | None:
        return next((track for track in self._tracks() if track.line_id == line_id), None)

    def _tracks(self) -> Iterator[_Track]:
        return chain.from_iterable(self._channels.values())
