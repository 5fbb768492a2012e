"""Which lines a step sees depends on the step alone, however many processes put batches together."""

from dataclasses import replace

import pytest
import torch

from distill.training.batches import Batches, BatchPlan, enough_loaders, in_order
from distill.training.objective import Batch
from distill.training.train import TrainOptions, load_data

from ..tone_corpus import write_tone_corpus

PLAN = BatchPlan(lines=2, prosody_steps=2, window=16, seed=3, rank=0)


@pytest.fixture(scope="module")
def batches(tmp_path_factory: pytest.TempPathFactory) -> Batches:
    folder = tmp_path_factory.mktemp("tones")
    data = load_data(write_tone_corpus(folder), folder / "run", TrainOptions(align_epochs=1, workers=1))
    return Batches(data.train, PLAN)


def same(one: Batch, other: Batch) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[key]) for key, value in one.items())


@pytest.mark.parametrize("loaders", [0, 1, 2])
def test_other_processes_give_the_same_batches_in_the_same_order(batches: Batches, loaders: int) -> None:
    given = list(in_order(batches, range(1, 7), loaders))
    assert len(given) == 6
    assert all(same(batch, batches[step]) for step, batch in enumerate(given, start=1))


def test_steps_differ_and_prosody_alone_gets_twice_the_lines(batches: Batches) -> None:
    sizes = [len(batches[step]["energy"]) for step in range(4)]
    assert sizes == [4, 4, 2, 2]
    assert not same(batches[2], batches[3])


def test_lines_without_sound_come_besides_and_change_no_other(batches: Batches) -> None:
    told = [replace(example, energy=None) for example in batches._examples]
    more = Batches(batches._examples, replace(PLAN, told=3), told)
    for step in (0, 2):
        alone, together = batches[step], more[step]
        n = len(alone["audio"])
        assert len(together["energy"]) == n + 3
        assert torch.equal(together["phoneme_ids"][:n], alone["phoneme_ids"])
        assert together["energy_mask"][:n].any() and not together["energy_mask"][n:].any()
        assert same(together, more[step])


def test_processes_of_a_run_see_different_lines(batches: Batches) -> None:
    other = Batches(batches._examples, BatchPlan(2, 2, 16, 3, rank=1))
    assert not all(same(batches[step], other[step]) for step in range(2, 6))


def test_only_a_gpu_is_given_processes_of_its_own() -> None:
    assert enough_loaders(torch.device("cpu")) == 0
    assert 1 <= enough_loaders(torch.device("cuda")) <= 8
