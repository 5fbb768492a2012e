from __future__ import annotations

from pathlib import Path

import pytest

from edge.text.symbols import DATA
from edge.text.token import Span
from edge.text.zh.dictionary import MAGIC, ChineseDictionary, Entry, pack_entries
from edge.text.zh.pinyin import symbols_pinyin
from edge.text.zh.reader import ChineseReader

READER = ChineseReader()
DICTIONARY = ChineseDictionary()


def pinyin(text: str) -> str:
    syllables = []
    for token in READER.read(READER.normalize(text), {}):
        pairs = zip(token.phonemes[::2], token.phonemes[1::2], strict=token.is_word)
        syllables.extend(symbols_pinyin(*pair) for pair in pairs)
    return " ".join(syllables)


def words(text: str) -> list[str]:
    return [token.text for token in READER.read([Span(text, 0, len(text))], {}) if token.is_word]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你终究还是选择了怀疑", "你 终究 还是 选择 了 怀疑"),
        ("研究生命的起源", "研究 生命 的 起源"),
        ("乒乓球拍卖完了", "乒乓球 拍卖 完 了"),
        ("他们都会去", "他们 都 会 去"),
        ("一千两百九十九", "一千 两百 九十 九"),
        ("南京市长江大桥", "南京市 长江大桥"),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert words(text) == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # 长 得 地 着 了 还 只 为 种 教 数 行 重 in context
        ("头发长", "tou2 fa5 chang2"),
        ("他又长高了", "ta1 you4 zhang3 gao1 le5"),
        ("你得听话", "ni2 dei3 ting1 hua4"),
        ("说得很好", "shuo1 de5 hen2 hao3"),
        ("他得了奖", "ta1 de2 le5 jiang3"),
        ("静静地等", "jing4 jing4 de5 deng3"),
        ("这块地很大", "zhe4 kuai4 di4 hen3 da4"),
        ("找不着", "zhao3 bu5 zhao2"),
        ("穿着讲究", "chuan1 zhuo2 jiang3 jiu5"),
        ("穿着红衣服", "chuan1 zhe5 hong2 yi1 fu5"),
        ("做得了", "zuo4 de5 liao3"),
        ("快还我", "kuai4 huan2 wo3"),
        ("还我行我素", "hai2 wo3 xing2 wo3 su4"),
        ("五只羊", "wu3 zhi1 yang2"),
        ("这只能等", "zhe4 zhi3 neng2 deng3"),
        ("以人为镜", "yi3 ren2 wei2 jing4"),
        ("为自由而战", "wei4 zi4 you2 er2 zhan4"),
        ("种上花", "zhong4 shang4 hua1"),
        ("两种花", "liang2 zhong3 hua1"),
        ("教我唱歌", "jiao1 wo3 chang4 ge1"),
        ("数到三", "shu3 dao4 san1"),
        ("这个数很大", "zhe4 ge5 shu4 hen3 da4"),
        ("第五行", "di4 wu3 hang2"),
        ("金木水火土五行", "jin1 mu4 shui2 huo3 tu2 wu3 xing2"),
        ("正当防卫", "zheng4 dang4 fang2 wei4"),
        ("正当他要走的时候", "zheng4 dang1 ta1 yao4 zou3 de5 shi2 hou5"),
        ("别大意", "bie2 da4 yi5"),
        ("重走一遍", "chong2 zou3 yi2 bian4"),
        ("箱子很重", "xiang1 zi5 hen3 zhong4"),
        ("骑士优雅地行了一礼", "qi2 shi4 you1 ya3 de5 xing2 le5 yi4 li3"),
        ("房子著火了", "fang2 zi5 zhao2 huo3 le5"),
        ("呱呱叫", "gua1 gua1 jiao4"),
        # calls, coughs, doubt
        ("啊啊啊", "a1 a1 a1"),
        ("救命啊啊啊", "jiu4 ming4 a1 a1 a1"),
        ("救命啊", "jiu4 ming4 a5"),
        ("呀啊啊", "ya1 a1 a1"),
        ("咳咳", "ke2 ke2"),
        ("咳", "hai1"),
        ("咳了两声", "ke2 le5 liang3 sheng1"),
    ],
)
def test_polyphones_by_context(text: str, expected: str) -> None:
    assert pinyin(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # third tones in feet from the right; longer words do not touch each other
        ("我很好", "wo3 hen2 hao3"),
        ("你也很美", "ni2 ye3 hen2 mei3"),
        ("可以走", "ke2 yi2 zou3"),
        ("可以理解", "ke2 yi3 li2 jie3"),
        ("很美丽", "hen2 mei3 li4"),
        ("岂有此理", "qi2 you3 ci2 li3"),
        ("小雨伞", "xiao3 yu2 san3"),
        # 一 and 不
        ("一步一步走", "yi2 bu4 yi2 bu4 zou3"),
        ("走一走", "zou3 yi5 zou3"),
        ("一两个", "yi4 liang3 ge4"),
        ("三点一四", "san1 dian3 yi1 si4"),
        ("三点一刻", "san1 dian3 yi2 ke4"),
        ("十一个", "shi2 yi1 ge4"),
        ("同一个", "tong2 yi2 ge4"),
        ("看不清楚", "kan4 bu5 qing1 chu5"),
        ("走不动", "zou3 bu5 dong4"),
        ("去不去", "qu4 bu5 qu4"),
        ("可不是", "ke3 bu2 shi4"),
        # neutral tones and 儿
        ("走过去", "zou3 guo4 qu5"),
        ("过去的事", "guo4 qu4 de5 shi4"),
        ("走过大桥", "zou3 guo4 da4 qiao2"),
        ("去过吗", "qu4 guo5 ma5"),
        ("屋子里", "wu1 zi5 li5"),
        ("三公里", "san1 gong1 li3"),
        ("花儿", "hua1 er1"),
        ("一加一等于二", "yi1 jia1 yi1 deng3 yu2 er4"),
        ("九一九", "jiu3 yi1 jiu3"),
        ("女儿", "nv3 er2"),
    ],
)
def test_tone_sandhi(text: str, expected: str) -> None:
    assert pinyin(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("啊？", "AA a2 ?"),
        ("啊！", "AA a1 !"),
        ("嗯？", "EE en2 ?"),
        ("嗯。", "EE en1 ."),
        ("咳、咳", "k e2 , k e2"),
    ],
)
def test_the_mark_tells_doubt_and_coughs(text: str, expected: str) -> None:
    tokens = READER.read(READER.normalize(text), {})
    assert " ".join(symbol for token in tokens for symbol in token.phonemes) == expected


def test_a_character_that_is_repeated_by_a_sign_is_read_as_if_it_were_written_twice() -> None:
    """Of several readings too: the network that chooses among them has to see the character, not the sign."""
    for character in READER._model._choices:
        assert pinyin(f"{character}々。") == pinyin(f"{character}{character}。")


def test_traditional_characters_keep_what_tells_them_apart() -> None:
    assert pinyin("頭髮很乾淨") == "tou2 fa5 hen3 gan1 jing4"
    assert pinyin("乾坤") == "qian2 kun1"
    assert pinyin("等著你，著名作家") == "deng3 zhe5 ni3 zhu4 ming2 zuo4 jia1"
    assert [token.text for token in READER.read([Span("發現", 0, 2)], {})] == ["發現"]


def test_characters_without_sound_in_the_inventory_have_a_stand_in() -> None:
    assert pinyin("嗯") == "en1"
    assert READER.read([Span("\U0002a6d6", 0, 1)], {}) == []  # nobody reads this one


def test_token_counts_symbols_of_each_character() -> None:
    (token,) = READER.read([Span("博物馆", 3, 6)], {})
    assert (token.start, token.end) == (3, 6)
    assert token.char_counts == (2, 2, 2)


def test_dictionary_finds_what_was_packed(tmp_path: Path) -> None:
    entries = {
        "银行": Entry(20, "n", 3, ("yin2", "hang2")),
        "银行家": Entry(40, "n", 3, None),
        "银": Entry(30, "n", 1, ("yin2",)),
        "甲乙": Entry(0, "-", 4, None),
    }
    path = tmp_path / "small.bin"
    path.write_bytes(pack_entries(entries))
    dictionary = ChineseDictionary(path)
    assert {word: dictionary.get(word) for word in entries} == entries
    assert dictionary.get("银行家家") is None
    assert dictionary.is_word("银行")
    assert not dictionary.is_word("甲乙")


def test_wrong_dictionary_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.bin"
    path.write_bytes(b"NOTADICT" + bytes(100))
    with pytest.raises(ValueError, match=f"expected {MAGIC!r}"):
        ChineseDictionary(path)


def test_committed_dictionary_has_the_overrides() -> None:
    """Someone who edits the overrides must build the dictionary again."""
    n_lines = 0
    for line in (DATA / "zh_overrides.txt").read_text(encoding="utf-8").splitlines():
        first, *fields = line.split("#")[0].split() or [""]
        if first.startswith("-"):
            assert not any(DICTIONARY.is_word(word.removeprefix("-")) for word in (first, *fields))
        elif first.startswith("="):
            kept = [word for word in fields[1:] if DICTIONARY.get(word)]
            assert all(fields[0] in reading_of(word) for word in kept), line
        elif first:
            assert reading_of(first) == [field for field in fields if "=" not in field], first
            n_lines += 1
    assert n_lines > 500


def reading_of(word: str) -> list[str]:
    entry = DICTIONARY.get(word)
    assert entry is not None, word
    if entry.reading is not None:
        return list(entry.reading)
    return [syllable for character in word for syllable in reading_of(character)]


@pytest.mark.parametrize(
    ("text", "character", "reading"),
    [("他看见了干衣机。", "干", "gan1"), ("他看见了裤缝。", "缝", "feng4"), ("李小燕来了", "燕", "yan4")],
)
def test_a_word_that_the_line_is_not_cut_into_votes_where_the_network_is_unsure(
    text: str, character: str, reading: str
) -> None:
    assert DICTIONARY.vote(text, text.index(character)) == reading
    syllables = [one for _, words in READER.clauses(text, {}) for word in words for one in word.syllables]
    assert syllables[text.index(character)] == reading


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("閤家歡樂", "he2 jia1 huan1 le4"),
        ("東閤", "dong1 ge2"),
        ("她穿著旗袍說話", "ta1 chuan1 zhe5 qi2 pao2 shuo1 hua4"),
    ],
)
def test_traditional_characters_of_two_meanings(text: str, expected: str) -> None:
    assert pinyin(text) == expected
