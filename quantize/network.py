"""Runs the graphs of a folder on a workstation; arrays in, arrays out, any tensor as an output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import onnxruntime
from onnx import ModelProto, TensorProto, helper

from edge.bundle.bundle import DECODER_FILE, ENCODER_FILE
from edge.decoding import EncodedPhrase
from edge.head import PhraseHead
from edge.prosody import plan_frames, sounded_mask
from edge.runners import EncoderInputs, EncoderOutputs, Runner
from edge.runners.base import ENCODER_OUTPUTS
from edge.runners.ort import session_options

from .lines import Line

Arrays = dict[str, np.ndarray]


def open_session(model: ModelProto | Path) -> onnxruntime.InferenceSession:
    """Open a graph as the device does."""
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    return onnxruntime.InferenceSession(source, session_options(), providers=["CPUExecutionProvider"])


def with_outputs(model: ModelProto, tensors: Sequence[str]) -> ModelProto:
    """A copy of a model that also gives inner tensors."""
    copy = ModelProto()
    copy.CopyFrom(model)
    known = {output.name for output in copy.graph.output}
    copy.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in tensors if name not in known
    )
    return copy


def keep_casts(model: ModelProto) -> ModelProto:
    """A copy of a model whose casts to float16 and back round as they say.

    ONNX Runtime has no float16 products on a processor. It puts casts to float32 around them, and takes out
    any that meet one to float16, the rounding with it. An operator on float16 between the two keeps both.
    """
    copy = ModelProto()
    copy.CopyFrom(model)
    nodes = list(copy.graph.node)
    del copy.graph.node[:]
    for node in nodes:
        if node.op_type != "Cast" or not node.name.endswith("_cast"):
            copy.graph.node.append(node)
            continue
        (source,), (result,) = node.input, node.output
        kept = f"{result}_kept"
        if node.attribute[0].i == TensorProto.FLOAT16:
            node.output[:] = [kept]
            copy.graph.node.extend([node, helper.make_node("Concat", [kept], [result], axis=0)])
        else:
            node.input[:] = [kept]
            copy.graph.node.extend([helper.make_node("Concat", [source], [kept], axis=0), node])
    return copy


def activations(
    model: ModelProto, tensors: Sequence[str], feeds: Iterable[Arrays]
) -> Iterator[tuple[str, np.ndarray]]:
    """Run a graph on lines; gives each inner tensor of each line with its name."""
    session = open_session(with_outputs(model, tensors))
    for feed in feeds:
        yield from zip(tensors, session.run(list(tensors), feed), strict=True)


class FolderRunner(Runner):
    """Runs the two graphs of a folder that is no bundle yet."""

    name: ClassVar[str] = "folder"

    def __init__(self, folder: Path, concurrency: int = 1) -> None:
        self.concurrency = concurrency
        self._encoder = open_session(folder / ENCODER_FILE)
        self._decoder = open_session(folder / DECODER_FILE)

    def _run_encoder(self, inputs: EncoderInputs) -> Sequence[np.ndarray]:
        outputs: Sequence[np.ndarray] = self._encoder.run(list(ENCODER_OUTPUTS), inputs.feeds())
        return outputs

    def _run_decoder(self, hidden: np.ndarray, features: np.ndarray) -> Sequence[np.ndarray]:
        frames: Sequence[np.ndarray] = self._decoder.run(None, {"hidden": hidden, "features": features})
        return frames

    def close(self) -> None:
        """Free both sessions."""
        del self._encoder, self._decoder


def expand(line: Line, prosody: EncoderOutputs, hidden: np.ndarray) -> EncodedPhrase:
    """Lay hidden vectors (P, D) out in frames by the prosody that an encoder predicted for a line."""
    sounded = sounded_mask(line.phonemes)
    plan = plan_frames(prosody.durations, prosody.f0, prosody.energy, sounded)
    return EncodedPhrase(plan, np.repeat(hidden, plan.durations, axis=0)[None])


def render(phrase: EncodedPhrase, runner: Runner) -> np.ndarray:
    """(n,) sound of a phrase by the decoder of a runner."""
    frames = runner.decode(phrase.hidden, phrase.plan.features)
    return PhraseHead(phrase.plan.f0_edges).render(frames)
