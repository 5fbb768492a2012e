"""The TensorRT runner end to end, on a GPU of host memory and engines that compute through ONNX Runtime."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.bundle.bundle import Bundle
from edge.errors import RunnerError
from edge.runners import trt
from edge.runners.engines import FILES, EngineSet, EngineStore, buckets, key_of
from edge.runners.ort import OnnxRuntimeRunner
from edge.runners.trt import TensorRtRunner
from edge.runners.vendor import Gpu, TensorRt
from edge.spec import N_FRAME_FEATURES
from edge.synthesizer import SpeechRequest, Synthesizer
from edge.text import FrontEnd
from tests.edge.runners.host_gpu import HostGpu
from tests.edge.runners.ort_engine import library, plan_of
from tests.edge.runners.test_ort import encoder_inputs


@pytest.fixture
def bundle(tiny_voice: Path) -> Bundle:
    return Bundle.load(tiny_voice)


@pytest.fixture
def gpu() -> HostGpu:
    return HostGpu()


@pytest.fixture
def tensorrt(gpu: HostGpu) -> TensorRt:
    return library(gpu.submit)


def write_engines(bundle: Bundle, tensorrt: TensorRt, root: Path, gpu: Gpu | None = None) -> EngineSet:
    """What ``sovits-quantize build`` leaves behind, with plans of the double."""
    store = EngineStore(root, bundle.manifest.name)
    limits = buckets(bundle.manifest)
    key = key_of(bundle, tensorrt, gpu or Gpu("Orin", 87), {"buckets": limits})
    with store.adding(key) as folder:
        plans = {graph: plan_of(bundle.read(graph), limits[graph]) for graph in FILES}
        for graph, plan in plans.items():
            (folder / FILES[graph]).write_bytes(plan)
        hashes = {graph: hashlib.sha256(plan).hexdigest() for graph, plan in plans.items()}
        store.describe(folder, key, {"sha256": hashes})
    engines = store.built(key)
    assert engines is not None
    store.activate(engines)
    return engines


@pytest.fixture
def engines(bundle: Bundle, tensorrt: TensorRt, tmp_path: Path) -> EngineSet:
    return write_engines(bundle, tensorrt, tmp_path / trt.ENGINES_FOLDER)


@pytest.fixture
def runner(engines: EngineSet, tensorrt: TensorRt, gpu: HostGpu) -> Iterator[TensorRtRunner]:
    with TensorRtRunner(engines, tensorrt, gpu, gpu) as runner:  # type: ignore[arg-type]
        assert isinstance(runner, TensorRtRunner)
        yield runner


def test_every_length_of_every_bucket_is_what_onnx_runtime_says(
    bundle: Bundle, runner: TensorRtRunner
) -> None:
    rng = np.random.default_rng(3)
    with OnnxRuntimeRunner(bundle, 1) as reference:
        for n in (1, 2, 32, 33, 80, 81, 144, 5):
            ours, theirs = runner.encode(encoder_inputs(n)), reference.encode(encoder_inputs(n))
            for name in ("durations", "f0", "energy", "hidden"):
                assert np.array_equal(getattr(ours, name), getattr(theirs, name)), (n, name)
        width = theirs.hidden.shape[1]
        for n in (1, 31, 32, 33, 38, 39, 63, 12, 12, 12, 12, 7):
            hidden = rng.standard_normal((1, n, width), dtype=np.float32)
            features = rng.standard_normal((1, n, N_FRAME_FEATURES), dtype=np.float32)
            decoded = [np.concatenate(each.decode(hidden, features), axis=1) for each in (runner, reference)]
            assert np.array_equal(*decoded), n


def test_the_voice_speaks_as_through_onnx_runtime(
    bundle: Bundle, runner: TensorRtRunner, gpu: HostGpu
) -> None:
    ours = Synthesizer(bundle, runner, FrontEnd())
    theirs = Synthesizer(bundle, OnnxRuntimeRunner(bundle, 1), FrontEnd())
    ours.warm_up()
    request = SpeechRequest(
        "The stage is yours. Speak slowly, and let every word be heard by all of them.", "noah"
    )
    assert np.array_equal(ours.synthesize(request).audio, theirs.synthesize(request).audio)
    assert gpu.launches > 0, "windows of one size follow each other: they are replayed"
    theirs.close()


def test_one_thread_uses_the_gpu_whoever_calls(runner: TensorRtRunner, gpu: HostGpu) -> None:
    results: list[np.ndarray] = []

    def call() -> None:
        results.append(runner.encode(encoder_inputs(9)).hidden)

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(results) == 4 and all(np.array_equal(results[0], result) for result in results)
    assert len(gpu.threads) == 1 and not gpu.threads & {caller.name for caller in callers}


def test_results_outlive_the_next_run(runner: TensorRtRunner) -> None:
    first = runner.encode(encoder_inputs(9))
    kept = first.hidden.copy()
    runner.encode(encoder_inputs(10))
    assert np.array_equal(first.hidden, kept)


def test_closing_gives_everything_back(engines: EngineSet, tensorrt: TensorRt, gpu: HostGpu) -> None:
    for _ in range(3):
        with TensorRtRunner(engines, tensorrt, gpu, gpu) as runner:  # type: ignore[arg-type]
            for _ in range(4):
                runner.encode(encoder_inputs(9))
            assert gpu.memory and gpu.contexts == 1 and gpu.graphs == 1
        assert (len(gpu.memory), gpu.contexts, gpu.graphs) == (0, 0, 0)


def test_a_gpu_without_room_is_one_line_and_leaves_nothing(engines: EngineSet) -> None:
    gpu = HostGpu(total_bytes=10_000)
    with pytest.raises(RunnerError, match="out of memory"):
        TensorRtRunner(engines, library(gpu.submit), gpu, gpu)  # type: ignore[arg-type]
    assert (len(gpu.memory), gpu.contexts) == (0, 0)


def test_where_nothing_can_be_recorded_everything_is_run(
    engines: EngineSet, gpu: HostGpu, tensorrt: TensorRt, caplog: pytest.LogCaptureFixture
) -> None:
    gpu.refuse_capture = True
    with TensorRtRunner(engines, tensorrt, gpu, gpu) as runner:  # type: ignore[arg-type]
        first, *others = [runner.encode(encoder_inputs(9)).hidden for _ in range(4)]
    assert all(np.array_equal(first, other) for other in others)
    assert caplog.text.count("without CUDA graphs") == 1 and gpu.launches == 0


def test_a_record_is_dropped_with_the_shapes_it_was_made_for(runner: TensorRtRunner, gpu: HostGpu) -> None:
    for n in (9, 9, 9, 12, 12, 12, 9):
        runner.encode(encoder_inputs(n))
    assert gpu.launches == 4 and gpu.graphs == 0  # the second and third of each; none is left for 9


def test_too_long_names_the_limit(runner: TensorRtRunner) -> None:
    with pytest.raises(RunnerError, match="up to 144 steps, not 145"):
        runner.encode(encoder_inputs(145))
    runner.encode(encoder_inputs(9))  # still alive


@pytest.mark.parametrize("damage", [b"", b"nothing that TensorRT wrote"])
def test_a_damaged_engine_is_refused(
    engines: EngineSet, tensorrt: TensorRt, gpu: HostGpu, damage: bytes
) -> None:
    file = engines.path / FILES["decoder.onnx"]
    file.write_bytes(damage)
    with pytest.raises(RunnerError, match="is damaged; build it again"):
        TensorRtRunner(engines, tensorrt, gpu, gpu)  # type: ignore[arg-type]
    engines.facts["sha256"]["decoder.onnx"] = hashlib.sha256(damage).hexdigest()
    with pytest.raises(RunnerError, match=r"cannot be loaded: .*Magic tag.*build it again"):
        TensorRtRunner(engines, tensorrt, gpu, gpu)  # type: ignore[arg-type]
    assert (len(gpu.memory), gpu.contexts) == (0, 0)


def test_engines_of_another_graph_are_refused(engines: EngineSet, tensorrt: TensorRt, gpu: HostGpu) -> None:
    encoder, decoder = (engines.path / file for file in FILES.values())
    decoder.write_bytes(encoder.read_bytes())
    hashes = engines.facts["sha256"]
    hashes["decoder.onnx"] = hashes["encoder.onnx"]
    with pytest.raises(RunnerError, match="has the tensors"):
        TensorRtRunner(engines, tensorrt, gpu, gpu)  # type: ignore[arg-type]


def test_opening_wants_engines_of_this_bundle_and_machine(
    bundle: Bundle, gpu: HostGpu, tensorrt: TensorRt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trt, "load_tensorrt", lambda: tensorrt)
    monkeypatch.setattr(trt, "load_pycuda", lambda: gpu)
    monkeypatch.setattr(trt, "_graph_api", lambda: gpu)
    with pytest.raises(RunnerError, match=r"no engines for tensorrt 10.3.0 on Orin; build them with sovits-"):
        trt.open_bundle(bundle, 2, tmp_path)
    write_engines(bundle, tensorrt, tmp_path / trt.ENGINES_FOLDER, Gpu("Thor", 110))
    with pytest.raises(RunnerError, match="no engines"):
        trt.open_bundle(bundle, 2, tmp_path)
    write_engines(bundle, tensorrt, tmp_path / trt.ENGINES_FOLDER)
    with trt.open_bundle(bundle, 2, tmp_path) as runner:
        runner.encode(encoder_inputs(3))
    gpu.no_device = True
    with pytest.raises(RunnerError, match="no usable NVIDIA GPU"):
        trt.open_bundle(bundle, 2, tmp_path)
