"""Figures of the mark in the document are those of the result file."""

from __future__ import annotations

import json

import pytest

from benchmarks import watermark
from benchmarks.watermark_report import BEGIN, END, PAGE, RESULT, section
from edge.watermark import detector


def test_the_document_says_what_was_measured() -> None:
    result = json.loads(RESULT.read_text("utf-8"))
    table = PAGE.read_text("utf-8").split(BEGIN)[1].split(END)[0].strip()
    assert table == section(result)
    assert result["threshold"] == detector.FOUND, "the figures are those of another threshold"
    assert result["false_alarms"]["clips"] >= 5_000
    assert set(result["robustness"]["damage"]) == set(watermark.DAMAGES)


@pytest.mark.parametrize("name", ["noise 10 dB", "16 kHz", "room 0.4 s, direct 0 dB, noise 20 dB"])
def test_damage_changes_the_sound(name: str) -> None:
    line = watermark.np.sin(watermark.np.arange(32_000) / 20).astype("float32") * 0.3
    sound, rate = watermark.DAMAGES[name](line)
    assert len(sound) == round(len(line) * rate / 32_000)
    assert rate != 32_000 or abs(sound - line).max() > 0.001
