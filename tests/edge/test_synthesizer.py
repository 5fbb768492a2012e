"""The main path on the tiny voice: real text, real networks, random weights."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from edge.audio import AudioChunk
from edge.errors import RequestError, RunnerError, TextError
from edge.lipsync.timeline import concatenate
from edge.runners import EncoderInputs, Runner
from edge.runners.ort import OnnxRuntimeRunner
from edge.spec import HOP_LENGTH, SAMPLE_RATE
from edge.synthesizer import PreparedLine, SpeechRequest, Synthesizer
from tests.edge.daemon.broker import wait_until

TINY = Path(__file__).parents[1] / "data" / "tiny_voice"
LONG = "The rain stopped before dawn, and the old keeper walked slowly down to the harbour. Who is there?"


@pytest.fixture(scope="module")
def voice() -> Synthesizer:
    return Synthesizer.load(TINY, threads=1)


def request(text: str = LONG, **options: object) -> SpeechRequest:
    return SpeechRequest(text, **{"character": "noah", **options})  # type: ignore[arg-type]


def chunks_of(voice: Synthesizer, asked: SpeechRequest) -> list[AudioChunk]:
    return list(voice.stream(voice.prepare(asked)))


def joined(chunks: list[AudioChunk]) -> np.ndarray:
    return np.concatenate([chunk.samples for chunk in chunks])


def test_stream_equals_the_whole_line_within_one_step(voice: Synthesizer) -> None:
    chunks = chunks_of(voice, request())
    whole = voice.synthesize(request())
    assert len(chunks) > 3
    assert np.abs(joined(chunks).astype(int) - whole.audio).max() <= 1


def test_windows_on_two_threads_give_the_same_sound(voice: Synthesizer) -> None:
    with_two = Synthesizer.load(TINY, threads=2)
    for _ in range(3):
        assert (
            np.abs(
                joined(chunks_of(with_two, request())).astype(int) - voice.synthesize(request()).audio
            ).max()
            <= 1
        )
    with_two.close()


def test_chunks_follow_each_other_and_only_the_last_is_final(voice: Synthesizer) -> None:
    chunks = chunks_of(voice, request())
    ends = [chunk.start + len(chunk.samples) for chunk in chunks]
    assert [chunk.start for chunk in chunks] == [0, *ends[:-1]]
    assert [chunk.final for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert all(chunk.samples.dtype == np.int16 and len(chunk.samples) for chunk in chunks)


def test_first_chunk_is_short(voice: Synthesizer) -> None:
    first = chunks_of(voice, request())[0]
    assert len(first.samples) <= voice.bundle.manifest.first_window_frames * HOP_LENGTH


def test_sound_is_audible_and_does_not_clip(voice: Synthesizer) -> None:
    audio = voice.synthesize(request(volume=2.0)).audio
    assert np.abs(audio.astype(int)).max() < 32767
    assert audio.std() > 300


def test_the_same_request_gives_the_same_sound(voice: Synthesizer) -> None:
    assert np.array_equal(voice.synthesize(request()).audio, voice.synthesize(request()).audio)


def test_segments_cover_the_line_without_gap(voice: Synthesizer) -> None:
    chunks = chunks_of(voice, request("Go. [pause:250ms]Stop now! Wait."))
    segments = [chunk.timeline for chunk in chunks if chunk.timeline is not None]
    assert len(segments) == 3
    visemes = concatenate(segments).visemes
    assert visemes[0].t == 0
    assert all(abs(left.end - right.t) < 2e-4 for left, right in pairwise(visemes))
    assert abs(visemes[-1].end - len(joined(chunks)) / SAMPLE_RATE) < 2e-4
    assert [word.text for word in concatenate(segments).words] == ["Go", "Stop", "now", "Wait"]


def test_a_segment_comes_with_the_first_sound_that_it_describes(voice: Synthesizer) -> None:
    for chunk in chunks_of(voice, request()):
        if chunk.timeline is not None:
            assert abs(chunk.timeline.visemes[0].t - chunk.start / SAMPLE_RATE) < 2e-4


def test_pause_is_digital_silence_of_its_length(voice: Synthesizer) -> None:
    with_pause = voice.synthesize(request("Stop.[pause:500ms]Go."))
    silence = np.flatnonzero(np.abs(with_pause.audio) > 0)
    longest = np.diff(silence).max()
    assert abs(longest - 0.5 * SAMPLE_RATE) < 0.02 * SAMPLE_RATE


def test_pause_at_either_end_is_kept(voice: Synthesizer) -> None:
    bare = voice.synthesize(request("Go.")).audio
    padded = voice.synthesize(request("[pause:100ms]Go.[pause:200ms]")).audio
    assert len(padded) == len(bare) + round(0.3 * SAMPLE_RATE)
    assert np.array_equal(padded[3200 : 3200 + len(bare)], bare)


def test_marks_come_in_order_at_their_place(voice: Synthesizer) -> None:
    text = "[mark:start]Hello [mark:middle]world.[mark:before][pause:300ms][mark:after]Bye.[mark:end]"
    speech = voice.synthesize(request(text))
    at = {mark.name: mark.sample for mark in speech.marks}
    words = {word.text: word.t for word in speech.timeline.words}
    assert list(at) == ["start", "middle", "before", "after", "end"]
    assert abs(at["middle"] / SAMPLE_RATE - words["world"]) < 1e-3
    assert abs(at["start"] / SAMPLE_RATE - words["Hello"]) < 1e-3
    assert at["after"] - at["before"] >= 0.3 * SAMPLE_RATE
    assert at["end"] == len(speech.audio)


def test_marks_travel_with_the_chunk_that_reaches_them(voice: Synthesizer) -> None:
    chunks = chunks_of(voice, request("Hello [mark:a]world, this is [mark:b]a test.[mark:c]"))
    found = [(mark, chunk) for chunk in chunks for mark in chunk.marks]
    assert [mark.name for mark, _ in found] == ["a", "b", "c"]
    for mark, chunk in found:
        assert chunk.start <= mark.sample <= chunk.start + len(chunk.samples)


def test_a_tag_inside_a_word_does_not_change_its_reading(voice: Synthesizer) -> None:
    plain = voice.prepare(request("unbelievable")).phrases
    tagged = voice.prepare(request("unbe[mark:x]liev[emotion:sad]able")).phrases
    assert [phrase.symbols for phrase in tagged] == [phrase.symbols for phrase in plain]


def test_emotion_changes_the_sound_and_neutral_strength_does_not(voice: Synthesizer) -> None:
    neutral = voice.synthesize(request(emotion="neutral")).audio
    sad = voice.synthesize(request(emotion="sad", emotion_strength=1.5)).audio
    none = voice.synthesize(request(emotion="sad", emotion_strength=0.0)).audio
    assert not np.array_equal(sad[: len(neutral)], neutral[: len(sad)])
    assert np.abs(none.astype(int) - neutral).max() <= 1


def test_missing_emotion_falls_back_with_a_warning(voice: Synthesizer) -> None:
    line = voice.prepare(request("Hello. [emotion:angry]Stop!", character="ava"))
    assert {phrase.emotion for phrase in line.phrases} == {"neutral", "happy"}
    assert any("angry" in warning and "happy" in warning for warning in line.warnings)
    plain = voice.prepare(request("Hello [emotion:sad]there.", character="claire"))
    assert len(plain.phrases) == 1  # nothing to change to, so nothing is cut


def test_a_language_outside_the_training_is_spoken_with_a_warning(voice: Synthesizer) -> None:
    assert any(
        "accent" in warning for warning in voice.prepare(request("你好。", character="claire")).warnings
    )


@pytest.mark.parametrize("rate", [0.5, 2.0])
def test_rate_changes_length_not_pitch(voice: Synthesizer, rate: float) -> None:
    normal, changed = (voice.synthesize(request("Hello world", rate=r)).audio for r in (1.0, rate))
    assert abs(len(changed) * rate / len(normal) - 1) < 0.15


def test_volume_zero_is_silence(voice: Synthesizer) -> None:
    assert not voice.synthesize(request(volume=0.0)).audio.any()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"character": "nobody"}, "unknown_character"),
        ({"character": ""}, "unknown_character"),
        ({"rate": 2.5}, "bad_request"),
        ({"pitch": float("nan")}, "bad_request"),
        ({"volume": -1.0}, "bad_request"),
        ({"emotion_strength": 1.6}, "bad_request"),
    ],
)
def test_bad_requests_are_refused(voice: Synthesizer, options: dict[str, object], code: str) -> None:
    with pytest.raises(RequestError) as caught:
        voice.prepare(request(**options))
    assert caught.value.code == code


def test_bad_text_is_refused(voice: Synthesizer) -> None:
    with pytest.raises(TextError):
        voice.prepare(request("[dance:now]Hello", markup="strict"))
    with pytest.raises(TextError):
        voice.prepare(request("   "))


def test_cancelling_stops_between_windows(voice: Synthesizer) -> None:
    line = voice.prepare(request())
    received: list[AudioChunk] = []
    for chunk in voice.stream(line, lambda: len(received) >= 2):
        received.append(chunk)
    assert len(received) == 2
    assert not received[-1].final


def test_an_abandoned_stream_does_not_disturb_the_next(voice: Synthesizer) -> None:
    expected = voice.synthesize(request()).audio
    stream = voice.stream(voice.prepare(request("Something else entirely, quite long.")))
    next(stream)
    assert np.array_equal(joined(chunks_of(voice, request()))[:4000], expected[:4000])
    next(stream)


def test_the_encoder_of_a_phrase_runs_when_its_turn_comes(voice: Synthesizer) -> None:
    counted = _CountingRunner(voice)
    synthesizer = Synthesizer(voice.bundle, counted, voice._front_end)
    stream = synthesizer.stream(synthesizer.prepare(request("One. Two. Three.")))
    next(stream)
    assert counted.encoded == 1
    assert sum(1 for _ in stream) >= 2
    assert counted.encoded == 3


def test_nothing_is_computed_beside_the_first_sound_but_everything_else_side_by_side(
    voice: Synthesizer,
) -> None:
    counted = _CountingRunner(voice, threads=2)
    with closing(Synthesizer(voice.bundle, counted, voice._front_end)) as synthesizer:
        stream = synthesizer.stream(synthesizer.prepare(request()))
        next(stream)
        time.sleep(0.05)
        assert counted.decoded == 1
        assert counted.most_at_once == 1
        counted.expected_at_once = 2
        assert sum(1 for _ in stream) >= 2
        assert counted.most_at_once == 2
        lengths = set()
        for rate in (0.97, 0.98, 0.99, 1.0, 1.01):
            counted.most_at_once = 0
            speech = synthesizer.synthesize(request("The rain stopped before dawn.", rate=rate))
            assert counted.most_at_once == 2
            lengths.add(len(speech.audio) // HOP_LENGTH % 2)
        assert lengths == {0, 1}  # frames that two windows share evenly, and that they do not


def test_the_next_phrase_is_computed_beside_the_one_before(voice: Synthesizer) -> None:
    expected = voice.synthesize(request("One more. Two more. Three more. Four.")).audio
    counted = _CountingRunner(voice, threads=2)
    with closing(Synthesizer(voice.bundle, counted, voice._front_end, marked=True)) as synthesizer:
        counted.expected_at_once = 2
        stream = synthesizer.stream(synthesizer.prepare(request("One more. Two more. Three more. Four.")))
        heard = [next(stream), next(stream)]
        wait_until(lambda: counted.most_at_once == 2, what="two phrases at once")
        heard += stream
        assert counted.encoded == 4, "each phrase is encoded once"
    marked = Synthesizer(voice.bundle, OnnxRuntimeRunner(voice.bundle, 1), voice._front_end, marked=True)
    alone = marked.synthesize(request("One more. Two more. Three more. Four.")).audio
    assert np.abs(joined(heard).astype(int) - alone).max() <= 1, "the mark lies where it would lie"
    assert len(joined(heard)) == len(expected)


def test_a_line_that_nobody_hears_goes_on_behind_its_first_chunk(voice: Synthesizer) -> None:
    counted = _CountingRunner(voice, threads=2)
    with closing(Synthesizer(voice.bundle, counted, voice._front_end)) as synthesizer:
        stream = synthesizer.stream(synthesizer.prepare(request("One more. Two more.")), hold=False)
        next(stream)
        wait_until(lambda: counted.encoded == 2, what="the second phrase")
        stream.close()


def test_a_line_for_which_nobody_waits_is_under_way_before_it_is_asked_for(voice: Synthesizer) -> None:
    counted = _CountingRunner(voice, threads=2)
    with closing(Synthesizer(voice.bundle, counted, voice._front_end)) as synthesizer:
        line = synthesizer.prepare(request("The rain stopped before dawn. Two more."))
        expected = joined(list(synthesizer.stream(line)))
        counted.encoded = counted.decoded = 0
        chunks = synthesizer.render(line)
        wait_until(lambda: counted.decoded == 2, what="both phrases")
        heard = list(chunks)
        assert counted.encoded == 2 and len(heard) == counted.decoded, "a chunk for each phrase, none short"
        assert np.abs(joined(heard).astype(int) - expected).max() <= 1
        synthesizer.render(line)  # given up before it is asked for
        assert synthesizer._decoder._n_lines == 0


def test_a_line_can_be_made_on_one_thread_alone(voice: Synthesizer) -> None:
    counted = _CountingRunner(voice, threads=2)
    with closing(Synthesizer(voice.bundle, counted, voice._front_end)) as synthesizer:
        line = synthesizer.prepare(request("The rain stopped before dawn. Two more."))
        expected = joined(list(synthesizer.render(line)))
        counted.threads.clear()
        heard = joined(list(synthesizer.render(line, alone=True)))
        assert counted.threads == {threading.current_thread().name}
        assert np.abs(heard.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("broken", ["encoder", "decoder"])
@pytest.mark.parametrize("threads", [1, 2])
def test_networks_that_give_nan_are_an_error_not_noise(voice: Synthesizer, broken: str, threads: int) -> None:
    synthesizer = Synthesizer(voice.bundle, _CountingRunner(voice, broken, threads), voice._front_end)
    with pytest.raises(RunnerError, match="NaN"):
        synthesizer.synthesize(request())
    synthesizer.close()


@pytest.mark.parametrize(
    ("broken", "told"),
    [("loud", "noise"), ("silent", "silence where there should be speech"), ("slow", "not speech")],
)
def test_what_no_voice_does_is_an_error_not_sound(voice: Synthesizer, broken: str, told: str) -> None:
    with closing(Synthesizer(voice.bundle, _CountingRunner(voice, broken), voice._front_end)) as synthesizer:
        received: list[AudioChunk] = []
        with pytest.raises(RunnerError, match=told):
            received.extend(synthesizer.stream(synthesizer.prepare(request())))
        assert not any(np.abs(chunk.samples).max() > 1 for chunk in received)


def test_chinese_and_japanese_and_mixtures_are_spoken(voice: Synthesizer) -> None:
    for text in ("我本可以拯救所有人。", "今日はいい天気ですね。", "打开OK这个App。"):
        line: PreparedLine = voice.prepare(request(text))
        assert joined(list(voice.stream(line))).std() > 100


MEETING_S = 1.0


class _CountingRunner(Runner):
    """The real runner behind a counter and, if asked, a fault."""

    name = "counting"

    def __init__(self, voice: Synthesizer, broken: str = "", threads: int = 1) -> None:
        self._inner = OnnxRuntimeRunner(voice.bundle)
        self.concurrency = threads
        self._broken = broken
        self._changed = threading.Condition()
        self.expected_at_once = 1
        self.encoded = self.decoded = self.most_at_once = self._now = 0
        self.threads: set[str] = set()  # that have decoded

    def close(self) -> None:
        self._inner.close()

    def _run_encoder(self, inputs: EncoderInputs) -> list[np.ndarray]:
        self.encoded += 1
        outputs = [np.array(output) for output in self._inner._run_encoder(inputs)]
        if self._broken == "encoder":
            outputs[1][0, 2, 1] = np.nan
        if self._broken == "slow":
            outputs[0] *= 50
        return outputs

    def _run_decoder(self, hidden: np.ndarray, features: np.ndarray) -> list[np.ndarray]:
        with self._changed:
            self._now += 1
            self.decoded += 1
            self.threads.add(threading.current_thread().name)
            self.most_at_once = max(self.most_at_once, self._now)
            self._changed.notify_all()
            # Long enough to be met by whatever runs at the same time, which a busy machine may keep waiting.
            self._changed.wait_for(lambda: self.most_at_once >= self.expected_at_once, MEETING_S)
        time.sleep(0.02)
        parts = [np.array(part) for part in self._inner._run_decoder(hidden, features)]
        with self._changed:
            self._now -= 1
        if self._broken == "decoder":
            parts[0][0, 3, 700] = np.inf * 0
        if self._broken in ("loud", "silent"):
            for part in parts:
                part += 9.0 if self._broken == "loud" else -30.0
        return parts


@pytest.mark.parametrize("text", ["……", "♪", "[mark:gong]", "(转身)"])
def test_a_line_without_a_word_is_a_silence(voice: Synthesizer, text: str) -> None:
    speech = voice.synthesize(request(text))
    assert 9_000 < len(speech.audio) < 22_000
    assert not speech.audio.any()


def test_a_silent_line_has_its_length_and_fires_its_marks(voice: Synthesizer) -> None:
    speech = voice.synthesize(request("[mark:a][pause:500ms]……[mark:b]"))
    assert len(speech.audio) == speech.sample_rate // 2
    assert [(mark.name, mark.sample) for mark in speech.marks] == [("a", 0), ("b", len(speech.audio))]


def test_what_is_left_out_is_said_in_the_warnings(voice: Synthesizer) -> None:
    line = voice.prepare(request("（转身）走吧[1]。"))
    assert line.normalized == "走吧。"
    assert len([warning for warning in line.warnings if "not spoken" in warning]) == 2


def test_strict_markup_refuses(voice: Synthesizer) -> None:
    with pytest.raises(TextError, match="unknown tag"):
        voice.prepare(request("[laughs]ha", markup="strict"))


def test_a_hint_that_the_voice_lacks_is_left_out(voice: Synthesizer) -> None:
    line = voice.prepare(request("(whispering) Go."))
    assert not any("no emotion" in warning for warning in line.warnings)


def test_a_long_text_sounds_as_if_it_were_read_first(voice: Synthesizer) -> None:
    text = "He came. [pause:200ms]They left the old house by night! [mark:door]Who was it, then? 안녕 " * 4
    whole, growing = voice.prepare(request(text)), voice.prepare(request(text), at_once=True)
    assert isinstance(whole.phrases, tuple) and not isinstance(growing.phrases, tuple)
    assert growing.warnings == whole.warnings
    expected, heard = list(voice.stream(whole)), list(voice.stream(growing))
    assert [chunk.final for chunk in heard] == [chunk.final for chunk in expected]
    assert [chunk.marks for chunk in heard] == [chunk.marks for chunk in expected]
    ours, theirs = (np.concatenate([chunk.samples for chunk in chunks]) for chunks in (heard, expected))
    assert len(ours) == len(theirs) and np.abs(ours.astype(int) - theirs).max() <= 1
    assert list(growing.phrases) == list(whole.phrases)


def test_a_long_text_is_not_read_to_its_end_before_it_sounds(voice: Synthesizer) -> None:
    line = voice.prepare(request("They left the old house by night. " * 50), at_once=True)
    assert not isinstance(line.phrases, tuple)
    assert len(line.phrases._made) < 6
    assert next(voice.stream(line)).samples.size
    assert len(line.phrases._made) < 10
