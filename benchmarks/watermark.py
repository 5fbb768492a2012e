"""The inaudible mark: found by length and after damage, false alarms, cost, audibility.

    python -m benchmarks.watermark [--unmarked 5000] [--workers 1]

Marked lines are those of the built-in voice; unmarked clips are its own lines without the mark and lines of
espeak-ng in many voices. No recording of a person and no real room is among them. The threshold in
``edge/watermark/detector.py`` is chosen from the unmarked clips, so it is to be read with their number.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import random
import subprocess
import tempfile
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.distance import log_mel_distance
from edge.spec import SAMPLE_RATE
from edge.synthesizer import SpeechRequest, Synthesizer
from edge.watermark import detector
from edge.watermark.pattern import PUBLIC_KEY

from . import machine

RESULTS = Path(__file__).parent / "results" / "watermark"
SCRIPT = Path(__file__).parents[1] / "distill" / "script"
N_LINES = 48
LENGTHS_S = (1.0, 2.0, 3.0, 4.0)
ESPEAK_VOICES = (
    "en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "de", "fr-fr", "es", "it", "pt-br", "nl", "pl", "sv",
)  # fmt: skip
ESPEAK_VARIANTS = ("", "+m1", "+m3", "+m7", "+f1", "+f2", "+f4", "+croak", "+whisper", "+klatt2")
Sound = NDArray[np.float32]
Damage = Callable[[Sound], tuple[Sound, int]]


def texts(name: str) -> list[str]:
    """Lines of a script that the package carries."""
    rows = (SCRIPT / f"{name}.tsv").read_text("utf-8").splitlines()
    return [row.split("\t")[-1] for row in rows if row.strip()]


def spoken(synthesizer: Synthesizer, text: str, character: str) -> Sound:
    """(n,) a line in [-1, 1]."""
    audio = synthesizer.synthesize(SpeechRequest(text, character)).audio
    sound: Sound = audio.astype(np.float32) / np.float32(32768)
    return sound


def marked_lines() -> Iterator[tuple[Sound, Sound]]:
    """Lines of 4 to 12 s without and with the mark."""
    plain, marked = Synthesizer.load(threads=1), Synthesizer.load(threads=1, marked=True)
    wanted = [(text, "noah") for text in texts("long_zh")] + [(text, "ava") for text in texts("long_en")]
    wanted += [(text, "mei") for text in texts("long_ja")] + [
        (text, "claire") for text in texts("narration_en")
    ]
    random.Random(5).shuffle(wanted)
    count = 0
    for text, character in wanted:
        sound = spoken(plain, text, character)
        if count < N_LINES and 4 <= len(sound) / SAMPLE_RATE <= 12:
            count += 1
            yield sound, spoken(marked, text, character)


# --- Damage -------------------------------------------------------------------------------------------------


def coded(*options: str, suffix: str) -> Damage:
    """Through an encoder of ffmpeg and back."""

    def damage(sound: Sound) -> tuple[Sound, int]:
        with tempfile.TemporaryDirectory() as name:
            source, packed, back = (Path(name) / part for part in ("a.wav", f"b.{suffix}", "c.wav"))
            write_wav(source, sound)
            quiet = ["ffmpeg", "-v", "error", "-y", "-i"]
            subprocess.run([*quiet, source, *options, packed], check=True)
            subprocess.run(
                [*quiet, packed, "-ar", "32000", "-ac", "1", "-sample_fmt", "s16", back], check=True
            )
            return read_wav(back)

    return damage


def noisy(snr_db: float) -> Damage:
    """White noise."""

    def damage(sound: Sound) -> tuple[Sound, int]:
        noise = np.random.default_rng(len(sound)).normal(size=len(sound))
        return (sound + noise * sound.std() * 10 ** (-snr_db / 20)).astype(np.float32), SAMPLE_RATE

    return damage


def room(decay_s: float, direct_db: float, snr_db: float) -> Damage:
    """Exponential reverberation, a band of 200 to 7000 Hz, noise."""

    def damage(sound: Sound) -> tuple[Sound, int]:
        rng = np.random.default_rng(len(sound))
        n = round(decay_s * SAMPLE_RATE)
        tail = rng.normal(size=n) * 10 ** (-3 * np.arange(n) / n)
        tail *= 10 ** (-direct_db / 20) / np.sqrt((tail**2).sum())
        tail[0] += 1.0
        size = len(sound) + n
        spectrum = np.fft.rfft(sound, size) * np.fft.rfft(tail, size)
        frequency = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
        spectrum[(frequency < 200) | (frequency > 7000)] = 0
        heard = np.fft.irfft(spectrum, size)[: len(sound)].astype(np.float32)
        return noisy(snr_db)(heard)

    return damage


def at_rate(rate: int) -> Damage:
    """Resampled, and left so."""

    def damage(sound: Sound) -> tuple[Sound, int]:
        size = round(len(sound) * rate / SAMPLE_RATE)
        spectrum = np.fft.rfft(sound)[: size // 2 + 1]
        return (np.fft.irfft(spectrum, size) * (size / len(sound))).astype(np.float32), rate

    return damage


def faster(percent: float) -> Damage:
    """Played a little too fast."""
    return lambda sound: (sound, round(SAMPLE_RATE * (1 + percent / 100)))


DAMAGES: dict[str, Damage] = {
    "none": lambda sound: (sound, SAMPLE_RATE),
    "cropped by 0.37 s": lambda sound: (sound[11_840:], SAMPLE_RATE),
    "mp3 128k": coded("-b:a", "128k", suffix="mp3"),
    "mp3 64k": coded("-b:a", "64k", suffix="mp3"),
    "mp3 32k": coded("-b:a", "32k", suffix="mp3"),
    "aac 64k": coded("-b:a", "64k", suffix="m4a"),
    "aac 32k": coded("-b:a", "32k", suffix="m4a"),
    "opus 64k": coded("-c:a", "libopus", "-b:a", "64k", suffix="opus"),
    "opus 24k voip": coded("-c:a", "libopus", "-b:a", "24k", "-application", "voip", suffix="opus"),
    "16 kHz": at_rate(16_000),
    "8 kHz": at_rate(8_000),
    "noise 20 dB": noisy(20),
    "noise 10 dB": noisy(10),
    "room 0.4 s, direct 0 dB, noise 20 dB": room(0.4, 0.0, 20),
    "room 0.6 s, direct -3 dB, noise 15 dB": room(0.6, -3.0, 15),
    "0.2 % faster": faster(0.2),
    "1 % faster": faster(1.0),
}


# --- Figures ------------------------------------------------------------------------------------------------


def shares(detections: Sequence[detector.Detection]) -> dict[str, float]:
    """Share found, and scores."""
    scores = sorted(one.score for one in detections)
    found = sum(one.verdict == "found" for one in detections) / len(detections)
    return {"found": round(found, 3), "least": scores[0], "median": scores[len(scores) // 2]}


def heard_through(name: str, line: Sound) -> detector.Detection:
    """What is found in a line after damage."""
    return detector.detect(*DAMAGES[name](line))


def heard_of(length_s: float, line: Sound) -> detector.Detection:
    """What is found in the beginning of a line."""
    return detector.detect(line[: round(length_s * SAMPLE_RATE)], SAMPLE_RATE)


def heard_with(key: bytes, line: Sound) -> detector.Detection:
    """What is found with a key, in a line that carries the public one."""
    return detector.detect(line, SAMPLE_RATE, key)


def robustness(lines: Sequence[Sound], pool: Executor) -> dict[str, Any]:
    """Share of marked lines that are found, by damage and by length."""
    by_damage = {name: shares(list(pool.map(partial(heard_through, name), lines))) for name in DAMAGES}
    by_length = {
        f"first {length:g} s": shares(list(pool.map(partial(heard_of, length), lines)))
        for length in LENGTHS_S
    }
    wrong = list(pool.map(partial(heard_with, b"another key"), lines))
    return {"damage": by_damage, "length": by_length, "another key": shares(wrong)}


def foreign_clips(count: int) -> Iterator[tuple[str, ...]]:
    """Commands that speak a line with espeak-ng, in many voices."""
    lines = texts("lines_en") + texts("more_en")
    chance = random.Random(7)
    for number in range(count):
        voice = chance.choice(ESPEAK_VOICES) + chance.choice(ESPEAK_VARIANTS)
        speed, pitch = chance.randrange(120, 220), chance.randrange(20, 80)
        text = lines[number % len(lines)]
        yield ("espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", text)


def heard_in_foreign(command: tuple[str, ...]) -> detector.Detection:
    """What is found in a clip of espeak-ng, at the rate of ours."""
    content = subprocess.run(command, check=True, capture_output=True).stdout
    with wave.open(io.BytesIO(content)) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        rate = file.getframerate()
    clip = detector.resample(pcm.astype(np.float32) / np.float32(32768), rate)
    return detector.detect(clip.astype(np.float32), SAMPLE_RATE)


def false_alarms(count: int, own: Sequence[Sound], pool: Executor) -> dict[str, Any]:
    """Scores of clips that carry no mark, and how many are found or called inconclusive."""
    detections = list(pool.map(partial(heard_with, PUBLIC_KEY), own))
    foreign = foreign_clips(count - len(own))
    detections += pool.map(heard_in_foreign, foreign, chunksize=16)
    scores = np.array([one.score for one in detections])
    found = sum(one.verdict == "found" for one in detections)
    n = len(detections)
    return {
        "clips": n,
        "hours": round(sum(one.seconds for one in detections) / 3600, 2),
        "found": found,
        "inconclusive": sum(one.verdict == "inconclusive" for one in detections),
        "upper_bound_95": round(3.0 / n, 6) if not found else None,
        "score": {f"p{q:g}": round(float(np.percentile(scores, q)), 2) for q in (50, 99, 99.9)},
        "largest": float(scores.max()),
    }


def cost(repeats: int = 15) -> dict[str, float]:
    """Time of a line with the mark over the time without, both in turn; the median of the ratios."""
    plain, marked = Synthesizer.load(threads=1), Synthesizer.load(threads=1, marked=True)
    request = SpeechRequest(texts("narration_en")[0], "claire")
    ratios = []
    for _ in range(repeats):
        taken = []
        for synthesizer in (plain, marked):
            line = synthesizer.prepare(request)
            began = time.perf_counter()
            for _ in synthesizer.stream(line):
                pass
            taken.append(time.perf_counter() - began)
        ratios.append(taken[1] / taken[0])
    return {"median": round(float(np.median(ratios)), 4), "least": round(min(ratios), 4)}


def audibility(pairs: Sequence[tuple[Sound, Sound]], pool: Executor) -> dict[str, Any]:
    """How far marked lines are from unmarked ones; PESQ and DNSMOS where ``pesq`` and ``speechmos`` are."""
    ripple = [10 * np.log10((plain**2).sum() / ((plain - marked) ** 2).sum()) for plain, marked in pairs]
    mel = [log_mel_distance(plain, marked) for plain, marked in pairs]
    result: dict[str, Any] = {
        "signal_to_difference_db": round(float(np.median(ripple)), 1),
        "log_mel_db": {"median": round(float(np.median(mel)), 2), "largest": round(max(mel), 2)},
    }
    narrow = at_rate(16_000)
    heard = [(narrow(plain)[0], narrow(marked)[0]) for plain, marked in pairs]
    if find_spec("pesq"):
        values = list(pool.map(pesq_of, heard))
        result["pesq_wb"] = {"mean": round(float(np.mean(values)), 3), "least": round(min(values), 3)}
    if find_spec("speechmos"):
        both = np.array(list(pool.map(dnsmos_of, heard)))
        plain, marked = both.mean(axis=0)
        result["dnsmos_overall"] = {"plain": round(float(plain), 3), "marked": round(float(marked), 3)}
    return result


def pesq_of(pair: tuple[Sound, Sound]) -> float:
    """Wide-band PESQ of a marked line against the plain one; 4.64 is the same."""
    from pesq import pesq

    return float(pesq(16_000, *pair, "wb"))


def dnsmos_of(pair: tuple[Sound, Sound]) -> tuple[float, float]:
    """Mean opinion predicted for the plain and for the marked line, each alone."""
    from speechmos import dnsmos

    plain, marked = (float(dnsmos.run(np.clip(one, -1, 1), 16_000)["ovrl_mos"]) for one in pair)
    return plain, marked


def write_wav(path: Path, sound: Sound) -> None:
    """16-bit WAV."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(np.round(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())


def read_wav(path: Path) -> tuple[Sound, int]:
    """Samples and rate of a 16-bit WAV."""
    with wave.open(str(path)) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        sound: Sound = pcm.astype(np.float32) / np.float32(32768)
        return sound, file.getframerate()


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unmarked", type=int, default=5_200, help="clips without the mark")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    given = parser.parse_args()
    facts = {"machine": machine.describe(), "threshold": detector.FOUND}
    pairs = list(marked_lines())
    facts |= {"lines": len(pairs), "cost": cost()}
    with ProcessPoolExecutor(given.workers, multiprocessing.get_context("spawn")) as pool:
        facts["robustness"] = robustness([marked for _, marked in pairs], pool)
        facts["audibility"] = audibility(pairs, pool)
        facts["false_alarms"] = false_alarms(given.unmarked, [plain for plain, _ in pairs], pool)
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / "builtin.json"
    path.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    print(path)


if __name__ == "__main__":
    main()
