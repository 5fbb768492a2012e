from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pypinyin", reason="the dictionary is built where pypinyin is")

from distill.dictionaries import chinese as builder
from edge.text.zh.dictionary import DISPUTED, OWN, ChineseDictionary, pack_entries

WORDS = """\
银行 9000 n
银 3000 n
行 20000 v
静静地 200 d
看得见 50 v
朋友 9000 n
小朋友 3000 n
曾庆红 40 nr
两百 300 m
百九 300 m
都会 1000 n
都 90000 d
会 90000 v
罕见词 3 n
"""
OVERRIDES = """\
# ours
-都会
=行 hang2 银行
朋友 peng2 you5
长 chang2 pos=a count=5000
"""
# 曾庆红 is disputed; 海兰泡 votes, as the network alone reads pao4; 好人 does not, as it is sure.
SECOND = """\
{"曾庆红": ["céng qìng hóng", 1e-9], "银行": ["yín háng", 1e-8], "海兰泡": ["hǎi lán pāo", 1e-11],
"好人": ["hǎo rén", 1e-9]}
"""


@pytest.fixture(scope="module")
def dictionary(tmp_path_factory: pytest.TempPathFactory) -> ChineseDictionary:
    place = tmp_path_factory.mktemp("dictionary")
    (place / "dict.txt").write_text(WORDS, encoding="utf-8")
    (place / "overrides.txt").write_text(OVERRIDES, encoding="utf-8")
    packed = place / "small.bin"
    (place / "second.json").write_text(SECOND, encoding="utf-8")
    paths = (place / name for name in ("dict.txt", "overrides.txt", "second.json"))
    packed.write_bytes(pack_entries(builder.build(*paths)))
    return ChineseDictionary(packed)


@pytest.mark.parametrize(
    ("word", "reading"),
    [
        ("银行", ("yin2", "hang2")),
        ("静静地", ("jing4", "jing4", "de5")),
        ("看得见", ("kan4", "de5", "jian4")),
        ("小朋友", ("xiao3", "peng2", "you5")),  # our 朋友 inside a longer word
        ("曾庆红", ("zeng1", "qing4", "hong2")),
        ("长", ("chang2",)),
    ],
)
def test_readings(dictionary: ChineseDictionary, word: str, reading: tuple[str, ...]) -> None:
    entry = dictionary.get(word)
    assert entry is not None
    assert entry.reading == reading


def test_words_that_are_left_out(dictionary: ChineseDictionary) -> None:
    assert not dictionary.is_word("都会")  # dropped by us
    assert not dictionary.is_word("罕见词")  # too rare
    assert not dictionary.is_word("百九")  # digits and units pair the other way: 两百|九十
    assert dictionary.is_word("两百")


def test_part_of_speech(dictionary: ChineseDictionary) -> None:
    parts = {word: dictionary.get(word) for word in ("银行", "曾庆红", "长")}
    assert [entry and entry.pos for entry in parts.values()] == ["n", "N", "a"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("朋友 peng2", "not one syllable per character"),
        ("好 hao3\n好 hao4", "comes twice"),
    ],
)
def test_wrong_overrides_are_refused(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "overrides.txt"
    path.write_text(line, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        builder.read_overrides(path)


@pytest.mark.parametrize(
    ("syllable", "fixed"),
    [("lüe4", "lve4"), ("ng2", "en2"), ("nü3", "nv3"), ("xyz1", None), ("hao3", "hao3")],
)
def test_syllables_are_spelled_as_in_the_table(syllable: str, fixed: str | None) -> None:
    assert builder.fix_syllable(syllable) == fixed


def test_the_second_list_disputes_and_votes(dictionary: ChineseDictionary) -> None:
    disputed, own = dictionary.get("曾庆红"), dictionary.get("银行")
    assert disputed is not None and disputed.trust == DISPUTED
    assert own is not None and own.trust == OWN
    assert dictionary.vote("俄军于海兰泡越境", 5) == "pao1"
    assert dictionary.vote("他是好人", 2) == ""


def test_a_word_that_votes_is_no_word_of_a_line(dictionary: ChineseDictionary) -> None:
    assert not dictionary.is_word("海兰泡")
    assert "海兰泡" not in dictionary.segment("俄军于海兰泡越境")
