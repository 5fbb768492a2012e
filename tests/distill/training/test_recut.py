"""Cutting with usual lengths, against enumeration of every cut and every change of state."""

import itertools

import numpy as np
import pytest

from distill.training.recut import LONG_ENOUGH, PAUSES, WEIGHT, Cut, UsualLengths, recut

A, B, C = 400, 401, 402  # phonemes that are no pauses
PAUSE = min(PAUSES)


def spoken(*lines: tuple[list[int], list[int]]) -> UsualLengths:
    return UsualLengths(Cut(0, phonemes, np.array(steps)) for phonemes, steps in lines)


def all_cuts(n_frames: int, n_phonemes: int):
    for bounds in itertools.combinations(range(1, n_frames), n_phonemes - 1):
        steps = np.diff((0, *bounds, n_frames))
        if steps.min() >= 3:
            yield steps


def sound_of(log_likelihood: np.ndarray, steps: np.ndarray) -> float:
    """Likelihood of a cut with each phoneme's changes of state at their best places."""
    total, start = 0.0, 0
    for k, n in enumerate(steps):
        first, second, third = log_likelihood[start : start + n, 3 * k : 3 * k + 3].T
        changes = itertools.combinations(range(1, n), 2)
        total += max(first[:a].sum() + second[a:b].sum() + third[b:].sum() for a, b in changes)
        start += n
    return total


@pytest.mark.parametrize("seed", range(5))
def test_the_most_likely_of_all_cuts_is_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    phonemes = [A, PAUSE, B, C]
    heard = rng.normal(0.0, 30.0, (16, 12)).astype(np.float32)
    usual = spoken(([A, B, C], [3, 5, 4]), ([A, B, C], [4, 3, 2]), ([A, B, C], [3, 6, 3]))
    scores = usual.scores(0, phonemes, 16)

    def worth(steps: np.ndarray) -> float:
        if any(n - 3 >= len(score) for n, score in zip(steps, scores, strict=True)):
            return -np.inf
        return sound_of(heard, steps) + sum(s[n - 3] for n, s in zip(steps, scores, strict=True))

    best = max(all_cuts(16, 4), key=worth)
    found = recut(heard, Cut(0, phonemes, np.array([3, 3, 3, 7])), usual)
    assert found.steps.tolist() == best.tolist()
    assert (found.voice, found.phoneme_ids) == (0, phonemes)


def test_sound_that_decides_nothing_leaves_it_to_the_lengths() -> None:
    usual = spoken(*[([A, B], [10, 5])] * 40)
    found = recut(np.zeros((15, 6), np.float32), Cut(0, [A, B], np.array([3, 12])), usual)
    assert abs(found.steps[0] - 10) <= 1 and found.steps.sum() == 15


def test_sound_that_is_clear_is_believed() -> None:
    heard = np.zeros((15, 6), np.float32)
    heard[:5, 3:] = heard[5:, :3] = -1000.0
    usual = spoken(*[([A, B], [10, 5])] * 40)
    assert recut(heard, Cut(0, [A, B], np.array([7, 8])), usual).steps.tolist() == [5, 10]


def test_a_pause_may_have_any_length() -> None:
    usual = spoken(*[([A, PAUSE], [6, 3])] * 40)
    assert not usual.scores(0, [PAUSE], 300)[0].any()
    found = recut(np.zeros((300, 6), np.float32), Cut(0, [A, PAUSE], np.array([3, 297])), usual)
    assert found.steps[1] > 280


def test_a_line_too_long_for_its_phonemes_stays_as_it_was_cut() -> None:
    usual = spoken(*[([A, B], [3, 3])] * 40)
    first = Cut(0, [A, B], np.array([50, 50]))
    assert recut(np.zeros((100, 6), np.float32), first, usual) is first


def test_a_voice_that_said_a_phoneme_once_learns_from_the_others() -> None:
    often = [Cut(0, [A], np.array([20]))] * 50
    usual = UsualLengths([*often, Cut(1, [A], np.array([3]))])
    score = usual.scores(1, [A], 40)[0]
    assert 8 < score.argmax() + 3 <= 20  # five cuts of the others weigh more than its own one
    assert len(score) >= LONG_ENOUGH - 2


def test_scores_are_weighted_log_normal() -> None:
    usual = spoken(*[([A], [n]) for n in (6, 8, 10, 12, 15)])
    logs = np.log([6, 8, 10, 12, 15])
    centre = np.median(logs)
    spread = max(0.2, 1.4826 * np.median(np.abs(logs - centre)))
    expected = WEIGHT * (-0.5 * ((np.log(9) - centre) / spread) ** 2 - np.log(9))
    assert usual.scores(0, [A], 30)[0][9 - 3] == pytest.approx(expected)
