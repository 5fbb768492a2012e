"""Linear discriminants: separable classes are told apart, unrelated labels are not."""

import numpy as np
import pytest

from distill.evaluation.discriminant import Discriminant


def clouds(n: int, seed: int) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    labels = [str(k % 3) for k in range(n)]
    centres = {"0": (0.0, 0.0), "1": (4.0, 0.0), "2": (0.0, 4.0)}
    return np.array([centres[label] for label in labels]) + rng.normal(size=(n, 2)), labels


def test_separable_classes_are_told_apart() -> None:
    discriminant = Discriminant.fit(*clouds(300, seed=1))

    assert discriminant.accuracy(*clouds(300, seed=2)) > 93


def test_unrelated_labels_are_at_chance() -> None:
    features, labels = clouds(300, seed=1)
    rng = np.random.default_rng(0)
    discriminant = Discriminant.fit(features, list(rng.permutation(labels)))

    assert discriminant.accuracy(*clouds(300, seed=2)) < 60


def test_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two classes"):
        Discriminant.fit(np.zeros((4, 2)), ["a"] * 4)


def test_no_rows_give_no_number() -> None:
    discriminant = Discriminant.fit(*clouds(30, seed=1))

    assert np.isnan(discriminant.accuracy(np.zeros((0, 2)), []))
