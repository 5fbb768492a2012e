"""Children of the supervisor: started, listened to, and seen out."""

from __future__ import annotations

import logging
import selectors
import socket
import time
from collections.abc import Iterator
from typing import Any

from .child_process import ChildProcess
from .launch import Launched, launch

logger = logging.getLogger(__name__)

SPARE_AFTER_S = 1.0  # from a child that is ready to its spare: nothing competes with the first line
LEAVE_S = 2.0  # for a child to end by itself
_FINAL_LEAVE_S = 1.0
_KILL_S = 1.0


class Children:
    """Every child that there is. Only ``ring`` is for other threads than the supervisor's.

    Args:
        module: runs in a child.
        spare: a child that has been launched already.
        keeps_spare: have another in reserve, for the one that is lost next.
        niceness: by how much they give way to the daemon.
    """

    def __init__(
        self,
        module: str,
        spare: Launched | None = None,
        *,
        keeps_spare: bool = False,
        niceness: int = 0,
    ) -> None:
        self._module = module
        self._niceness = niceness
        self._spare = spare
        self._keeps_spare = keeps_spare
        self.spare_at: float | None = None
        """When the next one in reserve is to be started, on the monotonic clock; None: it is not."""
        self._selector = selectors.DefaultSelector()
        self._leaving: list[tuple[ChildProcess, float]] = []
        self._bell, self._rope = socket.socketpair()
        self._bell.setblocking(False)
        self._rope.setblocking(False)
        self._selector.register(self._bell, selectors.EVENT_READ)

    @property
    def leaving(self) -> bool:
        """Return whether a child has been sent away and is not gone."""
        return bool(self._leaving)

    def ring(self) -> None:
        """Wake the supervisor."""
        try:
            self._rope.send(b"!")
        except OSError:
            logger.debug("the supervisor has been rung often enough, or is gone")

    def wait(self, timeout_s: float | None) -> Iterator[ChildProcess]:
        """Wait for word from a child or for the bell; yields the children that have sent something."""
        for key, _ in self._selector.select(timeout_s):
            if key.data is None:
                self._bell.recv(4096)
            else:
                yield key.data

    def start(self, settings: dict[str, Any]) -> ChildProcess:
        """Start one more.

        Raises:
            OSError: the system gives no process or no memory.
        """
        launched, self._spare = self._spare, None
        if launched is not None and launched.process.poll() is not None:
            launched.abandon()
            launched = None
        from_reserve = launched is not None
        child = ChildProcess(launched or launch(self._module, self._niceness), settings, from_reserve)
        self._selector.register(child.connection, selectors.EVENT_READ, child)
        return child

    def plan_spare(self) -> None:
        """Have a child in reserve before long that has imported its libraries, if one is kept."""
        if self._keeps_spare:
            self.spare_at = time.monotonic() + SPARE_AFTER_S

    def _start_spare(self) -> None:
        self.spare_at = None
        try:
            self._spare = self._spare or launch(self._module, self._niceness)
        except OSError as error:
            logger.warning("no spare process for the synthesiser: %s", error)

    def discard(self, child: ChildProcess, *, kill: bool = True) -> None:
        """Part with a child: at once, or once it has put things in order."""
        self._selector.unregister(child.connection)
        child.leave()
        if kill:
            child.kill()
        self._leaving.append((child, time.monotonic() + LEAVE_S))

    def look_after(self, now: float) -> None:
        """Give back what children held that have ended, kill those that should have, start one in reserve."""
        if self.spare_at is not None and now >= self.spare_at:
            self._start_spare()
        for entry in list(self._leaving):
            child, limit = entry
            if child.ended():
                self._leaving.remove(entry)
            elif now > limit:
                child.kill()

    def close(self) -> None:
        """See everybody out."""
        until = time.monotonic() + _FINAL_LEAVE_S
        for child, _ in self._leaving:
            if not child.ended(max(until - time.monotonic(), 0.0)):
                child.kill()
                child.ended(_KILL_S)
        self._leaving.clear()
        if self._spare is not None:
            self._spare.abandon()
        self._selector.close()
        self._bell.close()
        self._rope.close()
