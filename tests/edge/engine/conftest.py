from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.engine.base import EngineDown, EngineUp
from edge.engine.source import VoiceSource
from edge.synthesizer import Synthesizer
from tests.edge.engine.bench import TINY, Bench, children


@pytest.fixture(scope="module")
def tiny() -> Iterator[Synthesizer]:
    """The tiny voice in this process, for comparison."""
    voice = VoiceSource(TINY).load()
    voice.warm_up()  # its dictionaries stay open
    yield voice
    voice.close()


@pytest.fixture
def start(tmp_path: Path, tiny: Synthesizer) -> Iterator[Callable[..., Bench]]:
    n_open = len(list(Path("/proc/self/fd").iterdir()))
    benches: list[Bench] = []

    def begin(source: VoiceSource | None = None, *, fallback: Any = None, **settings: Any) -> Bench:
        if source is not None:
            bench = Bench(source.to_json(), module="edge.engine.child")
        else:
            bench = Bench({"folder": str(tmp_path), "faults": {}, **settings}, fallback=fallback)
        benches.append(bench)
        bench.wait((EngineUp, EngineDown))
        return bench

    yield begin
    for bench in benches:
        bench.engine.close()
        assert not bench.engine._thread.is_alive()
    assert not [file for file in Path("/dev/shm").iterdir() if "sovits" in file.name]
    assert "sovits-sound" not in Path("/proc/self/maps").read_text(encoding="utf-8")
    assert len(list(Path("/proc/self/fd").iterdir())) <= n_open
    assert children() == []
