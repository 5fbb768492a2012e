"""Alignment sums and searches against enumeration of every path."""

import itertools

import torch

from models.aligner import Aligner, best_path, forward_sum


def all_paths(n_frames: int, n_states: int):
    """Every way to spend at least one frame in each state, as frame counts."""
    for cuts in itertools.combinations(range(1, n_frames), n_states - 1):
        edges = (0, *cuts, n_frames)
        yield [b - a for a, b in itertools.pairwise(edges)]


def path_score(log_likelihood: torch.Tensor, counts: list[int]) -> torch.Tensor:
    states = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    return log_likelihood[torch.arange(len(states)), states].sum()


def test_forward_sum_counts_every_path_once() -> None:
    torch.manual_seed(0)
    scores = torch.randn(2, 7, 4)
    n_frames, n_states = torch.tensor([7, 5]), torch.tensor([4, 3])
    total = forward_sum(scores, n_frames, n_states)
    for row in range(2):
        t, s = int(n_frames[row]), int(n_states[row])
        expected = torch.logsumexp(torch.stack([path_score(scores[row], p) for p in all_paths(t, s)]), 0)
        torch.testing.assert_close(total[row], expected)


def test_best_path_is_the_best_of_all() -> None:
    torch.manual_seed(1)
    scores = torch.randn(3, 8, 4)
    n_frames, n_states = torch.tensor([8, 6, 4]), torch.tensor([4, 3, 4])
    found = best_path(scores, n_frames, n_states)
    for row in range(3):
        t, s = int(n_frames[row]), int(n_states[row])
        best = max(all_paths(t, s), key=lambda p: float(path_score(scores[row], p)))
        assert found[row].tolist() == best


def test_likelihood_is_a_gaussian() -> None:
    torch.manual_seed(2)
    aligner = Aligner(n_vocab=5, n_voices=2, n_mels=3)
    ids, voices, mel = torch.tensor([[1, 2]]), torch.tensor([1]), torch.randn(1, 6, 3)
    with torch.no_grad():
        aligner.log_std.copy_(torch.tensor([0.1, -0.4, 0.3]))
        scores = aligner(ids, voices, mel)
        assert scores.shape == (1, 6, 6)
        difference = scores[0, 0, 0] - scores[0, 1, 0]
        own = aligner.phoneme(ids) + aligner.voice(voices)[:, None]
        x = torch.relu(aligner.hidden(torch.relu(own)))
        mean = aligner.mean(x).reshape(1, 6, 3)[0, 0]
        normal = torch.distributions.Normal(mean, aligner.log_std.exp())
        expected = normal.log_prob(mel[0, 0]).sum() - normal.log_prob(mel[0, 1]).sum()
    torch.testing.assert_close(difference, expected, atol=1e-4, rtol=1e-4)
