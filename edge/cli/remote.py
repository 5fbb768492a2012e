"""``sovits-edge say --device``: a line through a running daemon, over MQTT, and what became of it."""

from __future__ import annotations

import json
import queue
import secrets
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from .serve import read_broker

if TYPE_CHECKING:
    from ..config import EdgeConfig
    from ..protocols.link import Inbound

CONNECT_LIMIT_S = 10.0
ANSWER_LIMIT_S = 5.0
CLOSE_LIMIT_S = 1.0
ENDS = ("finished", "failed", "cancelled", "expired", "rejected")


def speak(
    text: str,
    device: str,
    *,
    broker: str | None,
    config: Path | None,
    voice: Mapping[str, Any],
    as_json: bool,
) -> None:
    """Have a line said and print how it ended.

    Args:
        text: the line.
        device: name of the daemon.
        broker: address, in place of the one of the configuration.
        config: file to take broker, credentials and base from.
        voice: keys of the request that were given: character, emotion, rate and the like.
        as_json: print the last event, with all warnings.

    Raises:
        EdgeError, click.ClickException: the broker or the daemon cannot be reached, or the line was not
            said to the end.
    """
    from ..config import load_config

    settings = load_config(config, {"device": device, **(read_broker(broker) if broker else {})})
    request_id = f"say-{secrets.token_hex(8)}"
    with _Remote(settings, {"id": request_id, "text": text, **voice}) as remote, _orderly(remote.interrupt):
        try:
            event = remote.outcome()
        except KeyboardInterrupt:
            remote.cancel()
            raise
    if as_json:
        click.echo(json.dumps({**event, "warnings": list(remote.warnings)}, ensure_ascii=False))
    else:
        for warning in remote.warnings:
            click.echo(f"sovits-edge: warning: {warning}", err=True)
    _report(event, quiet=as_json)


@contextmanager
def _orderly(interrupt: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl-C call a function: raised wherever the command is, it could leave a lock of paho's held."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: interrupt())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Remote:
    """One request on its way, over connections that may be lost and come back."""

    def __init__(self, config: EdgeConfig, request: Mapping[str, Any]) -> None:
        from ..protocols.mqtt import Connection
        from ..topics import Topics

        self._where = f"the broker at {config.mqtt.host}:{config.mqtt.port}"
        self._device = config.device
        self._topics = Topics(config.base, config.device)
        self._request = request
        self._inbox: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._accepted = False
        self.warnings: dict[str, None] = {}
        """What was done otherwise than asked, each once, in order."""
        self._link_fault = ""
        self._connection = Connection(
            config.mqtt.model_copy(update={"session_expiry_s": 0}),
            client_id=f"sovits-say-{secrets.token_hex(6)}",
            will=None,
            subscriptions=[self._topics.own(tail) for tail in ("availability", "event/+", "response/say")],
            max_payload=config.queue.max_request_bytes,
            deliver=self._inbox.put,
            report=self._inbox.put,
        )

    def __enter__(self) -> _Remote:
        self._connection.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close(CLOSE_LIMIT_S)

    def outcome(self) -> dict[str, Any]:
        """Wait until the line is over and return its last event."""
        from ..protocols.link import Inbound, LinkDown, LinkUp

        limit, missing = time.monotonic() + CONNECT_LIMIT_S, self._where + " does not answer"
        while True:
            message = self._next(None if self._accepted else limit, missing)
            if isinstance(message, LinkUp):
                self._check_access(message)
                limit = time.monotonic() + ANSWER_LIMIT_S
                missing = f"{self._where} knows no device {self._device}; start it: {self._start_command()}"
            elif isinstance(message, LinkDown):
                self._note_fault(message.reason)
            elif isinstance(message, Inbound):
                self._connection.acknowledge(message)
                event = self._heard(message)
                if event is not None:
                    return event

    def interrupt(self) -> None:
        """Have ``outcome`` raise KeyboardInterrupt when it has dealt with what came before."""
        self._inbox.put(KeyboardInterrupt())

    def cancel(self) -> None:
        """Take the line back, and wait a moment until the broker has that."""
        payload = json.dumps({"id": self._request["id"]}).encode()
        mid = self._connection.publish(self._topics.own("request/cancel"), payload)
        limit = time.monotonic() + CLOSE_LIMIT_S
        while mid is not None and time.monotonic() < limit:
            try:
                message = self._inbox.get(timeout=CLOSE_LIMIT_S / 10)
            except queue.Empty:
                continue
            if getattr(message, "mid", None) == mid and not hasattr(message, "topic"):
                return

    def _next(self, limit: float | None, missing: str) -> object:
        try:
            message = self._inbox.get(timeout=None if limit is None else max(0.0, limit - time.monotonic()))
        except queue.Empty:
            raise click.ClickException(missing) from None
        if isinstance(message, KeyboardInterrupt):
            raise message
        return message

    def _check_access(self, link: Any) -> None:
        if link.refused:
            refused = ", ".join(link.refused)
            raise click.ClickException(
                f"{self._where} does not let us read {refused}; check its access rules"
            )
        self._link_fault = ""

    def _note_fault(self, reason: str) -> None:
        """Give up on a broker that refuses twice for the same reason; one that was there may come back."""
        if not self._accepted and reason == self._link_fault:
            raise click.ClickException(reason)
        self._link_fault = reason

    def _heard(self, inbound: Inbound) -> dict[str, Any] | None:
        """Note a message; returns the event that ends the line."""
        tail = inbound.topic.removeprefix(self._topics.root + "/")
        if tail == "availability":
            self._greet(inbound.payload.decode("utf-8", "replace"))
            return None
        message = self._ours(inbound.payload)
        if message is None:
            return None
        self._accepted = True
        self.warnings.update(dict.fromkeys(message.get("warnings") or ()))
        return message if message.get("event") in ENDS else None

    def _greet(self, availability: str) -> None:
        """Send the request once the device is there; sending it again does nothing twice."""
        if availability == "online":
            payload = json.dumps(self._request, ensure_ascii=False).encode()
            self._connection.publish(self._topics.own("request/say"), payload)
        elif not self._accepted:
            self._give_up(f"{self._device} is {availability}; start it: {self._start_command()}")

    def _give_up(self, message: str) -> NoReturn:
        raise click.ClickException(message)

    def _ours(self, payload: bytes) -> dict[str, Any] | None:
        try:
            message = json.loads(payload)
        except ValueError:
            return None
        is_ours = isinstance(message, dict) and message.get("id") == self._request["id"]
        return message if is_ours else None

    def _start_command(self) -> str:
        return f"sovits-edge serve --device {self._device}"


def _report(event: Mapping[str, Any], quiet: bool) -> None:
    """Print an end in one line; any but the good one is an error."""
    name = event["event"]
    if name in ("failed", "rejected"):
        raise click.ClickException(f"{name}, {event['code']}: {event['message']}")
    if name == "cancelled":
        raise click.ClickException(f"cancelled (by {event['by']}) after {event['played_ms']:g} ms")
    if name == "expired":
        raise click.ClickException(f"expired: {event['late_ms']:g} ms late")
    if not quiet:
        click.echo(f"finished: {event['audio_ms'] / 1000:.2f} s of sound by {event['character']}")
