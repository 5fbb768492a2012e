"""The two networks alone, without text, head and chunks: INT8 against FP32 on one thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from edge.bundle.bundle import BUILTIN_VOICE, Bundle
from edge.decoding import EncodedPhrase
from edge.runners.base import EncoderInputs, Runner, encoder_inputs
from edge.runners.ort import OnnxRuntimeRunner
from edge.spec import FRAME_RATE
from edge.synthesizer import Synthesizer

from .harness import Measure, Variant, interleave, summarize
from .synthesis import float_bundle, line_of

SOUND_S = 20.0
PRECISIONS = ("fp32", "int8")
GRAPHS = ("encoder", "decoder")


def measure(repeats: int, path: Path | None, progress: Callable[[int, int], None]) -> list[Measure]:
    """Time of each graph for a second of sound of the same phrases, and how much INT8 is faster."""
    bundle = path or BUILTIN_VOICE
    inputs, phrases = _phrases(bundle)
    n_frames = sum(phrase.plan.n_frames for phrase in phrases)
    with (
        float_bundle(bundle) as float_path,
        OnnxRuntimeRunner(Bundle.load(float_path), 1) as fp32,
        OnnxRuntimeRunner(Bundle.load(bundle), 1) as int8,
    ):
        variants: list[tuple[Variant, Callable[[], float]]] = []
        for precision, runner in zip(PRECISIONS, (fp32, int8), strict=True):
            runs = (partial(_encode, runner, inputs), partial(_decode, runner, phrases))
            for graph, run in zip(GRAPHS, runs, strict=True):
                variants.append(({"graph": graph, "precision": precision}, partial(_cost, run, n_frames)))
        taken = interleave(variants, repeats, progress=progress)
    return [summarize("networks", "ms/s", variant, samples) for variant, samples in taken] + [_ratio(taken)]


def _phrases(bundle: Path) -> tuple[list[EncoderInputs], list[EncodedPhrase]]:
    """A line as both networks are given it."""
    synthesizer = Synthesizer.load(bundle, threads=1)
    try:
        line = line_of(synthesizer, SOUND_S)
        emotions = synthesizer.bundle.manifest.emotions
        inputs = [
            encoder_inputs(phrase, line.character.id, emotions[phrase.emotion], line.request.emotion_strength)
            for phrase in line.phrases
        ]
        return inputs, [synthesizer.encode(line, phrase) for phrase in line.phrases]
    finally:
        synthesizer.close()


def _encode(runner: Runner, inputs: list[EncoderInputs]) -> None:
    for each in inputs:
        runner.encode(each)


def _decode(runner: Runner, phrases: list[EncodedPhrase]) -> None:
    for phrase in phrases:
        runner.decode(phrase.hidden, phrase.plan.features)


def _cost(run: Callable[[], None], n_frames: int) -> float:
    """Milliseconds for a second of sound, the second time in a row: the caches are warm."""
    run()
    began = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - began) * FRAME_RATE / n_frames


def _ratio(taken: list[tuple[Variant, list[float]]]) -> Measure:
    """How many times as fast both INT8 networks are, in each round."""
    fp32, int8 = (
        np.sum([samples for variant, samples in taken if variant["precision"] == precision], axis=0)
        for precision in PRECISIONS
    )
    return summarize("networks_ratio", "1", {}, [float(ratio) for ratio in fp32 / int8])
