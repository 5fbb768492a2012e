"""ONNX Runtime behind the contract of every runner."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.bundle.bundle import Bundle
from edge.errors import ConfigError, RunnerError
from edge.runners import EncoderInputs, open_runner
from edge.runners.ort import OnnxRuntimeRunner
from edge.spec import F0_POINTS, FRAME_OUTPUTS, N_FRAME_FEATURES

TINY = Path(__file__).parents[2] / "data" / "tiny_voice"


def encoder_inputs(n: int) -> EncoderInputs:
    rng = np.random.default_rng(n)
    return EncoderInputs(
        rng.integers(0, 732, (1, n)),
        rng.integers(0, 3, (1, n)),
        rng.integers(0, 2, (1, n)),
        np.array([1]),
        np.array([2]),
        np.array([1.0], np.float32),
    )


@pytest.mark.parametrize("n", [1, 3, 60])
def test_shapes_for_any_length(n: int) -> None:
    with open_runner(Bundle.load(TINY), threads=1) as runner:
        outputs = runner.encode(encoder_inputs(n))
        hidden = np.repeat(outputs.hidden, 3, axis=0)[None]
        frames = runner.decode(hidden, np.zeros((1, 3 * n, N_FRAME_FEATURES), np.float32))
    assert outputs.durations.shape == outputs.energy.shape == (n,)
    assert outputs.f0.shape == (n, F0_POINTS)
    assert (outputs.durations >= 0).all()
    assert np.concatenate(frames, axis=1).shape == (3 * n, FRAME_OUTPUTS)


def test_context_of_the_manifest_is_enough() -> None:
    bundle = Bundle.load(TINY)
    context = bundle.manifest.context_frames
    with open_runner(bundle, threads=1) as runner:
        hidden_width = runner.encode(encoder_inputs(1)).hidden.shape[1]
        rng = np.random.default_rng(1)
        hidden = rng.standard_normal((1, 80, hidden_width), dtype=np.float32)
        features = rng.standard_normal((1, 80, N_FRAME_FEATURES), dtype=np.float32)
        whole = np.concatenate(runner.decode(hidden, features), axis=1)
        low, high = 30 - context, 50 + context
        frames = runner.decode(hidden[:, low:high], features[:, low:high])
        window = np.concatenate(frames, axis=1)[context:-context]
    assert np.abs(window - whole[30:50]).max() < 1e-5


def test_threads_do_not_change_the_result() -> None:
    bundle, inputs = Bundle.load(TINY), encoder_inputs(40)
    one, two = (OnnxRuntimeRunner(bundle, threads).encode(inputs) for threads in (1, 2))
    assert np.abs(one.hidden - two.hidden).max() < 1e-5


def test_unknown_runner_lists_the_known() -> None:
    with pytest.raises(ConfigError, match="onnxruntime"):
        open_runner(Bundle.load(TINY), "abacus")


def test_wrong_inputs_are_a_runner_error_with_shapes() -> None:
    with open_runner(Bundle.load(TINY), threads=1) as runner, pytest.raises(RunnerError, match="hidden"):
        runner.decode(np.zeros((1, 5, 3), np.float32), np.zeros((1, 5, N_FRAME_FEATURES), np.float32))


def test_a_graph_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    bundle = Bundle.load(TINY)
    swapped = _Swapped(bundle.path, bundle.manifest, bundle.manifest_sha256, bundle._store)
    with pytest.raises(RunnerError, match="inputs and outputs"):
        OnnxRuntimeRunner(swapped, threads=1)


class _Swapped(Bundle):
    def read(self, name: str) -> bytes:
        return super().read("decoder.onnx" if name == "encoder.onnx" else "encoder.onnx")
