"""Real-time factor from phoneme ids to PCM: float against INT8, one thread or two, short or long."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from edge.bundle.bundle import BUILTIN_VOICE, DECODER_FILE, ENCODER_FILE, MANIFEST_FILE, Bundle
from edge.bundle.manifest import FileEntry, Quantization
from edge.spec import SAMPLE_RATE
from edge.synthesizer import PreparedLine, SpeechRequest, Synthesizer

from . import baseline
from .harness import Measure, interleave, summarize
from .lines import chinese, english, japanese

SECONDS = (1, 5, 20, 60)
THREADS = (1, 2)
BASELINE_MAX_S = 20  # it takes its time, and its factor does not change any more
CHARACTERS_PER_SECOND = 4  # a first guess at the length of a line; the true length is measured


@contextmanager
def float_bundle(bundle: Path) -> Iterator[Path]:
    """The same bundle with its weights as floats, for the comparison within one runtime."""
    import hashlib

    import onnx

    from quantize.qdq import dequantize

    with tempfile.TemporaryDirectory(prefix="sovits-float-") as folder:
        target = Path(folder)
        files = {}
        source = Bundle.load(bundle)
        for name in (ENCODER_FILE, DECODER_FILE):
            data = dequantize(onnx.load_model_from_string(source.read(name))).SerializeToString()
            (target / name).write_bytes(data)
            files[name] = FileEntry(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
        changes = {"files": files, "quantization": Quantization(scheme="fp32")}
        manifest = source.manifest.model_copy(update=changes)
        (target / MANIFEST_FILE).write_text(manifest.model_dump_json(), encoding="utf-8")
        yield target


def measure(
    repeats: int, seconds: tuple[int, ...], bundle: Path | None, progress: Callable[[int, int], None]
) -> list[Measure]:
    """Real-time factors and the time of the text stage, all variants interleaved."""
    path = bundle or BUILTIN_VOICE
    with float_bundle(path) as float_path, tempfile.TemporaryDirectory(prefix="sovits-baseline-") as folder:
        network = Path(folder) / "baseline.onnx"
        baseline.export(network)
        folders = {"int8": path, "fp32": float_path}
        synthesizers = {
            (precision, threads): Synthesizer.load(folder, threads=threads)
            for precision, folder in folders.items()
            for threads in THREADS
        }
        reference = synthesizers["int8", THREADS[-1]]
        lines = {length: line_of(reference, length) for length in seconds}
        variants: list[tuple[dict[str, Any], Callable[[], float]]] = []
        for (precision, threads), synthesizer in synthesizers.items():
            for length, line in lines.items():
                variant = {"precision": precision, "threads": threads, "seconds": length}
                variants.append((variant, partial(real_time_factor, synthesizer, line)))
        variants += baseline.variants(network, THREADS, tuple(s for s in seconds if s <= BASELINE_MAX_S))
        taken = interleave(variants, repeats, progress=progress)
        measures = [summarize("rtf", "1", variant, samples) for variant, samples in taken]
        return measures + _text_stage(reference, 10 * repeats)


def line_of(synthesizer: Synthesizer, seconds: float) -> PreparedLine:
    """A line that sounds for about this long."""
    choose = random.Random(7)
    name = synthesizer.bundle.manifest.characters[0].name
    n_characters = max(round(seconds * CHARACTERS_PER_SECOND / 5), 1) * 5
    for _ in range(3):
        line = synthesizer.prepare(SpeechRequest(chinese(n_characters, choose), name, "zh"))
        length = sum(len(chunk.samples) for chunk in synthesizer.stream(line)) / SAMPLE_RATE
        n_characters = max(round(n_characters * seconds / length / 5), 1) * 5
    return synthesizer.prepare(SpeechRequest(chinese(n_characters, choose), name, "zh"))


def real_time_factor(synthesizer: Synthesizer, line: PreparedLine) -> float:
    """Time from phoneme ids to the last PCM, chunk by chunk as in the daemon, by the length of the sound."""
    n_samples = 0
    started = time.perf_counter()
    for chunk in synthesizer.stream(line):
        n_samples += len(chunk.samples)
    return (time.perf_counter() - started) / (n_samples / SAMPLE_RATE)


def _text_stage(synthesizer: Synthesizer, repeats: int) -> list[Measure]:
    choose = random.Random(11)
    makers: dict[str, Callable[[], str]] = {
        "zh": partial(chinese, 20, choose),
        "en": partial(english, choose),
        "ja": partial(japanese, choose),
    }
    variants = [
        ({"language": language, "characters": 20}, partial(_reading_ms, synthesizer, make))
        for language, make in makers.items()
    ]
    return [summarize("text_stage", "ms", variant, taken) for variant, taken in interleave(variants, repeats)]


def _reading_ms(synthesizer: Synthesizer, make: Callable[[], str]) -> float:
    request = SpeechRequest(make(), synthesizer.bundle.manifest.characters[0].name)
    started = time.perf_counter()
    synthesizer.prepare(request)
    return (time.perf_counter() - started) * 1000


def bundle_size(bundle: Path | None) -> Measure:
    """Bytes of the bundle's files, in MiB."""
    path = bundle or BUILTIN_VOICE
    files = [path] if path.is_file() else [file for file in path.iterdir() if file.is_file()]
    return summarize("bundle_size", "MiB", {}, [sum(file.stat().st_size for file in files) / 2**20])
