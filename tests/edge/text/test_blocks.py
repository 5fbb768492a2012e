"""Long texts: read in blocks as they are read whole."""

from __future__ import annotations

import random
from itertools import chain

import pytest

from edge.errors import TextError
from edge.markup import Tag
from edge.phrases import phrases_of_blocks, split_phrases
from edge.text import FrontEnd
from edge.text.blocks import LEAST_BLOCK, block_ends

from .test_complaints import complaints

FRONT_END = FrontEnd()
MANY = 1900  # characters


def long_texts() -> list[str]:
    """Lines of the complaints one after another, in an order of their own each time."""
    lines = [text for _, text, _, _ in complaints() if not set(text) & set("\n[]<>*_`#|A")]
    spoken = [text if text[-1] in "。！？!?" else text + "。" for text in lines]
    draw, texts = random.Random(5), []
    for _ in range(4):
        draw.shuffle(spoken)
        text = ""
        for line in spoken:
            text += line
            if len(text) > MANY:
                break
        texts.append(text[:2000])
    english = "He walked slowly to the old door. I read the letter, and the wind tore it away! " * 23
    return [
        *texts,
        english,
        "今日は寒いですね、散歩しましょう。誰だ！" * 80,
        "他长得很高，得马上离开。" * 150,
    ]


@pytest.mark.parametrize("text", long_texts())
def test_blocks_are_read_as_the_whole(text: str) -> None:
    language = "auto"
    whole = FRONT_END.read(text, language)
    parts = [reading for reading, _ in FRONT_END.read_blocks(text, language)]
    assert len(parts) > 5
    assert tuple(chain.from_iterable(part.phonemes for part in parts)) == whole.phonemes
    assert tuple(chain.from_iterable(part.offsets for part in parts)) == whole.offsets
    assert tuple(chain.from_iterable(part.languages for part in parts)) == whole.languages
    assert [word.text for part in parts for word in part.words] == [word.text for word in whole.words]


@pytest.mark.parametrize("text", long_texts()[-3:])
def test_phrases_of_blocks_are_those_of_the_whole(text: str) -> None:
    tags = [
        Tag("mark", "first", 0), Tag("pause", 300, 70), Tag("emotion", "sad", 200), Tag("mark", "m", 201),
        Tag("pause", 100, 777), Tag("emotion", "angry", 900), Tag("mark", "last", len(text)),
    ]  # fmt: skip
    whole = split_phrases(FRONT_END.read(text), tags, "neutral")
    parts = tuple(phrases_of_blocks(FRONT_END.read_blocks(text), tags, "neutral"))
    assert [part.symbols for part in parts] == [phrase.symbols for phrase in whole]
    assert [part.cues for part in parts] == [phrase.cues for phrase in whole]
    assert [part.emotion for part in parts] == [phrase.emotion for phrase in whole]
    assert [part.silence_samples(1.0) for part in parts] == [phrase.silence_samples(1.0) for phrase in whole]
    assert [part.words for part in parts] == [phrase.words for phrase in whole]


def test_no_more_is_read_than_is_asked_for() -> None:
    blocks = FRONT_END.read_blocks("他走了。" * 200)
    reading, end = next(blocks)
    assert LEAST_BLOCK <= end < 2 * LEAST_BLOCK
    assert reading.offsets[-1] < end


@pytest.mark.parametrize(
    "text",
    ["I met Mr. Smith and Dr. Lee at 5 p.m. They left. " * 4, "x" * 500, "他说：“走！”她不走。" * 2],
)
def test_blocks_end_behind_sentences(text: str) -> None:
    for end in block_ends(text)[:-1]:
        assert text[:end].rstrip()[-5:].lower() in ("left.",) or text[:end].rstrip()[-1] in "。”！"


def test_a_text_without_words_is_refused() -> None:
    with pytest.raises(TextError):
        next(FRONT_END.read_blocks("！！！" * 200))
