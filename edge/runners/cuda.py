"""One thread that owns the GPU: primary context, stream, buffers, and graphs to replay.

CUDA contexts belong to threads, and PyCUDA frees what it holds in whatever thread drops it last. So one
thread makes everything, uses everything and gives everything back; the others hand it work and wait.
``pycuda.autoinit`` is never imported: it binds a context to whichever thread imports first.
"""

from __future__ import annotations

import ctypes
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..errors import RunnerError

Result = TypeVar("Result")
_THREAD_LOCAL_CAPTURE = 1  # CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: other threads may go on using CUDA


class GpuThread:
    """The thread with the retained primary context of the first GPU.

    Args:
        driver: ``pycuda.driver``.

    Raises:
        RunnerError: there is no GPU, or its context cannot be had.
    """

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self._pool = ThreadPoolExecutor(1, "gpu")
        self._context: Any = None
        self.stream: Any = None
        try:
            self.call(self._enter)
        except RunnerError:
            self._pool.shutdown()
            raise

    def call(self, work: Callable[[], Result]) -> Result:
        """Let the thread do something and wait for it.

        Raises:
            RunnerError: CUDA failed.
        """

        def guarded() -> Result:
            try:
                return work()
            except BaseException as error:
                _let_go(error)
                raise

        try:
            return self._pool.submit(guarded).result()
        except self.driver.Error as error:
            raise RunnerError(f"CUDA failed: {error}") from error

    def close(self, clean_up: Callable[[], None]) -> None:
        """Give back what the caller made, then the stream and the context, and end the thread.

        Args:
            clean_up: drops every buffer, context and engine; runs in the thread.
        """

        def leave() -> None:
            try:
                clean_up()
            finally:
                self.stream = None
                self.driver.Context.pop()
                self._context.detach()
                self._context = None

        try:
            self.call(leave)
        finally:
            self._pool.shutdown()

    def _enter(self) -> None:
        self.driver.init()
        self._context = self.driver.Device(0).retain_primary_context()
        self._context.push()
        self.stream = self.driver.Stream()


def _let_go(error: BaseException | None) -> None:
    """Clear what the frames of an error hold, or it is freed where the error is caught: in another thread."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


class Buffer:
    """Memory for one tensor on the GPU, and pinned memory to copy from and to.

    Args:
        driver: ``pycuda.driver``.
        size: elements at the most.
        kind: of an element.
    """

    def __init__(self, driver: Any, size: int, kind: DTypeLike) -> None:
        self._driver = driver
        self._host: NDArray[Any] = driver.pagelocked_empty(size, kind)
        self._device: Any = driver.mem_alloc(self._host.nbytes)
        self._device_end = size

    @property
    def address(self) -> int:
        """Of the memory on the GPU."""
        return int(self._device)

    def upload(self, values: NDArray[Any], stream: Any) -> None:
        """Begin to copy values to the GPU."""
        part = self._host[: values.size]
        np.copyto(part.reshape(values.shape), values, casting="same_kind")
        self._driver.memcpy_htod_async(self._device, part, stream)

    def download(self, shape: tuple[int, ...], stream: Any) -> NDArray[Any]:
        """Begin to copy values from the GPU; they are there once the stream is synchronized."""
        part = self._host[: int(np.prod(shape))]
        self._driver.memcpy_dtoh_async(part, self._device, stream)
        return part.reshape(shape)

    def free(self) -> None:
        """Give the memory on the GPU back; the pinned memory goes with the last array that shows it."""
        self._device.free()


class GraphApi:
    """Stream capture of the CUDA driver, which PyCUDA does not offer.

    Args:
        library: ``libcuda.so.1``; the one that PyCUDA has loaded already.
    """

    def __init__(self, library: ctypes.CDLL | None = None) -> None:
        self._library = library or ctypes.CDLL("libcuda.so.1")

    def begin(self, stream: int) -> None:
        """Record instead of doing what is given to the stream from now on."""
        self._check("cuStreamBeginCapture_v2", ctypes.c_void_p(stream), ctypes.c_int(_THREAD_LOCAL_CAPTURE))

    def end(self, stream: int) -> Graph:
        """Stop recording.

        Raises:
            RunnerError: something that cannot be recorded was given to the stream.
        """
        graph, executable = ctypes.c_void_p(), ctypes.c_void_p()
        self._check("cuStreamEndCapture", ctypes.c_void_p(stream), ctypes.byref(graph))
        try:
            self._check("cuGraphInstantiateWithFlags", ctypes.byref(executable), graph, ctypes.c_ulonglong(0))
        finally:
            self._check("cuGraphDestroy", graph)
        return Graph(self, executable)

    def _check(self, function: str, *arguments: Any) -> None:
        try:
            status = getattr(self._library, function)(*arguments)
        except AttributeError as error:
            raise RunnerError(f"the CUDA driver has no {function}; it is older than CUDA 11.4") from error
        if status:
            raise RunnerError(f"{function} failed with CUDA error {status}")


class Graph:
    """Recorded work of a stream."""

    def __init__(self, api: GraphApi, executable: ctypes.c_void_p) -> None:
        self._api = api
        self._executable = executable

    def launch(self, stream: int) -> None:
        """Do the work again, on the same addresses."""
        self._api._check("cuGraphLaunch", self._executable, ctypes.c_void_p(stream))

    def free(self) -> None:
        """Forget the work."""
        self._api._check("cuGraphExecDestroy", self._executable)
