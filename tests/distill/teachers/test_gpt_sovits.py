"""The full model as teacher, with small random checkpoints of every version and random helpers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from distill.config import checked
from distill.teachers import LineRejectedError, LineRequest, TeacherError
from distill.teachers.gpt_sovits import GptSovitsTeacher
from distill.teachers.settings import GptSovitsSettings
from edge.text import FrontEnd
from tests.data.make_gpt_sovits import write_s2

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

GOLDEN = Path(__file__).parents[2] / "data" / "gpt_sovits_v2"
CONTENT = {"golden": 48, "small": 24}  # width of what the synthesizer takes from HuBERT
LINE = "The stage is yours, and the lights are on."
CHINESE = "今晚座无虚席。"

Make = Callable[..., GptSovitsTeacher]


@pytest.fixture(scope="module")
def helpers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders as of the official helpers, with small random networks, and reference clips."""
    from transformers import BertConfig, BertModel, HubertConfig, HubertModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = tmp_path_factory.mktemp("helpers")
    torch.manual_seed(0)
    for name, width in CONTENT.items():
        convolutions: Any = {"conv_dim": (16,) * 7, "num_conv_pos_embeddings": 16}
        config = HubertConfig(
            hidden_size=width, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
            num_conv_pos_embedding_groups=2, **convolutions,
        )  # fmt: skip
        HubertModel(config).save_pretrained(folder / f"hubert-{name}")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *CHINESE, "，", "."]
    bert = BertConfig(
        vocab_size=len(vocabulary), hidden_size=1024, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=8,
    )  # fmt: skip
    BertModel(bert).save_pretrained(folder / "roberta")
    (folder / "roberta" / "vocab.txt").write_text("\n".join(vocabulary), "utf-8")
    write_clip(folder / "neutral.wav", "The house is full tonight.", 150.0)
    write_clip(folder / "sad.wav", "誰もいない。", 110.0)
    return folder


def write_clip(path: Path, text: str, pitch: float, seconds: float = 4.0) -> None:
    time_s = np.arange(round(seconds * 44_100)) / 44_100
    tone = sum(np.sin(2 * np.pi * pitch * n * time_s) / n for n in range(1, 8))
    soundfile.write(path, 0.1 * tone * (1.2 + np.sin(8 * time_s)), 44_100, subtype="PCM_16")
    path.with_suffix(".txt").write_text(text, "utf-8")


@pytest.fixture(scope="module")
def make(helpers: Path) -> Make:
    def make_one(folder: Path = GOLDEN, **changes: Any) -> GptSovitsTeacher:
        values = {
            "kind": "gpt-sovits", "gpt_weights": GOLDEN / "s1.ckpt", "sovits_weights": folder / "s2.pth",
            "hubert": f"hubert-{'golden' if folder == GOLDEN else 'small'}", "without_roberta": True,
            "device": "cpu", "emotions": {"neutral": "neutral.wav", "sad": "sad.wav"},
        }  # fmt: skip
        return GptSovitsTeacher(checked(GptSovitsSettings, {**values, **changes}, "test", helpers))

    return make_one


@pytest.fixture(scope="module")
def teacher(make: Make) -> GptSovitsTeacher:
    return make()


@pytest.fixture(scope="module")
def line(front_end: FrontEnd) -> LineRequest:
    return LineRequest(LINE, front_end.read(LINE, "en"), "en", "noah", seed=4)


# --- Sound --------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_sound(teacher: GptSovitsTeacher, make: Make, line: LineRequest) -> None:
    first = teacher.synthesize(line)
    other = teacher.synthesize(replace(line, seed=5))
    assert first.sample_rate == 32_000 and first.audio.dtype == np.float32
    assert 0.4 < len(first.audio) / 32_000 < 20 and 0.1 < np.abs(first.audio).max() <= 1.0
    assert not np.array_equal(first.audio, other.audio)
    np.testing.assert_array_equal(make().synthesize(line).audio, first.audio)


def test_every_piece_is_said_with_a_pause_behind_it(make: Make, line: LineRequest) -> None:
    with make(cut="cut5", fragment_interval=0.25) as speaker:
        audio = speaker.synthesize(line).audio
    silent = np.flatnonzero(audio == 0.0)
    runs = np.split(silent, np.flatnonzero(np.diff(silent) > 1) + 1)
    assert sum(len(run) >= 8000 for run in runs) == 2


def test_pieces_side_by_side_are_as_if_they_were_alone(make: Make, line: LineRequest) -> None:
    together, alone = (make(cut="cut5", batch=size).synthesize(line).audio for size in (4, 1))
    assert len(together) == len(alone)
    np.testing.assert_allclose(together, alone, atol=2e-3)


def test_emotion_speed_and_noise_are_heard(teacher: GptSovitsTeacher, make: Make, line: LineRequest) -> None:
    neutral = teacher.synthesize(line).audio
    assert not np.array_equal(teacher.synthesize(replace(line, emotion="sad")).audio, neutral)
    pause = round(0.3 * 32_000)
    faster = teacher.synthesize(replace(line, rate=2.0)).audio
    assert len(faster) - pause == pytest.approx((len(neutral) - pause) / 2, abs=640)
    assert not np.array_equal(make(noise_scale=0.0).synthesize(line).audio, neutral)


def test_a_line_that_does_not_end_is_rejected(
    teacher: GptSovitsTeacher, line: LineRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("distill.teachers.gpt_sovits_engine.STEPS_PER_PHONEME", 0)
    monkeypatch.setattr("distill.teachers.gpt_sovits_engine.SPARE_STEPS", 11)
    with pytest.raises(LineRejectedError, match=r"did not end within 0\.4 s") as rejection:
        teacher.synthesize(line)
    assert rejection.value.reason == "limit"


def test_chinese_sounds_otherwise_with_roberta(make: Make, front_end: FrontEnd) -> None:
    request = LineRequest(CHINESE, front_end.read(CHINESE, "zh"), "zh", "noah", seed=1)
    without = make().synthesize(request).audio
    with_it = make(roberta="roberta", without_roberta=False).synthesize(request).audio
    assert len(with_it) != len(without) or not np.array_equal(with_it, without)
    with pytest.raises(TeacherError, match="Chinese needs roberta"):
        make(without_roberta=False).synthesize(request)


def test_without_a_transcript_there_is_no_prompt(make: Make, line: LineRequest) -> None:
    with make(emotions={"neutral": {"audio": "neutral.wav", "text": ""}}) as speaker:
        assert speaker.synthesize(line).audio.any()


@pytest.mark.parametrize("version", ["v1", "v2Pro"])
def test_the_other_versions_speak(
    make: Make, helpers: Path, tmp_path: Path, line: LineRequest, version: str
) -> None:
    write_s2(tmp_path / "s2.pth", version)
    if version == "v1":
        speaker = make(tmp_path)
    else:
        with pytest.raises(TeacherError, match="is v2Pro, which needs speaker_verification"):
            make(tmp_path).synthesize(line)
        speaker = make(tmp_path, speaker_verification=write_speaker_network(tmp_path / "sv.ckpt"))
    with speaker:
        audio = speaker.synthesize(line).audio
        own = speaker.timbre(audio, 32_000)
    assert audio.any() and np.isfinite(audio).all()
    assert np.isfinite(own).all() and (own.size == 20_480) == (version == "v2Pro")


def write_speaker_network(path: Path) -> Path:
    from tests.models.gpt_sovits.test_speaker_verification import Size, random_weights

    torch.save(random_weights(Size(widths=(3, 4, 8, 12), depths=(1, 1, 1, 1))), path)
    return path


# --- What decides the sound ---------------------------------------------------------------------------------


def test_the_delivery_changes_with_whatever_decides_the_sound(
    make: Make, helpers: Path, tmp_path: Path, line: LineRequest
) -> None:
    before = make().delivery(line)
    assert make(batch=1, credit="N. N.").delivery(line) == before
    write_clip(tmp_path / "other.wav", "The house is full tonight.", 151.0)
    others = [
        make(speed=1.1), make(sampling={"top_k": 3}), make(cut="cut0"), make(hubert="hubert-small"),
        make(emotions={"neutral": {"audio": "neutral.wav", "text": "The house is empty."}}),
        make(emotions={"neutral": str(tmp_path / "other.wav")}),
        make(sovits_weights=write_s2(tmp_path / "s2.pth")),
    ]  # fmt: skip
    names = [before, make().delivery(replace(line, emotion="sad")), *(one.delivery(line) for one in others)]
    assert len(set(names)) == len(names)


def test_the_origin_names_the_files(teacher: GptSovitsTeacher) -> None:
    origin = teacher.origin()
    assert origin.version.startswith("s1.ckpt ") and ", s2.pth " in origin.version


def test_two_clips_of_a_voice_are_nearer_than_two_voices(teacher: GptSovitsTeacher, helpers: Path) -> None:
    def timbre(name: str, part: slice) -> np.ndarray:
        audio, rate = soundfile.read(helpers / name, dtype="float32")
        vector = teacher.timbre(audio[part], rate)
        return vector / np.linalg.norm(vector)

    first, second = timbre("neutral.wav", slice(0, 88_200)), timbre("neutral.wav", slice(88_200, None))
    assert first @ second > first @ timbre("sad.wav", slice(0, 88_200))


# --- What is wrong ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gpt_weights": "gone.ckpt"}, r"there is no .*gone\.ckpt; set gpt_weights"),
        ({"sovits_weights": GOLDEN / "s1.ckpt"}, r"s1\.ckpt"),
        ({"hubert": "roberta"}, "roberta does not hold chinese-hubert-base"),
        ({"emotions": {"neutral": "gone.wav"}}, r"cannot read .*gone\.wav"),
        ({"emotions": {"neutral": {"audio": "short.wav"}}}, r"short\.wav: the reference clip lasts 2\.00 s"),
    ],
)
def test_what_is_wrong_is_named(make: Make, helpers: Path, changes: dict[str, Any], message: str) -> None:
    write_clip(helpers / "short.wav", "Too short.", 150.0, seconds=2.0)
    with pytest.raises(TeacherError, match=message):
        make(**changes).rehearse()


def test_a_rehearsal_makes_every_voice(make: Make, line: LineRequest) -> None:
    with make() as speaker:
        speaker.rehearse()
        assert set(speaker._engine._voices) == {"neutral", "sad"}


def test_an_unknown_emotion_is_named(teacher: GptSovitsTeacher, line: LineRequest) -> None:
    with pytest.raises(TeacherError, match=r"no reference clip is 'angry'.* has neutral, sad"):
        teacher.synthesize(replace(line, emotion="angry"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_named(make: Make, line: LineRequest) -> None:
    with pytest.raises(TeacherError, match="torch finds no GPU"):
        make(device="cuda").synthesize(line)


@pytest.mark.gpu
def test_a_gpu_says_the_same(make: Make, line: LineRequest) -> None:
    on_cpu, on_gpu = (make(device=device).synthesize(line).audio for device in ("cpu", "cuda"))
    assert len(on_gpu) == len(on_cpu)
    np.testing.assert_allclose(on_gpu, on_cpu, atol=5e-3)
