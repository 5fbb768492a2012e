"""Health of the daemon: the loopback through the broker, memory, time."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from ..protocols.link import Inbound

INTERVAL_S = 10.0
KEPT_BEATS = 16
DEAF_AFTER_S = 25.0  # two messages and a half


class Loopback:
    """Measures the way through the broker by the daemon's own health messages.

    `is_connected()` of an MQTT client says what the client believes; a message that comes back proves it.
    """

    def __init__(self, boot_id: str) -> None:
        self._boot_id = boot_id
        self._sent: dict[int, float] = {}
        self._beat = 0
        self._returned: float | None = None
        self.way_ms: float | None = None
        """Time that the last message took to come back."""

    def next_beat(self, now: float) -> int:
        """Number the next health message."""
        self._beat += 1
        self._sent[self._beat] = now
        self._sent.pop(self._beat - KEPT_BEATS, None)
        return self._beat

    def returned(self, inbound: Inbound) -> None:
        """Hear a health message, ours or a stranger's; also called on paho's thread."""
        try:
            message: Any = json.loads(inbound.payload)
            sent = self._sent.get(message["beat"]) if message["boot_id"] == self._boot_id else None
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        if sent is not None:
            self._returned = sent
            self.way_ms = round((inbound.received - sent) * 1000, 3)

    def is_deaf(self, now: float) -> bool:
        """Tell whether messages have been sent for a while and none came back."""
        waiting_since = min((sent for sent in self._sent.values()), default=now)
        since = waiting_since if self._returned is None else self._returned
        return self._beat > 1 and now - since > DEAF_AFTER_S

    def age_s(self, now: float) -> float | None:
        """Return how long ago the last message was sent that came back."""
        return None if self._returned is None else round(now - self._returned, 3)


def resident_mb(*pids: int) -> float:
    """Return the memory of processes in MiB, what they share counted each time; 0 where that is not told."""
    return round(sum(map(_pages, pids)) * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def _pages(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def percentile(values: list[float], share: float) -> float | None:
    """Return the value that this share of the values does not exceed."""
    if not values:
        return None
    return round(sorted(values)[min(len(values) - 1, int(share * len(values)))], 3)


def uptime_s(started: float) -> float:
    """Return how long ago `started` was."""
    return round(time.monotonic() - started, 1)
