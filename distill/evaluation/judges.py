"""Three judges of one line by the student and the same by the teacher."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from . import listener
from .speech import Samples

Judge = Callable[[Samples, Samples], float]
"""Hears a line of the student and the teacher's."""


def judges() -> dict[str, Judge]:
    """Return the judges by name: how natural and how clean the student is, and how like the teacher.

    Raises:
        MissingEarError: one of them is not installed.
    """
    mos, dns, timbre = listener.distill_mos(), listener.dns_mos(), listener.timbre()
    return {
        "distill_mos": lambda ours, _: mos(ours),
        "dns_mos": lambda ours, _: dns(ours),
        "likeness": lambda ours, theirs: float(timbre(ours) @ timbre(theirs)),
    }


def with_mean(rows: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Round scores by voice and name, and add their means over the voices as ``all``."""
    rounded = {voice: {name: round(value, 3) for name, value in row.items()} for voice, row in rows.items()}
    names = next(iter(rounded.values()))
    return {
        **rounded,
        "all": {name: round(float(np.mean([row[name] for row in rounded.values()])), 3) for name in names},
    }
