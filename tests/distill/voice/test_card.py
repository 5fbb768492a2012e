"""The card that is written is the card that packing reads."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from distill.config import DistillError
from distill.manifest import Utterance
from distill.voice.card import voice_card, write_card
from quantize.card import read_card

VOICE = {"name": "noah", "version": "1.0.0", "licence": 'all "rights" \\ reserved'}
TEACHERS = {"x": {"name": "GPT-SoVITS", "version": "v2", "licence": "mine", "credit": "某人"}}


def utterance(
    name: str, split: str, emotion: str = "neutral", language: str = "zh", n: int = 10
) -> Utterance:
    phonemes = ("SP", *["a"] * n, ".")
    return Utterance(
        f"{split}{n}", name, language, emotion, f"{split}，{n}。", phonemes, (language,) * len(phonemes),
        (0,) * len(phonemes), split, Path("a.flac"),
    )  # fmt: skip


LINES = [
    utterance("noah", "train"), utterance("noah", "train", "sad", "en"), utterance("ava", "train"),
    utterance("noah", "test", n=50), utterance("noah", "test", n=11), utterance("noah", "test", "sad", n=10),
]  # fmt: skip


def card(folder: Path, lines: list[Utterance] = LINES, **more: Any) -> Any:
    write_card(folder / "voice.toml", voice_card(VOICE | more, lines, TEACHERS, ["neutral", "sad", "happy"]))
    return read_card(folder / "voice.toml")


def test_the_card_says_who_speaks_what_and_how(tmp_path: Path) -> None:
    found = card(tmp_path)
    noah, ava = found.characters
    assert (found.name, found.version, found.licence) == tuple(VOICE.values())
    assert (noah.name, noah.languages, noah.emotions) == ("noah", ("en", "zh"), ("neutral", "sad"))
    assert (ava.languages, ava.emotions) == (("zh",), ("neutral",))
    assert ava.fallbacks == {"sad": "neutral", "happy": "neutral"}
    assert found.provenance[0].credit == "某人" and found.provenance[0].synthesiser == "GPT-SoVITS v2"
    assert found.consent is None


def test_the_golden_line_is_short_neutral_and_held_out_or_the_given_one(tmp_path: Path) -> None:
    golden = card(tmp_path).golden
    assert (golden.text, golden.character, golden.language) == ("test，11。", "noah", "zh")
    given = card(tmp_path, golden="Curtain up.").golden
    assert (given.text, given.character, given.language) == ("Curtain up.", "noah", "auto")


def test_consent_is_carried_over(tmp_path: Path) -> None:
    consent = {"holder": "N. N.", "scope": "shows", "date": datetime.date(2024, 2, 29), "evidence": ""}
    found = card(tmp_path, consent=consent, description="deep\tand\nslow")
    assert found.consent is not None and found.consent.date == "2024-02-29"
    assert found.characters[0].description == "deep\tand\nslow"


def test_without_neutral_lines_there_is_no_voice() -> None:
    with pytest.raises(DistillError, match="no neutral line"):
        voice_card(VOICE, [utterance("noah", "train", "sad")], TEACHERS, ["neutral", "sad"])
