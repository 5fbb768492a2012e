"""Credentials towards a broker: user, password from a file, certificates."""

from __future__ import annotations

from pathlib import Path

import paho.mqtt.client as paho

from ..config import MqttConfig
from ..errors import ConfigError


def set_credentials(client: paho.Client, config: MqttConfig) -> None:
    """Give a client the user, password and certificates of the configuration.

    Raises:
        ConfigError: a file cannot be read or holds something else.
    """
    if config.username is not None:
        client.username_pw_set(config.username, read_password(config))
    tls = config.tls
    if tls is None:
        return
    try:
        client.tls_set(_text(tls.ca_file), _text(tls.cert_file), _text(tls.key_file))
    except (OSError, ValueError) as error:
        raise ConfigError(f"mqtt.tls: {error}; check ca_file, cert_file and key_file") from error


def read_password(config: MqttConfig) -> str | None:
    """Return the first line of the password file, if one is configured.

    Raises:
        ConfigError: it cannot be read.
    """
    if config.password_file is None:
        return None
    try:
        return config.password_file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"mqtt.password_file {config.password_file}: {error}") from error


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
