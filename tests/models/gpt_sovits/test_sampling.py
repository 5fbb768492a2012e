"""The order of penalty, top-p, temperature and top-k, by hand."""

from __future__ import annotations

import math

import pytest
import torch

from models.gpt_sovits.sampling import SamplingOptions, draw, penalize, probabilities


def logs(*shares: float) -> torch.Tensor:
    """Logits whose softmax is these shares."""
    return torch.tensor([[math.log(share) for share in shares]])


def test_the_penalty_makes_seen_tokens_less_likely_whatever_their_sign() -> None:
    logits = torch.tensor([[2.0, -2.0, 2.0, -2.0]])
    seen = torch.tensor([[True, True, False, False]])
    assert penalize(logits, seen, 2.0).tolist() == [[1.0, -4.0, 2.0, -2.0]]


def test_top_p_drops_what_goes_beyond_the_share_but_never_the_best() -> None:
    shares = logs(0.1, 0.5, 0.25, 0.15)
    kept = probabilities(shares, SamplingOptions(top_p=0.8, top_k=4))
    torch.testing.assert_close(kept, torch.tensor([[0.0, 2 / 3, 1 / 3, 0.0]]))
    best = probabilities(shares, SamplingOptions(top_p=0.2, top_k=4))
    assert best.tolist() == [[0.0, 1.0, 0.0, 0.0]]


def test_top_p_looks_before_the_temperature() -> None:
    hot = probabilities(logs(0.5, 0.25, 0.15, 0.1), SamplingOptions(top_p=0.8, temperature=2.0, top_k=4))
    first, second = math.sqrt(2.0), 1.0  # shares of the two that stay, to the power of 1/2
    expected = torch.tensor([[first, second, 0.0, 0.0]]) / (first + second)
    torch.testing.assert_close(hot, expected)


def test_top_k_keeps_ties_with_the_weakest() -> None:
    kept = probabilities(logs(0.4, 0.2, 0.2, 0.2), SamplingOptions(top_k=2))
    assert (kept > 0).all()
    kept = probabilities(logs(0.4, 0.3, 0.2, 0.1), SamplingOptions(top_k=2))
    torch.testing.assert_close(kept, torch.tensor([[4 / 7, 3 / 7, 0.0, 0.0]]))


def test_no_temperature_is_greedy() -> None:
    kept = probabilities(logs(0.4, 0.35, 0.25), SamplingOptions(temperature=0.0, top_k=3))
    assert kept.tolist() == [[1.0, 0.0, 0.0]]


def test_draws_follow_the_distribution() -> None:
    shares = torch.tensor([[0.6, 0.3, 0.1, 0.0]])
    generator = torch.Generator().manual_seed(1)
    drawn = torch.cat([draw(shares, [generator]) for _ in range(3000)])
    counts = torch.bincount(drawn, minlength=4) / 3000
    torch.testing.assert_close(counts, shares[0], atol=0.03, rtol=0)  # three standard deviations
    assert counts[3] == 0


def test_a_row_draws_from_its_own_generator() -> None:
    shares = torch.full((3, 50), 0.02)
    seeds = [torch.Generator().manual_seed(seed) for seed in (1, 2, 3)]
    together = draw(shares, seeds)
    alone = draw(shares[:1], [torch.Generator().manual_seed(2)])
    assert together[1] == alone[0]
    assert len(set(together.tolist())) > 1


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"top_k": 0}, "top_k is 0; give a whole number of at least 1"),
        ({"top_p": 0.0}, "top_p is 0.0"),
        ({"top_p": 1.5}, "top_p is 1.5"),
        ({"temperature": -1.0}, "temperature is -1.0"),
        ({"repetition_penalty": 0.0}, "repetition_penalty is 0.0"),
        ({"max_steps": 0}, "max_steps is 0"),
    ],
)
def test_options_that_mean_nothing_are_refused(values: dict[str, float], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        SamplingOptions(**values)  # type: ignore[arg-type]
