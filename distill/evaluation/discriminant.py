"""Linear discriminant analysis: enough of a classifier to tell tones and speakers apart, and no more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHRINKAGE = 0.02  # of the shared covariance towards its diagonal


@dataclass(frozen=True)
class Discriminant:
    """Classes with a common covariance, equally likely beforehand."""

    labels: tuple[str, ...]
    """Names of the classes."""
    weights: NDArray[np.float64]
    """(n_features, n_classes); offsets: (n_classes,)."""
    offsets: NDArray[np.float64]

    @classmethod
    def fit(cls, features: NDArray[np.float64], labels: list[str]) -> Discriminant:
        """Learn from ``features`` (n, n_features) and one label per row.

        Raises:
            ValueError: fewer than two classes.
        """
        names = tuple(sorted(set(labels)))
        if len(names) < 2:
            raise ValueError(f"needs at least two classes to tell apart, found {names}")
        index = np.array([names.index(label) for label in labels])
        means = np.stack([features[index == k].mean(0) for k in range(len(names))])
        centred = features - means[index]
        covariance = centred.T @ centred / max(len(features) - len(names), 1)
        diagonal = np.diag(np.diag(covariance) + 1e-9)
        precision = np.linalg.inv((1.0 - SHRINKAGE) * covariance + SHRINKAGE * diagonal)
        weights = precision @ means.T
        return cls(names, weights, -0.5 * (means.T * weights).sum(0))

    def predict(self, features: NDArray[np.float64]) -> list[str]:
        """Return the likeliest label of each row of ``features`` (n, n_features)."""
        scores = features @ self.weights + self.offsets
        return [self.labels[k] for k in scores.argmax(1)]

    def accuracy(self, features: NDArray[np.float64], labels: list[str]) -> float:
        """Percent of rows whose label is found; NaN without rows."""
        if not labels:
            return float("nan")
        found = self.predict(features)
        return 100.0 * sum(a == b for a, b in zip(found, labels, strict=True)) / len(labels)
