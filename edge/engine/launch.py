"""Start of a synthesiser child: light, so that a command can start one before it has imported anything else.

The child imports its libraries meanwhile and waits for its settings; on two cores the daemon is ready sooner
by the time that the slower of the two takes for that.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

MODULE = "edge.engine.child"
SOUND_BYTES = 2**21  # 32 s
MAX_PACKET = 192 * 1024  # bytes; a timeline takes some 5,000
_ROOT = str(Path(__file__).parents[2])
_PROGRAM = """
import os, sys
sys.path[0] = sys.argv.pop(1)
os.nice(int(sys.argv[-1]))
from {module} import main
main()
"""


@dataclass(frozen=True)
class Launched:
    """A child that waits for its settings."""

    process: subprocess.Popen[bytes]
    """Of Python."""
    connection: socket.socket
    """Keeps packets apart and never waits."""
    memory: int
    """Descriptor of what is shared."""

    def abandon(self) -> None:
        """Let a child go that nobody needs."""
        self.process.kill()
        self.process.wait()
        self.connection.close()
        os.close(self.memory)


def launch(module: str = MODULE, niceness: int = 0) -> Launched:
    """Start Python afresh: a fork of a process with threads may inherit a lock that nobody opens again.

    The memory has no name, so nothing is left behind when both processes are gone, however they ended.

    Args:
        module: its ``main`` calls ``edge.engine.child.run``.
        niceness: by how much it gives way to the daemon.

    Raises:
        OSError: the system gives no process, descriptor or memory.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    memory = os.memfd_create("sovits-sound")
    try:
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MAX_PACKET)
        ours.setblocking(False)
        os.ftruncate(memory, SOUND_BYTES)
        arguments = (_ROOT, *map(str, (theirs.fileno(), memory, os.getpid(), niceness)))
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM.format(module=module), *arguments],
            pass_fds=(theirs.fileno(), memory),
            stdin=subprocess.DEVNULL,
        )
    except BaseException:
        ours.close()
        os.close(memory)
        raise
    finally:
        theirs.close()
    return Launched(process, ours, memory)
