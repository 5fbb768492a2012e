"""Broker for this machine only: mosquitto where it is installed, else amqtt in a process of its own.

For the demonstration and the benchmarks. amqtt answers a QoS 1 publish in 44 ms where mosquitto takes 0.2 ms,
so no latency is ever stated with it; it speaks MQTT 3.1.1 only and keeps nothing over a restart. Run from a
shell: ``python -m edge.demo.broker 127.0.0.1 1883`` starts amqtt.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

from ..errors import ConfigError, EdgeError

START_TIMEOUT_S = 10.0
EMBEDDED_START_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 5.0
SHIPPED = Path(__file__).parents[2] / "deploy" / "mosquitto" / "sovits.conf"
OF_THE_PLACE = frozenset(
    "listener allow_anonymous password_file acl_file cafile certfile keyfile require_certificate "
    "use_identity_as_username tls_version persistence persistence_location".split()
)
_SBIN = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"  # not on every user's PATH, and Debian puts it there


@dataclass(frozen=True)
class LocalBroker:
    """A broker that runs."""

    name: str
    """``mosquitto`` or ``amqtt``."""
    port: int
    """On 127.0.0.1."""


@contextmanager
def local_broker(settings: Sequence[str] | None = None) -> Iterator[LocalBroker]:
    """Run a broker for as long as the block lasts.

    Args:
        settings: of mosquitto, beside its listener; those that are shipped for venues if absent.

    Raises:
        EdgeError: neither is installed, or it does not start.
    """
    port = free_port()
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path=_SBIN)
    if program is not None:
        with _mosquitto(program, port, shipped_settings() if settings is None else settings):
            yield LocalBroker("mosquitto", port)
    else:
        with EmbeddedBroker(port=port):
            yield LocalBroker("amqtt", port)


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@contextmanager
def _mosquitto(program: str, port: int, settings: Sequence[str]) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="sovits-broker-") as folder:
        config = Path(folder) / "mosquitto.conf"
        lines = [f"listener {port} 127.0.0.1", "allow_anonymous true", *settings]
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        log = (Path(folder) / "log").open("wb+")
        process = subprocess.Popen([program, "-c", str(config)], stdout=log, stderr=log)
        try:
            if not _answers(port, process):
                log.seek(0)
                raise EdgeError(f"{program} did not start: {log.read().decode(errors='replace')[-300:]}")
            yield
        finally:
            process.terminate()
            process.wait(timeout=10)
            log.close()


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        if _listens("127.0.0.1", port):
            return True
        time.sleep(0.02)
    return False


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def shipped_settings() -> list[str]:
    """Settings of the broker that is shipped for venues, without its listeners, users and place on the disk.

    They are read from the file: a demonstration, a benchmark or a test then meets the limits of a venue.
    """
    lines = [line.strip() for line in SHIPPED.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and line[0] != "#" and line.split()[0] not in OF_THE_PLACE]


class EmbeddedBroker:
    """A broker as a context manager.

    Args:
        host: address to listen on.
        port: 0 takes a free one; ``port`` tells which.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host = host
        self.port = port or free_port(host)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the broker and wait until it listens.

        Raises:
            ConfigError: amqtt is not installed.
            EdgeError: it does not come up.
        """
        if find_spec("amqtt") is None:
            raise ConfigError("the embedded broker needs the extra ``demo``: pip install 'sovits-tiny[demo]'")
        command = [sys.executable, "-m", __name__, self.host, str(self.port)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + EMBEDDED_START_TIMEOUT_S
        while not _listens(self.host, self.port):
            if self._process.poll() is not None:
                raise EdgeError(f"the embedded broker ended at once; is port {self.port} taken?")
            if time.monotonic() > deadline:
                self.stop()
                raise EdgeError(f"the embedded broker does not listen after {EMBEDDED_START_TIMEOUT_S:g} s")
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
