"""Notices to the service manager: ready, alive, stopping; the protocol of ``sd_notify``.

A datagram of ``KEY=value`` lines to the socket that ``NOTIFY_SOCKET`` names. Without one, nothing is sent.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

logger = logging.getLogger(__name__)


class Notifier:
    """Sends notices, without ever waiting.

    Args:
        address: path of the socket, or a name that begins with ``@``; empty: there is no service manager.
        watchdog_s: silence after which the service manager takes the daemon for dead; None: it never does.
    """

    def __init__(self, address: str = "", watchdog_s: float | None = None) -> None:
        self.watchdog_s = watchdog_s if address else None
        self._socket = _connect(address) if address else None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Notifier:
        """Make the one that the service manager asks for by ``NOTIFY_SOCKET`` and ``WATCHDOG_USEC``."""
        meant = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        period = environment.get("WATCHDOG_USEC", "")
        watchdog_s = int(period) / 1e6 if meant and period.isdecimal() and int(period) else None
        return cls(environment.get("NOTIFY_SOCKET", ""), watchdog_s)

    @property
    def listened_to(self) -> bool:
        """Tell whether there is a service manager."""
        return self._socket is not None

    def send(self, **notice: str | int) -> bool:
        """Send a notice such as ``READY=1``; False if it was not taken and should be sent again."""
        if self._socket is None:
            return True
        text = "\n".join(f"{key}={value}" for key, value in notice.items())
        try:
            self._socket.send(text.encode())
        except OSError as error:
            logger.debug("the service manager does not take %s: %s", text, error)
            return False
        return True

    def close(self) -> None:
        """Release the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _connect(address: str) -> socket.socket | None:
    """Open the way to the service manager; None, with a line in the log, where there is none."""
    if not address.startswith(("/", "@")):
        logger.error("NOTIFY_SOCKET=%s: expected a path or a name that begins with @", address)
        return None
    found = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    found.setblocking(False)
    try:
        found.connect("\0" + address[1:] if address.startswith("@") else address)
    except OSError as error:
        found.close()
        logger.error("NOTIFY_SOCKET=%s: %s", address, error)
        return None
    return found
