"""Rules for every MQTT message that is a command, and memory of those that the broker delivers again."""

from __future__ import annotations

import hashlib
from collections import deque

from ..errors import RequestError
from .link import Inbound

WINDOW_S = 30.0
MEMORY = 128


class Repeats:
    """Knows a repeated delivery of a message that carries no id."""

    def __init__(self) -> None:
        self._seen: deque[tuple[str, bytes, float, str]] = deque(maxlen=MEMORY)

    def remember(self, inbound: Inbound, request_id: str) -> None:
        """Note the id that was given to a message."""
        digest = hashlib.sha256(inbound.payload).digest()
        self._seen.append((inbound.topic, digest, inbound.received, request_id))

    def first_id(self, inbound: Inbound) -> str | None:
        """Find the id given to the first delivery of a message that the broker delivers again."""
        if not inbound.dup:
            return None
        digest = hashlib.sha256(inbound.payload).digest()
        for topic, known, received, request_id in reversed(self._seen):
            if (topic, known) == (inbound.topic, digest) and 0 < inbound.received - received < WINDOW_S:
                return request_id
        return None


def check_message(inbound: Inbound, max_request_bytes: int) -> None:
    """Refuse what must not be obeyed, whatever it says.

    Raises:
        RequestError: `retained_command` or `too_large`.
    """
    if inbound.retain:
        raise RequestError(
            "a command must not be retained: it would be repeated after every restart. Publish without "
            "the retain flag, and clear this topic with an empty retained message",
            code="retained_command",
        )
    if inbound.n_payload > max_request_bytes:
        raise RequestError(
            f"the payload has {inbound.n_payload} bytes, at most {max_request_bytes} are read",
            code="too_large",
        )
