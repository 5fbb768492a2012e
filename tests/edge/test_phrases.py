"""Phrases: where a line is cut, and that nothing of it is lost."""

from __future__ import annotations

import numpy as np
import pytest

from edge.markup import Tag
from edge.phrases import MAX_PHONEMES, Phrase, split_phrases
from edge.text import Reading, Word


def reading(text: str) -> Reading:
    """One phoneme per letter, words of letters, punctuation for itself: a reading whose parts can be read."""
    phonemes, offsets, words = [], [], []
    start = 0
    for index, character in enumerate([*text, " "]):
        if not character.isalpha():
            if start < index:
                words.append(Word(text[start:index], len(phonemes) - (index - start), len(phonemes)))
            start = index + 1
        if character != " ":
            phonemes.append(character)
            offsets.append(index)
    return Reading(text, tuple(phonemes), ("zh",) * len(phonemes), tuple(offsets), tuple(words))


def split(text: str, *tags: Tag) -> tuple[Phrase, ...]:
    return split_phrases(reading(text), tags, "neutral")


def spoken(phrase: Phrase) -> str:
    return "".join(phrase.symbols[1:])


def test_a_sentence_is_one_phrase_between_silence_and_punctuation() -> None:
    (phrase,) = split("go on, stop")
    assert phrase.symbols == ("SP", *"goon,stop", ".")
    assert [word for word, _, _ in phrase.words] == ["go", "on", "stop"]
    assert [phrase.symbols[first:last] for _, first, last in phrase.words] == [
        ("g", "o"), ("o", "n"), ("s", "t", "o", "p"),
    ]  # fmt: skip
    assert len(phrase.offsets) == len(phrase.languages) == len(phrase.symbols)
    assert list(phrase.offsets) == sorted(phrase.offsets)


def test_sentences_are_phrases_and_take_a_breath() -> None:
    phrases = split("one. two! three")
    assert [spoken(phrase) for phrase in phrases] == ["one.", "two!", "three."]
    assert [phrase.follows_sentence for phrase in phrases] == [False, True, True]
    assert phrases[0].silence_samples(1.0) == 0
    assert phrases[1].silence_samples(2.0) * 2 == phrases[1].silence_samples(1.0) > 0


def test_punctuation_in_a_row_stays_with_its_sentence() -> None:
    assert [spoken(phrase) for phrase in split("what?! no")] == ["what?!", "no."]


def test_an_explicit_pause_replaces_the_breath_and_ignores_the_rate() -> None:
    phrases = split("one. two", Tag("pause", 500, 4))
    assert phrases[1].silence_samples(2.0) == phrases[1].silence_samples(0.5) == 16_000


def test_pauses_add_up_and_split_a_sentence() -> None:
    phrases = split("one two", Tag("pause", 100, 4), Tag("pause", 50, 4))
    assert [spoken(phrase) for phrase in phrases] == ["one.", "two."]
    assert phrases[1].pause_ms == 150


def test_punctuation_left_alone_by_a_pause_is_dropped() -> None:
    assert [spoken(phrase) for phrase in split("one. two", Tag("pause", 100, 3))] == ["one.", "two."]


def test_silence_at_the_end_is_a_phrase_without_sound() -> None:
    phrases = split("one.", Tag("pause", 300, 4), Tag("mark", "end", 4))
    assert phrases[-1].symbols == ()
    assert phrases[-1].pause_ms == 300
    assert [(cue.name, cue.index) for cue in phrases[-1].cues] == [("end", 0)]


def test_emotion_cuts_only_where_it_changes() -> None:
    tags = (Tag("emotion", "sad", 0), Tag("emotion", "sad", 4), Tag("emotion", "happy", 8))
    phrases = split("one two three", *tags)
    assert [(spoken(phrase), phrase.emotion) for phrase in phrases] == [
        ("onetwo.", "sad"),
        ("three.", "happy"),
    ]


def test_marks_point_at_the_phoneme_that_follows() -> None:
    (phrase,) = split("one two.", Tag("mark", "a", 0), Tag("mark", "b", 4), Tag("mark", "c", 8))
    assert [(cue.name, cue.index) for cue in phrase.cues] == [("a", 1), ("b", 4), ("c", 8)]
    assert phrase.symbols[4] == "t"


def test_marks_keep_their_side_of_a_pause() -> None:
    tags = (Tag("mark", "before", 3), Tag("pause", 200, 3), Tag("mark", "after", 3))
    first, second = split("one two", *tags)
    assert [(cue.name, cue.index) for cue in first.cues] == [("before", 4)]
    assert [(cue.name, cue.index) for cue in second.cues] == [("after", 1)]


def test_a_mark_in_front_of_the_first_pause_comes_before_the_silence() -> None:
    (phrase,) = split("one", Tag("mark", "first", 0), Tag("pause", 200, 0))
    assert [(cue.name, cue.index) for cue in phrase.cues] == [("first", -1)]


def test_a_mark_between_two_pauses_splits_the_silence() -> None:
    tags = (Tag("pause", 200, 3), Tag("mark", "between", 3), Tag("pause", 100, 3))
    phrases = split("one two", *tags)
    assert [(phrase.pause_ms, len(phrase.symbols) > 0) for phrase in phrases] == [
        (None, True), (200, False), (100, True),
    ]  # fmt: skip
    assert [cue.name for phrase in phrases for cue in phrase.cues] == ["between"]


def test_a_word_cut_by_a_pause_is_shared_by_its_characters() -> None:
    phrases = split("together", Tag("pause", 100, 2))
    assert [phrase.words[0][0] for phrase in phrases] == ["to", "gether"]


def test_a_word_that_is_read_as_a_whole_is_not_cut() -> None:
    whole = Reading("cat", ("K", "AE1", "T"), ("en",) * 3, (0, 0, 0), (Word("cat", 0, 3),))
    phrases = split_phrases(whole, (Tag("pause", 100, 1),), "neutral")
    assert [phrase.words for phrase in phrases] == [(("cat", 1, 4),), ()]


def test_long_sentences_are_cut_at_commas_then_at_words() -> None:
    with_commas = split(("abcdefghi " * 9 + "abc, ") * 3)
    assert all(len(phrase.symbols) <= MAX_PHONEMES + 2 for phrase in with_commas)
    assert spoken(with_commas[0]).endswith(",")
    without = split("abcdefghi " * 50)
    assert all(len(phrase.symbols) <= MAX_PHONEMES + 2 for phrase in without)
    assert all(word == "abcdefghi" for phrase in without for word, _, _ in phrase.words)


def test_a_long_first_sentence_gives_its_first_clauses_away() -> None:
    clauses = "abcdefghijklmno, " * 5 + "z. " + "abcdefghijklmno, " * 5 + "z."
    phrases = split(clauses)
    assert [len(phrase.symbols) for phrase in phrases] == [1 + 48, 1 + 34, 1 + 82], "and no later one does"
    assert split("abcdefghijklmno, " * 4 + "z.")[0].symbols[-1] == ".", "nor does a shorter one"
    assert len(split("a" * 60 + ", " + "b" * 60 + ".")) == 1, "nor one without an early comma"


def test_even_one_endless_word_is_cut() -> None:
    assert all(len(phrase.symbols) <= MAX_PHONEMES + 2 for phrase in split("a" * 1000))


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_lost_whatever_the_tags(seed: int) -> None:
    rng = np.random.default_rng(seed)
    text = "".join(rng.choice(list("abcdefg   ,.!"), rng.integers(5, 400))) + "x"
    tags, pauses, marks = [], 0, []
    for index, position in enumerate(sorted(rng.integers(0, len(text) + 1, rng.integers(0, 12)))):
        kind = rng.choice(["pause", "mark", "emotion"])
        if kind == "pause":
            tags.append(Tag("pause", int(rng.integers(1, 500)), int(position)))
            pauses += int(tags[-1].value)
        elif kind == "mark":
            tags.append(Tag("mark", f"m{index}", int(position)))
            marks.append(f"m{index}")
        else:
            tags.append(Tag("emotion", str(rng.choice(["sad", "neutral"])), int(position)))
    phrases = split(text, *tags)
    letters = "".join(symbol for phrase in phrases for symbol in phrase.symbols[1:] if symbol.isalpha())
    assert letters == "".join(character for character in text if character.isalpha())
    assert "".join(word for phrase in phrases for word, _, _ in phrase.words) == letters
    assert sum(phrase.pause_ms or 0 for phrase in phrases) == pauses
    assert [cue.name for phrase in phrases for cue in phrase.cues] == marks
    for phrase in phrases:
        indices = [cue.index for cue in phrase.cues]
        assert indices == sorted(indices)
        assert all(-1 <= index <= len(phrase.symbols) for index in indices)
        assert len(phrase.symbols) <= MAX_PHONEMES + 2


@pytest.mark.parametrize("text", ["a" * 400, "to go " * 90, "go," * 130, "a" * 100 + " " + "b" * 300])
def test_no_mark_is_lost_where_a_long_phrase_is_cut(text: str) -> None:
    """A mark before every character, the one exactly on the cut among them."""
    tags = [Tag("mark", f"m{position}", position) for position in range(len(text))]
    phrases = split(text, *tags)
    assert len(phrases) > 1
    found = [(cue.name, number, cue.index) for number, phrase in enumerate(phrases) for cue in phrase.cues]
    assert [name for name, _, _ in found] == [tag.value for tag in tags]
    assert [place[1:] for place in found] == sorted(place[1:] for place in found)
