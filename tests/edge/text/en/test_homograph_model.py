from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from edge.text.en.cues import Site
from edge.text.en.homograph_model import BUCKETS, DATA_PATH, HomographModel, feature_buckets, kind
from edge.text.en.homographs import Homographs


def site(sentence: str) -> Site:
    """The site of the word in braces."""
    words = sentence.split()
    index = next(index for index, word in enumerate(words) if word[0] == "{")
    return Site([word.strip("{}") for word in words], index)


def test_a_verb_scores_above_zero_and_a_noun_below() -> None:
    model = HomographModel()
    assert model.shares("record")
    assert model.score("record", site("we will {record} it tomorrow")) > 0
    assert model.score("record", site("it set a new world {record} .")) < 0


def test_the_sentence_ends_the_view() -> None:
    assert feature_buckets("record", site("stop . the {record} fell . never")) == feature_buckets(
        "record", site("go on ! the {record} fell ? we")
    )


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("the", "det"),
        ("to", "to"),
        ("father's", "det"),
        ("walls", "plural"),
        ("running", "ing"),
        (",", ","),
        ("^", "^"),
    ],
)
def test_kinds_of_neighbours(word: str, name: str) -> None:
    assert kind(word) == name


def test_every_word_of_the_table_has_two_senses_and_a_bias() -> None:
    table, model = Homographs(), HomographModel()
    for word in table.words():
        assert len(table.senses(word)) == 2, word
        assert word in model._biases, word


def test_the_file_is_small_and_another_is_refused(tmp_path: Path) -> None:

    assert DATA_PATH.stat().st_size < 500_000
    with np.load(DATA_PATH) as archive:
        arrays = dict(archive)
    arrays["weights"] = arrays["weights"][: BUCKETS // 2]
    np.savez(tmp_path / "half.npz", **arrays)
    with pytest.raises(ValueError, match="train it again"):
        HomographModel(tmp_path / "half.npz")


def test_a_hostile_line_costs_no_more() -> None:
    words = ["now"] * 2000 + ["record"] + ["now"] * 2000
    started = time.process_time()
    for _ in range(100):
        feature_buckets("record", Site(words, 2000))
    assert time.process_time() - started < 1.0
