"""Doors of this daemon, as the configuration asks for them."""

from __future__ import annotations

from collections.abc import Callable

from ..config import EdgeConfig
from ..protocols.door import Door, Figures, Probe
from ..protocols.http import HttpDoor
from ..protocols.osc import OscDoor
from .inbox import Inbox


def make_doors(config: EdgeConfig, inbox: Inbox) -> list[Door]:
    """Make what is configured; nothing listens yet."""

    def probe(answer: Callable[[Figures], None]) -> None:
        inbox.put(Probe(answer))

    doors: list[Door] = []
    if config.http is not None:
        files = config.state_dir / "audio"
        doors.append(HttpDoor(config.http, inbox.offer, probe, config.queue.max_request_bytes, files))
    if config.osc is not None:
        doors.append(OscDoor(config.osc, inbox.offer))
    return doors
