"""Limitations that a reader must know before trusting the voice or the report."""

from __future__ import annotations

from collections.abc import Iterator

from edge.bundle.manifest import Manifest

from .files import CorpusSummary, Quality, QualityCheck
from .verdict import LANGUAGES

_WORDS_MEASURED_IN = "word error above teacher"
_HEARD = ("syllables misheard above teacher", "morae misheard above teacher")


def limitations(manifest: Manifest, corpus: CorpusSummary, quality: Quality | None) -> Iterator[str]:
    """Yield one sentence or two for each."""
    if quality is None:
        yield "Nothing was measured: the report has no result file of the evaluation."
    else:
        yield from _of_quality(manifest, quality)
    yield from _of_corpus(manifest, corpus)
    for character in manifest.characters:
        for asked, used in character.fallbacks.items():
            yield f"{character.name} has no emotion {asked} and speaks {used} instead."
    if manifest.consent is None:
        yield "No consent is recorded in the bundle: this must not be the voice of a living person."
    yield (
        "The numbers are measurements, not listeners: they find faults, they do not tell whether a voice is "
        "liked. Listen to the lines above before a show."
    )


def is_of_other_networks(manifest: Manifest, quality: Quality) -> bool:
    """Whether the numbers belong to other networks than those of the bundle."""
    return {name: entry.sha256 for name, entry in manifest.files.items()} != quality.files


def _of_quality(manifest: Manifest, quality: Quality) -> Iterator[str]:
    if is_of_other_networks(manifest, quality):
        yield (
            "The numbers were measured on other networks than those of this bundle: their hashes differ. "
            "Run the evaluation again."
        )
    spoken = {language for character in manifest.characters for language in character.languages}
    heard = {check.subject.split()[-1] for check in quality.checks if check.measure in _HEARD} | {"en"}
    unheard = [LANGUAGES[language] for language in LANGUAGES if language in spoken - heard]
    if unheard and any(check.measure == _WORDS_MEASURED_IN for check in quality.checks):
        yield (
            f"Words are recognised in English only; whether {' and '.join(unheard)} is understood "
            "is told by the spectrum, by tones and by ear."
        )
    if quality.left_out:
        names = sorted({left_out.measure for left_out in quality.left_out})
        yield f"Not measured for everybody, see the numbers for the reasons: {', '.join(names)}."
    small = sorted({check.measure for check in quality.checks if _rests_on_little(check)})
    if small:
        yield f"Resting on fewer than ten samples: {', '.join(small)}."


def _rests_on_little(check: QualityCheck) -> bool:
    return check.target is not None and check.n < 10


def _of_corpus(manifest: Manifest, corpus: CorpusSummary) -> Iterator[str]:
    names = {character.name for character in manifest.characters}
    for voice, symbols in corpus.never_spoken.items():
        if symbols and voice.split()[0] in names:
            yield f"Never heard in training, hence guessed, by {voice}: {' '.join(symbols)}."
    if corpus.gate is None:
        yield "The corpus was not judged by a quality gate: faults of the teacher may have been learnt."
    elif corpus.gate.lost:
        yield (
            f"{corpus.gate.lost} lines of the script are not in the corpus: "
            "no attempt of the teacher was good."
        )
