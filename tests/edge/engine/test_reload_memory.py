"""A voice that is replaced gives everything back: memory does not grow with the number of reloads."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.engine.base import Engine, EngineMessage, EngineUp
from edge.engine.process import ProcessEngine
from edge.engine.source import VoiceSource
from edge.engine.thread import ThreadEngine
from tests.edge.daemon.broker import wait_until

pytestmark = pytest.mark.slow

SOURCE = VoiceSource(Path(__file__).parents[2] / "data" / "tiny_voice")
N_RELOADS = int(os.environ.get("RELOADS", "16"))
N_SETTLING = 3  # reloads after which the allocator has what it needs
ENGINES: dict[str, Callable[[Callable[[EngineMessage], None]], Engine]] = {
    "process": lambda emit: ProcessEngine(SOURCE.to_json(), emit, spare=False, hang_s=60.0),
    "thread": lambda emit: ThreadEngine(SOURCE.load, emit),
}


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.parametrize("name", ENGINES)
def test_memory_is_flat(name: str) -> None:
    """Before, each reload left 3 MB of dictionaries and an open file behind."""
    messages: list[EngineMessage] = []
    engine = ENGINES[name](messages.append)
    engine.open()
    try:
        settled = n_open = 0.0
        for n in range(N_RELOADS + 1):
            wait_until(lambda n=n: len(messages) > n, 60, what=f"reload {n}")
            if n == N_SETTLING:
                settled, n_open = resident_mb(), len(list(Path("/proc/self/fd").iterdir()))
            if n < N_RELOADS:
                engine.reload()
        assert all(isinstance(message, EngineUp) for message in messages)
        assert resident_mb() - settled < 12, "12 MB is four times what one reload left behind"
        assert len(list(Path("/proc/self/fd").iterdir())) <= n_open + 4
    finally:
        engine.close()
