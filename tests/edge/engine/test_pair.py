"""Two children: what goes where, and every way in which either can be lost."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.engine import pair as pair_module
from edge.engine.base import (
    CHECK,
    PLAY,
    PREPARE,
    RENDER,
    STREAM,
    EngineAlert,
    EngineDown,
    EngineLevels,
    EngineUp,
    LineChunk,
    LineDone,
    LineError,
    LineReady,
)
from edge.engine.paired import NICENESS
from edge.engine.source import VoiceSource
from edge.synthesizer import SpeechRequest, Synthesizer
from tests.edge.daemon.broker import wait_until
from tests.edge.engine.bench import LIMIT_S, TEXT, TINY, PairBench, children, send

pytestmark = pytest.mark.slow

Pair = Callable[..., PairBench]


def n_supervisors() -> int:
    return sum(thread.name == "engine" for thread in threading.enumerate())


def busy_until_given_up(bench: PairBench, what: str) -> list[str]:
    """Keep it busy until a second child has been of no use; gives the lines."""
    names: list[str] = []

    def given_up() -> bool:
        if sum(bool(bench.of(LineDone, name)) for name in names) >= len(names) - 2:
            names.extend(bench.fill(text="la"))
        return bench.engine._not_before > 0

    wait_until(given_up, LIMIT_S, what=what)
    return names


def of_the_engine(bench: PairBench) -> list[object]:
    """What it has told of itself and not of lines."""
    return bench.of((EngineUp, EngineDown, EngineAlert))


def test_a_second_child_comes_for_many_lines_and_goes_when_there_are_none(pair: Pair) -> None:
    bench = pair(idle_s=0.5)
    for n in range(5):
        bench.say(f"alone {n}", urgency=RENDER)
        bench.ended(f"alone {n}")
    assert children() == [bench.first], "one line at a time does not need it"
    for _ in range(3):
        second = bench.double()
        assert sorted(children()) == sorted([bench.first, second])
        assert bench.engine.pids == (bench.first, second)
        names = bench.fill(8)
        assert bench.all_whole(names) and bench.makers(names) == {bench.first, second}
        wait_until(lambda: children() == [bench.first], LIMIT_S, what="end of the second child")
        wait_until(lambda: bench.engine.pids == (bench.first,), LIMIT_S, what="end of its supervisor")
    assert len(of_the_engine(bench)) == 1
    bench.engine.close()
    assert n_supervisors() == 0


def test_what_somebody_waits_for_stays_with_the_first(pair: Pair) -> None:
    bench = pair(chunk_delay_s=0.002)
    bench.double()
    for urgency in (PLAY, STREAM, CHECK):
        unheard = bench.fill(6, urgency=PREPARE)
        heard = bench.fill(6, urgency=urgency)
        assert bench.makers(heard) <= {bench.first}
        for name in (*unheard, *heard):
            assert isinstance(bench.ended(name), LineDone)
        assert bench.makers(heard) <= {bench.first}
        assert len(bench.makers(unheard)) == 2


@pytest.mark.parametrize("processors", [2, 4])
def test_the_first_gives_up_the_processor_that_the_second_needs(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, processors: int
) -> None:
    """With two of them, threads beside that of the engine would take it away again; with four, not."""
    monkeypatch.setattr(pair_module, "_processors", lambda: processors)
    bench = pair()

    def is_crowded() -> bool:
        child = bench.engine._first._current
        assert child is not None
        return child.memory.crowded

    bench.fill(2)
    assert not is_crowded()
    bench.double()
    bench.fill(2)
    assert is_crowded() is (processors == 2)
    with bench.engine._lock:
        bench.engine._drop()
    bench.fill(1)
    assert not is_crowded()


def test_it_gives_way_and_goes_first_where_memory_runs_out(pair: Pair) -> None:
    bench = pair()
    second = bench.double()

    def score(pid: int) -> int:
        return int(Path(f"/proc/{pid}/oom_score_adj").read_text(encoding="ascii"))

    assert os.getpriority(os.PRIO_PROCESS, second) == os.getpriority(os.PRIO_PROCESS, 0) + NICENESS
    assert os.getpriority(os.PRIO_PROCESS, bench.first) == os.getpriority(os.PRIO_PROCESS, 0)
    assert score(second) > score(bench.first) > 0


def test_both_give_the_same_sound(pair: Pair, tiny: Synthesizer, tmp_path: Path) -> None:
    bench = pair(VoiceSource(TINY, threads=2, state_dir=tmp_path, levels=True))
    texts = ("你好。今天的节目开始了。", "Welcome to the show! [mark:door]It begins now.", "こんにちは。" * 9)
    sounds = []
    for text in texts:
        request = SpeechRequest(text, "noah")
        sounds.append(np.concatenate([chunk.samples for chunk in tiny.render(tiny.prepare(request))]))
    seen: set[int] = set()
    names: list[tuple[str, int]] = []

    def both_have_worked() -> bool:
        if len(names) - len(bench.of((LineDone, LineError))) < 4:
            which = len(names) % len(texts)
            names.append((f"{len(names)}", which))
            bench.engine.start(names[-1][0], SpeechRequest(texts[which], "noah"), RENDER)
            way = bench.engine._ways.get(names[-1][0])
            seen.update(() if way is None else [which + 10 * (way.engine is bench.engine._second)])
        return len(seen) == 2 * len(texts)

    wait_until(both_have_worked, LIMIT_S, what="every text from either child")
    for name, which in names:
        assert isinstance(bench.ended(name), LineDone)
        ours = bench.samples(name)
        assert ours.shape == sounds[which].shape
        assert np.abs(ours.astype(int) - sounds[which]).max() <= 1
    assert len(bench.of(EngineUp)) == 1 and not bench.of((EngineDown, EngineAlert))
    assert bench.of(EngineLevels), "whoever measures tells"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
def test_a_second_child_that_is_lost_costs_nothing(pair: Pair, number: signal.Signals) -> None:
    bench = pair(chunk_delay_s=0.01, hang_s=1.0)
    first, second = bench.first, bench.double()
    names = bench.fill(6)
    wait_until(lambda: second in bench.makers(names), LIMIT_S, what="a line in the second child")
    os.kill(second, number)
    assert bench.all_whole(names)
    assert bench.first == first and len(of_the_engine(bench)) == 1
    wait_until(lambda: bench.second not in (None, second), LIMIT_S, what="another second child")
    names = bench.fill(6)
    assert bench.all_whole(names) and bench.makers(names) == {first, bench.second}


def test_the_first_child_is_lost_while_the_second_works(pair: Pair) -> None:
    bench = pair(chunk_delay_s=0.01)
    first, second = bench.first, bench.double()
    names = [*bench.fill(6), *bench.fill(1, urgency=PLAY)]
    wait_until(lambda: bench.makers(names) == {first, second}, LIMIT_S, what="lines in both")
    os.kill(first, signal.SIGKILL)
    assert bench.all_whole(names)
    bench.wait(EngineAlert, n=2)
    assert [alert.fault != "" for alert in bench.of(EngineAlert)] == [True, False]
    assert bench.second == second and bench.first != first


def test_a_line_that_kills_its_child_ends_in_the_second(pair: Pair) -> None:
    bench = pair(faults={TEXT: ["SIGSEGV"] * 9}, chunk_delay_s=0.005)
    first, second = bench.first, bench.double()
    names = bench.fill(2)  # one each
    bench.say("here", "somebody for the first", RENDER)
    bench.say("bad", TEXT, RENDER)
    others = bench.fill(4)
    error = bench.ended("bad")
    assert (error.code, error.stage) == ("runner_error", "synthesis")
    assert bench.all_whole([*names, *others]) and bench.is_whole("here", "somebody for the first")
    assert {pid for pid, text in bench.made() if text == TEXT} != {first}
    assert bench.first == first and len(of_the_engine(bench)) == 1 and second


def test_a_second_child_that_cannot_load_is_not_tried_again_soon(pair: Pair) -> None:
    bench = pair(load=["", "bundle"])
    names = busy_until_given_up(bench, "a second child that does not load") + bench.fill(30)
    assert bench.all_whole(names) and bench.makers(names) == {bench.first}
    wait_until(lambda: children() == [bench.first], LIMIT_S, what="end of the second child")
    assert len(of_the_engine(bench)) == 1 and bench.engine._second is None


def test_lines_of_a_second_child_that_does_not_come_back_go_on_in_the_first(pair: Pair) -> None:
    bench = pair(load=["", "", *["bundle"] * 9], chunk_delay_s=0.01, faults={TEXT: ["SIGKILL"]})
    second = bench.double()
    names = bench.fill(1)
    bench.say("guilty", TEXT, RENDER)
    names += bench.fill(4)
    assert isinstance(bench.ended("guilty"), LineDone) and bench.is_whole("guilty")
    assert bench.all_whole(names) and len(of_the_engine(bench)) == 1
    assert [pid for pid, text in bench.made() if text == TEXT] == [second, bench.first]


def become(bench: PairBench, name: str) -> None:
    """Have children from now on load another voice, which is a little louder."""
    for settings in (bench.settings, bench.engine._settings):
        settings.update(name=name, louder=1)


def voice_told(bench: PairBench, line_id: str) -> str:
    """The voice that was in use when a line was told to be ready: its sound is kept under that one."""
    (ready,) = bench.of(LineReady, line_id)
    at = next(index for index, message in enumerate(bench.messages) if message is ready)
    return str([up.voice.identity for up in bench.messages[:at] if isinstance(up, EngineUp)][-1])


def is_of_its_voice(bench: PairBench, line_id: str) -> bool:
    """Whether the sound of a line is that of the voice in use when it was told of."""
    levels = {int(level) for level in bench.samples(line_id)}
    (level,) = levels
    louder = voice_told(bench, line_id) == "another"
    from tests.edge.daemon.stand_in import level as quiet

    return level == quiet(bench.texts[line_id]) + louder


def test_no_line_is_made_with_another_voice_than_the_one_in_use(pair: Pair) -> None:
    bench = pair(chunk_delay_s=0.01)
    second = bench.double()
    names = bench.fill(12)
    become(bench, "another")
    bench.engine.reload()
    while len(bench.of(EngineUp)) < 2:
        names += bench.fill(1)
        bench.ended(names[-6])
    for name in names:
        assert isinstance(bench.ended(name), LineDone)
        assert is_of_its_voice(bench, name), name
    assert {voice_told(bench, name) for name in names} == {"stand-in", "another"}
    wait_until(lambda: second not in children(), LIMIT_S, what="end of the second child")
    bench.double()
    names = bench.fill(8)
    assert all(isinstance(bench.ended(name), LineDone) and is_of_its_voice(bench, name) for name in names)
    assert len(bench.of(EngineUp)) == 2 and not bench.of((EngineDown, EngineAlert))


def test_a_second_child_with_another_voice_gets_no_line(pair: Pair) -> None:
    """The files have changed, and nobody has asked for a reload."""
    bench = pair()
    become(bench, "another")
    names = busy_until_given_up(bench, "a second child with another voice") + bench.fill(20)
    assert all(isinstance(bench.ended(name), LineDone) and is_of_its_voice(bench, name) for name in names)
    assert bench.makers(names) == {bench.first} and len(of_the_engine(bench)) == 1


def test_the_second_child_stays_where_a_reload_changes_nothing(pair: Pair) -> None:
    bench = pair()
    second = bench.double()
    bench.engine.reload()
    bench.wait(EngineUp, n=2)
    names = bench.fill(8)
    assert bench.all_whole(names) and second in bench.makers(names)
    assert bench.second == second


@pytest.mark.parametrize("is_up", [True, False])
def test_unload_leaves_no_child_with_a_voice(pair: Pair, is_up: bool) -> None:
    bench = pair(chunk_delay_s=0.01, load=[""] if is_up else ["", "hang"])
    first = bench.first
    if is_up:
        bench.double()
    else:
        wait_until(lambda: bench.fill(1) and bench.engine._second is not None, LIMIT_S, what="its start")
        wait_until(lambda: len(children()) == 2, LIMIT_S, what="a child that loads")
    names = bench.fill(8)
    bench.engine.unload()
    n_told = len(bench.messages)
    wait_until(lambda: not children(), LIMIT_S, what="end of every child")
    wait_until(lambda: bench.engine.pids == (), LIMIT_S, what="end of the supervisors")
    assert bench.engine._second is None
    assert len(bench.messages) == n_told, "nothing follows"
    bench.say("late", urgency=RENDER)
    assert bench.ended("late").message == "no voice is loaded"
    bench.settings["load"] = bench.engine._settings["load"] = []
    bench.engine.reload()
    bench.wait(EngineUp, n=2)
    names = bench.fill(4)
    assert bench.all_whole(names) and bench.first != first


def test_a_line_with_which_a_child_hangs_costs_that_child(pair: Pair) -> None:
    bench = pair(held="stuck in the second", chunk_delay_s=0.002)
    first, second = bench.first, bench.double()
    names = bench.fill(1)
    bench.say("stuck", "stuck in the second", RENDER)
    wait_until(lambda: bench.of(LineChunk, "stuck"), LIMIT_S, what="sound")
    bench.engine.cancel("stuck")
    assert bench.engine.restart("stuck") is True
    wait_until(lambda: second not in children(), LIMIT_S, what="end of the second child")
    assert bench.all_whole(names) and bench.first == first
    assert bench.engine.restart("nobody knows") is True
    wait_until(lambda: first not in children(), LIMIT_S, what="end of the first child")


@pytest.mark.parametrize("seed", [1, 2])
def test_random_kills_of_both_end_every_line_once(pair: Pair, seed: int) -> None:
    bench = pair(idle_s=1.0, chunk_delay_s=0.001)
    choose = random.Random(seed)
    names: list[str] = []
    for _ in range(25):
        urgency = choose.choice((PLAY, RENDER, RENDER, RENDER, PREPARE))
        names += bench.fill(choose.randrange(1, 6), "la " * choose.randrange(1, 40), urgency)
        for name in choose.sample(names, 1):
            bench.engine.cancel(name)
        until = len(bench.messages) + choose.randrange(80)
        wait_until(
            lambda until=until: len(bench.messages) >= until or not bench.engine._ways,  # type: ignore[misc]
            LIMIT_S,
        )
        pids = bench.engine.pids
        if pids and choose.random() < 0.7:
            send(choose.choice(pids), signal.SIGKILL)  # it may be gone, and not missed yet
    wait_until(lambda: not bench.engine._ways, LIMIT_S, what="end of every line")
    for name in names:
        ends = bench.of((LineDone, LineError), name)
        assert len(ends) <= 1, name
        if ends and isinstance(ends[0], LineDone):
            assert bench.is_whole(name, bench.texts[name]), name
    assert bench.of(LineDone)


def test_it_does_not_grow(pair: Pair) -> None:
    bench = pair(idle_s=0.5)

    def held() -> tuple[int, int]:
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
        return descriptors, int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])

    for n in range(10):
        bench.double()
        wait_until(lambda: children() == [bench.first], LIMIT_S, what="end of the second child")
        wait_until(lambda: n_supervisors() == 1, LIMIT_S, what="end of its supervisor")
        bench.messages.clear()  # with their sound
        if n == 3:
            settled = held()
    descriptors, pages = held()
    assert descriptors <= settled[0] and (pages - settled[1]) * 4096 < 4e6
    assert len(bench.engine._engines()) <= 2
