"""Delivery of a line under way: its sound to loudspeaker, MQTT and file, and its lip-sync."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..audio import AudioChunk
from ..labels.announcement import Announced
from ..labels.policy import LinePlan
from ..lipsync.timeline import Timeline
from ..lipsync.viseme_sets import to_dict
from ..messages import FirstAudio
from ..playback.files import FileWriter
from ..playback.player import Player
from ..protocols.audio_sender import AudioSender
from .labels import NOTHING
from .line import Line
from .loudness import LevelledLine, Loudness
from .publisher import Publisher
from .tally import Tally


@dataclass(frozen=True)
class Outlets:
    """Where sound can go; the same for all lines."""

    player: Player
    publisher: Publisher
    files: FileWriter
    tally: Tally
    max_audio_bytes: Callable[[], int]
    """Returns what a message to the broker may carry now."""
    label: Mapping[str, object]
    """What sound over MQTT says of its origin."""
    file_url: Callable[[str], str | None]
    """Returns where the file of a line can be fetched, if anywhere."""
    loudness: Loudness


@dataclass
class Delivery:
    """What is under way for one line, from its turn to its terminal event."""

    line: Line
    outlets: Outlets
    cached: bool = False
    synthesising: bool = False
    reading: bool = False
    """Whether it is being read from disk."""
    sounding: bool = False
    progress: int = 0
    """Messages received from the synthesiser; a watch compares it."""
    n_phrases: int | None = None
    n_samples: int = 0
    synthesis_ms: float = 0.0
    underruns: int = 0
    path: str | None = None
    warnings: list[str] = field(default_factory=list)
    announced: Announced = field(default_factory=lambda: Announced(None))
    plan: LinePlan = NOTHING
    awaits: tuple[str, str] | None = None
    """Sentence that has to be spoken before the line can begin."""
    chunks: list[AudioChunk] = field(default_factory=list)
    """Of the line itself, for the cache: the next time another label may be due, or none."""
    heard: list[AudioChunk] = field(default_factory=list)
    """Of line and label, for a file."""
    pending: set[str] = field(init=False)
    """What has still to be completed before the line is finished: ``sound``, ``play``, ``file``."""
    _levelled: LevelledLine | None = None
    """Made for the first chunk: the synthesiser may measure a character on its first line."""
    _begun: bool = False
    _n_segments: int = 0
    _final_sent: bool = False
    _sender: AudioSender | None = None

    def __post_init__(self) -> None:
        self.pending = {"sound", *({"play", "file"} & set(self.line.request.output))}

    def take(self, chunk: AudioChunk, n_total: int | None = None) -> None:
        """Pass sound on, with the label before or after it.

        Args:
            chunk: the next of the line.
            n_total: samples of the whole line without its label, if that is known already.
        """
        if self.line.request.cache == "use":
            self.chunks.append(chunk)
        if n_total is not None:
            n_total += self.n_label
        for heard in self.announced.around(chunk):
            self._give(heard, n_total)

    @property
    def n_label(self) -> int:
        """Samples of the label."""
        return 0 if self.announced.label is None else len(self.announced.label.samples)

    def _give(self, chunk: AudioChunk, n_total: int | None) -> None:
        """Pass sound on: lip-sync first, then the loudspeaker, then what can wait."""
        request, outlets = self.line.request, self.outlets
        if not self._begun:
            self._begun, self._levelled = True, outlets.loudness.line(self.line.character)
        if self._levelled is not None:
            chunk = self._levelled.take(chunk)
        if chunk.timeline is not None and "lipsync" in request.output:
            self._send_segment(chunk.timeline, chunk.final or self._is_last_segment())
        if self.line.plays:
            outlets.player.feed(self.line.request_id, chunk)
        if "audio" in request.output and (len(chunk.samples) or chunk.final):
            self._pass_on(chunk, n_total)
        if not self.line.plays and self.n_samples == 0 and (len(chunk.samples) or chunk.final):
            self.first_audio(time.monotonic_ns(), 0.0)
        self.n_samples += len(chunk.samples)
        if "file" in request.output:
            self.heard.append(chunk)

    def first_audio(self, t0_ns: int, device_latency_s: float) -> None:
        """Report the first sample.

        Args:
            t0_ns: when it was handed to the output, ``time.monotonic_ns()``.
            device_latency_s: what the output adds until it is heard.
        """
        latency_ms = round(t0_ns / 1e6 - self.line.received * 1e3, 3)
        self.outlets.tally.first_audio_ms.append(latency_ms)
        self.outlets.tally.first_audio.add(latency_ms / 1000)
        self.outlets.publisher.event(
            self.line,
            FirstAudio,
            latency_ms=latency_ms,
            t0_mono_ns=t0_ns,
            device_latency_ms=round(device_latency_s * 1000, 3),
            label_ms=self._ms(self.announced.label.lead) if self.announced.label else None,
        )

    def complete_sound(self) -> bool:
        """Close every output once the last chunk has been taken; `False` if the broker did not take all."""
        request, outlets = self.line.request, self.outlets
        outlets.player.finish(self.line.request_id)
        if "lipsync" in request.output and not self._final_sent:
            self._send_segment(Timeline(), True)
        if self._sender is not None:
            self._sender.end()
            if self._sender.lost:
                return False
        if "file" in request.output:
            outlets.files.write(self.line.request_id, tuple(self.heard))
        return True

    def summary(self) -> dict[str, Any]:
        """Return what the ``finished`` event says."""
        line_ms = self._ms(self.n_samples - self.n_label)
        return {
            "audio_ms": self._ms(self.n_samples),
            "synthesis_ms": round(self.synthesis_ms, 3),
            "rtf": round(self.synthesis_ms / line_ms, 5) if line_ms else 0.0,
            "cached": self.cached,
            "underruns": self.underruns,
            "path": self.path,
            "url": self.outlets.file_url(self.line.request_id) if self.path else None,
            "warnings": self.warnings or None,
        }

    def _ms(self, n_samples: int) -> float:
        return round(n_samples * 1000 / self.outlets.player.sample_rate, 3)

    def _is_last_segment(self) -> bool:
        """Tell whether the next segment is the last, as far as is known: label and phrases are one each."""
        n_labels = int(self.announced.label is not None)
        return self.n_phrases is not None and self._n_segments + 1 == self.n_phrases + n_labels

    def _send_segment(self, timeline: Timeline, final: bool) -> None:
        line = self.line
        visemes = line.request.visemes
        segment = to_dict(timeline, line.request_id, self._n_segments, final, visemes, line.plain)
        payload = json.dumps(segment, ensure_ascii=False, separators=(",", ":")).encode()
        self.outlets.publisher.now(f"lipsync/{line.character}", payload, content_type="application/json")
        self._n_segments += 1
        self._final_sent = final

    def _pass_on(self, chunk: AudioChunk, n_total: int | None) -> None:
        """Send sound to whoever asked for it: over MQTT, unless the request came another way."""
        if self.line.follower is not None:
            self.line.follower.sound(chunk)
        else:
            self._audio_sender(n_total).send(chunk)

    def _audio_sender(self, n_total: int | None) -> AudioSender:
        if self._sender is None:
            outlets = self.outlets

            def publish(tail: str, payload: bytes, content_type: str | None) -> bool:
                return outlets.publisher.now(tail, payload, content_type=content_type)

            limit = outlets.max_audio_bytes()
            label = {**outlets.label, "audible_ms": self._ms(self.n_label)}
            self._sender = AudioSender(
                self.line.request_id, self.line.request.audio, limit, publish, label, n_total
            )
        return self._sender
