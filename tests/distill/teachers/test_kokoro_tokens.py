"""Our phonemes as Kokoro's tokens: every symbol has some, and each token knows whose it is."""

from __future__ import annotations

import pytest

from distill.script import inventory
from distill.teachers import LineRejectedError
from distill.teachers.kokoro_tokens import FINAL, MOST_TOKENS, tables, token_ids, tokens
from edge.spec import ZERO_LENGTH_SYMBOLS
from edge.text import FrontEnd, Reading, Word


@pytest.fixture(scope="module")
def front_end() -> FrontEnd:
    return FrontEnd()


def word(language: str, *phonemes: str, text: str = "x") -> Reading:
    """Read one word."""
    count = len(phonemes)
    return Reading(text, phonemes, (language,) * count, (0,) * count, (Word(text, 0, count),))


def written(reading: Reading) -> str:
    return "".join(token for token, _ in tokens(reading))


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("zh", "你好。", "ni↗xau↓."),
        ("zh", "月亮，鱼。", "ɥe↘ljaŋ, y↗."),
        ("en", "The button.", "ðə bˈʌtn."),
        ("en", "A little water!", "ɐ lˈɪTᵊl wˈɔTəɹ!"),
        ("en", "Judges wanted.", "ʤˈʌʤᵻz wˈɔntᵻd."),
        ("ja", "東京。", "toːkʲoː."),
        ("ja", "ちょっと待って。", "ʨoʔtomaʔte."),
        ("ja", "新聞を読む。", "ɕimbɯɴ o jomɯ."),
    ],
)
def test_words_are_written_as_kokoro_reads_them(
    front_end: FrontEnd, language: str, text: str, expected: str
) -> None:
    out = written(front_end.read(text, language))
    assert out.replace(" ", "") == expected.replace(" ", "")
    assert set(out) <= set(tables()["ids"])


def test_every_rime_in_every_tone_after_every_onset_has_tokens() -> None:
    rimes = [symbol for symbol in inventory("zh") if symbol[-1] in "12345"]
    onsets = tables()["zh"]["onsets"]
    for rime in rimes:
        plain = rime[:-1]
        fitting = [
            o
            for o in onsets
            if plain in tables()["zh"]["rimes"] or plain in tables()["zh"]["after"].get(o, {})
        ]
        assert fitting, rime
        for onset in fitting:
            owned = tokens(word("zh", onset, rime))
            assert {1} <= {owner for _, owner in owned}, (onset, rime)
            marks = "".join(token for token, _ in owned if token in "→↗↓↘")
            assert marks == tables()["zh"]["tones"][rime[-1]]


def test_every_english_phoneme_has_tokens() -> None:
    for symbol in sorted(inventory("en")):
        if symbol.isalnum():
            assert tokens(word("en", "B", symbol, "B"))[1][1] == 1, symbol


def test_every_japanese_sound_has_tokens() -> None:
    for symbol in sorted(inventory("ja") - set(ZERO_LENGTH_SYMBOLS)):
        if symbol.isalnum():
            owned = tokens(word("ja", "k", "a", symbol, "a"))
            assert 2 in {owner for _, owner in owned}, symbol


def test_pitch_marks_have_no_tokens_and_part_no_long_vowel(front_end: FrontEnd) -> None:
    reading = word("ja", "t", "o", "[", "o")
    assert tokens(reading)[:3] == [("t", 0), ("o", 1), ("ː", 3)]


def test_a_word_left_without_stress_is_written_symbol_by_symbol() -> None:
    owned = tokens(word("en", "HH", "ER1", text="her"))
    assert owned[:3] == [("h", 0), ("ɜ", 1), ("ɹ", 1)]
    assert written(word("en", "HH", "ER1", "D", text="heard")) == "hˈɜɹd."


def test_a_space_belongs_to_the_phoneme_before_it(front_end: FrontEnd) -> None:
    reading = front_end.read("Red fox.", "en")
    space = next(owner for token, owner in tokens(reading) if token == " ")
    assert reading.phonemes[space] == "D"


def test_a_line_without_a_mark_gets_a_full_stop_that_is_no_phonemes_own(front_end: FrontEnd) -> None:
    assert tokens(front_end.read("Red fox", "en"))[-1] == (".", FINAL)
    assert tokens(front_end.read("Red fox!", "en"))[-1][1] != FINAL


def test_only_punctuation_is_refused() -> None:
    reading = Reading("…", ("…",), ("en",), (0,), ())
    with pytest.raises(LineRejectedError, match="nothing but punctuation"):
        tokens(reading)


def test_a_line_that_is_too_long_is_refused() -> None:
    fits = tokens(word("ja", *["k", "a"] * 250))
    assert len(token_ids(fits)) <= MOST_TOKENS
    with pytest.raises(LineRejectedError, match="cut the line"):
        tokens(word("ja", *["k", "a"] * 255))


def test_a_symbol_of_no_language_is_refused() -> None:
    with pytest.raises(LineRejectedError, match="no token for 'QQ1'"):
        tokens(word("en", "B", "QQ1"))
