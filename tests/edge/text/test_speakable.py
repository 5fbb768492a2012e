"""The quick look may be wrong in one direction alone: what it lets pass, every reader can say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import TextError
from edge.text import FrontEnd
from edge.text.speakable import is_surely_spoken

FRONT_END = FrontEnd()
LANGUAGES = ("auto", "zh", "en", "ja")
ODD = " .,!?-–…'\"“”()[]{}<>/\\|@#$%^&*_+=~`:;。，、！？「」（）·・ー゛゜々〆ヶ℃％¥°²½①Ⅳ０Ａａｱﾞ한กعא𠮷😀🎉→×"
MARKS = "\u200b\u200d\ufe0f\u0301\u0308\u0489\u20dd\u3099\u309a\uff9e\u0e38\u00ad"


@pytest.mark.parametrize("text", ["hello", "1", "あ", "ヴ", "好", "危険", "?!x", "한국 3", "e\u0301 a"])
def test_ordinary_lines_pass(text: str) -> None:
    assert is_surely_spoken(text)


@pytest.mark.parametrize("text", ["", "…", "안녕", "สวัสดี", "a\u0301", "ヱﾞ", "か\u309a", "々", "𠮷", "㍿"])
def test_odd_lines_do_not(text: str) -> None:
    assert not is_surely_spoken(text)


def spoken(text: str, language: str, own: tuple[str, ...]) -> bool:
    try:
        return bool(FRONT_END.read(text, language, own).words)
    except TextError:
        return False


@settings(max_examples=300, deadline=None)
@given(
    st.text(st.sampled_from(ODD + MARKS) | st.characters(), max_size=6),
    st.characters(codec="ascii")
    | st.characters(min_codepoint=0x3041, max_codepoint=0x30FA)
    | st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
    st.text(st.sampled_from(ODD + MARKS) | st.characters(), max_size=6),
    st.sampled_from(LANGUAGES),
    st.sampled_from([("zh",), ("en",), ("ja",), ("zh", "en", "ja")]),
)
def test_what_passes_is_spoken(
    before: str, middle: str, behind: str, language: str, own: tuple[str, ...]
) -> None:
    text = before + middle + behind
    assert not is_surely_spoken(text) or spoken(text, language, own)


def test_every_character_that_passes_alone_is_spoken_alone() -> None:
    """A tenth of them, those of each tenth code point, in one language each."""
    passing = [chr(code) for code in range(0x30, 0xA000) if is_surely_spoken(chr(code))]
    assert len(passing) > 3000
    for index, character in enumerate(passing[::10]):
        language = LANGUAGES[index % len(LANGUAGES)]
        assert spoken(character, language, ("ja",)), (character, language)
