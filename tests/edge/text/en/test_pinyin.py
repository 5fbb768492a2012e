from __future__ import annotations

import time

import pytest

from edge.text.en.pinyin import from_pinyin


@pytest.mark.parametrize(
    ("name", "phonemes"),
    [
        ("xiaoling", "SH AW2 L IH1 NG"),
        ("zhuge", "JH UW2 G AH1"),
        ("zhongguo", "JH UH2 NG G W AO1"),
        ("xuanzang", "SH W EH2 N Z AA1 NG"),
        ("qingyuan", "CH IH2 NG Y W EH1 N"),
        ("zhang", "JH AA1 NG"),
        ("qianqian", "CH Y EH2 N CH Y EH1 N"),
        ("zhangyi", "JH AA2 NG IY1"),
    ],
)
def test_names(name: str, phonemes: str) -> None:
    assert " ".join(from_pinyin(name) or ()) == phonemes


@pytest.mark.parametrize(
    "word",
    [
        "",
        "robot",
        "taxi",
        "maximum",
        "quiz",
        "equal",
        "banana",
        "zhx",
        "xylophone",
        "exit",
        "zh" * 50,
    ],
)
def test_words_that_may_be_english_are_left_alone(word: str) -> None:
    assert from_pinyin(word) is None


def test_time_does_not_explode() -> None:
    begin = time.process_time()
    for end in ("a", "b", "x"):
        from_pinyin("xi" + "a" * 14 + end)
        from_pinyin("xiangang" + "ang" * 3 + end)
    assert time.process_time() - begin < 0.5
