from __future__ import annotations

import pytest

from edge.text.en.senses import MOST_CLASSES, NOTHING, senses


@pytest.mark.parametrize(
    ("first", "second"),
    [("ship", "frigate"), ("sword", "daggers"), ("guitar", "drums"), ("wolf", "foxes"), ("bread", "pie")],
)
def test_things_of_one_kind_share_a_narrow_class(first: str, second: str) -> None:
    assert set(senses(first)[0][:3]) & set(senses(second)[0][:3])


def test_things_of_different_kinds_share_none() -> None:
    assert not set(senses("ship")[0][:2]) & set(senses("bread")[0][:2])


def test_inflected_words_have_the_class_of_their_base() -> None:
    assert senses("ships") == senses("ship")
    assert senses("sailed")[2] == senses("sail")[2] != NOTHING


def test_a_word_that_is_not_known_has_no_class() -> None:
    assert senses("zorblatt") == ((), NOTHING, NOTHING)
    assert senses("") == ((), NOTHING, NOTHING)


def test_classes_are_few() -> None:
    assert 0 < len(senses("dachshund")[0] or senses("dog")[0]) <= MOST_CLASSES
