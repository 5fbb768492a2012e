"""Student checkpoint to two ONNX graphs. The only file of this package that imports torch."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from edge.bundle.bundle import DECODER_FILE, ENCODER_FILE
from edge.runners.base import DECODER_INPUTS, DECODER_OUTPUTS, ENCODER_INPUTS, ENCODER_OUTPUTS
from edge.spec import F0_POINTS, N_FFT, N_FRAME_FEATURES, SUBFRAMES, ZERO_LENGTH_SYMBOLS
from edge.text.symbols import SYMBOL_TO_ID, SYMBOLS_SHA256
from models.sovits_tiny import SovitsTiny, StudentConfig

from .graph import Graph, lift_convolutions, resolve_identities
from .sharpness import USUAL, Sharpness

OPSET = 17
STUDENT_WEIGHTS, STUDENT_FILE = "student.safetensors", "student.json"  # as distill writes a checkpoint
TOLERANCE = 2e-4  # ONNX Runtime against torch: both float32, sums in another order

_ENCODER_AXES = ("phoneme_ids", "language_ids", "word_starts", *ENCODER_OUTPUTS)
_DECODER_AXES = (*DECODER_INPUTS, *DECODER_OUTPUTS)


class EncoderGraph(nn.Module):
    """The encoder with exactly the inputs of the graph."""

    def __init__(self, student: SovitsTiny) -> None:
        super().__init__()
        self.encoder = student.encoder

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """See ``models.sovits_tiny.Encoder``; nothing is padded, so there is no mask."""
        outputs: tuple[Tensor, Tensor, Tensor, Tensor] = self.encoder(*inputs)
        return outputs


class DecoderGraph(nn.Module):
    """The decoder with exactly the inputs of the graph."""

    def __init__(self, student: SovitsTiny) -> None:
        super().__init__()
        self.decoder = student.decoder

    def forward(self, hidden: Tensor, features: Tensor) -> Tensor:
        """See ``models.sovits_tiny.Decoder``; nothing is padded, so there is no mask."""
        frames: Tensor = self.decoder(hidden, features)
        return frames


def load_student(checkpoint: Path) -> tuple[SovitsTiny, dict[str, Any]]:
    """Read a checkpoint folder of ``sovits-distill``.

    Returns:
        The student in evaluation mode and its description.

    Raises:
        ValueError: trained with another phoneme table, or of sizes that the runtime does not read.
    """
    description = json.loads((checkpoint / STUDENT_FILE).read_text(encoding="utf-8"))
    if description["symbols_sha256"] != SYMBOLS_SHA256:
        raise ValueError(
            f"{checkpoint} was trained with another phoneme table; train it again with this version"
        )
    config = StudentConfig.from_dict(description["config"])
    _check_config(config)
    student = SovitsTiny(config)
    student.load_state_dict(load_file(checkpoint / STUDENT_WEIGHTS))
    return student.eval(), description


def _check_config(config: StudentConfig) -> None:
    expected = {
        "n_vocab": len(SYMBOL_TO_ID),
        "n_fft": N_FFT,
        "f0_points": F0_POINTS,
        "subframes": SUBFRAMES,
        "n_frame_features": N_FRAME_FEATURES,
    }
    for name, wanted in expected.items():
        found = getattr(config, name)
        if found != wanted:
            raise ValueError(
                f"the student has {name} {found}, the runtime reads {wanted}; train it with that"
            )
    zero = sorted(SYMBOL_TO_ID[symbol] for symbol in ZERO_LENGTH_SYMBOLS)
    if sorted(config.zero_length_ids) != zero:
        raise ValueError(
            f"the student has zero_length_ids {config.zero_length_ids}, the runtime expects {zero}"
        )


def export(checkpoint: Path, output: Path, sharpness: Sharpness = USUAL) -> float:
    """Write ``encoder.onnx``, ``decoder.onnx`` and the student's description to a folder, and check them.

    Args:
        checkpoint: student of ``sovits-distill``.
        output: folder; made if it is not there.
        sharpness: of the envelopes.

    Returns:
        Largest difference between ONNX Runtime and torch over several lengths.

    Raises:
        ValueError: the checkpoint does not fit, or the graphs do not compute what the student computes.
    """
    student, description = load_student(checkpoint)
    student.decoder.sharpen(*sharpness)
    output.mkdir(parents=True, exist_ok=True)
    export_student(student, output)
    description["sharpness"] = sharpness._asdict()
    description["context_frames"] = student.config.context_frames  # the device cannot tell it from the graph
    (output / STUDENT_FILE).write_text(json.dumps(description, ensure_ascii=False) + "\n", encoding="utf-8")
    worst = max(parity(student, output, n) for n in (1, 7, 90))
    if worst > TOLERANCE:
        raise ValueError(
            f"{output}: the graphs differ from the student by {worst:.2g}, allowed {TOLERANCE:g}"
        )
    return worst


def export_student(student: SovitsTiny, output: Path) -> None:
    """Write both graphs of a student to a folder."""
    config = student.config
    encoder, decoder = EncoderGraph(student).eval(), DecoderGraph(student).eval()
    encoder_inputs = tuple(torch.from_numpy(array) for array in random_encoder_feeds(config, 5).values())
    decoder_inputs = tuple(torch.from_numpy(array) for array in random_decoder_feeds(config, 5).values())
    _write(
        encoder, encoder_inputs, output / ENCODER_FILE, ENCODER_INPUTS, ENCODER_OUTPUTS, _ENCODER_AXES, "P"
    )
    _write(
        decoder, decoder_inputs, output / DECODER_FILE, DECODER_INPUTS, DECODER_OUTPUTS, _DECODER_AXES, "T"
    )


def _write(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    path: Path,
    input_names: tuple[str, ...],
    output_names: tuple[str, ...],
    dynamic: tuple[str, ...],
    letter: str,
) -> None:
    with warnings.catch_warnings():
        # The TorchScript exporter is deprecated, but gives the cleaner graph, opset 17 and one file,
        # in a second instead of fourteen.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            module,
            inputs,
            str(path),
            input_names=list(input_names),
            output_names=list(output_names),
            dynamic_axes={name: {1: letter} for name in dynamic},
            opset_version=OPSET,
            dynamo=False,
        )
    graph = Graph.read(path)
    resolve_identities(graph)
    lift_convolutions(graph)
    path.write_bytes(graph.finish().SerializeToString())


def random_encoder_feeds(config: StudentConfig, n: int) -> dict[str, np.ndarray]:
    """Inputs for n phonemes."""
    rng = np.random.default_rng(n)
    sizes = {"phoneme_ids": config.n_vocab, "language_ids": config.n_languages, "word_starts": 2}
    feeds = {name: rng.integers(0, size, (1, n)) for name, size in sizes.items()}
    feeds["character_id"] = rng.integers(0, config.n_characters, 1)
    feeds["emotion_id"] = rng.integers(0, config.n_emotions, 1)
    return {**feeds, "emotion_strength": np.array([0.8], np.float32)}


def random_decoder_feeds(config: StudentConfig, n: int) -> dict[str, np.ndarray]:
    """Inputs for n frames."""
    rng = np.random.default_rng(n)
    widths = {"hidden": config.decoder_dim, "features": config.n_frame_features}
    return {name: rng.standard_normal((1, n, width), dtype=np.float32) for name, width in widths.items()}


def parity(student: SovitsTiny, folder: Path, n: int) -> float:
    """Largest difference between the graphs in a folder and the student, for n phonemes and n frames."""
    config = student.config
    pairs = [
        (EncoderGraph(student), ENCODER_FILE, random_encoder_feeds(config, n)),
        (DecoderGraph(student), DECODER_FILE, random_decoder_feeds(config, n)),
    ]
    worst = 0.0
    for module, file, feeds in pairs:
        with torch.no_grad():
            expected = module(*(torch.from_numpy(array) for array in feeds.values()))
        expected = [expected] if isinstance(expected, Tensor) else expected
        session = onnxruntime.InferenceSession(str(folder / file), providers=["CPUExecutionProvider"])
        for ours, theirs in zip(session.run(None, feeds), expected, strict=True):
            if ours.shape != tuple(theirs.shape):
                raise ValueError(
                    f"{file}: shape {ours.shape} instead of {tuple(theirs.shape)} for length {n}"
                )
            worst = max(worst, float(np.abs(ours - theirs.numpy()).max()))
    return worst
