"""Float against int8 on lines that were not calibrated on: prosody, sound, size and speed, in one run."""

from __future__ import annotations

import platform
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from edge.bundle.bundle import DECODER_FILE, ENCODER_FILE
from edge.decoding import LineDecoder, PhraseInLine
from edge.distance import log_mel_distance, snr_db
from edge.runners.ort import session_options
from edge.spec import FRAME_RATE

from .lines import Line
from .network import FolderRunner, expand, render
from .sound import duration_error_frames, f0_error_cents

REPEATS = 30
CONTEXT_FRAMES = 24  # of windows in the timing; every student of 8 blocks of 7 has it
MAX_WINDOW = 256
INTEGER_KERNELS = ("MatMulIntegerToFloat", "QLinearMatMul", "DynamicQuantizeMatMul", "QGemm")


@dataclass(frozen=True)
class Quality:
    """Means over the lines."""

    duration_error_frames: float
    """Root mean square per phoneme; a frame is 16 ms."""
    length_error_percent: float
    """Of whole lines."""
    f0_error_cents: float
    """Root mean square of the pitch targets."""
    decoder_log_mel_db: float
    decoder_snr_db: float
    """``decoder_log_mel_db``, ``decoder_snr_db``: int8 decoder, float encoder."""
    log_mel_db: float
    snr_db: float
    """``log_mel_db``, ``snr_db``: int8 encoder and decoder, durations and pitch of the float encoder."""


def quality(float_folder: Path, int8_folder: Path, lines: Sequence[Line]) -> Quality:
    """Compare what two folders of networks say and sound like."""
    ours, theirs = FolderRunner(float_folder), FolderRunner(int8_folder)
    rows = [_line_quality(ours, theirs, line) for line in lines]
    return Quality(*(float(np.mean(column)) for column in zip(*rows, strict=True)))


def _line_quality(ours: FolderRunner, theirs: FolderRunner, line: Line) -> tuple[float, ...]:
    reference, other = ours.encode(line.inputs), theirs.encode(line.inputs)
    length, other_length = reference.durations.sum(), other.durations.sum()
    phrase = expand(line, reference, reference.hidden)
    sound, decoder_only = render(phrase, ours), render(phrase, theirs)
    whole = render(expand(line, reference, other.hidden), theirs)
    return (
        duration_error_frames(reference, other),
        abs(float(other_length / length) - 1) * 100,
        f0_error_cents(reference, other),
        log_mel_distance(sound, decoder_only),
        snr_db(sound, decoder_only),
        log_mel_distance(sound, whole),
        snr_db(sound, whole),
    )


def speed(folders: dict[str, Path], line: Line) -> list[dict[str, Any]]:
    """Time each folder's networks on one line, all variants interleaved.

    The networks run in the calling thread, so their processor time is theirs alone, whatever else the machine
    does; the line, from ids to samples, is wall time with one and with two windows at a time.

    Returns:
        One row per folder: least ms of encoder and decoder, their ms per second of sound, ms of the line.
    """
    variants = {(name, n): FolderRunner(folder, n) for name, folder in folders.items() for n in (1, 2)}
    decoders = {key: LineDecoder(runner, CONTEXT_FRAMES, MAX_WINDOW) for key, runner in variants.items()}
    first = next(iter(variants.values()))
    prosody = first.encode(line.inputs)
    phrase = expand(line, prosody, prosody.hidden)
    times: dict[tuple[str, int], list[tuple[float, float, float]]] = {key: [] for key in variants}
    for _ in range(REPEATS):
        for key, runner in variants.items():
            encoder = _milliseconds(time.thread_time, partial(runner.encode, line.inputs))
            decoder = _milliseconds(
                time.thread_time, partial(runner.decode, phrase.hidden, phrase.plan.features)
            )
            whole = _milliseconds(time.perf_counter, partial(_speak, runner, decoders[key], line))
            times[key].append((encoder, decoder, whole))
    for windows in decoders.values():
        windows.close()
    seconds = phrase.plan.n_frames / FRAME_RATE
    return [_speed_row(name, np.array(times[name, 1]), np.array(times[name, 2]), seconds) for name in folders]


def _speak(runner: FolderRunner, decoder: LineDecoder, line: Line) -> None:
    """A whole line from ids to samples."""
    prosody = runner.encode(line.inputs)
    phrase = expand(line, prosody, prosody.hidden)
    for _ in decoder.sound([PhraseInLine(lambda: phrase)], 0, lambda: False):
        pass


def _speed_row(name: str, one: np.ndarray, two: np.ndarray, seconds: float) -> dict[str, Any]:
    encoder, decoder, whole = one.min(axis=0)
    return {
        "networks": name,
        "encoder_ms": round(float(encoder), 3),
        "decoder_ms": round(float(decoder), 3),
        "networks_ms_per_s": round(float((encoder + decoder) / seconds), 3),
        "line_ms": round(float(whole), 3),
        "line_two_threads_ms": round(float(two[:, 2].min()), 3),
        "seconds": round(seconds, 2),
    }


def _milliseconds(clock: Callable[[], float], call: Callable[[], object]) -> float:
    start = clock()
    call()
    return (clock() - start) * 1e3


def kernels(path: Path) -> dict[str, int]:
    """Operators that ONNX Runtime really runs for a graph on this machine, after its fusions."""
    options = session_options()
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
    folders = {"float32": float_folder, "int8": int8_folder}
    rows = speed(folders, longest)
    files = (ENCODER_FILE, DECODER_FILE)
    return {
        "lines": len(lines),
        "quality": asdict(quality(float_folder, int8_folder, lines)),
        "speed": rows,
        "speedup": round(rows[0]["networks_ms_per_s"] / rows[1]["networks_ms_per_s"], 2),
        "bytes": {
            name: sum((folder / file).stat().st_size for file in files) for name, folder in folders.items()
        },
        "unfused_products": {file: unfused(int8_folder / file) for file in files},
        "kernels": {file: kernels(int8_folder / file) for file in files},
        "machine": {
            "processor": platform.machine(),
            "onnxruntime": onnxruntime.__version__,
            "python": platform.python_version(),
        },
    }
