"""Kokoro-82M as a teacher: three languages, blended voices, and emotions made by what the network predicts.

It is given the phonemes that the student will read, so that both say the same, and gives its own durations,
F0 and energy with the sound. Without change it would take the tone or accent from the phonemes and nothing of
the emotion: an emotion moves its F0, its durations and the level of the sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge.spec import ZERO_LENGTH_SYMBOLS
from edge.text import Reading

from .base import LineRequest, Origin, PhonemeProsody, Teacher, TeacherError, TeacherLine
from .kokoro_accent import accented
from .kokoro_files import provenance, voice_names
from .kokoro_network import FRAME, PITCH_STEP, SAMPLE_RATE, Network, Prosody, blend, network
from .kokoro_tokens import Token, token_ids, tokens
from .settings import KokoroManner, KokoroSettings

LAG_S = 0.057  # the sound comes so much before its label (docs/kokoro.md)
VOICED_HZ = 60.0  # the F0 of voiced speech is above
TONAL_RANGE = 0.75  # least F0 range in Chinese, whose tones are lost below
SILENT_SHARE = 0.25  # of its neighbour's time, for a phoneme that Kokoro has no token for
_REVISION = 1  # of how lines are said; lines of another one are rendered again


class KokoroTeacher(Teacher):
    """One character, which is a blend of voices; all characters of a process share the network."""

    name = "kokoro"
    literal = True

    def __init__(self, settings: KokoroSettings) -> None:
        self._settings = settings
        self._folder = settings.folder.expanduser()
        self._made_of = provenance(self._folder)
        unknown = [name for name in settings.voices if name not in voice_names()]
        if unknown:
            raise TeacherError(f"Kokoro-82M has no voice {unknown[0]!r}; it has {', '.join(voice_names())}")
        self._styles: NDArray[np.float32] | None = None

    def origin(self) -> Origin:
        """Name the model, its voices and what is not known about them."""
        made_of = self._made_of
        credit = f"Kokoro-82M by {made_of['author']}, {made_of['source']}; voices {self._blend()}. "
        credit += f"Not known: {made_of['not_known']}"
        return Origin(self.name, made_of["name"], made_of["licence"], credit)

    def delivery(self, request: LineRequest) -> str:
        """The blend and the manner of the emotion."""
        manner = self._manner(request.emotion).model_dump_json()
        return f"{_REVISION} {self._made_of['graph_sha256'][:12]} {self._blend()} {manner}"

    def synthesize(self, request: LineRequest) -> TeacherLine:
        """Speak one line of phonemes."""
        written, manner = tokens(request.reading), self._manner_of(request)
        times = np.zeros(0)

        def act(predicted: Prosody) -> Prosody:
            nonlocal times
            times, acted = _acted(request.reading, written, predicted, manner)
            return acted

        style = self._style()[len(written) - 1]
        audio, prosody = self._network().speak(token_ids(written), style, request.rate * manner.rate, act)
        told = PhonemeProsody(times, prosody.f0, prosody.energy, PITCH_STEP / SAMPLE_RATE)
        return TeacherLine(audio * np.float32(10 ** (manner.gain_db / 20)), SAMPLE_RATE, prosody=told)

    def tell(self, request: LineRequest) -> PhonemeProsody:
        """Give the prosody with which ``synthesize`` would speak."""
        written, manner = tokens(request.reading), self._manner_of(request)
        style = self._style()[len(written) - 1]
        predicted = self._network().predict(token_ids(written), style, request.rate * manner.rate)
        times, acted = _acted(request.reading, written, predicted, manner)
        return PhonemeProsody(times, acted.f0, acted.energy, PITCH_STEP / SAMPLE_RATE)

    def predict(self, request: LineRequest) -> tuple[NDArray[np.float64], Prosody]:
        """Give starts of the phonemes in seconds and the network's own prosody, without any emotion."""
        written = tokens(request.reading)
        style = self._style()[len(written) - 1]
        prosody = self._network().predict(token_ids(written), style, request.rate)
        return phoneme_starts(request.reading, written, prosody.frames), prosody

    def lengths(self, request: LineRequest) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give (P,) seconds of each phoneme: as the network predicts them, and in the frames spoken."""
        written = tokens(request.reading)
        style, speed = self._style()[len(written) - 1], request.rate * self._manner_of(request).rate
        frames = self._network().lengths(token_ids(written), style, speed)
        predicted, spoken = (phoneme_frames(request.reading, written, each) for each in frames)
        return predicted * FRAME / SAMPLE_RATE, spoken * FRAME / SAMPLE_RATE

    def rehearse(self) -> None:
        """Load the network and the voices."""
        self._network()
        self._style()

    def _network(self) -> Network:
        return network(self._folder)

    def _style(self) -> NDArray[np.float32]:
        if self._styles is None:
            self._styles = blend(self._folder, self._settings.voices)
        return self._styles

    def _blend(self) -> str:
        return " + ".join(f"{weight:g} {name}" for name, weight in self._settings.voices.items())

    def _manner(self, emotion: str) -> KokoroManner:
        try:
            return self._settings.emotions[emotion]
        except KeyError as error:
            known = ", ".join(self._settings.emotions)
            raise TeacherError(f"no emotion {emotion!r} in [teacher.emotions]; there are {known}") from error

    def _manner_of(self, request: LineRequest) -> KokoroManner:
        """Give the manner of a line, of which Chinese keeps its tones."""
        manner = self._manner(request.emotion)
        if "zh" not in request.reading.languages:
            return manner
        return manner.model_copy(update={"f0_range": max(TONAL_RANGE, manner.f0_range)})


def _acted(
    reading: Reading, written: Sequence[Token], predicted: Prosody, manner: KokoroManner
) -> tuple[NDArray[np.float64], Prosody]:
    """Give the starts of the phonemes, and the prosody with the accents of the reading, in a manner."""
    times = phoneme_starts(reading, written, predicted.frames)
    f0 = accented(predicted.f0, reading, times, VOICED_HZ)
    return times, edited(replace(predicted, f0=f0), manner)


def edited(prosody: Prosody, manner: KokoroManner) -> Prosody:
    """Speak in a manner: F0 is moved and spread about its mean over the voiced steps, in log Hz."""
    f0 = prosody.f0.copy()
    voiced = f0 > VOICED_HZ
    if voiced.any():
        log_f0 = np.log(f0[voiced])
        mean = log_f0.mean()
        f0[voiced] = np.exp(mean + manner.f0_range * (log_f0 - mean)) * manner.f0_mean
    return replace(prosody, f0=f0, energy=(prosody.energy + np.float32(manner.energy)))


def phoneme_starts(
    reading: Reading, written: Sequence[Token], frames: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Say when each phoneme begins.

    A phoneme without a token takes ``SILENT_SHARE`` of the next one, or of the one before at the end of its
    word; a pitch mark takes nothing. What comes before the first phoneme is silence.

    Args:
        reading: of the line, P phonemes.
        written: its tokens.
        frames: (n_tokens + 2,) of 25 ms.

    Returns:
        (P + 1,) seconds; the last one is the end of the last phoneme, or where the closing full stop begins.
    """
    lengths = phoneme_frames(reading, written, frames)
    starts = frames[0] + np.concatenate(([0.0], np.cumsum(lengths)))
    return np.maximum(0.0, starts * FRAME / SAMPLE_RATE - LAG_S)


def phoneme_frames(
    reading: Reading, written: Sequence[Token], frames: NDArray[np.int64] | NDArray[np.float32]
) -> NDArray[np.float64]:
    """Give (P,) frames of 25 ms of each phoneme, from those of its tokens (n_tokens + 2,)."""
    lengths = np.zeros(len(reading.phonemes))
    for (_, owner), length in zip(written, frames[1:-1], strict=True):
        if owner >= 0:
            lengths[owner] += length
    _share(reading, lengths)
    return lengths


def _share(reading: Reading, lengths: NDArray[np.float64]) -> None:
    """Give phonemes that have nothing of their own a part of a neighbour's frames."""
    sounding = [i for i, symbol in enumerate(reading.phonemes) if symbol not in ZERO_LENGTH_SYMBOLS]
    for place in reversed(range(len(sounding))):
        index = sounding[place]
        if lengths[index]:
            continue
        after = sounding[place + 1] if place + 1 < len(sounding) else None
        before = sounding[place - 1] if place else None
        giver = after if after is not None and reading.phonemes[after].isalnum() else before
        giver = after if giver is None else giver
        if giver is not None:
            lengths[index] = SILENT_SHARE * lengths[giver]
            lengths[giver] -= lengths[index]
