"""Examination of a device: all checks in turn."""

from __future__ import annotations

from collections.abc import Iterator

from ..config import EdgeConfig, MqttConfig
from ..errors import EdgeError
from .access import AccessChecks
from .broker import BrokerChecks
from .device import DeviceChecks
from .finding import Finding
from .labels import LabelChecks
from .sockets import SocketChecks
from .twins import TwinChecks


def examine(
    config: EdgeConfig, *, serving: bool, peer: MqttConfig | None = None, restart_broker: str = ""
) -> Iterator[Finding]:
    """Do all checks of a device and its broker.

    Args:
        config: of the device.
        serving: whether its daemon runs on this machine.
        peer: broker and credentials of a show client, to see whether what it sends arrives.
        restart_broker: command that restarts the broker, to see what survives that.
    """
    yield from DeviceChecks(config, serving=serving).look()
    yield from LabelChecks(config, serving=serving).look()
    reached = True
    for finding in _guarded(BrokerChecks(config, restart_broker).look()):
        reached = reached and not (finding.check == "broker" and finding.level == "error")
        yield finding
    if reached:
        yield from _guarded(AccessChecks(config, peer).look())
        yield from _guarded(TwinChecks(config, serving=serving).look())
    yield from SocketChecks().look()


def _guarded(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Turn a broker that is lost in the middle into a finding."""
    try:
        yield from findings
    except EdgeError as error:
        yield Finding("broker", "error", f"lost in the middle: {error}", "run this again when it is up")
