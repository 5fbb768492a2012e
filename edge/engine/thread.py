"""Synthesiser on a thread of this process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from functools import partial

from ..audio import AudioChunk
from ..errors import EdgeError, TextError
from ..synthesizer import PreparedLine, SpeechRequest, Synthesizer
from .base import (
    CHECK,
    LINES_SIDE_BY_SIDE,
    PLAY,
    RENDER,
    STREAM,
    EngineDown,
    EngineLevels,
    EngineMessage,
    EngineUp,
    LineChunk,
    LineDone,
    LineError,
    LineReady,
    VoiceInfo,
)
from .outstanding import Delivered

logger = logging.getLogger(__name__)

RETRIES = 1
REST_S = 0.005  # from first sound to sink takes 1 to 3 ms; the sound itself lasts 0.25 s


@dataclass
class _Work:
    line_id: str
    urgency: int
    steps: Generator[EngineMessage, None, None]
    turn: int = 0
    """When it was last advanced."""
    rests_until: float = 0.0
    """Before then it does not go on (monotonic seconds)."""


class ThreadEngine:
    """A synthesiser on one thread of this process.

    Lines are computed a chunk at a time, the most urgent first, so that a long line which only fills a file
    delays a spoken one by no more than a chunk. Lines of one urgency take turns: of two characters who speak
    at once neither waits for the other, and while a line waits for other threads the next one is read.
    A spoken line rests once it has given its first sound: what brings that to the loudspeaker needs a
    processor more urgently than the next window does.

    Args:
        load: makes the synthesiser, ready to use; dictionaries and levels that it lacks come between lines.
        emit: takes the messages, on the engine's thread.
        runner: name of the inference library, for people.
        retries: times that a line is tried again after the runner has failed.
        working: told the line that is computed, before each step.
        warm: told whether every dictionary and every level is there.
        crowded: asked for each line that nobody hears whether it is to be made on the engine's thread alone.
    """

    def __init__(
        self,
        load: Callable[[], Synthesizer],
        emit: Callable[[EngineMessage], None],
        runner: str = "onnxruntime",
        retries: int = RETRIES,
        working: Callable[[str], None] = lambda _: None,
        warm: Callable[[bool], None] = lambda _: None,
        crowded: Callable[[], bool] = lambda: False,
    ) -> None:
        self._load = load
        self._runner = runner
        self._emit = emit
        self._retries = retries
        self._working = working
        self._warm = warm
        self._crowded = crowded
        self._cold = False
        self._condition = threading.Condition(threading.Lock())
        self._works: list[_Work] = []
        self._turn = 0
        self._cancelled: set[str] = set()
        self._reload = True
        self._unload = False
        self._closed = False
        self._loading = False
        self._n_turns, self._turns_seen = 0, -1
        self._synthesizer: Synthesizer | None = None
        self._retired: list[Synthesizer] = []
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    @property
    def pids(self) -> tuple[int, ...]:
        """Return nothing: it works in this process."""
        return ()

    @property
    def is_idle(self) -> bool:
        """Return whether no line is under way."""
        return not self._works

    def open(self) -> None:
        """Begin to load."""
        self._thread.start()

    def start(self, line_id: str, request: SpeechRequest, urgency: int) -> None:
        """Begin a line."""
        with self._condition:
            self._cancelled.discard(line_id)
            self._works.append(_Work(line_id, urgency, self._steps(line_id, request, urgency)))
            self._condition.notify()

    def cancel(self, line_id: str) -> None:
        """Give a line up, at the next chunk at the latest."""
        with self._condition:
            if any(work.line_id == line_id for work in self._works):
                self._cancelled.add(line_id)

    def reload(self) -> None:
        """Load the bundle again between two chunks of whatever is being computed."""
        with self._condition:
            self._reload = True
            self._condition.notify()

    def unload(self) -> None:
        """Let go of the voice and of every line, after the chunk in hand."""
        with self._condition:
            self._unload = True
            self._condition.notify()

    def moves(self) -> bool:
        """Tell whether the thread has gone round since the last call; loading takes its time."""
        with self._condition:
            before, self._turns_seen = self._turns_seen, self._n_turns
            self._condition.notify()
            return self._loading or self._turns_seen != before

    def restart(self, line_id: str = "") -> bool:
        """A thread cannot be killed."""
        return False

    def close(self) -> None:
        """Stop after the chunk in hand."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)

    def _run(self) -> None:
        while True:
            with self._condition:
                self._n_turns += 1
                while not (self._works or self._reload or self._unload or self._closed or self._cold):
                    self._condition.wait()
                    self._n_turns += 1
                if self._closed:
                    break
                if self._unload:
                    self._drop()
                reload, self._reload = self._reload, False
                work = None if reload else self._choose()
                if work is None and self._works and not reload:
                    self._condition.wait(max(each.rests_until for each in self._works) - time.monotonic())
                    continue
                self._loading = reload or (self._cold and work is None)
            if reload:
                self._load_voice()
            elif work is not None:
                self._advance(work)
            elif self._cold:
                self._warm_next()
            self._retire()
        self._works.clear()
        if self._synthesizer is not None:
            self._retired.append(self._synthesizer)
        self._retire()

    def _choose(self) -> _Work | None:
        """The line to advance, None if all that come first rest; the caller holds the lock."""
        now = time.monotonic()
        most = min((work.urgency for work in self._works), default=PLAY)
        alike = [work for work in self._works if work.urgency == most]
        beside = alike[: 1 if most < PLAY else LINES_SIDE_BY_SIDE]
        chosen = min(
            (work for work in beside if work.rests_until <= now), key=lambda work: work.turn, default=None
        )
        if chosen is not None:
            self._turn += 1
            chosen.turn = self._turn
        return chosen

    def _drop(self) -> None:
        """Forget lines and voice; the caller holds the lock."""
        self._unload = False
        for work in self._works:
            work.steps.close()
        self._works.clear()
        self._cancelled.clear()
        if self._synthesizer is not None:
            self._retired.append(self._synthesizer)
            self._synthesizer = None

    def _load_voice(self) -> None:
        try:
            synthesizer = self._load()
        except EdgeError as error:
            self._emit(EngineDown(error))
        except Exception as error:
            logger.exception("loading the voice")
            self._emit(EngineDown(EdgeError(f"the voice cannot be loaded: {error!r}")))
        else:
            if self._synthesizer is not None:
                self._retired.append(self._synthesizer)
            self._synthesizer = synthesizer
            self._cold = _lacks(synthesizer)
            self._warm(not self._cold)
            self._emit(EngineUp(describe(synthesizer, self._runner)))

    def _warm_next(self) -> None:
        """Load the dictionaries of one language, or measure one character once all are there.

        What goes wrong with a dictionary, the line that needs it tells.
        """
        synthesizer = self._synthesizer
        if synthesizer is not None and not synthesizer.is_warm:
            try:
                synthesizer.warm_next()
            except Exception:
                logger.exception("loading dictionaries")
        elif synthesizer is not None:
            self._measure(synthesizer)
        self._cold = synthesizer is not None and _lacks(synthesizer)
        self._warm(not self._cold)

    def _measure(self, synthesizer: Synthesizer, character: str = "") -> None:
        """Find out how loud a character is, or the next one, and tell."""
        n_known = len(synthesizer.levels.known)
        try:
            synthesizer.levels.measure(synthesizer.sample, character)
        except Exception:
            logger.exception("measuring how loud a character is")
        if len(synthesizer.levels.known) != n_known:
            self._emit(EngineLevels(synthesizer.fingerprint, dict(synthesizer.levels.known)))

    def _retire(self) -> None:
        """Give back voices that were replaced, once no line uses them."""
        while self._retired and not self._works:
            self._retired.pop().close()

    def _advance(self, work: _Work) -> None:
        """Take one step of a line and pass on what it gave."""
        self._working(work.line_id)
        message = None if work.line_id in self._cancelled else next(work.steps, None)
        with self._condition:
            cancelled = work.line_id in self._cancelled
            if cancelled or message is None or isinstance(message, LineDone | LineError):
                self._works.remove(work)
                self._cancelled.discard(work.line_id)
                work.steps.close()
        if message is not None and not cancelled:
            self._emit(message)
        if work.urgency == PLAY and isinstance(message, LineChunk) and not work.rests_until:
            work.rests_until = time.monotonic() + REST_S

    def _steps(
        self, line_id: str, request: SpeechRequest, urgency: int
    ) -> Generator[EngineMessage, None, None]:
        """Yield the messages of a line, from a second try only those that the first did not give."""
        delivered, synthesizer = Delivered(), self._synthesizer
        for retries_left in range(self._retries, -1, -1):
            delivered.again()
            for message in self._try(line_id, request, synthesizer, urgency):
                if retries_left and is_runner_fault(message):
                    logger.warning("line %s, tried again: %s", line_id, message)
                    break
                fresh = delivered.fresh(message)
                if fresh is not None:
                    yield fresh
            else:
                return

    def _try(
        self, line_id: str, request: SpeechRequest, synthesizer: Synthesizer | None, urgency: int
    ) -> Generator[EngineMessage, None, None]:
        """Yield the messages of a line; whatever goes wrong becomes the last of them."""
        stage = "text"
        try:
            if synthesizer is None:
                raise EdgeError("no voice is loaded", code="runner_error")
            begun = time.perf_counter()
            prepared = synthesizer.prepare(request, at_once=urgency == PLAY)
            chunks = self._chunks(line_id, prepared, synthesizer, urgency)
            spent = time.perf_counter() - begun
            n_phrases = len(prepared.phrases) if isinstance(prepared.phrases, tuple) else None
            yield LineReady(line_id, n_phrases, prepared.warnings, prepared.lexicon)
            stage = "synthesis"
            if urgency in (PLAY, STREAM, RENDER):  # it is levelled on its way out
                self._measure(synthesizer, prepared.character.name)
            begun = time.perf_counter()
            for chunk in chunks:
                spent += time.perf_counter() - begun
                yield LineChunk(line_id, chunk)
                begun = time.perf_counter()
            spent += time.perf_counter() - begun
            yield LineDone(line_id, spent * 1000)
        except EdgeError as error:
            where = "text" if isinstance(error, TextError) else stage
            yield LineError(line_id, error.code, str(error), where)
        except Exception as error:
            logger.exception("line %s", line_id)
            yield LineError(line_id, "internal", f"the synthesiser failed: {error!r}"[:500], stage)

    def _chunks(
        self, line_id: str, prepared: PreparedLine, synthesizer: Synthesizer, urgency: int
    ) -> Iterable[AudioChunk]:
        """Sound of a line, and that of the next chunk under way where other lines take turns with it."""
        cancelled = partial(self._cancelled.__contains__, line_id)
        if urgency == CHECK:
            return ()
        if urgency in (PLAY, STREAM):
            return synthesizer.stream(prepared, cancelled, urgency == PLAY)
        return synthesizer.render(prepared, cancelled, self._crowded())


def is_runner_fault(message: EngineMessage) -> bool:
    """Tell whether a line failed where another try may succeed."""
    return isinstance(message, LineError) and message.code == "runner_error" and message.stage == "synthesis"


def _lacks(synthesizer: Synthesizer) -> bool:
    """Tell whether anything is left to load or to measure."""
    return not synthesizer.is_warm or bool(synthesizer.levels.missing)


def describe(synthesizer: Synthesizer, runner: str) -> VoiceInfo:
    """Sum up a loaded synthesiser."""
    manifest = synthesizer.bundle.manifest
    return VoiceInfo(
        runner=runner,
        precision=manifest.quantization.scheme.partition("-")[0],
        bundle=f"{manifest.name} {manifest.version}",
        identity=synthesizer.bundle.identity,
        sample_rate=manifest.sample_rate,
        imitates_a_person=synthesizer.bundle.imitates_a_person,
        characters=manifest.characters,
        fingerprint=synthesizer.fingerprint,
        lexicon=synthesizer.lexicon_digest,
        levels=dict(synthesizer.levels.known),
        unmeasured=synthesizer.levels.missing,
    )
