"""The student: phonemes to prosody and hidden vectors, frames to spectral envelopes.

Two networks with the expansion from phonemes to frames between them, done by the caller, so that
neither graph has a data-dependent shape. Inputs and outputs of both ``forward`` methods are the
inputs and outputs of the exported graphs.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from .layers import ConvNeXtBlock

LOG_F0_CENTRE = 5.3  # natural log of Hz, about 200 Hz


LEVEL_AND_TILT = 2  # mel-cepstral coefficients that are not the shape of an envelope


@dataclass(frozen=True)
class StudentConfig:
    """Sizes of the student."""

    n_vocab: int = 732
    """Phoneme symbols of the inventory."""
    n_languages: int = 3
    n_characters: int = 4
    n_emotions: int = 4
    """``n_characters``, ``n_emotions``: rows of the embedding tables; emotion 0 is neutral."""
    encoder_dim: int = 192
    encoder_dilations: tuple[int, ...] = (1, 1, 2, 2, 4, 4)
    """``encoder_dim``, ``encoder_dilations``: width and one block per entry."""
    predictor_blocks: int = 2
    """Blocks of each of the two prosody branches."""
    decoder_dim: int = 192
    decoder_blocks: int = 8
    """``decoder_dim``, ``decoder_blocks``: width and depth at frame rate."""
    kernel_size: int = 7
    expansion: int = 3
    """``kernel_size``, ``expansion``: of every block."""
    f0_points: int = 4
    n_frame_features: int = 6
    n_fft: int = 1024
    subframes: int = 4
    n_harmonic_cepstra: int = 96
    n_noise_cepstra: int = 64
    """``n_harmonic_cepstra``, ``n_noise_cepstra``: mel-cepstral coefficients of the two envelopes."""
    warp: float = 0.5
    """All-pass constant of the mel-cepstrum; 0.5 follows the mel scale at 32 kHz."""
    zero_length_ids: tuple[int, ...] = ()

    @property
    def n_bins(self) -> int:
        """Frequency bins of one frame."""
        return self.n_fft // 2 + 1

    @property
    def context_frames(self) -> int:
        """Frames on either side that one decoded frame depends on."""
        return self.decoder_blocks * (self.kernel_size - 1) // 2

    def to_dict(self) -> dict[str, object]:
        """Return plain values that ``StudentConfig(**values)`` takes back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, object]) -> StudentConfig:
        """Rebuild from plain values; lists become tuples."""
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})  # type: ignore[arg-type]


class Conditioning(nn.Module):
    """Character and emotion as one vector; strength moves it along the line away from neutral."""

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.n_emotions = config.n_emotions
        self.character = nn.Embedding(config.n_characters, config.encoder_dim)
        self.emotion = nn.Embedding(config.n_emotions, config.encoder_dim)
        self.interaction = nn.Embedding(config.n_characters * config.n_emotions, config.encoder_dim)
        for table, scale in ((self.character, 0.5), (self.emotion, 0.1), (self.interaction, 0.1)):
            nn.init.normal_(table.weight, std=scale)

    def forward(self, character_id: Tensor, emotion_id: Tensor, emotion_strength: Tensor) -> Tensor:
        """Return (B, 1, D); every argument is (B,)."""
        away = self.emotion(emotion_id) + self.interaction(character_id * self.n_emotions + emotion_id)
        scale = emotion_strength * (emotion_id > 0).to(emotion_strength.dtype)
        return (self.character(character_id) + scale.unsqueeze(-1) * away).unsqueeze(1)


class Encoder(nn.Module):
    """Phoneme-rate network: text encoder and prosody predictor."""

    sounded: Tensor

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        dim, blocks = config.encoder_dim, config.predictor_blocks
        self.config = config
        self.phoneme = nn.Embedding(config.n_vocab, dim)
        self.language = nn.Embedding(config.n_languages, dim)
        self.word_start = nn.Embedding(2, dim)
        self.conditioning = Conditioning(config)
        self.text = nn.ModuleList(self._block(config, d) for d in config.encoder_dilations)
        self.duration = nn.ModuleList(self._block(config, 1) for _ in range(blocks))
        self.melody = nn.ModuleList(self._block(config, 1) for _ in range(blocks))
        n_blocks = len(config.encoder_dilations) + 2 * blocks
        self.condition = nn.Linear(dim, n_blocks * dim)
        self.norm = nn.LayerNorm(dim)
        self.to_duration = nn.Linear(dim, 1)
        self.to_melody = nn.Linear(dim, config.f0_points + 1)
        self.to_hidden = nn.Linear(dim, config.decoder_dim)
        self.condition_hidden = nn.Linear(dim, config.decoder_dim)
        sounded = torch.ones(config.n_vocab)
        sounded[list(config.zero_length_ids)] = 0.0
        self.register_buffer("sounded", sounded)
        for table in (self.phoneme, self.language, self.word_start):
            nn.init.normal_(table.weight, std=0.3)

    @staticmethod
    def _block(config: StudentConfig, dilation: int) -> ConvNeXtBlock:
        return ConvNeXtBlock(config.encoder_dim, config.expansion, config.kernel_size, dilation)

    def forward(
        self,
        phoneme_ids: Tensor,
        language_ids: Tensor,
        word_starts: Tensor,
        character_id: Tensor,
        emotion_id: Tensor,
        emotion_strength: Tensor,
        mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Predict prosody and the vectors that the decoder reads.

        Args:
            phoneme_ids: (B, P) indices of the inventory.
            language_ids: (B, P).
            word_starts: (B, P), 1 on the first phoneme of a spoken word.
            character_id: (B,).
            emotion_id: (B,), 0 neutral.
            emotion_strength: (B,), 0 neutral, 1 as trained.
            mask: (B, P, 1), 1 inside the line; absent when nothing is padded.

        Returns:
            durations (B, P) in frames, f0 (B, P, K) as natural log of Hz, energy (B, P), hidden (B, P, D).
        """
        condition = self.conditioning(character_id, emotion_id, emotion_strength)  # (B, 1, D)
        biases = list(self.condition(condition).chunk(len(self.text) + 2 * len(self.duration), dim=-1))
        x = self.phoneme(phoneme_ids) + self.language(language_ids) + self.word_start(word_starts)
        x = self._run(self.text, x + condition, mask, biases)
        log_duration = self.to_duration(self._run(self.duration, x, mask, biases)).squeeze(-1)  # (B, P)
        melody = self.to_melody(self._run(self.melody, x, mask, biases))  # (B, P, K + 1)
        durations = torch.exp(log_duration.clamp(-4.0, 5.0)) * self.sounded[phoneme_ids]
        hidden = self.to_hidden(self.norm(x)) + self.condition_hidden(condition)  # (B, P, D)
        return durations, LOG_F0_CENTRE + 0.3 * melody[..., :-1], melody[..., -1], hidden

    @staticmethod
    def _run(blocks: nn.ModuleList, x: Tensor, mask: Tensor | None, biases: list[Tensor]) -> Tensor:
        for block in blocks:
            x = block(x, mask, biases.pop(0))
        return x


class Decoder(nn.Module):
    """Frame-rate network: hidden vectors and prosody to two spectral envelopes and their gains."""

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.config = config
        self.from_features = nn.Linear(config.n_frame_features, config.decoder_dim)
        self.blocks = nn.ModuleList(
            ConvNeXtBlock(config.decoder_dim, config.expansion, config.kernel_size)
            for _ in range(config.decoder_blocks)
        )
        self.norm = nn.LayerNorm(config.decoder_dim)
        self.n_cepstra = (config.n_harmonic_cepstra, config.n_noise_cepstra)
        self.to_cepstra = nn.Linear(config.decoder_dim, sum(self.n_cepstra) + 2 * config.subframes)
        cosine, sine = mel_cepstral_basis(config.n_harmonic_cepstra, config.n_bins, config.warp)
        self.register_buffer("harmonic_basis", torch.cat([cosine, -sine], dim=1))  # (C, 2 * n_bins)
        noise_cosine, _ = mel_cepstral_basis(config.n_noise_cepstra, config.n_bins, config.warp)
        self.register_buffer("noise_basis", noise_cosine)  # (C, n_bins)
        self._quiet_start()

    def _quiet_start(self) -> None:
        with torch.no_grad():
            self.to_cepstra.weight.mul_(0.3)
            self.to_cepstra.bias.zero_()
            self.to_cepstra.bias[0] = -3.0
            self.to_cepstra.bias[self.n_cepstra[0]] = -5.0

    @torch.no_grad()
    def sharpen(self, harmonic: float, noise: float, noise_db: float = 0.0) -> None:
        """Fold factors on the mel-cepstral coefficients into the last layer; level and tilt stay.

        Above 1, peaks of an envelope rise and valleys deepen, against the flattening of a mean.

        Args:
            harmonic: factor for the envelope of the harmonic part.
            noise: factor for that of the noise.
            noise_db: by which the noise becomes louder.

        Source: postfilter on mel-cepstra: Yoshimura et al., Systems and Computers in Japan 36 (12), 2005.
        """
        n_harmonic, n_noise = self.n_cepstra
        for factor, first, n in ((harmonic, 0, n_harmonic), (noise, n_harmonic, n_noise)):
            rows = slice(first + LEVEL_AND_TILT, first + n)
            self.to_cepstra.weight[rows] *= factor
            self.to_cepstra.bias[rows] *= factor
        self.to_cepstra.bias[n_harmonic] += noise_db * math.log(10.0) / 20.0

    def forward(self, hidden: Tensor, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """Compute the envelopes of each frame.

        Args:
            hidden: (B, T, D), the encoder's vectors repeated for the frames of each phoneme.
            features: (B, T, 6), place in the phoneme, duration, log F0 and energy.
            mask: (B, T, 1), 1 inside the line; absent when nothing is padded.

        Returns:
            (B, T, 3 * n_bins + 2 * subframes): log-magnitude and phase of the harmonic part,
            log-magnitude of the noise, log gains of both within the frame.

        Source: mel-cepstrum as a minimum-phase filter: Tokuda et al., ICSLP 1994.
        """
        x = hidden + self.from_features(features)  # (B, T, D)
        for block in self.blocks:
            x = block(x, mask)
        return self.envelopes(self.to_cepstra(self.norm(x)))

    def envelopes(self, values: Tensor) -> Tensor:
        """Turn cepstra and gains (B, T, C) into what ``forward`` returns."""
        harmonic, noise, gains = values.split([*self.n_cepstra, 2 * self.config.subframes], dim=-1)
        return torch.cat([harmonic @ self.harmonic_basis, noise @ self.noise_basis, gains], dim=-1)


class SovitsTiny(nn.Module):
    """Both networks under one roof, for training and for checkpoints."""

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)


def mel_cepstral_basis(n_cepstra: int, n_bins: int, warp: float) -> tuple[Tensor, Tensor]:
    """Return cosines and sines, each (n_cepstra, n_bins), of the all-pass warped frequency axis.

    With coefficients c, ``c @ cosine`` is the log-magnitude and ``-c @ sine`` the phase of the
    minimum-phase filter whose mel-cepstrum is c.
    """
    omega = torch.linspace(0.0, math.pi, n_bins, dtype=torch.float64)
    warped = omega + 2.0 * torch.atan2(warp * torch.sin(omega), 1.0 - warp * torch.cos(omega))
    angle = torch.arange(n_cepstra, dtype=torch.float64)[:, None] * warped[None, :]
    return torch.cos(angle).float(), torch.sin(angle).float()
