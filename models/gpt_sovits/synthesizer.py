"""The second half of GPT-SoVITS: semantic tokens, phonemes and a timbre to a waveform ("SoVITS", s2)."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .archive import CheckpointError
from .comparison import compare_tensors, incomplete
from .flow import Flow
from .generator import Generator
from .quantizer import Quantizer
from .reference_encoder import ReferenceEncoder
from .s2_weights import S2Sizes, file_name, network_weights, sizes_of
from .spectrogram import SAMPLE_RATE
from .text_encoder import Prior, TextEncoder

PRO_VERSIONS = ("v2Pro", "v2ProPlus")


class LatentDecoder(nn.Module):
    """The networks that run for every line: codebook, text encoder, flow, generator."""

    sample_rate = SAMPLE_RATE

    def __init__(self, quantizer: Quantizer, enc_p: TextEncoder, flow: Flow, dec: Generator) -> None:
        super().__init__()
        self.quantizer, self.enc_p, self.flow, self.dec = quantizer, enc_p, flow, dec

    def _prior(
        self, semantic_tokens: Tensor, phoneme_ids: Tensor, timbre: Tensor | None, speed: float
    ) -> Prior:
        content = self.quantizer.decode(semantic_tokens[:, 0])  # (B, content, T25)
        return self.enc_p(content.repeat_interleave(2, dim=-1), phoneme_ids, timbre, speed)

    def _waveform(self, latents: Tensor, ge: Tensor | None) -> Tensor:
        return self.dec(self.flow.reverse(latents, ge), ge)


class Synthesizer(LatentDecoder):
    """SoVITS of GPT-SoVITS v1, v2, v2Pro or v2ProPlus.

    No masks: lines of a batch must have the same lengths.

    Attributes:
        version: "v1", "v2", "v2Pro" or "v2ProPlus".
        sample_rate: Hz of the waveform.
    """

    def __init__(self, sizes: S2Sizes, version: str) -> None:
        s = sizes
        super().__init__(
            Quantizer(s.n_codes, s.content),
            TextEncoder(s),
            Flow(s.hidden, s.n_couplings, s.n_wavenet_layers, s.wavenet_kernel, s.timbre),
            Generator(s),
        )
        self.version, self.sizes = version, sizes
        self.ssl_proj = nn.Conv1d(s.content, s.content, 2, stride=2)
        self.ref_enc = ReferenceEncoder(s.n_reference_bins, s.reference, s.timbre, s.reference_kernel)
        if s.is_pro:
            self.sv_emb = nn.Linear(s.speaker, s.timbre)
            self.ge_to512 = nn.Linear(s.timbre, s.mrte)
            self.prelu = nn.PReLU(s.timbre)

    @classmethod
    def from_weights(
        cls, weights: Mapping[str, Tensor], config: Mapping[str, Any], version: str
    ) -> Synthesizer:
        """Build the networks from the tensors of an s2 file, named as there, weight norm not folded.

        Raises:
            CheckpointError: tensors are missing, unexpected or do not fit together.
        """
        tensors = network_weights(weights)
        model = cls.outline(tensors, config, version)
        model.load_state_dict(tensors, assign=True)
        return model.requires_grad_(False).eval()

    @classmethod
    def outline(cls, tensors: Mapping[str, Tensor], config: Mapping[str, Any], version: str) -> Synthesizer:
        """Build the networks without values, and hold names and shapes against ``network_weights``."""
        try:
            sizes = sizes_of(tensors, config)
            with torch.device("meta"):
                model = cls(sizes, version)
        except KeyError as error:
            raise incomplete(f"missing: {error.args[0]}") from error
        except (IndexError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(
                f"its tensors and its configuration do not fit together: {error}"
            ) from error
        compare_tensors(model.state_dict(), tensors, file_name)
        return model

    def extract_semantic_tokens(self, content_features: Tensor) -> Tensor:
        """Turn content features (B, C, T50) of a clip into semantic tokens (B, 1, T25)."""
        return self.quantizer.encode(self.ssl_proj(content_features)).unsqueeze(1)

    def timbre(
        self, spectrograms: Sequence[Tensor], speaker_embeddings: Sequence[Tensor] | None = None
    ) -> Tensor:
        """Return the timbre (1, G, 1) of one or more reference clips: the mean of theirs.

        Args:
            spectrograms: each (1, 1025, R), of ``reference_spectrogram``.
            speaker_embeddings: each (1, 20480), of the same clips; for the Pro versions, and only for them.
        """
        if not spectrograms:
            raise ValueError("no reference clip; a timbre needs at least one")
        if not self.sizes.is_pro:
            if speaker_embeddings:
                raise ValueError(
                    f"{self.version} takes no speaker embeddings; only {', '.join(PRO_VERSIONS)} do"
                )
            return torch.stack([self.ref_enc(spectrogram) for spectrogram in spectrograms]).mean(dim=0)
        if speaker_embeddings is None or len(speaker_embeddings) != len(spectrograms):
            raise ValueError(
                f"{len(spectrograms)} spectrograms and {len(speaker_embeddings or ())} speaker embeddings;"
                f" {self.version} needs one of each per clip"
            )
        pairs = zip(spectrograms, speaker_embeddings, strict=True)
        return torch.stack([self._pro_timbre(*pair) for pair in pairs]).mean(dim=0)

    def _pro_timbre(self, spectrogram: Tensor, speaker_embedding: Tensor) -> Tensor:
        return self.prelu(self.ref_enc(spectrogram) + self.sv_emb(speaker_embedding).unsqueeze(-1))

    def text_timbre(self, ge: Tensor) -> Tensor:
        """Return the timbre as the text encoder takes it, (B, mrte, 1)."""
        return self.ge_to512(ge.transpose(1, 2)).transpose(1, 2) if self.sizes.is_pro else ge

    def prior(self, semantic_tokens: Tensor, phoneme_ids: Tensor, ge: Tensor, speed: float = 1.0) -> Prior:
        """Return the prior of the latents and where each frame looked; arguments as in ``decode``."""
        return self._prior(semantic_tokens, phoneme_ids, self.text_timbre(ge), speed)

    def decode(
        self,
        semantic_tokens: Tensor,
        phoneme_ids: Tensor,
        ge: Tensor,
        noise_scale: float = 0.5,
        speed: float = 1.0,
        *,
        generator: torch.Generator | None = None,
        noise: Tensor | None = None,
    ) -> Tensor:
        """Turn semantic tokens into a waveform.

        Args:
            semantic_tokens: (B, 1, T25), 25 per second, values below the size of the codebook.
            phoneme_ids: (B, P) of the line itself, not of the prompt.
            ge: (1, G, 1) of ``timbre``.
            noise_scale: standard deviation of the draw, relative to the prior's.
            speed: above 1 is faster.
            generator: source of the noise, for the same sound every time.
            noise: (B, C, T50) standard normal noise in place of a draw.

        Returns:
            (B, 1, N) at 32 kHz in [-1, 1]; N = 1280 * T25 at speed 1.

        Source: VITS, arXiv:2106.06103, section 2, the inference path.
        """
        prior = self.prior(semantic_tokens, phoneme_ids, ge, speed)
        return self._waveform(draw(prior, noise_scale, generator, noise), ge)

    def fold_voice(self, ge: Tensor) -> FixedVoice:
        """Return the networks for one timbre (1, G, 1) only, with all that it adds folded into biases."""
        return FixedVoice(self, ge)


class FixedVoice(LatentDecoder):
    """A synthesizer for one timbre: no reference encoder, no speaker embedding, no conditioning layers."""

    def __init__(self, synthesizer: Synthesizer, ge: Tensor) -> None:
        s = synthesizer
        super().__init__(s.quantizer, copy.deepcopy(s.enc_p), copy.deepcopy(s.flow), copy.deepcopy(s.dec))
        with torch.no_grad():
            self.enc_p.mrte.fold(s.text_timbre(ge))
            self.flow.fold(ge)
            self.dec.fold(ge)

    def prior(self, semantic_tokens: Tensor, phoneme_ids: Tensor, speed: float = 1.0) -> Prior:
        """Return the prior of the latents, as ``Synthesizer.prior`` with the timbre given."""
        return self._prior(semantic_tokens, phoneme_ids, None, speed)

    def decode(
        self,
        semantic_tokens: Tensor,
        phoneme_ids: Tensor,
        noise_scale: float = 0.5,
        speed: float = 1.0,
        *,
        generator: torch.Generator | None = None,
        noise: Tensor | None = None,
    ) -> Tensor:
        """Turn semantic tokens into a waveform, as ``Synthesizer.decode`` with the timbre given."""
        prior = self.prior(semantic_tokens, phoneme_ids, speed)
        return self._waveform(draw(prior, noise_scale, generator, noise), None)


def draw(
    prior: Prior, noise_scale: float, generator: torch.Generator | None = None, noise: Tensor | None = None
) -> Tensor:
    """Draw latents (B, C, T50) from a prior; the noise is drawn where the generator lives."""
    if noise_scale == 0.0:
        return prior.mean
    if noise is None:
        where = prior.mean.device if generator is None else generator.device
        noise = torch.randn(prior.mean.shape, generator=generator, device=where).to(prior.mean)
    elif noise.shape != prior.mean.shape:
        raise ValueError(f"noise of shape {list(noise.shape)}; the latents are {list(prior.mean.shape)}")
    return prior.mean + noise * torch.exp(prior.log_scale) * noise_scale
