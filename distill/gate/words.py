"""Words dropped and words repeated, found by a way through the line that may jump between its words."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edge.text.frontend import Word

from .alignment import Alignment
from .config import GateConfig
from .fault import Fault
from .first_look import Heard
from .trellis import Trellis, best_path

JUMP_NATS = 60.0  # cost of a jump: above what clean lines would gain by one, below what a short word does
WELL_KNOWN = 150  # lines from which the phonemes of a voice are known so well that this cost holds


def jump_nats(n_lines: int) -> float:
    """Give the cost of a jump: less trust in a voice learnt from few lines."""
    return JUMP_NATS * math.sqrt(max(1.0, WELL_KNOWN / n_lines))


def judge_words(config: GateConfig, line: Heard, alignment: Alignment, n_lines: int) -> Fault | None:
    """Find words that were dropped or repeated, by a voice that was learnt from ``n_lines``."""
    total, path = best_path(alignment.scores, alignment.trellis, jump_nats(n_lines))
    gain = total - alignment.total
    if gain <= config.word_nats:
        return None
    found = "; ".join(_jumps(alignment.trellis, path, line)) or "other words than written"
    return Fault("words", gain, config.word_nats, f"{found} ({gain:.0f} nats likelier than as written)")


def _jumps(trellis: Trellis, path: NDArray[np.int64], line: Heard) -> Iterator[str]:
    """Say what each jump of a way leaves out or says again."""
    before = -1
    n_words = len(trellis.starts)
    entered = np.flatnonzero(np.diff(path, prepend=-1))
    for state in path[entered]:
        word = int(trellis.words[state])
        if word < 0 or (word == before and state != trellis.starts[word]):
            continue
        if word > before + 1:
            yield f"drops {_text(trellis, range(before + 1, word), line)}"
        elif word <= before:
            yield f"repeats {_text(trellis, range(word, before + 1), line)}"
        before = word
    if before < n_words - 1:
        yield f"drops {_text(trellis, range(before + 1, n_words), line)}"


def _text(trellis: Trellis, spans: range, line: Heard) -> str:
    """Quote the words of the trellis; what belongs to no word is quoted by its phonemes."""
    first, last = trellis.phonemes[trellis.starts[spans[0]]], trellis.phonemes[trellis.ends[spans[-1]]]
    named = [word.text for word in _within(line.reading.words, int(first), int(last))]
    return repr(" ".join(named or line.reading.phonemes[first : last + 1]))


def _within(words: tuple[Word, ...], first: int, last: int) -> Iterator[Word]:
    yield from (word for word in words if word.start <= last and word.end > first)
