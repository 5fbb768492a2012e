"""Pictures of a voice beside its teacher: spectrogram, phonemes, pitch; its alignment and its training."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge.spec import SAMPLE_RATE

from .pitch import POINT_RATE
from .speech import Recording, Samples

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

N_FFT, HOP = 1024, 160  # 32 ms windows every 5 ms
RANGE_DB = 80.0
COLOURS = 64  # of the picture's palette: keeps a page's worth of spectrograms small in the repository
LOUD, TEACHER, STUDENT, TRAINING = "magma", "#444444", "#c03a2b", "#9a9a9a"
LOSS_COLUMNS = 3

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def draw_line(teacher: Recording, student: Recording, path: Path) -> None:
    """Draw one line as both say it: two spectrograms with phonemes, both pitch contours below."""
    figure, axes = _figure(3, (9.0, 7.0), [2, 2, 1])
    seconds = max(teacher.seconds, student.seconds)
    for axis, line, who in ((axes[0], teacher, "teacher"), (axes[1], student, "student")):
        _draw_spectrogram(axis, line)
        axis.set_ylabel(f"{who}, kHz")
        axis.set_xlim(0, seconds)
    for line, who, colour in ((teacher, "teacher", TEACHER), (student, "student", STUDENT)):
        _draw_pitch(axes[2], line, who, colour)
    axes[2].set_xlim(0, seconds)
    axes[2].set_ylabel("pitch, Hz")
    axes[2].set_xlabel("s")
    axes[2].legend(loc="upper right", fontsize=8)
    figure.suptitle(f"{teacher.character}, {teacher.language}, {teacher.emotion}", fontsize=10)
    _save(figure, path)


def draw_alignment(deviations: Mapping[str, NDArray[np.float64]], path: Path) -> None:
    """Draw how far learnt starts of phonemes are from those that the teacher tells, one curve per voice.

    Args:
        deviations: by name, (n,) seconds.
        path: PNG file.
    """
    figure, (axis,) = _figure(1, (7.0, 4.0), [1])
    for name, apart in sorted(deviations.items()):
        ms = np.sort(np.abs(apart)) * 1000.0
        axis.plot(ms, 100.0 * (np.arange(len(ms)) + 1) / len(ms), label=f"{name} ({len(ms)})", linewidth=1.2)
    axis.set_xlim(0, 100)
    axis.set_ylim(0, 100)
    axis.set_xlabel("learnt start against the teacher's own, ms")
    axis.set_ylabel("% of phonemes within")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    _save(figure, path)


def draw_losses(train: Mapping[str, Curve], valid: Mapping[str, Curve], path: Path) -> None:
    """Draw each term of the loss over the steps, on log scales: training behind, validation in front.

    Args:
        train: steps (n,) and losses (n,) by term.
        valid: the same.
        path: PNG file.
    """
    terms = list(dict.fromkeys([*train, *valid]))
    n_rows = -(-len(terms) // LOSS_COLUMNS)
    figure, axes = _figure(n_rows, (9.0, 0.4 + 2.3 * n_rows), [1] * n_rows, LOSS_COLUMNS)
    for axis, term in zip(axes, terms, strict=False):
        _draw_loss(axis, train.get(term), valid.get(term))
        axis.set_title(term, fontsize=9)
    for axis in axes[len(terms) :]:
        axis.axis("off")
    axes[0].legend(fontsize=8)
    _save(figure, path)


def _draw_loss(axis: Axes, train: Curve | None, valid: Curve | None) -> None:
    if train is not None:
        axis.plot(*train, color=TRAINING, linewidth=0.8, label="training, one batch")
    if valid is not None:
        axis.plot(*valid, color=STUDENT, linewidth=1.6, marker=".", label="validation")
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter("{x:g}")  # 0.3, not 3 × 10⁻¹
    axis.yaxis.set_minor_formatter("{x:g}")
    axis.tick_params(labelsize=8, which="both")
    axis.set_xlabel("step", fontsize=8)
    axis.grid(alpha=0.3, which="both")


def _figure(
    n_rows: int, size: tuple[float, float], heights: list[int], n_columns: int = 1
) -> tuple[Figure, list[Axes]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(n_rows, n_columns, squeeze=False, height_ratios=heights)
    return figure, list(axes.ravel())


def _draw_spectrogram(axis: Axes, line: Recording) -> None:
    level = spectrogram(line.audio)
    extent = (0.0, line.seconds, 0.0, SAMPLE_RATE / 2000.0)
    shades = {"cmap": LOUD, "vmin": level.max() - RANGE_DB, "vmax": level.max()}
    axis.imshow(level.T, origin="lower", aspect="auto", extent=extent, **shades)
    axis.set_ylim(0, 12)
    for index, segment in enumerate(line.segments):
        axis.axvline(segment.start, color="white", linewidth=0.4, alpha=0.6)
        if segment.sounds:
            height = 11.2 - 0.9 * (index % 2)  # two rows, so that short neighbours stay legible
            axis.text(segment.start + segment.duration / 2, height, segment.symbol, color="white", fontsize=6,
                      ha="center", va="center")  # fmt: skip


def _draw_pitch(axis: Axes, line: Recording, label: str, colour: str) -> None:
    contour = line.pitch
    hertz = np.where(contour.voiced, 2.0 ** (contour.semitones / 12.0), np.nan)
    axis.plot(np.arange(len(hertz)) / POINT_RATE, hertz, color=colour, label=label, linewidth=1.3)
    axis.grid(alpha=0.3)


def spectrogram(audio: Samples) -> NDArray[np.float64]:
    """Return (n_frames, N_FFT // 2 + 1) in dB of full scale."""
    padded = np.pad(audio.astype(np.float64), N_FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    window = np.hanning(N_FFT + 1)[:-1]
    power = np.abs(np.fft.rfft(frames * window)) ** 2 / (window.sum() / 2.0) ** 2
    return np.asarray(10.0 * np.log10(power + 1e-12))


def _save(figure: Figure, path: Path) -> None:
    """Write a PNG with a small palette: a third of the size, and nothing lost that the eye would see."""
    from PIL import Image

    raw = io.BytesIO()
    figure.savefig(raw, format="png")
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.open(raw).convert("RGB").quantize(COLOURS).save(path, optimize=True)
