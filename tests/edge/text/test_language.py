from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.text.cleaning import clean
from edge.text.language import split_languages


def pieces(text: str, language: str = "auto") -> list[tuple[str, str]]:
    return [
        (piece.language, text[piece.start : piece.end].strip()) for piece in split_languages(text, language)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我买了iPhone 15，花了$999。", [("zh", "我买了"), ("en", "iPhone"), ("zh", "15，花了$999。")]),
        ("F-16战机和A380客机", [("en", "F"), ("zh", "-16战机和"), ("en", "A"), ("zh", "380客机")]),
        ("5G网络", [("zh", "5"), ("en", "G"), ("zh", "网络")]),
        ("速度120km/h，重5kg", [("zh", "速度120km/h，重5kg")]),
        ("The No.5 gate", [("en", "The No.5 gate")]),
        ("他说：I have 3.", [("zh", "他说："), ("en", "I have 3.")]),
        ("3:45pm见", [("zh", "3:45pm见")]),
        ("Room 5 is open，请进", [("en", "Room 5 is open，"), ("zh", "请进")]),
        ("C++ 17标准", [("en", "C++"), ("zh", "17标准")]),
        ("T-72、T-90坦克", [("en", "T"), ("zh", "-72、"), ("en", "T"), ("zh", "-90坦克")]),
        ("来局1V1", [("zh", "来局1"), ("en", "V"), ("zh", "1")]),
        ("HP-20，小心", [("en", "HP"), ("zh", "-20，小心")]),
        ("p<0.05显著", [("en", "p"), ("zh", "<0.05显著")]),
        ("H7N9隔离", [("en", "H"), ("zh", "7"), ("en", "N"), ("zh", "9隔离")]),
        ("路易XIV的", [("zh", "路易XIV的")]),
        ("月薪10w", [("zh", "月薪10w")]),
    ],
)
def test_digits_and_signs_join_a_neighbour(text: str, expected: list[tuple[str, str]]) -> None:
    assert pieces(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("東京駅", [("ja", "東京駅")]),
        ("東京、大阪、そして京都。", [("ja", "東京、大阪、そして京都。")]),
        ("日本語の勉強", [("ja", "日本語の勉強")]),
        ("我爱アニメ", [("zh", "我爱"), ("ja", "アニメ")]),
        ("我喜欢すし和さしみ。", [("zh", "我喜欢"), ("ja", "すし"), ("zh", "和"), ("ja", "さしみ。")]),
        ("他说こんにちは，然后走了", [("zh", "他说"), ("ja", "こんにちは，"), ("zh", "然后走了")]),
        ("你好。さようなら。再见。", [("zh", "你好。"), ("ja", "さようなら。"), ("zh", "再见。")]),
        ("ここは中国です", [("ja", "ここは中国です")]),
        ("新宿駅。そして渋谷。", [("ja", "新宿駅。そして渋谷。")]),
        ("Unityは楽しい", [("en", "Unity"), ("ja", "は楽しい")]),
        ("AさんとB君", [("ja", "AさんとB君")]),
    ],
)
def test_han_characters_are_japanese_beside_kana(text: str, expected: list[tuple[str, str]]) -> None:
    assert pieces(text) == expected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("2026", "auto", [("zh", "2026")]),
        ("2026", "en", [("en", "2026")]),
        ("2026", "ja", [("ja", "2026")]),
        ("Room 5", "zh", [("en", "Room 5")]),
        ("hello 世界", "ja", [("en", "hello"), ("ja", "世界")]),
        ("世界", "en", [("zh", "世界")]),
        ("東京、大阪", "ja", [("ja", "東京、大阪")]),
        ("，。", "ja", [("ja", "，。")]),
    ],
)
def test_language_decides_what_the_script_leaves_open(
    text: str, language: str, expected: list[tuple[str, str]]
) -> None:
    assert pieces(text, language) == expected


@given(st.text(max_size=60), st.sampled_from(["auto", "zh", "en", "ja"]))
@settings(max_examples=200, deadline=None)
def test_pieces_cover_the_line(text: str, language: str) -> None:
    text = clean(text).text
    found = split_languages(text, language)
    assert "".join(text[piece.start : piece.end] for piece in found) == text
    assert all(first.language != second.language for first, second in itertools.pairwise(found))
    assert all(piece.language in ("zh", "en", "ja") for piece in found)


@pytest.mark.parametrize(
    "text", ["1 " * 1000, "あ1a漢" * 500, "- " * 1000, "1.1" * 666, "a1" * 1000, "￥$#" * 666]
)
def test_hostile_lines_are_split_in_bounded_time(text: str) -> None:
    started = time.process_time()
    split_languages(text)
    assert time.process_time() - started < 1.0  # 0.1 s on one core of a shared machine


@pytest.mark.parametrize(
    ("text", "own", "languages"),
    [
        ("危険！", (), ["ja"]),
        ("新宿駅", (), ["ja"]),
        ("本当？", ("ja",), ["ja"]),
        ("本当？", ("ja", "en"), ["ja"]),
        ("大丈夫？", ("zh", "en", "ja"), ["zh"]),
        ("大丈夫？", ("ja", "zh"), ["ja"]),
        ("你没事吧？", ("ja", "zh"), ["zh"]),
        ("不行，明天下雨。", ("ja", "zh"), ["zh"]),
        ("二〇二六年", (), ["zh"]),
        ("3", ("ja",), ["ja"]),
        ("もういい。我走了。", (), ["ja", "zh"]),
        ("今天再来。またね。", (), ["zh", "ja"]),
        ("終わった。任務完了。", (), ["ja"]),
        ("すまない。他人事だ。自我崩壊。", (), ["ja"]),
    ],
)
def test_han_is_read_by_words_and_by_the_voice(text: str, own: tuple[str, ...], languages: list[str]) -> None:
    assert [piece.language for piece in split_languages(text, "auto", own)] == languages
