"""Preparation of lines: the cache filled whenever the synthesiser has nothing better to do."""

from __future__ import annotations

import bisect
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from ..audio import AudioChunk
from ..engine.base import LINES_SIDE_BY_SIDE, PREPARE, Engine, LineChunk, LineDone, LineError, LineReady
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


@dataclass
class _Item:
    """A line that is being made."""

    places: list[tuple[int, str]]
    """Where in the request it stands, and under which name; more than one where it stands there again."""
    speech: SpeechRequest
    key: str
    chunks: list[AudioChunk] = field(default_factory=list)


class Preparations:
    """Runs `prepare` requests one after the other, a few items at a time. Only the core thread uses it."""

    def __init__(self, engine: Engine, cache: LineCache, publisher: Publisher) -> None:
        self._engine = engine
        self._cache = cache
        self._publisher = publisher
        self._waiting: deque[_Preparation] = deque()
        self._numbers = count()
        self._items: dict[str, _Item] = {}  # of the first that waits, by id of the line

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
        """Deal with one item, if not enough are being made; `True` if the next one can follow at once.

        One at a time: reading two thousand items in one go would hold up a stop by a tenth of a second.
        """
        if not self._waiting or len(self._items) >= LINES_SIDE_BY_SIDE:
            return False
        preparation = self._waiting[0]
        if preparation.items:
            self._begin(preparation, admission)
            return True
        if self._items:
            return False
        self._waiting.popleft()
        self._report(preparation, final=True)
        return bool(self._waiting)

    def _begin(self, preparation: _Preparation, admission: Admission) -> None:
        """Have the next item made, unless it is there already or cannot be."""
        index, values = preparation.items.popleft()
        place = (index, str(values.get("id") or "")[:64])
        try:
            speech = _speech(values, preparation.command.warnings, admission)
        except EdgeError as error:
            self._fail(preparation, [place], error.code, str(error))
            return
        key = admission.key(speech)
        same = next((item for item in self._items.values() if item.key == key), None)
        if key in self._cache:
            preparation.done += 1
            preparation.already += 1
        elif same is not None:
            same.places.append(place)
        else:
            line_id = f"{ID_PREFIX}{next(self._numbers)}"
            self._items[line_id] = _Item([place], speech, key)
            self._engine.start(line_id, speech, PREPARE)

    def on_ready(self, message: LineReady, admission: Admission) -> None:
        """Name the item after the lexicon that it was read with."""
        item = self._items.get(message.line_id)
        if item is not None:
            item.key = admission.key(item.speech)

    def on_chunk(self, message: LineChunk) -> None:
        """Collect the sound of the item."""
        item = self._items.get(message.line_id)
        if item is not None:
            item.chunks.append(message.chunk)

    def on_done(self, message: LineDone) -> None:
        """Keep the item."""
        item = self._items.pop(message.line_id, None)
        if item is None:
            return
        preparation = self._waiting[0]
        if self._cache.put(item.key, CachedLine(tuple(item.chunks))):
            preparation.done += len(item.places)
            preparation.already += len(item.places) - 1
        else:
            text = "the line is larger than the whole cache; raise cache.max_mb"
            self._fail(preparation, item.places, "internal", text)
        self._report_at_times(preparation)

    def on_error(self, message: LineError) -> None:
        """Note that the item cannot be made."""
        item = self._items.pop(message.line_id, None)
        if item is not None:
            self._fail(self._waiting[0], item.places, message.code, message.message)
            self._report_at_times(self._waiting[0])

    def withdraw(self, request_id: str) -> None:
        """Give one request up, without a word."""
        if self._items and self._waiting[0].command.request_id == request_id:
            self._cancel_items()
        self._waiting = deque(one for one in self._waiting if one.command.request_id != request_id)

    def clear(self, code: str, message: str) -> None:
        """Give everything up, for the reason given."""
        self._cancel_items()
        while self._waiting:
            preparation = self._waiting.popleft()
            self._report(preparation, final=True, code=code, message=message)

    def _cancel_items(self) -> None:
        for line_id in self._items:
            self._engine.cancel(line_id)
        self._items.clear()

    def _fail(
        self, preparation: _Preparation, places: list[tuple[int, str]], code: str, message: str
    ) -> None:
        for index, name in places:
            named = {"id": name} if name else {}
            fault = {"index": index, **named, "code": code, "message": message}
            bisect.insort(preparation.failed, fault, key=lambda each: each["index"])

    def _report_at_times(self, preparation: _Preparation) -> None:
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
