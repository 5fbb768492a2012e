"""Losses: zero on equals, growing with what they are meant to notice."""

import pytest
import torch

from distill.training.losses import ProsodyMasks, SpectralLoss, prosody_loss


def tone(frequency: float, phase: float = 0.0, n: int = 16_384) -> torch.Tensor:
    """A tone over faint noise, which hides the side lobes that depend on phase."""
    noise = 0.01 * torch.randn(n, generator=torch.Generator().manual_seed(0))
    return (0.3 * torch.sin(2 * torch.pi * frequency * torch.arange(n) / 32_000 + phase) + noise)[None]


def test_equal_sounds_have_no_distance() -> None:
    terms = SpectralLoss()(tone(440.0), tone(440.0))
    assert all(float(value) == pytest.approx(0.0, abs=1e-6) for value in terms.values())


def test_phase_is_free_but_pitch_is_not() -> None:
    loss = SpectralLoss()
    shifted, detuned = loss(tone(440.0, phase=1.5), tone(440.0)), loss(tone(550.0), tone(440.0))
    for key in shifted:
        assert shifted[key] < 0.6 * detuned[key], key


def masks(sounding: torch.Tensor, voicing: torch.Tensor, **known: torch.Tensor) -> ProsodyMasks:
    return ProsodyMasks(
        **{"sounding": sounding, "length": sounding, "energy": sounding, **known}, voicing=voicing
    )


def test_prosody_loss_ignores_what_is_masked() -> None:
    target = (torch.tensor([[4.0, 8.0, 1.0]]), torch.full((1, 3, 4), 5.0), torch.zeros(1, 3))
    wrong = (torch.tensor([[4.0, 8.0, 30.0]]), target[1].clone(), target[2].clone())
    wrong[1][0, 2] = 9.0
    known = masks(torch.tensor([[1.0, 1.0, 0.0]]), torch.ones(1, 3, 4))
    assert all(float(v) == 0.0 for v in prosody_loss(wrong, target, known).values())
    doubled = prosody_loss((target[0] * 2, target[1], target[2]), target, known)
    assert float(doubled["duration"]) == pytest.approx(torch.log(torch.tensor(2.0)).item())


def test_length_and_energy_that_are_not_known_count_nothing_but_the_pitch_does() -> None:
    target = (torch.tensor([[4.0, 8.0]]), torch.full((1, 2, 4), 5.0), torch.zeros(1, 2))
    wrong = (torch.tensor([[4.0, 16.0]]), target[1] + 0.1, target[2] + 1.0)
    part = masks(
        torch.ones(1, 2), torch.ones(1, 2, 4), length=torch.tensor([[1.0, 0.0]]), energy=torch.zeros(1, 2)
    )
    terms = prosody_loss(wrong, target, part)
    assert float(terms["duration"]) == 0.0
    assert float(terms["energy"]) == 0.0
    assert float(terms["f0"]) == pytest.approx(0.1, rel=1e-5)


def test_pitch_that_was_not_heard_counts_a_tenth() -> None:
    target = (torch.ones(1, 2), torch.full((1, 2, 4), 5.0), torch.zeros(1, 2))
    known = masks(torch.ones(1, 2), torch.tensor([[[1.0] * 4, [0.0] * 4]]))
    errors = []
    for phoneme in (0, 1):
        f0 = target[1].clone()
        f0[0, phoneme] += 0.5
        errors.append(float(prosody_loss((target[0], f0, target[2]), target, known)["f0"]))
    assert errors[1] == pytest.approx(0.1 * errors[0])
