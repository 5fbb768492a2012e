"""Runs the graphs of a folder on a workstation; arrays in, arrays out, any tensor as an output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import ModelProto, TensorProto, helper

from edge.bundle import DECODER_FILE, ENCODER_FILE
from edge.head import PhraseHead
from edge.prosody import FramePlan, plan_frames, sounded_mask
from edge.runners.base import ENCODER_OUTPUTS, EncoderOutputs
from edge.runners.ort import session_options

from .lines import Line

Arrays = dict[str, np.ndarray]


def open_session(model: ModelProto | Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """Open a graph as the device does."""
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    return onnxruntime.InferenceSession(source, session_options(threads), providers=["CPUExecutionProvider"])


def with_outputs(model: ModelProto, tensors: Sequence[str]) -> ModelProto:
    """A copy of a model that also gives inner tensors."""
    copy = ModelProto()
    copy.CopyFrom(model)
    known = {output.name for output in copy.graph.output}
    copy.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in tensors if name not in known
    )
    return copy


@dataclass(frozen=True)
class DecoderCase:
    """What the decoder is given for a line."""

    plan: FramePlan
    feeds: Arrays


class Networks:
    """Encoder and decoder of one folder."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self._encoder = open_session(folder / ENCODER_FILE, threads)
        self._decoder = open_session(folder / DECODER_FILE, threads)

    def encode(self, line: Line) -> EncoderOutputs:
        """Prosody and hidden vectors of a line."""
        outputs = self._encoder.run(list(ENCODER_OUTPUTS), line.inputs.feeds())
        return EncoderOutputs(*(output[0] for output in outputs))

    def decode(self, case: DecoderCase) -> np.ndarray:
        """(T, FRAME_OUTPUTS)."""
        frames: np.ndarray = self._decoder.run(None, case.feeds)[0][0]
        return frames


def decoder_case(line: Line, prosody: EncoderOutputs, hidden: np.ndarray) -> DecoderCase:
    """Expand hidden vectors (P, D) by the durations of ``prosody``."""
    sounded = sounded_mask(line.phonemes)
    plan = plan_frames(prosody.durations, prosody.f0, prosody.energy, sounded)
    expanded = np.repeat(hidden, plan.durations, axis=0)[None]
    return DecoderCase(plan, {"hidden": expanded, "features": plan.features})


def render(case: DecoderCase, frames: np.ndarray) -> np.ndarray:
    """(n,) sound of a line's frames."""
    return PhraseHead(case.plan.f0_edges).render(frames)
