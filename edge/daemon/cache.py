"""Finished lines in memory, found by content, the least recently used given up first."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass, field

from ..audio import AudioChunk
from ..synthesizer import SpeechRequest

OVERHEAD_BYTES = 4096  # timeline and bookkeeping of a line, generously


@dataclass(frozen=True)
class CachedLine:
    """A whole line as it was synthesised: the same chunks again give the same line again."""

    chunks: tuple[AudioChunk, ...]
    n_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        samples = sum(chunk.samples.nbytes for chunk in self.chunks)
        object.__setattr__(self, "n_bytes", samples + OVERHEAD_BYTES)


def content_key(bundle: str, request: SpeechRequest) -> str:
    """Name a line by everything that its sound depends on.

    Args:
        bundle: identity of the loaded bundle and lexicon.
        request: text and acting.
    """
    content = [bundle, request.text, request.character, request.language, request.emotion]
    content += [request.markup, request.trust]  # marks and warnings depend on them
    acting = (request.emotion_strength, request.rate, request.pitch, request.volume)
    numbers = [float(value) for value in acting]  # 1 and 1.0 are one line
    return hashlib.sha256(json.dumps([content, numbers]).encode()).hexdigest()


class LineCache:
    """Lines by content key, bounded in bytes. Not thread-safe: the core alone uses it."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.n_bytes = 0
        self._lines: OrderedDict[str, CachedLine] = OrderedDict()

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, key: object) -> bool:
        return key in self._lines

    def get(self, key: str) -> CachedLine | None:
        """Return a line and count it as used."""
        line = self._lines.get(key)
        if line is not None:
            self._lines.move_to_end(key)
        return line

    def put(self, key: str, line: CachedLine) -> bool:
        """Keep a line, giving up others for it; `False` if it alone is larger than the cache."""
        if line.n_bytes > self.max_bytes:
            return False
        self.discard(key)
        self._lines[key] = line
        self.n_bytes += line.n_bytes
        while self.n_bytes > self.max_bytes:
            _, oldest = self._lines.popitem(last=False)
            self.n_bytes -= oldest.n_bytes
        return True

    def discard(self, key: str) -> None:
        """Forget a line, if it is there."""
        line = self._lines.pop(key, None)
        if line is not None:
            self.n_bytes -= line.n_bytes

    def clear(self) -> int:
        """Forget everything; return how many lines there were."""
        n_lines = len(self._lines)
        self._lines.clear()
        self.n_bytes = 0
        return n_lines
