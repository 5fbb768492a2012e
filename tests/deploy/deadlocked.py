"""The daemon's command with two threads that lock each other out: python -m tests.deploy.deadlocked serve.

The first request ``flush_cache`` after the start makes the core wait for a lock that another thread holds,
which itself waits for one of the core's. Where ``DEADLOCK_ONCE`` names a file that exists, nothing happens.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from edge.__main__ import main
from edge.daemon.operations import Operations

MARK = Path(os.environ["DEADLOCK_ONCE"])


def lock_each_other_out() -> None:
    MARK.touch()
    first, second, held = threading.Lock(), threading.Lock(), threading.Event()

    def other() -> None:
        with second:
            held.set()
            with first:
                pass

    with first:
        threading.Thread(target=other, name="other", daemon=True).start()
        held.wait()
        with second:
            pass


def obey(self: Operations, command: Any, plain: Any = Operations.obey) -> None:
    if command.op == "flush_cache" and not MARK.exists():
        lock_each_other_out()
    plain(self, command)


if __name__ == "__main__":
    Operations.obey = obey  # type: ignore[method-assign]
    main()
