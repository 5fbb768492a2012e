"""Text features: a vector of Chinese RoBERTa for each phoneme, zeros in other languages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .pretrained import PretrainedFolderError, load_network, require_files

NAME = "chinese-roberta-wwm-ext-large"
TOKENIZERS = ("tokenizer.json", "vocab.txt")
LAYER = -3  # of the hidden states, of which the first is the embedding

# First phoneme of a run of Chinese, its characters, and how many phonemes each has.
CharacterRun = tuple[int, Sequence[str], Sequence[int]]


class BertEncoder:
    """RoBERTa and its tokenizer in a folder of ``transformers``."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model, self._tokenizer = model, tokenizer

    @classmethod
    def load(cls, folder: str | Path, device: str | torch.device = "cpu") -> BertEncoder:
        """Load the network (1.3 GB in memory) and its tokenizer.

        Raises:
            PretrainedFolderError: the folder does not hold them.
        """
        from transformers import AutoTokenizer, BertModel  # takes seconds

        folder = Path(folder)
        model = load_network(BertModel, folder, NAME, add_pooling_layer=False)
        require_files(folder, NAME, TOKENIZERS)
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError) as error:
            raise PretrainedFolderError(f"{folder} does not hold the tokenizer of {NAME}: {error}") from error
        return cls(model.to(device), tokenizer)

    @property
    def dim(self) -> int:
        """Width of the features."""
        return self._model.config.hidden_size

    @property
    def max_characters(self) -> int:
        """The longest run, without the two marks that enclose it."""
        return self._model.config.max_position_embeddings - 2

    @torch.inference_mode()
    def characters(self, characters: Sequence[str]) -> Tensor:
        """Turn a run of characters, each one token, into vectors (n_characters, C).

        Raises:
            ValueError: the run is longer than the network can read.
        """
        if len(characters) > self.max_characters:
            raise ValueError(
                f"{len(characters)} characters in one go; split the line, {self.max_characters} is the most"
            )
        tokenizer = self._tokenizer
        inner = tokenizer.convert_tokens_to_ids(list(characters))
        ids = torch.tensor(
            [[tokenizer.cls_token_id, *inner, tokenizer.sep_token_id]], device=self._model.device
        )
        states = self._model(input_ids=ids, output_hidden_states=True).hidden_states
        return states[LAYER][0, 1:-1]

    def phonemes(self, n_phonemes: int, runs: Iterable[CharacterRun]) -> Tensor:
        """Give every phoneme the vector of its character, (1, C, P); zeros outside the runs."""
        features = torch.zeros(n_phonemes, self.dim, device=self._model.device)
        for start, characters, counts in runs:
            repeats = torch.tensor(counts, device=features.device)
            spread = self.characters(characters).repeat_interleave(repeats, dim=0)
            features[start : start + len(spread)] = spread
        return features.T.unsqueeze(0)  # (1, C, P)
