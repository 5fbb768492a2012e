from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from benchmarks.harness import interleave, percentile, summarize
from benchmarks.lines import chinese


def test_percentiles_are_samples() -> None:
    samples = [float(n) for n in range(1, 101)]
    random.Random(3).shuffle(samples)
    assert [percentile(samples, percent) for percent in (0, 1, 50, 95, 99, 100)] == [1, 1, 50, 95, 99, 100]
    assert percentile([7.0], 99) == 7.0


def test_no_samples_is_an_error() -> None:
    with pytest.raises(ValueError, match="measure at least once"):
        percentile([], 50)


def test_a_measure_keeps_what_tells_it_apart() -> None:
    measure = summarize("rtf", "1", {"threads": 2}, [0.0123456, 0.02, 0.03])
    assert (measure.n, measure.low, measure.p50, measure.p99, measure.high) == (3, 0.01235, 0.02, 0.03, 0.03)
    assert measure.to_dict()["variant"] == {"threads": 2}


def test_variants_take_turns_in_changing_order() -> None:
    calls: list[str] = []

    def sampler(name: str, value: float) -> Callable[[], float]:
        def sample() -> float:
            calls.append(name)
            return value

        return sample

    variants = [
        ({"name": name}, sampler(name, value)) for name, value in (("a", 1.0), ("b", 2.0), ("c", 3.0))
    ]
    taken = interleave(variants, repeats=10, warm_up=2)
    rounds = [tuple(calls[index : index + 3]) for index in range(0, len(calls), 3)]
    assert len(rounds) == 12 and all(sorted(turn) == ["a", "b", "c"] for turn in rounds)
    assert len(set(rounds)) > 1
    assert taken == [({"name": "a"}, [1.0] * 10), ({"name": "b"}, [2.0] * 10), ({"name": "c"}, [3.0] * 10)]


@pytest.mark.parametrize("n_characters", [5, 20, 80])
def test_lines_have_the_length_that_the_table_states(n_characters: int) -> None:
    choose = random.Random(1)
    lines = {chinese(n_characters, choose) for _ in range(50)}
    assert {len(line) for line in lines} == {n_characters}
    assert len(lines) > 20
