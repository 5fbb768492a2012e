"""The whole run, on a corpus of a few lines: a voice of random numbers fails, the teacher itself passes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import soundfile

from distill.evaluation import evaluate, faults, likeness
from distill.evaluation.result import Check, LeftOut
from distill.evaluation.session import Session
from distill.evaluation.speakers import Student, TeacherLines, segments_from_steps, spread
from distill.evaluation.speech import Recording
from distill.manifest import Utterance
from edge.spec import SAMPLE_RATE
from edge.text import FrontEnd

from .conftest import Speak

TEXTS = {"en": ("The garden was quiet this morning.", "She left the letter on the table."),
         "zh": ("今天天气很好。", "请把门打开，谢谢你。")}  # fmt: skip


@pytest.fixture(scope="module")
def corpus(speak: Speak, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two lines in two languages by noah, neutral, happy and sad, with the times that espeak-ng tells."""
    folder = tmp_path_factory.mktemp("corpus")
    rows = []
    for language, texts in TEXTS.items():
        for text in texts:
            for emotion in ("neutral", "happy", "sad"):
                rows.append(_row(speak(text, "noah", language, emotion), len(rows), "test", folder))
            rows.append(_row(speak(text, "noah", language, rate=1.1), len(rows), "test_rate", folder))
    manifest = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "manifest.jsonl").write_text(manifest, "utf-8")
    return folder


def _row(line: Recording, number: int, split: str, folder: Path) -> dict[str, object]:
    audio = f"{number}.flac"
    soundfile.write(folder / audio, line.audio, SAMPLE_RATE)
    reading = FrontEnd().read(line.text, line.language)
    return {
        "id": str(number), "character": line.character, "language": line.language, "emotion": line.emotion,
        "text": line.text, "phonemes": ["SP", *reading.phonemes], "languages": ["en", *reading.languages],
        "word_starts": [0] * (len(reading.phonemes) + 1), "audio": audio, "split": split,
        "phoneme_times": [[s.symbol, s.start] for s in line.sounding],
    }  # fmt: skip


class Parrot(Student):
    """Plays the teacher's own lines: the student that nothing can be held against."""

    def __init__(self, bundle: Path, lines: TeacherLines) -> None:
        super().__init__(bundle)
        self._lines = lines

    def repeat(self, utterance: Utterance) -> Recording:
        return self._lines.record(utterance)


def checks(session: Session, *measures: str) -> dict[tuple[str, str], bool | None]:
    found = [one for measure in measures for one in evaluate.MEASURES[measure](session)]
    return {(one.measure, one.subject): one.passed for one in found if isinstance(one, Check)}


def left_out(session: Session, measure: str) -> dict[tuple[str, str], str]:
    found = evaluate.MEASURES[measure](session)
    return {(one.measure, one.subject): one.reason for one in found if isinstance(one, LeftOut)}


@pytest.mark.espeak
def test_the_teacher_itself_passes(corpus: Path, tiny_voice: Path) -> None:
    lines = TeacherLines(corpus)
    found = checks(Session(lines, Parrot(tiny_voice, lines)), "distance", "agreement", "emotions")

    assert found[likeness.DURATION.measure, "noah"] is True
    assert found[likeness.PITCH.measure, "noah"] is True
    assert found[likeness.DISTANCE.measure, "noah zh"] is True
    assert found[likeness.DISTANCE.measure, "noah en"] is None  # only reported
    small = {"other_pitch_db", "other_rate_db"}
    for check in likeness.distance(Session(lines, Parrot(tiny_voice, lines))):
        if isinstance(check, Check) and check.measure == likeness.DISTANCE.measure:
            yardstick = max(check.detail[key] for key in small)
            assert check.value == pytest.approx(check.detail["student_db"] / yardstick)
            assert min(check.detail[key] for key in small) > 0
    assert found[likeness.EMOTION.measure, "noah en"] is True


@pytest.mark.espeak
def test_random_numbers_fail_and_the_file_says_so(corpus: Path, tiny_voice: Path, tmp_path: Path) -> None:
    out = tmp_path / "quality.json"
    found = evaluate.run(tiny_voice, corpus, out, measures=["distance", "agreement", "windows", "faults"])
    verdicts = {(check.measure, check.subject): check.passed for check in found}

    assert verdicts[likeness.DURATION.measure, "noah"] is False
    assert verdicts[likeness.DISTANCE.measure, "noah zh"] is False
    assert verdicts[faults.STREAMED.measure, "all"] is True
    assert verdicts[faults.READING.measure, "all"] is True
    assert len(json.loads(out.read_text("utf-8"))["checks"]) == len(found)


@pytest.mark.espeak
def test_what_says_nothing_about_a_voice_is_left_out_with_the_reason(
    corpus: Path, tiny_voice: Path, tmp_path: Path
) -> None:
    """One Mandarin character, neutral, two lines, a teacher without times: as a new voice may be."""
    rows = [json.loads(line) for line in (corpus / "manifest.jsonl").read_text("utf-8").splitlines()]
    rows = [
        row for row in rows if (row["language"], row["emotion"], row["split"]) == ("zh", "neutral", "test")
    ]
    rows = [{**row, "phoneme_times": [], "audio": str(corpus / row["audio"])} for row in rows]
    (tmp_path / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    out = tmp_path / "quality.json"
    without_ears = [name for name in evaluate.MEASURES if name not in ("heard", "judged", "recognised")]
    found = evaluate.run(tiny_voice, tmp_path, out, measures=without_ears)

    assert {check.measure for check in found} == {
        target.measure
        for target in (
            likeness.DISTANCE, likeness.ENVELOPE, faults.STREAMED, faults.JOINS, faults.BROKEN,
            faults.DEAD_AIR, faults.READING, faults.SHORT,
        )
    }  # fmt: skip
    reasons = {
        (row["measure"], row["subject"]): row["reason"] for row in json.loads(out.read_text())["left_out"]
    }
    assert "speaks English" in reasons["word error above teacher", "all"]
    assert (likeness.DISTANCE.measure, "noah zh") not in reasons  # a copy at another pitch can always be made
    assert "0 syllables to learn from and 0 held out" in reasons[likeness.TONES.measure, "noah"]
    assert reasons[likeness.PITCH.measure, "noah"].startswith("0 phonemes of held-out lines are cut")
    assert "sad and happily" in reasons[likeness.EMOTION.measure, "noah zh"]
    assert "one character" in reasons[likeness.CHARACTER.measure, "all"]
    assert "no times" in reasons[likeness.ALIGNMENT.measure, "all"]


@pytest.mark.espeak
def test_without_held_out_lines_only_short_ones_are_judged(
    corpus: Path, tiny_voice: Path, tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in (corpus / "manifest.jsonl").read_text("utf-8").splitlines()]
    rows = [{**row, "split": "train", "audio": str(corpus / row["audio"])} for row in rows]
    (tmp_path / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    session = Session(TeacherLines(tmp_path), Student(tiny_voice))

    assert list(checks(session, "windows", "faults", "distance")) == [(faults.SHORT.measure, "all")]
    assert left_out(session, "windows")[faults.STREAMED.measure, "all"] == faults.NOTHING
    assert left_out(session, "distance")[likeness.ENVELOPE.measure, "noah en"] == likeness.NO_NEUTRAL


@pytest.mark.espeak
def test_words_are_judged_on_lines_that_the_recogniser_can_know(corpus: Path, tiny_voice: Path) -> None:
    session = Session(TeacherLines(corpus), Student(tiny_voice))
    reasons = left_out(session, "intelligibility")
    assert "only words that the recogniser is given" in reasons["word error above teacher", "noah"]


@pytest.mark.espeak
def test_another_reading_is_noticed(corpus: Path, tiny_voice: Path) -> None:
    session = Session(TeacherLines(corpus), Student(tiny_voice))
    line = session.teacher.find("test")[0]

    assert session.says_the_same(line)
    assert not session.says_the_same(replace(line, phonemes=(*line.phonemes[:-2], "AA1", ".")))


@pytest.mark.espeak
def test_held_out_lines_are_those_with_a_learnt_alignment(corpus: Path) -> None:
    plain = TeacherLines(corpus)
    chosen = plain.find("test")[4]
    aligned = TeacherLines(corpus, {chosen.id: [4] * len(chosen.phonemes)})

    assert aligned.held_out({}, 10) == [chosen]
    assert aligned.record(chosen).segments[1].end == pytest.approx(0.064)
    assert not aligned.record(plain.find("test")[0]).segments  # never two kinds of cut in one comparison
    chinese = plain.find("test", {"language": "zh"})
    assert plain.held_out({"language": "zh"}, 2) == [chinese[0], chinese[3]]  # spread over the list


def test_steps_become_seconds_and_pitch_marks_take_none() -> None:
    segments = segments_from_steps(("SP", "a", "]", "k"), (2, 10, 0, 5))

    assert [s.symbol for s in segments] == ["SP", "a", "k"]
    assert [s.end for s in segments] == pytest.approx([0.016, 0.096, 0.136])


@pytest.mark.espeak
def test_pictures_are_small(corpus: Path, tiny_voice: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from distill.evaluation import plots

    lines = TeacherLines(corpus)
    line = lines.record(lines.find("test")[0])
    plots.draw_line(line, line, tmp_path / "line.png")
    plots.draw_alignment({"noah en": np.linspace(-0.1, 0.1, 50)}, tmp_path / "alignment.png")

    for name in ("line.png", "alignment.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / name).stat().st_size < 200_000


def test_spectrogram_has_its_shape() -> None:
    from distill.evaluation.plots import HOP, N_FFT, spectrogram

    assert spectrogram(np.zeros(32_000, np.float32)).shape == (32_000 // HOP + 1, N_FFT // 2 + 1)


def test_speakers_of_a_language_share_its_sentences_out() -> None:
    lines = cast(Any, list(range(100)))
    shares = [spread(lines, 34, voice / 3) for voice in range(3)]
    assert set().union(*shares) == set(range(100))
    assert all(len(set(share)) == 34 for share in shares)
    assert spread(lines, 100, 0.5) == spread(lines, None, 0.5) == lines
