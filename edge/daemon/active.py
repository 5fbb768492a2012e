"""Active lines: those whose turn has come, each ended by exactly one terminal event."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ..audio import AudioChunk
from ..engine.base import LINES_SIDE_BY_SIDE, Engine, LineChunk, LineDone, LineError, LineReady
from ..labels.announcement import Announced, announcement
from ..messages import RETRYABLE_CODES, Cancelled, Event, Failed, Finished, MarkReached, Started
from ..playback.files import FileWritten
from ..playback.player import LineBegan, LineEnded, LineMark, LineSilenced
from .cache import CachedLine, LineCache
from .delivery import Delivery, Outlets
from .head_start import HeadStart
from .labels import Labels, Notice
from .line import CutBy, Line, Phase
from .line_store import LineRead
from .scheduler import Lane
from .timers import CutWatch, EndHeard, EngineWatch, MarkHeard, ReadWatch, SilenceHeard, Timers

READ_LIMIT_S = 0.25  # a disk that is slower than making the line is not waited for
CUT_LIMIT_S = 0.2  # a sink that has not gone silent by then will not; the line ends all the same


class ActiveLines:
    """Runs lines. Only the core thread uses it.

    Args:
        engine: makes sound.
        outlets: where it goes.
        cache: of finished lines.
        labels: what has to be heard with them.
        timers: of the core.
        engine_timeout_s: silence from the synthesiser after which a line fails.
        ended: called when a line has had its terminal event.
        engine_hung: called when the synthesiser is stuck, with the line it is stuck with.
        read: has a line read from disk, by key and id; `LineRead` follows.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        outlets: Outlets,
        cache: LineCache,
        labels: Labels,
        timers: Timers,
        engine_timeout_s: float,
        ended: Callable[[Line], None],
        engine_hung: Callable[[str], None],
        read: Callable[[str, str], None] | None = None,
    ) -> None:
        self._engine = engine
        self._outlets = outlets
        self._player = outlets.player
        self._publisher = outlets.publisher
        self._tally = outlets.tally
        self._cache = cache
        self._labels = labels
        self._timers = timers
        self._engine_timeout_s = engine_timeout_s
        self._ended = ended
        self._engine_hung = engine_hung
        self._read = read
        self.head_start = HeadStart(engine)
        self._deliveries: dict[str, Delivery] = {}
        self._lanes: dict[Lane, list[Line]] = {"play": [], "render": []}
        self.sink_lost = ""
        """Why there is no loudspeaker at present."""
        self.engine_loading = False
        """Whether the synthesiser is busy with another voice, which may take its time."""

    @property
    def lines(self) -> list[Line]:
        """Return the lines under way."""
        return [delivery.line for delivery in self._deliveries.values()]

    @property
    def speaking(self) -> set[str]:
        """Return the characters that are heard."""
        return {delivery.line.character for delivery in self._deliveries.values() if delivery.sounding}

    def busy(self, lane: Lane) -> set[str] | None:
        """Return the channels of a lane that cannot take a line; None if it takes none at all."""
        lines = self._lanes[lane]
        if lane == "play":
            return {line.channel for line in lines}
        return set() if len(lines) < LINES_SIDE_BY_SIDE else None

    def start(self, line: Line, lane: Lane) -> None:
        """Begin a line: with its label, from the cache or else with the synthesiser."""
        line.phase = Phase.ACTIVE
        delivery = Delivery(line, self._outlets)
        self._deliveries[line.request_id] = delivery
        self._lanes[lane].append(line)
        cached = self._cached(line)
        is_kept = cached is not None or self._is_stored(line)
        self._tally.turn(time.monotonic() - line.received, from_cache=is_kept)
        if line.plays and not self.sink_lost:
            self._player.begin(line.request_id, line.channel)
        announced = self._announce(delivery)
        if announced and cached is None:
            self._fetch(delivery)
        self._publisher.event(line, Started)
        if line.plays and self.sink_lost:
            self.fail(line, "audio_device_lost", self.sink_lost, "output")
        elif announced:
            self._go_on(delivery, cached)

    def on_notice(self, notice: Notice, chunks: Sequence[AudioChunk]) -> None:
        """Begin the lines that a sentence has held up; it has no chunks if it could not be spoken."""
        for delivery in list(self._deliveries.values()):
            if delivery.awaits != notice or delivery.line.phase is not Phase.ACTIVE:
                continue
            delivery.awaits = None
            delivery.announced = Announced(announcement(delivery.plan, chunks))
            cached = self._cached(delivery.line)
            if cached is None:
                self._fetch(delivery)
            self._go_on(delivery, cached)

    def cut(self, line: Line, by: CutBy) -> None:
        """Silence a line and end it as cancelled."""
        if line.phase is not Phase.ACTIVE:
            return
        line.phase, line.cut_by = Phase.CUTTING, by
        self._stop_work(line)
        if line.plays and self._player.cut(line.request_id):
            self._timers.at(time.monotonic() + CUT_LIMIT_S, CutWatch(line.request_id))
        else:
            self._cancelled(line, self._deliveries[line.request_id].n_samples if line.plays else 0)

    def fail(self, line: Line, code: str, message: str, stage: str) -> None:
        """End a line as failed.

        Args:
            line: which.
            code: of the contract.
            message: what went wrong and what to do.
            stage: of the way from text to sound at which it went wrong.
        """
        self._stop_work(line)
        self._player.cut(line.request_id)
        retryable = code in RETRYABLE_CODES
        self._tally.last_error = f"{code}: {message}"
        self._tally.faults[code] += 1
        self._end(line, Failed, code=code, message=message, stage=stage, retryable=retryable)

    def on_ready(self, message: LineReady) -> None:
        """Take note that the text stage is done."""
        delivery = self._under_way(message.line_id)
        if delivery is not None:
            delivery.progress += 1
            delivery.n_phrases = message.n_phrases
            delivery.warnings += message.warnings

    def on_chunk(self, message: LineChunk) -> None:
        """Pass on sound."""
        delivery = self._under_way(message.line_id)
        if delivery is not None:
            delivery.progress += 1
            delivery.take(message.chunk)

    def on_done(self, message: LineDone) -> None:
        """Complete the outputs of a line whose sound is complete."""
        delivery = self._under_way(message.line_id)
        if delivery is None:
            return
        delivery.synthesising = False
        delivery.synthesis_ms = message.synthesis_ms
        if delivery.line.request.cache == "use":
            self._cache.put(delivery.line.key, CachedLine(tuple(delivery.chunks)))
        self._complete_sound(delivery)

    def on_error(self, message: LineError) -> None:
        """End a line that could not be synthesised."""
        delivery = self._under_way(message.line_id)
        if delivery is not None:
            delivery.synthesising = False
            self.fail(delivery.line, message.code, message.message, message.stage)

    def on_engine_watch(self, watch: EngineWatch) -> None:
        """Fail a line for which the synthesiser has shown no sign of life."""
        delivery = self._under_way(watch.line_id)
        if delivery is None or not (delivery.synthesising or delivery.awaits):
            return
        if delivery.progress != watch.progress or self.engine_loading:
            self._watch_engine(delivery)
            return
        message = f"no sound for {self._engine_timeout_s:g} s"
        self.fail(delivery.line, "runner_timeout", message, "synthesis")
        self._engine_hung(watch.line_id)

    def on_line_read(self, message: LineRead) -> None:
        """Serve a line from disk, or make it if it could not be read."""
        delivery = self._under_way(message.line_id)
        if message.line is not None:
            self._cache.remember(message.key, message.line)
        if delivery is None or not delivery.reading:
            return
        delivery.reading = False
        if message.line is None:
            self._synthesise(delivery)
        self._go_on(delivery, message.line)

    def on_read_watch(self, watch: ReadWatch) -> None:
        """Make a line for which the disk takes too long."""
        self.on_line_read(LineRead(watch.line_id, "", None))

    def on_began(self, message: LineBegan) -> None:
        """Report the first sample."""
        delivery = self._deliveries.get(message.line_id)
        if delivery is not None:
            delivery.sounding = True
            delivery.first_audio(message.t0_ns, message.device_latency_s)

    def on_mark(self, message: LineMark) -> None:
        """Wait until a mark is heard."""
        self._timers.at(message.heard, MarkHeard(message))

    def on_mark_heard(self, message: MarkHeard) -> None:
        """Report a mark, unless its line has been cut meanwhile."""
        mark = message.mark
        delivery = self._under_way(mark.line_id)
        if delivery is not None:
            line = delivery.line
            t_ms = round(mark.sample * 1000 / self._player.sample_rate, 1)
            reached = MarkReached(id=line.request_id, character=line.character, name=mark.name, t_ms=t_ms)
            self._publisher.later(f"mark/{mark.name}", reached.to_json())

    def on_ended(self, message: LineEnded) -> None:
        """Wait until the last sample is heard."""
        self._timers.at(message.heard, EndHeard(message))

    def on_end_heard(self, message: EndHeard) -> None:
        """Complete what had to be played."""
        delivery = self._under_way(message.end.line_id)
        if delivery is not None:
            delivery.underruns = message.end.underruns
            delivery.sounding = False
            self._tally.underruns += delivery.underruns
            self._completed(delivery, "play")

    def on_silenced(self, message: LineSilenced) -> None:
        """Wait until a line that was cut is silent."""
        self._timers.at(message.heard, SilenceHeard(message))

    def on_silence_heard(self, message: SilenceHeard) -> None:
        """End a line that was cut."""
        self._end_cut(message.silence.line_id, message.silence.n_samples)

    def on_cut_watch(self, watch: CutWatch) -> None:
        """End a line that was cut although the sink never went silent."""
        self._end_cut(watch.line_id)

    def on_file(self, message: FileWritten) -> None:
        """Complete a line's file."""
        delivery = self._under_way(message.line_id)
        if delivery is None:
            return
        if message.path is None:
            self.fail(delivery.line, message.code, message.message, "output")
        else:
            delivery.path = message.path
            self._completed(delivery, "file")

    def lose_sink(self, reason: str) -> None:
        """Fail what was playing; new lines fail until the sink is back."""
        self.sink_lost = reason
        self._tally.last_error = f"audio_device_lost: {reason}"
        for line_id in self._player.drop_all():
            if not self._end_cut(line_id) and line_id in self._deliveries:
                self.fail(self._deliveries[line_id].line, "audio_device_lost", reason, "output")

    def _under_way(self, line_id: str) -> Delivery | None:
        delivery = self._deliveries.get(line_id)
        return delivery if delivery is not None and delivery.line.phase is Phase.ACTIVE else None

    def _end_cut(self, line_id: str, n_played: int | None = None) -> bool:
        """End a line that is being cut; ``n_played`` samples were heard, all it had if that is not known."""
        delivery = self._deliveries.get(line_id)
        if delivery is None or delivery.line.phase is not Phase.CUTTING:
            return False
        self._cancelled(delivery.line, delivery.n_samples if n_played is None else n_played)
        return True

    def _cached(self, line: Line) -> CachedLine | None:
        return self._cache.get(line.key) if self._is_served(line) else None

    def _is_served(self, line: Line) -> bool:
        """Tell whether a line may come from the cache; it is made anew where that measures its character."""
        mode = line.request.cache
        return mode == "only" or (mode == "use" and not self._outlets.loudness.awaits(line.character))

    def _announce(self, delivery: Delivery) -> bool:
        """Give a line its label; False if the sentence has to be spoken first, and `on_notice` follows."""
        delivery.plan = self._labels.plan(delivery.line)
        chunks: tuple[AudioChunk, ...] | None = ()
        if delivery.plan.notice:
            delivery.awaits = (delivery.line.character, delivery.plan.notice)
            chunks = self._labels.notice(delivery.awaits)
        if chunks is None:
            self._watch_engine(delivery)
            return False
        delivery.awaits = None
        delivery.announced = Announced(announcement(delivery.plan, chunks))
        return True

    def _is_stored(self, line: Line) -> bool:
        return self._is_served(line) and self._cache.is_stored(line.key)

    def _fetch(self, delivery: Delivery) -> None:
        """Have a line read from disk, or made."""
        line = delivery.line
        if self._read is None or not self._is_stored(line):
            self._synthesise(delivery)
            return
        delivery.reading = True
        self._read(line.key, line.request_id)
        self._timers.at(time.monotonic() + READ_LIMIT_S, ReadWatch(line.request_id))

    def _synthesise(self, delivery: Delivery) -> None:
        line = delivery.line
        if line.request.cache != "only":
            delivery.synthesising = True
            if not self.head_start.has(line.request_id):
                self._engine.start(line.request_id, line.speech, line.urgency)
            self._watch_engine(delivery)

    def _go_on(self, delivery: Delivery, cached: CachedLine | None) -> None:
        if cached is not None:
            self.head_start.forgo(delivery.line.request_id)
            self._replay(delivery, cached)
        elif delivery.synthesising:
            self.head_start.hand_over(delivery.line.request_id, self)
        elif not delivery.reading:
            message = "the line is no longer in the cache"
            self.fail(delivery.line, "not_cached", message, "cache")

    def _watch_engine(self, delivery: Delivery) -> None:
        when = time.monotonic() + self._engine_timeout_s
        self._timers.at(when, EngineWatch(delivery.line.request_id, delivery.progress))

    def _replay(self, delivery: Delivery, cached: CachedLine) -> None:
        """Serve a line from the cache."""
        delivery.cached = True
        delivery.n_phrases = sum(chunk.timeline is not None for chunk in cached.chunks)
        n_total = sum(len(chunk.samples) for chunk in cached.chunks)
        for chunk in cached.chunks:
            delivery.take(chunk, n_total)
        self._complete_sound(delivery)

    def _complete_sound(self, delivery: Delivery) -> None:
        if delivery.complete_sound():
            self._completed(delivery, "sound")
        else:
            self.fail(delivery.line, "internal", "the broker did not take all of the sound", "output")

    def _completed(self, delivery: Delivery, part: str) -> None:
        delivery.pending.discard(part)
        if not delivery.pending:
            summary = delivery.summary()
            self._tally.finish(summary["audio_ms"], summary["synthesis_ms"])
            self._labels.ended(delivery.line)
            self._end(delivery.line, Finished, **summary)

    def _cancelled(self, line: Line, n_samples: int) -> None:
        label = self._deliveries[line.request_id].announced.label
        if n_samples and (label is None or 0 < label.lead <= n_samples):
            self._labels.ended(line)
        played_ms = round(n_samples * 1000 / self._player.sample_rate, 1)
        self._end(line, Cancelled, by=line.cut_by, played_ms=played_ms)

    def _stop_work(self, line: Line) -> None:
        """Take a line off its lane and the synthesiser: the next one may start while this one fades."""
        delivery = self._deliveries.get(line.request_id)
        if delivery is not None and delivery.synthesising:
            delivery.synthesising = False
            self._engine.cancel(line.request_id)
        for lane, lines in self._lanes.items():
            self._lanes[lane] = [other for other in lines if other is not line]

    def _end(self, line: Line, model: type[Event], **keys: Any) -> None:
        self._stop_work(line)
        line.phase = Phase.ENDED
        self._deliveries.pop(line.request_id, None)
        self._tally.lines[model.model_fields["event"].default] += 1
        self._publisher.event(line, model, **keys)
        self._ended(line)
