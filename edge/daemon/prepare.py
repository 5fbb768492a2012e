"""Preparation of lines: the cache filled whenever the synthesiser has nothing better to do."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from ..audio import AudioChunk
from ..engine.base import PREPARE, Engine, LineChunk, LineDone, LineError, LineReady
from ..errors import EdgeError, RequestError
from ..messages import PrepareRequest, SayRequest
from ..protocols.commands import Command
from ..protocols.payload import MAX_WARNINGS, clean_line, validate
from ..synthesizer import SpeechRequest
from .admission import Admission
from .cache import CachedLine, LineCache
from .publisher import Publisher

ID_PREFIX = "prepare/"  # no request id contains a slash
MAX_WAITING_ITEMS = 10_000
MAX_REPORTED_FAILURES = 50
PROGRESS_INTERVAL_S = 0.5


@dataclass(frozen=True)
class PrepareTick:
    """Time for the next item."""


@dataclass
class _Preparation:
    command: Command
    items: deque[tuple[int, dict[str, Any]]]
    total: int
    done: int = 0
    already: int = 0
    """Items that were in the cache before."""
    failed: list[dict[str, Any]] = field(default_factory=list)
    reported: float = 0.0


class Preparations:
    """Runs `prepare` requests one after the other, one item at a time. Only the core thread uses it."""

    def __init__(self, engine: Engine, cache: LineCache, publisher: Publisher) -> None:
        self._engine = engine
        self._cache = cache
        self._publisher = publisher
        self._waiting: deque[_Preparation] = deque()
        self._numbers = count()
        self._current: str | None = None
        self._key = ""
        self._speech: SpeechRequest | None = None
        self._index = 0
        self._name = ""
        self._chunks: list[AudioChunk] = []

    def add(self, command: Command, request: PrepareRequest) -> None:
        """Take a request on and answer it; further answers report progress.

        Raises:
            RequestError: `queue_full`.
        """
        if sum(len(waiting.items) for waiting in self._waiting) + len(request.items) > MAX_WAITING_ITEMS:
            raise RequestError(f"more than {MAX_WAITING_ITEMS} lines wait to be prepared", code="queue_full")
        preparation = _Preparation(command, deque(enumerate(request.items)), len(request.items))
        self._waiting.append(preparation)
        self._report(preparation, final=False)

    def step(self, admission: Admission) -> bool:
        """Deal with one item, if none is being made; `True` if the next one can follow at once.

        One at a time: reading two thousand items in one go would hold up a stop by a tenth of a second.
        """
        if self._current is not None or not self._waiting:
            return False
        preparation = self._waiting[0]
        if not preparation.items:
            self._waiting.popleft()
            self._report(preparation, final=True)
            return bool(self._waiting)
        self._index, item = preparation.items.popleft()
        self._name = str(item.get("id") or "")[:64]
        try:
            speech = _speech(item, preparation.command.warnings, admission)
        except EdgeError as error:
            self._fail(preparation, error.code, str(error))
            return True
        self._speech, self._key = speech, admission.key(speech)
        if self._key in self._cache:
            preparation.done += 1
            preparation.already += 1
            return True
        self._current = f"{ID_PREFIX}{next(self._numbers)}"
        self._chunks = []
        self._engine.start(self._current, speech, PREPARE)
        return False

    def on_ready(self, message: LineReady, admission: Admission) -> None:
        """Name the item after the lexicon that it was read with."""
        if message.line_id == self._current and self._speech is not None:
            self._key = admission.key(self._speech)

    def on_chunk(self, message: LineChunk) -> None:
        """Collect the sound of the item."""
        if message.line_id == self._current:
            self._chunks.append(message.chunk)

    def on_done(self, message: LineDone) -> None:
        """Keep the item."""
        if message.line_id != self._current:
            return
        preparation = self._waiting[0]
        if self._cache.put(self._key, CachedLine(tuple(self._chunks))):
            preparation.done += 1
        else:
            self._fail(preparation, "internal", "the line is larger than the whole cache; raise cache.max_mb")
        self._next(preparation)

    def on_error(self, message: LineError) -> None:
        """Note that the item cannot be made."""
        if message.line_id == self._current:
            self._fail(self._waiting[0], message.code, message.message)
            self._next(self._waiting[0])

    def withdraw(self, request_id: str) -> None:
        """Give one request up, without a word."""
        if self._current is not None and self._waiting[0].command.request_id == request_id:
            self._engine.cancel(self._current)
            self._current = None
        self._waiting = deque(one for one in self._waiting if one.command.request_id != request_id)

    def clear(self, code: str, message: str) -> None:
        """Give everything up, for the reason given."""
        if self._current is not None:
            self._engine.cancel(self._current)
            self._current = None
        while self._waiting:
            preparation = self._waiting.popleft()
            self._report(preparation, final=True, code=code, message=message)

    def _fail(self, preparation: _Preparation, code: str, message: str) -> None:
        named = {"id": self._name} if self._name else {}
        preparation.failed.append({"index": self._index, **named, "code": code, "message": message})

    def _next(self, preparation: _Preparation) -> None:
        self._current = None
        self._chunks = []
        if preparation.items and time.monotonic() - preparation.reported > PROGRESS_INTERVAL_S:
            self._report(preparation, final=False)

    def _report(self, preparation: _Preparation, *, final: bool, **fault: str) -> None:
        preparation.reported = time.monotonic()
        self._publisher.answer(
            preparation.command,
            total=preparation.total,
            done=preparation.done,
            cached=preparation.already,
            n_failed=len(preparation.failed),
            failed=preparation.failed[:MAX_REPORTED_FAILURES],
            final=final,
            **fault,
        )


def _speech(item: Mapping[str, Any], warnings: list[str], admission: Admission) -> SpeechRequest:
    values = dict(item)
    if isinstance(values.get("text"), str):
        values["text"], cleaned = clean_line(values["text"])
        warnings += cleaned
    if values.pop("output", None) is not None:
        warnings.append("output is ignored by prepare")
    request, unknown = validate(SayRequest, values)
    warnings += unknown
    admission.check_text(request)
    speech = admission.speech(request, warnings)
    del warnings[MAX_WARNINGS:]
    return speech
