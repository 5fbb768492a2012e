"""RoBERTa from a folder, against the library's own network in memory, spread over phonemes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from models.gpt_sovits.bert_features import BertEncoder
from models.gpt_sovits.pretrained import PretrainedFolderError

DIM = 32
CHARACTERS = "你好世界再见,.!?…-"
TEXT = "你好,世界…龘!"  # 龘 is not in the vocabulary


@pytest.fixture(scope="module")
def bert() -> Any:
    """A network as the official file holds it, with the head that guesses words."""
    from transformers import BertConfig, BertForMaskedLM

    torch.manual_seed(6)
    config = BertConfig(
        vocab_size=5 + len(CHARACTERS),
        hidden_size=DIM,
        num_hidden_layers=5,
        num_attention_heads=2,
        intermediate_size=40,
        max_position_embeddings=16,
    )
    return BertForMaskedLM(config).eval()


@pytest.fixture(scope="module")
def folder(bert: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("roberta")
    bert.config.save_pretrained(folder)
    torch.save(bert.state_dict(), folder / "pytorch_model.bin")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *CHARACTERS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def encoder(folder: Path) -> BertEncoder:
    return BertEncoder.load(folder)


@pytest.fixture(scope="module")
def by_library(bert: Any, folder: Path) -> torch.Tensor:
    """Vectors of the characters of the text, cut by the library's tokenizer."""
    from transformers import BertTokenizer

    tokens = BertTokenizer.from_pretrained(folder)(TEXT, return_tensors="pt")
    assert tokens["input_ids"].shape == (1, len(TEXT) + 2)
    with torch.no_grad():
        return bert(**tokens, output_hidden_states=True).hidden_states[-3][0, 1:-1]


def test_characters_are_what_the_library_gives(encoder: BertEncoder, by_library: torch.Tensor) -> None:
    found = encoder.characters(list(TEXT))
    assert found.shape == (len(TEXT), DIM)
    torch.testing.assert_close(found, by_library, atol=1e-5, rtol=1e-5)


def test_the_third_state_from_the_end_is_behind_the_third_block(bert: Any, encoder: BertEncoder) -> None:
    states = []
    hook = bert.bert.encoder.layer[2].register_forward_hook(
        lambda module, inputs, output: states.append(output[0] if isinstance(output, tuple) else output)
    )
    with torch.no_grad():
        bert(input_ids=torch.tensor([[2, 5, 6, 3]]))  # [CLS] 你 好 [SEP]
    hook.remove()
    torch.testing.assert_close(encoder.characters("你好"), states[0][0, 1:-1], atol=1e-5, rtol=1e-5)


def test_each_phoneme_gets_its_character_and_others_get_zeros(encoder: BertEncoder) -> None:
    runs = [(2, "你好,", (2, 2, 1)), (9, "再见", (2, 2))]
    features = encoder.phonemes(14, runs)
    assert features.shape == (1, DIM, 14)
    columns = features[0].T
    first, second = encoder.characters("你好,"), encoder.characters("再见")
    expected = [None, None, first[0], first[0], first[1], first[1], first[2], None, None]
    expected += [second[0], second[0], second[1], second[1], None]
    for column, vector in zip(columns, expected, strict=True):
        assert torch.equal(column, torch.zeros(DIM) if vector is None else vector)


def test_without_chinese_all_is_zero(encoder: BertEncoder) -> None:
    assert torch.equal(encoder.phonemes(3, []), torch.zeros(1, DIM, 3))


def test_the_newer_form_of_the_tokenizer_gives_the_same(
    folder: Path, tmp_path: Path, by_library: torch.Tensor
) -> None:
    from transformers import BertTokenizer

    BertTokenizer.from_pretrained(folder).save_pretrained(tmp_path / "saved")
    for name in ("config.json", "pytorch_model.bin"):
        (tmp_path / name).symlink_to(folder / name)
    with pytest.raises(PretrainedFolderError, match=r"has no tokenizer\.json or vocab\.txt"):
        BertEncoder.load(tmp_path)
    (tmp_path / "tokenizer.json").symlink_to(tmp_path / "saved" / "tokenizer.json")
    found = BertEncoder.load(tmp_path).characters(TEXT)
    torch.testing.assert_close(found, by_library, atol=1e-5, rtol=1e-5)


def test_a_run_that_is_too_long_is_refused(encoder: BertEncoder) -> None:
    assert encoder.characters("你" * 14).shape == (14, DIM)
    with pytest.raises(ValueError, match="15 characters in one go; split the line, 14 is the most"):
        encoder.characters("你" * 15)
