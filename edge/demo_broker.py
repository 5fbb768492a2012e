"""A broker for this machine only: mosquitto where it is installed, else amqtt.

For the demonstration and the benchmarks. amqtt answers a QoS 1 publish in 44 ms where mosquitto takes 0.2 ms,
so no latency is ever stated with it.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .embedded_broker import EmbeddedBroker
from .errors import EdgeError

START_TIMEOUT_S = 10.0
_SBIN = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"  # not on every user's PATH, and Debian puts it there


@dataclass(frozen=True)
class LocalBroker:
    """A broker that runs.

    Attributes:
        name: ``mosquitto`` or ``amqtt``.
        port: on 127.0.0.1.
    """

    name: str
    port: int


@contextmanager
def local_broker() -> Iterator[LocalBroker]:
    """Run a broker for as long as the block lasts.

    Raises:
        EdgeError: neither is installed, or it does not start.
    """
    port = _free_port()
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path=_SBIN)
    if program is not None:
        with _mosquitto(program, port):
            yield LocalBroker("mosquitto", port)
    else:
        with EmbeddedBroker(port=port):
            yield LocalBroker("amqtt", port)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _mosquitto(program: str, port: int) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="sovits-broker-") as folder:
        config = Path(folder) / "mosquitto.conf"
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
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
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return True
    return False
