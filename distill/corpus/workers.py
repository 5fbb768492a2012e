"""Several processes that render, each with teachers of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType
from typing import Any

from ..config import DistillError
from .config import CorpusConfig
from ..gate import GateConfig
from .utterance import MakeTeacher, Studio


class Renderers:
    """A pool of studios; it starts with the first task, so that a finished corpus costs nothing."""

    def __init__(
        self,
        processes: int,
        config: CorpusConfig,
        folder: Path,
        gate: GateConfig,
        make: MakeTeacher,
        gpu: str | None = None,
    ) -> None:
        # Spawned, not forked: a fork would share the pipe to a teacher's program, and threads are running.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(processes, context, _start, (config, folder, gate, make, gpu))

    def each(self, task: str, arguments: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, Any]]:
        """Call a method of a studio for each row of arguments.

        Yields:
            Index of the row and its result, as they come.

        Raises:
            DistillError: a process was killed, or a task raised it.
        """
        try:
            waiting = {self._pool.submit(_do, task, *row): index for index, row in enumerate(arguments)}
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        except BrokenProcessPool as error:
            raise DistillError("a rendering process was killed; run the command again to go on") from error

    def __enter__(self) -> Renderers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)


_studio: Studio | None = None  # one per process of the pool


def _start(config: CorpusConfig, folder: Path, gate: GateConfig, make: MakeTeacher, gpu: str | None) -> None:
    global _studio
    os.nice(5)
    if gpu is not None:  # before anything asks CUDA: this process then has one GPU, the first one
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command, which ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _studio = Studio(config, folder, gate, make)


def _end_with_parent() -> None:
    """Leave when the command was killed: a worker waits for work through a pipe that it holds open itself."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "started by the pool"
    parent.join()
    os._exit(1)


def _do(task: str, *arguments: Any) -> Any:
    assert _studio is not None, "started by the pool"
    return getattr(_studio, task)(*arguments)
