"""Where the file of a line can be fetched; without the libraries of the door that sends it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from urllib.parse import quote

from ..config import HttpConfig

FILES = "/v1/files"
EVERY_ADDRESS = ("0.0.0.0", "::")


def file_urls(config: HttpConfig | None) -> Callable[[str], str | None]:
    """Return what gives the URL of a line's file: ``finished.url``; None where there is no HTTP door."""
    if config is None:
        return lambda _line_id: None
    base = config.public_url or _base(config)
    return lambda line_id: f"{base}{FILES}/{quote(line_id, safe='')}.wav"


def _base(config: HttpConfig) -> str:
    host = socket.gethostname() if config.host in EVERY_ADDRESS else config.host
    return f"http://[{host}]:{config.port}" if ":" in host else f"http://{host}:{config.port}"
