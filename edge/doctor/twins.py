"""Second device or client with the same name: a cloned image makes two that throw each other out for ever."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..config import EdgeConfig
from ..errors import EdgeError
from ..topics import Topics
from .finding import Finding
from .probe import Heard, ProbeClient

HEALTH_LIMIT_S = 12.0  # a daemon sends its health every ten seconds
KICK_LIMIT_S = 4.0  # other clients reconnect by then
REMEDY = (
    "give each device a name of its own (device, or the host name), and each client an id (mqtt.client_id)"
)


class TwinChecks:
    """Looks for others with our name.

    Args:
        config: of the device.
        serving: whether the daemon of this configuration runs on this machine.
    """

    def __init__(self, config: EdgeConfig, *, serving: bool) -> None:
        self._config = config
        self._serving = serving
        self._topics = Topics(config.base, config.device)
        self._client_id = config.mqtt.client_id or f"sovits-edge-{config.device}"

    def look(self) -> Iterator[Finding]:
        """Do the check."""
        try:
            yield self._with_a_daemon() if self._serving else self._without()
        except EdgeError as error:
            yield Finding("client id", "error", str(error), REMEDY)

    def _with_a_daemon(self) -> Finding:
        """Listen to what the daemon here says of itself, and whether another one says the same."""
        health = self._topics.own("health")
        with ProbeClient(self._config.mqtt) as client:
            client.subscribe(health)
            client.wait(lambda heard: _suspects(heard) or len(_boots(heard)) > 1, HEALTH_LIMIT_S)
            if _suspects(client.heard) or len(_boots(client.heard)) > 1:
                return self._found(
                    f"another client uses the id {self._client_id} or the name {self._config.device}"
                )
            if not client.heard:
                return Finding(
                    "client id", "warning", f"the daemon here says nothing on {health}",
                    "see its log: it may not reach the broker",
                )  # fmt: skip
        return Finding("client id", "ok", f"{self._config.device} is this device alone")

    def _without(self) -> Finding:
        """See whether the name is online elsewhere, and whether somebody takes the client id from us."""
        availability = self._topics.own("availability")
        with ProbeClient(self._config.mqtt) as client:
            client.subscribe(availability)
            client.wait(lambda heard: heard, 1.0)
            if client.heard and client.heard[-1].payload == b"online":
                return self._found(
                    f"a device called {self._config.device} is online, and it is not this machine"
                )
        with ProbeClient(self._config.mqtt, client_id=self._client_id) as client:
            client.linger(KICK_LIMIT_S)
            if client.losses:
                return self._found(f"another client uses the id {self._client_id}: {client.losses[0]}")
        return Finding("client id", "ok", f"nobody else is {self._config.device}")

    def _found(self, what: str) -> Finding:
        return Finding("client id", "error", what, REMEDY)


def _said(heard: list[Heard]) -> list[dict[str, object]]:
    return [json.loads(one.payload) for one in heard]


def _suspects(heard: list[Heard]) -> bool:
    return any(health.get("duplicate_client_id_suspected") for health in _said(heard))


def _boots(heard: list[Heard]) -> set[object]:
    return {health.get("boot_id") for health in _said(heard)}
