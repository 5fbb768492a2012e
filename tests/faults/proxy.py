"""TCP proxy between a daemon and its broker that makes the faults of networks."""

from __future__ import annotations

import socket
import struct
import threading
import time
from typing import Literal

from edge.demo.broker import free_port

Mode = Literal["pass", "black_hole", "half_open", "slow"]
PIECE = 4096
SLOW_BYTES_PER_S = 2_000


class FaultProxy:
    """Passes on what goes between clients and a broker, for as long as the block lasts, or does not.

    Attributes:
        mode: ``black_hole`` takes everything and passes nothing on, ``half_open`` passes on only what the
            broker says, ``slow`` passes on 2 kB a second.
        cut_after: bytes of a client after which its connection is reset; None for never.
    """

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.mode: Mode = "pass"
        self.cut_after: int | None = None
        self.n_connections = 0
        self._target = target
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._closing = False
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> FaultProxy:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(timeout=10)

    def cut(self) -> None:
        """Reset every connection."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            _reset(*pair)

    def _accept(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
                broker = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            except OSError:
                continue
            broker.settimeout(None)
            self.n_connections += 1
            self._pairs.append((client, broker))
            for source, sink, is_client in ((client, broker, True), (broker, client, False)):
                thread = threading.Thread(target=self._pump, args=(source, sink, is_client), daemon=True)
                thread.start()
                self._threads.append(thread)

    def _pump(self, source: socket.socket, sink: socket.socket, is_client: bool) -> None:
        n_bytes, is_lost = 0, False  # what has lost a byte stays lost: TCP leaves no holes
        try:
            while data := source.recv(PIECE):
                if is_client and self.cut_after is not None and n_bytes + len(data) >= self.cut_after:
                    sink.sendall(data[: self.cut_after - n_bytes])
                    break
                n_bytes += len(data)
                if self.mode == "slow":
                    time.sleep(len(data) / SLOW_BYTES_PER_S)
                is_lost = is_lost or self.mode == "black_hole" or (self.mode == "half_open" and is_client)
                if not is_lost:
                    sink.sendall(data)
        except OSError:
            pass
        _reset(source, sink)


def _reset(*connections: socket.socket) -> None:
    """Close with a reset, as a cable that is pulled and a router that is restarted do."""
    for connection in connections:
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        connection.close()
