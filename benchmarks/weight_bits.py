"""Weights of 7 or 8 bits on processors with and without VNNI: what they cost, and whether they sound alike.

    python -m benchmarks.weight_bits --float runs/float --corpus corpus

Where a processor has AVX2 and no VNNI, products of uint8 and int8 add pairs in 16 bits; the sum saturates for
weights of 8 bits and cannot for 7. Both kinds of networks are made from the float ones. They speak the same
lines here, on a processor with VNNI, and on a Haswell that QEMU (user mode) emulates to the bit; durations
and pitch are those of the float networks, so that only spectra differ. Kept in
``benchmarks/results/quality/weight-bits.json``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from edge.distance import log_mel_distance, snr_db
from edge.runners import EncoderOutputs
from quantize.compare import speed
from quantize.lines import Line, read_lines
from quantize.network import FolderRunner, expand, render
from quantize.placement import quantize

from . import machine
from .harness import write_result
from .report import QUALITY, RESULTS

BITS = (8, 7)
EMULATOR = ("qemu-x86_64-static", "qemu-x86_64")
HASWELL = ("-cpu", "Haswell,-pcid,-x2apic,-tsc-deadline,-hle,-invpcid,-rtm")  # AVX2, no VNNI
N_LINES = 12

# Speaks the lines with the networks of several folders; on the emulated processor, so it does nothing else.
_LISTENER = """
import json, sys
from pathlib import Path
from benchmarks.weight_bits import speak
from quantize.lines import read_lines
from quantize.network import FolderRunner
corpus, n, output, *folders = sys.argv[1:]
student = json.loads((Path(folders[0]) / "student.json").read_text())
lines = read_lines(Path(corpus), student, "test", int(n))
for folder in map(Path, folders):
    runner = FolderRunner(folder)
    for number, line in enumerate(lines):
        speak(runner, line, Path(output) / f"{number}.npz", Path(output) / f"{folder.name}-{number}.npz")
"""


def speak(runner: FolderRunner, line: Line, prosody: Path, output: Path) -> None:
    """Keep what a line sounds like with the prosody of a file, and the durations that are predicted."""
    said = runner.encode(line.inputs)
    reference = EncoderOutputs(**np.load(prosody))
    sound = render(expand(line, reference, said.hidden), runner)
    np.savez(output, sound=sound, durations=said.durations)


def emulator() -> str:
    """Path of QEMU.

    Raises:
        RuntimeError: it is not installed, or this processor has no VNNI to compare with.
    """
    found = next(filter(None, map(shutil.which, EMULATOR)), None)
    if found is None:
        raise RuntimeError("QEMU is missing; apt-get install qemu-user-static")
    if not any("vnni" in flag for flag in machine.describe()["flags"]):
        raise RuntimeError("this processor has no VNNI; run it on one that has: the other kind is emulated")
    return found


def compare(networks: Path, corpus: Path) -> dict[str, Any]:
    """Distances between sounds, and ms of the networks."""
    qemu, student = emulator(), json.loads((networks / "student.json").read_text())
    lines = read_lines(corpus, student, "test", N_LINES)
    with tempfile.TemporaryDirectory() as work:
        folders = {bits: Path(work) / f"int{bits}" for bits in BITS}
        for bits, folder in folders.items():
            quantize(networks, read_lines(corpus, student, "train", 24), folder, weight_bits=bits)
            shutil.copy(networks / "student.json", folder)
        output = Path(work) / "sound"
        output.mkdir()
        reference = FolderRunner(networks)
        for number, line in enumerate(lines):
            np.savez(output / f"{number}.npz", **asdict(reference.encode(line.inputs)))
            speak(reference, line, output / f"{number}.npz", output / f"float-{number}.npz")
        command = [sys.executable, "-c", _LISTENER, str(corpus), str(N_LINES), str(output)]
        subprocess.run([qemu, *HASWELL, *command, *map(str, folders.values())], cwd=machine.ROOT, check=True)
        rows = [_distances(bits, folder, output, lines) for bits, folder in folders.items()]
        timed = speed({"float": networks, **{f"int{b}": folder for b, folder in folders.items()}}, lines[0])
    return {"machine": machine.describe(), "lines": len(lines), "sound": rows, "speed_with_vnni": timed}


def _distances(bits: int, folder: Path, output: Path, lines: list[Line]) -> dict[str, Any]:
    """How far sounds with VNNI and without are from float and from each other, means over lines."""
    runner = FolderRunner(folder)
    found: dict[str, list[tuple[float, float, float]]] = {}
    for number, line in enumerate(lines):
        native = output / "native.npz"
        speak(runner, line, output / f"{number}.npz", native)
        heard = {
            "float": np.load(output / f"float-{number}.npz"),
            "vnni": np.load(native),
            "avx2": np.load(output / f"{folder.name}-{number}.npz"),
        }
        for left, right in (("float", "vnni"), ("float", "avx2"), ("vnni", "avx2")):
            found.setdefault(f"{right}_to_{left}", []).append(_distance(heard[left], heard[right]))
    names = ("log_mel_db", "snr_db", "duration_error_frames")
    figures = {
        f"{pair}_{name}": round(fmean(row[index] for row in rows), 4)
        for pair, rows in found.items()
        for index, name in enumerate(names)
    }
    return {"weight_bits": bits, **figures}


def _distance(
    wanted: Mapping[str, np.ndarray], heard: Mapping[str, np.ndarray]
) -> tuple[float, float, float]:
    error = float(np.sqrt(np.mean((wanted["durations"] - heard["durations"]) ** 2)))
    ratio = min(snr_db(wanted["sound"], heard["sound"]), 120.0)
    return log_mel_distance(wanted["sound"], heard["sound"]), ratio, error


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.weight_bits", description=__doc__)
    parser.add_argument("--float", type=Path, required=True, help="folder of sovits-quantize export")
    parser.add_argument("--corpus", type=Path, required=True, help="corpus of sovits-distill")
    options = parser.parse_args()
    result = compare(options.float, options.corpus)
    for row in (*result["sound"], *result["speed_with_vnni"]):
        print(row)
    write_result(RESULTS / QUALITY / "weight-bits.json", result)


if __name__ == "__main__":
    main()
