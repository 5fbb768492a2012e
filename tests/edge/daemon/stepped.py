"""A daemon without threads and clocks: its core, neighbours moved by hand, and what survives a crash."""

from __future__ import annotations

import json
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from edge.audio import AudioChunk
from edge.bundle.manifest import Character
from edge.config import EdgeConfig
from edge.daemon.core import Core
from edge.daemon.inbox import Inbox
from edge.daemon.journal.base import Entry, EventRecord, Known, Unfinished
from edge.daemon.journal.memory import MemoryJournal
from edge.daemon.line import Line
from edge.daemon.notify import Notifier
from edge.daemon.scheduler import Lane
from edge.daemon.state import Parts
from edge.engine.base import EngineUp, LineChunk, LineDone, LineError, LineReady, VoiceInfo
from edge.errors import EdgeError
from edge.messages import TERMINAL_EVENTS, SayRequest
from edge.playback.mixer import Mixer
from edge.playback.player import LineBegan, Player
from edge.protocols.link import Delivered, Inbound, LinkDown, LinkStatistics, LinkUp, StopSignal, Urgent
from edge.spec import SAMPLE_RATE
from edge.synthesizer import SpeechRequest
from edge.topics import Topics

BLOCK_MS = 10
CHUNK_SAMPLES = SAMPLE_RATE // 25
MAX_LINES = 4
VOICE = VoiceInfo(
    runner="stepped",
    precision="none",
    bundle="stepped 1.0.0",
    identity="stepped",
    sample_rate=SAMPLE_RATE,
    imitates_a_person=False,
    characters=tuple(
        Character(name=name, id=row, languages=("en",), emotions=("neutral",), fallbacks={})
        for row, name in enumerate(("noah", "ava"))
    ),
)


@dataclass
class Disk:
    """What survives a crash of the daemon."""

    unfinished: dict[str, Unfinished] = field(default_factory=dict)
    finished: dict[str, Known] = field(default_factory=dict)
    undelivered: dict[str, EventRecord] = field(default_factory=dict)


class SteppedJournal(MemoryJournal):
    """A journal whose writer moves when it is told to."""

    def __init__(self, disk: Disk) -> None:
        super().__init__()
        self.disk = disk
        self.waiting: deque[Callable[[], None]] = deque()
        self._open = {
            name: Known(found.entry.digest, found.last_event) for name, found in disk.unfinished.items()
        }
        self._finished.update(disk.finished)

    def recover(self) -> Sequence[Unfinished]:
        return list(self.disk.unfinished.values())

    def undelivered(self) -> Sequence[EventRecord]:
        return list(self.disk.undelivered.values())

    def accept(self, entry: Entry, then: Callable[[], None], refused: Callable[[EdgeError], None]) -> None:
        self._open[entry.request_id] = Known(entry.digest)

        def write() -> None:
            self.disk.unfinished[entry.request_id] = Unfinished(entry, None, heard=False)
            then()

        self.waiting.append(write)

    def sounding(self, request_id: str) -> None:
        before = self.disk.unfinished[request_id]
        self.disk.unfinished[request_id] = Unfinished(before.entry, before.last_event, heard=True)

    def finish(self, request_id: str, event: EventRecord, then: Callable[[], None]) -> None:
        known = self._open.pop(request_id)
        known.last_event, known.finished = event, True
        self._finished[request_id] = known

        def write() -> None:
            del self.disk.unfinished[request_id]
            self.disk.finished[request_id] = known
            self.disk.undelivered[event["event_id"]] = event
            then()

        self.waiting.append(write)

    def delivered(self, event_id: str) -> None:
        self.disk.undelivered.pop(event_id, None)


class SteppedEngine:
    """A synthesiser that takes a step when it is told to, the most urgent line first."""

    pids = ()

    def __init__(self, emit: Callable[[object], None], started: Callable[[str], None]) -> None:
        self._emit = emit
        self._started = started
        self._works: dict[str, tuple[int, Iterator[object]]] = {}

    def start(self, line_id: str, request: SpeechRequest, urgency: int) -> None:
        self._started(line_id)
        self._works[line_id] = (urgency, _messages(line_id, request.text))

    def cancel(self, line_id: str) -> None:
        self._works.pop(line_id, None)

    def restart(self, line_id: str = "") -> bool:
        self._works.clear()
        return True

    def step(self) -> bool:
        """Give the next message; return whether there was one."""
        if not self._works:
            return False
        line_id = min(self._works, key=lambda name: self._works[name][0])
        message = next(self._works[line_id][1])
        if isinstance(message, LineDone | LineError):
            del self._works[line_id]
        self._emit(message)
        return True


def _messages(line_id: str, text: str) -> Iterator[object]:
    yield LineReady(line_id, 1, ())
    n_chunks = len(text.split())
    for index in range(n_chunks):
        if text.split()[index] == "breaks":
            yield LineError(line_id, "runner_error", "the network broke", "synthesis")
        samples = np.full(CHUNK_SAMPLES, 1000, np.int16)
        yield LineChunk(
            line_id, AudioChunk(samples, SAMPLE_RATE, index * CHUNK_SAMPLES, index == n_chunks - 1, None, ())
        )
    yield LineDone(line_id, 1.0)


class SteppedConnection:
    """A connection to a broker that confirms when it is told to."""

    max_outgoing, max_payload_bytes, protocol = 10_000, 1_000_000, "5"

    def __init__(self, heard: Callable[[str, bytes], None]) -> None:
        self.connected = self.ready = True
        self.statistics = LinkStatistics()
        self.unconfirmed: deque[int] = deque()
        self._heard = heard
        self._n_published = 0

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, **_: Any) -> int:
        self._heard(topic, payload)
        self._n_published += 1
        if qos:
            self.unconfirmed.append(self._n_published)
        return self._n_published


class _NoTrust:
    """Nobody takes the voice away."""

    def voice_loaded(self, identity: str) -> None: ...


@dataclass(eq=False)
class Message:
    """A message in the broker's hands until it is acknowledged."""

    topic: str
    payload: bytes
    world: World
    retain: bool = False
    acknowledged: bool = False

    def inbound(self) -> Inbound:
        self.world.now += 1e-6  # no two arrive at the same time
        now, n_payload = time.monotonic(), len(self.payload)
        return Inbound(self.topic, self.payload, self.retain, False, 1, 1, 1, now, n_payload, source=self)

    def acknowledge(self, _inbound: Inbound) -> None:
        self.acknowledged = True
        self.world.on_acknowledged(self)


class World:
    """The daemon and everything around it; the clock stands still unless it is moved.

    Args:
        folder: state directory.
        monkeypatch: puts the clock in place.
        channel: ``all`` or ``character``.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, channel: str = "all") -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "monotonic_ns", lambda: round(self.now * 1e9))
        values = {
            "device": "w",
            "state_dir": folder,
            "queue": {"max_lines": MAX_LINES, "channel": channel},
            "sink": {"type": "null"},
        }
        self.config = EdgeConfig.model_validate(values)
        self.disk = Disk()
        self.sent: dict[str, dict[str, Any]] = {}
        self.order: list[str] = []
        self.stops: list[str] = []
        """Whom each stop was meant for; empty: everyone."""
        self.n_stops_before: dict[str, int] = {}
        self.refused: set[str] = set()
        self.events: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.began: dict[str, float] = {}
        self.way: deque[Message] = deque()
        """Messages of the session that brings everything, in order, not yet at the daemon."""
        self.urgent: deque[Message] = deque()
        self._held: list[Message] = []
        """Delivered and not acknowledged: a broker brings them again after a crash."""
        self._n_boots = 0
        self.boot()

    def boot(self) -> None:
        """Start the daemon anew, with what is on disk."""
        self._n_boots += 1
        self.inbox = Inbox(100_000, 2**30)
        self.journal = SteppedJournal(self.disk)
        self.engine = SteppedEngine(self.inbox.put, self._on_begun)
        self.begun: set[str] = set()
        self.connection = SteppedConnection(self._on_published)
        mixer = Mixer(-1.0) if self.config.queue.channel == "character" else None
        self.player = Player(SAMPLE_RATE, self._on_player, self._before_first, mixer)
        parts = Parts(
            config=self.config,
            boot_id=f"boot-{self._n_boots}",
            topics=Topics("sovits", "w"),
            inbox=self.inbox,
            connection=cast(Any, self.connection),
            journal=self.journal,
            engine=cast(Any, self.engine),
            player=self.player,
            files=cast(Any, None),
            notifier=Notifier(),
            trust=cast(Any, _NoTrust()),
        )
        self.core = Core(parts)
        self._watch_starts()
        self.core.start()
        self.inbox.put(EngineUp(VOICE))
        self.settle()
        held, self._held = self._held, []
        for message in held:
            if not message.acknowledged:
                self.arrive(message)

    def settle(self) -> None:
        """Let the core deal with everything that waits for it."""
        while self.core.step(self.now):
            pass

    # What goes in.

    def send(self, message: dict[str, Any]) -> None:
        """Publish a request to speak."""
        if message["id"] not in self.sent:
            self.order.append(message["id"])
            self.n_stops_before[message["id"]] = len(self.stops)
        self.sent.setdefault(message["id"], message)
        self.way.append(Message("sovits/w/request/say", json.dumps(message).encode(), self))

    def send_stop(self, character: str) -> None:
        """Publish a stop: it comes over both sessions."""
        self.stops.append(character)
        topic = "sovits/w/stop" + (f"/{character}" if character else "")
        for lane in (self.way, self.urgent):
            lane.append(Message(topic, b"", self))

    def send_cancel(self, request_id: str) -> None:
        """Publish a cancel: it comes over both sessions."""
        for lane in (self.way, self.urgent):
            lane.append(Message("sovits/w/request/cancel", json.dumps({"id": request_id}).encode(), self))

    def arrive(self, message: Message, *, urgent: bool = False, lagging: bool = False) -> None:
        """Bring a message to the daemon, and let it be dealt with unless the core lags behind."""
        self._held.append(message)
        inbound = message.inbound()
        if urgent:
            self.inbox.offer(Urgent(inbound), urgent=True, owed=True)
        elif message.topic.endswith("/say"):
            self.inbox.offer(inbound, owed=True)
        else:
            self.inbox.offer(StopSignal(inbound), owed=True)
        if not lagging:
            self.settle()

    # What moves.

    def write(self) -> None:
        """Let the journal's writer commit what waits."""
        while self.journal.waiting:
            self.journal.waiting.popleft()()
        self.settle()

    def confirm(self) -> None:
        """Let the broker confirm what has been published."""
        while self.connection.unconfirmed:
            self.inbox.put(Delivered(self.connection.unconfirmed.popleft()))
        self.settle()

    def compute(self) -> bool:
        """Let the synthesiser take a step."""
        stepped = self.engine.step()
        self.settle()
        return stepped

    def play(self) -> None:
        """Let the loudspeaker take a block."""
        self.player.pull(np.zeros(SAMPLE_RATE * BLOCK_MS // 1000, np.int16), round(self.now * 1e9), 0.0)
        self.wait(BLOCK_MS / 1000)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.settle()

    def cut_link(self) -> None:
        """Lose the broker."""
        self.connection.connected = self.connection.ready = False
        self.inbox.put(LinkDown("the cable is out"))
        self.settle()

    def mend_link(self) -> None:
        """Have the broker back."""
        self.connection.connected = self.connection.ready = True
        self.inbox.put(LinkUp(2, ()))
        self.settle()

    def finish(self) -> None:
        """Let everything come to its end."""
        self.mend_link()
        for _ in range(3):
            while self.urgent:
                self.arrive(self.urgent.popleft(), urgent=True)
            while self.way:
                self.arrive(self.way.popleft())
            self.write()
            idle = 0
            while idle < 30:
                busy = self.compute()
                self.play()
                self.write()
                idle = 0 if busy or self.core.state.active.lines else idle + 1
            self.wait(20.0)
        self.confirm()

    # What is seen.

    def ended(self, request_id: str) -> str:
        """Return how a line ended, as far as anybody was told; empty if it has not."""
        names = [event["event"] for event in self.events[request_id] if event["event"] in TERMINAL_EVENTS]
        return str(names[-1]) if names else ""

    def _on_published(self, topic: str, payload: bytes) -> None:
        if "/event/" in topic:
            event = json.loads(payload)
            self.events[event["id"]].append({**event, "at": self.now})

    def on_acknowledged(self, message: Message) -> None:
        """A request to speak is acknowledged once it is on disk, or refused; never on its way there."""
        if message.topic.endswith("/say"):
            request = SayRequest.model_validate_json(message.payload)
            assert request.id is not None
            if request.id not in self.disk.unfinished | self.disk.finished:
                known = self.journal.find(request.id)
                is_same = known is not None and known.digest == request.content_digest()
                assert not is_same, "acknowledged before it was on disk"
                told = {event["event"] for event in self.events[request.id]}
                assert "rejected" in told, "acknowledged before its refusal was told"
                self.refused.add(request.id)

    def _watch_starts(self) -> None:
        active = self.core.state.active
        start = active.start

        def watched(line: Line, lane: Lane) -> None:
            self._on_started(line.request_id)
            start(line, lane)

        active.start = watched  # type: ignore[method-assign]

    def _on_begun(self, line_id: str) -> None:
        """The synthesiser begins with a line, perhaps before it is on disk."""
        assert line_id not in self.begun, "begun twice"
        self.begun.add(line_id)
        early = self.core.state.active.head_start.has(line_id)
        assert early or line_id in self.disk.unfinished, "begun before it was on disk, without a head start"

    def _on_started(self, line_id: str) -> None:
        line, scheduler = self.core.state.lines[line_id], self.core.state.scheduler
        assert line_id in self.disk.unfinished, "started before it was on disk"
        assert line.deadline is None or self.now <= line.deadline
        assert self.now >= line.ticket().due
        for other in scheduler.waiting():
            ours = line.ticket()
            alike = other.lane == ours.lane and other.channel == ours.channel
            ready = other.ready and other.due <= self.now and alike
            assert not (ready and other.rank < (-line.request.priority, line.order)), "out of turn"

    def _before_first(self, line_id: str) -> None:
        assert line_id in self.disk.unfinished, "heard before it was on disk"
        self.journal.sounding(line_id)

    def _on_player(self, message: object) -> None:
        if isinstance(message, LineBegan):
            assert message.line_id not in self.began, "spoken twice"
            assert not self.ended(message.line_id), "spoken after its end"
            self.began[message.line_id] = self.now
        self.inbox.put(message)
