"""The lines: held out means unseen, sentences are no patterns, every sound is there but those declared."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from distill.config import DistillError, load_toml
from distill.corpus.config import MORE_LINES
from distill.script import Line, inventory, load_lines
from distill.script.coverage import choose, units
from distill.script.lines import FOLDER, save_lines
from distill.script.write import with_sentences
from edge.text import FrontEnd
from edge.text.symbols import SYMBOL_TO_ID

LANGUAGES = ("zh", "en", "ja")

# What no training line holds; docs/train-a-voice.md has the same list. Rimes of Mandarin in tones in which no
# common character has them, and the dash.
NOT_COVERED = {
    "zh": "En5 iong4 iong5 un5 ve5 vn5".split(),
    "en": [],
    "ja": [],
}

Readings = dict[str, dict[str, tuple[str, ...]]]


def all_lines(language: str) -> list[Line]:
    """Every line of the package: a character may be trained on all of them."""
    more = load_lines(language, name=MORE_LINES) if language == "en" else []
    return [*load_lines(language), *more]


def texts(language: str, split: str) -> list[str]:
    return [line.text for line in all_lines(language) if line.split == split]


def bare(text: str) -> str:
    """Letters and digits alone, in one form."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


@pytest.fixture(scope="module")
def readings(front_end: FrontEnd) -> Readings:
    """Phonemes by language and text."""
    return {
        language: {line.text: front_end.read(line.text, language).phonemes for line in all_lines(language)}
        for language in LANGUAGES
    }


def sounds(phonemes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(phoneme for phoneme in phonemes if phoneme[0].isalpha())


@pytest.mark.parametrize("language", LANGUAGES)
def test_splits_have_their_size(language: str) -> None:
    counts = Counter(line.split for line in load_lines(language))
    assert counts["valid"] == 40 and counts["test"] == 100
    assert counts["train"] >= 900


def test_more_lines_are_for_training_and_not_in_the_script() -> None:
    more = load_lines("en", name=MORE_LINES)
    kinds = Counter((line.split, line.kind) for line in more)
    assert kinds == {("train", "open"): 2400, ("train", "words"): 600}
    assert not {line.text for line in more} & {line.text for line in load_lines("en")}
    with pytest.raises(DistillError, match="no script 'builtin-more' in ja; use 'builtin'"):
        load_lines("ja", name=MORE_LINES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_held_out_lines_are_new_however_they_are_written(language: str) -> None:
    train = {bare(text) for text in texts(language, "train")}
    for split in ("valid", "test"):
        seen = [text for text in texts(language, split) if bare(text) in train]
        assert not seen, seen


@pytest.mark.parametrize("language", LANGUAGES)
def test_held_out_lines_do_not_sound_like_a_training_line(language: str, readings: Readings) -> None:
    train = {sounds(readings[language][text]) for text in texts(language, "train")}
    held_out = [*texts(language, "valid"), *texts(language, "test")]
    seen = [text for text in held_out if sounds(readings[language][text]) in train]
    assert not seen, seen


@pytest.mark.parametrize("language", ["zh", "ja"])
def test_sentences_of_the_test_split_follow_no_pattern(language: str) -> None:
    material = load_toml(FOLDER / f"{language}.toml")
    sentences = [
        line.text for line in load_lines(language) if (line.split, line.kind) == ("test", "sentence")
    ]
    assert sentences == material["held_out"] and len(sentences) >= 40

    def slot(match: re.Match[str]) -> str:
        return "(?:" + "|".join(map(re.escape, material[match.group(1)])) + ")"

    patterns = [re.compile(re.sub(r"\\\{(\w+)\\\}", slot, re.escape(t))) for t in material["templates"]]
    matched = [text for text in sentences if any(pattern.fullmatch(text) for pattern in patterns)]
    assert not matched, matched
    from_patterns = [
        line.text for line in load_lines(language) if (line.split, line.kind) == ("test", "pattern")
    ]
    assert all(any(pattern.fullmatch(text) for pattern in patterns) for text in from_patterns)


@pytest.mark.parametrize("language", ["zh", "ja"])
def test_no_sentence_of_the_test_split_repeats_much_of_a_training_line(language: str) -> None:
    """Ten characters in a row are about two words more than a common phrase."""
    train = {
        text[i : i + 10]
        for line in texts(language, "train")
        for text in [bare(line)]
        for i in range(len(text))
    }
    sentences = [
        line.text for line in load_lines(language) if (line.split, line.kind) == ("test", "sentence")
    ]
    repeated = [
        t for t in sentences for b in [bare(t)] if any(b[i : i + 10] in train for i in range(len(b) - 9))
    ]
    assert not repeated, repeated


@pytest.mark.parametrize("language", LANGUAGES)
def test_training_lines_hold_every_sound_but_those_declared(language: str, readings: Readings) -> None:
    said = {phoneme for text in texts(language, "train") for phoneme in readings[language][text]}
    assert said <= inventory(language), said - inventory(language)
    assert sorted(inventory(language) - said) == NOT_COVERED[language]


def test_what_is_not_covered_is_written_down() -> None:
    page = (Path(__file__).parents[2] / "docs" / "train-a-voice.md").read_text("utf-8")
    for symbol in NOT_COVERED["zh"]:
        assert f"`{symbol}`" in page, symbol


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_inventory_is_within_that_of_the_student(language: str) -> None:
    assert inventory(language) <= set(SYMBOL_TO_ID)


def test_mandarin_drills_hold_every_toned_syllable_of_common_characters(readings: Readings) -> None:
    drilled = Counter(
        pair
        for line in load_lines("zh")
        if line.kind == "drill"
        for pair in zip(*[iter(sounds(readings["zh"][line.text]))] * 2, strict=True)
    )
    assert len(drilled) > 1_000


# --- Choosing and reading -----------------------------------------------------------------------------------


def test_units_are_phonemes_and_neighbours() -> None:
    counted = units(("a", "b", "a"))
    assert counted["a",] == 2 and counted["a", "b"] == 1 and counted["", "a"] == 1 and counted["a", ""] == 1


def test_lines_with_rare_sounds_are_taken_first() -> None:
    lines = {"common": ("a", "b"), "again": ("a", "b", "a"), "rare": ("x", "y")}
    assert choose(lines, 1, already=[("a", "b", "a")] * 3) == ["rare"]
    assert choose(lines, 9) != [] and set(choose(lines, 9)) == set(lines)


def test_sentences_take_three_places_of_five_and_nothing_else_moves() -> None:
    valid, patterns = Line("valid", "pattern", "v"), [Line("test", "words", f"p{i}") for i in range(10)]
    mixed = with_sentences([valid, *patterns], ["s0", "s1", "s2", "s3"])
    assert mixed[0] == valid
    assert [line.text for line in mixed[1:]] == ["s0", "s1", "s2", "p0", "p1", "s3", "p2", "p3", "p4", "p5"]
    assert with_sentences([valid, *patterns], []) == [valid, *patterns]


def test_lines_survive_writing(tmp_path: Path) -> None:
    lines = [Line("train", "short", "好。"), Line("test", "words", "Two words.")]
    save_lines("en", lines, tmp_path)
    assert load_lines("en", tmp_path) == lines


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("train\tshort\n", "line 1: expected split, kind and text"),
        ("train\tshort\tGo!\nfuture\tshort\tCome!\n", "line 2: expected split"),
        ("train\tshort\tGo!\ntest\tshort\tGo!\n", "line 2: 'Go!' occurs twice"),
    ],
)
def test_a_damaged_script_is_an_error(tmp_path: Path, rows: str, message: str) -> None:
    (tmp_path / "lines_en.tsv").write_text(rows)
    with pytest.raises(ValueError, match=message):
        load_lines("en", tmp_path)
