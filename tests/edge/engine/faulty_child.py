"""A child process whose voice has accidents: which ones, the settings say, and how often, a folder remembers.

Settings: ``folder``; ``faults``, for each text the accident of each try in turn; ``load``, those of each
start; ``held``, a text that waits for the file ``go`` in the folder; ``bundle``, to speak with a real voice
instead of a constant level; ``name``, of the voice; ``louder``, by how much it is that.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edge.audio import AudioChunk
from edge.engine.child import run
from edge.errors import BundleError, RunnerError
from edge.runners.ort import OnnxRuntimeRunner
from edge.synthesizer import Synthesizer
from tests.edge.daemon.stand_in import StandIn

FAULT_AFTER_CHUNKS = 2


def strike(fault: str) -> None:
    """Have an accident in this process."""
    if fault.startswith("SIG"):
        os.kill(os.getpid(), getattr(signal, fault))
        time.sleep(0.5)  # SIGSTOP and SIGKILL arrive before anything else happens
    elif fault == "exit":
        os._exit(3)
    elif fault == "hang":
        threading.Event().wait()
    elif fault == "runner":
        raise RunnerError("the device was lost")
    elif fault == "broken pipe":
        os.close(_connection())
    elif fault == "nonsense":
        os.write(_connection(), b"\xff\x00[")
    elif fault == "out of bounds":
        os.write(_connection(), b'["sound",1,-7,2000000000]')


def _connection() -> int:
    """The descriptor of the connection to the daemon: the first argument of the child."""
    return int(sys.argv[1])


def note(folder: Path, text: str) -> None:
    """Write down which process begins a line."""
    with (folder / "made").open("a", encoding="utf-8") as made:  # one write: several processes append
        made.write(f"{os.getpid()}\t{text}\n")


def turn(folder: Path, name: str) -> int:
    """Count how often this has been asked for that name, in whatever process."""
    file = folder / f"{name.encode().hex()[:100]}.count"
    with file.open("ab") as counter:
        counter.write(b".")
        return counter.tell() - 1


class FaultyVoice(StandIn):
    """A stand-in with the accidents of the settings."""

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__(chunk_delay_s=settings.get("chunk_delay_s", 0.0))
        self.bundle.identity = self.bundle.manifest.name = settings.get("name", "stand-in")
        self._settings = settings

    def stream(
        self, line: Any, cancelled: Callable[[], bool] = lambda: False, hold: bool = True
    ) -> Iterator[AudioChunk]:
        text = line.request.text
        note(Path(self._settings["folder"]), text)
        faults = self._settings["faults"].get(text, [])
        n = turn(Path(self._settings["folder"]), text)
        for index, chunk in enumerate(super().stream(line, cancelled, hold)):
            if index == FAULT_AFTER_CHUNKS and n < len(faults):
                strike(faults[n])
            while index == FAULT_AFTER_CHUNKS and text == self._settings.get("held") and not self._let_go():
                time.sleep(0.01)
            yield replace(chunk, samples=chunk.samples + np.int16(self._settings.get("louder", 0)))

    def _let_go(self) -> bool:
        """Whether the line that the settings hold may go on: a file says so."""
        return (Path(self._settings["folder"]) / "go").exists()


class NanRunner(OnnxRuntimeRunner):
    """The real runner, which gives NaN in its first windows; how many in all, the settings say."""

    settings: dict[str, Any]

    def _run_decoder(self, hidden: np.ndarray, features: np.ndarray) -> list[np.ndarray]:
        parts = [np.array(part) for part in super()._run_decoder(hidden, features)]
        if turn(Path(self.settings["folder"]), "nan") < self.settings["n_nan"]:
            parts[0][0, 0, 0] = np.nan
        return parts


def load(settings: dict[str, Any]) -> Any:
    folder = Path(settings["folder"])
    starts = settings.get("load", [])
    n = turn(folder, "load")
    fault = starts[n] if n < len(starts) else ""
    if fault == "bundle":
        raise BundleError("damaged")
    strike(fault)
    if "bundle" not in settings:
        return FaultyVoice(settings)
    voice = Synthesizer.load(Path(settings["bundle"]))
    runner = NanRunner(voice.bundle)
    runner.settings = settings
    return Synthesizer(voice.bundle, runner, voice._front_end)


def main() -> None:
    run(load)
