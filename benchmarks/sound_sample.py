"""Sound samples of the documentation: ``python -m benchmarks.sound_sample`` writes them to docs/sound/."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from edge import Voice

FOLDER = Path(__file__).parent.parent / "docs" / "sound"
ENGLISH = "Good evening. Please take your seats, the story is about to begin."
CHINESE = "大家晚上好，演出马上开始，请关闭您的手机。"
JAPANESE = "本日はご来場いただき、誠にありがとうございます。"
CRY = "[emotion:happy]Welcome, traveller!"
ASIDE = "[emotion:sad]I could have saved them all."
Line = tuple[str, str]  # character, text
SAMPLES: dict[str, Sequence[Line]] = {
    "built-in-voice": (("noah", CHINESE), ("claire", ENGLISH), ("mei", JAPANESE), ("ava", CRY)),
    "noah": (("noah", CHINESE), ("noah", ENGLISH), ("noah", JAPANESE), ("noah", ASIDE)),
    "ava": (("ava", CHINESE), ("ava", ENGLISH), ("ava", JAPANESE), ("ava", CRY)),
    "claire": (("claire", ENGLISH), ("claire", "On your left you can see the harbour as it was in 1897.")),
    "mei": (("mei", JAPANESE), ("mei", "さあ、こちらへどうぞ。足元にお気をつけください。")),
}
PAUSE_S = 0.4


def main() -> None:
    """Run as a command."""
    FOLDER.mkdir(exist_ok=True)
    with Voice() as voice:
        for name, lines in SAMPLES.items():
            path = FOLDER / f"{name}.ogg"
            seconds = write(path, voice, lines)
            print(f"{path}: {seconds:.1f} s, {path.stat().st_size / 1000:.0f} kB")


def write(path: Path, voice: Voice, lines: Sequence[Line]) -> float:
    """Write lines one after the other as Ogg Vorbis and return how many seconds they take."""
    spoken = [voice.say(text, character) for character, text in lines]
    rate = spoken[0].sample_rate
    pause = np.zeros(round(PAUSE_S * rate), np.int16)
    audio = np.concatenate([part for speech in spoken for part in (speech.audio, pause)])
    soundfile.write(path, audio, rate, format="OGG", subtype="VORBIS")
    return len(audio) / rate


if __name__ == "__main__":
    main()
