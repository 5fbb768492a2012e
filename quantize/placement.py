"""Decides which matrix products become int8, by what each of them alone does to prosody and sound.

The harm of a layer is its error in units of what is allowed, squared. Errors of different layers are nearly
independent, so harms add up: the worst layers, per product saved, stay float until the rest fits the budget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto

from edge.bundle.bundle import DECODER_FILE, ENCODER_FILE
from edge.decoding import EncodedPhrase
from edge.distance import snr_db
from edge.frames import Frames
from edge.head import PhraseHead
from edge.runners.base import ENCODER_OUTPUTS, EncoderOutputs

from . import equalize, qdq
from .calibrate import Histogram, Method, record
from .graph import Graph
from .half import cast_half, half_layers
from .lines import Line
from .network import Arrays, FolderRunner, expand, keep_casts, open_session, render
from .rounding import round_all
from .sound import duration_error_frames, f0_error_cents

ALLOWED_DURATION_FRAMES = 0.25  # 4 ms, a quarter of the grid that durations are rounded to
ALLOWED_F0_CENTS = 10.0  # the ear's limit for steady tones is about 5
ALLOWED_HIDDEN_DB = 30.0  # signal to noise of what the decoder reads
ALLOWED_SOUND_DB = 25.0  # signal to noise of the samples
SPLIT_HARM = 0.5  # of a product alone; what is better than that does not need more channels
METHODS: tuple[Method, ...] = ("max", "percentile", "mse")


@dataclass(frozen=True)
class LayerReport:
    """What quantizing one product alone does."""

    name: str
    """Of the product in the graph."""
    operations: int
    """Multiplications per phoneme or frame."""
    harm: float
    """Squared error in units of what is allowed."""
    int8: bool = True
    """Whether it is quantized."""


@dataclass(frozen=True)
class Placement:
    """Result for one graph."""

    method: Method
    """How ranges were chosen."""
    harm_by_method: dict[str, float]
    """Of the whole graph with every layer in int8."""
    harm: float
    """Of the graph as placed."""
    layers: tuple[LayerReport, ...]
    """One report per product."""
    half: tuple[str, ...] = ()
    """Layers that an engine for a GPU may compute in float16."""

    def float_layers(self) -> tuple[str, ...]:
        """Names of the products that stay float."""
        return tuple(layer.name for layer in self.layers if not layer.int8)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the report."""
        return asdict(self)


Harm = Callable[[ModelProto], float]


def quantize(
    source: Path,
    lines: Sequence[Line],
    output: Path,
    budget: float = 1.0,
    weight_bits: int = qdq.WEIGHT_BITS,
    half: bool = False,
) -> dict[str, Placement]:
    """Quantize both graphs of a folder.

    Args:
        source: folder with float graphs.
        lines: to calibrate and to measure on.
        output: folder for the int8 graphs.
        budget: harm allowed in each graph.
        weight_bits: of the weights, 7 or 8.
        half: also choose layers for float16 on a GPU; the graphs stay as they are.

    Returns:
        Placement by file name.
    """
    output.mkdir(parents=True, exist_ok=True)
    placements = {}
    for file, (harm, feeds) in jobs(source, lines).items():
        model = onnx.load(source / file)
        placements[file], placed = place(model, feeds, harm, budget, weight_bits)
        if half:
            chosen = choose_half(placed, harm, budget)
            placements[file] = replace(placements[file], half=chosen)
        onnx.save(placed, output / file)
    return placements


def jobs(source: Path, lines: Sequence[Line]) -> dict[str, tuple[Harm, list[Arrays]]]:
    """How harm is measured in each graph of a folder, and what it is fed, by file name."""
    runner = FolderRunner(source)
    spoken = [runner.encode(line.inputs) for line in lines]
    phrases = [expand(line, said, said.hidden) for line, said in zip(lines, spoken, strict=True)]
    return {
        ENCODER_FILE: (encoder_harm(lines, spoken), [line.inputs.feeds() for line in lines]),
        DECODER_FILE: (decoder_harm(phrases, runner), [decoder_feeds(phrase) for phrase in phrases]),
    }


def place(
    model: ModelProto,
    feeds: Sequence[dict[str, np.ndarray]],
    harm: Harm,
    budget: float,
    weight_bits: int = qdq.WEIGHT_BITS,
) -> tuple[Placement, ModelProto]:
    """Choose ranges and layers for one graph and quantize it."""
    found = equalized(model, feeds, harm, weight_bits)
    if found is None:
        return Placement("max", {}, 0.0, ()), model
    alone = found.alone(harm)
    layers = [LayerReport(name, size, alone[name]) for name, size in found.sizes.items()]
    chosen = _choose(layers, budget, lambda kept: harm(found.quantized(kept)))
    layers = [replace(layer, int8=layer.name in chosen) for layer in layers]
    placed = found.quantized(chosen)
    return Placement(found.method, found.by_method, harm(placed), tuple(layers)), placed


@dataclass(frozen=True)
class Ranges:
    """What one graph needs to be quantized, whichever of its products are."""

    model: ModelProto
    weight_bits: int
    sizes: dict[str, int]
    """Products that can be int8, with their multiplications per phoneme or frame."""
    method: Method
    by_method: dict[str, float]
    limits: dict[str, float]
    rounded: Mapping[str, qdq.Weight]
    """Weights by name of the product."""

    def quantized(self, layers: Sequence[str]) -> ModelProto:
        """The graph with these products in int8."""
        return qdq.insert(self.model, self.limits, layers, self.weight_bits, self.rounded)

    def alone(self, harm: Harm) -> dict[str, float]:
        """What each product alone in int8 does."""
        return {name: harm(self.quantized([name])) for name in self.sizes}


def equalized(
    model: ModelProto, feeds: Sequence[Arrays], harm: Harm, weight_bits: int = qdq.WEIGHT_BITS
) -> Ranges | None:
    """Ranges of a graph after its channels are made alike; a product that needs more has its inputs split."""
    if not qdq.products(model):  # every product is narrow
        return None
    model = equalize.smooth(model, equalize.channel_peaks(model, feeds))
    found = ranges(model, feeds, harm, weight_bits)
    if found is None:
        return None
    for name, alone in found.alone(harm).items():
        wide = None
        if alone > SPLIT_HARM:
            wide = equalize.split(found.model, name, equalize.channel_peaks(found.model, feeds))
        tried = None if wide is None else ranges(wide, feeds, harm, weight_bits)
        if tried is not None and harm(tried.quantized([name])) < SPLIT_HARM:
            found = tried
    return found


def ranges(
    model: ModelProto, feeds: Sequence[Arrays], harm: Harm, weight_bits: int = qdq.WEIGHT_BITS
) -> Ranges | None:
    """Choose how ranges are found in a graph, by the harm of all products together; None without products."""
    candidates = qdq.products(model)
    histograms = record(model, [node.input[0] for node in candidates], feeds)
    graph = Graph(model)
    sizes = {
        node.name: int(np.prod(graph.constants[node.input[1]].dims))
        for node in candidates
        if histograms[node.input[0]].per_step
    }
    if not sizes:
        return None
    rounded = round_all(model, feeds, weight_bits)
    tried = {
        method: Ranges(model, weight_bits, sizes, method, {}, _limits(histograms, method), rounded)
        for method in METHODS
    }
    by_method: dict[str, float] = {
        method: harm(found.quantized(list(sizes))) for method, found in tried.items()
    }
    best = min(METHODS, key=lambda name: by_method[name])
    return replace(tried[best], by_method=by_method)


def choose_half(model: ModelProto, harm: Harm, budget: float) -> tuple[str, ...]:
    """Choose the layers of a placed graph whose float16 keeps the whole within the budget.

    Args:
        model: with its int8 layers.
        harm: of the graph.
        budget: harm allowed.
    """
    content = model.SerializeToString()
    kept = list(half_layers(content))
    if kept and with_half(content, kept, harm) > budget:
        kept.sort(key=lambda name: with_half(content, [name], harm))
        while kept and with_half(content, kept, harm) > budget:
            kept.pop()
    return tuple(name for name in half_layers(content) if name in kept)


def with_half(content: bytes, layers: Sequence[str], harm: Harm) -> float:
    """Harm of a graph with layers in float16, as ONNX Runtime has them: rounded, and added up in float32."""
    return harm(keep_casts(onnx.load_from_string(cast_half(content, layers))))


def _limits(histograms: Mapping[str, Histogram], method: Method) -> dict[str, float]:
    return {name: histogram.limit(method) for name, histogram in histograms.items()}


def _choose(
    layers: Sequence[LayerReport], budget: float, measured: Callable[[list[str]], float]
) -> list[str]:
    """Drop the layer with the most harm per operation until the rest, measured together, fits the budget."""
    kept = sorted(layers, key=lambda layer: layer.harm / layer.operations)
    while kept and measured([layer.name for layer in kept]) > budget:
        kept.pop()
    return [layer.name for layer in kept]


def encoder_harm(lines: Sequence[Line], spoken: Sequence[EncoderOutputs]) -> Harm:
    """Harm of an encoder against what the float encoder said about the same lines."""

    def harm(model: ModelProto) -> float:
        session = open_session(model)
        total = 0.0
        for line, reference in zip(lines, spoken, strict=True):
            outputs = session.run(list(ENCODER_OUTPUTS), line.inputs.feeds())
            other = EncoderOutputs(*(output[0] for output in outputs))
            total += (duration_error_frames(reference, other) / ALLOWED_DURATION_FRAMES) ** 2
            total += (f0_error_cents(reference, other) / ALLOWED_F0_CENTS) ** 2
            total += 10 ** ((ALLOWED_HIDDEN_DB - snr_db(reference.hidden, other.hidden)) / 10)
        return total / len(lines)

    return harm


def decoder_feeds(phrase: EncodedPhrase) -> Arrays:
    """Inputs of the decoder graph for a whole phrase."""
    return {"hidden": phrase.hidden, "features": phrase.plan.features}


def decoder_harm(phrases: Sequence[EncodedPhrase], runner: FolderRunner) -> Harm:
    """Harm of a decoder against the sound of the float decoder for the same inputs."""
    sounds = [render(phrase, runner) for phrase in phrases]

    def harm(model: ModelProto) -> float:
        session = open_session(model)
        total = 0.0
        for phrase, reference in zip(phrases, sounds, strict=True):
            frames = session.run(None, decoder_feeds(phrase))[0][0]
            other = PhraseHead(phrase.plan.f0_edges).render(Frames.of(frames))
            total += 10 ** ((ALLOWED_SOUND_DB - snr_db(reference, other)) / 10)
        return total / len(phrases)

    return harm
