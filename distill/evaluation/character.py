"""Characters told apart: spectral envelope and pitch against those of the teachers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .discriminant import Discriminant
from .spectral import log_mel
from .speech import Recording

N_BANDS = 24
N_CEPSTRA = 13
ACTIVE_DB = 30.0  # below a line's loudest frame: what is quieter is not counted as speech
DEPTH_DB = (
    40.0  # below a line's loudest band: what lies deeper is cut off, so that level does not change a voice
)


def voice_print(line: Recording) -> NDArray[np.float64]:
    """Return (2 * N_CEPSTRA + 2,): mean and spread of the cepstra, level left out, and of the pitch."""
    mel = log_mel(line.audio, N_BANDS)
    mel = np.maximum(mel, mel.max() - DEPTH_DB)
    level = mel.mean(1)
    mel = mel[level > level.max() - ACTIVE_DB]
    orders = np.arange(1, N_CEPSTRA + 1)[:, None]
    basis = np.cos(np.pi * orders * (np.arange(N_BANDS) + 0.5) / N_BANDS)  # type-II cosine transform
    cepstra = mel @ basis.T / N_BANDS
    pitch = np.nan_to_num([line.pitch.median, line.pitch.spread])
    return np.concatenate([cepstra.mean(0), cepstra.std(0), pitch])


class CharacterClassifier:
    """Learns who speaks from the teachers' lines."""

    def __init__(self, lines: Sequence[Recording]) -> None:
        prints = np.stack([voice_print(line) for line in lines])
        self._discriminant = Discriminant.fit(prints, [line.character for line in lines])

    def confusion(self, lines: Sequence[Recording]) -> dict[str, dict[str, int]]:
        """Count for each character whom its lines were taken for."""
        prints = np.stack([voice_print(line) for line in lines])
        found = self._discriminant.predict(prints)
        counts = Counter((line.character, name) for line, name in zip(lines, found, strict=True))
        table: dict[str, dict[str, int]] = {}
        for (character, name), n in sorted(counts.items()):
            table.setdefault(character, {})[name] = n
        return table


def percent_right(confusion: dict[str, dict[str, int]]) -> float:
    """Percent of lines given to the character that spoke them."""
    total = sum(sum(row.values()) for row in confusion.values())
    right = sum(row.get(character, 0) for character, row in confusion.items())
    return 100.0 * right / total if total else float("nan")
