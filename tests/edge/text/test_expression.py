from __future__ import annotations

import pytest

from edge.text import FrontEnd
from edge.text.expression import MOST_STRETCH, PLAIN, Shape

FRONT_END = FrontEnd()


def drawn(text: str) -> list[tuple[str, float]]:
    """Phonemes that are longer than by themselves."""
    reading = FRONT_END.read(text)
    pairs = zip(reading.phonemes, reading.shape.stretch, strict=False)
    return [(phoneme, factor) for phoneme, factor in pairs if factor != 1.0]


@pytest.mark.parametrize(
    ("text", "phoneme"),
    [
        ("Nooo way", "OW1"),
        ("Waaait for me", "EY1"),
        ("Yesss", "S"),
        ("It was looong ago", "AO1"),
        ("好～", "ao3"),
    ],
)
def test_what_is_drawn_out_takes_longer(text: str, phoneme: str) -> None:
    assert [name for name, _ in drawn(text)] == [phoneme]


def test_more_letters_take_longer_up_to_a_limit() -> None:
    (_, three), (_, five), (_, many) = (drawn(f"N{'o' * count}")[0] for count in (3, 5, 60))
    assert 1 < three < five < many == MOST_STRETCH


@pytest.mark.parametrize(
    "text", ["No way.", "他走了。", "Stop!", "Really?", "そうですね。", "A book, a room."]
)
def test_plain_lines_have_no_shape(text: str) -> None:
    assert FRONT_END.read(text).shape is PLAIN


def test_repeated_marks_lift_their_sentence_alone() -> None:
    reading = FRONT_END.read("He is here. Run!!!")
    lifted = [phoneme for phoneme, lift in zip(reading.phonemes, reading.shape.lift, strict=True) if lift]
    assert lifted == ["R", "AH1", "N"]


def test_repeated_question_marks_lift_the_last_word() -> None:
    reading = FRONT_END.read("Who is it???")
    lifted = [phoneme for phoneme, lift in zip(reading.phonemes, reading.shape.lift, strict=True) if lift]
    assert lifted == ["IH1", "T"]


def test_more_marks_than_three_change_nothing_more() -> None:
    three, many = FRONT_END.read("跑！！！").shape, FRONT_END.read("跑" + "！" * 40).shape
    assert three == many != Shape()
