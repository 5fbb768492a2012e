"""Two checkouts compared: phonemes, times and marks to the bit, PCM to within one 16-bit step.

    python -m benchmarks.same_sound ../before

For changes that must not be heard. Both sides are computed on this machine, one after the other, since other
processors round INT8 sums differently. Exit status 1 if anything differs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from . import lines
from .before_after import OF_THIS_CHECKOUT

ROOT = Path(__file__).parent.parent
N_SPOKEN = 12  # lines of every language that are synthesised; all are read
ACTING: tuple[dict[str, object], ...] = (
    {},
    {"rate": 1.3, "pitch": 2.0, "emotion": "happy"},
    {"rate": 0.8, "volume": 0.5, "emotion": "sad", "emotion_strength": 0.6},
)
TAGGED = (
    "你终究还是选择了怀疑……[pause:300ms][emotion:sad]我本可以拯救所有人。",
    "[mark:a]Open the door.[mark:b] [emotion:angry]Now![mark:c]",
    "こんにちは。[mark:door_open][pause:1s]ようこそ、cinemaへ。",
    "会议在3月5日14:30开始，票价¥1,299.00，Mind the gap。",
)

# Runs in either checkout, so it imports nothing but what both have by the same name.
_LISTENER = """
import hashlib, json, sys
from pathlib import Path
import numpy as np
from edge.synthesizer import SpeechRequest, Synthesizer
from edge.text import FrontEnd

def digest(*parts):
    return hashlib.sha256(repr(parts).encode()).hexdigest()

front_end = FrontEnd()
synthesizer = Synthesizer.load()
folder = Path(sys.argv[1])
for number, row in enumerate(map(json.loads, sys.stdin)):
    try:
        if row["kind"] == "read":
            found = front_end.read(row["text"], row["language"])
            words = [(word.text, word.start, word.end) for word in found.words]
            told = digest(found.normalized, found.phonemes, found.languages, found.offsets, words)
        else:
            line = synthesizer.prepare(SpeechRequest(row["text"], row["character"], **row["acting"]))
            chunks = list(synthesizer.stream(line))
            np.save(folder / f"{number}.npy", np.concatenate([chunk.samples for chunk in chunks]))
            marks = [(mark.name, mark.sample) for chunk in chunks for mark in chunk.marks]
            times = [chunk.timeline.phonemes for chunk in chunks if chunk.timeline is not None]
            told = digest(marks, times)
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
    print(json.dumps(told), flush=True)
"""


def rows() -> list[dict[str, object]]:
    """What is compared: every golden sentence read, some lines of each language spoken by each character."""
    texts = {language: list(_golden(language)) for language in ("zh", "en", "ja")}
    choose = random.Random(1)
    texts["zh"] += [lines.chinese(20, choose) for _ in range(N_SPOKEN)]
    texts["en"] += [lines.english(choose) for _ in range(N_SPOKEN)]
    texts["ja"] += [lines.japanese(choose) for _ in range(N_SPOKEN)]
    read: list[dict[str, object]] = [
        {"kind": "read", "text": text, "language": language}
        for name, found in texts.items()
        for text in found
        for language in ("auto", name)
    ]
    spoken = [text for found in texts.values() for text in found[-N_SPOKEN:]] + list(TAGGED)
    speak: list[dict[str, object]] = [
        {"kind": "speak", "text": text, "character": character, "acting": ACTING[number % len(ACTING)]}
        for number, text in enumerate(spoken)
        for character in ("noah", "ava", "claire", "mei")[number % 2 :: 2]
    ]
    return [*read, *speak]


def listen(root: Path, asked: list[dict[str, object]], folder: Path) -> list[str]:
    """Return one digest per row, computed by the checkout in ``root``; sound goes into ``folder`` by number.

    Raises:
        RuntimeError: the checkout does not run.
    """
    done = subprocess.run(
        [sys.executable, "-c", OF_THIS_CHECKOUT + _LISTENER, str(folder)],
        input="".join(json.dumps(row) + "\n" for row in asked),
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{root}: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def differences(before: Path, after: Path) -> list[str]:
    """Return the rows, as text, of which the two checkouts tell different things."""
    asked, found = rows(), []
    with tempfile.TemporaryDirectory() as old_folder, tempfile.TemporaryDirectory() as new_folder:
        old, new = listen(before, asked, Path(old_folder)), listen(after, asked, Path(new_folder))
        for number, row in enumerate(asked):
            what = json.dumps(row, ensure_ascii=False)
            if old[number] != new[number]:
                found.append(f"{what}: {old[number]} / {new[number]}")
            elif row["kind"] == "speak":
                steps = _steps(*(Path(folder) / f"{number}.npy" for folder in (old_folder, new_folder)))
                found += [f"{what}: {steps}"] if steps else []
    return found


def _steps(old: Path, new: Path) -> str:
    """What is different between two sounds; empty if no sample is more than one 16-bit step away."""
    if not (old.is_file() and new.is_file()):  # both refused the line alike
        return ""
    left, right = np.load(old).astype(np.int32), np.load(new).astype(np.int32)
    if left.shape != right.shape:
        return f"{len(left)} / {len(right)} samples"
    most = int(np.abs(left - right).max())
    return f"{most} steps apart" if most > 1 else ""


def _golden(language: str) -> Iterator[str]:
    for path in sorted((ROOT / "tests" / "data" / "golden_phonemes").glob(f"{language}.*")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                yield line.split("\t")[0].split(" = ")[0]


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.same_sound", description=__doc__)
    parser.add_argument("before", type=Path, help="another checkout")
    found = differences(parser.parse_args().before.resolve(), ROOT)
    digest = hashlib.sha256(json.dumps(rows()).encode()).hexdigest()[:12]
    print("\n".join(found) or f"{len(rows())} lines ({digest}) are the same to within one 16-bit step")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
