"""Runners measured on this machine: how fast each is, how far its sound is from the reference, who wins."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..bundle.bundle import Bundle
from ..bundle.manifest import Manifest
from ..decoding import EncodedPhrase, Span, plan_windows
from ..distance import log_mel_distance, snr_db
from ..errors import RunnerError
from ..frames import Frames
from ..head import PhraseHead
from ..phrases import Phrase, split_phrases
from ..prosody import plan_frames, sounded_mask
from ..spec import FRAME_RATE
from ..text import FrontEnd
from .base import EncoderInputs, Runner, encoder_inputs

# Short and long, questions and statements: what a show says. The golden line of the bundle comes on top.
TEXTS = {
    "zh": (
        "请往前走。",
        "你终究还是选择了怀疑，我本可以拯救所有人。",
        "欢迎光临，演出马上就要开始了，请把手机调成静音。",
    ),
    "en": (
        "Open the door.",
        "Nobody heard them, did they?",
        "Please hold on to me now, and walk slowly towards the light.",
    ),
    "ja": (
        "足元にご注意ください。",
        "誰もいませんか。",
        "星がきれいですね、物語はここから始まります。",
    ),
}
REPEATS = 9


@dataclass(frozen=True)
class Thresholds:
    """What a candidate has to keep to."""

    min_speedup: float = 1.1
    """A tenth is more than two runs of the same thing differ by on a quiet machine; less is no reason to
    depart from the reference."""
    max_log_mel_db: float = 1.0
    """Mean over the lines. The built-in INT8 voice is 0.23 dB from its float networks
    (benchmarks/results/quality/builtin-int8.json), other float kernels for one graph are below 0.1; 1 dB
    is the least change of level that the ear tells apart in a quiet room."""
    max_line_db: float = 2.0
    """Of the worst line: one that sounds broken must not hide in the mean."""
    max_duration_frames: float = 0.5
    """Root mean square per phoneme; the grid is one frame."""


@dataclass(frozen=True)
class Line:
    """One phrase as the encoder takes it."""

    text: str
    phrase: Phrase
    inputs: EncoderInputs


@dataclass(frozen=True)
class Evidence:
    """What was measured of one candidate, against the reference in the same run."""

    line_ms: float = 0.0
    """Least time of both networks for all lines together, windows side by side."""
    first_ms: float = 0.0
    """Least time to the end of the first window, summed over the lines."""
    speedup: float = 0.0
    """Reference's ``line_ms`` by this one."""
    log_mel_db: float = 0.0
    snr_db: float = 0.0
    """``log_mel_db``, ``snr_db``: mean over the lines, same durations and pitch."""
    worst_db: float = 0.0
    worst_line: str = ""
    """``worst_db``, ``worst_line``: line with the largest log-mel distance."""
    duration_frames: float = 0.0
    """Root mean square difference of the durations."""
    problem: str = ""
    """Why it cannot be used; empty if it can."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def verdict_lines(bundle: Bundle, front_end: FrontEnd) -> list[Line]:
    """Phrases in every language of the bundle, each by the first character that speaks it."""
    manifest = bundle.manifest
    asked: list[tuple[str, str, str]] = [
        (manifest.golden.text, manifest.golden.character, manifest.golden.language)
    ]
    for language, texts in TEXTS.items():
        speakers = [entry.name for entry in manifest.characters if language in entry.languages]
        asked += [(text, name, language) for name in speakers[:1] for text in texts]
    return [line for one in asked for line in _lines(manifest, front_end, *one)]


def _lines(manifest: Manifest, front_end: FrontEnd, text: str, name: str, language: str) -> list[Line]:
    character = next(entry for entry in manifest.characters if entry.name == name)
    phrases = split_phrases(front_end.read(text, language), (), character.emotion("neutral"))
    spoken = [phrase for phrase in phrases if phrase.symbols]
    return [
        Line(text, phrase, encoder_inputs(phrase, character.id, manifest.emotions[phrase.emotion], 1.0))
        for phrase in spoken
    ]


class Bench:
    """Lines, and the windows of a bundle to decode them in.

    Args:
        manifest: of the bundle.
        lines: to speak.
        reference: what the others are held against; its durations and pitch are used for all.
    """

    def __init__(self, manifest: Manifest, lines: Sequence[Line], reference: Runner) -> None:
        self.lines = lines
        self._manifest = manifest
        self._spoken = [reference.encode(line.inputs) for line in lines]
        self._phrases = [
            _expand(line, said, said.hidden) for line, said in zip(lines, self._spoken, strict=True)
        ]
        self._sounds = [self._sound(phrase, reference) for phrase in self._phrases]
        self.seconds = sum(phrase.plan.n_frames for phrase in self._phrases) / FRAME_RATE

    def quality(self, runner: Runner) -> Evidence:
        """Distance of a runner's sound from the reference's."""
        distances, ratios, errors = [], [], []
        for line, said, sound in zip(self.lines, self._spoken, self._sounds, strict=True):
            other = runner.encode(line.inputs)
            heard = self._sound(_expand(line, said, other.hidden), runner)
            if not np.isfinite(heard).all():
                raise RunnerError("the decoder gave NaN or infinity")
            distances.append(log_mel_distance(sound, heard))
            ratios.append(min(snr_db(sound, heard), 120.0))
            errors.append(float(np.mean((said.durations - other.durations) ** 2)))
        worst = int(np.argmax(distances))
        return Evidence(
            log_mel_db=round(statistics.fmean(distances), 3),
            snr_db=round(statistics.fmean(ratios), 1),
            worst_db=round(distances[worst], 3),
            worst_line=self.lines[worst].text,
            duration_frames=round(statistics.fmean(errors) ** 0.5, 4),
        )

    def times(self, runners: Mapping[str, Runner], repeats: int = REPEATS) -> dict[str, tuple[float, float]]:
        """Least ms of whole lines and of first windows, all runners in turn: what else runs only adds."""
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in runners}
        for turn in range(repeats + 1):
            names = list(runners)
            for name in names if turn % 2 else reversed(names):
                sample = self._speak(runners[name])
                if turn:  # the first is for warming up
                    taken[name].append(sample)
        return {
            name: (min(whole for whole, _ in samples), min(first for _, first in samples))
            for name, samples in taken.items()
        }

    def _speak(self, runner: Runner) -> tuple[float, float]:
        """Run all lines as the device does: first window alone, the rest side by side."""
        whole = first = 0.0
        with ThreadPoolExecutor(runner.concurrency) as pool:
            for line, phrase in zip(self.lines, self._phrases, strict=True):
                spans = plan_windows(
                    phrase.plan.n_frames,
                    self._manifest.first_window_frames,
                    self._manifest.window_frames * runner.window_factor,
                    runner.concurrency,
                )
                decode: Callable[[Span], Any] = partial(self._decode, runner, phrase)
                began = time.perf_counter()
                runner.encode(line.inputs)
                decode(spans[0])
                first += time.perf_counter() - began
                if len(spans) > 1:
                    list(pool.map(decode, spans[1:]))
                whole += time.perf_counter() - began
        return 1000 * whole, 1000 * first

    def _decode(self, runner: Runner, phrase: EncodedPhrase, span: Span) -> Frames:
        """Frames of a window, decoded with its context."""
        context = self._manifest.context_frames + 1
        low, high = max(span[0] - context, 0), min(span[1] + context, phrase.plan.n_frames)
        frames = runner.decode(phrase.hidden[:, low:high], phrase.plan.features[:, low:high])
        return frames.between(span[0] - low, span[1] - low)

    def _sound(self, phrase: EncodedPhrase, runner: Runner) -> NDArray[np.float32]:
        spans = plan_windows(phrase.plan.n_frames, 0, self._manifest.window_frames, 1)
        frames = [self._decode(runner, phrase, span) for span in spans]
        return PhraseHead(phrase.plan.f0_edges).render(Frames.joined(frames))


def _expand(line: Line, said: Any, hidden: NDArray[np.float32]) -> EncodedPhrase:
    plan = plan_frames(said.durations, said.f0, said.energy, sounded_mask(line.phrase.symbols))
    return EncodedPhrase(plan, np.repeat(hidden, plan.durations, axis=0)[None])


def compare(
    bench: Bench,
    reference: str,
    runners: Mapping[str, Runner],
    limits: Thresholds | None = None,
    repeats: int = REPEATS,
) -> dict[str, Evidence]:
    """Evidence for every runner; one that fails or sounds different says so in ``problem``.

    Args:
        bench: made with the reference.
        reference: its name among the runners.
        runners: by name.
        limits: what to keep to.
        repeats: of the timing.
    """
    found: dict[str, Evidence] = {}
    for name, runner in runners.items():
        try:
            found[name] = bench.quality(runner)
        except RunnerError as error:
            found[name] = Evidence(problem=str(error))
    able = {name: runners[name] for name, evidence in found.items() if not evidence.problem}
    times = bench.times(able, repeats)
    for name, (whole, first) in times.items():
        speedup = times[reference][0] / whole
        figures = {"line_ms": round(whole, 2), "first_ms": round(first, 2), "speedup": round(speedup, 3)}
        evidence = Evidence(**{**asdict(found[name]), **figures})
        found[name] = Evidence(**{**asdict(evidence), "problem": too_far(evidence, limits or Thresholds())})
    return found


def too_far(evidence: Evidence, limits: Thresholds) -> str:
    """Why a candidate's sound is not that of the reference; empty if it is."""
    figures = (
        ("log-mel distance", evidence.log_mel_db, limits.max_log_mel_db, "dB"),
        (f"log-mel distance of {evidence.worst_line!r}", evidence.worst_db, limits.max_line_db, "dB"),
        ("durations", evidence.duration_frames, limits.max_duration_frames, "frames"),
    )
    for what, value, most, unit in figures:
        if value > most:
            return f"{what} {value:.2f} {unit}, at most {most:g} allowed"
    return ""


def rejection(evidence: Evidence, limits: Thresholds) -> str:
    """Why a candidate does not replace the reference; empty if it does."""
    if evidence.problem:
        return evidence.problem
    if evidence.speedup < limits.min_speedup:
        return f"{evidence.speedup:.2f} times as fast, at least {limits.min_speedup:g} wanted"
    return ""


def winner(reference: str, found: Mapping[str, Evidence], limits: Thresholds) -> str:
    """The fastest candidate that is fit for use; the reference unless it is beaten clearly."""
    fit = [name for name, evidence in found.items() if name != reference and not rejection(evidence, limits)]
    return max(fit, key=lambda name: found[name].speedup, default=reference)
