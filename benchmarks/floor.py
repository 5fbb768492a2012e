"""Floor: what the networks have to compute, what the machine can do at best, and how far we are from it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from edge.bundle.bundle import DECODER_FILE, ENCODER_FILE, Bundle
from edge.runners.fused import DOMAIN, OPERATOR
from edge.runners.ort import OnnxRuntimeRunner, session_options
from edge.spec import FRAME_RATE, N_FRAME_FEATURES
from quantize.graph import Graph

from .harness import Measure, interleave, summarize

ROWS, INNER, OUTER = 512, 768, 768  # of the product whose speed is the machine's peak
WINDOW = 512  # frames


@dataclass(frozen=True)
class Work:
    """What one row (a frame, or a phoneme) of a graph costs."""

    int8: int
    """Multiplications in products between Q/DQ."""
    float32: int
    """Multiplications in other products and in convolutions."""
    weight_bytes: int
    """Weights read once in each run."""


def work(bundle: Bundle, file: str) -> Work:
    """Count the products of a graph; what is done once for a whole phrase is left out."""
    graph = Graph(onnx.load_model_from_string(bundle.read(file)))
    counts = {"int8": 0, "float32": 0, "bytes": 0}
    for node in graph.nodes:
        if node.op_type not in ("MatMul", "Conv"):
            continue
        producer = graph.producer(node.input[1])
        quantized = producer is not None and producer.op_type == "DequantizeLinear"
        name = producer.input[0] if quantized and producer is not None else node.input[1]
        if name not in graph.constants:
            continue
        weight = graph.array(name)
        counts["int8" if quantized else "float32"] += weight.size
        counts["bytes"] += weight.nbytes
    return Work(counts["int8"], counts["float32"], counts["bytes"])


def peak_session(int8: bool) -> onnxruntime.InferenceSession:
    """One large product in ONNX Runtime, one thread."""
    rng = np.random.default_rng(0)
    constants: dict[str, np.ndarray]
    if int8:
        constants = {
            "w": rng.integers(-127, 128, (INNER, OUTER)).astype(np.int8),
            "scale": np.array(0.01, np.float32),
            "w_scale": np.full(OUTER, 0.01, np.float32),
            "zero": np.array(128, np.uint8),
            "w_zero": np.zeros(OUTER, np.int8),
        }
        inputs = ["x", "w", "scale", "w_scale", "zero", "w_zero"]
        node = helper.make_node(OPERATOR, inputs, ["y"], domain=DOMAIN)
    else:
        constants = {"w": rng.standard_normal((INNER, OUTER), dtype=np.float32)}
        node = helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = helper.make_graph(
        [node],
        "peak",
        [helper.make_tensor_value_info("x", TensorProto.UINT8 if int8 else TensorProto.FLOAT, [ROWS, INNER])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [ROWS, OUTER])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(DOMAIN, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return onnxruntime.InferenceSession(
        model.SerializeToString(), session_options(), providers=["CPUExecutionProvider"]
    )


def measure(repeats: int, path: Path | None, progress: Callable[[int, int], None]) -> list[Measure]:
    """Operations, peaks, and the decoder's time against the floor that follows from them, one thread each."""
    bundle = Bundle.load(path)
    with OnnxRuntimeRunner(bundle, 1) as runner:
        rng = np.random.default_rng(1)
        width = _width(bundle)
        hidden = rng.standard_normal((1, WINDOW, width), dtype=np.float32)
        features = rng.random((1, WINDOW, N_FRAME_FEATURES), dtype=np.float32)
        x = rng.integers(0, 256, (ROWS, INNER)).astype(np.uint8)
        variants: list[tuple[dict[str, Any], Callable[[], float]]] = [
            ({"what": "int8"}, partial(_seconds, partial(peak_session(True).run, None, {"x": x}))),
            (
                {"what": "float32"},
                partial(_seconds, partial(peak_session(False).run, None, {"x": x.astype(np.float32)})),
            ),
            ({"what": "decoder"}, partial(_seconds, partial(runner.decode, hidden, features))),
        ]
        taken = {
            variant["what"]: samples
            for variant, samples in interleave(variants, 3 * repeats, progress=progress)
        }
    return _figures(bundle, taken)


def _figures(bundle: Bundle, taken: dict[str, list[float]]) -> list[Measure]:
    measures = []
    for file, row in ((ENCODER_FILE, "phoneme"), (DECODER_FILE, "frame")):
        found = work(bundle, file)
        for kind in ("int8", "float32", "weight_bytes"):
            variant = {"graph": file, "row": row, "kind": kind}
            measures.append(summarize("work", "1", variant, [float(getattr(found, kind))]))
    operations = 2 * ROWS * INNER * OUTER
    for kind in ("int8", "float32"):
        speeds = [operations / seconds / 1e9 for seconds in taken[kind]]
        measures.append(summarize("peak", "GOP/s", {"kind": kind}, speeds))
    peaks = {kind: operations / float(np.median(taken[kind])) for kind in ("int8", "float32")}
    found = work(bundle, DECODER_FILE)
    floor = 2 * found.int8 / peaks["int8"] + 2 * found.float32 / peaks["float32"]
    measures.append(summarize("decoder_floor", "ms/s", {}, [1000 * FRAME_RATE * floor]))
    spent = [1000 * FRAME_RATE * seconds / WINDOW for seconds in taken["decoder"]]
    measures.append(summarize("decoder", "ms/s", {"window": WINDOW}, spent))
    return measures


def _width(bundle: Bundle) -> int:
    shape = onnx.load_model_from_string(bundle.read(DECODER_FILE)).graph.input[0].type.tensor_type.shape
    return int(shape.dim[2].dim_value)


def _seconds(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began
