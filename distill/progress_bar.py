"""Progress of long work on standard error: a bar on a terminal, now and then a plain line in a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TextIO, TypeVar

from tqdm import tqdm

from .ledger import spoken_time

LINE_INTERVAL_S = 60.0

T = TypeVar("T")


class ProgressBar:
    """Progress of one piece of work.

    Standard error that is no terminal gets a line a minute and one at the end, whatever the pace: hours of
    work leave a log that can be read.

    Args:
        name: of the work, in a word.
        total: pieces in all.
        done: pieces that an earlier run did.
        unit: of the pieces.
        quiet: show nothing.
        clock: seconds, from any beginning.
    """

    def __init__(
        self,
        name: str,
        total: int,
        unit: str = "it",
        done: int = 0,
        quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        terminal = sys.stderr.isatty()
        self._bar = tqdm(total=total, initial=done, desc=name, unit=unit, disable=quiet or not terminal)
        self._lines = None if quiet or terminal else _Lines(sys.stderr, name, total, done, clock)

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()
        if self._lines is not None:
            self._lines.close()

    def advance(self, **facts: object) -> None:
        """Count one piece as done; ``facts`` stand beside the count."""
        if self._lines is not None:
            self._lines.advance(facts)
        elif facts:
            self._bar.set_postfix(facts, refresh=False)
        self._bar.update()


def tracked(items: Iterable[T], name: str, total: int, unit: str = "it") -> Iterator[T]:
    """Yield items and show how many have been worked on."""
    with ProgressBar(name, total, unit) as bar:
        for item in items:
            yield item
            bar.advance()


class _Lines:
    """Says in whole lines how far the work is."""

    def __init__(self, file: TextIO, name: str, total: int, done: int, clock: Callable[[], float]) -> None:
        self._file, self._name, self._total, self._clock = file, name, total, clock
        self._before = self._done = done
        self._began = self._told_at = clock()
        self._told = done
        self._facts: dict[str, object] = {}

    def advance(self, facts: dict[str, object]) -> None:
        self._done += 1
        self._facts = facts
        if self._clock() - self._told_at >= LINE_INTERVAL_S:
            self._tell()

    def close(self) -> None:
        if self._told != self._done:
            self._tell()

    def _tell(self) -> None:
        self._told, self._told_at = self._done, self._clock()
        seconds = self._told_at - self._began
        parts = [f"{self._done} of {self._total}", spoken_time(seconds)]
        left = self._total - self._done
        if left > 0 and self._done > self._before:
            parts.append(f"{spoken_time(seconds / (self._done - self._before) * left)} left")
        parts += [f"{key} {value}" for key, value in self._facts.items()]
        self._file.write(f"{self._name}: {', '.join(parts)}\n")
        self._file.flush()
