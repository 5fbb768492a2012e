from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.engine.base import EngineDown, EngineUp
from edge.engine.source import VoiceSource
from edge.synthesizer import Synthesizer
from tests.edge.engine.bench import TINY, Bench, PairBench, nothing_left


@pytest.fixture(scope="module")
def tiny() -> Iterator[Synthesizer]:
    """The tiny voice in this process, for comparison."""
    voice = VoiceSource(TINY).load()
    voice.warm_up()  # its dictionaries stay open
    yield voice
    voice.close()


@pytest.fixture
def start(tmp_path: Path, tiny: Synthesizer) -> Iterator[Callable[..., Bench]]:
    with nothing_left() as benches:

        def begin(source: VoiceSource | None = None, *, fallback: Any = None, **settings: Any) -> Bench:
            if source is not None:
                bench = Bench(source.to_json(), module="edge.engine.child")
            else:
                bench = Bench({"folder": str(tmp_path), "faults": {}, **settings}, fallback=fallback)
            benches.append(bench)
            bench.wait((EngineUp, EngineDown))
            return bench

        yield begin


@pytest.fixture
def pair(tmp_path: Path, tiny: Synthesizer) -> Iterator[Callable[..., PairBench]]:
    with nothing_left() as benches:

        def begin(source: VoiceSource | None = None, **settings: Any) -> PairBench:
            if source is not None:
                bench = PairBench(source.to_json(), module="edge.engine.child", **settings)
            else:
                bench = PairBench({"folder": str(tmp_path), "faults": {}, **settings})
            benches.append(bench)
            bench.wait(EngineUp)
            return bench

        yield begin
