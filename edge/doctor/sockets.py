"""WebSocket listeners open to every network: mosquitto 2.0.11 ignores the address that they are given."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

from .finding import Finding

LISTEN = "0A"
EVERY_ADDRESS = {"0" * 8: "0.0.0.0", "0" * 32: "::"}
LIMIT_S = 1.0
GREETING = (
    b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: c292aXRzLWRvY3Rvci1wcm9iZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: mqtt\r\n\r\n"
)


class SocketChecks:
    """Looks at what listens on this machine.

    Args:
        tables: the kernel's lists of TCP sockets.
    """

    def __init__(self, tables: tuple[Path, ...] = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))) -> None:
        self._tables = tables

    def look(self) -> Iterator[Finding]:
        """Do the check."""
        open_ports = [port for port in sorted(self._ports()) if speaks_mqtt_over_websocket(port)]
        if not open_ports:
            yield Finding(
                "websockets", "ok", "no WebSocket listener of a broker is open to every network here"
            )
        for port in open_ports:
            yield Finding(
                "websockets", "warning", f"port {port} takes MQTT over WebSocket from every network",
                "unless that is meant, close it by the firewall; mosquitto 2.0.11 ignores the address",
            )  # fmt: skip

    def _ports(self) -> set[int]:
        """Ports that listen on every address."""
        found = set()
        for table in self._tables:
            try:
                rows = table.read_text("ascii").splitlines()[1:]
            except OSError:
                continue
            for row in rows:
                address, port = row.split()[1].split(":")
                if row.split()[3] == LISTEN and address in EVERY_ADDRESS:
                    found.add(int(port, 16))
        return found


def speaks_mqtt_over_websocket(port: int) -> bool:
    """Greet a port of this machine as a browser would; whether a broker answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as connection:
            connection.settimeout(LIMIT_S)
            connection.sendall(GREETING)
            answer = connection.recv(1024).lower()
    except OSError:
        return False
    return answer.startswith(b"http/1.1 101") and b"sec-websocket-protocol: mqtt" in answer
