from __future__ import annotations

import pytest

from edge.text.zh.polyphone_model import PolyphoneModel

MODEL = PolyphoneModel()


def best(text: str, character: str) -> str:
    scores = MODEL.scores(text, [text.index(character)])[0]
    return max(scores, key=scores.__getitem__)


@pytest.mark.parametrize(
    ("text", "character", "reading"),
    [
        ("全长约三百公里。", "长", "chang2"),
        ("他长得很高。", "长", "zhang3"),
        ("他们重新开始工作。", "重", "chong2"),
        ("这个箱子很重。", "重", "zhong4"),
        ("他在银行工作。", "行", "hang2"),
        ("他步行回家。", "行", "xing2"),
    ],
)
def test_the_sentence_decides(text: str, character: str, reading: str) -> None:
    assert best(text, character) == reading


def test_only_characters_of_several_readings_are_known() -> None:
    assert MODEL.knows("长")
    assert not MODEL.knows("一")
    assert not MODEL.knows("A")


def test_each_sentence_is_read_for_itself() -> None:
    """Sentences of other lengths beside one, also more of them than are read at once, change nothing."""
    sentences = ["这座桥很长。", "他长得很高，头发也很长！", "长！", *["队长说，会长不长。"] * 40]
    text = "".join(sentences)
    places = [place for place, character in enumerate(text) if character == "长"]
    together = MODEL.scores(text, places)
    alone = [
        scores
        for sentence in sentences
        for scores in MODEL.scores(sentence, [i for i, c in enumerate(sentence) if c == "长"])
    ]
    assert len(together) == len(alone) == len(places)
    for left, right in zip(together, alone, strict=True):
        assert left == pytest.approx(right, abs=1e-3)


def test_a_long_sentence_without_marks_is_read_in_parts() -> None:
    assert len(MODEL.scores("长" * 2000, range(2000))) == 2000
