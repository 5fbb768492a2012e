"""Finished lines, found by content, the least recently used given up first."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import asdict, dataclass, field
from typing import Protocol

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


def content_key(voice: str, lexicon: str, request: SpeechRequest) -> str:
    """Name a line by everything that its sound depends on.

    Text, lexicon and the software that reads it stand for the phonemes. A label that is spoken with the line
    is not part of what is kept, so it is no part of the key.

    Args:
        voice: fingerprint of bundle, runner, inaudible mark and software.
        lexicon: digest of the show's lexicon.
        request: text and acting, whole.
    """
    acting = {
        name: float(value) if isinstance(value, int) else value  # 1 and 1.0 are one line
        for name, value in asdict(request).items()
    }
    return hashlib.sha256(json.dumps([voice, lexicon, acting], sort_keys=True).encode()).hexdigest()


class Store(Protocol):
    """Where lines lie that are not in memory."""

    def __contains__(self, key: object) -> bool: ...

    def keep(self, key: str, line: CachedLine) -> bool:
        """Have a line kept; False if it is not."""
        ...

    def clear(self) -> int:
        """Forget everything; return how many lines there were."""
        ...


class LineCache:
    """Lines by content key, bounded in bytes, and those on disk. Not thread-safe: the core alone uses it.

    Args:
        max_bytes: in memory.
        store: on disk, if there is one.
    """

    def __init__(self, max_bytes: int, store: Store | None = None) -> None:
        self.max_bytes = max_bytes
        self.n_bytes = 0
        self._store = store
        self._lines: OrderedDict[str, CachedLine] = OrderedDict()

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, key: object) -> bool:
        return key in self._lines or self.is_stored(key)

    def is_stored(self, key: object) -> bool:
        """Tell whether a line lies on disk; reading it takes its time."""
        return self._store is not None and key in self._store

    def get(self, key: str) -> CachedLine | None:
        """Return a line that is in memory and count it as used."""
        line = self._lines.get(key)
        if line is not None:
            self._lines.move_to_end(key)
        return line

    def put(self, key: str, line: CachedLine) -> bool:
        """Keep a line, giving up others for it; False if it is kept neither in memory nor on disk."""
        stored = self._store is not None and self._store.keep(key, line)
        return self.remember(key, line) or stored

    def remember(self, key: str, line: CachedLine) -> bool:
        """Keep a line in memory; False if it alone is larger than that."""
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
        """Forget a line in memory, if it is there."""
        line = self._lines.pop(key, None)
        if line is not None:
            self.n_bytes -= line.n_bytes

    def clear(self) -> int:
        """Forget everything, on disk too; return how many lines there were."""
        n_lines = sum(not self.is_stored(key) for key in self._lines)
        self.forget()
        return n_lines + (self._store.clear() if self._store is not None else 0)

    def forget(self) -> None:
        """Forget what is in memory."""
        self._lines.clear()
        self.n_bytes = 0
