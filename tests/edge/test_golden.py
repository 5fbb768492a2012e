"""The golden line passes on the voice that was packed and fails on another."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edge.errors import BundleError, RunnerError
from edge.synthesizer import SpeechRequest, Synthesizer

TINY = Path(__file__).parents[1] / "data" / "tiny_voice"


def test_the_packed_voice_passes() -> None:
    Synthesizer.load(TINY, threads=1).warm_up()


@pytest.mark.parametrize(
    ("key", "change", "word"),
    [
        ("durations", lambda values: [values[0] + 2, *values[1:]], "2 frames"),
        ("durations", lambda values: values[:-1], "phonemes"),
        ("levels_db", lambda values: [value + 6 for value in values], "dB"),
    ],
)
def test_another_voice_fails(tmp_path: Path, key: str, change: object, word: str) -> None:
    folder = Path(shutil.copytree(TINY, tmp_path / "voice"))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["golden"][key] = change(manifest["golden"][key])  # type: ignore[operator]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(RunnerError, match=word):
        Synthesizer.load(folder, threads=1).warm_up()


def test_a_lexicon_of_the_show_does_not_make_it_another_voice(tmp_path: Path) -> None:
    lexicon = tmp_path / "show.txt"
    lexicon.write_text("stage = S T EY1 JH IH0 Z\n", encoding="utf-8")
    voice = Synthesizer.load(TINY, threads=1, lexicon=lexicon)
    voice.warm_up()
    text = voice.bundle.manifest.golden.text
    plain, show = (
        speaker.prepare(SpeechRequest(text, "noah")).phrases[0].symbols
        for speaker in (Synthesizer.load(TINY, threads=1), voice)
    )
    assert len(show) == len(plain) + 2


def test_a_golden_line_is_one_phrase() -> None:
    with pytest.raises(BundleError, match="2 phrases"):
        Synthesizer.load(TINY, threads=1).measure(SpeechRequest("One. Two.", "noah", "en"))


def test_the_golden_line_needs_no_other_dictionary() -> None:
    voice = Synthesizer.load(TINY, threads=1)
    languages = sorted({name for one in voice.bundle.manifest.characters for name in one.languages})
    voice.prove()
    assert not voice.is_warm
    for _ in languages:
        assert not voice.is_warm
        voice.warm_next()
    assert voice.is_warm
    voice.warm_next()
    voice.close()


def test_dictionaries_follow_in_the_order_of_the_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    voice, loaded = Synthesizer.load(threads=1), []
    monkeypatch.setattr(voice._front_end, "warm_up", loaded.extend)
    while not voice.is_warm:
        voice.warm_next()
    assert loaded == list(voice.bundle.manifest.characters[0].languages) == ["zh", "en", "ja"]
    voice.close()
