"""A packed bundle tells how loud its characters are and carries the consent record as it was signed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from edge.bundle.bundle import CONSENT_FILE, Bundle
from edge.bundle.manifest import Origin, Quantization
from edge.errors import TrustError
from edge.loudness.level import character_level
from edge.synthesizer import Synthesizer
from quantize.card import VoiceCard
from quantize.pack import pack, write_float_bundle
from tests.data.make_tiny_bundle import CARD
from tests.edge.bundle.trust.studio import CLIP, consent, sealed

pytestmark = pytest.mark.torch


@pytest.fixture
def student(float_networks: Path) -> dict[str, Any]:
    """What the export says of the student."""
    description: dict[str, Any] = json.loads((float_networks / "student.json").read_bytes())
    return description


def card_with(path: Path, *references: str) -> VoiceCard:
    origin = Origin(kind="person", references=references) if references else None
    return CARD.model_copy(update={"origin": origin, "consent_record": path})


def packed(networks: Path, student: dict[str, Any], card: VoiceCard, output: Path) -> Bundle:
    return pack(networks, student, card, Quantization(scheme="fp32"), output)


def test_the_bundle_tells_how_loud_each_character_is(
    float_networks: Path, student: dict[str, Any], tmp_path: Path
) -> None:
    characters = packed(float_networks, student, CARD, tmp_path / "voice").manifest.characters
    synthesizer = Synthesizer.load(tmp_path / "voice")
    for one in characters:
        assert one.level_dbfs == character_level(synthesizer.sample, one)
    synthesizer.close()
    assert write_float_bundle(tmp_path / "voice", tmp_path / "float").manifest.characters == characters


def test_the_record_goes_along_byte_for_byte(
    float_networks: Path, student: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "signed.json"
    path.write_bytes(sealed(consent(), [4]))
    bundle = packed(float_networks, student, card_with(path, CLIP), tmp_path / "voice")
    assert bundle.read(CONSENT_FILE) == path.read_bytes()
    assert bundle.manifest.origin == Origin(kind="person", references=(CLIP,))
    with pytest.raises(TrustError, match="person's voice"):
        Bundle.load(tmp_path / "voice")
    assert write_float_bundle(tmp_path / "voice", tmp_path / "float").read(CONSENT_FILE) == path.read_bytes()


@pytest.mark.parametrize("references", [(), (hashlib.sha256(b"another").hexdigest(),)])
def test_the_record_of_another_voice_is_refused(
    float_networks: Path, student: dict[str, Any], tmp_path: Path, references: tuple[str, ...]
) -> None:
    path = tmp_path / "signed.json"
    path.write_bytes(sealed(consent(), [4]))
    with pytest.raises(ValueError, match="other recordings than this voice has"):
        packed(float_networks, student, card_with(path, *references), tmp_path / "voice")
    assert not (tmp_path / "voice").exists()


def test_a_record_that_cannot_be_read_is_named(
    float_networks: Path, student: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"gone\.json: No such file"):
        packed(float_networks, student, card_with(tmp_path / "gone.json", CLIP), tmp_path / "voice")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(ValueError, match=r"bad\.json: sovits-consent/1"):
        packed(float_networks, student, card_with(tmp_path / "bad.json", CLIP), tmp_path / "voice")
