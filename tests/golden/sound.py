"""Spectrogram, filter bank and speaker embedding against `spec_io.npz` and `sv_io.npz`."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from models.gpt_sovits.fbank import fbank
from models.gpt_sovits.speaker_verification import ERes2NetV2
from models.gpt_sovits.spectrogram import reference_spectrogram

from .comparison import Arrays, Compute, Line, compare

EMBEDDING = {"sv", "sv_emb", "embedding"}


def check(model: ERes2NetV2 | None, arrays: Arrays) -> Iterator[Line]:
    """Compare all arrays of a file; without the network, the embedding stays unchecked."""
    # Where no sound is given, the filter bank is what the network starts from.
    inputs = {"wav32k", "wav16k"} | ({"fbank"} if "wav16k" not in arrays.content else set())

    def spectrogram() -> Tensor:
        return reference_spectrogram(arrays["wav32k"])

    def mel_energies() -> Tensor:
        expected = arrays["fbank"]
        return fbank(arrays["wav16k"].reshape(1, -1)).reshape(expected.shape)

    def embedding() -> Tensor:
        assert model is not None
        features = arrays["fbank"]
        return model(features.reshape(1, *features.shape[-2:]))

    def find(name: str) -> Compute | None:
        if name in EMBEDDING:
            return embedding if model is not None else None
        return {"spec": spectrogram, "fbank": mel_energies}.get(name)

    return compare(arrays, inputs.__contains__, find)
