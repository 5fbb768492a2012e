"""TensorRT on Jetson and TensorRT-RTX on a PC with an RTX card: one path, named tensors, PyCUDA underneath.

Not run on hardware yet: what is tested, and how, stands in docs/devices.md.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..bundle.bundle import DECODER_FILE, ENCODER_FILE, Bundle
from ..errors import RunnerError
from .base import (
    DECODER_INPUTS,
    DECODER_OUTPUTS,
    ENCODER_INPUTS,
    ENCODER_OUTPUTS,
    EncoderInputs,
    Float32,
    Runner,
)
from .cuda import Buffer, GpuThread, Graph, GraphApi
from .engines import REBUILD, EngineSet, EngineStore, key_of
from .vendor import TensorRt, error_log, find_gpu, load_pycuda, load_tensorrt

logger = logging.getLogger(__name__)

ENGINES_FOLDER = "engines"
IO = {ENCODER_FILE: (ENCODER_INPUTS, ENCODER_OUTPUTS), DECODER_FILE: (DECODER_INPUTS, DECODER_OUTPUTS)}


def open_bundle(bundle: Bundle, threads: int, state_dir: Path | None) -> TensorRtRunner:
    """Open the engines that were built for this bundle on this machine.

    Raises:
        ImportError: TensorRT or PyCUDA is not installed.
        RunnerError: no GPU, or no engines for it.
    """
    library, driver = load_tensorrt(), load_pycuda()
    if state_dir is None:
        raise RunnerError("runner 'tensorrt' needs the folder of the device's state, where its engines are")
    wanted = key_of(bundle, library, find_gpu(driver), {})
    engines = EngineStore(state_dir / ENGINES_FOLDER, bundle.manifest.name).find(wanted)
    if engines is None:
        raise RunnerError(
            f"{bundle.path}: no engines for {library.name} on {wanted.gpu.name}; build them with "
            f"sovits-quantize build --bundle {bundle.path} --state-dir {state_dir}"
        )
    return TensorRtRunner(engines, library, driver)


class TensorRtRunner(Runner):
    """Two engines with an execution context for each bucket of lengths.

    Args:
        engines: of this machine.
        library: the TensorRT that built them.
        driver: ``pycuda.driver``.
        graphs: stream capture; that of the driver library if absent.

    Raises:
        RunnerError: TensorRT cannot load the engines, or the GPU has no room for them.
    """

    name: ClassVar[str] = "tensorrt"

    def __init__(
        self, engines: EngineSet, library: TensorRt, driver: Any, graphs: GraphApi | None = None
    ) -> None:
        self._gpu = GpuThread(driver)
        self._engines: dict[str, _Engine] = {}
        try:
            self._gpu.call(lambda: self._load(engines, library, graphs))
        except Exception:
            self.close()
            raise

    def _load(self, engines: EngineSet, library: TensorRt, graphs: GraphApi | None) -> None:
        graphs = graphs or _graph_api()
        for graph in IO:
            engine = _Engine(engines, graph, library, self._gpu, graphs)
            self._engines[graph] = engine
            engine.make_buckets()

    def _run_encoder(self, inputs: EncoderInputs) -> Sequence[Float32]:
        return self._gpu.call(lambda: self._engines[ENCODER_FILE].run(inputs.feeds()))

    def _run_decoder(self, hidden: Float32, features: Float32) -> Sequence[Float32]:
        feeds = {"hidden": hidden, "features": features}
        return self._gpu.call(lambda: self._engines[DECODER_FILE].run(feeds))

    def close(self) -> None:
        """Free contexts, engines and memory in the thread that made them, then let the GPU go."""

        def clean_up() -> None:
            while self._engines:
                self._engines.popitem()[1].free()

        self._gpu.close(clean_up)


def _graph_api() -> GraphApi | None:
    try:
        return GraphApi()
    except OSError as error:  # the runner works without, a little slower
        logger.warning("no CUDA graphs: %s", error)
        return None


@dataclass
class _Bucket:
    """A context for lengths up to a limit, with buffers of that size."""

    limit: int
    context: Any
    buffers: dict[str, Buffer]
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    outputs: dict[str, tuple[int, ...]] = field(default_factory=dict)
    graph: Graph | None = None
    capturable: bool = True


class _Engine:
    """One deserialized engine; every method runs in the GPU's thread."""

    def __init__(
        self, engines: EngineSet, graph: str, library: TensorRt, gpu: GpuThread, graphs: GraphApi | None
    ) -> None:
        self._api, self._driver, self._stream = library.api, gpu.driver, gpu.stream
        self._graphs = graphs
        self._where = f"{engines.path}: engine of {graph}"
        self._inputs, self._outputs = IO[graph]
        self._log = error_log(library.api)
        self._runtime = library.api.Runtime(self._log)
        self._engine = self._runtime.deserialize_cuda_engine(engines.plan(graph))
        self.buckets: list[_Bucket] = []
        if self._engine is None:
            raise self._error("cannot be loaded", REBUILD)
        names = {self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors)}
        if names != {*self._inputs, *self._outputs}:
            raise self._error(f"has the tensors {sorted(names)}", REBUILD)

    def make_buckets(self) -> None:
        """Make a context with its memory for every profile, so that nothing is allocated during a show."""
        for profile in range(self._engine.num_optimization_profiles):
            context = self._engine.create_execution_context()
            if context is None:
                raise self._error("gets no context", "free memory on the GPU")
            if not context.set_optimization_profile_async(profile, self._stream.handle):
                raise self._error(f"has no profile {profile}", REBUILD)
            self._stream.synchronize()
            bucket = _Bucket(0, context, {})
            self.buckets.append(bucket)
            self._allocate(bucket, profile)

    def _allocate(self, bucket: _Bucket, profile: int) -> None:
        largest = {name: self._largest(name, profile) for name in self._inputs}
        bucket.limit = largest[self._inputs[0]][1]
        self._set_shapes(bucket, largest)
        shapes = {**largest, **bucket.outputs}
        for name, shape in shapes.items():
            kind = self._api.nptype(self._engine.get_tensor_dtype(name))
            bucket.buffers[name] = Buffer(self._driver, int(np.prod(shape)), kind)
            if not bucket.context.set_tensor_address(name, bucket.buffers[name].address):
                raise self._error(f"takes no address for {name}", REBUILD)

    def _largest(self, name: str, profile: int) -> tuple[int, ...]:
        return tuple(self._engine.get_tensor_profile_shape(name, profile)[2])

    def _set_shapes(self, bucket: _Bucket, shapes: dict[str, tuple[int, ...]]) -> None:
        """Tell the context the shapes of all inputs; what was recorded for other shapes is void."""
        if shapes == bucket.shapes:
            return
        self._forget_graph(bucket)
        bucket.shapes = {}
        context = bucket.context
        for name, shape in shapes.items():
            if not context.set_input_shape(name, shape):
                raise self._error(f"takes no {name} of {shape}", REBUILD)
        missing = context.infer_shapes()
        if missing:
            raise self._error(f"does not know the shape of {', '.join(missing)}", REBUILD)
        bucket.outputs = {name: tuple(context.get_tensor_shape(name)) for name in self._outputs}
        bucket.shapes = shapes

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[Float32]:
        """Outputs for inputs of any length up to the largest bucket's."""
        length = feeds[self._inputs[0]].shape[1]
        bucket = next((bucket for bucket in self.buckets if length <= bucket.limit), None)
        if bucket is None:
            limit = self.buckets[-1].limit
            raise RunnerError(f"{self._where} takes up to {limit} steps, not {length}; {REBUILD}")
        again = {name: array.shape for name, array in feeds.items()} == bucket.shapes
        self._set_shapes(bucket, {name: array.shape for name, array in feeds.items()})
        for name, array in feeds.items():
            bucket.buffers[name].upload(array, self._stream)
        self._execute(bucket, again)
        results = [
            bucket.buffers[name].download(bucket.outputs[name], self._stream) for name in self._outputs
        ]
        self._stream.synchronize()
        return [result.astype(np.float32) for result in results]  # a copy: the buffer is used again

    def _execute(self, bucket: _Bucket, again: bool) -> None:
        """Run the context; from the third time with equal shapes, replay what the second time recorded.

        The first run with new shapes may allocate and choose kernels, which cannot be recorded.
        """
        if again and bucket.graph is None and bucket.capturable and self._graphs is not None:
            self._capture(bucket, self._graphs)
        if bucket.graph is not None:
            bucket.graph.launch(self._stream.handle)
        else:
            self._enqueue(bucket)

    def _capture(self, bucket: _Bucket, graphs: GraphApi) -> None:
        handle = self._stream.handle
        try:
            graphs.begin(handle)
            try:
                self._enqueue(bucket)
            finally:
                bucket.graph = graphs.end(handle)
        except RunnerError as error:
            bucket.graph, bucket.capturable = None, False
            logger.warning("%s runs without CUDA graphs: %s", self._where, error)

    def _enqueue(self, bucket: _Bucket) -> None:
        if not bucket.context.execute_async_v3(self._stream.handle):
            raise self._error("failed", "restart the device; if it stays, " + REBUILD)

    def _forget_graph(self, bucket: _Bucket) -> None:
        if bucket.graph is not None:
            bucket.graph.free()
            bucket.graph = None

    def _error(self, what: str, remedy: str) -> RunnerError:
        return RunnerError(f"{self._where} {what}: {self._log.reason()}; {remedy}")

    def free(self) -> None:
        """Give everything back, contexts before the engine, the engine before its runtime."""
        while self.buckets:
            bucket = self.buckets.pop()
            self._forget_graph(bucket)
            bucket.context = None
            for buffer in bucket.buffers.values():
                buffer.free()
        self._engine = self._runtime = None
