"""Phoneme prosody onto the frame grid."""

from __future__ import annotations

import numpy as np
import pytest

from edge.prosody import (
    MAX_DRIFT,
    f0_at_edges,
    frame_features,
    plan_frames,
    sounded_mask,
    whole_durations,
)
from edge.text.expression import Shape

RNG = np.random.default_rng(5)


def test_only_pitch_marks_take_no_time() -> None:
    assert sounded_mask(["SP", "k", "[", "a", "]", "."]).tolist() == [True, True, False, True, False, True]


def test_a_phoneme_is_rounded_for_itself_while_the_sum_allows() -> None:
    durations = RNG.uniform(1.0, 9.0, 200)
    whole = whole_durations(durations, np.ones(200, bool))
    assert np.abs(np.cumsum(whole) - np.cumsum(durations)).max() <= MAX_DRIFT
    assert np.mean(whole == np.rint(durations)) > 0.9


@pytest.mark.parametrize("length", [2.4, 2.6, 3.49, 0.3])
def test_equal_durations_do_not_drift_away(length: float) -> None:
    durations = np.array([length] * 100 + [4.0] * 40)
    whole = whole_durations(durations, np.ones(140, bool))
    assert abs(whole.sum() - durations.sum()) <= MAX_DRIFT
    assert whole[:100].min() >= 1


def test_short_phonemes_get_one_frame_and_marks_none() -> None:
    sounded = np.array([True, True, False, True, True, True])
    whole = whole_durations(np.array([0.1, 0.0, 5.0, 0.2, 0.1, 7.0]), sounded)
    assert whole[[0, 1, 3, 4]].tolist() == [1, 1, 1, 1]
    assert whole[2] == 0
    assert whole.sum() == 9  # 7.4 in all, and what is more than two frames off comes off the long one


@pytest.mark.parametrize("rate", [0.5, 1.0, 2.0])
def test_rate_scales_the_length_of_the_phrase(rate: float) -> None:
    durations = RNG.uniform(3.0, 9.0, 50)
    whole = whole_durations(durations, np.ones(50, bool), rate)
    assert abs(whole.sum() - durations.sum() / rate) <= MAX_DRIFT


def test_f0_passes_through_its_targets() -> None:
    log_f0 = np.log(np.array([[100.0, 110, 120, 130], [200, 190, 180, 170]]))
    edges = f0_at_edges(log_f0, np.array([8, 8]))
    assert edges.shape == (17,)
    assert np.allclose(edges[[1, 3, 5, 7, 9, 11, 13, 15]], [100, 110, 120, 130, 200, 190, 180, 170])
    assert edges[0] == edges[1]  # held before the first target
    assert np.isclose(edges[8], np.sqrt(130 * 200))  # linear in ln(Hz) in between


def test_phonemes_without_time_have_no_pitch_target() -> None:
    log_f0 = np.log(np.array([[100.0] * 4, [900.0] * 4, [100.0] * 4]))
    assert np.allclose(f0_at_edges(log_f0, np.array([4, 0, 4])), 100.0)


def test_an_octave_is_twelve_semitones_and_absurd_pitch_is_bounded() -> None:
    log_f0 = np.full((3, 4), np.log(150.0))
    durations = np.array([3, 3, 3])
    assert np.allclose(f0_at_edges(log_f0, durations, 12.0), 300.0)
    assert f0_at_edges(log_f0 + 50.0, durations).max() <= 1200.0


def test_features_of_a_two_phoneme_phrase() -> None:
    edges = np.full(21, np.exp(5.3))
    features = frame_features(np.array([2, 18]), edges, np.array([0.25, -1.0], np.float32))
    assert features.shape == (20, 6)
    assert np.allclose(features[:2, 0], [0.25, 0.75])
    assert np.allclose(features[:2, 1], [0.0, 1 / 8])
    assert np.allclose(features[:2, 2], [1 / 8, 0.0])
    assert np.allclose(features[2, 2], 15 / 8)  # 17 frames to the end, told as 15
    assert np.allclose(features[:2, 3], np.log(2) / 2)
    assert np.allclose(features[:, 4], 0.0, atol=1e-6)
    assert features[:, 5].tolist() == [0.25] * 2 + [-1.0] * 18


def test_plan_agrees_with_itself() -> None:
    sounded = sounded_mask(["SP", "n", "i3", "."])
    plan = plan_frames(np.array([2.2, 4.1, 9.7, 3.0]), np.full((4, 4), 5.0), np.zeros(4), sounded, rate=1.3)
    assert plan.n_frames == plan.durations.sum() == len(plan.f0_edges) - 1
    assert plan.features.shape == (1, plan.n_frames, 6)
    assert plan.features.dtype == np.float32


def test_a_shape_stretches_and_lifts_its_phonemes_alone() -> None:
    sounded = sounded_mask(["SP", "n", "i3", "."])
    given = np.array([2.0, 4.0, 10.0, 3.0]), np.full((4, 4), 5.0), np.zeros(4)
    plain = plan_frames(*given, sounded)
    shaped = plan_frames(
        *given, sounded, shape=Shape((1.0, 1.0, 2.0, 1.0), (0.0, 0.0, 12.0, 0.0), (0.0,) * 4)
    )
    assert (shaped.durations - plain.durations).tolist() == [0, 0, 10, 0]
    assert np.isclose(shaped.f0_edges[16], 2 * plain.f0_edges[10])
    assert np.isclose(shaped.f0_edges[1], plain.f0_edges[1])


def test_a_shape_lets_a_phoneme_rise_from_its_beginning() -> None:
    sounded = sounded_mask(["SP", "a2", "?"])
    given = np.array([2.0, 20.0, 2.0]), np.full((3, 4), 5.0), np.zeros(3)
    plain = plan_frames(*given, sounded)
    risen = plan_frames(*given, sounded, shape=Shape((1.0,) * 3, (0.0,) * 3, (0.0, 8.0, 0.0)))
    semitones = 12 * np.log2(risen.f0_edges / plain.f0_edges)
    assert np.isclose(semitones[12], 4.0, atol=1e-6)  # its middle
    assert np.isclose(semitones[19] - semitones[5], 8.0 * 14 / 20, atol=0.2)
    assert abs(semitones[0]) < 1e-6
