"""Scenes for the real PyCUDA on ``host_cuda.c``: a process that ``test_pycuda.py`` starts."""

from __future__ import annotations

import ctypes
import gc
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pycuda.driver as driver

from edge.bundle.bundle import Bundle
from edge.errors import RunnerError
from edge.runners.cuda import Buffer, GpuThread, GraphApi
from edge.runners.ort import OnnxRuntimeRunner
from edge.runners.trt import TensorRtRunner
from edge.spec import N_FRAME_FEATURES
from tests.edge.runners.ort_engine import library
from tests.edge.runners.test_ort import TINY, encoder_inputs
from tests.edge.runners.test_trt import write_engines

HOST = ctypes.CDLL(None)
KINDS = {"contexts": 0, "device memory": 1, "pinned memory": 2, "streams": 3}


def held() -> dict[str, int]:
    """What has not been given back."""
    gc.collect()
    return {name: HOST.host_cuda_held(kind) for name, kind in KINDS.items() if HOST.host_cuda_held(kind)}


def copies() -> None:
    """Values go up and come back; a part of a buffer too; nothing is left behind."""
    gpu = GpuThread(driver)
    buffers = []

    def there_and_back() -> list[np.ndarray]:
        buffer = Buffer(driver, 12, np.float32)
        buffers.append(buffer)
        found = []
        for shape in ((3, 4), (2, 2)):
            values = np.arange(np.prod(shape), dtype=np.float32).reshape(shape) + len(found)
            buffer.upload(values, gpu.stream)
            back = buffer.download(shape, gpu.stream)
            gpu.stream.synchronize()
            found.append(back.copy())
            assert np.array_equal(found[-1], values)
        return found

    gpu.call(there_and_back)

    def free() -> None:
        buffers.pop().free()

    gpu.close(free)
    assert held() == {}, held()


def wrong_thread() -> None:
    """CUDA belongs to the thread that entered the context, and to no other."""
    gpu = GpuThread(driver)
    faults: list[BaseException] = []

    def outside() -> None:
        try:
            driver.mem_alloc(16)
        except driver.Error as error:
            faults.append(error)

    caller = threading.Thread(target=outside)
    caller.start()
    caller.join()
    assert faults and "context" in str(faults[0]), faults
    assert gpu.call(lambda: int(Buffer(driver, 4, np.float32).address)) > 0
    gpu.close(lambda: None)
    assert held() == {}, held()


def out_of_memory() -> None:
    """What has no room is one error, and what was made before it is given back."""
    gpu = GpuThread(driver)
    made: list[Buffer] = []

    def fill() -> None:
        for _ in range(10):
            made.append(Buffer(driver, 4 << 20, np.float32))

    try:
        gpu.call(fill)
    except RunnerError as error:
        assert "memory" in str(error), error
    else:
        raise AssertionError("64 MiB held 160 MiB")

    def free() -> None:
        while made:
            made.pop().free()

    gpu.close(free)
    assert held() == {}, held()


def overrun() -> None:
    """A copy that leaves its allocation is refused, and the thread lives on."""
    gpu = GpuThread(driver)

    def copy_too_much() -> None:
        driver.memcpy_htod(driver.mem_alloc(16), np.zeros(100, np.float32))

    try:
        gpu.call(copy_too_much)
    except RunnerError as error:
        assert "invalid" in str(error), error
    else:
        raise AssertionError("100 values were copied into room for 4")
    assert gpu.call(lambda: True)
    gpu.close(lambda: None)
    assert held() == {}, held()


def runner() -> None:
    """The whole runner, twice: every number is ONNX Runtime's, and both times everything is given back."""
    bundle = Bundle.load(TINY)
    tensorrt = library(lambda _stream, work: work())
    rng = np.random.default_rng(4)
    with tempfile.TemporaryDirectory() as root, OnnxRuntimeRunner(bundle, 1) as reference:
        engines = write_engines(bundle, tensorrt, Path(root))
        for _ in range(2):
            with TensorRtRunner(engines, tensorrt, driver, GraphApi(HOST)) as ours:
                for n in (1, 32, 33, 144, 9, 9, 9):
                    expected = reference.encode(encoder_inputs(n))
                    assert np.array_equal(ours.encode(encoder_inputs(n)).hidden, expected.hidden), n
                width = expected.hidden.shape[1]
                for n in (1, 12, 12, 12, 39):
                    hidden = rng.standard_normal((1, n, width), dtype=np.float32)
                    features = rng.standard_normal((1, n, N_FRAME_FEATURES), dtype=np.float32)
                    decoded = [
                        np.concatenate(each.decode(hidden, features), axis=1) for each in (ours, reference)
                    ]
                    assert np.array_equal(*decoded), n
                assert held()["contexts"] == 1
            assert held() == {}, held()


SCENES: tuple[Callable[[], None], ...] = (copies, wrong_thread, out_of_memory, overrun, runner)

if __name__ == "__main__":
    {scene.__name__: scene for scene in SCENES}[sys.argv[1]]()
    sys.stdout.write("done\n")
