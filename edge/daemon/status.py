"""The retained topics that tools bind a lamp to, and the health message."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from ..messages import Health, Status
from .health import INTERVAL_S, percentile, resident_mb, uptime_s

if TYPE_CHECKING:
    from .core import Core

logger = logging.getLogger(__name__)

STATUS_INTERVAL_S = 1.0  # a busy queue does not flood the broker with retained messages


@dataclass(frozen=True)
class LampTick:
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


class Lamps:
    """Keeps the retained topics equal to what is the case. Only the core thread uses it."""

    def __init__(self, core: Core, boot_id: str) -> None:
        self._core = core
        self._boot_id = boot_id
        self._started = time.monotonic()
        self._version = version()
        self._status_sent = 0.0
        self._status_waits = False
        self._next_health = self._started + INTERVAL_S
        self._bid_farewell = False
        self._deaf = False

    def start(self) -> None:
        """Show that the daemon is coming up."""
        self._core.announcer.retain("state", b"starting")
        self._core.timers.at(self._next_health, LampTick())

    def tick(self) -> None:
        """Send health and wait for the next time."""
        self._check_loopback()
        self.send_health()
        self._next_health = max(self._next_health + INTERVAL_S, time.monotonic() + INTERVAL_S / 2)
        self._core.timers.at(self._next_health, LampTick())
        self._update_status(time.monotonic())

    def status_tick(self) -> None:
        """Send the status that was held back."""
        if self._status_waits:
            self._update_status(time.monotonic())

    def update(self) -> None:
        """Set the lamps; called after everything that happens."""
        core = self._core
        retain = core.announcer.retain
        retain("state", self._state().encode())
        if self._bid_farewell:
            retain("availability", b"stopped")
        if core.voice is None:
            return
        speaking = core.stage.speaking
        for character in core.voice.characters:
            is_speaking = speaking is not None and speaking.character == character.name
            retain(f"character/{character.name}/state", b"speaking" if is_speaking else b"idle")
        if not self._bid_farewell:
            retain("availability", b"online")
        now = time.monotonic()
        if now - self._status_sent >= STATUS_INTERVAL_S:
            self._update_status(now)
        elif not self._status_waits:
            self._status_waits = True
            core.timers.at(self._status_sent + STATUS_INTERVAL_S, StatusTick())

    def send_health(self) -> None:
        """Say how the daemon is."""
        payload = self._health().to_json()
        self._core.announcer.now("health", payload, qos=0, content_type="application/json")

    def farewell_delivered(self) -> bool:
        """Say good-bye, once; tell whether the broker has everything."""
        announcer = self._core.announcer
        if not self._bid_farewell:
            self._bid_farewell = True
            self.update()
            announcer.flush()
        return not self._core.connection.connected or not announcer.unacknowledged

    def status(self) -> Status:
        """Describe the daemon."""
        core = self._core
        voice = core.voice
        return Status(
            version=self._version,
            boot_id=self._boot_id,
            runner=voice.runner if voice else "",
            precision=voice.precision if voice else "",
            bundle=voice.bundle if voice else "",
            characters=[character.name for character in voice.characters] if voice else [],
            queue_depth=len(core.scheduler),
            journal_backlog=core.journal.backlog,
            last_error=core.stage.tally.last_error,
        )

    def _state(self) -> str:
        core = self._core
        if core.error is not None:
            return "error"
        if core.voice is None:
            return "starting"
        if core.stage.speaking is not None:
            return "speaking"
        return "degraded" if core.stage.sink_lost or core.refused_subscriptions or self._deaf else "idle"

    def _check_loopback(self) -> None:
        """Notice that the broker does not deliver to us; one that denies reading does not say so."""
        deaf = self._core.connection.connected and self._core.loopback.is_deaf(time.monotonic())
        if deaf and not self._deaf:
            message = "the broker does not deliver our own health message: check its access rules"
            self._core.stage.tally.last_error = message
            logger.error("mqtt: %s", message)
        self._deaf = deaf

    def _update_status(self, now: float) -> None:
        self._status_sent, self._status_waits = now, False
        self._core.announcer.retain("status", self.status().to_json())

    def _health(self) -> Health:
        core, now = self._core, time.monotonic()
        link, tally = core.connection.statistics, core.stage.tally
        latencies = list(tally.first_audio_ms)
        return Health(
            boot_id=self._boot_id,
            beat=core.loopback.next_beat(now),
            uptime_s=uptime_s(self._started),
            loopback_age_s=core.loopback.age_s(now),
            loopback_ms=core.loopback.way_ms,
            connected=core.connection.connected,
            protocol=core.connection.protocol,
            reconnects=link.reconnects,
            duplicate_client_id_suspected=link.flapping(now),
            queue_depth=len(core.scheduler),
            intake_depth=core.inbox.intake_depth(),
            intake_dropped=core.inbox.dropped,
            outgoing_unacknowledged=len(core.announcer.unacknowledged),
            outgoing_dropped=link.outgoing_dropped,
            lines=dict(tally.lines),
            first_audio_p50_ms=percentile(latencies, 0.5),
            first_audio_p95_ms=percentile(latencies, 0.95),
            underruns=tally.underruns,
            cache_lines=len(core.cache),
            cache_mb=round(core.cache.n_bytes / 2**20, 2),
            resident_mb=resident_mb(),
            sink=core.stage.sink_lost or core.config.sink.type,
        )
