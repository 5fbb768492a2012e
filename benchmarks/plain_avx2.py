"""Python as on a processor with AVX2 and nothing newer: for machines that have AVX-512 and VNNI.

    python -m benchmarks.plain_avx2 -m benchmarks
    python -m benchmarks.plain_avx2 -m edge say "Mind the gap." -o gap.wav

ONNX Runtime chooses its kernels by CPUID and offers no switch. A copy of its library is put before the
installed one in which CPUID asks ``plain_avx2.c`` instead; NumPy and its BLAS have switches of their own. All
that such a processor would run is then run here, at the speed of this machine. Needs gcc and objdump.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from .machine import PLAIN_AVX2

SOURCE = Path(__file__).with_suffix(".c")
PROGRAMS = ("gcc", "objdump")
CPUID, TRAP = b"\x0f\xa2", b"\xcc\x90"


def missing() -> str:
    """Why that cannot be had here; empty if it can."""
    if os.uname().machine != "x86_64":
        return f"{os.uname().machine} has no AVX2; run this on x86-64"
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"{' and '.join(absent)} missing; apt-get install gcc binutils" if absent else ""


def environment(folder: Path) -> dict[str, str]:
    """Make the library and the answer to CPUID ready.

    Args:
        folder: an empty one, which has to stay as long as the programs run.

    Returns:
        Environment of programs that are to see AVX2 alone; their children see no more either.

    Raises:
        RuntimeError: gcc or objdump is missing, or this is another kind of processor.
    """
    if reason := missing():
        raise RuntimeError(reason)
    answers = folder / "plain_avx2.so"
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", answers, SOURCE], check=True)
    _copy_runtime(folder)
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "LD_PRELOAD": str(answers),
        "NPY_DISABLE_CPU_FEATURES": " ".join(_newer_features()),
        "OPENBLAS_CORETYPE": "Haswell",
        PLAIN_AVX2: "1",
    }


def _newer_features() -> list[str]:
    """What NumPy would use here beyond AVX2, by the names that it gives them."""
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    return [name for name in found if name == "X86_V4" or name.startswith("AVX512")]


def _copy_runtime(folder: Path) -> None:
    """A package ``onnxruntime`` of links to the installed one, but for its library."""
    spec = find_spec("onnxruntime")
    assert spec is not None and spec.submodule_search_locations
    installed = Path(spec.submodule_search_locations[0])
    copied = folder / "onnxruntime"
    shutil.copytree(installed, copied, copy_function=os.symlink)
    for library in (installed / "capi").glob("onnxruntime_pybind11_state*.so"):
        target = copied / "capi" / library.name
        target.unlink()
        target.write_bytes(trapping(library))


def trapping(library: Path) -> bytes:
    """A library whose every CPUID is a trap.

    Raises:
        RuntimeError: no CPUID was found; such a library would see what the processor has.
    """
    command = ["objdump", "--disassemble", "--section=.text", "--no-show-raw-insn", str(library)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = [line for line in process.stdout if line.rstrip().endswith("\tcpuid")]
    if not found:
        raise RuntimeError(f"objdump finds no CPUID in {library}")
    code, begin, offset = bytearray(library.read_bytes()), *_text_section(library)
    for line in found:
        at = int(line.split(":")[0], 16) - begin + offset
        assert code[at : at + 2] == CPUID
        code[at : at + 2] = TRAP
    return bytes(code)


def _text_section(library: Path) -> tuple[int, int]:
    """Address of the code when it is loaded, and where it lies in the file."""
    listed = subprocess.run(
        ["objdump", "--section-headers", str(library)], capture_output=True, text=True, check=True
    )
    match = re.search(r"\s\.text\s+\w+\s+(\w+)\s+\w+\s+(\w+)", listed.stdout)
    assert match is not None
    return int(match[1], 16), int(match[2], 16)


def main() -> None:
    """Run as a command."""
    with tempfile.TemporaryDirectory(prefix="sovits-avx2-") as folder:
        try:
            variables = environment(Path(folder))
        except RuntimeError as error:
            sys.exit(f"error: {error}")
        sys.exit(subprocess.run([sys.executable, *sys.argv[1:]], env=variables).returncode)


if __name__ == "__main__":
    main()
