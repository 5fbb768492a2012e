"""Rhasspy Hermes bridge: ``hermes/tts/say`` becomes a line, its end ``hermes/tts/sayFinished``.

Source: rhasspy/rhasspy-hermes, rhasspyhermes/tts.py.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ..audio import AudioChunk
from ..config import HermesConfig
from ..errors import EdgeError
from ..messages import TERMINAL_EVENTS, Event, SayRequest
from .commands import Command
from .link import Inbound
from .mqtt_reader import Carrier
from .payload import parse_object, validate
from .repeats import Repeats, check_message

SAY_TOPIC = "hermes/tts/say"
FINISHED_TOPIC = "hermes/tts/sayFinished"
ERROR_TOPIC = "hermes/error/tts"
DEFAULT_SITE = "default"
LANGUAGES = ("zh", "en", "ja")


class TtsSay(BaseModel):
    """A line as Hermes asks for it."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    text: str
    site_id: str = Field(DEFAULT_SITE, alias="siteId", max_length=64)
    lang: str | None = Field(None, max_length=64)
    id: str | None = Field(None, max_length=256)
    session_id: str | None = Field(None, alias="sessionId", max_length=256)
    volume: float | None = Field(None, ge=0, le=2, allow_inf_nan=False)


class HermesReader:
    """Reads messages; the rest of the way is that of every command.

    Args:
        config: whose lines are spoken, and by whom.
        max_request_bytes: larger payloads are refused.
        carrier: publishes and acknowledges.
        first_character: who speaks unless configured.
    """

    def __init__(
        self,
        config: HermesConfig,
        max_request_bytes: int,
        carrier: Carrier,
        first_character: Callable[[], str],
    ) -> None:
        self._config = config
        self._max_request_bytes = max_request_bytes
        self._carrier = carrier
        self._first_character = first_character
        self._repeats = Repeats()

    def read(self, inbound: Inbound) -> Command | None:
        """Understand a message; None if it is for another site, or clears a retained one."""
        if inbound.retain and inbound.n_payload == 0:
            return None
        reply = HermesReply(inbound, self._carrier)
        first_id = self._repeats.first_id(inbound)
        command = Command(
            "say", first_id or f"hermes-{secrets.token_hex(8)}", inbound.received, reply, follower=reply
        )
        try:
            check_message(inbound, self._max_request_bytes)
            values, _ = parse_object(inbound.payload)
            values = {key: value for key, value in values.items() if value is not None}
            reply.names(values)
            self._repeats.remember(inbound, command.request_id)
            self._fill(command, values)
        except EdgeError as error:
            command.error = error
        return command if reply.site_id in self._config.site_ids else None

    def _fill(self, command: Command, values: dict[str, Any]) -> None:
        say, _ = validate(TtsSay, values)
        keys: dict[str, Any] = {"text": say.text}
        keys["character"] = self._config.character or self._first_character()
        if say.volume is not None:
            keys["volume"] = say.volume
        language = (say.lang or "").replace("_", "-").partition("-")[0].lower()
        if language in LANGUAGES:
            keys["language"] = language
        command.fill(SayRequest, keys)


class HermesReply:
    """Says when a line is over, whatever became of it: the dialogue waits for that.

    Args:
        inbound: what was sent.
        carrier: publishes and acknowledges.
    """

    def __init__(self, inbound: Inbound, carrier: Carrier) -> None:
        self._inbound = inbound
        self._carrier = carrier
        self._echo: dict[str, Any] = {"siteId": DEFAULT_SITE, "id": None, "sessionId": None}

    @property
    def site_id(self) -> str:
        """Return the site that was named."""
        return str(self._echo["siteId"])

    def names(self, values: dict[str, Any]) -> None:
        """Take over what has to come back, where it is text."""
        self._echo.update({key: values[key] for key in self._echo if isinstance(values.get(key), str)})

    def answer(self, payload: bytes) -> None:
        """Hear that the line was accepted, refused, or already known."""
        answer = json.loads(payload)
        if not answer["ok"]:
            self._over(f"{answer['code']}: {answer['message']}")

    def committed(self) -> None:
        """Acknowledge the message to the broker."""
        self._carrier.acknowledge(self._inbound)

    def event(self, event: Event) -> None:
        """Hear how the line ended."""
        if event.event in TERMINAL_EVENTS:
            facts = event.model_dump()
            self._over(f"{facts['code']}: {facts['message']}" if event.event == "failed" else "")

    def sound(self, chunk: AudioChunk) -> None:
        """Lines of Hermes are played here; their sound is not sent."""

    def _over(self, fault: str) -> None:
        if fault:
            error = {"error": fault, "siteId": self.site_id, "context": self._echo["id"]}
            self._publish(ERROR_TOPIC, {**error, "sessionId": self._echo["sessionId"]})
        self._publish(FINISHED_TOPIC, self._echo)

    def _publish(self, topic: str, message: dict[str, Any]) -> None:
        self._carrier.reply(topic, json.dumps(message, ensure_ascii=False).encode(), None)
