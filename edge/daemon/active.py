"""Lines whose turn has come: sound in, outputs served, each ended by exactly one terminal event."""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..audio import AudioChunk
from ..engine.base import PLAY, RENDER, Engine, LineChunk, LineDone, LineError, LineReady
from ..lipsync.timeline import Timeline
from ..lipsync.viseme_sets import to_dict
from ..messages import RETRYABLE_CODES, Cancelled, Event, Failed, Finished, FirstAudio, MarkReached, Started
from ..playback.files import FileWriter, FileWritten
from ..playback.player import LineBegan, LineEnded, LineMark, LineSilenced, Player
from ..protocols.audio_sender import AudioSender
from .cache import CachedLine, LineCache
from .line import CutBy, Line, Phase
from .publisher import Announcer
from .scheduler import Lane
from .timers import CutWatch, EndHeard, EngineWatch, MarkHeard, SilenceHeard, Timers

CUT_LIMIT_S = 0.2  # a sink that has not gone silent by then will not; the line ends all the same


@dataclass
class Tally:
    """What has happened since start, for health."""

    lines: Counter[str] = field(default_factory=Counter)
    """Terminal events by name."""
    first_audio_ms: deque[float] = field(default_factory=lambda: deque(maxlen=256))
    underruns: int = 0
    last_error: str = ""


class Stage:
    """Runs lines. Only the core thread uses it.

    Args:
        engine: makes sound.
        player: plays it.
        cache: of finished lines.
        announcer: reports.
        timers: of the core.
        files: writes WAV files.
        max_audio_bytes: returns what a message to the broker may carry now.
        engine_timeout_s: silence from the synthesiser after which a line fails.
        ended: called when a line has had its terminal event.
        engine_hung: called when the synthesiser is stuck.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        player: Player,
        cache: LineCache,
        announcer: Announcer,
        timers: Timers,
        files: FileWriter,
        max_audio_bytes: Callable[[], int],
        engine_timeout_s: float,
        ended: Callable[[Line], None],
        engine_hung: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._player = player
        self._cache = cache
        self._announcer = announcer
        self._timers = timers
        self._files = files
        self._max_audio_bytes = max_audio_bytes
        self._engine_timeout_s = engine_timeout_s
        self._ended = ended
        self._engine_hung = engine_hung
        self._lines: dict[str, Line] = {}
        self._lanes: dict[Lane, Line | None] = {"play": None, "render": None}
        self._senders: dict[str, AudioSender] = {}
        self.sink_lost = ""
        """Why there is no loudspeaker at present."""
        self.engine_loading = False
        """Whether the synthesiser is busy with another voice, which may take its time."""
        self.tally = Tally()

    @property
    def lines(self) -> list[Line]:
        """Return the lines on stage."""
        return list(self._lines.values())

    @property
    def speaking(self) -> Line | None:
        """Return the line that is heard."""
        return next((line for line in self._lines.values() if line.sounding), None)

    def free(self, lane: Lane) -> bool:
        """Tell whether a lane can take its next line."""
        return self._lanes[lane] is None

    def start(self, line: Line, lane: Lane) -> None:
        """Begin a line: from the cache, or else with the synthesiser."""
        line.phase = Phase.ACTIVE
        line.pending = {"sound", *({"play", "file"} & set(line.request.output))}
        self._lines[line.request_id] = line
        self._lanes[lane] = line
        cached = None if line.request.cache == "bypass" else self._cache.get(line.key)
        if line.plays and not self.sink_lost:
            self._player.begin(line.request_id)
        if cached is None and line.request.cache != "only":
            line.synthesising = True
            self._engine.start(line.request_id, line.speech, PLAY if line.plays else RENDER)
            self._watch_engine(line)
        self._announcer.event(line, Started)
        if line.plays and self.sink_lost:
            self.fail(line, "audio_device_lost", self.sink_lost, "output")
        elif cached is not None:
            self._replay(line, cached)
        elif not line.synthesising:
            self.fail(line, "not_cached", "the line is no longer in the cache", "cache")

    def cut(self, line: Line, by: CutBy) -> None:
        """Silence a line and end it as cancelled."""
        if line.phase is not Phase.ACTIVE:
            return
        line.phase, line.cut_by = Phase.CUTTING, by
        self._stop_work(line)
        if line.plays and self._player.cut(line.request_id):
            self._timers.at(time.monotonic() + CUT_LIMIT_S, CutWatch(line.request_id))
        else:
            self._cancelled(line, line.n_samples if line.plays else 0)

    def fail(self, line: Line, code: str, message: str, stage: str) -> None:
        """End a line as failed."""
        self._stop_work(line)
        self._player.cut(line.request_id)
        retryable = code in RETRYABLE_CODES
        self.tally.last_error = f"{code}: {message}"
        self._end(line, Failed, code=code, message=message, stage=stage, retryable=retryable)

    def on_ready(self, message: LineReady) -> None:
        """Hear that the text stage is done."""
        line = self._active(message.line_id)
        if line is not None:
            line.progress += 1
            line.n_phrases = message.n_phrases
            line.warnings += message.warnings

    def on_chunk(self, message: LineChunk) -> None:
        """Pass on sound; into the loudspeaker first, but lip-sync before the sound that it describes."""
        line = self._active(message.line_id)
        if line is not None:
            line.progress += 1
            self._take_chunk(line, message.chunk)

    def on_done(self, message: LineDone) -> None:
        """Complete the outputs of a line whose sound is complete."""
        line = self._active(message.line_id)
        if line is None:
            return
        line.synthesising = False
        line.synthesis_ms = message.synthesis_ms
        if line.request.cache == "use":
            self._cache.put(line.key, CachedLine(tuple(line.chunks)))
        self._complete_sound(line)

    def on_error(self, message: LineError) -> None:
        """End a line that could not be synthesised."""
        line = self._active(message.line_id)
        if line is not None:
            line.synthesising = False
            self.fail(line, message.code, message.message, message.stage)

    def on_engine_watch(self, watch: EngineWatch) -> None:
        """Fail a line for which the synthesiser has shown no sign of life."""
        line = self._active(watch.line_id)
        if line is None or not line.synthesising:
            return
        if line.progress != watch.progress or self.engine_loading:
            self._watch_engine(line)
            return
        self.fail(line, "runner_timeout", f"no sound for {self._engine_timeout_s:g} s", "synthesis")
        self._engine_hung()

    def on_began(self, message: LineBegan) -> None:
        """Report the first sample."""
        line = self._lines.get(message.line_id)
        if line is not None:
            line.sounding = True
            self._first_audio(line, message.t0_ns, message.device_latency_s)

    def on_mark(self, message: LineMark) -> None:
        """Wait until a mark is heard."""
        self._timers.at(message.heard, MarkHeard(message))

    def on_mark_heard(self, message: MarkHeard) -> None:
        """Report a mark, unless its line has been cut meanwhile."""
        mark = message.mark
        line = self._active(mark.line_id)
        if line is not None:
            t_ms = round(mark.sample * 1000 / self._player.sample_rate, 1)
            reached = MarkReached(id=line.request_id, character=line.character, name=mark.name, t_ms=t_ms)
            self._announcer.later(f"mark/{mark.name}", reached.to_json())

    def on_ended(self, message: LineEnded) -> None:
        """Wait until the last sample is heard."""
        self._timers.at(message.heard, EndHeard(message))

    def on_end_heard(self, message: EndHeard) -> None:
        """Complete what had to be played."""
        line = self._active(message.end.line_id)
        if line is not None:
            line.underruns = message.end.underruns
            line.sounding = False
            self.tally.underruns += line.underruns
            self._completed(line, "play")

    def on_silenced(self, message: LineSilenced) -> None:
        """Wait until a line that was cut is silent."""
        self._timers.at(message.heard, SilenceHeard(message))

    def on_silence_heard(self, message: SilenceHeard) -> None:
        """End a line that was cut."""
        line = self._lines.get(message.silence.line_id)
        if line is not None and line.phase is Phase.CUTTING:
            self._cancelled(line, message.silence.n_samples)

    def on_cut_watch(self, watch: CutWatch) -> None:
        """End a line that was cut although the sink never went silent."""
        line = self._lines.get(watch.line_id)
        if line is not None and line.phase is Phase.CUTTING:
            self._cancelled(line, line.n_samples)

    def on_file(self, message: FileWritten) -> None:
        """Complete a line's file."""
        line = self._active(message.line_id)
        if line is None:
            return
        if message.path is None:
            self.fail(line, message.code, message.message, "output")
        else:
            line.path = message.path
            self._completed(line, "file")

    def lose_sink(self, reason: str) -> None:
        """Fail what was playing; new lines fail until the sink is back."""
        self.sink_lost = reason
        self.tally.last_error = f"audio_device_lost: {reason}"
        for line_id in self._player.drop_all():
            line = self._lines.get(line_id)
            if line is not None and line.phase is Phase.CUTTING:
                self._cancelled(line, line.n_samples)
            elif line is not None:
                self.fail(line, "audio_device_lost", reason, "output")

    def _active(self, line_id: str) -> Line | None:
        line = self._lines.get(line_id)
        return line if line is not None and line.phase is Phase.ACTIVE else None

    def _watch_engine(self, line: Line) -> None:
        when = time.monotonic() + self._engine_timeout_s
        self._timers.at(when, EngineWatch(line.request_id, line.progress))

    def _replay(self, line: Line, cached: CachedLine) -> None:
        """Serve a line from the cache."""
        line.cached = True
        line.n_phrases = sum(chunk.timeline is not None for chunk in cached.chunks)
        line.n_samples = 0
        for chunk in cached.chunks:
            self._take_chunk(line, chunk, total=sum(len(other.samples) for other in cached.chunks))
        self._complete_sound(line)

    def _take_chunk(self, line: Line, chunk: AudioChunk, total: int | None = None) -> None:
        output = line.request.output
        if chunk.timeline is not None and "lipsync" in output:
            self._send_segment(line, chunk.timeline, chunk.final or line.n_segments + 1 == line.n_phrases)
        if "play" in output:
            self._player.feed(line.request_id, chunk)
        if "audio" in output:
            self._sender(line, total).send(chunk)
        if not line.plays and line.n_samples == 0:
            self._first_audio(line, time.monotonic_ns(), 0.0)
        line.n_samples += len(chunk.samples)
        if line.request.cache == "use" or "file" in output:
            line.chunks.append(chunk)

    def _send_segment(self, line: Line, timeline: Timeline, final: bool) -> None:
        segment = to_dict(timeline, line.request_id, line.n_segments, final, line.request.visemes, line.plain)
        payload = json.dumps(segment, ensure_ascii=False, separators=(",", ":")).encode()
        self._announcer.now(f"lipsync/{line.character}", payload, content_type="application/json")
        line.n_segments += 1
        line.final_sent = final

    def _sender(self, line: Line, total: int | None) -> AudioSender:
        sender = self._senders.get(line.request_id)
        if sender is None:

            def publish(tail: str, payload: bytes, content_type: str | None) -> bool:
                return self._announcer.now(tail, payload, content_type=content_type)

            limit = self._max_audio_bytes()
            sender = AudioSender(line.request_id, line.request.audio, limit, publish, total)
            self._senders[line.request_id] = sender
        return sender

    def _first_audio(self, line: Line, t0_ns: int, device_latency_s: float) -> None:
        latency_ms = round(t0_ns / 1e6 - line.received * 1e3, 3)
        self.tally.first_audio_ms.append(latency_ms)
        self._announcer.event(
            line,
            FirstAudio,
            latency_ms=latency_ms,
            t0_mono_ns=t0_ns,
            device_latency_ms=round(device_latency_s * 1000, 3),
        )

    def _complete_sound(self, line: Line) -> None:
        self._player.finish(line.request_id)
        if "lipsync" in line.request.output and not line.final_sent:
            self._send_segment(line, Timeline(), True)
        sender = self._senders.get(line.request_id)
        if sender is not None:
            sender.end()
            if sender.lost:
                self.fail(line, "internal", "the broker did not take all of the sound", "output")
                return
        if "file" in line.request.output:
            self._files.write(line.request_id, tuple(line.chunks))
        self._completed(line, "sound")

    def _completed(self, line: Line, part: str) -> None:
        line.pending.discard(part)
        if line.pending:
            return
        audio_ms = line.n_samples * 1000 / self._player.sample_rate
        self._end(
            line,
            Finished,
            audio_ms=round(audio_ms, 3),
            synthesis_ms=round(line.synthesis_ms, 3),
            rtf=round(line.synthesis_ms / audio_ms, 5) if audio_ms else 0.0,
            cached=line.cached,
            underruns=line.underruns,
            path=line.path,
            warnings=line.warnings or None,
        )

    def _cancelled(self, line: Line, n_samples: int) -> None:
        played_ms = round(n_samples * 1000 / self._player.sample_rate, 1)
        self._end(line, Cancelled, by=line.cut_by, played_ms=played_ms)

    def _stop_work(self, line: Line) -> None:
        """Take a line off its lane and the synthesiser: the next one may start while this one fades."""
        if line.synthesising:
            line.synthesising = False
            self._engine.cancel(line.request_id)
        for lane, other in self._lanes.items():
            if other is line:
                self._lanes[lane] = None

    def _end(self, line: Line, model: type[Event], **keys: Any) -> None:
        self._stop_work(line)
        line.phase = Phase.ENDED
        line.sounding = False
        line.chunks = []
        self._lines.pop(line.request_id, None)
        self._senders.pop(line.request_id, None)
        self.tally.lines[model.model_fields["event"].default] += 1
        self._announcer.event(line, model, **keys)
        self._ended(line)
