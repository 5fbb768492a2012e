"""Words understood: English, by a recogniser that hears teacher and student alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache

from ..script.lines import FOLDER as SCRIPT
from .intelligibility import Recogniser, WordErrors, said_words
from .result import Check, LeftOut, Target
from .session import Session
from .speakers import spread
from .speech import Samples

WORDS = Target("word error above teacher", "at most", 5.0, "points")
N_WORD_LINES = 100  # per character


def intelligibility(session: Session) -> Iterator[Check | LeftOut]:
    """Word error of the student against its teacher's, English, neutral."""
    if not session.characters("en"):
        yield WORDS.left_out("all", "no character speaks English, which the recogniser is for")
        return
    with ProcessPoolExecutor(2) as pool:
        for character in session.characters("en"):
            where = {"character": character, "language": "en", "emotion": "neutral"}
            lines = [
                u for u in session.teacher.find("test", where) if set(said_words(u.text)) <= _known_words()
            ]
            lines = spread(lines, N_WORD_LINES)
            if not lines:
                yield WORDS.left_out(
                    character, "no held-out line has only words that the recogniser is given"
                )
                continue
            words = [said_words(line.text) for line in lines]
            told = _count(pool, [session.told(line).audio for line in lines], words)
            heard = _count(pool, [session.repeated(line).audio for line in lines], words)
            yield WORDS.check(
                character, heard.percent - told.percent, len(lines),
                teacher_percent=told.percent, student_percent=heard.percent, words=heard.words,
            )  # fmt: skip


@cache
def _known_words() -> frozenset[str]:
    return frozenset((SCRIPT / "common_words_en.txt").read_text("utf-8").split())


def _count(
    pool: ProcessPoolExecutor, audio: Sequence[Samples], words: Sequence[tuple[str, ...]]
) -> WordErrors:
    return sum(pool.map(_recognise, audio, words, chunksize=5), WordErrors(0, 0))


@cache
def _recogniser() -> Recogniser:
    return Recogniser(sorted(_known_words()))


def _recognise(audio: Samples, words: tuple[str, ...]) -> WordErrors:
    return _recogniser().count(audio, words)
