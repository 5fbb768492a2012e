"""Lines as the full model gets them: every phoneme keeps its place, its character and its source."""

from __future__ import annotations

import pytest

from distill.script import load_lines
from distill.teachers.gpt_sovits_text import CharacterRun, TeacherText, prompt_text, target_text
from edge.text import FrontEnd, Reading
from edge.text.frontend import Word
from edge.text.symbols import PUNCTUATION, SYMBOLS


def prepared(front_end: FrontEnd, text: str, language: str, version: str = "v2") -> TeacherText:
    return target_text(text, front_end.read(text, language), version)


def spoken(text: TeacherText) -> str:
    return " ".join(text.phonemes)


def columns(text: TeacherText) -> str:
    """The character behind each phoneme; · for none."""
    return "".join("·" if column < 0 else text.characters[column] for column in text.bert_columns)


# --- Characters and phonemes --------------------------------------------------------------------------------


def test_a_chinese_character_has_two_phonemes_and_a_mark_one(front_end: FrontEnd) -> None:
    text = prepared(front_end, "你好世界，谢谢！", "zh")
    assert spoken(text) == "n i2 h ao3 sh ir4 j ie4 , x ie4 x ie5 !"
    assert text.runs == (CharacterRun(0, tuple("你好世界,谢谢!"), (2, 2, 2, 2, 1, 2, 2, 1)),)
    assert columns(text) == "你你好好世世界界,谢谢谢谢!"
    assert text.sources == tuple(range(14))
    assert [SYMBOLS[index] for index in text.phoneme_ids] == list(text.phonemes)


def test_numbers_count_by_what_is_said(front_end: FrontEnd) -> None:
    text = prepared(front_end, "我一共花了3.5元。", "zh")
    assert "".join(text.characters) == "我一共花了三点五元."
    assert len(text.phonemes) == 2 * 9 + 1


def test_er_behind_a_syllable_is_a_character_of_its_own(front_end: FrontEnd) -> None:
    text = prepared(front_end, "小孩儿在花园儿里玩儿。", "zh")
    assert "".join(text.characters) == "小孩儿在花园儿里玩儿."
    assert columns(text).count("儿") == 2 * 3
    assert [text.phonemes[place] for place, character in enumerate(columns(text)) if character == "儿"] == (
        ["EE", "er2"] * 3
    )


def test_traditional_characters_are_read_as_simplified_ones(front_end: FrontEnd) -> None:
    assert "".join(prepared(front_end, "這兒真漂亮，嗯。", "zh").characters) == "这儿真漂亮,恩."


def test_english_has_no_characters(front_end: FrontEnd) -> None:
    text = prepared(front_end, "Hello there, world.", "en")
    assert text.runs == ()
    assert set(text.bert_columns) == {-1}
    assert spoken(text) == "HH AH0 L OW1 DH EH1 R , W ER1 L D ."


def test_japanese_has_no_characters(front_end: FrontEnd) -> None:
    text = prepared(front_end, "今日はいい天気です。", "ja")
    assert text.runs == ()
    assert "]" in text.phonemes


def test_another_language_parts_the_runs(front_end: FrontEnd) -> None:
    text = prepared(front_end, "我们用GPT合成，很好！", "zh")
    first, second = text.runs
    assert "".join(first.characters) == "我们用"
    assert "".join(second.characters) == "合成,很好!"
    gap = text.phonemes[sum(first.word2ph) : second.start]
    assert " ".join(gap) == "JH IY1 P IY1 T IY1"
    assert columns(text) == "我我们们用用······合合成成,很很好好!"


def test_chinese_within_japanese(front_end: FrontEnd) -> None:
    reading = front_end.read("これはChineseの你好です", "auto")
    assert {"ja", "en", "zh"} == set(reading.languages)
    text = target_text("これはChineseの你好です", reading)
    assert columns(text).strip("·") == "你你好好"
    assert text.phonemes[text.runs[0].start] == "n"


@pytest.mark.parametrize("language", ["zh", "en", "ja"])
def test_nothing_of_a_script_is_lost(front_end: FrontEnd, language: str) -> None:
    for line in load_lines(language)[::40]:
        reading = front_end.read(line.text, language)
        text = target_text(line.text, reading)
        kept = [reading.phonemes[source] for source in text.sources if source >= 0]
        assert kept == list(reading.phonemes), line.text
        assert [source for source in text.sources if source >= 0] == list(range(len(kept)))
        columns = text.bert_columns
        assert len(columns) == len(text.phonemes)
        languages = [reading.languages[source] for source in text.sources if source >= 0]
        if set(languages) == {"zh"}:
            assert min(columns) == 0 and sorted(columns) == list(columns)
            marks = sum(character in PUNCTUATION for character in text.characters)
            assert len(text.phonemes) == 2 * len(text.characters) - marks, line.text
        elif "zh" not in languages:
            assert set(columns) == {-1}, line.text


def test_a_word_with_another_number_of_phonemes_is_refused() -> None:
    reading = Reading("你好", ("n", "i2", "h"), ("zh",) * 3, (0, 0, 1), (Word("你好", 0, 3),))
    with pytest.raises(ValueError, match="'你好' is read n i2 h; expected two phonemes for each character"):
        target_text("你好", reading)


# --- What the model needs so as not to drop words -----------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "language", "first", "last"),
    [
        ("今天天气真好，走吧。", "zh", "j", "."),  # four characters or more
        ("你好，今天天气真好", "zh", ".", "."),  # a short clause, and nothing at the end
        ("……今天天气真好？", "zh", "…", "?"),  # a mark is there already
        ("Yes, it is true!", "en", ".", "!"),
        ("Hello, it is true", "en", "HH", "."),
        ("はい、そうですよ。", "ja", "h", "."),  # 、 ends no clause
        ("ええ。そうですよ。", "ja", ".", "."),
    ],
)
def test_short_clauses_get_a_full_stop_in_front(
    front_end: FrontEnd, written: str, language: str, first: str, last: str
) -> None:
    text = prepared(front_end, written, language)
    assert (text.phonemes[0], text.phonemes[-1]) == (first, last)
    reading = front_end.read(written, language)
    added = [place for place, source in enumerate(text.sources) if source < 0]
    assert len(text.phonemes) == len(reading.phonemes) + len(added)
    assert all(text.phonemes[place] == "." for place in added)


def test_the_full_stop_in_front_of_chinese_has_features(front_end: FrontEnd) -> None:
    assert columns(prepared(front_end, "好", "zh")) == ".好好."
    assert columns(prepared(front_end, "Oh", "en")) == "···"


def test_few_phonemes_get_a_full_stop_in_front(front_end: FrontEnd) -> None:
    assert spoken(prepared(front_end, "Okay", "en")) == ". OW2 K EY1 ."  # five with the mark
    assert spoken(prepared(front_end, "Sunday", "en")).startswith("S AH1 N D EY")  # six


def test_a_transcript_keeps_its_short_clause(front_end: FrontEnd) -> None:
    reading = front_end.read("你好，今天天气真好", "zh")
    text = prompt_text(reading)
    assert (text.phonemes[0], text.phonemes[-1]) == ("n", ".")
    assert spoken(prompt_text(front_end.read("好", "zh"))) == ". h ao3 ."


# --- The first version --------------------------------------------------------------------------------------


def test_the_first_version_knows_no_marks_of_pitch(front_end: FrontEnd) -> None:
    written = "これは今日の天気です。"
    newer, older = (prepared(front_end, written, "ja", version) for version in ("v2Pro", "v1"))
    assert {"[", "]"} & set(newer.phonemes)
    assert older.phonemes == tuple(phoneme for phoneme in newer.phonemes if phoneme not in ("[", "]"))
    assert max(older.phoneme_ids) < 322
    reading = front_end.read(written, "ja")
    assert [reading.phonemes[source] for source in older.sources] == list(older.phonemes)


def test_other_languages_are_the_same_in_the_first_version(front_end: FrontEnd) -> None:
    for written, language in (("我们用GPT合成，很好！", "zh"), ("Hello there.", "en")):
        assert prepared(front_end, written, language, "v1") == prepared(front_end, written, language)
