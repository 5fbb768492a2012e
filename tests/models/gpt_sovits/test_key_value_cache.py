"""The memory of keys and values: what was written is read back, also after it grew and rows left."""

from __future__ import annotations

import torch

from models.gpt_sovits.key_value_cache import BLOCK, KeyValueCache, close_gaps


def fill(cache: KeyValueCache, keys: torch.Tensor) -> None:
    """Write keys (layers, B, H, T, D), and their negative as values."""
    cache.reserve(keys.shape[3])
    for layer, each in enumerate(keys):
        cache.append(layer, each, -each)
    cache.advance(keys.shape[3])


def test_growth_keeps_what_was_there_and_comes_in_blocks() -> None:
    cache = KeyValueCache(n_layers=2, n_rows=3, n_heads=2, head_dim=4, like=torch.zeros(1))
    keys = torch.randn(2, 3, 2, BLOCK + 5, 4)
    fill(cache, keys[:, :, :, :BLOCK])
    assert cache.capacity == BLOCK
    for at in range(BLOCK, BLOCK + 5):
        fill(cache, keys[:, :, :, at : at + 1])
    assert (cache.length, cache.capacity) == (BLOCK + 5, 2 * BLOCK)
    for layer in range(2):
        stored_keys, stored_values = cache.layer(layer)
        assert torch.equal(stored_keys, keys[layer])
        assert torch.equal(stored_values, -keys[layer])


def test_a_step_sees_the_positions_before_it_and_itself() -> None:
    cache = KeyValueCache(1, 1, 1, 2, torch.zeros(1))
    fill(cache, torch.ones(1, 1, 1, 3, 2))
    cache.reserve(1)
    keys, values = cache.append(0, torch.full((1, 1, 1, 2), 7.0), torch.full((1, 1, 1, 2), 8.0))
    assert keys[0, 0, :, 0].tolist() == [1, 1, 1, 7]
    assert values[0, 0, :, 0].tolist() == [-1, -1, -1, 8]


def test_rows_that_are_done_leave() -> None:
    cache = KeyValueCache(2, 5, 1, 2, torch.zeros(1))
    keys = torch.randn(2, 5, 1, 4, 2)
    fill(cache, keys)
    order = close_gaps([True, False, False, True, False])
    assert order == [4, 1, 2]
    cache.keep(order)
    assert torch.equal(cache.layer(1)[0], keys[1][[4, 1, 2]])
    more = torch.randn(2, 3, 1, 1, 2)
    fill(cache, more)
    assert torch.equal(cache.layer(0)[0], torch.cat([keys[0][[4, 1, 2]], more[0]], dim=2))


def test_gaps_are_closed_from_behind_for_every_pattern() -> None:
    for pattern in range(1 << 7):
        is_done = [bool(pattern >> bit & 1) for bit in range(7)]
        order = close_gaps(is_done)
        assert sorted(order) == [row for row in range(7) if not is_done[row]]
        # A row moves only into the place of one that is done, so no copy destroys another.
        assert all(new == old or is_done[new] for new, old in enumerate(order))
