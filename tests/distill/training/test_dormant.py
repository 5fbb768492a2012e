"""Units that have stopped firing begin anew, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from distill.files import read_rows
from distill.training import dormant
from distill.training.checkpoint import load_student
from distill.training.dormant import Units, Watch, due, revive
from distill.training.train import train
from models.layers import ConvNeXtBlock

from ..tone_corpus import OPTIONS, SMALL, train_until, write_tone_corpus

DIM, HIDDEN = 12, 36
SILENT = [3, 20, 35]


class Blocks(nn.Module):
    """Two blocks, of which the second need not run."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = (ConvNeXtBlock(DIM, HIDDEN // DIM, 3) for _ in range(2))

    def forward(self, x: Tensor, mask: Tensor | None = None, both: bool = False) -> Tensor:
        y: Tensor = self.first(x, mask)
        return self.second(y, mask) if both else y


@pytest.fixture
def blocks() -> Iterator[Blocks]:
    torch.manual_seed(4)
    blocks = Blocks()
    with torch.no_grad():
        blocks.first.expand.bias[SILENT] = -1000.0
    yield blocks


def as_lists(units: Units) -> dict[str, list[int]]:
    return {name: found.tolist() for name, found in units.items()}


def test_silent_units_are_found_where_a_block_has_run(blocks: Blocks) -> None:
    watch = Watch(blocks)
    for seed in range(20):
        blocks(torch.randn(4, 30, DIM, generator=torch.Generator().manual_seed(seed)))
    assert as_lists(watch.take_silent()) == {"first": SILENT}
    assert watch.take_silent() == {}  # counted anew


def test_what_fires_outside_a_line_or_while_measured_does_not_count(blocks: Blocks) -> None:
    watch, x, mask = Watch(blocks), torch.zeros(1, 9, DIM), torch.ones(1, 9, 1)
    mask[:, 5:] = 0.0
    with torch.no_grad():
        blocks.first.depthwise.weight.zero_()
        blocks.first.depthwise.weight[:, :, 1] = 1.0
        blocks.first.expand.weight.zero_()
        blocks.first.expand.weight[7, 0] = 1.0
        blocks.first.expand.bias.fill_(-0.5)
        x[:, 7, 0] = 9.0  # fires unit 7, behind the end
        blocks(x)
    blocks(x, mask)
    assert as_lists(watch.take_silent()) == {"first": list(range(HIDDEN))}
    blocks(x)
    assert 7 not in as_lists(watch.take_silent())["first"]


def test_a_unit_that_one_process_has_seen_is_not_silent(blocks: Blocks) -> None:
    watch = Watch(blocks)
    blocks(torch.randn(8, 30, DIM))
    elsewhere = torch.zeros(HIDDEN, dtype=torch.uint8)
    elsewhere[SILENT[0]] = 1
    found = watch.take_silent(lambda fired: torch.maximum(fired, elsewhere))
    assert set(SILENT[1:]) <= set(as_lists(found)["first"]) and SILENT[0] not in as_lists(found)["first"]


def test_revived_units_change_no_result_and_learn_again(blocks: Blocks) -> None:
    optimizer = torch.optim.AdamW(blocks.parameters(), lr=1e-2)
    x, target = torch.randn(4, 30, DIM), torch.randn(4, 30, DIM)
    for _ in range(3):
        optimizer.zero_grad()
        (blocks(x) - target).square().mean().backward()
        optimizer.step()
    average = {key: value.clone() for key, value in blocks.state_dict().items()}
    before = blocks(x).detach()
    assert revive(blocks, {"first": torch.tensor(SILENT)}, optimizer, average, seed=1) == 3
    torch.testing.assert_close(blocks(x).detach(), before)
    for name, part in (("expand.weight", SILENT), ("project.weight", (slice(None), SILENT))):
        parameter = dict(blocks.first.named_parameters())[name]
        assert torch.equal(average[f"first.{name}"][part], parameter.data[part])
        assert not optimizer.state[parameter]["exp_avg"][part].any()
        assert optimizer.state[parameter]["exp_avg"].any()
    watch = Watch(blocks)
    for _ in range(5):
        optimizer.zero_grad()
        (blocks(x) - target).square().mean().backward()
        optimizer.step()
    assert not set(SILENT) & set(as_lists(watch.take_silent())["first"])
    assert blocks.first.project.weight[:, SILENT].abs().max() > 1e-3


def test_revival_stops_before_the_end_of_a_run() -> None:
    assert [step for step in range(1, 2001) if due(step, 2000)] == [250, 500, 750, 1000]


def test_a_killed_run_revives_the_same_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fired before it was killed counts afterwards."""
    monkeypatch.setattr(dormant, "REVIVE_EVERY", 4)
    options = replace(OPTIONS, steps=10, save_every=3)
    corpus = write_tone_corpus(tmp_path / "corpus")
    whole = train(corpus, tmp_path / "whole", options, SMALL)
    train_until(3, corpus, tmp_path / "halves", options, SMALL)
    resumed = train(corpus, tmp_path / "halves", options, SMALL)
    logs = [read_rows(tmp_path / name / "log.jsonl") for name in ("whole", "halves")]
    revived = [[(row["step"], row["units"]) for row in rows if row["kind"] == "revived"] for rows in logs]
    assert revived[0] == revived[1] and [step for step, _ in revived[0]] == [4]
    for key, value in load_student(whole)[0].state_dict().items():
        torch.testing.assert_close(load_student(resumed)[0].state_dict()[key], value, atol=1e-6, rtol=1e-5)
