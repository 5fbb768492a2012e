"""The daemon as systemd and its broker show it."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from edge.config import EdgeConfig, load_config

from .errors import DeployError
from .paths import UNIT

START_TIMEOUT_S, ANSWER_TIMEOUT_S = 330, 30.0


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

    def is_speaking(self) -> bool:
        """Whether the daemon says so; a daemon or a broker that is away does not speak."""
        return self._retained("state", lambda word: word != "") == "speaking"

    def restart(self) -> None:
        """Start the unit anew.

        Raises:
            DeployError: it does not become ready.
        """
        command = ["systemctl", "restart", self._unit]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=START_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DeployError(f"{self._unit} could not be started: {error}") from error
        if done.returncode:
            raise DeployError(f"{self._unit} did not become ready; see journalctl -u {self._unit}")

    def is_healthy(self) -> bool:
        """Wait until the daemon is on its broker and idle or speaking."""
        return self._retained("state", lambda word: word in ("idle", "speaking")) != ""

    def _retained(self, topic: str, wanted: Callable[[str], bool]) -> str:
        """First value of a retained topic that is wanted; empty when none comes in time."""
        config = load_config(self._config if self._config.exists() else None)
        return read_retained(config, topic, wanted, ANSWER_TIMEOUT_S)


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
    mqtt = config.mqtt
    if mqtt.username is not None:
        secret = mqtt.password_file.read_text("utf-8").splitlines()[0] if mqtt.password_file else None
        client.username_pw_set(mqtt.username, secret)
    if mqtt.tls is not None:
        tls = mqtt.tls
        client.tls_set(_text(tls.ca_file), _text(tls.cert_file), _text(tls.key_file))
    try:
        client.connect(mqtt.host, mqtt.port)
        client.subscribe(f"{config.base}/{config.device}/{topic}", qos=1)
        client.loop_start()
        done.wait(timeout_s)
        client.disconnect()
        client.loop_stop()
    except OSError:
        return ""
    return found[0] if found else ""


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
