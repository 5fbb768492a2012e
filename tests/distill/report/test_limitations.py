"""What the report warns of."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="the report is made where training is")

from distill.report.files import CorpusSummary, GateSummary, LeftOut, Quality, QualityCheck
from distill.report.limitations import is_of_other_networks, limitations
from edge.bundle.bundle import Bundle
from edge.bundle.manifest import Consent

pytestmark = pytest.mark.voice

MANIFEST = Bundle.load().manifest
HASHES = {name: entry.sha256 for name, entry in MANIFEST.files.items()}
WORDS = QualityCheck(
    measure="word error above teacher", subject="noah", value=1.0, bound="at most", target=5.0,
    unit="points", n=6, passed=True,
)  # fmt: skip
QUALITY = Quality(files=HASHES, measured="2026-01-01", environment={}, checks=(WORDS,))
CLEAN = CorpusSummary(gate=GateSummary(recovered=0, lost=0))


def said(
    corpus: CorpusSummary = CLEAN, quality: Quality | None = QUALITY, consent: Consent | None = None
) -> str:
    return "\n".join(limitations(MANIFEST.model_copy(update={"consent": consent}), corpus, quality))


def test_numbers_of_other_networks_are_noticed() -> None:
    other = QUALITY.model_copy(update={"files": {**HASHES, "decoder.onnx": "0" * 64}})
    assert not is_of_other_networks(MANIFEST, QUALITY) and "other networks" not in said()
    assert is_of_other_networks(MANIFEST, other) and "other networks" in said(quality=other)


def test_what_was_not_measured_is_said() -> None:
    assert "Nothing was measured" in said(quality=None)
    assert "Words are recognised in English only; whether Chinese and Japanese" in said()
    assert "fewer than ten samples: word error above teacher" in said()
    left_out = (LeftOut(measure="characters told apart", subject="all", reason="one"),)
    assert "characters told apart" in said(quality=QUALITY.model_copy(update={"left_out": left_out}))


def test_a_language_that_a_recogniser_wrote_down_is_not_said_to_be_unheard() -> None:
    update = {"measure": "syllables misheard above teacher", "subject": "noah zh", "n": 100}
    checks = (WORDS, WORDS.model_copy(update=update))
    text = said(quality=QUALITY.model_copy(update={"checks": checks}))
    assert "whether Japanese is understood" in text and "Chinese" not in text


def test_the_corpus_is_not_flattered() -> None:
    assert "quality gate" in said(CorpusSummary())
    assert "3 lines of the script" in said(CorpusSummary(gate=GateSummary(recovered=1, lost=3)))
    guessed = said(CorpusSummary(never_spoken={"noah zh": ["er5"], "nobody zh": ["ei5"]}))
    assert "guessed, by noah zh: er5." in guessed and "nobody" not in guessed


def test_consent_silences_the_warning() -> None:
    assert "No consent is recorded" in said()
    assert "No consent" not in said(consent=Consent(holder="A", scope="B", date="2026-01-02"))


def test_fallbacks_are_told() -> None:
    some = MANIFEST.characters[0].model_copy(
        update={"emotions": ("neutral",), "fallbacks": {"sad": "neutral"}}
    )
    text = "\n".join(limitations(MANIFEST.model_copy(update={"characters": (some,)}), CLEAN, QUALITY))
    assert f"{some.name} has no emotion sad and speaks neutral instead." in text
    assert "speaks neutral instead" not in said()
