"""A carrier of MQTT replies that keeps what it is given."""

from __future__ import annotations

from edge.protocols.link import Inbound


class Recorded:
    def __init__(self) -> None:
        self.replies: list[tuple[str, bytes, bytes | None]] = []
        self.acknowledged: list[Inbound] = []

    def reply(self, topic: str, payload: bytes, correlation: bytes | None) -> None:
        self.replies.append((topic, payload, correlation))

    def acknowledge(self, inbound: Inbound) -> None:
        self.acknowledged.append(inbound)
