"""Float against int8 on lines that were not calibrated on: prosody, sound, size and speed, in one run."""

from __future__ import annotations

import platform
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from edge.bundle import DECODER_FILE, ENCODER_FILE
from edge.runners.ort import session_options
from edge.spec import FRAME_RATE

from .lines import Line
from .network import Networks, decoder_case, render
from .sound import duration_error_frames, f0_error_cents, log_mel_distance, snr_db

REPEATS = 30
INTEGER_KERNELS = ("MatMulIntegerToFloat", "QLinearMatMul", "DynamicQuantizeMatMul", "QGemm")


@dataclass(frozen=True)
class Quality:
    """Means over the lines.

    Attributes:
        duration_error_frames: root mean square per phoneme; a frame is 16 ms.
        length_error_percent: of whole lines.
        f0_error_cents: root mean square of the pitch targets.
        decoder_log_mel_db, decoder_snr_db: int8 decoder, float encoder.
        log_mel_db, snr_db: int8 encoder and decoder, durations and pitch of the float encoder.
    """

    duration_error_frames: float
    length_error_percent: float
    f0_error_cents: float
    decoder_log_mel_db: float
    decoder_snr_db: float
    log_mel_db: float
    snr_db: float


def quality(float_folder: Path, int8_folder: Path, lines: Sequence[Line]) -> Quality:
    """Compare what two folders of networks say and sound like."""
    ours, theirs = Networks(float_folder), Networks(int8_folder)
    rows = [_line_quality(ours, theirs, line) for line in lines]
    return Quality(*(float(np.mean(column)) for column in zip(*rows, strict=True)))


def _line_quality(ours: Networks, theirs: Networks, line: Line) -> tuple[float, ...]:
    reference, other = ours.encode(line), theirs.encode(line)
    length, other_length = reference.durations.sum(), other.durations.sum()
    case = decoder_case(line, reference, reference.hidden)
    sound = render(case, ours.decode(case))
    decoder_only = render(case, theirs.decode(case))
    whole_case = decoder_case(line, reference, other.hidden)
    whole = render(whole_case, theirs.decode(whole_case))
    return (
        duration_error_frames(reference, other),
        abs(float(other_length / length) - 1) * 100,
        f0_error_cents(reference, other),
        log_mel_distance(sound, decoder_only),
        snr_db(sound, decoder_only),
        log_mel_distance(sound, whole),
        snr_db(sound, whole),
    )


def speed(folders: dict[str, Path], line: Line, threads: Sequence[int] = (1, 2)) -> list[dict[str, Any]]:
    """Time encoder and decoder of each folder on one line, all variants interleaved.

    Returns:
        One row per folder and thread count: median and least ms, and ms per second of sound.
    """
    variants = {(name, n): Networks(folder, n) for name, folder in folders.items() for n in threads}
    reference = next(iter(variants.values())).encode(line)
    case = decoder_case(line, reference, reference.hidden)
    seconds = case.plan.n_frames / FRAME_RATE
    times: dict[tuple[str, int], list[tuple[float, float]]] = {key: [] for key in variants}
    for _ in range(REPEATS):
        for key, networks in variants.items():
            encoder = _milliseconds(lambda networks=networks: networks.encode(line))  # type: ignore[misc]
            decoder = _milliseconds(lambda networks=networks: networks.decode(case))  # type: ignore[misc]
            times[key].append((encoder, decoder))
    return [_speed_row(*key, np.array(values[2:]), seconds) for key, values in times.items()]


def _speed_row(name: str, threads: int, times: np.ndarray, seconds: float) -> dict[str, Any]:
    median, least = np.median(times, axis=0), times.min(axis=0)
    return {
        "networks": name,
        "threads": threads,
        "encoder_ms": round(float(median[0]), 3),
        "decoder_ms": round(float(median[1]), 3),
        "encoder_least_ms": round(float(least[0]), 3),
        "decoder_least_ms": round(float(least[1]), 3),
        "least_ms_per_s": round(float(least.sum() / seconds), 3),
        "seconds": round(seconds, 2),
    }


def _milliseconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


def kernels(path: Path) -> dict[str, int]:
    """Operators that ONNX Runtime really runs for a graph on this machine, after its fusions."""
    options = session_options(1)
    with tempfile.TemporaryDirectory() as folder:
        optimized = Path(folder) / "optimized.onnx"
        options.optimized_model_filepath = str(optimized)
        onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        counts = Counter(node.op_type for node in onnx.load(optimized).graph.node)
    return dict(counts.most_common())


def unfused(path: Path) -> int:
    """Quantized products that ONNX Runtime does not run as integer kernels; 0 is as it should be."""
    quantized = sum(
        1
        for node in onnx.load(path).graph.node
        if node.op_type == "MatMul" and node.input[1].endswith("_dequantized")
    )
    fused = sum(n for name, n in kernels(path).items() if name in INTEGER_KERNELS)
    return quantized - fused


def compare(float_folder: Path, int8_folder: Path, lines: Sequence[Line]) -> dict[str, Any]:
    """Everything the report says about int8 against float."""
    longest = max(lines, key=lambda line: len(line.phonemes))
    rows = speed({"float32": float_folder, "int8": int8_folder}, longest)
    by_threads = {
        n: [row["least_ms_per_s"] for row in rows if row["threads"] == n]
        for n in {r["threads"] for r in rows}
    }
    files = (ENCODER_FILE, DECODER_FILE)
    return {
        "lines": len(lines),
        "quality": asdict(quality(float_folder, int8_folder, lines)),
        "speed": rows,
        "speedup": {str(n): round(pair[0] / pair[1], 2) for n, pair in sorted(by_threads.items())},
        "bytes": {
            name: sum((folder / file).stat().st_size for file in files)
            for name, folder in {"float32": float_folder, "int8": int8_folder}.items()
        },
        "unfused_products": {file: unfused(int8_folder / file) for file in files},
        "kernels": {file: kernels(int8_folder / file) for file in files},
        "machine": {
            "processor": platform.machine(),
            "onnxruntime": onnxruntime.__version__,
            "python": platform.python_version(),
        },
    }
