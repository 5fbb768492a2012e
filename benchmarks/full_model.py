"""The full model against the student on one line, stage by stage: ``python -m benchmarks.full_model``.

GPT-SoVITS at its official size with random weights, for time does not depend on them, in PyTorch; the student
from its bundle in ONNX Runtime. Both speak the same Chinese line for equally long, all stages in turn in one
run. About ten minutes and 3 GB on two x86 cores.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from edge.bundle.bundle import BUILTIN_VOICE
from edge.spec import SAMPLE_RATE
from edge.synthesizer import PreparedLine, SpeechRequest, Synthesizer
from edge.text.symbols import SYMBOL_TO_ID
from models.gpt_sovits.generation import GenerationItem
from models.gpt_sovits.s2_weights import DEFAULT_DILATIONS, DEFAULT_RATES, S2Sizes
from models.gpt_sovits.sampling import SamplingOptions
from models.gpt_sovits.synthesizer import FixedVoice
from models.gpt_sovits.synthesizer import Synthesizer as FullSynthesizer
from models.gpt_sovits.text2semantic import Text2Semantic, Text2SemanticSizes

from . import machine, report
from .harness import Variant, interleave, summarize, write_result
from .lines import chinese
from .synthesis import float_bundle

N_CHARACTERS = 20
TOKEN_RATE = 25  # semantic tokens per second
PROMPT_S = 5  # of the reference clip, with about as many characters as the line
BERT_DIM = 1024
LIBRARIES = ("torch", "transformers", "onnxruntime", "numpy")
Network = TypeVar("Network", bound=nn.Module)
Timed = tuple[Variant, Callable[[], float]]

S1 = Text2SemanticSizes(
    n_phonemes=732, n_tokens=1025, bert_dim=BERT_DIM, dim=512, feed_forward_dim=2048, n_layers=24, n_heads=16
)


def s2_sizes(version: str) -> S2Sizes:
    """The official sizes of v2 and v2ProPlus."""
    pro = version == "v2ProPlus"
    return S2Sizes(
        hidden=192, filters=768, n_ssl_layers=3, n_text_layers=6, n_joint_layers=3, head=96, window=4,
        kernel=3, content=768, n_codes=1024, n_phonemes=732, mrte=512, timbre=1024 if pro else 512,
        n_couplings=4, n_wavenet_layers=4, wavenet_kernel=5, initial=768 if pro else 512, rates=DEFAULT_RATES,
        upsample_kernels=(20 if pro else 16, 16, 8, 2, 2), resblock_kernels=(3, 7, 11),
        dilations=(DEFAULT_DILATIONS,) * 3, reference=128, n_reference_bins=704, reference_kernel=5,
        speaker=20480 if pro else 0,
    )  # fmt: skip


def randomize(network: Network) -> Network:
    """Fill in weights that keep the size of what passes through: numbers that fade away would cost extra."""
    with torch.no_grad():
        for parameter in (*network.parameters(), *network.buffers()):
            if parameter.is_floating_point() and parameter.ndim >= 2:
                parameter.normal_(std=(parameter[0].numel()) ** -0.5)
            elif parameter.is_floating_point():
                parameter.fill_(0.1)
    return network.eval().requires_grad_(False)


class Line:
    """One line as both models are given it.

    Attributes:
        n_tokens: semantic tokens that last as long as the student's sound.
        phoneme_ids: (1, P) of the line.
    """

    def __init__(self, synthesizer: Synthesizer) -> None:
        self.text = chinese(N_CHARACTERS, random.Random(7))
        self.character = synthesizer.bundle.manifest.characters[0].name
        self.prepared = self.prepare(synthesizer)
        self.seconds = sum(len(chunk.samples) for chunk in synthesizer.stream(self.prepared)) / SAMPLE_RATE
        self.n_tokens = round(self.seconds * TOKEN_RATE)
        symbols = [symbol for phrase in self.prepared.phrases for symbol in phrase.symbols]
        self.phoneme_ids = torch.tensor([[SYMBOL_TO_ID[symbol] for symbol in symbols]])

    def prepare(self, synthesizer: Synthesizer) -> PreparedLine:
        """Do the student's text stage."""
        return synthesizer.prepare(SpeechRequest(self.text, self.character, "zh"))

    def describe(self) -> dict[str, Any]:
        """For JSON."""
        n_phonemes = self.phoneme_ids.shape[1]
        return {
            "characters": N_CHARACTERS, "phonemes": n_phonemes,
            "tokens": self.n_tokens, "seconds": self.seconds,
        }  # fmt: skip


def seconds(work: Callable[[], object]) -> float:
    """Time of one call."""
    started = time.perf_counter()
    with torch.inference_mode():
        work()
    return time.perf_counter() - started


class FirstHalf:
    """Text features and text to semantic tokens: the same in v2 and v2ProPlus."""

    def __init__(self, line: Line) -> None:
        self._line = line
        large = BertConfig(
            vocab_size=21128, hidden_size=BERT_DIM, num_hidden_layers=24, num_attention_heads=16,
            intermediate_size=4096,
        )  # fmt: skip
        self._bert = randomize(BertModel(large, add_pooling_layer=False))
        self._model = randomize(Text2Semantic(S1))
        self._model.ar_predict_layer.weight[-1] = 0.0  # the end is never among the best
        ids = torch.cat([line.phoneme_ids, line.phoneme_ids], dim=1)  # of clip and line
        prompt = torch.randint(1024, (1, PROMPT_S * TOKEN_RATE), generator=torch.Generator().manual_seed(0))
        self._item = GenerationItem(ids, torch.zeros(1, BERT_DIM, ids.shape[1]), prompt)

    def stages(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Name and work of each stage."""
        ids = torch.randint(100, 20_000, (1, N_CHARACTERS + 2), generator=torch.Generator().manual_seed(0))
        yield "text features", partial(self._bert, input_ids=ids)
        yield "first token", partial(self._generate, 1)
        yield "tokens", partial(self._generate, self._line.n_tokens)

    def _generate(self, n_tokens: int) -> Tensor:
        return self._model.generate_batch([self._item], SamplingOptions(max_steps=n_tokens))[0].tokens


class SecondHalf:
    """Semantic tokens to sound, with the timbre of a voice folded in."""

    def __init__(self, line: Line, version: str) -> None:
        synthesizer = FullSynthesizer(s2_sizes(version), version)
        randomize(synthesizer)
        noise = torch.Generator().manual_seed(0)
        self._voice = FixedVoice(synthesizer, torch.randn(1, s2_sizes(version).timbre, 1, generator=noise))
        self._tokens = torch.randint(1024, (1, 1, line.n_tokens), generator=noise)
        self._ids = line.phoneme_ids
        self._latents = torch.randn(1, 192, 2 * line.n_tokens, generator=noise)

    def stages(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Name and work of each stage."""
        yield "text encoder", partial(self._voice.prior, self._tokens, self._ids)
        yield "flow", partial(self._voice.flow.reverse, self._latents, None)
        yield "generator", partial(self._voice.dec, self._latents, None)


def student_stages(line: Line, synthesizer: Synthesizer) -> Iterator[tuple[str, Callable[[], object]]]:
    """Name and work of each stage of the student."""
    yield "text", partial(line.prepare, synthesizer)
    yield "first sound", lambda: next(iter(synthesizer.stream(line.prepared)))
    yield "sound", lambda: list(synthesizer.stream(line.prepared))


def variants(line: Line, students: dict[str, Synthesizer]) -> Iterator[Timed]:
    """Every stage of every model."""
    for precision, synthesizer in students.items():
        for stage, work in student_stages(line, synthesizer):
            yield {"model": "student", "precision": precision, "stage": stage}, partial(seconds, work)
    for stage, work in FirstHalf(line).stages():
        yield {"model": "s1", "stage": stage}, partial(seconds, work)
    for version in ("v2", "v2ProPlus"):
        for stage, work in SecondHalf(line, version).stages():
            yield {"model": version, "stage": stage}, partial(seconds, work)


def measure(repeats: int, threads: int, bundle: Path) -> dict[str, Any]:
    """Take all figures and return what goes into the result file."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    with float_bundle(bundle) as float_path:
        folders = {"int8": bundle, "fp32": float_path}
        students = {name: Synthesizer.load(folder, threads=threads) for name, folder in folders.items()}
        line = Line(students["int8"])
        taken = interleave(list(variants(line, students)), repeats, warm_up=1)
    facts = machine.describe()
    facts["versions"] |= {name: metadata.version(name) for name in LIBRARIES}
    return {
        "device": machine.device_name(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": facts,
        "threads": threads,
        "line": line.describe(),
        "measures": [summarize("stage", "s", variant, samples).to_dict() for variant, samples in taken],
    }


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.full_model", description=__doc__)
    parser.add_argument(
        "--bundle", type=Path, default=BUILTIN_VOICE, help="voice bundle (the built-in voice)"
    )
    parser.add_argument("--threads", type=int, default=2, help="for both models (%(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="samples of each stage (%(default)s)")
    options = parser.parse_args()
    result = measure(options.repeats, options.threads, options.bundle)
    write_result(report.RESULTS / report.FULL_MODEL / f"{result['device']}.json", result)
    print(report.full_model_table(result))
    report.update_pages()


if __name__ == "__main__":
    main()
