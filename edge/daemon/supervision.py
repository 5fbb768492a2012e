"""Supervision: what the service manager is told, and the proof of life that it is told on.

Alive is who gets through its inbox, whose journal gets through its records and whose synthesiser goes round.
No clock feeds the watchdog: a timer of the core puts a pulse behind whatever waits, and only the pulse that
comes out at the other end, with the journal's writer and the engine's thread having moved since the last
one, is worth a notice. A child that hangs is the engine's to replace, and no reason to end the daemon.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from .notify import Notifier
from .state import State

logger = logging.getLogger(__name__)

BEATS_PER_PERIOD = 4  # of the watchdog; one lost beat, or two, do not matter
DEFAULT_PERIOD_S = 20.0
START_EXTENSION_S = 60


@dataclass(frozen=True)
class PulseDue:
    """Time to put a pulse into the inbox."""


@dataclass(frozen=True)
class Pulse:
    """Comes out of the inbox when everything that waited before it has been dealt with."""


class Supervision:
    """Tells the service manager how the daemon is. Only the core thread uses it.

    Args:
        state: of the daemon.
        notifier: to the service manager.
    """

    def __init__(self, state: State, notifier: Notifier) -> None:
        self._state = state
        self._notifier = notifier
        self._interval_s = (notifier.watchdog_s or DEFAULT_PERIOD_S) / BEATS_PER_PERIOD
        self._ready = False
        self._told = ""
        self._journal_seen = -1

    def start(self) -> None:
        """Begin to beat."""
        if self._notifier.listened_to:
            self._state.timers.at(time.monotonic(), PulseDue())

    def update(self) -> None:
        """Say that the daemon is ready, once it is, and what it is doing; called after everything."""
        if not self._notifier.listened_to:
            return
        phase = self._phase()
        if not self._ready and phase == "ready":
            self._ready = self._notifier.send(READY=1, STATUS=phase)
            self._told = phase if self._ready else ""
        elif phase != self._told and self._notifier.send(STATUS=phase):
            self._told = phase

    def on_pulse_due(self, _message: PulseDue) -> None:
        """Put a pulse behind what waits."""
        self._state.timers.at(time.monotonic() + self._interval_s, PulseDue())
        self._state.inbox.put(Pulse())

    def on_pulse(self, _message: Pulse) -> None:
        """Tell that the core, the journal and the engine are alive, if all are."""
        workers = {"journal": self._journal_moves(), "engine": self._state.engine.moves()}
        stuck = " and ".join(name for name, moves in workers.items() if not moves)
        if stuck:
            logger.error("%s: no progress; the service manager is told nothing until there is some", stuck)
        elif self._ready:
            self._notifier.send(WATCHDOG=1)
        elif self._state.takes_requests:  # a broker that is away at start-up is no fault of ours
            self._notifier.send(EXTEND_TIMEOUT_USEC=START_EXTENSION_S * 1_000_000)

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._notifier.send(STOPPING=1, STATUS="stopping")

    def _journal_moves(self) -> bool:
        """Tell whether the writer has done something since the last pulse, or has nothing to do."""
        journal = self._state.journal
        moves = journal.backlog == 0 or journal.progress != self._journal_seen
        self._journal_seen = journal.progress
        return moves

    def _phase(self) -> str:
        state = self._state
        if state.stopping:
            return "stopping"
        if not state.takes_requests:
            return "loading the voice"
        if not self._ready and not state.connection.connected:
            mqtt = state.config.mqtt
            return f"waiting for the broker {mqtt.host}:{mqtt.port}"
        return "ready"
