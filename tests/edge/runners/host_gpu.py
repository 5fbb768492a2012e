"""A GPU made of host memory: the part of ``pycuda.driver`` that the runner uses, for machines without one.

Stricter than a real one where that finds mistakes: work given to a stream waits until the stream is
synchronized, so a missing synchronize gives old numbers; memory belongs to a context and a context to the
threads that pushed it; everything is counted, so what is not given back shows.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

POISON = 0xA5


class Error(Exception):
    pass


class LogicError(Error):
    pass


class MemoryError(Error):  # noqa: A001 - PyCUDA calls it so
    pass


class HostGpu:
    """Stands in for the module ``pycuda.driver`` and for stream capture (``GraphApi``)."""

    Error, LogicError, MemoryError = Error, LogicError, MemoryError

    def __init__(self, total_bytes: int = 1 << 30, name: str = "Orin", capability: int = 87) -> None:
        self.total_bytes, self.name, self.capability = total_bytes, name, capability
        self.memory: dict[int, ctypes.Array[ctypes.c_char]] = {}
        self.streams: dict[int, list[Callable[[], None]]] = {}
        self.captured: dict[int, list[Callable[[], None]]] = {}
        self.graphs = self.launches = self.contexts = 0
        self.threads: set[str] = set()
        self.refuse_capture = self.no_device = False
        self._local = threading.local()
        gpu = self

        class Context:
            @staticmethod
            def pop() -> None:
                gpu.need_context()
                gpu._local.depth -= 1

            def push(self) -> None:
                gpu._local.depth = getattr(gpu._local, "depth", 0) + 1

            def detach(self) -> None:
                gpu.contexts -= 1

        class Device:
            def __init__(self, index: int) -> None:
                if index:
                    raise LogicError("cuDeviceGet failed: invalid device ordinal")

            def name(self) -> str:
                return gpu.name

            def compute_capability(self) -> tuple[int, int]:
                return divmod(gpu.capability, 10)

            def retain_primary_context(self) -> Context:
                gpu.contexts += 1
                return Context()

        class Stream:
            def __init__(self) -> None:
                gpu.need_context()
                self.handle = 4096 + len(gpu.streams)
                gpu.streams[self.handle] = []

            def synchronize(self) -> None:
                gpu.need_context()
                waiting, gpu.streams[self.handle] = gpu.streams[self.handle], []
                for work in waiting:
                    work()

        self.Context, self.Device, self.Stream = Context, Device, Stream

    def init(self) -> None:
        if self.no_device:
            raise LogicError("cuInit failed: no CUDA-capable device is detected")

    def need_context(self) -> None:
        self.threads.add(threading.current_thread().name)
        if not getattr(self._local, "depth", 0):
            raise LogicError("failed: invalid device context")

    def mem_alloc(self, size: int) -> Allocation:
        self.need_context()
        if sum(len(block) for block in self.memory.values()) + size > self.total_bytes:
            raise MemoryError("cuMemAlloc failed: out of memory")
        block = ctypes.create_string_buffer(bytes([POISON]) * size, size)
        self.memory[ctypes.addressof(block)] = block
        return Allocation(self, ctypes.addressof(block))

    def pagelocked_empty(self, shape: Any, dtype: Any) -> np.ndarray:
        self.need_context()
        return np.empty(shape, dtype)

    def memcpy_htod_async(self, target: Allocation, source: np.ndarray, stream: Any) -> None:
        self.copy(target.address, source.ctypes.data, source, stream.handle)

    def memcpy_dtoh_async(self, target: np.ndarray, source: Allocation, stream: Any) -> None:
        self.copy(target.ctypes.data, source.address, target, stream.handle)

    def copy(self, target: int, source: int, host: np.ndarray, stream: int) -> None:
        self.need_context()
        assert host.flags.c_contiguous
        device = target if target in self.memory else source
        if host.nbytes > len(self.memory[device]):
            raise LogicError("cuMemcpy failed: invalid argument")
        self.submit(stream, lambda: ctypes.memmove(target, source, host.nbytes))

    def submit(self, stream: int, work: Callable[[], Any]) -> None:
        """Do something when the stream is synchronized, or record it."""
        self.need_context()
        self.captured.get(stream, self.streams[stream]).append(work)

    def begin(self, stream: int) -> None:
        self.captured[stream] = []

    def end(self, stream: int) -> HostGraph:
        from edge.errors import RunnerError

        recorded = self.captured.pop(stream)
        if self.refuse_capture:
            raise RunnerError("cuStreamEndCapture failed with CUDA error 901")
        self.graphs += 1
        return HostGraph(self, recorded)


class HostGraph:
    def __init__(self, gpu: HostGpu, recorded: list[Callable[[], None]]) -> None:
        self._gpu, self._recorded = gpu, recorded

    def launch(self, stream: int) -> None:
        self._gpu.launches += 1
        for work in self._recorded:
            self._gpu.submit(stream, work)

    def free(self) -> None:
        self._gpu.graphs -= 1


class Allocation:
    def __init__(self, gpu: HostGpu, address: int) -> None:
        self._gpu, self.address = gpu, address

    def __int__(self) -> int:
        return self.address

    def free(self) -> None:
        self._gpu.need_context()
        del self._gpu.memory[self.address]
