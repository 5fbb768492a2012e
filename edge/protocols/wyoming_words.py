"""Words of the Wyoming protocol: who can speak, and which line an event asks for."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from ..errors import RequestError
from ..messages import SayRequest
from .commands import Command
from .payload import validate

if TYPE_CHECKING:
    from wyoming.info import Info

DISTRIBUTION = "sovits-tiny"
LANGUAGES = ("zh", "en", "ja")


class Voice(BaseModel):
    """Who is to speak: a character by name, or anybody with a language."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", defer_build=True)

    name: str | None = Field(None, max_length=64)
    language: str | None = Field(None, max_length=64)


class Synthesis(BaseModel):
    """A line as the protocol asks for it; ``wyoming.tts.Synthesize`` checks nothing."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", defer_build=True)

    text: str
    voice: Voice | None = None
    text_format: str | None = Field(None, max_length=64)

    @property
    def language(self) -> str | None:
        """Return the language asked for, if it is one of ours: ``en-GB`` is ``en``."""
        asked = (self.voice.language if self.voice else None) or ""
        language = asked.replace("_", "-").partition("-")[0].lower()
        return language if language in LANGUAGES else None


def named(data: Mapping[str, Any]) -> str:
    """Return the character that an event names; empty if it names none.

    Raises:
        RequestError: the event is not as the protocol has it.
    """
    asked, _ = validate(Synthesis, dict(data))
    return (asked.voice.name if asked.voice else None) or ""


def choose(data: Mapping[str, Any], characters: Sequence[Mapping[str, Any]]) -> str:
    """Return who speaks where nobody is named: the first with the language, else the first of all.

    Raises:
        RequestError: the event is not as the protocol has it.
    """
    asked, _ = validate(Synthesis, dict(data))
    fitting = [one["name"] for one in characters if asked.language in one["languages"]]
    return str(next(iter([*fitting, *(one["name"] for one in characters)]), ""))


def say_command(data: Mapping[str, Any], character: str, max_wait_s: float) -> Command:
    """Make the line.

    Args:
        data: of a ``synthesize`` event.
        character: who speaks.
        max_wait_s: it expires if it has not started by then.

    Raises:
        RequestError: with the code of the contract.
    """
    asked, _ = validate(Synthesis, dict(data))
    if (asked.text_format or "text") != "text":
        raise RequestError(
            f"text_format {asked.text_format!r} is not spoken, only plain text", code="bad_request"
        )
    command = Command("say", f"wyoming-{secrets.token_hex(8)}", time.monotonic(), expiry_s=max_wait_s)
    keys: dict[str, Any] = {"text": asked.text, "character": character, "output": ["audio"]}
    if asked.language is not None:
        keys["language"] = asked.language
    command.fill(SayRequest, keys)
    return command


def info_event(characters: Sequence[Mapping[str, Any]]) -> Info:
    """Describe the voice: one program, whose voices are the characters."""
    from wyoming.info import Attribution, Info, TtsProgram, TtsVoice

    version = metadata.version(DISTRIBUTION)
    source = Attribution(name=DISTRIBUTION, url="")
    facts: dict[str, Any] = {"attribution": source, "installed": True, "version": version}
    voices = [
        TtsVoice(
            name=one["name"],
            description=f"{one['name']} (AI-generated voice)",
            languages=list(one["languages"]),
            **facts,
        )
        for one in characters
    ]
    program = TtsProgram(name=DISTRIBUTION, description="Speech made on the device", voices=voices, **facts)
    return Info(tts=[program])
