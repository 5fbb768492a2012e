"""An engine in a child process whose voice has accidents, and all that it says."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from edge.engine.base import PLAY, RENDER, Engine, EngineMessage, LineChunk, LineDone, LineError, LineReady
from edge.engine.pair import MANY, PairEngine
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


AnyEngine = TypeVar("AnyEngine", bound=Engine)


class EngineBench(Generic[AnyEngine]):
    """An engine and all that it has said."""

    def __init__(
        self, settings: dict[str, Any], make: Callable[[Callable[[EngineMessage], None]], AnyEngine]
    ) -> None:
        self.messages: list[Any] = []
        self.settings = settings
        self.engine = make(self.messages.append)
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

    def made(self) -> list[tuple[int, str]]:
        """Process and text of each line that a child with accidents has begun."""
        file = Path(self.settings["folder"]) / "made"
        rows = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [(int(pid), text) for pid, text in (row.split("\t") for row in rows)]


def send(pid: int, number: signal.Signals) -> bool:
    """Send a process a signal; False where the process is gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


class Bench(EngineBench[ProcessEngine]):
    """The engine in one child; settings that are not for the child: ``hangs``, ``spare``."""

    def __init__(self, settings: dict[str, Any], *, module: str = FAULTY, fallback: Any = None) -> None:
        hang_s = HANG_S if settings.pop("hangs", False) else PATIENT_HANG_S
        spare = settings.pop("spare", True)
        others = fallback and {**settings, **fallback}
        super().__init__(
            settings,
            lambda emit: ProcessEngine(
                settings, emit, module=module, fallback=others, spare=spare, hang_s=hang_s
            ),
        )

    def signal(self, number: signal.Signals) -> int:
        """Send the child a signal, or the next one where it is gone and the engine has not seen that yet."""

        def reached() -> int | None:
            pid = self.engine.pid
            return pid if pid is not None and send(pid, number) else None

        return int(wait_until(reached, LIMIT_S, what="a child"))


class PairBench(EngineBench[PairEngine]):
    """The engine in one child or two; settings that are not for the child: ``hang_s``, ``idle_s``."""

    def __init__(self, settings: dict[str, Any], *, module: str = FAULTY, **options: Any) -> None:
        for name in ("hang_s", "idle_s"):
            if name in settings:
                options[name] = settings.pop(name)
        options = {"hang_s": PATIENT_HANG_S, "many_for_s": 0.1, "spare": False, **options}
        super().__init__(settings, lambda emit: PairEngine(settings, emit, module=module, **options))
        self._numbers = count()
        self.texts: dict[str, str] = {}

    @property
    def first(self) -> int:
        """The process that speaks."""
        wait_until(lambda: self.engine._first.pid, LIMIT_S, what="a child")
        pid = self.engine._first.pid
        assert pid is not None
        return pid

    @property
    def second(self) -> int | None:
        """The process beside it that takes lines."""
        second = self.engine._second
        return None if second is None or second.voice is None or second.away else second.pid

    def fill(self, n: int = MANY, text: str = "la " * 20, urgency: int = RENDER) -> list[str]:
        """Have lines made that nobody hears."""
        names = [f"line {next(self._numbers)}" for _ in range(n)]
        for name in names:
            self.texts[name] = f"{name} {text}"
            self.say(name, self.texts[name], urgency)
        return names

    def makers(self, names: Iterable[str]) -> set[int]:
        """Processes that have begun any of these lines."""
        texts = {self.texts[name] for name in names}
        return {pid for pid, text in self.made() if text in texts}

    def all_whole(self, names: Iterable[str]) -> bool:
        """Wait for lines; tell whether each has come out once, whole, with the right sound."""
        for name in names:
            self.ended(name)
        return all(self.is_whole(name, self.texts[name]) for name in names)

    def double(self) -> int:
        """Keep it busy until there is a second child that takes lines, and all of them are done."""
        names: list[str] = []

        def is_there() -> int | None:
            if sum(bool(self.of(LineDone, name)) for name in names) >= len(names) - MANY:
                names.extend(self.fill(text="la"))
            return self.second

        second = wait_until(is_there, LIMIT_S, what="a second child")
        for name in names:
            assert isinstance(self.ended(name), LineDone)
        return int(second)


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


@contextlib.contextmanager
def nothing_left() -> Iterator[list[EngineBench[Any]]]:
    """Close the engines that are put into the list; each gives back all that it had."""
    n_open = len(list(Path("/proc/self/fd").iterdir()))
    benches: list[EngineBench[Any]] = []
    try:
        yield benches
    finally:
        for bench in benches:
            bench.engine.close()
    assert [thread.name for thread in threading.enumerate() if thread.name == "engine"] == []
    assert not [file for file in Path("/dev/shm").iterdir() if "sovits" in file.name]
    assert "sovits-sound" not in Path("/proc/self/maps").read_text(encoding="utf-8")
    assert len(list(Path("/proc/self/fd").iterdir())) <= n_open
    assert children() == []
