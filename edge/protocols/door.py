"""Doors: ways into the daemon besides MQTT, and what they need of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..errors import ConfigError
from ..messages import Status
from .commands import Command
from .figures import Histogram


class Door(Protocol):
    """A server of another protocol, on threads of its own."""

    def open(self) -> None:
        """Begin to listen.

        Raises:
            ConfigError: an address or a library is not there.
        """
        ...

    def close(self) -> None:
        """Stop listening; whoever still waits is told so."""
        ...


class Submit(Protocol):
    """Leaves a command for the core; callable on any thread."""

    def __call__(self, command: Command, /, *, urgent: bool = False, owed: bool = False) -> bool:
        """Return False if too much waits already and the command was dropped.

        Args:
            command: it is dealt with in its turn, and answered.
            urgent: whether it overtakes everything else, as a stop does.
            owed: whether it may not be dropped; the door bounds how many of these there are.
        """
        ...


@dataclass(frozen=True)
class Figures:
    """How the daemon is, as one consistent copy."""

    state: str
    """The word of the retained topic ``state``."""
    status: Status
    connected: bool
    """Whether the broker is reached."""
    uptime_s: float
    queue_depth: int
    intake_depth: int
    intake_dropped: int
    outgoing_unacknowledged: int
    outgoing_dropped: int
    reconnects: int
    lines: Mapping[str, int]
    """Number of lines by how they ended."""
    faults: Mapping[str, int]
    """Number of failed and refused requests by code."""
    underruns: int
    cache_lines: int
    cache_bytes: int
    cache_disk_lines: int
    cache_disk_bytes: int
    cache_poisoned: int
    """Files of the cache that were damaged and deleted."""
    cache_lost: int
    """Lines that the disk did not take."""
    cache_hits: int
    cache_misses: int
    sound_s: float
    """Seconds of sound made or replayed in lines that were finished."""
    synthesis_s: float
    """Seconds spent computing it."""
    resident_bytes: int
    """Memory of the daemon's own process."""
    engine_resident_bytes: int
    """Memory of the synthesiser's processes; 0 where it has none of its own."""
    engine_faults: int
    """Times that the synthesiser had to be replaced."""
    first_audio: Histogram
    """Seconds from arrival to the first sample."""
    waiting: Histogram
    """Seconds from arrival to the turn."""


@dataclass(frozen=True)
class Probe:
    """Asks the core how the daemon is: an answer proves that it works."""

    answer: Callable[[Figures], None]
    """Called on the core thread; must not block."""


def missing_extra(door: str, extra: str, error: ImportError) -> ConfigError:
    """Say which extra brings a library that is not installed."""
    remedy = f"pip install 'sovits-tiny[{extra}]', or leave [{door}] out of the configuration"
    return ConfigError(f"[{door}] needs {error.name}: {remedy}")
