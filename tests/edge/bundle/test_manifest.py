"""Characters of a manifest: chosen by name, emotions replaced by those that were trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.bundle.bundle import Bundle
from edge.bundle.manifest import choose_character
from edge.errors import RequestError


def test_a_character_is_chosen_by_name(tiny_voice: Path) -> None:
    characters = Bundle.load(tiny_voice).manifest.characters
    assert choose_character(characters, "ava").name == "ava"
    assert choose_character(characters[:1], None) is characters[0]


@pytest.mark.parametrize("name", [None, "", "nobody"])
def test_a_choice_that_is_none_names_the_characters(tiny_voice: Path, name: str | None) -> None:
    characters = Bundle.load(tiny_voice).manifest.characters
    with pytest.raises(RequestError, match=", ".join(entry.name for entry in characters)) as caught:
        choose_character(characters, name)
    assert caught.value.code == "unknown_character"


def test_an_emotion_that_was_not_trained_is_replaced_with_a_warning(tiny_voice: Path) -> None:
    ava = choose_character(Bundle.load(tiny_voice).manifest.characters, "ava")
    assert (ava.emotion("happy"), ava.emotion_warning("happy")) == ("happy", [])
    assert ava.emotion("angry") == ava.fallbacks["angry"] == "happy"
    assert ava.emotion_warning("angry") == ["ava has no emotion 'angry': happy is used"]
    assert ava.emotion("wistful") == ava.emotions[0]
