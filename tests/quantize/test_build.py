"""Engine builder against the real parser and compiler of TensorRT-RTX; no GPU is needed to build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge.bundle.bundle import Bundle
from edge.errors import RunnerError
from edge.runners.cuda import GraphApi
from edge.runners.engines import FILES, EngineSet, EngineStore, buckets
from edge.runners.trt import TensorRtRunner
from edge.runners.vendor import Gpu, TensorRt, load_tensorrt
from quantize.build import BuildOptions, EngineBuilder
from quantize.device import golden_check
from tests.conftest import BUILTIN_VOICE, TINY_VOICE
from tests.edge.runners.host_gpu import HostGpu
from tests.edge.runners.ort_engine import library as ort_library

pytestmark = pytest.mark.tensorrt
ADA = Gpu("", 89)


@pytest.fixture(scope="module")
def tensorrt() -> TensorRt:
    return load_tensorrt()


def builder(tensorrt: TensorRt, root: Path, gpu: Gpu = ADA, **flags: int) -> EngineBuilder:
    return EngineBuilder(tensorrt, gpu, root, BuildOptions(**flags))


@pytest.mark.parametrize(
    "voice", [TINY_VOICE, pytest.param(BUILTIN_VOICE, marks=pytest.mark.voice)], ids=lambda path: path.name
)
def test_both_graphs_build_and_wait_for_a_gpu(tensorrt: TensorRt, tmp_path: Path, voice: Path) -> None:
    bundle, phases = Bundle.load(voice), []
    engines = builder(tensorrt, tmp_path).build(
        bundle, progress=lambda phase, step, steps: not phases.append((phase, step, steps))
    )
    for graph in FILES:
        assert engines.plan(graph)[:4] == b"vtrt" and len(engines.plan(graph)) > 100_000
    assert engines.facts["bytes"] == {graph: len(engines.plan(graph)) for graph in FILES}
    assert len(phases) > 100 and all(0 <= step < steps for _, step, steps in phases)
    assert EngineStore(tmp_path, bundle.manifest.name).current() is None
    again = builder(tensorrt, tmp_path).build(bundle, progress=lambda *_: pytest.fail("built again"))
    assert again == engines


@pytest.mark.parametrize("capability", [80, 86, 120])
def test_other_cards(tensorrt: TensorRt, tmp_path: Path, capability: int) -> None:
    bundle = Bundle.load(TINY_VOICE)
    made = builder(tensorrt, tmp_path, Gpu("", capability))
    plan = made.plan(bundle.read("decoder.onnx"), buckets(bundle.manifest)["decoder.onnx"], "decoder")
    assert plan[:4] == b"vtrt"


@pytest.mark.parametrize("capability", [87, 90])
def test_a_card_that_is_not_supported_names_those_that_are(
    tensorrt: TensorRt, tmp_path: Path, capability: int
) -> None:
    with pytest.raises(RunnerError, match=rf"75, 80, 86, 89, 120, 121, not for {capability}"):
        builder(tensorrt, tmp_path, Gpu("", capability)).build(Bundle.load(TINY_VOICE))
    assert not any(path.is_dir() for path in (tmp_path / "tiny").iterdir())


def test_giving_up_leaves_nothing(tensorrt: TensorRt, tmp_path: Path) -> None:
    steps: list[int] = []
    with pytest.raises(RunnerError, match="given up"):
        builder(tensorrt, tmp_path).build(
            Bundle.load(TINY_VOICE), progress=lambda phase, step, n: steps.append(step) or len(steps) < 20
        )
    assert len(steps) == 20 and not list((tmp_path / "tiny").iterdir())


def test_an_interrupt_comes_through(tensorrt: TensorRt, tmp_path: Path) -> None:
    def interrupt(phase: str, step: int, steps: int) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        builder(tensorrt, tmp_path).build(Bundle.load(TINY_VOICE), progress=interrupt)


def refusal(tensorrt: TensorRt, root: Path, graph: bytes, lengths: tuple[int, ...] = (8, 16)) -> str:
    with pytest.raises(RunnerError) as caught:
        builder(tensorrt, root).plan(graph, lengths, "decoder.onnx")
    assert "\n" not in str(caught.value) and str(caught.value).startswith("decoder.onnx: ")
    return str(caught.value)


def test_files_that_are_no_graph(tensorrt: TensorRt, tmp_path: Path) -> None:
    graph = (TINY_VOICE / "decoder.onnx").read_bytes()
    for broken in (b"", b"not a graph", graph[:-2000]):
        assert refusal(tensorrt, tmp_path, broken)


def test_an_unknown_operator_is_named(tensorrt: TensorRt, tmp_path: Path) -> None:
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "T"]) for name in "xy"]
    nodes = [helper.make_node("Frobnicate", ["x"], ["y"], name="frob")]
    graph = helper.make_graph(nodes, "g", tensors[:1], tensors[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    assert "Frobnicate" in refusal(tensorrt, tmp_path, model.SerializeToString())


@pytest.mark.voice
def test_an_asymmetric_zero_point_is_refused(tensorrt: TensorRt, tmp_path: Path) -> None:
    model = onnx.load(BUILTIN_VOICE / "decoder.onnx")
    zero = next(node.input[2] for node in model.graph.node if node.op_type == "QuantizeLinear")
    for constant in model.graph.initializer:
        if constant.name == zero:
            constant.CopyFrom(numpy_helper.from_array(np.array(3, np.int8), zero))
    assert "zero point" in refusal(tensorrt, tmp_path, model.SerializeToString())


def test_a_profile_from_many_to_few_is_refused(tensorrt: TensorRt, tmp_path: Path) -> None:
    graph = (TINY_VOICE / "decoder.onnx").read_bytes()
    assert "lengths 17 to 8" in refusal(tensorrt, tmp_path, graph, (16, 8))


def test_from_graph_to_speech(tensorrt: TensorRt, tmp_path: Path) -> None:
    """Real parser, real plans, then the runner on host memory; a voice that says otherwise is not used."""
    bundle, gpu = Bundle.load(TINY_VOICE), HostGpu(name="RTX 4060", capability=89)
    double = ort_library(gpu.submit, tensorrt)

    def opened(engines: EngineSet, library: TensorRt, driver: Any) -> TensorRtRunner:
        graphs: Any = driver
        assert not isinstance(graphs, GraphApi)
        return TensorRtRunner(engines, library, driver, graphs)

    made = builder(double, tmp_path, Gpu(gpu.name, gpu.capability))
    engines = made.build(bundle, golden_check(bundle, double, gpu, opened))
    assert engines.facts["checked"]["log_mel_db"] == 0.0 and not gpu.memory
    store = EngineStore(tmp_path, "tiny")
    assert store.current() == engines

    def wrong(engines: EngineSet) -> dict[str, Any]:
        raise RunnerError("a phoneme is 7 frames off")

    with pytest.raises(RunnerError, match="7 frames off"):
        builder(double, tmp_path, Gpu(gpu.name, gpu.capability), workspace_mib=64).build(bundle, wrong)
    assert store.current() == engines, "what was in use stays in use"
