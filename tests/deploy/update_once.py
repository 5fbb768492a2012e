"""One update in a process of its own, to be killed: python -m tests.deploy.update_once BOX MEDIUM."""

from __future__ import annotations

import resource
import signal
import sys
from pathlib import Path

from deploy.medium import open_medium
from deploy.update import Update
from edge.errors import EdgeError

from .boxes import make_device


def main(box: str, medium: str, largest_file: str) -> int:
    """Update; with a limit on the size of files, writing fails as on a full disk."""
    if int(largest_file):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest_file), int(largest_file)))
    device = make_device(Path(box))

    def say(text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    say("ready")
    try:
        Update(device, open_medium(medium), step=say).run()
        say("done")
    except (EdgeError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
