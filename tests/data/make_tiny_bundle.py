"""Writes tests/data/tiny_voice: the real student with tiny random networks, so that every part can be run.

python tests/data/make_tiny_bundle.py [folder]
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from edge.bundle.manifest import Origin, Provenance, Quantization
from edge.spec import ZERO_LENGTH_SYMBOLS
from edge.text.symbols import SYMBOL_TO_ID, SYMBOLS_SHA256
from models.sovits_tiny import SovitsTiny, StudentConfig
from quantize.card import CardCharacter, CardGolden, VoiceCard
from quantize.export import STUDENT_FILE, STUDENT_WEIGHTS, export
from quantize.pack import pack
from quantize.sharpness import UNCHANGED

CONFIG = StudentConfig(
    encoder_dim=8,
    encoder_dilations=(1, 2),
    predictor_blocks=1,
    decoder_dim=12,
    decoder_blocks=2,
    expansion=2,
    n_harmonic_cepstra=4,
    n_noise_cepstra=3,
    zero_length_ids=tuple(SYMBOL_TO_ID[symbol] for symbol in ZERO_LENGTH_SYMBOLS),
)
CHARACTERS = {"noah": 0, "ava": 1, "claire": 2, "mei": 3}
EMOTIONS = {"neutral": 0, "happy": 1, "sad": 2, "angry": 3}
ALL_LANGUAGES = ("zh", "en", "ja")

CARD = VoiceCard(
    name="tiny",
    version="0.1.0",
    licence="CC0-1.0",
    characters=(
        CardCharacter(name="noah", languages=ALL_LANGUAGES, emotions=tuple(EMOTIONS)),
        CardCharacter(
            name="ava", languages=ALL_LANGUAGES, emotions=("neutral", "happy"), fallbacks={"angry": "happy"}
        ),
        CardCharacter(name="claire", languages=("en",)),
        CardCharacter(name="mei", languages=("ja",)),
    ),
    provenance=(Provenance(teacher="random numbers", licence="CC0-1.0"),),
    origin=Origin(kind="synthetic", statement="random numbers"),
    golden=CardGolden(text="The stage is yours.", character="noah"),
    first_window_frames=12,
    window_frames=48,
)


def write_checkpoint(folder: Path, config: StudentConfig = CONFIG) -> None:
    """Write a checkpoint as ``sovits-distill`` does: random weights, plausible durations and loudness."""
    torch.manual_seed(7)
    student = SovitsTiny(config)
    with torch.no_grad():
        for name, parameter in student.named_parameters():
            if "norm" in name:  # equal tensors would share one constant in the graph
                parameter.add_(0.1 * torch.randn_like(parameter))
        student.encoder.to_duration.bias.fill_(1.6)  # about 5 frames a phoneme
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: value.contiguous() for name, value in student.state_dict().items()}, folder / STUDENT_WEIGHTS
    )
    description: dict[str, Any] = {
        "config": config.to_dict(),
        "characters": CHARACTERS,
        "emotions": EMOTIONS,
        "symbols_sha256": SYMBOLS_SHA256,
        "step": 0,
        "corpus": {},
    }
    (folder / STUDENT_FILE).write_text(json.dumps(description), encoding="utf-8")


def main(output: Path) -> None:
    """Write the bundle."""
    with tempfile.TemporaryDirectory() as name:
        checkpoint, networks = Path(name) / "checkpoint", Path(name) / "float"
        write_checkpoint(checkpoint)
        export(checkpoint, networks, UNCHANGED)
        student = json.loads((networks / STUDENT_FILE).read_text(encoding="utf-8"))
        pack(networks, student, CARD, Quantization(scheme="fp32"), output)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "tiny_voice")
