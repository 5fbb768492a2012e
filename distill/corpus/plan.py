"""Plan of a corpus: the script dealt out to characters and emotions."""

from __future__ import annotations

import bisect
import hashlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate, islice

from edge.errors import TextError
from edge.text import FrontEnd, Reading

from ..config import DistillError
from .config import CorpusConfig, Recording
from ..script import Line, load_script
from ..teachers import LineRequest, Teacher

RATE_STEP = 0.1  # of the lines said faster and slower

Dealt = tuple[str, str, float, Line]  # split, emotion, rate, line
Planned = tuple[str, str, LineRequest]  # split, teacher, what to say


def plan_lines(recording: Recording, script: Sequence[Line], seed: int) -> Iterator[Dealt]:
    """Deal the script out.

    Drills, sentences and short lines all go to every character, spread over its emotions; patterns fill up.
    Where more is wanted than there is, the deck is dealt again, but an emotion says no line twice.
    A recording with shares in place of numbers has each line dealt by its text.
    """
    lines = {split: [line for line in script if line.split == split] for split in ("train", "valid", "test")}
    if recording.shares:
        yield from _deal_by_text(recording, recording.shares, lines["train"], seed)
        emotions = list(recording.shares)
    else:
        yield from _deal_by_number(recording, lines["train"], seed)
        emotions = list(recording.lines)
    for index, line in enumerate(lines["valid"][: recording.valid_lines]):
        yield "valid", emotions[index % len(emotions)], 1.0, line
    for emotion, count in recording.test_lines.items():
        yield from (("test", emotion, 1.0, line) for line in islice(lines["test"], count))
    for index, line in enumerate(lines["test"][: recording.rate_test_lines]):
        yield "test_rate", "neutral", 1 + RATE_STEP * (-1) ** index, line


def _deal_by_text(
    recording: Recording, shares: Mapping[str, float], lines: Sequence[Line], seed: int | str
) -> Iterator[Dealt]:
    """Draw the emotion of each line from its text: what is added to a script moves no other line."""
    edges = [*accumulate(shares.values())]
    for line in lines:
        key = f"{seed} {recording.character} {recording.language} {line.text}"
        drawn = int.from_bytes(hashlib.sha256(key.encode()).digest()[:6], "big") / 2**48
        index = bisect.bisect_right(edges, drawn)
        if index < len(edges):
            yield "train", list(shares)[index], 1.0, line


def _deal_by_number(recording: Recording, train: Sequence[Line], seed: int) -> Iterator[Dealt]:
    """Deal shuffled lines out, as many as each emotion wants."""
    shuffle = random.Random(f"{seed} {recording.character} {recording.language}").shuffle
    must = [line for line in train if line.kind in ("drill", "sentence", "short")]
    rest = [line for line in train if line.kind not in ("drill", "sentence", "short")]
    shuffle(rest)
    wanted = sum(recording.lines.values())
    chosen = (must + rest)[:wanted]
    shuffle(chosen)
    first = 0
    for emotion, count in recording.lines.items():
        for index in range(first, first + min(count, len(chosen))):
            yield "train", emotion, 1.0, chosen[index % len(chosen)]
        first += count


def plan(config: CorpusConfig, front_end: FrontEnd, teacher: Callable[[str], Teacher]) -> Iterator[Planned]:
    """Read every utterance of a corpus; a training line is said once for each take.

    Raises:
        DistillError: a line cannot be read; the message quotes it.
    """
    read = _reader(front_end)
    for recording in config.recordings:
        who, language = recording.character, recording.language
        for split, emotion, rate, line in _dealt(recording, teacher(recording.teacher), config.seed):
            reading = read(line.text, language)
            for take in range(recording.takes if split == "train" else 1):
                request = LineRequest(line.text, reading, language, who, emotion, rate, config.seed + take)
                yield split, recording.teacher, request


def plan_told(
    config: CorpusConfig, front_end: FrontEnd, teacher: Callable[[str], Teacher]
) -> Iterator[Planned]:
    """Read every line of which the prosody is told; of what is held out in any script there is none.

    Raises:
        DistillError: a line cannot be read, or a teacher cannot tell.
    """
    read = _reader(front_end)
    seed = f"{config.seed} told"
    for recording in config.recordings:
        if not recording.told:
            continue
        language, who = recording.language, recording.character
        script = load_script([*recording.script, *recording.told], language)
        lines = [line for line in script if line.split == "train"]
        for _, emotion, rate, line in _deal_by_text(recording, recording.told_shares(), lines, seed):
            reading = read(line.text, language)
            request = LineRequest(line.text, reading, language, who, emotion, rate, config.seed)
            yield "told", recording.teacher, request


def _reader(front_end: FrontEnd) -> Callable[[str, str], Reading]:
    """Give a function that reads a text in a language, each once, however many characters say it."""

    @cache
    def read(text: str, language: str) -> Reading:
        try:
            return front_end.read(text, language)
        except TextError as error:
            raise DistillError(
                f"the {language} line {text[:60]!r} cannot be read: {error}; change or remove it"
            ) from error

    return read


def _dealt(recording: Recording, teacher: Teacher, seed: int) -> Iterator[Dealt]:
    """Deal out the script, or what the teacher brings along."""
    own = teacher.lines(recording.language)
    if own is None:
        yield from plan_lines(recording, load_script(recording.script, recording.language), seed)
    else:
        yield from ((one.line.split, one.emotion, 1.0, one.line) for one in own)
