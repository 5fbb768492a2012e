"""Cyclic garbage, collected when nobody waits.

Python looks through all objects once enough new ones have been made, and every thread stops meanwhile: with
ten thousand lines waiting, a third of a second in the middle of a sentence. Here only the young generations
are collected on the way; the round over everything comes when a process has nothing else to do.
"""

from __future__ import annotations

import gc

_YOUNG = (700, 10)  # Python's own thresholds of the first two generations: a round takes a millisecond
_NEVER = 1_000_000
DUE, URGENT = 5, 400
"""Rounds over the second generation since the last over all; each leaves up to 7,000 objects."""


def settle() -> None:
    """Take what has been loaded out of every later round, and stop the rounds over all but those of ``tidy``.

    For a process of the daemon's own, once its libraries or its voice are loaded.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_YOUNG, _NEVER)


def tidy(*, is_idle: bool) -> bool:
    """Look through all objects if that is due; tell whether it was done. Nothing where Python does it.

    Args:
        is_idle: whether nobody notices a pause. Otherwise it has to be urgent: memory comes first then.
    """
    is_settled = gc.get_threshold()[2] == _NEVER
    if not is_settled or gc.get_count()[2] < (DUE if is_idle else URGENT):
        return False
    gc.collect()
    return True
