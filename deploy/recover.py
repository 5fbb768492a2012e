"""Recovery before every start and confirmation after it: run by the unit with the system's own Python.

    python3 -m deploy.recover before    what was cut off is made good; a release on trial loses a start
    python3 -m deploy.recover after     the daemon has said that it is ready: the trial has been passed

It needs no release to be whole and nothing but the standard library.
"""

from __future__ import annotations

import sys
from pathlib import Path

from .paths import Paths
from .slot import Slot


def main(arguments: list[str]) -> int:
    """Recover or confirm both slots; 0 when there is something to start."""
    moment = arguments[0] if arguments else ""
    if moment not in ("before", "after"):
        sys.stderr.write("usage: python3 -m deploy.recover before|after [ROOT]\n")
        return 2
    paths = Paths(Path(arguments[1]) if len(arguments) > 1 else Path("/"))
    slots = [Slot(paths.software), Slot(paths.content)]
    for slot in slots:
        if moment == "after":
            slot.confirm()
            continue
        for line in slot.recover():
            sys.stderr.write(f"sovits-deploy: {slot.root.name}: {line}\n")
    return 0 if slots[0].current() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
