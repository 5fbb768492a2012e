"""A student wide enough to be quantized, its float graphs, and a small corpus read by the real front end."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

from edge.phrases import split_phrases
from edge.text import FrontEnd
from quantize.export import export
from quantize.lines import Line, read_lines
from tests.data.make_tiny_bundle import CONFIG, write_checkpoint

SENTENCES = {
    "en": (
        "The harbour lights were going out one by one.",
        "Open the gate, please.",
        "Nobody knew his name!",
    ),
    "zh": ("他从来没有离开过这座城市。", "今晚的演出马上开始。", "请把手机调成静音。"),
    "ja": ("今日はいい天気ですね。", "駅まで歩いて行きます。"),
}


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("student")
    config = replace(CONFIG, encoder_dim=64, decoder_dim=64, n_harmonic_cepstra=24, n_noise_cepstra=16)
    write_checkpoint(folder, config)
    return folder


@pytest.fixture(scope="session")
def float_networks(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("float")
    export(checkpoint, folder)
    return folder


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    front_end = FrontEnd()
    rows = []
    for language, sentences in SENTENCES.items():
        for index, text in enumerate(sentences):
            for split in ("train", "test"):
                rows.append(_row(front_end, f"{split}-{language}-{index}", language, text, split))
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "manifest.jsonl").write_text(content, encoding="utf-8")
    return folder


def _row(front_end: FrontEnd, name: str, language: str, text: str, split: str) -> dict[str, object]:
    phrase = split_phrases(front_end.read(text, language), (), "neutral")[0]
    starts = {first for _, first, _ in phrase.words}
    return {
        "id": name,
        "character": "noah" if len(name) % 2 else "ava",
        "language": language,
        "emotion": "neutral",
        "text": text,
        "phonemes": phrase.symbols,
        "languages": phrase.languages,
        "word_starts": [int(i in starts) for i in range(len(phrase.symbols))],
        "audio": f"audio/{name}.flac",
        "split": split,
    }


@pytest.fixture(scope="session")
def description(checkpoint: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((checkpoint / "student.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="session")
def lines(corpus: Path, description: dict[str, object]) -> list[Line]:
    return read_lines(corpus, description, "train", 4)
