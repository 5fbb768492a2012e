"""A broker where none is installed: amqtt in a process of its own, for demonstrations and tests.

It speaks MQTT 3.1.1 only and keeps nothing over a restart: a venue gets mosquitto. Run from a shell:
`python -m edge.embedded_broker 127.0.0.1 1883`.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from types import TracebackType

from .errors import ConfigError, EdgeError

START_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 5.0


class EmbeddedBroker:
    """A broker as a context manager.

    Args:
        host: address to listen on.
        port: 0 takes a free one; `port` tells which.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host = host
        self.port = port or _free_port(host)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the broker and wait until it listens.

        Raises:
            ConfigError: amqtt is not installed.
            EdgeError: it does not come up.
        """
        if find_spec("amqtt") is None:
            raise ConfigError("the embedded broker needs the extra `demo`: pip install 'sovits-tiny[demo]'")
        command = [sys.executable, "-m", __name__, self.host, str(self.port)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _listens(self.host, self.port):
            if self._process.poll() is not None:
                raise EdgeError(f"the embedded broker ended at once; is port {self.port} taken?")
            if time.monotonic() > deadline:
                self.stop()
                raise EdgeError(f"the embedded broker does not listen after {START_TIMEOUT_S:g} s")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the broker."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> EmbeddedBroker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1.0).close()
    except OSError:
        return False
    return True


async def _run(host: str, port: int) -> None:
    from amqtt.broker import Broker  # an extra, and only in this process

    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{host}:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    await broker.shutdown()


def main() -> None:
    """Run the broker in this process until SIGTERM."""
    logging.basicConfig(level=logging.CRITICAL)  # amqtt reports every client that hangs up as an error
    asyncio.run(_run(sys.argv[1], int(sys.argv[2])))


if __name__ == "__main__":
    main()
