"""Keeps a second run out of a folder, and the programs that a run starts from outliving it."""

from __future__ import annotations

import ctypes
import fcntl
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .config import DistillError

_PR_SET_PDEATHSIG = 1  # prctl(2), <sys/prctl.h> of Linux


@contextmanager
def exclusive(folder: Path) -> Iterator[int]:
    """Hold the lock of a folder; it goes with the process, and with those it was handed to, however they end.

    Yields:
        The file descriptor of the lock, to hand on.

    Raises:
        DistillError: another run holds it.
    """
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            message = f"another run is at work in {folder}; wait for it or choose another folder"
            raise DistillError(message) from error
        yield lock.fileno()


def call(module: str, arguments: Sequence[str], lock: int) -> None:
    """Run a command of ours as a process of its own, which ends with this one.

    A process that trains on several devices starts its own program again for each of them, and gives back all
    memory when it ends.

    Args:
        module: what ``python -m`` is given.
        arguments: of the command.
        lock: handed on, so that the folder stays locked while the process lives.

    Raises:
        DistillError: it failed, or was killed.
    """
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, pass_fds=[lock], preexec_fn=_end_with_parent)
    name = f"{module} {arguments[0]}"
    if done.returncode < 0:
        raise DistillError(f"{name} was killed; the same command goes on from here")
    if done.returncode:
        raise DistillError(f"{name} failed, for the reason above")


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
