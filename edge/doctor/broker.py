"""Broker: how much it keeps for a device that is away, how large a packet may be, what survives its end."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from ..config import EdgeConfig, MqttConfig
from ..durable import write_whole
from ..errors import EdgeError
from ..topics import Topics
from .finding import Finding
from .probe import ProbeClient

BURST = 10_000  # requests that a show may send while a device is away for a moment
BURST_LIMIT_S = 60.0
RESTART_LIMIT_S = 30.0
KEPT, MAY_BE_LOST = 1000, 100  # the shipped configuration saves after every hundred changes
MARKER_FILE = "doctor.json"
SHIPPED = "use the shipped configuration, docs/broker.md"


class BrokerChecks:
    """Tries a broker out, on topics below the device's own that nobody reads.

    Args:
        config: of the device.
        restart: command that restarts the broker, to see what survives; empty: it is left alone.
    """

    def __init__(self, config: EdgeConfig, restart: str = "") -> None:
        self._mqtt: MqttConfig = config.mqtt
        self._config = config
        self._topic = Topics(config.base, config.device).own("doctor")
        self._restart = restart

    def look(self) -> Iterator[Finding]:
        """Do the checks; if the broker cannot be reached that is the only finding."""
        where = f"{self._mqtt.host}:{self._mqtt.port}"
        try:
            with ProbeClient(self._mqtt) as client:
                stated = client.max_packet_bytes
        except EdgeError as error:
            yield Finding("broker", "error", f"{where}: {error}", "nothing else can be tried before that")
            return
        yield Finding("broker", "ok", f"{where} answers with MQTT 5")
        yield self._survives() if self._restart else self._marker()
        yield self._packets(stated)
        yield self._queue(BURST)  # after the marker: that is saved with the next hundred changes

    def _packets(self, stated: int | None) -> Finding:
        """Send the largest request that the device reads, and see whether it comes back."""
        size = self._config.queue.max_request_bytes
        if stated is not None and stated < size + 1024:
            return Finding(
                "packet limit", "warning", f"packets of at most {stated} bytes, requests may have {size}",
                f"max_packet_size {2_000_000} in the broker, or lower queue.max_request_bytes",
            )  # fmt: skip
        topic = f"{self._topic}/{secrets.token_hex(6)}"
        with ProbeClient(self._mqtt) as client:
            client.subscribe(topic)
            client.publish(topic, bytes(size))
            back = client.wait(lambda heard: any(len(one.payload) == size for one in heard))
        if not back:
            return Finding(
                "packet limit", "error", f"a message of {size} bytes vanishes without a word",
                "remove message_size_limit from the broker's configuration, or lower queue.max_request_bytes",
            )  # fmt: skip
        return Finding("packet limit", "ok", f"{size} bytes pass, {stated or 'no limit'} stated")

    def _queue(self, burst: int) -> Finding:
        """Send a burst to a session that is away, and count what is there when it is back."""
        kept, sent = self._keep(burst, [])
        if not sent:
            return Finding(
                "queue limit", "warning", f"{burst} messages take more than {BURST_LIMIT_S:g} s", SHIPPED
            )
        if kept < burst:
            return Finding(
                "queue limit", "error",
                f"{kept} of {burst} messages are kept for a client that is away, the rest is lost silently",
                f"max_queued_messages 100000 in the broker; {SHIPPED}",
            )  # fmt: skip
        return Finding("queue limit", "ok", f"all of {burst} messages are kept for a client that is away")

    def _keep(self, n: int, restart: list[str]) -> tuple[int, bool]:
        """Leave messages for a session that is away; how many came back, and whether all were sent."""
        topic, name = f"{self._topic}/{secrets.token_hex(6)}", f"sovits-doctor-{secrets.token_hex(6)}"
        with ProbeClient(self._mqtt, client_id=name, keep_session=True) as away:
            away.subscribe(topic)
        with ProbeClient(self._mqtt) as sender:
            sent = sender.publish_many(topic, (b"%d" % number for number in range(n)), BURST_LIMIT_S)
        if restart:
            subprocess.run(restart, shell=False, check=True, timeout=RESTART_LIMIT_S)
        with self._patient(name) as back:
            back.wait(lambda heard: len({one.payload for one in heard}) == n, 3.0 + n / 1000)
            kept = len({one.payload for one in back.heard})
        with ProbeClient(self._mqtt, client_id=name):  # ends the session
            return kept, sent

    def _patient(self, name: str) -> ProbeClient:
        """Make a client that can connect, once the broker is up again."""
        deadline = time.monotonic() + RESTART_LIMIT_S
        while True:
            client = ProbeClient(self._mqtt, client_id=name, keep_session=True)
            try:
                with ProbeClient(self._mqtt):
                    return client
            except EdgeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _survives(self) -> Finding:
        """Restart the broker as asked, and count what it still has."""
        command = self._restart.split()
        try:
            kept, _ = self._keep(KEPT, command)
        except (OSError, subprocess.SubprocessError, EdgeError) as error:
            return Finding(
                "persistence", "error", f"{self._restart}: {error}", "see that the broker comes up again"
            )
        if kept < KEPT - MAY_BE_LOST:
            return Finding(
                "persistence", "error", f"{kept} of {KEPT} messages survive: {self._restart}",
                f"persistence true and autosave_on_changes true; {SHIPPED}",
            )  # fmt: skip
        return Finding("persistence", "ok", f"{kept} of {KEPT} messages survive: {self._restart}")

    def _marker(self) -> Finding:
        """Compare what an earlier doctor left in the broker with what it has now, and leave it anew."""
        path, topic = self._config.state_dir / MARKER_FILE, f"{self._topic}/marker"
        left = _read_marker(path)
        mark = secrets.token_hex(8)
        with ProbeClient(self._mqtt) as client:
            client.subscribe(topic)
            client.wait(lambda heard: heard, 0.5)
            found = client.heard[-1].payload.decode("ascii", "replace") if client.heard else ""
            client.publish(topic, mark.encode(), retain=True)
        try:
            write_whole(path, json.dumps({"marker": mark}).encode())
        except OSError:
            left = left or ""  # said by the check of the disk
        if left and found != left:
            return Finding(
                "persistence", "error", "the broker has forgotten what an earlier doctor left in it",
                f"persistence true and autosave_on_changes true; {SHIPPED}",
            )  # fmt: skip
        if left:
            return Finding("persistence", "ok", "the broker still has what an earlier doctor left in it")
        return Finding(
            "persistence", "warning", "not known yet: something was left in the broker to be looked for",
            "restart the broker and run this again, or let it be done: --restart-broker 'COMMAND'",
        )  # fmt: skip


def _read_marker(path: Path) -> str:
    try:
        return str(json.loads(path.read_text("ascii"))["marker"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
