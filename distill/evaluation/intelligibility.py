"""How many words a recogniser misses, on a closed grammar of common words.

Free-form recognition of synthetic speech measures the recogniser's language model. With a grammar in which
every word may follow every other, only the sound decides, and only the difference between student and teacher
counts: espeak-ng itself is hard for this recogniser.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pocketsphinx
import soxr

from edge.spec import SAMPLE_RATE

from ..edit_distance import edit_distance
from .speech import Samples

RECOGNISER_RATE = 16_000  # Hz, what the acoustic model was trained on
EDGE_SILENCE_S = 0.2  # a recogniser needs quiet around the speech to find its ends
PEAK = 0.7  # level does not decide: every line is brought to this peak
# Narrower than the library's own 1e-48 and 7e-29: half the time. Of 180 words of Flite's 2.2 %
# are wrong with both, 64 % against 62 % for ava's espeak-ng voice; at 1e-30 Flite's errors rise to 5.6 %.
BEAM, WORD_BEAM = 1e-40, 7e-25


@dataclass(frozen=True)
class WordErrors:
    """Errors over a set of lines."""

    errors: int
    """Substitutions, deletions and insertions."""
    words: int
    """Said."""

    @property
    def percent(self) -> float:
        """Word error rate, 0 to above 100."""
        return 100.0 * self.errors / self.words if self.words else float("nan")

    def __add__(self, other: WordErrors) -> WordErrors:
        return WordErrors(self.errors + other.errors, self.words + other.words)


def said_words(text: str) -> tuple[str, ...]:
    """The words of a script line, as the recogniser's dictionary writes them."""
    return tuple(text.lower().rstrip(".").split())


@cache
def recognisable_words() -> frozenset[str]:
    """Words that the recogniser's own dictionary can spell."""
    path = Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"))
    return frozenset(line.split(maxsplit=1)[0] for line in path.read_text("utf-8").splitlines() if line)


class Recogniser:
    """pocketsphinx with its US English model and a grammar of ``words`` in any order and number.

    Raises:
        ValueError: a word is not in the recogniser's dictionary.
    """

    def __init__(self, words: Sequence[str]) -> None:
        unknown = sorted(set(words) - recognisable_words())
        if unknown:
            raise ValueError(f"not in the recogniser's dictionary, choose other words: {', '.join(unknown)}")
        grammar = f"#JSGF V1.0;\ngrammar words;\npublic <line> = ( {' | '.join(sorted(set(words)))} )+ ;\n"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "words.gram"
            path.write_text(grammar, encoding="utf-8")
            self._decoder = pocketsphinx.Decoder(
                hmm=pocketsphinx.get_model_path("en-us/en-us"),
                dict=pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"),
                lm=None,
                jsgf=str(path),
                beam=BEAM,
                pbeam=BEAM,
                wbeam=WORD_BEAM,
                loglevel="FATAL",
            )

    def transcribe(self, audio: Samples) -> tuple[str, ...]:
        """Return the words heard in ``audio`` (n,) at 32 kHz."""
        self._decoder.start_utt()
        self._decoder.process_raw(_prepare(audio).tobytes(), full_utt=True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return tuple(hypothesis.hypstr.split()) if hypothesis else ()

    def count(self, audio: Samples, words: Sequence[str]) -> WordErrors:
        """Compare what is heard with what was said."""
        return WordErrors(edit_distance(words, self.transcribe(audio)), len(words))


def _prepare(audio: Samples) -> np.ndarray:
    low = soxr.resample(audio, SAMPLE_RATE, RECOGNISER_RATE)
    low = low * (PEAK / max(float(np.abs(low).max(initial=0.0)), 1e-4))
    quiet = np.zeros(int(EDGE_SILENCE_S * RECOGNISER_RATE), np.float32)
    return (np.concatenate([quiet, low, quiet]) * 32767).astype(np.int16)
