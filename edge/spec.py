"""Numbers on which the student network, the bundle and the runtime agree."""

from __future__ import annotations

SAMPLE_RATE = 32_000  # Hz
HOP_LENGTH = 512  # samples, 16 ms at 32 kHz
FRAME_RATE = SAMPLE_RATE / HOP_LENGTH  # 62.5 frames/s
N_FFT = 1024  # samples, two hops
N_BINS = N_FFT // 2 + 1

F0_POINTS = 4  # pitch targets per phoneme, at (k + 0.5) / 4 of its duration
SUBFRAMES = 4  # gain steps per frame, 4 ms each: sharp enough for a plosive burst
N_FRAME_FEATURES = 6
FRAME_OUTPUTS = 3 * N_BINS + 2 * SUBFRAMES

LEADING_SYMBOL = "SP"  # every phrase starts with this much silence
FINAL_SYMBOL = "."  # closes a phrase that has no final punctuation
ZERO_LENGTH_SYMBOLS = ("[", "]")  # pitch marks: read by the encoder, never sounded
LANGUAGE_IDS = {"zh": 0, "en": 1, "ja": 2}

NAME = r"[a-z0-9_-]{1,64}"  # device, character, emotion, line or mark: it becomes one level of an MQTT topic
REQUEST_ID = r"[A-Za-z0-9._:-]{1,64}"
MAX_TEXT_CHARACTERS = 2000  # of a line

EMOTION_STRENGTH = (0.0, 1.5)  # 0 is neutral, 1 as trained
RATE = (0.5, 2.0)  # times normal speed
PITCH = (-12.0, 12.0)  # semitones
VOLUME = (0.0, 2.0)  # linear gain
