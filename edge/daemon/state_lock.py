"""Lock of a state directory: one daemon at a time."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from ..errors import ConfigError

FILE = "lock"


class StateLock:
    """Held for as long as the process lives, whatever ends it.

    Args:
        directory: of the state; made if absent.
        device: who holds it, for the message to the next one.
    """

    def __init__(self, directory: Path, device: str) -> None:
        self._directory = directory
        self._device = device
        self._fd = -1

    def acquire(self) -> None:
        """Take the lock. A directory that cannot be written is not locked: nothing is kept there.

        Raises:
            ConfigError: another daemon has it.
        """
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self._directory / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._fd, 200).decode(errors="replace").strip() or "another daemon"
            self.release()
            raise ConfigError(
                f"the state directory {self._directory} is in use by {holder}; give each daemon its own "
                "(state_dir, or --state-dir), or stop the other one"
            ) from error
        with suppress(OSError):
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"device {self._device}, process {os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1
