"""The daemon with a sink that notes when sound goes out; ``probe.py`` starts it.

Prints one JSON object per stretch of sound: ``first_ns``, when its first block was taken, and ``silent_ns``,
when its last sample that is not zero was due, both on the monotonic clock, which all processes share.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from edge.audio import Pcm16
from edge.config import NullSinkConfig, load_config
from edge.daemon import Daemon
from edge.daemon.journal.base import Journal
from edge.daemon.journal.disk import DiskJournal
from edge.daemon.journal.memory import MemoryJournal
from edge.daemon.service import open_engine, own_process
from edge.engine.launch import Launched
from edge.playback.sink import NullSink

SLOW_COMMIT_S = 0.01  # as cards and small eMMC take


class SlowJournal(DiskJournal):
    """A journal on a slow disk."""

    def _write(self, connection: sqlite3.Connection, records: list[Any]) -> None:
        time.sleep(SLOW_COMMIT_S)
        super()._write(connection, records)


class ProbeSink(NullSink):
    """A null sink with a stopwatch."""

    def __init__(self, block_ms: int) -> None:
        super().__init__(block_ms)
        self._first_ns = 0
        self._silent_ns = 0

    def _deliver(self, block: Pcm16) -> None:
        now_ns = time.monotonic_ns()
        self._first_ns = self._first_ns or now_ns
        sounding = np.flatnonzero(block)
        if len(sounding):
            self._silent_ns = now_ns + (int(sounding[-1]) + 1) * 1_000_000_000 // self.player.sample_rate

    def _rest(self) -> None:
        print(json.dumps({"first_ns": self._first_ns, "silent_ns": self._silent_ns}), flush=True)
        self._first_ns = self._silent_ns = 0


def run(
    port: int,
    state_dir: Path,
    threads: int,
    engine: str,
    bundle: Path | None,
    launched: Launched | None,
    journal: str,
    more: dict[str, object],
) -> None:
    """Serve until the end.

    Args:
        port: of the broker.
        state_dir: for the journal.
        threads: of the synthesiser.
        engine: of the configuration.
        bundle: None for the built-in voice.
        launched: a child for the synthesiser, as ``sovits-edge serve`` starts one.
        journal: ``disk``, ``memory`` to see what the disk costs, or ``slow disk``.
        more: settings, by dotted key.
    """
    logging.basicConfig(level=logging.WARNING)
    own_process()
    settings: dict[str, object] = {
        "mqtt.port": port,
        "device": "bench",
        "sink": {"type": "null"},
        "state_dir": state_dir,
        "threads": threads,
        "engine": engine,
        "bundle": bundle,
        **more,
    }
    config = load_config(None, settings)
    assert isinstance(config.sink, NullSinkConfig)
    make_engine = partial(open_engine, launched=launched)
    journals: dict[str, Callable[[], Journal]] = {
        "memory": MemoryJournal,
        "slow disk": lambda: SlowJournal(config.state_dir, config.queue.remembered_ids),
    }
    kept = journals[journal]() if journal in journals else None
    Daemon(config, make_engine=make_engine, sink=ProbeSink(config.sink.block_ms), journal=kept).run()
