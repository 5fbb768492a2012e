"""A synthesiser without a voice: a line is one constant level, so that a recording shows what was heard."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from edge import markup
from edge.audio import AudioChunk, Mark, Pcm16
from edge.bundle.manifest import Character
from edge.errors import EdgeError, RunnerError, TextError
from edge.lipsync.timeline import phrase_timeline
from edge.loudness.level import Levels
from edge.spec import SAMPLE_RATE
from edge.synthesizer import SpeechRequest

MS_PER_CHARACTER = 25
SAMPLES_PER_CHARACTER = SAMPLE_RATE * MS_PER_CHARACTER // 1000
CHUNK_SAMPLES = SAMPLE_RATE // 16
UNSPEAKABLE = "안녕"


def level(text: str) -> int:
    """The constant that a line is made of: never 0, never negative."""
    return 1000 + zlib.crc32(text.encode()) % 20_000


@dataclass
class StandIn:
    """Speaks a line for each text; some texts make it fail.

    Attributes:
        chunk_delay_s: time that each chunk takes.
        gate: lines wait for it before their first chunk, if it is clear.
        started: texts in the order in which they were prepared.
        dumb: texts that cannot be spoken.
        levels: how loud its characters are.
        over: ends what hangs.
    """

    chunk_delay_s: float = 0.0
    gate: threading.Event = field(default_factory=threading.Event)
    started: list[str] = field(default_factory=list)
    dumb: tuple[str, ...] = ()
    levels: Levels = field(default_factory=Levels)
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.closed = False
        self.fingerprint, self.lexicon_digest = "stand-in", ""
        self.gate.set()
        names = {"noah": ("neutral", "sad"), "ava": ("neutral",)}
        characters = tuple(
            Character(
                name=name, id=row, languages=("zh", "en"), emotions=emotions, fallbacks={"angry": "neutral"}
            )
            for row, (name, emotions) in enumerate(names.items())
        )
        self.cold: list[Callable[[], object]] = []
        """What is loaded between lines: does that of one language each."""
        self.rendered: list[str] = []
        """Texts of the lines for which nobody waits."""
        self.loud = 1000
        """What everybody says whom somebody measures."""
        self.bundle: Any = SimpleNamespace(
            identity="stand-in 1.0.0",
            imitates_a_person=False,
            manifest=SimpleNamespace(
                name="stand-in",
                version="1.0.0",
                sample_rate=SAMPLE_RATE,
                characters=characters,
                quantization=SimpleNamespace(scheme="fp32"),
            ),
        )

    def warm_next(self) -> None:
        """Load the dictionaries of one language."""
        self.cold.pop(0)()

    @property
    def is_warm(self) -> bool:
        return not self.cold

    def sample(self, text: str, character: str, language: str) -> Pcm16:
        return np.full(SAMPLE_RATE, self.loud, np.int16)

    def close(self) -> None:
        self.closed = True

    def let_go(self) -> None:
        """Hold no thread any longer: not at the gate, and not in a line that hangs."""
        self.over.set()
        self.gate.set()

    def prepare(self, request: SpeechRequest, at_once: bool = False) -> Any:
        self.started.append(request.text)
        parsed = markup.parse(request.text, request.markup, request.trust)
        if UNSPEAKABLE in parsed.plain or request.text in self.dumb:
            raise TextError("nothing in it can be spoken", code="text_unspeakable")
        warnings = (*parsed.warnings, *(("sounds odd",) if "odd" in parsed.plain else ()))
        return SimpleNamespace(
            request=request,
            character=SimpleNamespace(name=request.character),
            parsed=parsed,
            phrases=(parsed.plain,),
            warnings=warnings,
            lexicon=self.lexicon_digest,
        )

    def render(
        self, line: Any, cancelled: Callable[[], bool] = lambda: False, alone: bool = False
    ) -> Iterator[AudioChunk]:
        self.rendered.append(line.request.text)
        return self.stream(line, cancelled)

    def stream(
        self, line: Any, cancelled: Callable[[], bool] = lambda: False, hold: bool = True
    ) -> Iterator[AudioChunk]:
        plain = line.parsed.plain
        total = len(plain) * SAMPLES_PER_CHARACTER
        marks = [
            Mark(str(tag.value), tag.position * SAMPLES_PER_CHARACTER)
            for tag in line.parsed.tags
            if tag.kind == "mark"
        ]
        boundaries = [index * SAMPLES_PER_CHARACTER for index in range(len(plain) + 1)]
        timeline = phrase_timeline(
            ["a"] * len(plain), ["zh"] * len(plain), boundaries, ((plain, 0, len(plain)),)
        )
        for start in range(0, total, CHUNK_SAMPLES):
            self.gate.wait(timeout=60)
            time.sleep(self.chunk_delay_s)
            if cancelled():
                return
            if start and "breaks" in plain:
                raise RunnerError("the network broke")
            if "hangs" in plain:
                self.over.wait(timeout=60)
            if "explodes" in plain:
                raise ZeroDivisionError("boom")
            stop = min(start + CHUNK_SAMPLES, total)
            samples = np.full(stop - start, level(line.request.text), dtype=np.int16)
            final = stop == total
            due = tuple(
                mark for mark in marks if start <= mark.sample < stop or (final and mark.sample == total)
            )
            yield AudioChunk(samples, SAMPLE_RATE, start, final, timeline if start == 0 else None, due)


def failing(error: EdgeError) -> Callable[[], StandIn]:
    """A loader that cannot load."""

    def load() -> StandIn:
        raise error

    return load
