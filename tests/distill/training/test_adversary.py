"""The adversary learns to tell two kinds of sound apart, and tells the student which way to go."""

import torch
from torch import Tensor

from distill.training.adversary import Adversary
from models.discriminator import judged_real

SAMPLES = 8192
STEPS = 120


def noise(tilt: float, seed: int) -> Tensor:
    """(4, SAMPLES) of noise at speech level, whose spectrum falls with ``tilt``."""
    generator = torch.Generator().manual_seed(seed)
    spectrum = torch.fft.rfft(torch.randn(4, SAMPLES, generator=generator))
    shape = torch.linspace(1e-2, 1.0, spectrum.shape[1]) ** -tilt
    sound = torch.fft.irfft(spectrum * shape, n=SAMPLES)
    return 0.05 * sound / sound.std()


def test_it_learns_to_tell_two_sounds_apart() -> None:
    torch.manual_seed(0)
    adversary = Adversary(torch.device("cpu"))
    surprised = [
        adversary(noise(1.0, 2 * k), noise(0.0, 2 * k + 1))["adversarial"].item() for k in range(STEPS)
    ]
    assert surprised[-1] > 0.6  # the student's sound is surely found out
    with torch.no_grad():
        teachers = judged_real(adversary.discriminator(noise(0.0, 1000))).item()
    assert teachers < 0.1  # and the teacher's, which it has not heard, is taken for what it is


def test_following_its_gradient_brings_the_sound_nearer() -> None:
    torch.manual_seed(0)
    adversary = Adversary(torch.device("cpu"))
    for k in range(STEPS):
        adversary(noise(1.0, 2 * k), noise(0.0, 2 * k + 1))
    tilt = torch.tensor(1.0, requires_grad=True)
    spectrum = torch.fft.rfft(noise(0.0, 7))
    bins = torch.linspace(1e-2, 1.0, spectrum.shape[1])
    sound = torch.fft.irfft(spectrum * bins**-tilt, n=SAMPLES)
    terms = adversary(0.05 * sound / sound.detach().std(), noise(0.0, 8))
    (terms["adversarial"] + terms["features"]).backward()
    assert tilt.grad is not None and tilt.grad > 0  # less tilt, as the teacher has it


def test_it_leaves_no_gradient_for_the_student_from_its_own_learning() -> None:
    adversary = Adversary(torch.device("cpu"))
    output = noise(1.0, 0).requires_grad_(True)
    adversary(output, noise(0.0, 1))
    assert output.grad is None
    assert all(p.requires_grad for p in adversary.discriminator.parameters())
