"""ONNX to TensorRT engines, on the device that will run them: no torch, no onnx, one code for 10.3 to 11.x.

The graphs carry their precision themselves (Q/DQ, casts to float16 put in here, strongly typed networks), so
there is nothing to calibrate and no precision flag. TensorRT reports a failed build by giving None; the
reason stands in its log alone. Names of its interface are limited to those of every version from 10.3.0 to
11.4.0 (tests/data/tensorrt_names.txt). On TensorRT-RTX, building needs no GPU.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from edge.bundle.bundle import Bundle
from edge.errors import RunnerError
from edge.runners.engines import FILES, Buckets, EngineKey, EngineSet, EngineStore, buckets, key_of
from edge.runners.vendor import Gpu, TensorRt, error_log

from .half import cast_half, half_layers

TIMING_CACHE = "timing.cache"
MIB = 2**20

Progress = Callable[[str, int, int], bool]
"""Told the phase, the step and the steps of the phase; False gives the build up."""
Check = Callable[[EngineSet], dict[str, Any]]
"""Lets new engines speak and returns what to remember of it; raises RunnerError if they are not fit."""


@dataclass(frozen=True)
class BuildOptions:
    """Flags of a build; all are part of the key."""

    workspace_mib: int = 256
    """Memory that one layer may use while it runs; the student's need a few MiB."""
    optimization_level: int = 3
    """0 to 5; how long the builder looks for faster kernels."""
    half: str = "voice"
    """Layers in float16: ``voice``, those that its manifest names; ``all``; ``none``."""


def _no_progress(phase: str, step: int, steps: int) -> bool:
    return True


class EngineBuilder:
    """Builds the engines of a bundle and puts them to use.

    Args:
        library: TensorRT.
        gpu: what to build for.
        root: folder of all engines.
        options: flags.
    """

    def __init__(self, library: TensorRt, gpu: Gpu, root: Path, options: BuildOptions | None = None) -> None:
        self._library = library
        self._gpu = gpu
        self._root = root
        self._options = options or BuildOptions()

    def key(self, bundle: Bundle) -> EngineKey:
        """Key of the engines that ``build`` would make."""
        flags = {**asdict(self._options), "buckets": buckets(bundle.manifest)}
        flags["half"] = [name for layers in self._half(bundle).values() for name in layers]
        return key_of(bundle, self._library, self._gpu, flags)

    def build(
        self, bundle: Bundle, check: Check | None = None, progress: Progress = _no_progress
    ) -> EngineSet:
        """Build both engines, let them speak, and use them from then on.

        Engines of the same key that are there already are not built again.

        Args:
            bundle: with the graphs.
            check: lets the engines speak. None, where no GPU is there to run them: they are kept, and not
                used until a build with a check finds them.
            progress: see ``Progress``.

        Raises:
            RunnerError: TensorRT refuses a graph, the build was given up, or the engines do not say what
                they should. What was in use stays in use.
        """
        store, key = EngineStore(self._root, bundle.manifest.name), self.key(bundle)
        engines = store.built(key) or self._build(bundle, store, key, progress)
        if check is None:
            return engines
        facts = {**engines.facts, "checked": check(engines)}
        store.describe(engines.path, key, facts)
        engines = replace(engines, facts=facts)
        store.activate(engines)
        return engines

    def _build(self, bundle: Bundle, store: EngineStore, key: EngineKey, progress: Progress) -> EngineSet:
        began, lengths = time.monotonic(), buckets(bundle.manifest)
        half = self._half(bundle)
        facts: dict[str, Any] = {"sha256": {}, "bytes": {}}
        with store.adding(key) as folder:
            for graph, file in FILES.items():
                where = f"{bundle.path}: {graph}"
                plan = self.plan(cast_half(bundle.read(graph), half[graph]), lengths[graph], where, progress)
                (folder / file).write_bytes(plan)
                facts["sha256"][graph] = hashlib.sha256(plan).hexdigest()
                facts["bytes"][graph] = len(plan)
            facts["seconds"] = round(time.monotonic() - began, 1)
            facts["date"] = datetime.now(timezone.utc).isoformat(timespec="seconds")
            store.describe(folder, key, facts)
        built = store.built(key)
        assert built is not None, "it was described a moment ago"
        return built

    def _half(self, bundle: Bundle) -> dict[str, tuple[str, ...]]:
        """Layers of each graph that the engines compute in float16."""
        wanted = bundle.manifest.quantization.half_layers
        if self._options.half == "none" or (self._options.half == "voice" and not wanted):
            return dict.fromkeys(FILES, ())
        found = {graph: half_layers(bundle.read(graph)) for graph in FILES}
        if self._options.half == "all":
            return found
        return {graph: tuple(name for name in names if name in wanted) for graph, names in found.items()}

    def plan(self, onnx: bytes, lengths: Buckets, where: str, progress: Progress = _no_progress) -> bytes:
        """Compile one graph.

        Args:
            onnx: the graph; its dimensions without a size all stand for the same length.
            lengths: one optimisation profile up to each.
            where: the file, for errors.
            progress: see ``Progress``.

        Raises:
            RunnerError: the reason in one line.
        """
        monitor = _monitor(self._library.api, progress)
        plan, reason = self._compile(onnx, lengths, monitor)
        if monitor.error is not None:
            raise monitor.error
        if plan is None:
            raise RunnerError(
                f"{where}: {'TensorRT builds no engine: given up' if monitor.stopped else reason}"
            )
        return plan

    def _compile(self, onnx: bytes, lengths: Buckets, monitor: Any) -> tuple[bytes | None, str]:
        """The plan, or None and the reason.

        Nothing is raised in here or below: a traceback would keep builder and network until a garbage
        collection, and one that runs inside a call of TensorRT, which holds a lock while it logs, waits for
        that lock for ever.
        """
        api, log = self._library.api, error_log(self._library.api)
        builder = api.Builder(log)
        network = builder.create_network(1 << int(api.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
        config = builder.create_builder_config()
        config.set_memory_pool_limit(api.MemoryPoolType.WORKSPACE, self._options.workspace_mib * MIB)
        config.builder_optimization_level = self._options.optimization_level
        reason = (
            self._target(config)
            or _parse(api, network, log, onnx)  # the network is held here: the parser does not
            or _add_profiles(builder, network, config, lengths)
        )
        if reason:
            return None, reason
        self._read_timings(config)
        config.progress_monitor = monitor
        plan = builder.build_serialized_network(network, config)
        if plan is None:
            return None, f"TensorRT builds no engine: {log.reason()}"
        self._write_timings(config)
        return bytes(plan), ""

    def _target(self, config: Any) -> str:
        """Tell TensorRT-RTX what to build for; TensorRT itself builds for the GPU that is there."""
        capability = self._gpu.compute_capability
        if not self._library.rtx or not capability:
            return ""
        config.num_compute_capabilities = 1
        kinds = self._library.api.ComputeCapability
        wanted = getattr(kinds, f"SM{capability}", None)
        if wanted is not None and config.set_compute_capability(wanted, 0):
            return ""
        known = sorted(int(name[2:]) for name in kinds.__members__ if name.startswith("SM"))
        built = f"{self._library.name} builds for compute capability {', '.join(map(str, known))}"
        return f"{built}, not for {capability}"

    def _read_timings(self, config: Any) -> None:
        """Let the builder know what it measured last time: a hint that makes the next build quicker."""
        if self._library.rtx:  # measures nothing and warns about the call
            return
        path = self._root / TIMING_CACHE
        known = path.read_bytes() if path.is_file() else b""
        config.set_timing_cache(config.create_timing_cache(known), ignore_mismatch=False)

    def _write_timings(self, config: Any) -> None:
        if self._library.rtx:
            return
        partial = self._root / f"{TIMING_CACHE}.partial"
        partial.write_bytes(bytes(config.get_timing_cache().serialize()))
        partial.replace(self._root / TIMING_CACHE)


def _parse(api: Any, network: Any, log: Any, onnx: bytes) -> str:
    """Read a graph into a network; the reason why it cannot be read, if so."""
    parser = api.OnnxParser(network, log)
    if parser.parse(onnx):
        return ""
    error = parser.get_error(0) if parser.num_errors else None
    reason = " ".join(error.desc().split()) if error else log.reason()
    node = f" in {error.node_operator()} {error.node_name()!r}" if error and error.node_operator() else ""
    return f"TensorRT cannot read the graph: {reason}{node}"


def _add_profiles(builder: Any, network: Any, config: Any, lengths: Buckets) -> str:
    """Add a profile up to each length, at its best there; the reason why one is refused, if so."""
    inputs = [network.get_input(index) for index in range(network.num_inputs)]
    for low, high in zip((1, *(length + 1 for length in lengths)), lengths, strict=False):
        profile = builder.create_optimization_profile()
        for tensor in inputs:
            shape = tuple(tensor.shape)
            if -1 in shape:
                sizes = [tuple(n if size == -1 else size for size in shape) for n in (low, high, high)]
                profile.set_shape(tensor.name, *sizes)
        if config.add_optimization_profile(profile) < 0:
            return f"TensorRT refuses a profile for lengths {low} to {high}"
    return ""


def _monitor(api: Any, progress: Progress) -> Any:
    """TensorRT's progress handed on; it prints what Python raises in there, so errors are kept for later."""

    class Monitor(api.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            api.IProgressMonitor.__init__(self)
            self.steps: dict[str, int] = {}
            self.stopped = False
            self.error: BaseException | None = None

        def phase_start(self, phase: str, parent: str | None, steps: int) -> None:
            self.steps[phase] = steps

        def phase_finish(self, phase: str) -> None:
            self.steps.pop(phase, None)

        def step_complete(self, phase: str, step: int) -> bool:
            try:
                self.stopped = self.stopped or not progress(phase, step, self.steps.get(phase, 0))
            except BaseException as error:  # noqa: BLE001 - raised again by plan()
                self.error, self.stopped = error, True
            return not self.stopped

    return Monitor()
