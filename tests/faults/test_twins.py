"""A second daemon with the same client id, while lines are asked for."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.edge.daemon.broker import needs_mosquitto, wait_until
from tests.edge.daemon.conftest import Rig

from .test_network import LINES, Audience, Steady

pytestmark = [pytest.mark.broker, needs_mosquitto]


def test_a_second_daemon_with_the_same_client_id(
    start_rig: Callable[..., Rig],
    broker_port: int,
    noted: Callable[[str, str], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """They throw each other out; each says why, and when one is gone nothing is missing."""
    mqtt = {"client_id": f"twin-{time.monotonic_ns()}"}
    rig = start_rig(mqtt=mqtt, queue={"max_lines": 1000})
    audience = Audience(rig)
    for _ in range(LINES // 4):
        audience.say()
    twin = start_rig(online=False, mqtt=mqtt)
    for _ in range(LINES // 2):
        audience.say()
        time.sleep(0.05)
    links = rig.daemon._connection.statistics, twin.daemon._connection.statistics
    wait_until(lambda: all(link.reconnects >= 4 for link in links), what="both to be thrown out")
    remedy = "give each daemon its own device name or mqtt.client_id"
    wait_until(lambda: remedy in caplog.text, what="a line that names the remedy")
    n_lost = sum(link.reconnects for link in links)
    twin.stop()
    for _ in range(LINES // 4):
        audience.say()
    audience.settle()
    counted = audience.check()
    told = f"{len(audience.ids)} lines, {n_lost} connections taken; "
    noted(
        "a second daemon with the same client id",
        f"{told}{sum(counted.values())} accepted and ended once; both logs name the remedy",
    )


__all__ = ["Steady"]
