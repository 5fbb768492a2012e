from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from edge.errors import ConfigError
from edge.text.lexicon import MAX_BYTES, Lexicon, load_lexicon

GOOD = """\
# names of the show
洛圣都 = luo4 sheng4 du1
女儿国 = nü3 er2 guo2   # with a comment

Noah = N OW1 AH0
東雲 ＝ しののめ
ノア = の]あ
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "show.lexicon"
    file.write_text(GOOD, encoding="utf-8")
    return file


def test_each_entry_goes_to_the_language_of_its_reading(path: Path) -> None:
    lexicon = Lexicon(path)
    assert lexicon.entries("zh") == {
        "洛圣都": ("l", "uo4", "sh", "eng4", "d", "u1"),
        "女儿国": ("n", "v3", "EE", "er2", "g", "uo2"),
    }
    assert lexicon.entries("en") == {"noah": ("N", "OW1", "AH0")}
    assert lexicon.entries("ja") == {
        "東雲": ("sh", "i", "[", "n", "o", "n", "o", "m", "e"),
        "ノア": ("n", "o", "]", "a"),
    }
    assert lexicon.problem == ""


def test_byte_order_mark_and_windows_line_ends(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + "都 = du1\r\n市 = shi4\r\n".encode())
    assert set(load_lexicon(path)["zh"]) == {"都", "市"}


def test_full_width_word_is_found_as_the_readers_see_it(path: Path) -> None:
    path.write_text("Ｎｏａｈ = N OW1 AH0\n", encoding="utf-8")
    assert set(load_lexicon(path)["en"]) == {"noah"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Noah", "expected 'word = reading'"),
        ("= luo4", "expected 'word = reading'"),
        ("都市 = du1", "2 characters and 1 syllables"),
        ("都 = du", "'du' is not pinyin with a tone digit; write e.g. hao3"),
        ("都 = dū", "tone digit"),
        ("都 = duu1", "'duu1' is not a syllable of Mandarin"),
        ("Noah = N OW AH0", "vowel 'OW' has no stress; write OW1"),
        ("Noah = N QQ1", "'QQ1' is not a sound of ARPAbet; these are: AA AE"),
        ("Noah = N IH", "no stress"),
        ("Noah = SP", "not a sound of ARPAbet"),
        ("Noah = ノア", "read as English, so a kana reading has no effect"),
        ("New York = N UW1", "not one English word"),
        ("Noah = nuo4", "not all Chinese characters"),
        ("東雲 = し]の]", "one ']' at most"),
        ("東雲 = ーの", "no vowel before it"),
        ("x" * 65 + " = AH0", "1 to 64 characters"),
        ("都 = du1\n都 = dou1", "already on line 1"),
    ],
)
def test_wrong_line_is_named_with_its_number_and_a_remedy(path: Path, line: str, message: str) -> None:
    path.write_text(line, encoding="utf-8")
    number = line.count("\n") + 1
    with pytest.raises(ConfigError, match=message) as caught:
        Lexicon(path)
    assert f"line {number}: " in str(caught.value)
    assert str(path) in str(caught.value)


def test_several_wrong_lines_are_reported_at_once(path: Path) -> None:
    path.write_text("\n".join(f"w{n} = x9" for n in range(15)), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line 1: .*line 10: .*; and 5 more$"):
        Lexicon(path)


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: .*check the path"):
        Lexicon(tmp_path / "none")
    latin = tmp_path / "latin"
    latin.write_bytes("é = E".encode("latin-1"))
    with pytest.raises(ConfigError, match="byte 0 is not UTF-8"):
        Lexicon(latin)
    large = tmp_path / "large"
    large.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="at most"):
        Lexicon(large)


def test_unchanged_file_gives_the_same_object(path: Path) -> None:
    lexicon = Lexicon(path)
    assert lexicon.entries("ja") is lexicon.entries("ja")


def test_changed_file_is_read_again(path: Path) -> None:
    lexicon = Lexicon(path)
    digest = lexicon.digest
    path.write_text("都 = du1\n", encoding="utf-8")
    assert lexicon.entries("zh") == {"都": ("d", "u1")}
    assert lexicon.entries("ja") == {}
    assert lexicon.digest != digest
    assert lexicon.digest == Lexicon(path).digest


def test_same_size_and_other_time_is_a_change(path: Path) -> None:
    path.write_text("都 = du1\n", encoding="utf-8")
    lexicon = Lexicon(path)
    path.write_text("都 = du4\n", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert lexicon.entries("zh") == {"都": ("d", "u4")}


def test_replaced_file_is_read_again(path: Path, tmp_path: Path) -> None:
    lexicon = Lexicon(path)
    status = path.stat()
    new = tmp_path / "new"
    new.write_bytes(path.read_bytes().replace(b"OW1", b"AO1"))
    os.utime(new, ns=(status.st_mtime_ns, status.st_mtime_ns))
    new.replace(path)
    assert lexicon.entries("en") == {"noah": ("N", "AO1", "AH0")}


@pytest.mark.parametrize("damage", ["wrong", "gone"])
def test_broken_change_keeps_the_old_entries_and_warns_once(
    path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    lexicon = Lexicon(path)
    before = lexicon.entries("zh")
    if damage == "wrong":
        path.write_text("都 = nonsense\n", encoding="utf-8")
    else:
        path.unlink()
    with caplog.at_level(logging.WARNING):
        assert lexicon.entries("zh") is before
        assert lexicon.entries("zh") is before
    assert len(caplog.records) == 1
    assert "as it was before stays in use" in lexicon.problem
    path.write_text(GOOD, encoding="utf-8")
    assert lexicon.entries("zh") == before
    assert lexicon.problem == ""
