"""Status: the retained topics that tools bind a lamp to, and the health message."""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata

from ..messages import Health, LabelStatus, Status
from ..protocols.door import Figures
from ..topics import is_name
from .health import INTERVAL_S, percentile, resident_mb, uptime_s
from .state import State

logger = logging.getLogger(__name__)

CHARACTERS_FILE = "characters"
STATUS_INTERVAL_S = 1.0  # a busy queue does not flood the broker with retained messages


@dataclass(frozen=True)
class HealthTick:
    """Time for a health message."""


@dataclass(frozen=True)
class StatusTick:
    """Time for a status that was held back."""


def version() -> str:
    """Return the version of the installed distribution."""
    try:
        return metadata.version("sovits-tiny")
    except metadata.PackageNotFoundError:
        return "0.0.0"


class StatusTopics:
    """Keeps the retained topics equal to what is the case. Only the core thread uses it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._boot_id = state.boot_id
        self._started = time.monotonic()
        self._version = version()
        self._status_sent = 0.0
        self._status_waits = False
        self._next_health = self._started + INTERVAL_S
        self._is_last = False
        self._deaf = False
        self._characters: tuple[str, ...] = ()

    def start(self) -> None:
        """Show that the daemon is coming up."""
        self._state.publisher.retain("state", b"starting")
        for name in self._silent_since_before():
            self._state.publisher.retain(f"character/{name}/state", b"idle")
        self._state.timers.at(self._next_health, HealthTick())

    def voice_loaded(self) -> None:
        """Note the characters for the next start: a daemon that was killed leaves `speaking` behind."""
        assert self._state.voice is not None
        self._characters = tuple(character.name for character in self._state.voice.characters)
        with suppress(OSError):
            text = "\n".join(self._characters)
            (self._state.config.state_dir / CHARACTERS_FILE).write_text(text, encoding="utf-8")

    def _silent_since_before(self) -> list[str]:
        """Characters of the voice loaded last, none of whom speaks now."""
        try:
            text = (self._state.config.state_dir / CHARACTERS_FILE).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return []
        return [name for name in text.split() if is_name(name)]

    def tick(self) -> None:
        """Send health and wait for the next time."""
        self._check_loopback()
        self._state.publisher.retry_refused()
        self.send_health()
        self._next_health = max(self._next_health + INTERVAL_S, time.monotonic() + INTERVAL_S / 2)
        self._state.timers.at(self._next_health, HealthTick())
        self._update_status(time.monotonic())

    def status_tick(self) -> None:
        """Send the status that was held back."""
        if self._status_waits:
            self._update_status(time.monotonic())

    def update(self) -> None:
        """Set the retained topics; called after everything that happens."""
        state = self._state
        retain = state.publisher.retain
        retain("state", self._word().encode())
        if self._is_last:
            retain("availability", b"stopped")
        if state.voice is None and state.muted is None:
            return
        speaking = state.active.speaking
        for name in self._characters:
            retain(f"character/{name}/state", b"speaking" if name in speaking else b"idle")
        if not self._is_last:
            retain("availability", b"online")
        now = time.monotonic()
        if now - self._status_sent >= STATUS_INTERVAL_S:
            self._update_status(now)
        elif not self._status_waits:
            self._status_waits = True
            state.timers.at(self._status_sent + STATUS_INTERVAL_S, StatusTick())

    def send_health(self) -> None:
        """Say how the daemon is."""
        payload = self._health().to_json()
        self._state.publisher.now("health", payload, qos=0, content_type="application/json")

    def last_state_delivered(self) -> bool:
        """Publish the last state, once; tell whether the broker has everything."""
        announcer = self._state.publisher
        if not self._is_last:
            self._is_last = True
            self.update()
            announcer.flush()
        return not self._state.connection.connected or not announcer.unacknowledged

    def status(self) -> Status:
        """Describe the daemon."""
        state = self._state
        voice = state.voice
        return Status(
            version=self._version,
            boot_id=self._boot_id,
            runner=voice.runner if voice else "",
            precision=voice.precision if voice else "",
            bundle=voice.bundle if voice else "",
            characters=[character.name for character in voice.characters] if voice else [],
            queue_depth=len(state.scheduler),
            journal_backlog=state.journal.backlog,
            last_error=state.tally.last_error,
            show=state.shows.script.show.name if state.shows.script else None,
            label=LabelStatus(
                profile=state.label.profile.name,
                text=state.label.screen_text(),
                texts={name: text for name, text in state.label.profile.screen.items() if name},
                shown=state.label_shown,
            ),
        )

    def figures(self) -> Figures:
        """Describe the daemon for doors."""
        state = self._state
        stored = state.stored()
        link, tally = state.connection.statistics, state.tally
        return Figures(
            state=self._word(),
            status=self.status(),
            connected=state.connection.connected,
            uptime_s=uptime_s(self._started),
            queue_depth=len(state.scheduler),
            intake_depth=state.inbox.intake_depth(),
            intake_dropped=state.inbox.dropped,
            outgoing_unacknowledged=len(state.publisher.unacknowledged),
            outgoing_dropped=link.outgoing_dropped,
            reconnects=link.reconnects,
            lines=dict(tally.lines),
            faults=dict(tally.faults),
            underruns=tally.underruns,
            cache_lines=len(state.cache),
            cache_bytes=state.cache.n_bytes,
            cache_disk_lines=stored.n_lines,
            cache_disk_bytes=stored.n_bytes,
            cache_poisoned=stored.n_poisoned,
            cache_lost=stored.n_lost,
            cache_hits=tally.cache_hits,
            cache_misses=tally.cache_misses,
            sound_s=tally.sound_s,
            synthesis_s=tally.synthesis_s,
            resident_bytes=round(resident_mb(os.getpid()) * 2**20),
            engine_resident_bytes=round(resident_mb(*state.engine.pids) * 2**20),
            engine_faults=tally.engine_faults,
            first_audio=tally.first_audio.copy(),
            waiting=tally.waiting.copy(),
        )

    def _word(self) -> str:
        state = self._state
        if state.error is not None or state.muted is not None:
            return "error"
        if state.voice is None:
            return "starting"
        if state.active.speaking:
            return "speaking"
        faults = (
            state.active.sink_lost,
            state.engine_fault,
            state.journal.fault,
            state.refused_subscriptions,
            state.trust_warning,
            state.shows.fault,
            self._deaf,
        )
        return "degraded" if any(faults) else "idle"

    def _check_loopback(self) -> None:
        """Notice that the broker does not deliver to us; one that denies reading does not say so."""
        deaf = self._state.connection.connected and self._state.loopback.is_deaf(time.monotonic())
        if deaf and not self._deaf:
            message = "the broker does not deliver our own health message: check its access rules"
            self._state.tally.last_error = message
            logger.error("mqtt: %s", message)
        self._deaf = deaf

    def _update_status(self, now: float) -> None:
        self._status_sent, self._status_waits = now, False
        self._state.publisher.retain("status", self.status().to_json())

    def _health(self) -> Health:
        state, now = self._state, time.monotonic()
        stored = state.stored()
        link, tally = state.connection.statistics, state.tally
        latencies = list(tally.first_audio_ms)
        return Health(
            boot_id=self._boot_id,
            beat=state.loopback.next_beat(now),
            uptime_s=uptime_s(self._started),
            loopback_age_s=state.loopback.age_s(now),
            loopback_ms=state.loopback.way_ms,
            connected=state.connection.connected,
            protocol=state.connection.protocol,
            reconnects=link.reconnects,
            duplicate_client_id_suspected=link.flapping(now),
            queue_depth=len(state.scheduler),
            intake_depth=state.inbox.intake_depth(),
            intake_dropped=state.inbox.dropped,
            outgoing_unacknowledged=len(state.publisher.unacknowledged),
            outgoing_dropped=link.outgoing_dropped,
            lines=dict(tally.lines),
            first_audio_p50_ms=percentile(latencies, 0.5),
            first_audio_p95_ms=percentile(latencies, 0.95),
            underruns=tally.underruns,
            cache_lines=len(state.cache),
            cache_mb=round(state.cache.n_bytes / 2**20, 2),
            cache_disk_lines=stored.n_lines,
            cache_disk_mb=round(stored.n_bytes / 2**20, 2),
            cache_poisoned=stored.n_poisoned,
            cache_lost=stored.n_lost,
            resident_mb=resident_mb(os.getpid()),
            engine_mb=resident_mb(*state.engine.pids),
            engine_faults=tally.engine_faults,
            sink=state.active.sink_lost or state.config.sink.type,
        )
