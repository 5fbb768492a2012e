from __future__ import annotations

import pytest

from edge.markup import Tag, parse


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ('{"text": "Hello there"}', "Hello there"),
        ('{"Response": "Hi", "id": 3}', "Hi"),
        ('{"台词": "你好[pause:1s]吗"}', "你好吗"),
        ('{"a": 1}', '{"a": 1}'),
        ('{"text": 5}', '{"text": 5}'),
        ("{not json}", "{not json}"),
        ('say {"text": "x"}', 'say {"text": "x"}'),
    ],
)
def test_words_of_an_object(line: str, plain: str) -> None:
    assert parse(line).plain == plain


def test_emotion_of_an_object_is_a_tag() -> None:
    parsed = parse('{"emotion": "happy", "text": "你好"}')
    assert parsed.tags == (Tag("emotion", "happy", 0),)
    assert parsed.warnings[0] == "of the JSON object its words are read"


def test_deep_objects_are_no_trouble() -> None:
    parse('{"a":' * 300 + "1" + "}" * 300)


@pytest.mark.parametrize(
    ("line", "plain", "tags"),
    [
        ("<emotion>sad</emotion> Goodbye.", " Goodbye.", (Tag("emotion", "sad", 0),)),
        ("(emotion: sad) I lost.", " I lost.", (Tag("emotion", "sad", 0),)),
        ("漢字《かんじ》を読む", "かんじを読む", ()),
        ("俺は｜本気《マジ》だ", "俺はマジだ", ()),
        ("<ruby>漢字<rt>かんじ</rt></ruby>だ", "かんじだ", ()),
        ("《红楼梦》是小说", "《红楼梦》是小说", ()),
    ],
)
def test_values_between_tags_and_readings_above(line: str, plain: str, tags: tuple[Tag, ...]) -> None:
    assert (parse(line).plain, parse(line).tags) == (plain, tags)
