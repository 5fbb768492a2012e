"""The real PyCUDA under the runner, on a CUDA driver made of host memory; skipped where PyCUDA is missing.

Other processes run the scenes: PyCUDA binds to the driver that is loaded first, and no test must meet it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SCENES = ("copies", "wrong_thread", "out_of_memory", "overrun", "runner")
REFUSAL = "int {name}(void) {{ return 801; }}\n"  # CUDA_ERROR_NOT_SUPPORTED

spec = importlib.util.find_spec("pycuda")
needs = pytest.mark.skipif(
    spec is None or shutil.which("gcc") is None or shutil.which("nm") is None,
    reason="PyCUDA, gcc or nm is not installed",
)


@pytest.fixture(scope="module")
def host_cuda(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The driver, with a refusal for every function that PyCUDA links to and that it does not have."""
    assert spec is not None and spec.origin is not None
    extension = next(Path(spec.origin).parent.glob("_driver*.so"))
    table = subprocess.run(
        ["nm", "-D", "--undefined-only", extension], capture_output=True, text=True, check=True
    )
    wanted = set(re.findall(r"\bcu[A-Z]\w*", table.stdout))
    ours = (HERE / "host_cuda.c").read_text("utf-8")
    folder = tmp_path_factory.mktemp("host_cuda")
    missing = sorted(wanted - set(re.findall(r"^int (cu\w+)\(", ours, re.MULTILINE)))
    (folder / "rest.c").write_text("".join(REFUSAL.format(name=name) for name in missing))
    library = folder / "libcuda.so.1"
    command = ["gcc", "-w", "-O1", "-shared", "-fPIC", "-Wl,-soname,libcuda.so.1", "-o", library]
    subprocess.run([*command, HERE / "host_cuda.c", folder / "rest.c", "-lpthread"], check=True)
    return library


@needs
@pytest.mark.parametrize("scene", SCENES)
def test_with_the_real_pycuda(host_cuda: Path, scene: str) -> None:
    path = os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))
    environment = {**os.environ, "LD_PRELOAD": str(host_cuda), "PYTHONPATH": path}
    command = [sys.executable, "-m", "tests.edge.runners.pycuda_scenes", scene]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0 and done.stdout.endswith("done\n"), done.stderr[-3000:]
