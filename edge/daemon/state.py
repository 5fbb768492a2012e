"""State of the daemon: what only the core thread touches, and what ends a line that still waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..config import EdgeConfig
from ..engine.base import Engine, VoiceInfo
from ..errors import EdgeError
from ..labels.policy import LabelPolicy
from ..messages import Cancelled, Event, Failed
from ..playback.files import FileWriter
from ..playback.player import Player
from ..protocols.file_urls import file_urls
from ..protocols.mqtt import Connection
from ..topics import Topics
from .active import ActiveLines
from .admission import Admission
from .cache import LineCache
from .delivery import Outlets
from .health import Loopback
from .inbox import Inbox
from .journal.base import Journal
from .labels import Labels
from .line import CutBy, Line, Phase
from .line_store import LineStore, Stored
from .loudness import Loudness
from .notify import Notifier
from .prepare import Preparations
from .publisher import Publisher
from .scheduler import Lane, Scheduler
from .shows import Shows
from .stops import StopCopy
from .tally import Tally
from .timers import Timers
from .trust import TrustWatch


@dataclass(frozen=True)
class Parts:
    """What the core works with; the service builds and starts it."""

    config: EdgeConfig
    boot_id: str
    topics: Topics
    inbox: Inbox
    connection: Connection
    journal: Journal
    engine: Engine
    player: Player
    files: FileWriter
    notifier: Notifier
    trust: TrustWatch
    line_store: LineStore | None = None


@dataclass(frozen=True)
class _Stop:
    """A stop that has been obeyed, for lines that arrived before it and are looked at later."""

    received: float
    silenced: list[str]


class State:
    """Lines, queue, voice and caches. Only the core thread uses it.

    Args:
        parts: what the core works with.
        engine_hung: called when the synthesiser is stuck, with the line it is stuck with.
    """

    label_shown = False
    """Whether a screen has said that it shows the label's text."""
    voice: VoiceInfo | None = None
    admission: Admission | None = None
    engine_fault = ""
    """Why the synthesiser is being replaced, or works with less than it should."""
    muted: EdgeError | None = None
    """Why there is no voice although the daemon goes on: it was revoked, or nobody allows it."""
    trust_warning = ""
    refused_subscriptions: tuple[str, ...] = ()
    stopping = False
    error: EdgeError | None = None
    """Why the daemon cannot go on."""

    def __init__(self, parts: Parts, engine_hung: Callable[[str], None]) -> None:
        config = parts.config
        self.config = config
        self.boot_id = parts.boot_id
        self.inbox = parts.inbox
        self.connection = parts.connection
        self.journal = parts.journal
        self.engine = parts.engine
        self.trust = parts.trust
        self.topics = parts.topics
        self.timers = Timers()
        self.tally = Tally()
        self._store = parts.line_store
        self.cache = LineCache(config.cache.max_mb * 2**20, self._store)
        self.label = LabelPolicy(config.label)
        self.publisher = Publisher(
            parts.topics, parts.connection, parts.journal, parts.boot_id, parts.inbox.put
        )
        self.labels = Labels(
            self.label, parts.engine, lambda notice, chunks: self.active.on_notice(notice, chunks)
        )
        self.loudness = Loudness(config.loudness)
        self.active = self._active_lines(parts, engine_hung)
        self.preparations = Preparations(parts.engine, self.cache, self.publisher)
        self.shows = Shows(self.preparations, self.tally)
        self.scheduler = Scheduler(config.queue.max_lines)
        self.lines: dict[str, Line] = {}
        """Every line that has been admitted and not ended."""
        self.loopback = Loopback(parts.boot_id)
        self.awaited: set[StopCopy] = set()
        """Stops whose other copy is on its way, behind what was sent before it: until then nothing starts."""
        self._stops: dict[str, _Stop] = {}

    def _active_lines(self, parts: Parts, engine_hung: Callable[[str], None]) -> ActiveLines:
        """Make what runs lines, with everywhere that their sound can go."""
        config = parts.config
        outlets = Outlets(
            parts.player,
            self.publisher,
            parts.files,
            self.tally,
            lambda: parts.connection.max_payload_bytes,
            self.label.meta(),
            file_urls(config.http),
            self.loudness,
        )
        return ActiveLines(
            engine=parts.engine,
            outlets=outlets,
            cache=self.cache,
            labels=self.labels,
            timers=self.timers,
            engine_timeout_s=config.engine_timeout_s,
            ended=self.forget,
            engine_hung=engine_hung,
            read=self._store.fetch if self._store is not None else None,
        )

    @property
    def takes_requests(self) -> bool:
        """Tell whether requests can be answered yet."""
        return self.admission is not None or self.muted is not None

    def require_voice(self) -> Admission:
        """Return what turns requests into lines.

        Raises:
            EdgeError: there is no voice, with the reason.
        """
        if self.muted is not None:
            raise EdgeError(str(self.muted), code=self.muted.code)
        assert self.admission is not None, "intake is read only once a voice is loaded"
        return self.admission

    def stored(self) -> Stored:
        """Return what lies on disk."""
        return Stored() if self._store is None else self._store.stored()

    def load(self, voice: VoiceInfo) -> None:
        """Take a voice into use."""
        if self.voice is not None and self.voice.identity != voice.identity:
            self.cache.forget()
        self.voice, self.muted = voice, None
        if self._store is not None:
            self._store.use(voice.identity)
        per_character = self.config.queue.channel == "character"
        self.admission = Admission(voice, self.cache, per_character=per_character)
        self.labels.load(voice)
        self.loudness.load(voice)
        self.shows.prepare()

    def mute(self, error: EdgeError) -> None:
        """Let the voice go, with everything that was made of it and everything that waits for it."""
        self.muted = error
        self.tally.last_error = f"{error.code}: {error}"
        for line in list(self.lines.values()):
            self.refuse(line, error)
        self.preparations.clear(error.code, str(error))
        self.cache.clear()
        self.labels.unload()
        self.engine.unload()
        self.voice = self.admission = None

    def refuse(self, line: Line, error: EdgeError) -> None:
        """Fail a line whose voice is gone; one that is still being written follows in `settle`."""
        if line.phase is Phase.ACTIVE:
            self.active.fail(line, error.code, str(error), "trust")
        elif line.phase is Phase.QUEUED:
            self.scheduler.remove(line.request_id)
            keys = {"code": error.code, "message": str(error), "stage": "trust", "retryable": False}
            self.end_waiting(line, Failed, **keys)

    def cancel(self, line: Line, by: CutBy) -> None:
        """Take a line out of the queue, or cut it."""
        self.scheduler.remove(line.request_id)
        if line.phase is Phase.COMMITTING:
            line.cut_by = line.cut_by or by
        elif line.phase is Phase.QUEUED:
            self.end_waiting(line, Cancelled, by=by, played_ms=0.0)
        else:
            self.active.cut(line, by)

    def stop(self, character: str | None, received: float, silenced: list[str]) -> None:
        """Silence a character, or everyone, and clear the queue of what arrived before.

        Args:
            character: whom; `None` is everyone.
            received: when the stop arrived. What arrived before and is looked at later is silenced then.
            silenced: ids of the lines concerned are added to it, now and later.
        """
        if character is not None and not (self.admission and self.admission.knows(character)):
            return
        self._stops[character or ""] = _Stop(received, silenced)
        known = set(silenced)
        for line in list(self.lines.values()):
            if line.received <= received and character in (None, line.character):
                if line.request_id not in known:
                    silenced.append(line.request_id)
                self.cancel(line, "stop")

    def settle(self, line: Line) -> None:
        """End a line that was cut while its acceptance was being written, or that a later stop covers."""
        stops = (self._stops.get(scope) for scope in ("", line.character))
        stop = next((stop for stop in stops if stop and line.received <= stop.received), None)
        if line.cut_by is not None:
            self.end_waiting(line, Cancelled, by=line.cut_by, played_ms=0.0)
        elif self.muted is not None:
            self.refuse(line, self.muted)
        elif stop is not None:
            stop.silenced.append(line.request_id)
            self.cancel(line, "stop")
        elif self.stopping:
            self.cancel(line, "shutdown")

    def read_ahead(self, line: Line) -> None:
        """Read the lines that may follow one into memory."""
        if self._store is not None and self.admission is not None:
            for key in self.shows.follow(line, self.admission, self.cache):
                self._store.fetch(key, "")

    def take(self, lane: Lane, now: float) -> Line | None:
        """Take the line that starts now out of the queue, if one may."""
        busy = self.active.busy(lane)
        ticket = None if busy is None else self.scheduler.take(lane, now, busy)
        return None if ticket is None else self.lines[ticket.line_id]

    def make_way(self, line: Line) -> None:
        """Cut what only fills a pause before a line that has been accepted."""
        if line.gives_way or line.phase is Phase.ENDED:
            return
        for other in [*self.lines.values()] if self.shows.fills_pauses else ():
            if other.gives_way and other.character == line.character and other.order < line.order:
                self.cancel(other, "interrupt")

    def end_waiting(self, line: Line, model: type[Event], **keys: Any) -> None:
        """End a line whose turn never came."""
        line.phase = Phase.ENDED
        self.tally.lines[model.model_fields["event"].default] += 1
        self.publisher.event(line, model, **keys)
        self.forget(line)

    def begin_early(self, line: Line) -> None:
        """Have a line made before it is on disk, if it has to be and can only be the next that is heard."""
        if line.plays and self._is_next(line) and self._has_to_be_made(line):
            self.active.head_start.begin(line)

    def _is_next(self, line: Line) -> bool:
        """Tell whether nothing is heard in a line's channel, and nothing comes before it."""
        if line.cut_by is not None:  # given up while it was checked: it has no place in the queue
            return False
        busy = self.active.busy("play") or ()
        is_held_up = self.awaited or self.stopping or self.active.sink_lost or self.active.head_start.is_taken
        return (
            not is_held_up
            and line.channel not in busy
            and line.request.not_before_ms == 0
            and self.scheduler.position(line.request_id) == 0
            and not self.labels.plan(line).notice
        )

    def _has_to_be_made(self, line: Line) -> bool:
        mode = line.request.cache
        return mode == "bypass" or (mode == "use" and line.key not in self.cache)

    def forget(self, line: Line) -> None:
        """Let a line go that has ended."""
        self.active.head_start.forgo(line.request_id)
        self.lines.pop(line.request_id, None)
