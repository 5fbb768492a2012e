"""Sad against happy: the right order is seen, the wrong order and equal lines are not taken for it."""

import numpy as np
import pytest

from distill.evaluation.emotion import contrast

from .conftest import Speak

LINES = ("The garden was quiet this morning.", "She left the letter on the table.")


@pytest.mark.espeak
def test_sad_is_slower_and_lower(speak: Speak) -> None:
    found = contrast([(speak(t, "ava", "en", "sad"), speak(t, "ava", "en", "happy")) for t in LINES])

    assert found.share == 100
    assert found.slower > 1.1
    assert found.lower > 2


@pytest.mark.espeak
def test_the_wrong_way_round_is_noticed(speak: Speak) -> None:
    found = contrast([(speak(t, "ava", "en", "happy"), speak(t, "ava", "en", "sad")) for t in LINES])

    assert found.share == 0


@pytest.mark.espeak
def test_slower_alone_is_not_enough(speak: Speak) -> None:
    """A slowed happy line lacks the lower voice."""
    slow = [(speak(t, "ava", "en", "happy", rate=0.7), speak(t, "ava", "en", "happy")) for t in LINES]
    found = contrast(slow)

    assert found.slower > 1.2
    assert abs(found.lower) < 1


def test_nothing_to_compare_gives_no_number() -> None:
    assert np.isnan(contrast([]).share)
