"""How far the learnt alignment is from the times that a teacher tells of its own phonemes.

The teachers name phonemes in their own ways, merge some and split others. Both sequences are reduced to
classes of sound and matched by dynamic programming; only starts of phonemes that are matched are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.text.symbols import PUNCTUATION

from .speech import Segment
from .tones import is_rime

GAP, MISMATCH = 1.0, 3.0  # two gaps are cheaper than a pair of different classes
_PAUSES = frozenset(PUNCTUATION) | {"SP", "[", "]"}
_NASALS = set("m n ng nj my ny N n^".split())
_PLOSIVES = set("p b t d k g py by ty dy ky gy cl t# dx ph th kh".split())
_GLIDES = set("l r w y j ry r- r` hy".split())
_MANDARIN_GLIDES = {"l", "y", "w"}  # the pinyin letters j and r are fricatives, and so is j in Japanese

Times = Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Deviation:
    """Learnt starts against told ones."""

    median_ms: float
    p90_ms: float
    """``median_ms``, ``p90_ms``: of the absolute difference."""
    bias_ms: float
    """Median of learnt minus told."""
    within_20: float
    within_40: float
    """``within_20``, ``within_40``: percent of starts at most so many ms away."""
    n: int
    """Starts compared."""

    @classmethod
    def of(cls, differences: NDArray[np.float64]) -> Deviation:
        """Summarise ``differences`` (n,) in seconds."""
        if not len(differences):
            nan = float("nan")
            return cls(nan, nan, nan, nan, nan, 0)
        ms = np.abs(differences) * 1000.0
        return cls(
            float(np.median(ms)),
            float(np.percentile(ms, 90)),
            float(np.median(differences) * 1000.0),
            100.0 * float((ms <= 20.0).mean()),
            100.0 * float((ms <= 40.0).mean()),
            len(ms),
        )


def differences(segments: Sequence[Segment], told: Times, language: str) -> NDArray[np.float64]:
    """Return (n_matched,) seconds: start of each matched segment minus the start that the teacher tells."""
    starts = told_starts([s.symbol for s in segments], told, language)
    own = np.array([s.start for s in segments])
    return (own - starts)[~np.isnan(starts)]


def told_durations(
    segments: Sequence[Segment], told: Times, language: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (n,) told and learnt seconds of each sounding segment whose start and end are told."""
    starts = told_starts([s.symbol for s in segments], told, language)
    lengths = np.append(np.diff(starts), np.nan)
    known = ~np.isnan(lengths) & np.array([s.sounds for s in segments])
    return lengths[known], np.array([s.duration for s in segments])[known]


def told_starts(phonemes: Sequence[str], told: Times, language: str) -> NDArray[np.float64]:
    """Return (n_phonemes,) starts in seconds as the teacher tells them; NaN where it has no such phoneme."""
    events = _mandarin_events(told) if language == "zh" else _plain_events(told)
    ours = [(index, _our_class(symbol, language)) for index, symbol in enumerate(phonemes)]
    ours = [(index, kind) for index, kind in ours if kind]
    starts = np.full(len(phonemes), np.nan)
    for one, other in _match([kind for _, kind in ours], [kind for kind, _ in events]):
        starts[ours[one][0]] = events[other][1]
    return starts


def segments_from_times(
    phonemes: Sequence[str], told: Times, language: str, seconds: float
) -> tuple[Segment, ...]:
    """Cut a line by the teacher's own times; phonemes it does not tell share their neighbours' room."""
    symbols = [symbol for symbol in phonemes if symbol not in "[]"]
    starts = told_starts(symbols, told, language)
    known = ~np.isnan(starts)
    known[0], starts[0] = True, 0.0
    places = np.arange(len(symbols) + 1)
    bounds = np.append(starts, seconds)
    known = np.append(known, True)
    edges = np.maximum.accumulate(np.interp(places, places[known], bounds[known]))
    return tuple(
        Segment(symbol, float(start), float(end))
        for symbol, start, end in zip(symbols, edges[:-1], edges[1:], strict=True)
    )


def _our_class(symbol: str, language: str) -> str:
    if symbol in _PAUSES:
        return ""
    if language == "zh":
        return "V" if is_rime(symbol) else _mandarin_onset(symbol)
    if language == "en":
        return "V" if symbol[-1].isdigit() else _sound_class(symbol.lower())
    if symbol == "N":
        return "N"
    if symbol == "j":
        return "F"
    return "V" if symbol.lower() in ("a", "i", "u", "e", "o") else _sound_class(symbol)


def _mandarin_onset(symbol: str) -> str:
    kind = _sound_class(symbol)
    return "F" if kind == "L" and symbol not in _MANDARIN_GLIDES else kind


def _sound_class(name: str) -> str:
    """Class of a consonant: nasal, plosive, glide or fricative."""
    if name in _NASALS:
        return "N"
    if name in _PLOSIVES:
        return "P"
    return "L" if name in _GLIDES else "F"


def _their_class(name: str) -> str:
    """Class of a mnemonic of espeak-ng or a phone of Flite; empty for pauses and secondary articulation."""
    if name.startswith("_") or name == "pau":
        return ""
    if name in ("N", "N\\", "ong") or name in _NASALS:
        return "V" if name == "ong" else "N"
    if name in ("l", "r", "w", "j", "r-", "r`", "y") or name in _PLOSIVES or name.rstrip("_jh`") in _PLOSIVES:
        return "P" if name.rstrip("_jh`") in _PLOSIVES else "L"
    vowel = name[0] in "aeiouyAEIOUV@3&0" or name[:2] in ("aa", "ae", "ah", "ao", "aw", "ax", "ay")
    return "V" if vowel else "F"


def _plain_events(told: Times) -> list[tuple[str, float]]:
    events = [(_their_class(name), start) for name, start in told]
    return [(kind, start) for kind, start in events if kind]


def _mandarin_events(told: Times) -> list[tuple[str, float]]:
    """Keep of each syllable its onset and the first part of its rime: the coda is not a phoneme of ours."""
    events: list[tuple[str, float]] = []
    in_rime = False
    for name, start in told:
        if name.startswith("_"):
            in_rime = False
            continue
        if in_rime:
            continue
        kind = _their_class(name) if name != "y" else "V"
        events.append((kind, start))
        in_rime = kind == "V"
    return events


def _match(ours: Sequence[str], theirs: Sequence[str]) -> list[tuple[int, int]]:
    """Return index pairs of equal classes on the cheapest global alignment (Needleman and Wunsch 1970).

    Of several of ours that the teacher says as one, the first is paired: that is where its sound starts.
    """
    n, m = len(ours), len(theirs)
    cost = np.zeros((n + 1, m + 1))  # of the rest of both sequences
    cost[:, m], cost[n] = np.arange(n, -1, -1) * GAP, np.arange(m, -1, -1) * GAP
    for i in reversed(range(n)):
        for j in reversed(range(m)):
            pair = cost[i + 1, j + 1] + (0.0 if ours[i] == theirs[j] else MISMATCH)
            cost[i, j] = min(pair, cost[i + 1, j] + GAP, cost[i, j + 1] + GAP)
    pairs, i, j = [], 0, 0
    while i < n and j < m:
        if ours[i] == theirs[j] and cost[i, j] == cost[i + 1, j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif cost[i, j] == cost[i + 1, j] + GAP:
            i += 1
        else:
            j += 1
    return pairs
