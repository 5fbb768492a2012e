"""Sound sample of the README: ``python -m benchmarks.sound_sample`` writes it to docs/sound/."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from edge import Voice

SAMPLE = Path(__file__).parent.parent / "docs" / "sound" / "built-in-voice.ogg"
LINES = (
    ("claire", "Good evening. Please take your seats, the story is about to begin."),
    ("mei", "本日はご来場いただき、誠にありがとうございます。"),
    ("noah", "[emotion:happy]Welcome, traveller!"),
)
PAUSE_S = 0.4


def main() -> None:
    """Run as a command."""
    with Voice() as voice:
        spoken = [voice.say(text, character) for character, text in LINES]
    pause = np.zeros(round(PAUSE_S * spoken[0].sample_rate), np.int16)
    audio = np.concatenate([part for speech in spoken for part in (speech.audio, pause)])
    SAMPLE.parent.mkdir(exist_ok=True)
    soundfile.write(SAMPLE, audio, spoken[0].sample_rate, format="OGG", subtype="VORBIS")
    print(f"{SAMPLE}: {len(audio) / spoken[0].sample_rate:.1f} s, {SAMPLE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
