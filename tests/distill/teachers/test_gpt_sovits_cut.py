"""Long lines in pieces: where they are cut, and that nothing of the reading is lost."""

from __future__ import annotations

import pytest

from distill.teachers.gpt_sovits_cut import LONGEST_PIECE, cut
from edge.text import FrontEnd

LINE = (
    "Ladies and gentlemen, welcome back! The stage is yours, and the house is full. "
    "Now, sit down, please, and wait."
)


def texts(front_end: FrontEnd, text: str, method: str, language: str = "en") -> list[str]:
    reading = front_end.read(text, language)
    pieces = cut(text, reading, method)
    assert tuple(p for piece in pieces for p in piece.reading.phonemes) == reading.phonemes
    assert tuple(word.text for piece in pieces for word in piece.reading.words) == tuple(
        word.text for word in reading.words
    )
    for piece in pieces:
        assert len(piece.reading.languages) == len(piece.reading.offsets) == len(piece.reading.phonemes)
        for word in piece.reading.words:
            assert 0 <= word.start < word.end <= len(piece.reading.phonemes)
            start = piece.reading.offsets[word.start]
            assert piece.text[start : start + len(word.text)].lower() == word.text.lower()
    return [piece.text for piece in pieces]


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("cut0", [LINE]),
        ("cut1", [LINE[:78], LINE[79:]]),
        ("cut2", [LINE[:55], LINE[56:]]),
        ("cut3", [LINE[:78], LINE[79:]]),
        ("cut4", [LINE[:78], LINE[79:]]),
        (
            "cut5",
            [
                "Ladies and gentlemen,", "welcome back!", "The stage is yours,", "and the house is full.",
                "Now, sit down,", "please,", "and wait.",
            ],
        ),
    ],
)  # fmt: skip
def test_where_a_line_is_cut(front_end: FrontEnd, method: str, expected: list[str]) -> None:
    assert texts(front_end, LINE, method) == expected


def test_chinese_and_japanese(front_end: FrontEnd) -> None:
    assert texts(front_end, "舞台是你的，今晚座无虚席！请坐下。", "cut5", "zh") == [
        "舞台是你的，",
        "今晚座无虚席！请坐下。",  # four characters are too few for a piece
    ]
    assert texts(front_end, "誰もいない舞台に、雨が降っている。", "cut5", "ja") == [
        "誰もいない舞台に、",
        "雨が降っている。",
    ]


def test_a_short_line_stays_whole(front_end: FrontEnd) -> None:
    for method in ("cut0", "cut1", "cut2", "cut3", "cut5"):
        assert texts(front_end, "Go!", method) == ["Go!"]


def test_what_is_too_long_to_read_is_cut_all_the_same(front_end: FrontEnd) -> None:
    line = " ".join(["The house is full, and the stage is yours tonight."] * 20)
    pieces = texts(front_end, line, "cut0")
    assert len(pieces) == 2 and all(len(piece) <= LONGEST_PIECE for piece in pieces)
