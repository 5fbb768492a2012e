"""What reading a line of 20 characters costs: processor milliseconds in all, and of the models in it.

Each line is another one, read once by a warm front end: no answer of a cache is measured twice.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from edge.markup import parse
from edge.text import FrontEnd
from edge.text.en.homograph_model import HomographModel
from edge.text.zh.polyphone_model import PolyphoneModel

SHORTEST, LONGEST = 17, 23  # characters of a line of about 20
_MODELS = ((PolyphoneModel, "scores"), (HomographModel, "score"))


class _Stopwatch:
    """Counts the processor time inside the models while it is entered."""

    def __init__(self) -> None:
        self.ms = 0.0

    def __enter__(self) -> _Stopwatch:
        self._originals = [(owner, name, getattr(owner, name)) for owner, name in _MODELS]
        for owner, name, original in self._originals:
            setattr(owner, name, self._timed(original))
        return self

    def __exit__(self, *_: object) -> None:
        for owner, name, original in self._originals:
            setattr(owner, name, original)

    def _timed(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            started = time.process_time()
            try:
                return original(*arguments)
            finally:
                self.ms += (time.process_time() - started) * 1000

        return timed


def cost(groups: Mapping[str, Iterable[str]]) -> dict[str, dict[str, float]]:
    """Milliseconds per line by language: median and 95 % of all reading, and the mean of the models in it.

    Args:
        groups: lines of each language; short ones are joined to about 20 characters.
    """
    front_end = FrontEnd()
    front_end.warm_up()
    found = {}
    for language, lines in groups.items():
        totals, models = [], []
        with _Stopwatch() as stopwatch:
            for line in _joined(lines):
                stopwatch.ms, started = 0.0, time.process_time()
                front_end.read(line, own=(language,))
                totals.append((time.process_time() - started) * 1000)
                models.append(stopwatch.ms)
        found[language] = _summary(totals, models)
    return found


def _joined(lines: Iterable[str]) -> Iterator[str]:
    """Lines one behind the other until they are about 20 characters long."""
    line = ""
    for text in dict.fromkeys(parse(each).plain.strip() for each in lines):
        line = f"{line}{' ' if line.isascii() and line else ''}{text}"
        if len(line) >= SHORTEST:
            if len(line) <= LONGEST:
                yield line
            line = ""


def _summary(totals: list[float], models: list[float]) -> dict[str, float]:
    return {
        "lines": len(totals),
        "median_ms": round(statistics.median(totals), 2),
        "p95_ms": round(statistics.quantiles(totals, n=20)[-1], 2),
        "models_median_ms": round(statistics.median(models), 2),
        "models_p95_ms": round(statistics.quantiles(models, n=20)[-1], 2),
    }
