"""What rounding costs the agreement of durations: the teacher's to 25 ms, the student's to 16 ms.

    python -m distill.evaluation.rounding --student runs/builtin/student \
        --out benchmarks/results/quality/rounding.json

A student is compared with what Kokoro-82M speaks: what it predicts, in whole frames, of which a Japanese mora
lasts three or four. So held-out sentences are compared four ways, each within sentences: what both predict,
what both speak, and what each of them predicts with what it speaks, which bounds the agreement of speech.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import click
import numpy as np
import torch
from numpy.typing import NDArray

from edge.prosody import sounded_mask, whole_durations
from edge.spec import HOP_LENGTH, SAMPLE_RATE
from edge.text import FrontEnd
from models.sovits_tiny import SovitsTiny

from ..corpus.config import BUILTIN, Recording
from ..corpus.told_prosody import knows_length
from ..corpus.utterance import student_phonemes
from ..files import write_json
from ..ledger import device
from ..manifest import Label
from ..script import load_lines
from ..teachers import LineRequest
from ..teachers.kokoro import KokoroTeacher
from ..training.checkpoint import StudentInfo, load_student
from ..voice.config import load_recipe
from .prosody import Agreement

FRAME_MS = 1000 * HOP_LENGTH / SAMPLE_RATE
LEAST = 8  # characters of a sentence
WAYS = ("predicted", "spoken", "teacher_rounding", "student_rounding")

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]


def student_lengths(student: SovitsTiny, info: StudentInfo, label: Label) -> Pair:
    """Give (P,) ms of each phoneme of a line: as the student predicts them, and in whole frames."""
    who, how = info.characters[label.character], info.emotions[label.emotion]
    symbols = (label.phoneme_ids, label.language_ids, label.word_starts)
    inputs = [torch.tensor([values]) for values in symbols] + [torch.tensor([who]), torch.tensor([how])]
    with torch.no_grad():
        frames, *_ = student.encoder(*inputs, torch.ones(1))
    predicted: Floats = frames[0].double().numpy()
    spoken = whole_durations(predicted, sounded_mask(label.phonemes)).astype(np.float64)
    return predicted * FRAME_MS, spoken * FRAME_MS


def teacher_lengths(teacher: KokoroTeacher, line: LineRequest) -> Pair:
    """Give (P,) ms of each phoneme of the reading: as the teacher predicts them, and in its frames."""
    predicted, spoken = teacher.lengths(line)
    return 1000 * predicted, 1000 * spoken


def label_of(line: LineRequest) -> Label:
    """Give a line as the student is given it."""
    phonemes, languages, word_starts = student_phonemes(line.reading)
    return Label(
        id="", character=line.character, language=line.language, emotion=line.emotion, text=line.text,
        phonemes=tuple(phonemes), languages=tuple(languages), word_starts=tuple(word_starts), split="test",
    )  # fmt: skip


def compared(ours: Pair, theirs: Pair, label: Label) -> dict[str, Pair]:
    """Pair the lengths of a sentence in all ways, where they are known without its sound."""
    own = slice(1, 1 + len(theirs[0]))  # without the silence in front and a full stop that was put behind
    known = knows_length(label.phonemes)[own]
    predicted, spoken = (lengths[own][known] for lengths in ours)
    told, said = (lengths[known] for lengths in theirs)
    return dict(
        zip(WAYS, ((told, predicted), (said, spoken), (told, said), (predicted, spoken)), strict=True)
    )


def sentences(recording: Recording, front_end: FrontEnd, most: int) -> Iterator[LineRequest]:
    """Yield held-out sentences of a character in a language, neutral."""
    language = recording.language
    texts = [line.text for line in load_lines(language, name="heldout") if len(line.text) >= LEAST]
    for text in texts[:most]:
        yield LineRequest(text, front_end.read(text, language), language, recording.character)


def summary(found: Sequence[dict[str, Pair]]) -> dict[str, float]:
    """Give the correlations within sentences."""
    agreements = {way: Agreement.within([pairs[way] for pairs in found]) for way in WAYS}
    rounded = {way: round(one.correlation, 3) for way, one in agreements.items()}
    return {"sentences": len(found), "phonemes": agreements["spoken"].n, **rounded}


@click.command()
@click.option(
    "--student", "folder", type=click.Path(path_type=Path), required=True, help="Folder of a student."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="JSON file to write.")
@click.option("--lines", default=100, show_default=True, help="Held-out sentences of each voice.")
@click.option("--config", type=click.Path(path_type=Path), default=BUILTIN, help="Corpus of the voice.")
def main(folder: Path, out: Path, lines: int, config: Path) -> None:
    """Compare the durations of a student of Kokoro-82M before and after each of them rounds."""
    torch.set_num_threads(1)
    student, info = load_student(folder)
    recipe = load_recipe(config)
    front_end = FrontEnd(recipe.corpus.lexicon)
    voices = {}
    for recording in recipe.corpus.recordings:
        teacher = cast(KokoroTeacher, recipe.make(recording.teacher))
        found = []
        for line in sentences(recording, front_end, lines):
            label = label_of(line)
            ours = student_lengths(student.eval(), info, label)
            found.append(compared(ours, teacher_lengths(teacher, line), label))
        voices[f"{recording.character} {recording.language}"] = summary(found)
    write_json(out, {"device": device(), "steps": info.step, "voices": voices})


if __name__ == "__main__":
    main()
