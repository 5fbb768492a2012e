"""Meaning of each measure to the ear, for the verdict."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Meaning:
    """A measure in the words of somebody who listens."""

    title: str
    """What it is about."""
    met: str
    missed: str
    """``met``, ``missed``: goes on from the title."""
    language: str = ""
    """Of measures that are taken in one language only and do not repeat it in their subjects."""


MEANINGS = {
    "word error above teacher": Meaning(
        "Words", "are understood as well as the teacher's",
        "are harder to understand than the teacher's", "en",
    ),
    "words misheard above teacher": Meaning(
        "Words, freely written down,", "are understood as well as the teacher's",
        "are harder to understand than the teacher's", "en",
    ),
    "syllables misheard above teacher": Meaning(
        "Syllables", "are understood as well as the teacher's", "are harder to understand than the teacher's",
    ),
    "toned syllables misheard above teacher": Meaning(
        "Syllables with their tones", "are understood as well as the teacher's",
        "are harder to understand than the teacher's",
    ),
    "morae misheard above teacher": Meaning(
        "Morae", "are understood as well as the teacher's", "are harder to understand than the teacher's",
    ),
    "DistillMOS below teacher": Meaning(
        "Naturalness", "is about the teacher's to a model of listeners",
        "is less than the teacher's to a model of listeners; listen for buzzing and muffled sounds",
    ),
    "DNSMOS below teacher": Meaning(
        "Cleanness", "is about the teacher's to a model of listeners",
        "is less than the teacher's to a model of listeners; listen for noise",
    ),
    "likeness to the teacher's voice": Meaning(
        "The voice", "is the teacher's to a speaker encoder", "is not quite the teacher's",
    ),
    "likeness of a voice between languages": Meaning(
        "One voice", "is heard in all languages of a character", "changes with the language",
    ),
    "duration correlation within sentences": Meaning(
        "Rhythm within sentences", "follows the teacher", "follows the teacher only roughly",
    ),
    "pitch correlation within sentences": Meaning(
        "Melody within sentences", "follows the teacher", "follows the teacher only roughly",
    ),
    "log-mel distance over a small change's": Meaning(
        "Sound colour", "is about as near to the teacher as the teacher a little faster or higher",
        "is further from the teacher than the teacher a little faster or higher; "
        "listen for muffled or buzzing sounds",
    ),
    "envelope distance over a vocoder copy's": Meaning(
        "Timbre, pitch apart,", "is about as near to the teacher as a copy through a vocoder",
        "is further from the teacher than a copy through a vocoder; listen for dull or smeared sounds",
    ),
    "tones under teacher": Meaning(
        "Mandarin tones", "are as clear as the teacher's", "are less clear than the teacher's", "zh",
    ),
    "duration correlation": Meaning(
        "Rhythm", "follows the teacher sound by sound", "follows the teacher only roughly",
    ),
    "pitch correlation": Meaning(
        "Melody", "follows the teacher sound by sound", "follows the teacher only roughly",
    ),
    "sad slower and lower than happy": Meaning(
        "Emotions", "differ as they should: sad is slower and lower than happy",
        "are not told apart by speed and pitch: sad should be slower and lower than happy",
    ),
    "characters told apart": Meaning(
        "Characters", "can be told apart", "are taken for one another",
    ),
    "streamed against whole": Meaning(
        "Streaming", "gives the same sound as the whole line at once",
        "changes the sound against the whole line at once",
    ),
    "joins that stand out": Meaning(
        "Joins between windows", "stand out no more than any other place", "can be heard; listen for clicks",
    ),
    "samples that clip or are no numbers": Meaning(
        "Samples", "are clean: nothing clips", "clip or are no numbers",
    ),
    "silence inside a phrase above teacher": Meaning(
        "Phrases", "have no holes", "have holes of silence that the teacher's do not have",
    ),
    "lines read otherwise than in training": Meaning(
        "Readings", "are those of the training",
        "differ from those of the training: the text front end has changed since the corpus was made",
    ),
    "lines of one syllable not heard": Meaning(
        "Lines of one syllable", "are heard", "are swallowed or drag on",
    ),
}  # fmt: skip


def meaning_of(measure: str) -> Meaning:
    """Look a measure up; one without an entry speaks for itself."""
    title = measure[:1].upper() + measure[1:]
    return MEANINGS.get(measure, Meaning(title, "is on target", "is off target"))
