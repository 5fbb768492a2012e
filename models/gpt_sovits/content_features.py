"""Content features: HuBERT's last hidden state, from which semantic tokens are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .pretrained import load_network

NAME = "chinese-hubert-base"
SAMPLE_RATE = 16000  # Hz
HOP_LENGTH = 320  # samples, 50 frames per second
REFERENCE_LENGTHS = (48000, 160000)  # samples, 3 to 10 s
# The original counts 0.3 s at 32 kHz, but appends them at 16 kHz.
REFERENCE_PADDING = 9600  # samples, 0.6 s


class ContentEncoder:
    """HuBERT in a folder of ``transformers``."""

    def __init__(self, model: Any) -> None:
        self._model = model

    @classmethod
    def load(cls, folder: str | Path, device: str | torch.device = "cpu") -> ContentEncoder:
        """Load the network (190 MB in half precision on disk, 380 MB in memory).

        Raises:
            PretrainedFolderError: the folder does not hold HuBERT.
        """
        from transformers import HubertModel  # takes seconds

        return cls(load_network(HubertModel, Path(folder), NAME).to(device))

    @torch.inference_mode()
    def __call__(self, waveform: Tensor) -> Tensor:
        """Turn 16 kHz sound in [-1, 1], (1, N), into features (1, C, T50).

        The waveform goes in as it is: its mean and level are not normalized.
        """
        hidden = self._model(waveform.to(self._model.device, torch.float32)).last_hidden_state
        return hidden.transpose(1, 2)

    def reference(self, waveform: Tensor) -> Tensor:
        """Turn a reference clip (1, N) into features (1, C, T50), with the silence that the original appends.

        Raises:
            ValueError: the clip is not 3 to 10 s long.
        """
        least, most = REFERENCE_LENGTHS
        n = waveform.shape[-1]
        if not least <= n <= most:
            raise ValueError(
                f"the reference clip lasts {n / SAMPLE_RATE:.2f} s; cut it to between "
                f"{least // SAMPLE_RATE} and {most // SAMPLE_RATE} s"
            )
        return self(functional.pad(waveform, (0, REFERENCE_PADDING)))
