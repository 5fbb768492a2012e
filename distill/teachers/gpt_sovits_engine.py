"""The networks of a GPT-SoVITS voice at work: a clip becomes a voice, phonemes become sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge.text import FrontEnd
from models.gpt_sovits.bert_features import BertEncoder
from models.gpt_sovits.checkpoint import load_speaker_verification, load_synthesizer, load_text2semantic
from models.gpt_sovits.content_features import ContentEncoder
from models.gpt_sovits.fbank import fbank
from models.gpt_sovits.generation import Generation, GenerationItem
from models.gpt_sovits.sampling import MAX_STEPS, SamplingOptions
from models.gpt_sovits.spectrogram import reference_spectrogram
from models.gpt_sovits.synthesizer import PRO_VERSIONS, FixedVoice

from .base import LineRejectedError, TeacherError
from .gpt_sovits_cut import Piece
from .gpt_sovits_text import TeacherText, prompt_text, target_text
from .reference import Reference
from .settings import GptSovitsSettings

CONTENT_RATE = 16_000  # Hz, of HuBERT and of the speaker network
# Tokens are 25 a second. Slow speech has some 4 for each phoneme; a line that wants twice as many goes round
# in circles, and stops here instead of after a minute.
STEPS_PER_PHONEME, SPARE_STEPS = 8, 50
_SEEDS = 2**63


@dataclass(frozen=True)
class ClonedVoice:
    """What a reference clip comes to."""

    network: FixedVoice
    """Synthesizer with the timbre folded in."""
    prompt: Tensor | None
    """(1, T25), semantic tokens of the clip; None when its transcript is empty."""
    phoneme_ids: Tensor
    """(1, P), of the transcript; no column without one."""
    bert: Tensor
    """(1, C, P), features of the transcript."""


class Engine:
    """All networks of one voice on one device.

    Args:
        settings: files and options.

    Raises:
        CheckpointError, PretrainedFolderError: a file is not what it should be.
        TeacherError: the version of the voice needs a file that is not given.
    """

    def __init__(self, settings: GptSovitsSettings) -> None:
        self.settings = settings
        self.device = _device(settings.device)
        if self.device.type == "cpu":
            torch.set_num_threads(1)  # the corpus renders in as many processes as there are cores
        self._text2semantic = load_text2semantic(settings.gpt_weights).to(self.device)
        self._synthesizer = load_synthesizer(settings.sovits_weights).to(self.device)
        self.version, self.sample_rate = self._synthesizer.version, self._synthesizer.sample_rate
        self._speaker = None
        if self.version in PRO_VERSIONS:
            if settings.speaker_verification is None:
                raise TeacherError(
                    f"{settings.sovits_weights.name} is {self.version}, which needs speaker_verification: "
                    "the file pretrained_eres2netv2w24s4ep4.ckpt"
                )
            self._speaker = load_speaker_verification(settings.speaker_verification).to(self.device)
        self._voices: dict[str, ClonedVoice] = {}

    @cached_property
    def _content(self) -> ContentEncoder:
        return ContentEncoder.load(self.settings.hubert, self.device)

    @cached_property
    def _roberta(self) -> BertEncoder | None:
        """None when Chinese is to be spoken without."""
        folder = self.settings.roberta
        if folder is None:
            if self.settings.without_roberta:
                return None
            raise TeacherError(
                "Chinese needs roberta, the folder of chinese-roberta-wwm-ext-large; give it, or set "
                "without_roberta = true for a flatter reading"
            )
        return BertEncoder.load(folder, self.device)

    @torch.inference_mode()
    def clone(self, name: str, clip: Reference) -> ClonedVoice:
        """Give the voice of a clip, made at its first use.

        Raises:
            TeacherError: the clip cannot be used.
        """
        if name not in self._voices:
            paths = (clip.audio, *clip.more)
            spectrograms, embeddings = zip(*(self._timbre_of(_read(path)) for path in paths), strict=True)
            ge = self._synthesizer.timbre(spectrograms, embeddings if self._speaker is not None else None)
            self._voices[name] = ClonedVoice(self._synthesizer.fold_voice(ge), *self._prompt(clip))
        return self._voices[name]

    def _timbre_of(self, sound: tuple[NDArray[np.float32], int]) -> tuple[Tensor, Tensor | None]:
        """Give spectrogram and speaker embedding of a clip."""
        waveform = self._resampled(*sound, self.sample_rate)
        embedding = None
        if self._speaker is not None:
            embedding = self._speaker(fbank(self._resampled(*sound, CONTENT_RATE)))
        return reference_spectrogram(waveform), embedding

    def _prompt(self, clip: Reference) -> tuple[Tensor | None, Tensor, Tensor]:
        """Give semantic tokens, phonemes and text features of a clip."""
        transcript = clip.transcript()
        if not transcript:
            ids = torch.zeros(1, 0, dtype=torch.long, device=self.device)
            return None, ids, torch.zeros(1, self._text2semantic.sizes.bert_dim, 0, device=self.device)
        reading = _front_end().read(transcript, clip.spoken_language())
        waveform = self._resampled(*_read(clip.audio), CONTENT_RATE)
        try:
            content = self._content.reference(waveform)
        except ValueError as error:
            raise TeacherError(f"{clip.audio}: {error}") from error
        tokens = self._synthesizer.extract_semantic_tokens(content)[:, 0]  # (1, T25)
        return tokens, *self._features(prompt_text(reading, self.version))

    def _resampled(self, audio: NDArray[np.float32], rate: int, wanted: int) -> Tensor:
        if rate != wanted:
            audio = soxr.resample(audio, rate, wanted, quality="VHQ")
        return torch.from_numpy(np.asarray(audio, np.float32)).unsqueeze(0).to(self.device)

    def _features(self, text: TeacherText) -> tuple[Tensor, Tensor]:
        """Give phoneme ids (1, P) and text features (1, C, P)."""
        ids = torch.tensor([text.phoneme_ids], device=self.device)
        roberta = self._roberta if text.runs else None
        if roberta is None:
            dim = self._text2semantic.sizes.bert_dim
            return ids, torch.zeros(1, dim, len(text.phonemes), device=self.device)
        return ids, roberta.phonemes(len(text.phonemes), text.runs)

    @torch.inference_mode()
    def speak(
        self, voice: ClonedVoice, pieces: Sequence[Piece], seed: int, speed: float
    ) -> NDArray[np.float32]:
        """Say the pieces of a line, one after the other with a pause behind each.

        Returns:
            (n_samples,) at ``sample_rate``; the same for the same seed.

        Raises:
            LineRejectedError: a piece would not end.
        """
        texts = [target_text(piece.text, piece.reading, self.version) for piece in pieces]
        features = [self._features(text) for text in texts]
        generators = [
            torch.Generator().manual_seed((seed * 1009 + index) % _SEEDS) for index in range(len(texts))
        ]
        drawn = self._draw(voice, features, generators)
        sound: list[NDArray[np.float32]] = []
        pause = np.zeros(round(self.settings.fragment_interval * self.sample_rate), np.float32)
        for (ids, _), generation, generator in zip(features, drawn, generators, strict=True):
            tokens = generation.tokens.reshape(1, 1, -1)
            scale = self.settings.noise_scale
            waveform = voice.network.decode(tokens, ids, scale, speed, generator=generator)
            waveform = waveform.flatten() / waveform.abs().max().clamp_min(1.0)
            sound += [waveform.float().cpu().numpy(), pause]
        return np.concatenate(sound)

    def _draw(
        self,
        voice: ClonedVoice,
        features: Sequence[tuple[Tensor, Tensor]],
        generators: Sequence[torch.Generator],
    ) -> list[Generation]:
        """Draw semantic tokens for all pieces, some of them side by side."""
        longest = max(ids.shape[-1] for ids, _ in features)
        steps = min(MAX_STEPS, SPARE_STEPS + STEPS_PER_PHONEME * longest)
        options = SamplingOptions(**self.settings.sampling.model_dump(), max_steps=steps)
        items = [
            GenerationItem(
                torch.cat([voice.phoneme_ids, ids], dim=1),
                torch.cat([voice.bert, bert], dim=2),
                voice.prompt,
                generator,
            )
            for (ids, bert), generator in zip(features, generators, strict=True)
        ]
        size = self.settings.batch
        batches = [items[start : start + size] for start in range(0, len(items), size)]
        drawn = [one for batch in batches for one in self._text2semantic.generate_batch(batch, options)]
        if any(one.stopped == "limit" for one in drawn):
            raise LineRejectedError("limit", f"the line did not end within {steps / 25:.1f} s")
        return drawn

    @torch.inference_mode()
    def timbre(self, audio: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
        """Give the vector by which the model itself knows whose voice it is."""
        spectrogram, embedding = self._timbre_of((audio, rate))
        vector = self._synthesizer.timbre([spectrogram]) if embedding is None else embedding
        return vector.flatten().float().cpu().numpy()


@cache
def _front_end() -> FrontEnd:
    """Read transcripts; one for the whole process, for its dictionaries take a while to load."""
    return FrontEnd()


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise TeacherError(f'device is {name!r}, but torch finds no GPU; set device = "auto" or "cpu"')
    return device


def _read(path: Path) -> tuple[NDArray[np.float32], int]:
    try:
        audio, rate = sf.read(path, dtype="float32", always_2d=True)
    except (OSError, sf.LibsndfileError) as error:
        raise TeacherError(f"cannot read the reference clip {path}: {error}") from error
    return np.ascontiguousarray(audio.mean(axis=1)), rate
