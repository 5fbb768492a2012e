"""What a teacher tells of its prosody, kept beside the sound of a line in ``prosody/NAME.npz``.

The file has ``starts``, (P + 1,) seconds at which the P phonemes of the row begin and the last one ends: the
leading silence first, at 0, and the end of the sound last. ``f0`` (Hz, near 0 where unvoiced) and ``energy``
(the teacher's own unit) are (n,) values every ``step_s`` seconds, the first at ``first_s``, which is negative
where silence was cut off.

Lines of which the prosody was told without sound stand in ``told.jsonl``, a row each, with the same in it but
for the energy.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.spec import FINAL_SYMBOL, SAMPLE_RATE, ZERO_LENGTH_SYMBOLS
from edge.text import Reading
from edge.text.symbols import PUNCTUATION

from ..files import replacing
from ..sound import STEP, Audio, quieter
from ..teachers.base import PhonemeProsody

FOLDER = "prosody"
TOLD = "told.jsonl"  # of the corpus: lines without sound
PAUSE_DB = -40.0  # below the loudest step of the line
LEAST_S = 0.024  # of a phoneme before a pause
STEP_S = STEP / SAMPLE_RATE


@dataclass(frozen=True)
class ToldProsody:
    """Prosody of a trimmed line; see the module for the fields."""

    starts: NDArray[np.float32]
    f0: NDArray[np.float32]
    energy: NDArray[np.float32]
    first_s: float
    step_s: float


def tell(
    prosody: PhonemeProsody | None, reading: Reading, moved_s: float, audio: Audio, trailing_s: float
) -> ToldProsody | None:
    """Bring what a teacher told into the time of the trimmed sound and the phonemes of the student.

    Args:
        prosody: of the line as the teacher spoke it.
        reading: of the line.
        moved_s: by how much trimming moved times towards the start.
        audio: (n_samples,) at 32 kHz, trimmed.
        trailing_s: silence at its end; what the teacher counts to a phoneme there is not of the phoneme.
    """
    if prosody is None:
        return None
    seconds = len(audio) / SAMPLE_RATE
    starts = np.clip(prosody.starts - moved_s, 0.0, max(0.0, seconds - trailing_s))
    closed = reading.phonemes[-1] in PUNCTUATION  # else the student is given a full stop, which is the rest
    known = _pauses_from_silence(starts[:-1] if closed else starts, reading.phonemes, audio)
    edges = np.concatenate(([0.0], known, [seconds])).astype(np.float32)
    return ToldProsody(edges, prosody.f0, prosody.energy, -moved_s, prosody.step_s)


def unheard(
    prosody: PhonemeProsody, reading: Reading, leading_s: float, trailing_s: float
) -> ToldProsody:
    """Bring what a teacher told of a line that nobody said into the time of a trimmed sound.

    Where a pause begins only the sound would show (see ``tell``): ``knows_length`` names what stays open.

    Args:
        prosody: of the line.
        reading: likewise.
        leading_s: silence before the first sound.
        trailing_s: silence after the last one.
    """
    moved_s = float(prosody.starts[0]) - leading_s
    starts = prosody.starts - moved_s
    closed = reading.phonemes[-1] in PUNCTUATION
    known = starts[:-1] if closed else starts
    edges = np.concatenate(([0.0], known, [known[-1] + trailing_s])).astype(np.float32)
    return ToldProsody(edges, prosody.f0, prosody.energy, -moved_s, prosody.step_s)


def knows_length(phonemes: Sequence[str]) -> NDArray[np.bool_]:
    """Return (P,) True for phonemes whose length is known without the sound.

    A teacher may count the silence of a pause to the phoneme before it; both are open, and so are the leading
    silence and the first phoneme, which begins where it is heard.
    """
    known, after = np.zeros(len(phonemes), np.bool_), FINAL_SYMBOL
    for index in range(len(phonemes) - 1, 1, -1):
        symbol = phonemes[index]
        if symbol in ZERO_LENGTH_SYMBOLS:
            continue
        known[index] = symbol not in PUNCTUATION and after not in PUNCTUATION
        after = symbol
    return known


def to_row(told: ToldProsody) -> dict[str, Any]:
    """Give the prosody of an unheard line as JSON: times in milliseconds, F0 in tenths of a hertz."""
    return {
        "starts_ms": [round(1000 * float(start)) for start in told.starts],
        "f0_tenths": [round(10 * float(value)) for value in told.f0],
        "first_s": round(told.first_s, 4),
        "step_s": told.step_s,
    }


def from_row(row: Mapping[str, Any]) -> ToldProsody:
    """Read what ``to_row`` wrote; it has no energy."""
    starts = np.array(row["starts_ms"], np.float32) / np.float32(1000)
    f0 = np.array(row["f0_tenths"], np.float32) / np.float32(10)
    return ToldProsody(starts, f0, np.zeros(0, np.float32), row["first_s"], row["step_s"])


def _pauses_from_silence(
    starts: NDArray[np.float64], phonemes: Sequence[str], audio: Audio
) -> NDArray[np.float64]:
    """Let a mark begin where the sound before it ends: a teacher may count silence to the last phoneme."""
    silent = np.append(quieter(audio, PAUSE_DB), True)
    moved = starts.copy()
    for index, symbol in enumerate(phonemes):
        if index and symbol in PUNCTUATION:
            step = own = min(int(starts[index] / STEP_S), len(silent) - 1)
            while step and silent[step - 1] and silent[step]:
                step -= 1
            if step < own:
                least = starts[index - 1] + LEAST_S
                moved[index] = min(starts[index], max(least, step * STEP_S))
    return moved


def save_prosody(corpus: Path, sound: str, prosody: ToldProsody) -> str:
    """Write the prosody of a line; the file appears whole or not at all.

    Args:
        corpus: folder.
        sound: path of the line's sound in it.
        prosody: of the line.

    Returns:
        Its path in the corpus.
    """
    path = Path(FOLDER) / f"{Path(sound).stem}.npz"
    with replacing(corpus / path, str(os.getpid())) as unfinished, unfinished.open("wb") as file:
        np.savez_compressed(file, **asdict(prosody))
    return str(path)


def load_prosody(path: Path) -> ToldProsody:
    """Read the prosody of a line.

    Raises:
        OSError, ValueError: the file is missing or is not one of these.
    """
    stored = io.BytesIO(path.read_bytes())
    try:
        with np.load(stored, allow_pickle=False) as content:
            starts, f0, energy = (np.asarray(content[key], np.float32) for key in ("starts", "f0", "energy"))
            return ToldProsody(starts, f0, energy, float(content["first_s"]), float(content["step_s"]))
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        raise ValueError(f"it is not the prosody of a line: {error}") from error
