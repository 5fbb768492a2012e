"""The synthesizer: sizes of the official models, all versions run, a fixed voice, and its errors."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch

from models.gpt_sovits.checkpoint import load_synthesizer
from models.gpt_sovits.s2_weights import network_weights
from models.gpt_sovits.synthesizer import Synthesizer
from tests.data.make_gpt_sovits import S2_VERSIONS, SMALL, full_size, s2_config, s2_shapes, write_s2

# SHA-256 of the JSON of all (name, shape) of the official models, enc_q included, in order of names.
OFFICIAL = {
    "v1": "bf6b1945c3eb17abd1780fa179973740fc08b0046419ec82adbed8906705abc3",
    "v2": "b2018e1e988b5ca66ce289481529c235698ecf05831a0f862b6a8ac350b6256c",
    "v2Pro": "ab1a488a6f6859bb5b9ffc704cdbb0578296c605e7b02644776d85695fc12ae4",
    "v2ProPlus": "1cd9af883aca4fe8bfacab26d53f3ba3be831a5e18893e9524d7bb010912f4da",
}
# Millions in the official models without enc_q, weight norm not folded, all codebook tensors counted.
PARAMETERS = {"v1": 42.35, "v2": 42.39, "v2Pro": 67.36, "v2ProPlus": 86.27}


@pytest.fixture(scope="module", params=S2_VERSIONS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Synthesizer:
    path = tmp_path_factory.mktemp("s2") / "voice.pth"
    return load_synthesizer(write_s2(path, request.param))


def references(model: Synthesizer, n: int = 1) -> tuple[list[torch.Tensor], list[torch.Tensor] | None]:
    generator = torch.Generator().manual_seed(7)
    spectrograms = [torch.rand(1, 1025, 20 + 7 * i, generator=generator) for i in range(n)]
    speakers = [torch.randn(1, 20480, generator=generator) for _ in range(n)]
    return spectrograms, speakers if model.sizes.is_pro else None


LINE = torch.tensor([[[3, 1020, 17, 17, 256]]]), torch.tensor([[1, 300, 7, 21]])


@pytest.mark.parametrize("version", S2_VERSIONS)
def test_takes_the_tensors_of_the_official_models(version: str) -> None:
    shapes = s2_shapes(version, full_size(version), enc_q=True)
    listing = json.dumps(sorted((name, list(shape)) for name, shape in shapes.items()))
    assert hashlib.sha256(listing.encode()).hexdigest() == OFFICIAL[version]
    kept = [shape for name, shape in shapes.items() if not name.startswith("enc_q.")]
    assert sum(torch.Size(shape).numel() for shape in kept) / 1e6 == pytest.approx(
        PARAMETERS[version], abs=0.005
    )
    # On the meta device nothing is computed; folding weight norm there is left to the next test.
    pairs = {
        name.replace("weight_v", "weight"): shape for name, shape in shapes.items() if "weight_g" not in name
    }
    tensors = network_weights({name: torch.empty(shape, device="meta") for name, shape in pairs.items()})
    full = Synthesizer.outline(tensors, s2_config(version, full_size(version)), version)
    assert full.sizes.is_pro == ("Pro" in version)


def test_says_a_line(model: Synthesizer) -> None:
    ge = model.timbre(*references(model))
    assert ge.shape == (1, 20 if model.sizes.is_pro else 32, 1) and model.text_timbre(ge).shape == (1, 32, 1)
    sound = model.decode(*LINE, ge, generator=torch.Generator().manual_seed(1))
    assert sound.shape == (1, 1, 5 * 1280) and model.sample_rate == 32000
    assert 0.01 < float(sound.abs().max()) <= 1.0
    again = model.decode(*LINE, ge, generator=torch.Generator().manual_seed(1))
    other = model.decode(*LINE, ge, generator=torch.Generator().manual_seed(2))
    assert torch.equal(sound, again) and not torch.equal(sound, other)


@pytest.mark.parametrize("speed", [1.0, 1.25, 0.8])
def test_a_fixed_voice_says_the_same(model: Synthesizer, speed: float) -> None:
    ge = model.timbre(*references(model, 2))
    voice = model.fold_voice(ge)
    expected = model.prior(*LINE, ge, speed)
    noise = torch.randn(expected.mean.shape, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(voice.prior(*LINE, speed), expected)
    sound = model.decode(*LINE, ge, 0.7, speed, noise=noise)
    torch.testing.assert_close(voice.decode(*LINE, 0.7, speed, noise=noise), sound, atol=2e-5, rtol=0.0)
    kept = {name.split(".")[0] for name in voice.state_dict()}
    assert kept == {"quantizer", "enc_p", "flow", "dec"}
    assert not any("cond" in name for name in voice.state_dict())


def test_folding_leaves_the_model_as_it_was(model: Synthesizer) -> None:
    ge = model.timbre(*references(model))
    before = model.decode(*LINE, ge, 0.0)
    model.fold_voice(ge)
    assert torch.equal(model.decode(*LINE, ge, 0.0), before)


def test_speed_stretches_the_latents(model: Synthesizer) -> None:
    ge = model.timbre(*references(model))
    for speed, n_frames in ((1.0, 10), (1.25, 9), (2.0, 6), (0.5, 21)):
        assert model.prior(*LINE, ge, speed).mean.shape[-1] == n_frames
        assert model.decode(*LINE, ge, 0.0, speed).shape[-1] == 640 * n_frames


def test_every_frame_looks_somewhere_in_the_text(model: Synthesizer) -> None:
    alignment = model.prior(*LINE, model.timbre(*references(model))).alignment
    assert alignment.shape == (1, 4, 10, 4)
    torch.testing.assert_close(alignment.sum(dim=-1), torch.ones(1, 4, 10))


def test_timbres_are_averaged_after_the_prelu(model: Synthesizer) -> None:
    spectrograms, speakers = references(model, 3)
    single = [model.timbre([s], speakers and [speakers[i]]) for i, s in enumerate(spectrograms)]
    torch.testing.assert_close(model.timbre(spectrograms, speakers), sum(single) / 3)
    if speakers:
        raw = (
            model.ref_enc(spectrograms[0])[0, :, 0] + model.sv_emb.weight @ speakers[0][0] + model.sv_emb.bias
        )
        expected = torch.where(raw > 0, raw, raw * model.prelu.weight)
        torch.testing.assert_close(single[0][0, :, 0], expected)


def test_reads_only_the_bins_of_its_version(model: Synthesizer) -> None:
    (spectrogram,), speakers = references(model)
    altered = spectrogram.clone()
    altered[:, 704:] += 1.0
    same = torch.equal(model.timbre([spectrogram], speakers), model.timbre([altered], speakers))
    assert same == (model.version != "v1")


def test_semantic_tokens_of_a_clip(model: Synthesizer) -> None:
    tokens = model.extract_semantic_tokens(torch.randn(1, SMALL.content, 21))
    assert tokens.shape == (1, 1, 10) and tokens.dtype == torch.int64
    assert int(tokens.min()) >= 0 and int(tokens.max()) < 1024


def test_lines_of_a_batch_do_not_touch_each_other(model: Synthesizer) -> None:
    ge = model.timbre(*references(model))
    tokens, phonemes = torch.tensor([[[5, 6, 7]], [[900, 2, 1]]]), torch.tensor([[4, 5], [9, 3]])
    both = model.decode(tokens, phonemes, ge, 0.0)
    for i in range(2):
        alone = model.decode(tokens[i : i + 1], phonemes[i : i + 1], ge, 0.0)
        torch.testing.assert_close(both[i : i + 1], alone, atol=2e-5, rtol=0.0)


def test_errors_say_what_is_needed(model: Synthesizer) -> None:
    spectrograms, speakers = references(model)
    with pytest.raises(ValueError, match="no reference clip"):
        model.timbre([], speakers)
    if model.sizes.is_pro:
        with pytest.raises(ValueError, match="1 spectrograms and 0 speaker embeddings"):
            model.timbre(spectrograms)
    else:
        with pytest.raises(ValueError, match=f"{model.version} takes no speaker embeddings"):
            model.timbre(spectrograms, [torch.zeros(1, 20480)])
    ge = model.timbre(spectrograms, speakers)
    with pytest.raises(ValueError, match="cut the end token off"):
        model.decode(torch.tensor([[[1, 1024]]]), LINE[1], ge)
    with pytest.raises(ValueError, match=r"noise of shape \[1, 16, 3\]"):
        model.decode(*LINE, ge, noise=torch.zeros(1, 16, 3))
