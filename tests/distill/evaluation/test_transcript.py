"""Transcripts are judged by how they are read: writing it otherwise is no error, saying it otherwise is."""

import pytest

from distill.evaluation import transcript
from distill.evaluation.transcript import Errors, add_up, compare, morae, syllables


@pytest.fixture
def as_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chinese is left as it is written: OpenCC need not be installed."""
    monkeypatch.setattr(transcript, "_unified", lambda text, language: text)


@pytest.mark.parametrize(
    ("said", "heard", "errors", "words"),
    [
        ("Don't go, Mr. Smith!", "don’t go Mister Smith", 0, 4),
        ("It costs 20 dollars at 3:30.", "It costs twenty dollars at three thirty", 0, 7),
        ("A well-known story.", "A well known story", 0, 4),
        ("The red fox sleeps.", "The fox sleeps now.", 2, 4),
        ("The red fox sleeps.", "", 4, 4),
        ("The red fox sleeps.", "...", 4, 4),
        ("Yes.", "I do not think so at all.", 7, 1),
    ],
)
def test_english_words(said: str, heard: str, errors: int, words: int) -> None:
    assert compare(said, heard, "en") == {transcript.WORDS: Errors(errors, words)}


@pytest.mark.usefixtures("as_written")
def test_chinese_is_judged_with_and_without_its_tones() -> None:
    found = compare("他买了三本书。", "他卖了三本书", "zh")  # mǎi against mài
    assert found[transcript.SYLLABLES] == Errors(0, 6)
    assert found[transcript.TONED] == Errors(1, 6)
    assert found[transcript.CHARACTERS] == Errors(1, 6)


@pytest.mark.usefixtures("as_written")
@pytest.mark.parametrize(("said", "heard"), [("她来了。", "他来了"), ("我有20块钱。", "我有二十块钱")])
def test_chinese_that_sounds_the_same_is_right(said: str, heard: str) -> None:
    assert compare(said, heard, "zh")[transcript.TONED].errors == 0


@pytest.mark.usefixtures("as_written")
def test_english_in_a_chinese_line_counts_too() -> None:
    found = compare("我用OpenAI写信。", "我用写信。", "zh")
    assert found[transcript.TONED].errors > 1 and found[transcript.CHARACTERS] == Errors(1, 5)


def test_traditional_characters_are_no_errors() -> None:
    pytest.importorskip("opencc")
    found = compare("我们在车站见面。", "我們在車站見面。", "zh")
    assert {kind: errors.errors for kind, errors in found.items()} == dict.fromkeys(found, 0)


def test_japanese_in_kana_is_no_error_of_its_morae() -> None:
    found = compare("明日は東京へ行きます。", "あしたはとうきょうへいきます", "ja")
    assert found[transcript.MORAE].errors == 0 and found[transcript.MORAE].units >= 12
    assert found[transcript.CHARACTERS].errors > 3


def test_another_mora_is_an_error() -> None:
    assert compare("猫が好きです。", "根子が好きです", "ja")[transcript.MORAE].errors == 0
    assert compare("猫が好きです。", "猿が好きです", "ja")[transcript.MORAE].errors == 2


def test_units_are_made_of_all_phonemes() -> None:
    assert list(morae(["ky", "o", "o", "t", "o", "N", "k", "I", "cl", "t"])) == [
        "kyo", "o", "to", "N", "ki", "cl", "t",
    ]  # fmt: skip
    assert list(syllables(["h", "ao3", "OW2", "P", "EE", "er2"])) == ["hao3", "OW2", "P", "EEer2"]


def test_lines_add_up() -> None:
    rows = [{"words": Errors(1, 4)}, {"words": Errors(2, 6)}]
    assert add_up(rows)["words"].percent == 30.0
    assert add_up([]) == {}
    assert Errors(0, 0).percent != Errors(0, 0).percent  # nothing was said
