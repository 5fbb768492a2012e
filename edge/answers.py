"""Answers to requests: what each operation of the MQTT contract returns, beside what every answer has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .messages import CharacterInfo, Code, Outbound, Status


class Response(Outbound):
    """The answer to a request; what an operation returns stands beside these keys."""

    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True)

    id: str
    """Of the request; made up where it had none."""
    op: str
    ok: bool
    code: Code | Literal["ok"] = "ok"
    message: str = ""
    """What is wrong and what to do; empty where all is well."""
    warnings: list[str] = Field(default_factory=list)
    """What was done otherwise than asked: keys that are unknown, an emotion that the character lacks."""


class SayAnswer(Response):
    """A line was accepted, or is known already."""

    position: int | None = None
    """Lines before it in the queue."""
    cached: bool | None = None
    duplicate: bool | None = None
    """The same request was here before; nothing is done twice."""


class CancelAnswer(Response):
    """A line was cut or taken out of the queue."""

    cancelled: bool
    """False if it was over already."""


class StopAnswer(Response):
    """Silence, and nothing waits."""

    cancelled: list[str]
    """Ids of the lines concerned."""


class PreparationFault(BaseModel):
    """An item that could not be prepared."""

    index: int
    """Of the item, from 0."""
    id: str | None = None
    """Of the item, if it has one; of a show: the id of the line."""
    code: Code
    message: str


class PrepareAnswer(Response):
    """How far a preparation is: sent at once, twice a second, and when it is complete."""

    total: int
    done: int
    cached: int
    """Items that were in the cache before."""
    n_failed: int
    failed: list[PreparationFault]
    """The first 50."""
    final: bool
    """Whether it is complete."""


class CharactersAnswer(Response):
    """Who can speak."""

    characters: list[CharacterInfo]


class StatusAnswer(Response, Status):
    """The status, and the lines concerned."""

    active: list[str]
    """Ids of the lines under way."""
    queue: list[str]
    """Ids of the lines that wait, in order."""


class ReloadAnswer(Response):
    """The voice and the lexicon have been read again."""

    bundle: str


class FlushAnswer(Response):
    """The cache is empty."""

    removed: int
    """Lines that were in it."""


ANSWERS: Mapping[str, type[Response]] = {
    "say": SayAnswer,
    "line": SayAnswer,
    "cancel": CancelAnswer,
    "stop": StopAnswer,
    "prepare": PrepareAnswer,
    "characters": CharactersAnswer,
    "status": StatusAnswer,
    "reload": ReloadAnswer,
    "flush_cache": FlushAnswer,
}
"""By operation, where it went well; a refusal is a plain ``Response``."""


def answer_of(op: str, code: str) -> type[Response]:
    """Return what the answer to an operation is built from."""
    return ANSWERS.get(op, Response) if code == "ok" else Response
