"""Independent listeners on teacher, float and int8 networks side by side: words, naturalness, who speaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from ..manifest import Utterance
from . import listener, transcript
from .listener import MissingEarError
from .notes import Heard, Notes
from .result import STUDENT, TEACHER, Check, LeftOut, Target
from .session import Session, Speak
from .speech import Samples

HEARD = {
    transcript.WORDS: Target("words misheard above teacher", "at most", 2.0, "points"),
    transcript.SYLLABLES: Target("syllables misheard above teacher", "at most", 2.0, "points"),
    transcript.TONED: Target("toned syllables misheard above teacher", "at most", 4.0, "points"),
    transcript.MORAE: Target("morae misheard above teacher", "at most", 2.0, "points"),
}
CHARACTERS = Target("characters misheard above teacher", "at most", 2.0, "points")  # only reported
NATURAL = Target("DistillMOS below teacher", "at most", 0.3, "MOS")
CLEAN = Target("DNSMOS below teacher", "at most", 0.1, "MOS")
SAME_VOICE = Target("likeness to the teacher's voice", "at least", 0.85, "cosine")
OTHER_LINES = Target("likeness to the teacher's other lines", "at least", 0.85, "cosine")  # only reported
ONE_VOICE = Target("likeness of a voice between languages", "at least", 0.75, "cosine")

N_HEARD_LINES = 100  # of a language, each character others of them
N_JUDGED_LINES, N_VOICE_LINES = 30, 20  # of each character in a language
NO_LINE = "no neutral line is held out"


def heard(session: Session) -> Iterator[Check | LeftOut]:
    """Errors of a recogniser that writes freely, on sentences that training has not seen."""
    try:
        recogniser: listener.Recogniser = listener.whisper()
        transcript.require_simplifier()
    except MissingEarError as error:
        yield from (target.left_out("all", str(error)) for target in HEARD.values())
        return
    hears = _hearer(session, listener.WHISPER, recogniser.transcribe)
    for character, language, lines in _conditions(session, N_HEARD_LINES, apart=True):
        found = {
            name: transcript.add_up(
                [transcript.compare(line.text, hears(name, line), line.language) for line in lines]
            )
            for name in session.speakers()
        }
        for kind, errors in found[TEACHER].items():
            percents = {name: rows[kind].percent for name, rows in found.items()}
            above = percents[STUDENT] - percents[TEACHER]
            judge = HEARD[kind].check if kind in HEARD else CHARACTERS.report
            yield judge(f"{character} {language}", above, len(lines), **percents, units=errors.units)


def _hearer(
    session: Session, ear: str, listen: Callable[[Samples, str], Heard]
) -> Callable[[str, Utterance], Heard]:
    """Give a function that listens to a speaker's line, to the teacher's only if nobody has before."""
    notes, speakers = Notes[Heard](session.teacher.corpus, ear), session.speakers()

    def hear(name: str, line: Utterance) -> Heard:
        def now() -> Heard:
            return listen(speakers[name](line).audio, line.language)

        return notes.of(line.id, now) if name == TEACHER else now()

    return hear


def judged(session: Session) -> Iterator[Check | LeftOut]:
    """How natural and how clean two models of human listeners find it."""
    judges = (
        (NATURAL, listener.DISTILL_MOS, listener.distill_mos),
        (CLEAN, listener.DNS_MOS, listener.dns_mos),
    )
    for target, ear, load in judges:
        try:
            judge = load()
        except MissingEarError as error:
            yield target.left_out("all", str(error))
            continue
        hears = _hearer(session, ear, partial(_scored, judge))
        for character, language, lines in _conditions(session, N_JUDGED_LINES):
            scores = {
                name: float(np.mean([hears(name, line) for line in lines])) for name in session.speakers()
            }
            below = scores[TEACHER] - scores[STUDENT]
            yield target.check(f"{character} {language}", below, len(lines), **scores)


def _scored(judge: Callable[[Samples], float], audio: Samples, _: str) -> float:
    return judge(audio)


def recognised(session: Session) -> Iterator[Check | LeftOut]:
    """Whether a speaker encoder hears the teacher's voice, and one voice in all languages of a character."""
    try:
        describe = listener.timbre()
    except MissingEarError as error:
        yield from (target.left_out("all", str(error)) for target in (SAME_VOICE, ONE_VOICE))
        return
    by_character: dict[str, dict[str, dict[str, Vectors]]] = {}
    for character, language, lines in _conditions(session, N_VOICE_LINES):
        vectors = {name: _vectors(describe, speak, lines) for name, speak in session.speakers().items()}
        by_character.setdefault(character, {})[language] = vectors
        yield from _likeness(f"{character} {language}", vectors)
    for character, spoken in by_character.items():
        for one, other in combinations(spoken, 2):
            alike = {name: _cosine(spoken[one][name], spoken[other][name]) for name in spoken[one]}
            n = len(spoken[one][STUDENT])
            yield ONE_VOICE.check(f"{character} {one}-{other}", alike[STUDENT], n, **alike)


Vectors = NDArray[np.float64]


def _likeness(who: str, vectors: dict[str, Vectors]) -> Iterator[Check]:
    """Compare with the teacher line by line, and with its other lines, as the teacher itself compares."""
    told = vectors[TEACHER]
    n = len(told)
    alike = {name: float(np.mean(np.sum(own * told, axis=1))) for name, own in vectors.items()}
    yield SAME_VOICE.check(who, alike[STUDENT], n, **{k: v for k, v in alike.items() if k != TEACHER})
    if n > 1:
        others = {name: (n * _cosine(own, told) - alike[name]) / (n - 1) for name, own in vectors.items()}
        yield OTHER_LINES.report(who, others[STUDENT], n, **others)


def _vectors(
    describe: Callable[[Samples], listener.Vector], speak: Speak, lines: Sequence[Utterance]
) -> Vectors:
    return np.stack([describe(speak(line).audio) for line in lines]).astype(np.float64)


def _cosine(some: Vectors, others: Vectors) -> float:
    """Mean cosine of every vector of one set with every one of the other; all are of length 1."""
    return float(np.mean([one @ other for one, other in product(some, others)]))


def _conditions(
    session: Session, limit: int, apart: bool = False
) -> Iterator[tuple[str, str, list[Utterance]]]:
    """Yield characters and languages with neutral held-out sentences.

    Args:
        session: whose.
        limit: sentences of each, or of a language.
        apart: the characters of a language share the sentences out.
    """
    for character, language in session.teacher.conditions():
        where = {"character": character, "language": language, "emotion": "neutral"}
        others = session.characters(language) if apart else [character]
        own = min(-(-limit // len(others)), session.most or limit)
        if lines := session.teacher.sentences(where, own, others.index(character) / len(others)):
            yield character, language, lines
