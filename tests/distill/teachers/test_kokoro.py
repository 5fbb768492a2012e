"""The teacher, on a small graph with Kokoro's inputs and outputs, whose tone has the F0 that it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from distill.teachers import LineRequest, TeacherError, TeacherLine, make_teacher
from distill.teachers.kokoro import LAG_S, SILENT_SHARE, KokoroTeacher
from distill.teachers.kokoro_graph import PARTS, cut
from distill.teachers.kokoro_network import FRAME, PITCH_STEP, SAMPLE_RATE
from distill.teachers.kokoro_tokens import token_ids, tokens
from distill.teachers.settings import KokoroSettings
from edge.text import FrontEnd

from .kokoro_model import LEVEL, graph, write_model

ENGLISH, CHINESE, JAPANESE = "Where is the red fox, my friend?", "今天的月亮真圆。", "猫が窓から落ちた。"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kokoro") / "model"
    write_model(path)
    return path


def settings(folder: Path, **changes: Any) -> KokoroSettings:
    return KokoroSettings(kind="kokoro", folder=folder, **({"voices": {"am_michael": 1.0}} | changes))


@pytest.fixture(scope="module")
def teacher(folder: Path) -> KokoroTeacher:
    made = make_teacher(settings(folder))
    assert isinstance(made, KokoroTeacher)
    return made


@pytest.fixture(scope="module")
def front_end() -> FrontEnd:
    return FrontEnd()


def request(
    front_end: FrontEnd, text: str, language: str, emotion: str = "neutral", rate: float = 1.0
) -> LineRequest:
    return LineRequest(text, front_end.read(text, language), language, "noah", emotion, rate)


def voiced(line: TeacherLine) -> np.ndarray:
    assert line.prosody is not None
    return np.log(line.prosody.f0)


# --- The cut ---


def test_the_parts_say_what_the_whole_graph_says(
    folder: Path, teacher: KokoroTeacher, front_end: FrontEnd
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    asked = request(front_end, ENGLISH, "en")
    ids = token_ids(tokens(asked.reading))
    style = np.zeros((1, 256), np.float32)
    session = onnxruntime.InferenceSession(graph().SerializeToString(), providers=["CPUExecutionProvider"])
    given = {"tokens": np.array([[0, *ids, 0]]), "style": style, "speed": np.ones(1, np.float32)}
    (whole,) = session.run(None, given)
    assert np.array_equal(whole.ravel(), teacher.synthesize(asked).audio)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_part_has_the_inputs_that_it_names(part: Any) -> None:
    made = cut(graph(), part)
    assert {one.name for one in made.graph.input} <= set(part.inputs)
    assert [one.name for one in made.graph.output] == list(part.outputs)


def test_another_graph_is_refused() -> None:
    other = graph()
    for node in other.graph.node:
        for k, name in enumerate(node.output):
            node.output[k] = "gone" if name == "/encoder/Reshape_output_0" else name
    with pytest.raises(TeacherError, match="assemble the model again"):
        cut(other, PARTS[1])


# --- Times ---


@pytest.mark.parametrize(("text", "language"), [(ENGLISH, "en"), (CHINESE, "zh"), (JAPANESE, "ja")])
def test_durations_sum_to_the_sound(
    teacher: KokoroTeacher, front_end: FrontEnd, text: str, language: str
) -> None:
    asked = request(front_end, text, language)
    line = teacher.synthesize(asked)
    assert line.prosody is not None
    starts = line.prosody.starts
    assert len(starts) == len(asked.reading.phonemes) + 1
    assert (np.diff(starts) >= 0).all()
    last_edge = 8 * FRAME / SAMPLE_RATE  # the token after the line has id 0
    assert starts[-1] + LAG_S + last_edge == pytest.approx(len(line.audio) / SAMPLE_RATE)
    assert len(line.prosody.f0) * PITCH_STEP == len(line.prosody.energy) * PITCH_STEP == len(line.audio)
    assert line.prosody.step_s == PITCH_STEP / SAMPLE_RATE


def test_a_phoneme_begins_the_lag_before_its_label(teacher: KokoroTeacher, front_end: FrontEnd) -> None:
    asked = request(front_end, "Red fox.", "en")
    prosody = teacher.synthesize(asked).prosody
    assert prosody is not None
    frames = [8 * (identity % 3 + 1) for identity in (0, *token_ids(tokens(asked.reading)), 0)]
    owners = [None, *(owner for _, owner in tokens(asked.reading)), None]
    for phoneme, start in enumerate(prosody.starts[:-1]):
        label = sum(frames[: owners.index(phoneme)]) * 0.025
        assert start == pytest.approx(label - LAG_S)


def test_an_onset_without_a_token_takes_a_share_of_its_rime(
    teacher: KokoroTeacher, front_end: FrontEnd
) -> None:
    asked = request(front_end, "一。", "zh")
    assert asked.reading.phonemes[:2] == ("y", "i1")
    prosody = teacher.synthesize(asked).prosody
    assert prosody is not None
    onset, rime = np.diff(prosody.starts)[:2]
    assert onset == pytest.approx(SILENT_SHARE * (onset + rime))


def test_a_pitch_mark_lasts_nothing(teacher: KokoroTeacher, front_end: FrontEnd) -> None:
    asked = request(front_end, JAPANESE, "ja")
    prosody = teacher.synthesize(asked).prosody
    assert prosody is not None
    lengths = np.diff(prosody.starts)
    marks = [symbol in "[]" for symbol in asked.reading.phonemes]
    assert any(marks)
    assert not lengths[marks].any()
    assert lengths[~np.array(marks)].all()


def test_the_rate_shortens_the_line(teacher: KokoroTeacher, front_end: FrontEnd) -> None:
    slow, fast = (
        len(teacher.synthesize(request(front_end, ENGLISH, "en", rate=r)).audio) for r in (0.7, 1.5)
    )
    assert fast < 0.7 * slow


@pytest.mark.parametrize(("text", "language"), [(ENGLISH, "en"), (CHINESE, "zh"), (JAPANESE, "ja")])
def test_lengths_are_told_before_and_after_they_are_rounded(
    teacher: KokoroTeacher, front_end: FrontEnd, text: str, language: str
) -> None:
    line = request(front_end, text, language, rate=1.13)
    predicted, spoken = teacher.lengths(line)
    starts, _ = teacher.predict(line)
    assert np.allclose(spoken[1:], np.diff(starts)[1:])  # the first begins before its label
    sounding = spoken > 0
    assert np.array_equal(sounding, predicted > 0)
    off = np.abs(predicted - spoken)[sounding]
    assert 0 < off.max() < 2 * FRAME / SAMPLE_RATE  # half a frame for each token
    assert not np.allclose(predicted, spoken)


def test_the_same_request_gives_the_same_sound(teacher: KokoroTeacher, front_end: FrontEnd) -> None:
    first, again = (teacher.synthesize(request(front_end, JAPANESE, "ja", "happy")) for _ in range(2))
    assert np.array_equal(first.audio, again.audio)


# --- Voices and emotions ---


def test_voices_are_mixed_by_their_proportions(folder: Path, front_end: FrontEnd) -> None:
    asked = request(front_end, ENGLISH, "en")
    plain, mixed = (
        make_teacher(settings(folder, voices=voices)).synthesize(asked)
        for voices in ({"am_michael": 1.0}, {"am_michael": 3.0, "jf_alpha": 1.0})
    )
    assert plain.prosody is not None and mixed.prosody is not None
    assert mixed.prosody.f0.mean() - plain.prosody.f0.mean() == pytest.approx(25.0, abs=0.1)


@pytest.mark.parametrize("emotion", ["happy", "sad", "angry"])
def test_an_emotion_moves_what_it_says(
    folder: Path, teacher: KokoroTeacher, front_end: FrontEnd, emotion: str
) -> None:
    manner = settings(folder).emotions[emotion]
    calm, moved = (teacher.synthesize(request(front_end, ENGLISH, "en", e)) for e in ("neutral", emotion))
    shift = voiced(moved).mean() - voiced(calm).mean()
    assert shift == pytest.approx(np.log(manner.f0_mean), abs=0.02)
    assert voiced(moved).std() / voiced(calm).std() == pytest.approx(manner.f0_range, abs=0.05)
    assert np.abs(moved.audio).max() == pytest.approx(LEVEL * 10 ** (manner.gain_db / 20), rel=0.01)
    assert (len(moved.audio) < len(calm.audio)) == (manner.rate > 1)


def test_the_sound_has_the_pitch_that_is_told(teacher: KokoroTeacher, front_end: FrontEnd) -> None:
    line = teacher.synthesize(request(front_end, ENGLISH, "en", "happy"))
    assert line.prosody is not None
    steps = line.audio.reshape(-1, PITCH_STEP)
    sounding = (np.abs(steps) > 0).mean(axis=1) > 0.9
    crossings = np.diff(np.signbit(steps), axis=1)[sounding].sum() / 2
    seconds = sounding.sum() * (PITCH_STEP - 1) / SAMPLE_RATE
    assert crossings / seconds == pytest.approx(line.prosody.f0[sounding].mean(), rel=0.03)


def test_chinese_keeps_its_tones_when_sad(teacher: KokoroTeacher, front_end: FrontEnd) -> None:
    calm, sad = (teacher.synthesize(request(front_end, CHINESE, "zh", e)) for e in ("neutral", "sad"))
    assert voiced(sad).std() / voiced(calm).std() == pytest.approx(0.75, abs=0.05)


def test_japanese_is_given_its_accent(teacher: KokoroTeacher, front_end: FrontEnd) -> None:
    asked = request(front_end, JAPANESE, "ja")
    _, guessed = teacher.predict(asked)
    told = teacher.synthesize(asked).prosody
    assert told is not None
    assert not np.allclose(guessed.f0, told.f0, rtol=0.02)


def test_what_is_said_and_how_is_in_the_delivery(folder: Path, front_end: FrontEnd) -> None:
    asked = request(front_end, ENGLISH, "en", "happy")
    deliveries = {
        make_teacher(made).delivery(asked)
        for made in (
            settings(folder),
            settings(folder, voices={"jf_alpha": 1.0}),
            settings(folder, emotions={"neutral": {}, "happy": {"f0_mean": 1.5}}),
        )
    }
    assert len(deliveries) == 3
    assert "am_michael" in make_teacher(settings(folder)).origin().credit


# --- Errors ---


def test_an_empty_folder_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(TeacherError, match="sovits-distill kokoro"):
        make_teacher(settings(tmp_path))


def test_an_unknown_voice_names_the_known_ones(folder: Path) -> None:
    with pytest.raises(TeacherError, match=r"no voice 'nobody'; it has .*af_heart"):
        make_teacher(settings(folder, voices={"nobody": 1.0}))


def test_a_damaged_part_is_noticed(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    path = tmp_path / "model" / "sound.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(TeacherError, match=r"sound\.onnx is missing or damaged"):
        make_teacher(settings(tmp_path / "model")).rehearse()


def test_a_part_that_is_no_graph_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_model(tmp_path / "model")
    monkeypatch.setattr("distill.teachers.kokoro_network.read_checked", lambda folder, name: b"no graph")
    with pytest.raises(TeacherError, match="cannot read a part"):
        make_teacher(settings(tmp_path / "model")).rehearse()


def test_an_unknown_emotion_names_the_known_ones(teacher: KokoroTeacher, front_end: FrontEnd) -> None:
    with pytest.raises(TeacherError, match=r"no emotion 'bored'.*neutral, happy"):
        teacher.synthesize(request(front_end, ENGLISH, "en", "bored"))


def test_emotions_without_neutral_are_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="neutral, which sets the level"):
        settings(folder, emotions={"happy": {}})


# --- The real one ---


@pytest.mark.models
def test_kokoro_itself_says_a_line_as_long_as_it_tells(front_end: FrontEnd) -> None:
    teacher = make_teacher(KokoroSettings(kind="kokoro", voices={"am_michael": 1.0, "zm_yunxi": 1.0}))
    for text, language in ((ENGLISH, "en"), (CHINESE, "zh"), (JAPANESE, "ja")):
        line = teacher.synthesize(request(front_end, text, language))
        assert line.prosody is not None
        assert len(line.prosody.f0) * PITCH_STEP == len(line.audio)
        assert 1.0 < len(line.audio) / SAMPLE_RATE < 5.0
        assert 80 < np.median(line.prosody.f0[line.prosody.f0 > 60]) < 180


def test_the_graph_is_valid() -> None:
    onnx.checker.check_model(graph())
