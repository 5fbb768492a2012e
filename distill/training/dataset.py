"""Training examples: whole lines for the encoder, random windows of frames for the decoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from edge.head import KERNEL_TAPS, pulse_kernels, pulse_train
from edge.prosody import frame_features, sounded_mask
from edge.spec import F0_POINTS, HOP_LENGTH

from ..manifest import Label, Utterance
from .features import Features, believable

MARGIN = 4  # frames at both ends of a window that the loss does not look at
LOG_RMS_CENTRE, LOG_RMS_SCALE = -3.5, 1.5  # bring the energy of a phoneme near zero mean, unit spread


@dataclass(frozen=True)
class Line:
    """What the encoder learns from one utterance."""

    phoneme_ids: np.ndarray
    language_ids: np.ndarray
    word_starts: np.ndarray
    """``phoneme_ids``, ``language_ids``, ``word_starts``: (P,) int64."""
    condition: tuple[int, int]
    """Character and emotion index."""
    durations: np.ndarray
    """(P,) frames, with halves; 0 for pitch marks."""
    log_f0: np.ndarray
    voicing: np.ndarray
    """``log_f0``, ``voicing``: (P, F0_POINTS), voicing 1 where the pitch was surely heard."""
    knows_length: np.ndarray
    """(P,) 1 where the duration is one to learn from."""
    energy: np.ndarray | None
    """(P,), or None where nothing was heard."""


@dataclass(frozen=True)
class Example(Line):
    """One utterance with its sound as numbers."""

    frame_to_phoneme: np.ndarray
    """(T,); features: (T, 6)."""
    features: np.ndarray
    pulses: np.ndarray
    """(T * HOP_LENGTH,) float16, the harmonic excitation."""
    audio: np.ndarray
    """(T * HOP_LENGTH,) int16."""

    @property
    def n_frames(self) -> int:
        """Frames of the utterance, T."""
        return len(self.frame_to_phoneme)


def make_example(
    utterance: Utterance, features: Features, steps: np.ndarray, condition: tuple[int, int]
) -> Example:
    """Combine an utterance with its measurements and its alignment (P,) in steps of 8 ms."""
    contour, sure = believable(features.log_f0, features.voiced)
    energy = phoneme_energy(features.audio, steps)
    line = make_line(utterance, contour, sure, steps, condition)
    frames = aligned_frames(line.durations, sounded_mask(utterance.phonemes))
    f0_edges = np.exp(contour[::2])
    return Example(
        **{**vars(line), "energy": energy},
        frame_to_phoneme=np.repeat(np.arange(len(frames)), frames),
        features=frame_features(frames, f0_edges, energy),
        pulses=harmonic_excitation(f0_edges),
        audio=features.audio,
    )


def aligned_frames(durations: np.ndarray, sounded: np.ndarray) -> np.ndarray:
    """Cut a line into whole frames where its phonemes begin, so that they stay where they are in its sound.

    Args:
        durations: (P,) frames, fractional, not negative.
        sounded: (P,) False for phonemes that take no time at all.

    Returns:
        (P,) frames; at least 1 where ``sounded``, else 0.
    """
    wanted = np.where(sounded, durations.astype(np.float64), 0.0)
    floor = np.cumsum(sounded)  # the least possible end of each phoneme: one frame for each so far
    ends = np.rint(np.cumsum(wanted)).astype(np.int64)
    ends = np.maximum.accumulate(np.maximum(ends - floor, 0)) + floor
    return np.diff(ends, prepend=0)


def make_line(
    label: Label, contour: np.ndarray, sure: np.ndarray, steps: np.ndarray, condition: tuple[int, int]
) -> Line:
    """Combine what is said with a contour of log F0 (n,) every 8 ms, sure (n,), and lengths (P,) of 8 ms."""
    durations = (steps / 2.0).astype(np.float32)
    starts = np.cumsum(steps) - steps
    points = (starts[:, None] + (np.arange(F0_POINTS) + 0.5) / F0_POINTS * steps[:, None]).ravel()
    log_f0 = np.interp(points, np.arange(len(contour)), contour)
    voicing = sure[np.rint(points).astype(np.int64)]
    return Line(
        phoneme_ids=np.array(label.phoneme_ids),
        language_ids=np.array(label.language_ids),
        word_starts=np.array(label.word_starts),
        condition=condition,
        durations=durations,
        log_f0=log_f0.reshape(-1, F0_POINTS).astype(np.float32),
        voicing=voicing.reshape(-1, F0_POINTS).astype(np.float32),
        knows_length=(durations > 0).astype(np.float32),
        energy=None,
    )


def harmonic_excitation(f0_edges: np.ndarray) -> np.ndarray:
    """Return (T * HOP_LENGTH,) float16: pulses of unit power at the F0 (T + 1,) in Hz at frame edges."""
    positions, amplitudes = pulse_train(f0_edges)
    whole = np.floor(positions).astype(np.int64)
    kernels = pulse_kernels(positions - whole) * amplitudes[:, None]
    length = (len(f0_edges) - 1) * HOP_LENGTH
    out = np.zeros(length + 2 * KERNEL_TAPS, dtype=np.float32)
    first_tap = KERNEL_TAPS - (KERNEL_TAPS // 2 - 1)
    np.add.at(out, whole[:, None] + first_tap + np.arange(KERNEL_TAPS), kernels)
    return out[KERNEL_TAPS : KERNEL_TAPS + length].astype(np.float16)


def phoneme_energy(audio: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return (P,) the scaled log of the root mean square of each phoneme's samples."""
    power = np.concatenate([[0.0], np.cumsum((audio.astype(np.float64) / 32768.0) ** 2)])
    ends = np.minimum(np.cumsum(steps) * (HOP_LENGTH // 2), len(audio))
    starts = np.concatenate([[0], ends[:-1]])
    rms = np.sqrt((power[ends] - power[starts]) / np.maximum(ends - starts, 1))
    return ((np.log(rms + 1e-4) - LOG_RMS_CENTRE) / LOG_RMS_SCALE).astype(np.float32)


def collate(
    examples: Sequence[Example], window: int, rng: np.random.Generator, told: Sequence[Line] = ()
) -> dict[str, Tensor]:
    """Pad the lines and cut one window of ``window`` frames from each that has sound.

    A window may reach up to ``MARGIN`` frames beyond either end, where its mask is 0.

    Args:
        examples: B lines with sound.
        window: frames.
        rng: draws where windows begin.
        told: L further lines without sound.

    Returns:
        Encoder inputs and prosody targets, (B + L, P, ...), and of the windows ``frame_to_phoneme`` (B, T),
        ``features`` (B, T, 6), ``frame_mask`` (B, T, 1), ``pulses`` and ``audio`` (B, T * HOP_LENGTH).
    """
    everyone = [*examples, *told]
    size = max(len(line.phoneme_ids) for line in everyone)
    lines = [_pad_line(line, size) for line in everyone]
    windows = [_cut_window(e, window, _draw_start(e.n_frames, window, rng)) for e in examples]
    return {
        key: torch.from_numpy(np.stack([part[key] for part in parts]))
        for parts in (lines, windows)
        for key in parts[0]
    }


def _draw_start(n_frames: int, window: int, rng: np.random.Generator) -> int:
    return int(rng.integers(-MARGIN, max(n_frames - window + MARGIN, -MARGIN) + 1))


def _pad_line(line: Line, size: int) -> dict[str, np.ndarray]:
    extra = size - len(line.phoneme_ids)
    mask = (line.durations > 0).astype(np.float32)
    heard = line.energy is not None
    energy = line.energy if line.energy is not None else np.zeros_like(mask)
    return {
        "phoneme_ids": np.pad(line.phoneme_ids, (0, extra)),
        "language_ids": np.pad(line.language_ids, (0, extra)),
        "word_starts": np.pad(line.word_starts, (0, extra)),
        "character_id": np.array(line.condition[0]),
        "emotion_id": np.array(line.condition[1]),
        "phoneme_mask": np.pad(np.ones((len(mask), 1), np.float32), ((0, extra), (0, 0))),
        "target_mask": np.pad(mask, (0, extra)),
        "length_mask": np.pad(mask * line.knows_length, (0, extra)),
        "energy_mask": np.pad(mask * np.float32(heard), (0, extra)),
        "durations": np.pad(line.durations, (0, extra)),
        "log_f0": np.pad(line.log_f0, ((0, extra), (0, 0))),
        "voicing": np.pad(line.voicing, ((0, extra), (0, 0))),
        "energy": np.pad(energy, (0, extra)),
    }


def _cut_window(example: Example, window: int, start: int) -> dict[str, np.ndarray]:
    frames = np.arange(start, start + window)
    inside = (frames >= 0) & (frames < example.n_frames)
    frames = np.clip(frames, 0, example.n_frames - 1)
    keep = inside[:, None].astype(np.float32)
    audio = example.audio.reshape(-1, HOP_LENGTH)[frames].astype(np.float32) / 32768.0
    pulses = example.pulses.reshape(-1, HOP_LENGTH)[frames].astype(np.float32)
    return {
        "frame_to_phoneme": example.frame_to_phoneme[frames],
        "features": example.features[frames] * keep,
        "frame_mask": keep,
        "pulses": (pulses * keep).reshape(-1),
        "audio": (audio * keep).reshape(-1),
    }


def condition_ids(
    utterance: Utterance, characters: Mapping[str, int], emotions: Mapping[str, int]
) -> tuple[int, int]:
    """Return the indices of an utterance's character and emotion."""
    return characters[utterance.character], emotions[utterance.emotion]


def known_condition(
    characters: Mapping[str, int], emotions: Mapping[str, int]
) -> Callable[[Label], tuple[int, int] | None]:
    """Give a function that returns the indices of a line, or None where its voice is not among these."""

    def condition(label: Label) -> tuple[int, int] | None:
        who, how = characters.get(label.character), emotions.get(label.emotion)
        return None if who is None or how is None else (who, how)

    return condition
