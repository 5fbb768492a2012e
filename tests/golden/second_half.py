"""Every stage of the synthesizer against `s2_io.npz`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, partial

import torch
from torch import Tensor

from models.gpt_sovits.synthesizer import Synthesizer, draw
from models.gpt_sovits.text_encoder import Prior

from .comparison import Arrays, Compute, Line, compare, number

INPUTS = {"ssl", "refer_spec", "refer_spec2", "text_ids", "codes", "noise"}
SPEAKER_INPUTS = ("sv_emb", "sv", "sv_emb1"), ("sv_emb2", "sv2")


def check(model: Synthesizer, arrays: Arrays) -> Iterator[Line]:
    """Compare all arrays of a file."""
    stages = Stages(model, arrays)
    return compare(arrays, stages.is_input, stages.find)


class Stages:
    """The stages of the model, each computed from the inputs."""

    def __init__(self, model: Synthesizer, arrays: Arrays) -> None:
        self.model, self.arrays = model, arrays

    def is_input(self, name: str) -> bool:
        """Tell inputs; a speaker embedding is one by its length, as its projection may have the same name."""
        is_speaker = any(name in names for names in SPEAKER_INPUTS)
        return name in INPUTS or (is_speaker and self.arrays[name].shape[-1] == self.model.sizes.speaker)

    def find(self, name: str) -> Compute | None:
        """Return what computes an array."""
        if match := re.fullmatch(r"(m_p|wav)_speed(\d+(?:p\d+)?)", name):
            return partial(self.at_speed, match[1], number(match[2]))
        if match := re.fullmatch(r"(z|wav)_noise(\d+(?:p\d+)?)", name):
            return partial(self.with_noise, match[1], number(match[2]))
        method = ALIASES.get(name, name)
        return getattr(self, method, None) if method in STAGES else None

    def speaker(self, which: int) -> Tensor:
        """Return the speaker embedding of the first or second reference."""
        return self.arrays.first_of(*SPEAKER_INPUTS[which])

    def timbre_of(self, *which: int) -> Tensor:
        """Return the timbre of one or both references."""
        spectrograms = [self.arrays[("refer_spec", "refer_spec2")[i]] for i in which]
        speakers = [self.speaker(i) for i in which] if self.model.sizes.is_pro else None
        return self.model.timbre(spectrograms, speakers)

    def ssl_proj(self) -> Tensor:
        return self.model.ssl_proj(self.arrays["ssl"])

    def codes_from_ssl(self) -> Tensor:
        return self.model.extract_semantic_tokens(self.arrays["ssl"])

    def ge(self) -> Tensor:
        return self.timbre_of(0)

    def ge2(self) -> Tensor:
        return self.timbre_of(1)

    def ref_enc(self) -> Tensor:
        return self.model.ref_enc(self.arrays["refer_spec"])

    def sv_proj(self) -> Tensor:
        return self.model.sv_emb(self.speaker(0))

    def ge_text(self) -> Tensor:
        return self.model.text_timbre(self.ge())

    def quantized(self) -> Tensor:
        return self.model.quantizer.decode(self.arrays["codes"][:, 0])

    def encp_ssl_proj(self) -> Tensor:
        return self.model.enc_p.ssl_proj(self.quantized().repeat_interleave(2, dim=-1))

    def encp_encoder_ssl(self) -> Tensor:
        return self.model.enc_p.encoder_ssl(self.encp_ssl_proj())

    def encp_encoder_text(self) -> Tensor:
        return self.model.enc_p.encode_text(self.arrays["text_ids"])

    def encp_mrte(self) -> Tensor:
        return self.model.enc_p.mrte(self.encp_encoder_ssl(), self.encp_encoder_text(), self.ge_text())[0]

    def encp_encoder2(self) -> Tensor:
        return self.model.enc_p.encoder2(self.encp_mrte())

    @cached_property
    def prior(self) -> Prior:
        """The prior at speed 1."""
        return self.model.prior(self.arrays["codes"], self.arrays["text_ids"], self.ge())

    def m_p(self) -> Tensor:
        return self.prior.mean

    def logs_p(self) -> Tensor:
        return self.prior.log_scale

    def y_mask(self) -> Tensor:
        """Return ones: nothing is padded, so the model has no mask."""
        return torch.ones_like(self.prior.mean[:, :1])

    def flow_forward_of_z(self) -> Tensor:
        return self.model.flow(self.with_noise("z", 0.0), self.ge())

    def dec_conv_pre_cond(self) -> Tensor:
        return self.model.dec.start(self.with_noise("z", 0.0), self.ge())

    def wav_two_refs(self) -> Tensor:
        a = self.arrays
        return self.model.decode(a["codes"], a["text_ids"], self.timbre_of(0, 1), noise_scale=0.0)

    def with_noise(self, kind: str, scale: float) -> Tensor:
        """Return latents ("z") or waveform at a scale of the noise."""
        noise = self.arrays["noise"] if scale else None
        ge = self.ge()
        if kind == "z":
            return self.model.flow.reverse(draw(self.prior, scale, noise=noise), ge)
        return self.model.decode(self.arrays["codes"], self.arrays["text_ids"], ge, scale, noise=noise)

    def at_speed(self, kind: str, speed: float) -> Tensor:
        """Return the mean of the prior ("m_p") or the waveform at a speed, without noise."""
        codes, text = self.arrays["codes"], self.arrays["text_ids"]
        if kind == "m_p":
            return self.model.prior(codes, text, self.ge(), speed).mean
        return self.model.decode(codes, text, self.ge(), noise_scale=0.0, speed=speed)


STAGES = {
    name
    for name in vars(Stages)
    if name not in {"is_input", "find", "speaker", "timbre_of", "prior", "with_noise", "at_speed"}
    and not name.startswith("_")
}
# Other names for the stages that only Pro has.
ALIASES = {
    "sv_emb": "sv_proj",
    "sv_emb_out": "sv_proj",
    "ge_ref": "ref_enc",
    "ge_ref_enc": "ref_enc",
    "ge_to512": "ge_text",
    "ge_512": "ge_text",
    "ge512": "ge_text",
}
