"""Which part of a student costs naturalness, cleanness and likeness: prosody, envelopes or excitation.

    python -m distill.evaluation.ablation --corpus corpus --student runs/builtin/student \
        --sharpness 1.1 1.1 -2 --out benchmarks/results/quality/ablation.json

Each held-out sentence is heard as the teacher said it; as the WORLD vocoder copies it; from the head of the
student with envelopes fitted to the very line by the losses of training; from the student with the teacher's
times, pitch and energy; and from the student alone. DistillMOS and DNSMOS score all, and a speaker encoder
compares them with the teacher's line. Networks are float: what INT8 takes is measured by
``sovits-distill evaluate``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge.prosody import f0_at_edges, frame_features, sounded_mask, whole_durations
from models.head import SourceFilterHead
from models.sovits_tiny import SovitsTiny

from ..files import write_json
from ..ledger import device
from ..manifest import Utterance
from ..training.checkpoint import StudentInfo, load_student
from ..training.dataset import Example, condition_ids, harmonic_excitation, make_example
from ..training.losses import SpectralLoss
from ..training.objective import weighted
from ..training.told import load_told
from .judges import Judge, judges, with_mean
from .speakers import TeacherLines
from .spectral import vocoder_copies
from .speech import Samples

FIT_STEPS = 300
FIT_RATE = 0.05  # of Adam, falling to nothing

Floats = NDArray[np.float64]


class Ablation:
    """A student of which parts are replaced by what the teacher did.

    Args:
        student: float networks.
        info: names of its characters and emotions.
    """

    def __init__(self, student: SovitsTiny, info: StudentInfo) -> None:
        self._student, self._info = student, info
        self._head, self._loss = SourceFilterHead(), SpectralLoss()

    def variants(self, line: Utterance) -> dict[str, Samples]:
        """Return (n,) samples of a line whose teacher tells its prosody, by what is the teacher's in them."""
        example, audio = self._heard(line)
        told, own = self._spoken(line, example)
        return {
            "teacher": audio,
            "vocoder copy": vocoder_copies(audio, [0.0])[0],
            "fitted envelopes": self._fitted(example, audio),
            "told prosody": told,
            "own prosody": own,
        }

    def both(self, line: Utterance) -> tuple[Samples, Samples]:
        """Return (n,) samples of a line as the student alone says it, and as the teacher did."""
        example, audio = self._heard(line)
        return self._spoken(line, example)[1], audio

    def predicted(self, line: Utterance) -> dict[str, tuple[Floats, Floats]]:
        """Return what the teacher and the student predict for a line.

        Returns:
            ``durations``: frames of the phonemes that take time; ``pitch``: ln Hz where it is known.
        """
        example, _ = self._heard(line)
        durations, f0, *_ = self._encoded(example)
        takes_time, voiced = sounded_mask(line.phonemes), example.voicing > 0
        return {
            "durations": (_floats(example.durations[takes_time]), _floats(durations[0].numpy()[takes_time])),
            "pitch": (_floats(example.log_f0[voiced]), _floats(f0[0].numpy()[voiced])),
        }

    @torch.no_grad()
    def _encoded(self, example: Example) -> tuple[Tensor, ...]:
        """Return durations, pitch, energy and hidden vectors of a line."""
        ids = (example.phoneme_ids, example.language_ids, example.word_starts)
        who = (torch.tensor([index]) for index in example.condition)
        encoded: tuple[Tensor, ...] = self._student.encoder(*map(_batch, ids), *who, torch.ones(1))
        return encoded

    def _heard(self, line: Utterance) -> tuple[Example, Samples]:
        """Load a line, and its sound as the teacher said it."""
        condition = condition_ids(line, self._info.characters, self._info.emotions)
        example = make_example(line, *load_told(line), condition)
        return example, example.audio.astype(np.float32) / 32768.0

    @torch.no_grad()
    def _spoken(self, line: Utterance, example: Example) -> tuple[Samples, Samples]:
        """Speak with the teacher's prosody, then with its own."""
        durations, f0, energy, hidden = self._encoded(example)
        told = self._decode(hidden, example.frame_to_phoneme, example.features, example.pulses)
        frames = whole_durations(durations[0].numpy(), sounded_mask(line.phonemes))
        edges = f0_at_edges(f0[0].numpy(), frames)
        features = frame_features(frames, edges, energy[0].numpy())
        own = np.repeat(np.arange(len(frames)), frames)
        return told, self._decode(hidden, own, features, harmonic_excitation(edges))

    def _decode(
        self, hidden: Tensor, places: NDArray[Any], features: NDArray[Any], pulses: NDArray[Any]
    ) -> Samples:
        frames = self._student.decoder(hidden[:, torch.from_numpy(places)], _batch(features))
        return self._head(frames, *_excitations(pulses))[0].numpy()

    def _fitted(self, example: Example, audio: Samples) -> Samples:
        """Fit the cepstra and gains of every frame to the line, by the losses of training."""
        decoder = self._student.decoder
        values = torch.zeros(1, example.n_frames, decoder.to_cepstra.out_features)
        values[..., 0], values[..., decoder.n_cepstra[0]] = -3.0, -5.0
        values.requires_grad_(True)
        optimizer = torch.optim.Adam([values], lr=FIT_RATE)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, FIT_STEPS)
        target = _batch(audio)
        for _ in range(FIT_STEPS):
            output = self._head(decoder.envelopes(values), *_excitations(example.pulses))
            optimizer.zero_grad()
            weighted(self._loss(output, target)).backward()
            optimizer.step()
            schedule.step()
        return output[0].detach().numpy()


def _floats(values: NDArray[Any]) -> Floats:
    return np.asarray(values, np.float64)


def _batch(values: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))[None]


def _excitations(pulses: NDArray[Any]) -> tuple[Tensor, Tensor]:
    harmonic = _batch(pulses.astype(np.float32))
    return harmonic, torch.randn_like(harmonic)


def held_out(corpus: Path, lines: int) -> dict[str, list[Utterance]]:
    """Return neutral held-out sentences by character and language, of teachers that tell their prosody."""
    teacher = TeacherLines(corpus)
    found: dict[str, list[Utterance]] = {}
    for who, language in teacher.conditions():
        where = {"character": who, "language": language, "emotion": "neutral"}
        some = [line for line in teacher.sentences(where, lines) if line.prosody is not None]
        found |= {f"{who} {language}": some} if some else {}
    return found


def scores(
    ablation: Ablation, voices: Mapping[str, Sequence[Utterance]], judges: Mapping[str, Judge]
) -> dict[str, dict[str, dict[str, float]]]:
    """Return the mean score of each variant by judge and voice, and over all voices as ``all``."""
    found: dict[str, dict[str, dict[str, float]]] = {judge: {} for judge in judges}
    for voice, lines in voices.items():
        heard = [ablation.variants(line) for line in lines]
        for name, judge in judges.items():
            found[name][voice] = {
                variant: float(np.mean([judge(one[variant], one["teacher"]) for one in heard]))
                for variant in heard[0]
            }
    return {judge: with_mean(rows) for judge, rows in found.items()}


@click.command()
@click.option("--corpus", type=click.Path(path_type=Path), required=True, help="Corpus whose teacher tells.")
@click.option("--student", type=click.Path(path_type=Path), required=True, help="Folder of a student.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="JSON file to write.")
@click.option("--lines", default=2, show_default=True, help="Sentences of each voice.")
@click.option(
    "--sharpness",
    type=float,
    nargs=3,
    default=(1.0, 1.0, 0.0),
    show_default=True,
    metavar="HARMONIC NOISE DB",
    help="As sovits-quantize export has it.",
)
def main(corpus: Path, student: Path, out: Path, lines: int, sharpness: tuple[float, float, float]) -> None:
    """Score a student of which parts are replaced by what its teacher did."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    network, info = load_student(student)
    network.decoder.sharpen(*sharpness)
    found = scores(Ablation(network, info), held_out(corpus, lines), judges())
    content = {"device": device(), "lines": lines, "sharpness": sharpness} | found
    write_json(out, content)


if __name__ == "__main__":
    main()
