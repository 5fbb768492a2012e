"""An engine in a child process whose voice has accidents, and all that it says."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np

from edge.engine.base import PLAY, LineChunk, LineDone, LineError, LineReady
from edge.engine.process import ProcessEngine
from edge.synthesizer import SpeechRequest
from tests.edge.daemon.broker import wait_until
from tests.edge.daemon.stand_in import SAMPLES_PER_CHARACTER, level

ROOT = Path(__file__).parents[3]
TINY = ROOT / "tests" / "data" / "tiny_voice"
FAULTY = "tests.edge.engine.faulty_child"
TEXT = "a line that is long enough to be cut"
LIMIT_S = 60.0  # of one wait on a machine that is busy with other things
HANG_S, PATIENT_HANG_S = (
    3.0,
    50.0,
)  # where a child hangs; where none does, on a busy machine


class Bench:
    """An engine and all that it has said."""

    def __init__(self, settings: dict[str, Any], *, module: str = FAULTY, fallback: Any = None) -> None:
        self.messages: list[Any] = []
        hang_s = HANG_S if settings.pop("hangs", False) else PATIENT_HANG_S
        self.settings = settings
        self.engine = ProcessEngine(
            settings,
            self.messages.append,
            module=module,
            fallback=fallback and {**settings, **fallback},
            hang_s=hang_s,
        )
        self.engine.open()

    def say(self, line_id: str, text: str = TEXT, urgency: int = PLAY) -> None:
        self.engine.start(line_id, SpeechRequest(text, "noah"), urgency)

    def of(self, kind: type | tuple[type, ...], line_id: str | None = None) -> list[Any]:
        return [
            message
            for message in list(self.messages)
            if isinstance(message, kind) and line_id in (None, getattr(message, "line_id", None))
        ]

    def wait(self, kind: type | tuple[type, ...], line_id: str | None = None, n: int = 1) -> Any:
        wait_until(lambda: len(self.of(kind, line_id)) >= n, LIMIT_S, what=f"{n} {kind} {line_id}")
        return self.of(kind, line_id)[n - 1]

    def ended(self, line_id: str) -> Any:
        return self.wait((LineDone, LineError), line_id)

    def samples(self, line_id: str) -> np.ndarray:
        """The sound of a line; its chunks follow each other."""
        chunks = [message.chunk for message in self.of(LineChunk, line_id)]
        ends = np.cumsum([len(chunk.samples) for chunk in chunks])
        assert [chunk.start for chunk in chunks] == [0, *ends[:-1]]
        return np.concatenate([chunk.samples for chunk in chunks])

    def is_whole(self, line_id: str, text: str = TEXT) -> bool:
        """Whether a line has come out once, whole, with the right sound."""
        sound = self.samples(line_id)
        chunks = [message.chunk for message in self.of(LineChunk, line_id)]
        return (
            len(self.of((LineDone, LineError), line_id)) == len(self.of(LineReady, line_id)) == 1
            and len(sound) == len(text) * SAMPLES_PER_CHARACTER
            and bool((sound == level(text)).all())
            and [chunk.final for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
            and [chunk.timeline is not None for chunk in chunks] == [True] + [False] * (len(chunks) - 1)
        )

    def signal(self, number: signal.Signals) -> int:
        """Send the child a signal."""
        wait_until(lambda: self.engine.pid, LIMIT_S, what="a child")
        pid = self.engine.pid
        assert pid is not None
        os.kill(pid, number)
        return pid


def children() -> list[int]:
    """Processes that this one has started and not seen the end of, if they are synthesisers."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # ended meanwhile
            parent = int(status.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            command = (status.parent / "cmdline").read_bytes()
            if parent == os.getpid() and (b"child import main" in command or not command):
                found.append(int(status.parent.name))
    return found
