"""The engine in a child process, and every way in which the child can be lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.engine.base import (
    PLAY,
    PREPARE,
    RENDER,
    EngineAlert,
    EngineDown,
    EngineLevels,
    EngineUp,
    LineChunk,
    LineDone,
    LineError,
    LineReady,
)
from edge.engine.source import VoiceSource
from edge.synthesizer import SpeechRequest, Synthesizer
from tests.edge.daemon.broker import wait_until
from tests.edge.daemon.stand_in import UNSPEAKABLE
from tests.edge.engine.bench import FAULTY, LIMIT_S, ROOT, TEXT, TINY, Bench, children

pytestmark = pytest.mark.slow


def test_a_line_comes_out_as_without_a_child(start: Callable[..., Bench], tiny: Synthesizer) -> None:
    bench = start(VoiceSource(TINY))
    request = SpeechRequest(
        "你好。[mark:door]Welcome to the show! [pause:10s][pause:10s][pause:10s][pause:10s]こんにちは。",
        "noah",
    )
    bench.engine.start("a", request, PLAY)
    done = bench.ended("a")
    assert isinstance(done, LineDone) and done.synthesis_ms > 0
    expected = list(tiny.stream(tiny.prepare(request)))
    received = [message.chunk for message in bench.of(LineChunk, "a")]
    assert len(received) == len(expected)
    for ours, theirs in zip(received, expected, strict=True):
        assert np.array_equal(ours.samples, theirs.samples) and ours.timeline == theirs.timeline
        assert (ours.start, ours.final, ours.marks) == (theirs.start, theirs.final, theirs.marks)
    assert bench.of(LineReady)[0].n_phrases == 3
    up = bench.of(EngineUp)[0].voice
    assert up.identity == tiny.bundle.identity and up.characters == tiny.bundle.manifest.characters


@pytest.mark.parametrize(
    "fault",
    [
        "SIGKILL",
        "SIGSEGV",
        "SIGABRT",
        "SIGSTOP",
        "exit",
        "hang",
        "runner",
        "broken pipe",
        "nonsense",
        "out of bounds",
    ],
)
def test_a_child_that_is_lost_costs_one_try_and_no_sound(start: Callable[..., Bench], fault: str) -> None:
    bench = start(faults={TEXT: [fault]}, hangs=fault in ("SIGSTOP", "hang"))
    bench.say("a")
    assert isinstance(bench.ended("a"), LineDone)
    assert bench.is_whole("a")
    alerts = bench.wait(EngineAlert, n=2) and bench.of(EngineAlert)
    assert alerts[0].fault and alerts[1].fault == "" and len(alerts) == 2
    assert len(bench.of(EngineUp)) == 1  # the voice is the same: nothing that was kept of it is thrown away


@pytest.mark.parametrize(
    ("fault", "code"), [("SIGSEGV", "runner_error"), ("hang", "runner_timeout"), ("runner", "runner_error")]
)
def test_a_line_that_always_fails_ends_after_two_tries_and_others_go_on(
    start: Callable[..., Bench], fault: str, code: str
) -> None:
    bench = start(faults={TEXT: [fault] * 9}, hangs=fault == "hang")
    bench.say("bad")
    bench.say("good", "another line, which waits", PREPARE)
    error = bench.ended("bad")
    assert (error.code, error.stage) == (code, "synthesis")
    assert isinstance(bench.ended("good"), LineDone) and bench.is_whole("good", "another line, which waits")
    assert len(bench.of((LineDone, LineError), "bad")) == 1
    (tmp,) = Path(bench.settings["folder"]).glob(f"{TEXT.encode().hex()[:100]}.count")
    assert tmp.stat().st_size == 2


def test_a_character_is_measured_before_its_first_line_and_not_again(
    start: Callable[..., Bench], tmp_path: Path
) -> None:
    bench = start(VoiceSource(TINY, state_dir=tmp_path, levels=True))
    up = bench.of(EngineUp)[0].voice
    assert up.levels == {} and len(up.unmeasured) == len(up.characters)
    bench.engine.start("a", SpeechRequest("Good evening.", "mei"), PLAY)
    bench.ended("a")
    kinds = [type(message) for message in bench.messages]
    before = bench.messages[: kinds.index(LineChunk)]
    assert any("mei" in message.levels for message in before if isinstance(message, EngineLevels))
    wait_until(lambda: len(bench.of(EngineLevels)[-1].levels) == len(up.characters), LIMIT_S)
    learnt = bench.of(EngineLevels)[-1]
    n_told = len(bench.of(EngineLevels))
    bench.signal(signal.SIGKILL)
    bench.wait(EngineAlert, n=2)
    bench.engine.start("b", SpeechRequest("Good evening.", "mei"), PLAY)
    bench.ended("b")
    assert len(bench.of(EngineUp)) == 1
    assert bench.of(EngineLevels)[n_told:] == [learnt], "told once by the new one, from what was kept"


def test_a_long_text_is_played_before_its_phrases_are_counted(
    start: Callable[..., Bench], tiny: Synthesizer
) -> None:
    bench = start(VoiceSource(TINY))
    request = SpeechRequest("They left the old house by night. " * 8, "noah")
    expected = list(tiny.stream(tiny.prepare(request)))
    bench.engine.start("long", request, PLAY)
    assert isinstance(bench.ended("long"), LineDone)
    assert bench.of(LineReady, "long")[0].n_phrases is None
    heard = [message.chunk for message in bench.of(LineChunk, "long")]
    assert sum(chunk.timeline is not None for chunk in heard) == 8
    assert sum(len(chunk.samples) for chunk in heard) == sum(len(chunk.samples) for chunk in expected)


def test_a_child_that_dies_or_stops_while_idle_is_replaced_before_anyone_needs_it(
    start: Callable[..., Bench],
) -> None:
    bench = start(hangs=True)
    for n, number in enumerate((signal.SIGKILL, signal.SIGSTOP), 1):
        before = bench.signal(number)
        wait_until(lambda: bench.engine.pid not in (before, None), LIMIT_S, what="another child")  # noqa: B023
        bench.wait(EngineAlert, n=2 * n)
        bench.say(f"after {n}")
        assert isinstance(bench.ended(f"after {n}"), LineDone) and bench.is_whole(f"after {n}")
    faults = [alert.fault for alert in bench.of(EngineAlert)]
    assert "SIGKILL (out of memory?)" in faults[0] and "hangs" in faults[2] and faults[1] == faults[3] == ""


def test_a_spare_takes_over_and_one_that_died_does_not_matter(start: Callable[..., Bench]) -> None:
    bench = start()
    for n in range(2):
        wait_until(lambda: len(children()) == 2, LIMIT_S, what="a spare")
        (spare,) = set(children()) - {bench.engine.pid}
        if n == 1:
            os.kill(spare, signal.SIGKILL)
        bench.signal(signal.SIGKILL)
        bench.say(f"{n}")
        assert isinstance(bench.ended(f"{n}"), LineDone)
        assert (bench.engine.pid == spare) == (n == 0)


def test_a_spare_that_dies_as_it_takes_over_costs_no_line(start: Callable[..., Bench]) -> None:
    bench = start()
    engine = bench.engine
    wait_until(lambda: len(children()) == 2, LIMIT_S, what="a spare")
    (spare,) = set(children()) - {engine.pid}
    os.kill(spare, signal.SIGSTOP)
    bench.signal(signal.SIGKILL)
    bench.say("a")
    wait_until(lambda: engine._coming is not None and engine._coming.pid == spare, LIMIT_S)
    os.kill(spare, signal.SIGKILL)
    assert isinstance(bench.ended("a"), LineDone) and bench.is_whole("a")
    assert not bench.of(EngineDown)


def test_restart_replaces_the_child(start: Callable[..., Bench]) -> None:
    bench = start()
    before = bench.engine.pid
    assert bench.engine.restart() is True
    wait_until(lambda: bench.engine.pid not in (before, None), LIMIT_S, what="another child")
    wait_until(lambda: before not in children(), LIMIT_S, what="end of the old child")


def test_faults_of_a_line_are_the_line_s_and_cost_no_child(start: Callable[..., Bench]) -> None:
    bench = start()
    before = bench.engine.pid
    for text, code, stage in (
        (UNSPEAKABLE, "text_unspeakable", "text"),
        ("it explodes", "internal", "synthesis"),
    ):
        bench.say(text, text)
        error = bench.ended(text)
        assert (error.code, error.stage) == (code, stage)
    bench.say("odd", "an odd line")
    bench.ended("odd")
    assert bench.of(LineReady, "odd")[0].warnings == ("sounds odd",)
    assert bench.engine.pid == before and not bench.of(EngineAlert)


@pytest.mark.parametrize("n_nan", [1, 2, 9])
def test_nan_is_never_heard(start: Callable[..., Bench], tiny: Synthesizer, n_nan: int) -> None:
    """One NaN or two: the second try, in a child that has not begun to rave, gives the right sound."""
    bench = start(bundle=str(TINY), n_nan=n_nan)
    text = "The rain stopped before dawn."
    bench.say("a", text)
    last = bench.ended("a")
    if n_nan == 1:
        expected = tiny.synthesize(SpeechRequest(text, "noah")).audio
        assert np.abs(bench.samples("a").astype(int) - expected).max() <= 1
    else:
        assert isinstance(last, LineError) and last.code == "runner_error" and "NaN" in last.message
    assert "NaN" in bench.of(EngineAlert)[0].fault


def test_the_urgent_line_overtakes_and_a_cancelled_one_is_silent(start: Callable[..., Bench]) -> None:
    bench = start(chunk_delay_s=0.01)
    bench.say("slow", "a long line " * 40, PREPARE)
    bench.wait(LineChunk, "slow")
    bench.say("quick", "now")
    bench.say("gone", "a long line " * 40, RENDER)
    bench.engine.cancel("gone")
    bench.engine.cancel("never heard of")
    bench.ended("quick")
    assert not bench.of((LineDone, LineError), "slow") and not bench.of(LineChunk, "gone")
    bench.ended("slow")
    assert bench.is_whole("slow", "a long line " * 40)
    bench.say("gone", "the id again")
    bench.ended("gone")
    assert bench.is_whole("gone", "the id again")


def test_reload_goes_on_beside_the_line_and_the_old_child_is_given_back(start: Callable[..., Bench]) -> None:
    text = "a long line " * 40
    bench = start(held=text)
    before = bench.engine.pid
    bench.say("old", text)
    bench.wait(LineChunk, "old")
    bench.engine.reload()
    bench.wait(EngineUp, n=2)
    assert not bench.of(LineDone, "old") and bench.engine.pid != before
    bench.say("new")
    bench.ended("new")
    assert not bench.of(LineDone, "old")  # two voices at the same time
    (Path(bench.settings["folder"]) / "go").touch()
    bench.ended("old")
    assert bench.is_whole("old", text) and bench.is_whole("new")
    wait_until(lambda: before not in children(), LIMIT_S, what="end of the old child")
    assert len(bench.of(EngineUp)) == 2 and not bench.of(EngineAlert)


def test_a_failed_reload_keeps_the_voice(start: Callable[..., Bench]) -> None:
    bench = start(load=["", "bundle", "SIGSEGV", ""], spare=False)  # a spare that dies is made up for
    before = bench.engine.pid
    for n in (1, 2):
        bench.engine.reload()
        bench.wait(EngineDown, n=n)
    codes = [down.error.code for down in bench.of(EngineDown)]
    assert codes == ["bundle_corrupt", "runner_error"] and bench.engine.pid == before
    bench.say("a")
    assert isinstance(bench.ended("a"), LineDone)
    bench.engine.reload()
    bench.wait(EngineUp, n=2)


@pytest.mark.parametrize("fault", ["bundle", "exit", "SIGSEGV"])
def test_a_voice_that_cannot_be_loaded_at_first_is_reported(start: Callable[..., Bench], fault: str) -> None:
    bench = start(load=[fault])
    assert bench.of(EngineDown)[0].error.code == ("bundle_corrupt" if fault == "bundle" else "runner_error")
    bench.say("a")
    assert bench.ended("a").code == "runner_error"
    bench.engine.reload()
    bench.wait(EngineUp)
    bench.say("b")
    assert isinstance(bench.ended("b"), LineDone)


def test_replacements_that_do_not_start_fail_what_waits_and_are_tried_again(
    start: Callable[..., Bench],
) -> None:
    bench = start(load=["", "bundle", "exit", ""], spare=False)
    bench.signal(signal.SIGKILL)
    bench.wait(EngineAlert)
    bench.say("waits")
    assert bench.ended("waits").code == "runner_error"
    wait_until(lambda: bench.of(EngineAlert)[-1].fault == "", LIMIT_S, what="all well")
    bench.say("later")
    assert isinstance(bench.ended("later"), LineDone) and bench.is_whole("later")
    assert not bench.of(EngineDown)  # nobody asked for a load


def test_a_lost_device_falls_back_to_the_processor_and_says_so(start: Callable[..., Bench]) -> None:
    bench = start(
        load=["", "bundle"], faults={TEXT: ["runner"]}, fallback={"runner": "onnxruntime"}, runner="tensorrt"
    )
    bench.say("a")
    assert isinstance(bench.ended("a"), LineDone) and bench.is_whole("a")
    assert [up.voice.runner for up in bench.of(EngineUp)] == ["tensorrt", "onnxruntime"]
    assert "the device was lost" in bench.of(EngineAlert)[-1].fault
    assert "speaking on the processor" in bench.of(EngineAlert)[-1].fault
    bench.engine.reload()
    wait_until(lambda: bench.of(EngineAlert)[-1].fault == "", LIMIT_S, what="all well")
    assert bench.of(EngineUp)[-1].voice.runner == "tensorrt"


def test_no_line_is_sewn_together_from_two_voices(start: Callable[..., Bench]) -> None:
    bench = start(chunk_delay_s=0.02)
    bench.say("a", "a long line " * 40)
    bench.wait(LineChunk, "a")
    bench.settings["name"] = "another voice"  # for children from now on
    bench.signal(signal.SIGKILL)
    error = bench.ended("a")
    assert isinstance(error, LineError) and "another voice" in error.message
    assert [up.voice.identity for up in bench.of(EngineUp)] == ["stand-in", "another voice"]


def test_more_sound_than_the_memory_holds_arrives_whole(start: Callable[..., Bench]) -> None:
    bench = start()
    text = "y" * 2000  # 50 s; the memory holds 32 s
    bench.say("a", text)
    assert isinstance(bench.ended("a"), LineDone) and bench.is_whole("a", text)


@pytest.mark.parametrize("n_kills", [8, 50])
def test_random_kills_end_every_line_once(start: Callable[..., Bench], n_kills: int) -> None:
    """Each line is finished with the right samples, or failed with a code; which, the kills decide.

    How many are finished depends on how much a child gets done between two kills, so on the machine.
    """
    bench = start()
    choose = random.Random(n_kills)
    texts: dict[str, str] = {}
    for n in range(n_kills):
        for k in range(choose.randrange(1, 4)):
            line_id = f"{n}.{k}"
            texts[line_id] = f"line {line_id} " + "la " * choose.randrange(1, 40)
            bench.say(line_id, texts[line_id], choose.choice((PLAY, RENDER, PREPARE)))
        some_more = len(bench.messages) + choose.randrange(60)
        wait_until(
            lambda until=some_more: (
                len(bench.messages) >= until or len(bench.of((LineDone, LineError))) == len(texts)
            ),
            LIMIT_S,
        )
        bench.signal(signal.SIGKILL)
    for line_id, text in texts.items():
        last = bench.ended(line_id)
        if isinstance(last, LineDone):
            assert bench.is_whole(line_id, text), line_id
        else:
            assert last.code == "runner_error"
        assert len(bench.of((LineDone, LineError), line_id)) == 1
    assert bench.of(LineDone)


def test_the_child_dies_with_its_parent(tmp_path: Path) -> None:
    """Whether the parent is killed or the child is stopped at that moment: nothing stays behind."""
    program = textwrap.dedent(
        f"""
        import os, signal, sys, threading
        from edge.engine.process import ProcessEngine
        up = threading.Event()
        settings = {{"folder": {str(tmp_path)!r}, "faults": {{}}}}
        engine = ProcessEngine(settings, lambda message: up.set(), module={FAULTY!r})
        engine.open()
        up.wait()
        print(engine.pid, flush=True)
        if sys.argv[1] == "stopped":
            os.kill(engine.pid, signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    for how in ("running", "stopped"):
        result = subprocess.run(
            [sys.executable, "-c", program, how], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S
        )
        pid = int(result.stdout)
        wait_until(lambda: not Path(f"/proc/{pid}/cmdline").exists() or _is_zombie(pid), LIMIT_S, what="end")  # noqa: B023


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_signals_for_the_daemon_do_not_end_the_child(start: Callable[..., Bench]) -> None:
    bench = start()
    before = bench.signal(signal.SIGTERM)
    bench.signal(signal.SIGINT)
    bench.say("a")
    assert isinstance(bench.ended("a"), LineDone) and bench.engine.pid == before


def test_the_child_imports_neither_mqtt_nor_the_daemon() -> None:
    code = "import sys, edge.engine.child; print([n for n in sys.modules if n.startswith(('edge.', 'paho'))])"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=True
    )
    for name in ("edge.messages", "edge.daemon", "edge.protocols", "edge.playback", "edge.config", "paho"):
        assert f"'{name}" not in result.stdout
