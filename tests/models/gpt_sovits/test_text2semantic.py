"""The first half of the full model: numbers of the original, and the same line alone and in a batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from models.gpt_sovits.checkpoint import load_text2semantic
from models.gpt_sovits.generation import STEPS_WITHOUT_END, GenerationItem
from models.gpt_sovits.key_value_cache import BLOCK
from models.gpt_sovits.sampling import SamplingOptions, penalize, probabilities
from models.gpt_sovits.text2semantic import Text2Semantic, Text2SemanticSizes, prefill_mask
from tests.data.make_gpt_sovits import s1_shapes, write_s1

GOLDEN = Path(__file__).parents[2] / "data" / "gpt_sovits_v2"
TOLERANCE = 1e-4  # of the golden numbers, absolute
END = 1024


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Text2Semantic:
    """Random weights that keep their lines going for a while."""
    return load_text2semantic(write_s1(tmp_path_factory.mktemp("s1") / "s1.ckpt", half=False))


@pytest.fixture(scope="module")
def golden() -> dict[str, Tensor]:
    path = GOLDEN / "s1_io.npz"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    return {name: torch.from_numpy(value) for name, value in np.load(path).items()}


@pytest.fixture(scope="module")
def original() -> Text2Semantic:
    return load_text2semantic(GOLDEN / "s1.ckpt")


def item(n_phonemes: int, n_prompt: int = 0, seed: int = 0, draws: int | None = None) -> GenerationItem:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, 700, (1, n_phonemes), generator=generator)
    bert = torch.randn(1, 1024, n_phonemes, generator=generator)
    prompt = torch.randint(0, 1024, (1, n_prompt), generator=generator) if n_prompt else None
    return GenerationItem(ids, bert, prompt, None if draws is None else torch.Generator().manual_seed(draws))


# --- Numbers of the original --------------------------------------------------------------------------------


def close(found: Tensor, expected: Tensor) -> None:
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, atol=TOLERANCE, rtol=0)


@torch.inference_mode()
def test_embeddings_are_those_of_the_original(golden: dict[str, Tensor], original: Text2Semantic) -> None:
    close(original.embed_text(golden["phones"], golden["bert"]), golden["text_emb"])
    tokens = torch.cat([golden["prompt"], golden["target"]], dim=1)
    close(original.embed_audio(tokens), golden["audio_emb"])


@torch.inference_mode()
def test_a_forced_pass_is_that_of_the_original(golden: dict[str, Tensor], original: Text2Semantic) -> None:
    tokens = torch.cat([golden["prompt"], golden["target"]], dim=1)
    n_text, n = golden["phones"].shape[1], golden["blocked_mask"].shape[0]
    hidden, context = original.prefill([GenerationItem(golden["phones"], golden["bert"], tokens)])
    allowed = prefill_mask(torch.tensor([0]), torch.tensor([n_text]), n)[0, 0]
    assert torch.equal(~allowed, golden["blocked_mask"])
    close(hidden, golden["hidden_tf"])
    keys, values = context.cache.layer(0)
    close(keys.transpose(1, 2).flatten(2), golden["k_cache_layer0"])
    close(values.transpose(1, 2).flatten(2), golden["v_cache_layer0"])
    close(original.logits(hidden[:, n_text - 1 :]), golden["logits_tf"])


@torch.inference_mode()
def test_steps_through_the_cache_are_those_of_the_original(
    golden: dict[str, Tensor], original: Text2Semantic
) -> None:
    prompt = golden["prompt"]
    hidden, context = original.prefill([GenerationItem(golden["phones"], golden["bert"], prompt)])
    logits = [original.logits(hidden[:, -1])]
    for token in golden["greedy_rp135_tokens"][prompt.shape[1] :][:15]:
        logits.append(original.step(token[None], context))
    close(torch.cat(logits), golden["step_logits"])


@pytest.mark.parametrize(
    ("run", "inputs", "with_prompt", "options"),
    [
        ("greedy_eos", "eos_", True, {"early_stop": 80}),
        ("greedy_rp135", "", True, {"early_stop": 40}),
        ("greedy_rp1", "", True, {"early_stop": 40, "repetition_penalty": 1.0}),
        ("greedy_noprompt", "", False, {"early_stop": 40}),
    ],
)
def test_greedy_runs_are_those_of_the_original(
    golden: dict[str, Tensor],
    original: Text2Semantic,
    run: str,
    inputs: str,
    with_prompt: bool,
    options: dict[str, float],
) -> None:
    prompt = golden[f"{inputs}prompt"] if with_prompt else None
    said = original.generate(
        golden[f"{inputs}phones"],
        golden[f"{inputs}bert"],
        prompt,
        SamplingOptions(top_k=1, **options),  # type: ignore[arg-type]
    )
    assert said.sequence.tolist() == golden[f"{run}_tokens"].tolist()
    assert said.index == int(golden[f"{run}_idx"])
    assert said.tokens.tolist() == golden[f"{run}_tokens"][-said.index :].tolist()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("probs_k15_p1_t1_rp135", SamplingOptions()),
        ("probs_k50_p0p8_t0p6_rp135", SamplingOptions(top_k=50, top_p=0.8, temperature=0.6)),
    ],
)
def test_the_distribution_is_that_of_the_original(
    golden: dict[str, Tensor], name: str, options: SamplingOptions
) -> None:
    seen = torch.zeros(1, END + 1, dtype=torch.bool)
    seen[0, golden["prompt"][0]] = True
    logits = penalize(golden["step_logits"][:1], seen, options.repetition_penalty)
    close(probabilities(logits, options), golden[name])


# --- The cache and the batch change nothing -----------------------------------------------------------------


@torch.inference_mode()
def test_steps_give_what_one_pass_gives_while_the_cache_grows(model: Text2Semantic) -> None:
    whole = item(BLOCK - 20, 60)
    assert whole.prompt is not None
    hidden, _ = model.prefill([whole])
    _, context = model.prefill([GenerationItem(whole.phoneme_ids, whole.bert, whole.prompt[:, :10])])
    for at in range(10, 60):
        logits = model.step(whole.prompt[:, at], context)
        expected = model.logits(hidden[:, BLOCK - 20 + at])
        torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
    assert context.cache.capacity == 2 * BLOCK


ITEMS = [(12, 9), (31, 9), (7, 25), (20, 0), (1, 1)]  # phonemes, tokens of the prompt


@pytest.mark.parametrize("penalty", [1.0, 1.35])
def test_a_greedy_batch_says_what_each_line_says_alone(model: Text2Semantic, penalty: float) -> None:
    options = SamplingOptions(top_k=1, early_stop=60, repetition_penalty=penalty)
    items = [item(*sizes, seed=index) for index, sizes in enumerate(ITEMS)]
    together = model.generate_batch(items, options)
    for each, said in zip(items, together, strict=True):
        alone = model.generate(each.phoneme_ids, each.bert, each.prompt, options)
        assert said.sequence.tolist() == alone.sequence.tolist()
        assert (said.index, said.stopped) == (alone.index, alone.stopped)


def test_a_sampled_line_does_not_depend_on_its_batch(model: Text2Semantic) -> None:
    options = SamplingOptions(early_stop=60)
    together = model.generate_batch(
        [item(*sizes, seed=index, draws=40 + index) for index, sizes in enumerate(ITEMS)], options
    )
    alone = [
        model.generate_batch([item(*sizes, seed=index, draws=40 + index)], options)[0]
        for index, sizes in enumerate(ITEMS)
    ]
    assert [said.sequence.tolist() for said in together] == [said.sequence.tolist() for said in alone]
    assert len({len(said.sequence) for said in together}) > 2  # they left the batch one after the other
    other = model.generate_batch([item(*ITEMS[0], draws=7)], options)[0]
    assert other.sequence.tolist() != alone[0].sequence.tolist()


def test_nobody_sees_padding_and_text_sees_no_audio() -> None:
    mask = prefill_mask(torch.tensor([0, 2]), torch.tensor([3, 4]), 5)[:, 0]
    assert mask[0].int().tolist() == [
        [1, 1, 1, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 1, 1, 0],
        [1, 1, 1, 1, 1],
    ]
    assert mask[1, 2:].int().tolist() == [[0, 0, 1, 1, 0], [0, 0, 1, 1, 0], [0, 0, 1, 1, 1]]


def test_nothing_to_say_is_nothing_said(model: Text2Semantic) -> None:
    assert model.generate_batch([]) == []


# --- When a line ends ---------------------------------------------------------------------------------------


@pytest.fixture
def always(model: Text2Semantic) -> Callable[[dict[int, float]], Text2Semantic]:
    """Make a model that gives the same logits at every step: those named, and -1 for all others."""

    def make(logits: dict[int, float]) -> Text2Semantic:
        weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        width = model.sizes.dim
        last = f"h.layers.{model.sizes.n_layers - 1}.norm2"
        weights[f"{last}.weight"].zero_()
        weights[f"{last}.bias"].fill_(1.0)
        rows = torch.full((END + 1,), -1.0)
        for token, value in logits.items():
            rows[token] = value
        weights["ar_predict_layer.weight"] = (rows / width)[:, None].repeat(1, width)
        return Text2Semantic.from_weights(weights, {"model": {"head": model.sizes.n_heads}})

    return make


def say(model: Text2Semantic, prompt: bool = True, seed: int = 0, **options: float) -> tuple[list[int], str]:
    said = model.generate_batch(
        [item(5, 3 if prompt else 0, draws=seed)],
        SamplingOptions(**options),  # type: ignore[arg-type]
    )[0]
    return said.tokens.tolist(), said.stopped


def test_the_end_cannot_come_in_the_first_steps(always: Callable[[dict[int, float]], Text2Semantic]) -> None:
    tokens, stopped = say(always({END: 9.0, 7: 5.0}), top_k=1, repetition_penalty=1.0)
    assert (tokens, stopped) == ([7] * STEPS_WITHOUT_END, "eos")


def test_a_best_token_that_is_the_end_ends_the_line_though_another_was_drawn(
    always: Callable[[dict[int, float]], Text2Semantic],
) -> None:
    nearly_equal = always({END: 0.01} | dict.fromkeys(range(200), 0.0))
    for seed in range(5):  # the end is drawn in one of two hundred cases
        tokens, stopped = say(nearly_equal, seed=seed, top_k=1000, repetition_penalty=1.0)
        assert (len(tokens), stopped) == (STEPS_WITHOUT_END, "eos")


def test_the_penalty_counts_for_the_end(always: Callable[[dict[int, float]], Text2Semantic]) -> None:
    stubborn = always({7: 10.0, END: 9.0})
    assert say(stubborn, top_k=1, repetition_penalty=1.35)[1] == "eos"  # 10 / 1.35 < 9
    tokens, stopped = say(stubborn, top_k=1, repetition_penalty=1.0, early_stop=50)
    assert (tokens, stopped) == ([7] * 50, "limit")


def test_a_limit_costs_the_first_token_where_there_is_a_prompt(
    always: Callable[[dict[int, float]], Text2Semantic],
) -> None:
    endless = always({7: 10.0})
    assert len(say(endless, top_k=1, early_stop=20)[0]) == 20  # 21 were drawn
    assert len(say(endless, prompt=False, top_k=1, early_stop=20)[0]) == 21
    assert len(say(endless, top_k=1, max_steps=30)[0]) == 29
    assert say(endless, prompt=False, top_k=1, max_steps=30) == ([7] * 30, "limit")


# --- Loading ------------------------------------------------------------------------------------------------


def test_sizes_are_those_of_the_tensors(tmp_path: Path) -> None:
    path = write_s1(tmp_path / "s1.ckpt", version="v1", width=16, n_layers=3, heads=2)
    assert load_text2semantic(path).sizes == Text2SemanticSizes(
        n_phonemes=512,
        n_tokens=1025,
        bert_dim=1024,
        dim=16,
        feed_forward_dim=64,
        n_layers=3,
        n_heads=2,
    )


def test_the_full_size_has_the_official_number_of_parameters() -> None:
    shapes = s1_shapes(width=512, n_layers=24)
    weights = {name[6:]: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    model = Text2Semantic.from_weights(weights, {"model": {"head": 16}})
    assert round(sum(p.numel() for p in model.parameters()) / 1e6, 2) == 77.61
    assert round(sum(p.numel() for p in model.h.parameters()) / 1e6, 2) == 75.66


def test_other_tensors_are_refused(model: Text2Semantic) -> None:
    weights = model.state_dict()
    config = {"model": {"head": 4}}
    with pytest.raises(ValueError, match=r"no 'bert_proj\.weight'; give the \.ckpt file"):
        Text2Semantic.from_weights({}, config)
    with pytest.raises(ValueError, match=r"model.head is 5, which does not divide the width 32"):
        Text2Semantic.from_weights(weights, {"model": {"head": 5}})
    del weights["h.layers.1.norm1.bias"]
    with pytest.raises(ValueError, match=r"h\.layers\.1\.norm1\.bias"):
        Text2Semantic.from_weights(weights, config)


@pytest.mark.parametrize(
    ("ids", "bert", "prompt", "match"),
    [
        ([[1, 732]], (1, 1024, 2), None, "phoneme id 732 is outside the table of 732"),
        ([[1, -1]], (1, 1024, 2), None, "phoneme id -1"),
        ([[1] * 4001], (1, 1024, 4001), None, "4001 positions in one go; split the line"),
        ([[1, 2]], (1, 1024, 3), None, r"shape \(1, 2\) came with text features of shape \(1, 1024, 3\)"),
        ([[1, 2]], (1, 1024, 2), [[END]], "prompt token 1024 is outside the table of 1024"),
        ([[1, 2]], (1, 1024, 2), [3], r"the prompt has shape \(1,\)"),
    ],
)
def test_what_the_tables_do_not_hold_is_refused(
    model: Text2Semantic, ids: list[list[int]], bert: tuple[int, ...], prompt: list[int] | None, match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        model.generate(torch.tensor(ids), torch.zeros(bert), None if prompt is None else torch.tensor(prompt))
