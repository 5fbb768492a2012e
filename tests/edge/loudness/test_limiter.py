from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as sounds

from edge.audio import FULL_SCALE, Pcm16
from edge.loudness.limiter import LOOK_AHEAD, Limiter, db_to_gain
from edge.spec import SAMPLE_RATE

ANY_SOUND = sounds.arrays(
    np.int16, st.integers(0, 1200), elements=st.integers(-32_768, 32_767), fill=st.just(0)
)
GAINS = st.floats(-40, 40)
CEILINGS = st.floats(-24, 0)


def limited(samples: Pcm16, gain_db: float, ceiling_dbfs: float, cuts: tuple[int, ...] = ()) -> Pcm16:
    limiter = Limiter(gain_db, ceiling_dbfs)
    pieces = np.split(samples, sorted(cuts))
    parts = [limiter.process(piece, last=index == len(pieces) - 1) for index, piece in enumerate(pieces)]
    return np.concatenate(parts)


def highest(ceiling_dbfs: float) -> int:
    return math.floor(FULL_SCALE * db_to_gain(ceiling_dbfs))


@given(ANY_SOUND, GAINS, CEILINGS)
@settings(deadline=None)
def test_no_sample_is_above_the_ceiling_and_none_is_lost(
    samples: Pcm16, gain_db: float, ceiling_dbfs: float
) -> None:
    out = limited(samples, gain_db, ceiling_dbfs)
    assert len(out) == len(samples) and out.dtype == np.int16
    assert np.abs(out.astype(int)).max(initial=0) <= highest(ceiling_dbfs)


@given(ANY_SOUND, GAINS, CEILINGS, st.lists(st.integers(0, 1200), max_size=8))
@settings(deadline=None)
def test_a_stream_is_the_whole_bit_for_bit(
    samples: Pcm16, gain_db: float, ceiling_dbfs: float, cuts: list[int]
) -> None:
    whole = limited(samples, gain_db, ceiling_dbfs)
    places = tuple(min(cut, len(samples)) for cut in cuts)
    assert np.array_equal(limited(samples, gain_db, ceiling_dbfs, places), whole)


@given(ANY_SOUND, st.floats(-40, 0))
@settings(deadline=None)
def test_what_stays_below_the_ceiling_is_only_scaled(samples: Pcm16, gain_db: float) -> None:
    quiet = np.clip(samples, -FULL_SCALE, FULL_SCALE)
    assert np.array_equal(limited(quiet, gain_db, 0.0), np.rint(quiet * db_to_gain(gain_db)).astype(np.int16))


def test_sums_of_streams_are_held_too() -> None:
    total = np.full(2000, 4 * 32_768, np.int32)
    out = Limiter(0.0, -1.0, max_input=4 * 32_768).process(total, last=True)
    assert np.abs(out.astype(int)).max() <= highest(-1.0)


def test_the_gain_moves_before_a_peak_and_comes_back_behind_it() -> None:
    """No jump anywhere: from sample to sample, the gain changes by less than a click would need."""
    samples = np.full(SAMPLE_RATE, 8000, np.int16)
    samples[SAMPLE_RATE // 2] = 32_000
    out = limited(samples, 6.0, -1.0).astype(float)
    steady = 8000 * db_to_gain(6.0)
    gain = np.delete(out / steady, SAMPLE_RATE // 2)
    peak = SAMPLE_RATE // 2
    assert np.allclose(gain[: peak - LOOK_AHEAD - 1], 1, atol=1e-3) and np.allclose(
        gain[-1000:], 1, atol=1e-3
    )
    assert gain[peak - 1] < 0.6 < gain[peak - LOOK_AHEAD + 10]
    assert np.abs(np.diff(gain)).max() < 0.01


def test_the_next_sound_begins_anew() -> None:
    limiter = Limiter(12.0, -1.0)
    loud, quiet = np.full(5000, 30_000, np.int16), np.full(5000, 1000, np.int16)
    limiter.process(loud, last=True)
    assert np.array_equal(limiter.process(quiet, last=True), limited(quiet, 12.0, -1.0))
