"""The synthesiser in a process of its own: what runs in the child.

It may be killed at any time, and ends by itself when the daemon is gone. It knows nothing of MQTT.
"""

from __future__ import annotations

import ctypes
import errno
import faulthandler
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import logs
from ..audio import AudioChunk
from ..garbage import settle, tidy
from ..synthesizer import SpeechRequest, Synthesizer
from .base import EngineMessage, LineChunk, LineReady
from .launch import MAX_PACKET
from .sound_memory import SoundMemory, SoundWriter
from .source import VoiceSource
from .thread import ThreadEngine
from .wire import chunk_packet, pack, to_packet, unpack

logger = logging.getLogger(__name__)

SWITCH_INTERVAL_S = 0.001  # as in the daemon: a request does not wait 5 ms for a busy thread
_PR_SET_PDEATHSIG = 1
_OOM_SCORE = 500  # where memory runs out, this process goes and not the daemon
_OOM_SCORE_OF_NICENESS = 40  # and before it one that gives way anyhow


def main() -> None:
    """Run the child: arguments are those that ``launch`` gives."""
    run(lambda settings: VoiceSource.from_json(settings).load())


def run(load: Callable[[dict[str, Any]], Synthesizer]) -> None:
    """Serve the daemon until it closes the connection.

    Args:
        load: makes the synthesiser from the settings that the daemon gave.
    """
    channel, memory, parent, niceness = map(int, sys.argv[1:])
    protect(parent, niceness)
    connection, shared = socket.socket(fileno=channel), SoundMemory(memory)
    os.close(memory)
    data = connection.recv(MAX_PACKET)
    if not data:
        return
    _, settings, level, form = unpack(data)
    logs.set_up(level, form, waits=True)
    Child(connection, shared, lambda: load(settings), settings.get("runner", "")).serve()


def protect(parent: int, niceness: int) -> None:
    """Die with the daemon, leave signals for it to handle, and tell of a crash on standard error.

    Args:
        parent: number of the daemon's process.
        niceness: by how much this one gives way to it, which ``launch`` has seen to.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)
    for number in (signal.SIGINT, signal.SIGTERM):  # a terminal or systemd sends them to all processes
        signal.signal(number, signal.SIG_IGN)
    faulthandler.enable()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        score = _OOM_SCORE + _OOM_SCORE_OF_NICENESS * niceness
        Path("/proc/self/oom_score_adj").write_text(str(score), encoding="ascii")
    except OSError:
        logger.debug("the order of memory shortage cannot be set")


class Child:
    """Passes requests to a synthesiser and its messages back.

    Args:
        connection: to the daemon.
        memory: for sound.
        load: makes the synthesiser.
        runner: name of the inference library, for people.
    """

    def __init__(
        self,
        connection: socket.socket,
        memory: SoundMemory,
        load: Callable[[], Synthesizer],
        runner: str,
    ) -> None:
        self._connection = connection
        self._memory = memory
        self._writer = SoundWriter(memory)
        self._engine = ThreadEngine(
            load,
            self._emit,
            runner,
            retries=0,
            working=self._note,
            warm=self._note_warm,
            crowded=lambda: memory.crowded,
        )
        self._handlers: dict[str, Callable[..., None]] = {
            "start": self._start,
            "cancel": lambda serial: self._engine.cancel(str(serial)),
            "free": self._writer.free,
            "ping": self._answer,
        }

    def serve(self) -> None:
        """Obey until the daemon closes the connection; then end the process at once."""
        self._engine.open()
        while data := self._receive():
            kind, *values = unpack(data)
            self._handlers[kind](*values)
        self._engine.close()
        os._exit(0)  # a thread that hangs does not hold it up

    def _start(self, serial: int, request: dict[str, Any], urgency: int) -> None:
        self._engine.start(str(serial), SpeechRequest(**request), urgency)

    def _note(self, line_id: str) -> None:
        self._memory.working = int(line_id)

    def _note_warm(self, warm: bool) -> None:
        self._memory.warm = warm
        if warm:
            settle()

    def _answer(self) -> None:
        """Give a sign of life, and tidy up while there is nothing to do."""
        self._send(pack(["pong"]))
        tidy(is_idle=self._engine.is_idle)

    def _emit(self, message: EngineMessage) -> None:
        try:
            if isinstance(message, LineChunk):
                self._send_chunk(int(message.line_id), message.chunk)
            else:
                self._send(pack(to_packet(message)))
        except OSError as error:
            if error.errno != errno.EMSGSIZE or not isinstance(message, LineChunk | LineReady):
                raise
            fault = f"a message about it is too large: {error}"
            self._send(pack(["error", int(message.line_id), "internal", fault, "synthesis"]))

    def _send_chunk(self, serial: int, chunk: AudioChunk) -> None:
        """Send a chunk with its last piece of sound, which is nearly always the only one."""
        at = n = 0
        for at, n, is_last in self._writer.pieces(chunk.samples):
            if not is_last:
                self._send(pack(["sound", serial, at, n]))
        self._send(chunk_packet(serial, chunk, at, n))

    def _receive(self) -> bytes:
        try:
            return self._connection.recv(MAX_PACKET)
        except ConnectionError:
            return b""

    def _send(self, data: bytes) -> None:
        try:
            self._connection.send(data)
        except ConnectionError:
            logger.debug("the daemon is gone")  # which ``serve`` sees as well
