"""Each layer by itself: what int8 or float16 in it alone does to the sound, and what time int8 there saves.

Quality is the harm of :mod:`quantize.placement`. Speed is that of ONNX Runtime on this machine, in processor
time of one thread, every variant and the float graph in turn, so that a busy machine changes none of them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import onnx
from onnx import ModelProto

from .half import half_layers
from .lines import Line
from .network import Arrays, open_session
from .placement import Harm, Ranges, equalized, jobs, ranges, with_half

ROUNDS = 60


@dataclass(frozen=True)
class LayerSensitivity:
    """One layer of a graph, all others in float32."""

    name: str
    half_harm: float
    """Squared error in units of what is allowed, with the layer in float16."""
    int8_harm: float | None = None
    """The same in int8; None for a layer that int8 is not for: a convolution, or a narrow product."""
    plain_harm: float | None = None
    """In int8 with channels as trained, see :mod:`quantize.equalize`."""
    operations: int | None = None
    """Multiplications of a product per phoneme or frame."""
    int8_saves_us: float | None = None
    """Processor time that int8 saves in the longest line, in microseconds; below 0 it costs."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def measure(
    source: Path, lines: Sequence[Line], rounds: int = ROUNDS
) -> dict[str, tuple[LayerSensitivity, ...]]:
    """Measure both graphs of a folder.

    Args:
        source: folder with float graphs.
        lines: to calibrate and to measure on.
        rounds: in which every variant is timed once.

    Returns:
        Layers by file name, in the order of the graph.
    """
    return {
        file: _measure(onnx.load(source / file), feeds, harm, rounds)
        for file, (harm, feeds) in jobs(source, lines).items()
    }


def _measure(
    model: ModelProto, feeds: Sequence[Arrays], harm: Harm, rounds: int
) -> tuple[LayerSensitivity, ...]:
    found, plain = equalized(model, feeds, harm), ranges(model, feeds, harm)
    plain_harm = {} if plain is None else plain.alone(harm)
    model = model if found is None else found.model
    content = model.SerializeToString()
    saved = {} if found is None else _saved_us(model, found, max(feeds, key=_length), rounds)
    layers = []
    for name in half_layers(content):
        half = with_half(content, [name], harm)
        if found is None or name not in found.sizes:
            layers.append(LayerSensitivity(name, half))
        else:
            int8 = harm(found.quantized([name]))
            before = plain_harm[name]
            layers.append(LayerSensitivity(name, half, int8, before, found.sizes[name], saved[name]))
    return tuple(layers)


def _length(feeds: Arrays) -> int:
    return max(array.size for array in feeds.values())


def _saved_us(model: ModelProto, found: Ranges, feeds: Arrays, rounds: int) -> dict[str, float]:
    """What the graph with each layer in int8 takes less than the float graph, by the least of all rounds."""
    sessions = {"": open_session(model)}
    sessions |= {name: open_session(found.quantized([name])) for name in found.sizes}
    least = dict.fromkeys(sessions, math.inf)
    for _ in range(rounds):
        for name, session in sessions.items():
            least[name] = min(least[name], _us(session, feeds))
    return {name: round(least[""] - least[name], 1) for name in found.sizes}


def _us(session: Any, feeds: Arrays) -> float:
    began = time.thread_time()
    session.run(None, feeds)
    return (time.thread_time() - began) * 1e6


def table(found: dict[str, tuple[LayerSensitivity, ...]]) -> str:
    """The layers for people."""
    lines = [f"{'layer':48} {'int8 harm':>10} {'as trained':>10} {'half harm':>10} {'int8 saves':>11}"]
    for layers in found.values():
        for one in layers:
            int8 = "" if one.int8_harm is None else f"{one.int8_harm:.2g}"
            plain = "" if one.plain_harm is None else f"{one.plain_harm:.2g}"
            saves = "" if one.int8_saves_us is None else f"{one.int8_saves_us:.0f} us"
            lines.append(f"{one.name:48} {int8:>10} {plain:>10} {one.half_harm:>10.2g} {saves:>11}")
    return "\n".join(lines)
