"""Choosing lines so that every sound occurs next to as many others as possible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence


def units(phonemes: Sequence[str]) -> Counter[tuple[str, ...]]:
    """Count single phonemes and neighbouring pairs; the ends of the line count as neighbours."""
    bounded = ["", *phonemes, ""]
    pairs = Counter(zip(bounded, bounded[1:], strict=False))
    return pairs + Counter((phoneme,) for phoneme in phonemes)


def choose(readings: Mapping[str, Sequence[str]], count: int, already: Iterable[Sequence[str]] = ()) -> list[str]:
    """Take ``count`` lines, each time the one with most rare units per phoneme (greedy, lazily re-scored).

    Args:
        readings: phonemes by text; earlier texts win ties.
        count: how many to take.
        already: phonemes of lines that are in anyway.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    for phonemes in already:
        seen.update(units(phonemes))
    counted = {text: units(phonemes) for text, phonemes in readings.items()}
    scores = {text: _score(counts, seen) for text, counts in counted.items()}
    chosen: list[str] = []
    while scores and len(chosen) < count:
        best = _best(scores, counted, seen)
        chosen.append(best)
        seen.update(counted[best])
        del scores[best]
    return chosen


def _best(scores: dict[str, float], counted: Mapping[str, Counter[tuple[str, ...]]], seen: Counter[tuple[str, ...]]) -> str:
    """Scores only fall as units are seen, so the first text that keeps its place after re-scoring is the best."""
    while True:
        best = max(scores, key=scores.__getitem__)
        fresh = _score(counted[best], seen)
        if fresh >= scores[best] - 1e-9:
            return best
        scores[best] = fresh


def _score(counts: Counter[tuple[str, ...]], seen: Counter[tuple[str, ...]]) -> float:
    gain = sum(1 / (1 + seen[unit]) ** 2 for unit in counts)
    return gain / (5 + sum(counts.values())) ** 0.5
