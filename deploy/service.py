"""The daemon as systemd and its broker show it."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from edge.config import EdgeConfig, MqttConfig, load_config
from edge.errors import EdgeError
from edge.protocols.credentials import set_credentials

from .errors import DeployError
from .paths import UNIT

START_TIMEOUT_S, ANSWER_TIMEOUT_S = 330, 30.0
CREDENTIALS = Path("/run/credentials") / UNIT
WELL = ("idle", "speaking")


class SystemdService:
    """A unit of type ``notify``: ``systemctl restart`` returns when the daemon has said that it is ready.

    The daemon speaks its golden line before that, so a start that succeeds has spoken.

    Args:
        config: of the daemon, which says where its broker is.
        unit: name.
    """

    def __init__(self, config: Path, unit: str = UNIT) -> None:
        self._config = config
        self._unit = unit
        self._before = ""

    def is_speaking(self) -> bool:
        """Whether the daemon says so; a daemon or a broker that is away does not speak."""
        is_active = _systemctl("is-active", "--quiet", self._unit) == 0
        self._before = self._state(lambda word: word != "") if is_active else ""
        return self._before == "speaking"

    def restart(self) -> None:
        """Start the unit anew.

        Raises:
            DeployError: it does not become ready.
        """
        if _systemctl("restart", self._unit):
            raise DeployError(f"{self._unit} did not become ready; see journalctl -u {self._unit}")

    def is_healthy(self) -> bool:
        """Wait until the daemon is on its broker and as well as it was before.

        A box whose sound card is not plugged in says ``degraded`` and does so with every software.
        """
        enough = WELL if self._before in WELL else (*WELL, "degraded")
        return self._state(lambda word: word in enough) != ""

    def _state(self, wanted: Callable[[str], bool]) -> str:
        """First state of the daemon that is wanted; empty when none comes in time."""
        config = load_config(self._config if self._config.exists() else None)
        return read_retained(config, "state", wanted, ANSWER_TIMEOUT_S)


def read_retained(config: EdgeConfig, topic: str, wanted: Callable[[str], bool], timeout_s: float) -> str:
    """Listen to a topic of the device until a value is wanted; empty without a broker or a value."""
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion

    found: list[str] = []
    done = threading.Event()

    def on_message(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        word = message.payload.decode("utf-8", "replace")
        if wanted(word):
            found.append(word)
            done.set()

    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = on_message
    client.on_connect = lambda client, *_: client.subscribe(f"{config.base}/{config.device}/{topic}", qos=1)
    try:
        set_credentials(client, seen_from_outside(config.mqtt))
        client.connect(config.mqtt.host, config.mqtt.port)
        client.loop_start()
        done.wait(timeout_s)
        client.disconnect()
        client.loop_stop()
    except (OSError, EdgeError):
        return ""
    return found[0] if found else ""


def seen_from_outside(config: MqttConfig) -> MqttConfig:
    """Name the password where it lies on the disk: what systemd hands to the unit is there for it alone."""
    path = config.password_file
    if path is None or path.parent != CREDENTIALS:
        return config
    return config.model_copy(update={"password_file": Path("/etc/sovits") / path.name})


def _systemctl(*arguments: str) -> int:
    command = ["systemctl", *arguments]
    try:
        return subprocess.run(command, capture_output=True, timeout=START_TIMEOUT_S, check=False).returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeployError(f"{' '.join(command)}: {error}") from error
