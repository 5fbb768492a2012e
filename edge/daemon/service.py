"""Service: the daemon built, run and taken down in order."""

from __future__ import annotations

import faulthandler
import logging
import secrets
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

from ..config import EdgeConfig
from ..engine.base import Engine, EngineMessage
from ..engine.launch import Launched
from ..engine.pair import PairEngine
from ..engine.process import ProcessEngine
from ..engine.source import VoiceSource
from ..engine.thread import ThreadEngine
from ..garbage import settle
from ..labels.credentials import Credentials
from ..labels.policy import LabelConfig, file_producer
from ..permission import gate_of
from ..playback.files import FileWriter
from ..playback.mixer import Mixer
from ..playback.open import make_sink
from ..playback.player import Player
from ..playback.sink import Sink
from ..protocols.link import Inbound, LinkDown, LinkUp, StopSignal, Urgent
from ..protocols.mqtt import Connection
from ..spec import SAMPLE_RATE
from ..topics import REVOCATIONS, Topics
from .core import Core, Shutdown
from .doors import make_doors
from .guests import guest_topics
from .inbox import Inbox
from .journal.base import Journal, JournalAlert
from .journal.disk import DiskJournal
from .line_store import CACHE_FOLDER, LineStore
from .notify import Notifier
from .show_watch import ShowWatch
from .state import Parts
from .state_lock import StateLock
from .trust import TrustWatch

logger = logging.getLogger(__name__)

SWITCH_INTERVAL_S = 0.001  # Python's 5 ms would let a busy synthesiser hold up the core and the sink
CLOSE_TIMEOUT_S = 2.0

MakeEngine = Callable[[EdgeConfig, Callable[[EngineMessage], None]], Engine]


def open_engine(
    config: EdgeConfig, emit: Callable[[EngineMessage], None], launched: Launched | None = None
) -> Engine:
    """Make the synthesiser that the configuration asks for.

    Args:
        config: of the device.
        emit: takes the synthesiser's messages.
        launched: a child that has been started ahead of everything else.
    """
    source = VoiceSource(
        config.bundle,
        config.threads,
        config.lexicon,
        config.runner,
        config.state_dir,
        gate_of(config),
        config.loudness.is_on,
    )
    if config.engine == "thread":
        if launched is not None:
            launched.abandon()
        return ThreadEngine(source.load, emit, config.runner)
    options: dict[str, Any] = {
        "first": launched,
        "spare": config.engine_spare,
        "hang_s": config.engine_hang_s,
    }
    if config.engine_second and config.threads > 1 and config.runner == "onnxruntime":
        return PairEngine(source.to_json(), emit, **options)
    fallback = source.on_processor()
    return ProcessEngine(
        source.to_json(), emit, fallback=None if fallback is None else fallback.to_json(), **options
    )


def _file_writer(config: EdgeConfig, inbox: Inbox) -> FileWriter:
    folder, limit = config.state_dir / "audio", config.files.max_mb * 2**20
    return FileWriter(folder, limit, inbox.put, file_producer(config.label), _credentials(config.label))


def _credentials(config: LabelConfig) -> Credentials | None:
    if config.certificate is None or config.certificate_key is None:
        return None
    return Credentials(config.certificate, config.certificate_key)


class Daemon:
    """One daemon with its threads: paho's, the core's (whoever calls `run`), the engine's, the sink's, files.

    Args:
        config: what to run.
        make_engine: makes the synthesiser.
        sink: where sound goes; made from the configuration if absent.
        journal: memory of requests; on disk, in the state directory, if absent.
        notifier: to the service manager; absent: there is none.
    """

    def __init__(
        self,
        config: EdgeConfig,
        *,
        make_engine: MakeEngine = open_engine,
        sink: Sink | None = None,
        journal: Journal | None = None,
        notifier: Notifier | None = None,
    ) -> None:
        self._notifier = notifier or Notifier()
        self._topics = Topics(config.base, config.device)
        self._inbox = Inbox(config.queue.max_intake, config.queue.max_intake_bytes)
        self._lock = StateLock(config.state_dir, config.device)
        self._lock.acquire()
        self._journal = journal or DiskJournal(
            config.state_dir, config.queue.remembered_ids, lambda fault: self._inbox.put(JournalAlert(fault))
        )
        self._engine = make_engine(config, self._inbox.put)
        mixer = Mixer(config.loudness.ceiling_dbfs) if config.queue.channel == "character" else None
        self._player = Player(SAMPLE_RATE, self._inbox.put, self._journal.sounding, mixer)
        self._sink = sink or make_sink(config.sink)
        self._show = ShowWatch(config.show, self._inbox.put)
        self._trust = TrustWatch(config, self._inbox.put)
        self._files = _file_writer(config, self._inbox)
        self._line_store = LineStore(
            config.state_dir / CACHE_FOLDER, config.cache.disk_mb * 2**20, self._inbox.put
        )
        self._connection, self._stops = self._sessions(config)
        self._core = Core(self._parts(config))
        self._doors = make_doors(config, self._inbox)
        self._urgent = tuple(self._topics.own(tail) for tail in ("stop", "request/stop", "request/cancel"))

    def _sessions(self, config: EdgeConfig) -> tuple[Connection, Connection]:
        """Make both sessions with the broker: that of everything, and that of stops alone."""
        client_id = config.mqtt.client_id or f"sovits-edge-{config.device}"
        limit = config.queue.max_request_bytes
        everything = Connection(
            config.mqtt,
            client_id=client_id,
            will=self._topics.own("availability"),
            subscriptions=(*self._topics.subscriptions(), *guest_topics(config)),
            max_payload=limit,
            deliver=self._deliver,
            report=self._inbox.put,
        )
        stops = Connection(
            config.mqtt,
            client_id=f"{client_id}-stop",
            will=None,
            subscriptions=self._topics.urgent(),
            max_payload=limit,
            deliver=self._deliver_urgent,
            report=self._report_stops,
        )
        return everything, stops

    def _parts(self, config: EdgeConfig) -> Parts:
        """Name what the core works with."""
        return Parts(
            config=config,
            boot_id=secrets.token_hex(6),
            topics=self._topics,
            inbox=self._inbox,
            connection=self._connection,
            journal=self._journal,
            engine=self._engine,
            player=self._player,
            files=self._files,
            notifier=self._notifier,
            trust=self._trust,
            line_store=self._line_store,
        )

    def run(self) -> None:
        """Work until `stop` is called.

        Raises:
            EdgeError: the voice cannot be loaded, or the synthesiser hangs.
        """
        self._trust.open()
        self._engine.open()
        self._show.open()
        self._sink.open(self._player, self._inbox.put)
        self._connection.start()
        self._stops.start()
        try:
            for door in self._doors:
                door.open()
            self._core.run()
        finally:
            for door in self._doors:
                door.close()
            self._stops.close(CLOSE_TIMEOUT_S)
            self._connection.close(CLOSE_TIMEOUT_S)
            self._engine.close()
            self._trust.close()
            self._sink.close()
            self._show.close()
            self._files.close()
            self._line_store.close()
            self._journal.close()
            self._lock.release()
            self._notifier.close()
        if self._core.state.error is not None:
            raise self._core.state.error

    def stop(self) -> None:
        """Ask for an end in order; callable from any thread, not from a signal handler."""
        self._inbox.put(Shutdown())

    def _deliver_urgent(self, inbound: Inbound) -> None:
        self._inbox.offer(Urgent(inbound), urgent=True, owed=True)

    def _report_stops(self, message: object) -> None:
        """Log what only the session for stops tells; the other one tells of the broker."""
        if isinstance(message, LinkUp) and message.refused:
            refused = ", ".join(message.refused)
            logger.error("mqtt: the broker does not let %s read %s", self._stops.client_id, refused)
        elif isinstance(message, LinkDown):
            logger.debug("mqtt, session for stops: %s", message.reason)

    def _deliver(self, inbound: Inbound) -> None:
        """Leave a message for the core; a stop overtakes what waits, if not by its own session then here."""
        if inbound.qos == 0 and inbound.topic == self._topics.own("health"):
            self._core.state.loopback.returned(inbound)  # not behind a burst, nor dropped with it
            return
        message: Inbound | StopSignal = inbound
        if inbound.topic.startswith(self._urgent):
            message = StopSignal(inbound, is_early=not self._stops.ready)
            if message.is_early:
                self._inbox.offer(message, urgent=True)
        urgent = inbound.topic == self._topics.own(REVOCATIONS)
        if not self._inbox.offer(message, urgent=urgent, owed=inbound.qos > 0):
            logger.error("intake is full: a message on %s was dropped", inbound.topic[:80])


def own_process() -> None:
    """Set up Python for a process that is nothing but a daemon: nobody waits long for another thread."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    settle()


def serve(config: EdgeConfig, launched: Launched | None = None) -> int:
    """Run the daemon until SIGTERM or SIGINT.

    Args:
        config: what to run.
        launched: a child for the synthesiser that has been started ahead of everything else.

    Returns:
        0 after an end in order.

    Raises:
        EdgeError: the configuration or the voice is unusable, or the synthesiser hangs.
    """
    own_process()
    if sys.stderr is not None and not faulthandler.is_enabled():
        faulthandler.enable()  # the watchdog ends a daemon with SIGABRT: every thread's stack goes to the log
    make_engine = partial(open_engine, launched=launched)
    try:
        daemon = Daemon(config, make_engine=make_engine, notifier=Notifier.from_environment())
    except BaseException:
        if launched is not None:
            launched.abandon()
        raise
    _run_until_asked(daemon)
    return 0


def _run_until_asked(daemon: Daemon) -> None:
    """Run it on a thread of its own, so that this one takes the signals.

    Raises:
        EdgeError: as ``Daemon.run``.
    """
    asked = threading.Event()
    failures: list[Exception] = []

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    def run() -> None:
        try:
            daemon.run()
        except Exception as error:  # noqa: BLE001 - raised again below, in the thread of the caller
            failures.append(error)
        finally:
            asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    core = threading.Thread(target=run, name="core")
    core.start()
    asked.wait()
    daemon.stop()
    core.join()
    if failures:
        raise failures[0]
