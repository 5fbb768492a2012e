"""A TensorRT whose engines compute through ONNX Runtime on the addresses that they are given.

It checks names, shapes, profiles, types, addresses and life times, and says nothing about TensorRT's own
arithmetic. With a real TensorRT-RTX its parser and builder are the real ones, and the graph travels behind
the real plan; without, a plan is the graph alone.
"""

from __future__ import annotations

import ctypes
import json
import struct
from collections.abc import Callable
from enum import Enum
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime

from edge.runners.vendor import TensorRt

MARK = b"ORTPLAN1"
Submit = Callable[[int, Callable[[], Any]], None]


class Mode(Enum):
    NONE = 0
    INPUT = 1
    OUTPUT = 2


class _Log:
    ERROR, INTERNAL_ERROR, WARNING = "error", "internal error", "warning"

    def log(self, severity: str, text: str) -> None: ...


def plan_of(graph: bytes, limits: tuple[int, ...], compiled: bytes = b"") -> bytes:
    """A plan for these lengths."""
    described = json.dumps(list(limits)).encode()
    return compiled + described + graph + struct.pack("<3Q", len(compiled), len(described), len(graph)) + MARK


def library(submit: Submit, real: TensorRt | None = None, version: str = "10.3.0") -> TensorRt:
    """A TensorRT that gives its work to ``submit``, with the stream's handle."""
    base = SimpleNamespace(ILogger=_Log) if real is None else real.api
    names = {name: getattr(base, name) for name in dir(base) if not name.startswith("__")}
    api = SimpleNamespace(**{**names, "TensorIOMode": Mode, "nptype": lambda kind: kind})
    api.Runtime = lambda log: _Runtime(api, submit, log)
    if real is None:
        return TensorRt(api, f"tensorrt {version}")
    _keep_graphs(api, real.api)
    return TensorRt(api, real.name, rtx=True)


def _keep_graphs(api: Any, real: Any) -> None:
    """Let builder and parser note the graph and the profiles and put them behind the plan."""
    noted: dict[str, Any] = {}

    class Parser(_Wrapped):
        def __init__(self, network: Any, log: Any) -> None:
            super().__init__(real.OnnxParser(network, log))

        def parse(self, graph: bytes) -> bool:
            noted["graph"] = graph
            return bool(self.inner.parse(graph))

    class Builder(_Wrapped):
        def __init__(self, log: Any) -> None:
            super().__init__(real.Builder(log))
            noted["limits"] = []

        def create_optimization_profile(self) -> _Profile:
            return _Profile(self.inner.create_optimization_profile(), noted["limits"])

        def create_builder_config(self) -> _Config:
            return _Config(self.inner.create_builder_config())

        def build_serialized_network(self, network: Any, config: _Config) -> bytes | None:
            plan = self.inner.build_serialized_network(network, config.inner)
            limits = tuple(dict.fromkeys(noted["limits"]))
            return None if plan is None else plan_of(noted["graph"], limits, bytes(plan))

    api.OnnxParser, api.Builder = Parser, Builder


class _Wrapped:
    def __init__(self, inner: Any) -> None:
        object.__setattr__(self, "inner", inner)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.inner, name, value)


class _Profile(_Wrapped):
    def __init__(self, inner: Any, limits: list[int]) -> None:
        super().__init__(inner)
        object.__setattr__(self, "limits", limits)

    def set_shape(self, name: str, low: Any, best: Any, high: Any) -> None:
        self.limits.append(high[1])
        self.inner.set_shape(name, low, best, high)


class _Config(_Wrapped):
    def add_optimization_profile(self, profile: _Profile) -> int:
        return int(self.inner.add_optimization_profile(profile.inner))


class _Runtime:
    def __init__(self, api: Any, submit: Submit, log: Any) -> None:
        self._api, self._submit, self._log = api, submit, log

    def deserialize_cuda_engine(self, plan: bytes) -> _Engine | None:
        if plan[-8:] != MARK:
            self._log.log(self._api.ILogger.ERROR, "deserializeCudaEngine: Magic tag does not match")
            return None
        compiled, described, graph = struct.unpack("<3Q", plan[-32:-8])
        limits = json.loads(plan[compiled : compiled + described])
        return _Engine(self._api, self._submit, self._log, plan[compiled + described :][:graph], limits)


class _Engine:
    def __init__(self, api: Any, submit: Submit, log: Any, graph: bytes, limits: list[int]) -> None:
        self.api, self.submit, self.log, self.limits = api, submit, log, limits
        self.session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        model = onnx.load_model_from_string(graph)
        self.tensors = {}
        for mode, values in ((Mode.INPUT, model.graph.input), (Mode.OUTPUT, model.graph.output)):
            for value in values:
                kind = value.type.tensor_type
                shape = tuple(size.dim_value or -1 for size in kind.shape.dim)
                self.tensors[value.name] = (
                    mode, np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)), shape,
                )  # fmt: skip
        self.num_io_tensors, self.num_optimization_profiles = len(self.tensors), len(limits)
        self.contexts_left = 100

    def get_tensor_name(self, index: int) -> str:
        return list(self.tensors)[index]

    def get_tensor_dtype(self, name: str) -> np.dtype[Any]:
        return self.tensors[name][1]

    def get_tensor_profile_shape(self, name: str, profile: int) -> list[tuple[int, ...]]:
        low, high = 1 + ([0, *self.limits][profile]), self.limits[profile]
        return [
            tuple(size if size != -1 else length for size in self.tensors[name][2])
            for length in (low, high, high)
        ]

    def create_execution_context(self) -> _Context | None:
        self.contexts_left -= 1
        return _Context(self) if self.contexts_left >= 0 else None


class _Context:
    def __init__(self, engine: _Engine) -> None:
        self._engine = engine
        self._profile: int | None = None
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._addresses: dict[str, int] = {}
        self.runs = 0

    def _fail(self, text: str) -> bool:
        self._engine.log.log(self._engine.api.ILogger.ERROR, f"IExecutionContext: {text}")
        return False

    def set_optimization_profile_async(self, profile: int, stream: int) -> bool:
        if not 0 <= profile < self._engine.num_optimization_profiles:
            return self._fail(f"no profile {profile}")
        self._profile = profile
        return True

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        if self._engine.tensors.get(name, (None,))[0] is not Mode.INPUT:
            return self._fail(f"no input {name}")
        assert self._profile is not None
        low, _, high = self._engine.get_tensor_profile_shape(name, self._profile)
        if len(shape) != len(low) or not all(a <= n <= b for a, n, b in zip(low, shape, high, strict=True)):
            return self._fail(f"{name} {shape} is outside [{low}, {high}]")
        self._shapes[name] = shape
        return True

    def set_tensor_address(self, name: str, address: int) -> bool:
        if name not in self._engine.tensors:
            return self._fail(f"no tensor {name}")
        self._addresses[name] = address
        return True

    def infer_shapes(self) -> list[str]:
        inputs = [name for name, (mode, *_) in self._engine.tensors.items() if mode is Mode.INPUT]
        return [name for name in inputs if name not in self._shapes]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        dynamic = {
            size
            for key, shape in self._shapes.items()
            for size, wanted in zip(shape, self._engine.tensors[key][2], strict=True)
            if wanted == -1
        }
        (length,) = dynamic
        return tuple(length if size == -1 else size for size in self._engine.tensors[name][2])

    def execute_async_v3(self, stream: int) -> bool:
        missing = [name for name in self._engine.tensors if not self._addresses.get(name)]
        if missing or self.infer_shapes():
            return self._fail(f"no address or shape for {missing or self.infer_shapes()}")
        shapes, addresses = dict(self._shapes), dict(self._addresses)
        self._engine.submit(stream, lambda: self._compute(shapes, addresses))
        return True

    def _compute(self, shapes: dict[str, tuple[int, ...]], addresses: dict[str, int]) -> None:
        self.runs += 1
        feeds, outputs = {}, []
        for name, (mode, kind, _) in self._engine.tensors.items():
            if mode is Mode.OUTPUT:
                outputs.append(name)
                continue
            size = int(np.prod(shapes[name])) * kind.itemsize
            content = ctypes.string_at(addresses[name], size)
            feeds[name] = np.frombuffer(content, kind).reshape(shapes[name])
        for name, result in zip(outputs, self._engine.session.run(outputs, feeds), strict=True):
            array = np.ascontiguousarray(result)
            ctypes.memmove(addresses[name], array.ctypes.data, array.nbytes)
