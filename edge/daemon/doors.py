"""Doors of this daemon, as the configuration asks for them; the code of a door that is shut is not loaded."""

from __future__ import annotations

from collections.abc import Callable

from ..config import EdgeConfig
from ..protocols.door import Door, Figures, Probe
from .inbox import Inbox


def make_doors(config: EdgeConfig, inbox: Inbox) -> list[Door]:
    """Make what is configured; nothing listens yet."""

    def probe(answer: Callable[[Figures], None]) -> None:
        inbox.put(Probe(answer))

    doors: list[Door] = []
    if config.http is not None:
        from ..protocols.http import HttpDoor

        files = config.state_dir / "audio"
        doors.append(HttpDoor(config.http, inbox.offer, probe, config.queue.max_request_bytes, files))
    if config.osc is not None:
        from ..protocols.osc import OscDoor

        doors.append(OscDoor(config.osc, inbox.offer))
    if config.wyoming is not None:
        from ..protocols.wyoming import WyomingDoor

        doors.append(WyomingDoor(config.wyoming, inbox.offer, config.queue.max_request_bytes))
    return doors
