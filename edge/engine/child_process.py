"""A synthesiser child as the daemon holds it: process, connection, shared memory, and signs of life."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

from .. import logs
from ..audio import Pcm16
from .base import VoiceInfo
from .launch import MAX_PACKET, Launched
from .outstanding import Outstanding
from .sound_memory import SoundMemory
from .wire import Packet, pack, start_packet, unpack

PING_S = 0.5  # between two questions whether it is alive
TEXT_S_PER_CHARACTER = 0.001  # what reading a line may take on top: there is no sign of life meanwhile
DICTIONARY_S = 5.0  # what dictionaries may take that are loaded after the voice
LOAD_LIMIT_S = 600.0  # measuring runners, or reading from a slow disk, takes its time
LOAD_SILENCE_S = 60.0  # of a child that imports its libraries or opens networks
STABLE_S = 5.0  # a child that lives as long was of some use, even if nobody asked it for a line
_OWED_SHARE = 8  # of the memory is given back at a time: the child need not wake for every chunk
_REAP_S = 0.2  # between the end of a connection and that of its process


class ChildProcess:
    """One child. Belongs to the supervisor; what the core's thread touches is said there.

    Attributes:
        lines: that it works on or has waiting, by serial number.
        voice: what it has loaded; None while it loads.
        fault: why it has to be replaced; empty while it need not.
        started: when, on the monotonic clock.
        ask_at: when to ask for the next sign of life.
        useful: whether it has done a line.
        from_reserve: whether it was launched long before this voice was asked for.
    """

    def __init__(self, launched: Launched, settings: dict[str, Any], from_reserve: bool = False) -> None:
        """Have it load a voice.

        Args:
            launched: what ``launch`` gave.
            settings: for its loader.
            from_reserve: as the attribute.
        """
        self.from_reserve = from_reserve
        self.lines: dict[int, Outstanding] = {}
        self.voice: VoiceInfo | None = None
        self.fault = ""
        self.guilty: int | None = None  # serial of the line with which the runner failed
        self.useful = False
        self.started = time.monotonic()
        self.ask_at = 0.0
        self._asked = False
        self._busy_since = 0.0
        self._n_owed = 0
        self._unanswered = self._stuck = 0.0
        self._process, self.connection = launched.process, launched.connection
        self.memory = SoundMemory(launched.memory)
        os.close(launched.memory)
        self._buffer = bytearray(MAX_PACKET)
        self.send(["load", settings, *logs.in_use()])

    @property
    def pid(self) -> int:
        """Return the number of the process."""
        return self._process.pid

    def begin(self, line: Outstanding) -> bool:
        """Have a line spoken; ``False`` if the child does not take it."""
        if not self.lines:
            self._busy_since, self._stuck = time.monotonic(), 0.0
        self.lines[line.serial] = line
        return self.send(start_packet(line))

    def send(self, packet: Packet) -> bool:
        """Send without waiting; False if the child is gone, or so stuck that it takes nothing any more."""
        try:
            self.connection.send(pack(packet))
        except ConnectionError:  # it has ended; how, ``receive`` and ``last_words`` tell
            return False
        except OSError as error:
            self.fault = self.fault or f"takes no messages: {error}"
            return False
        return True

    def receive(self) -> Iterator[Packet]:
        """Yield the packets that are there.

        Raises:
            EOFError: the child is gone.
            ValueError: it sends nonsense.
        """
        while True:
            try:
                n = self.connection.recv_into(self._buffer)
            except BlockingIOError:
                return
            except OSError as error:
                raise EOFError(str(error)) from error
            if n == 0:
                raise EOFError("the connection is closed")
            self._unanswered, self._asked = 0.0, False
            packet = unpack(memoryview(self._buffer)[:n])
            if len(packet) > 1:  # about a line
                self._stuck = 0.0
            yield packet

    def take_sound(self, at: int, n: int) -> Pcm16:
        """Copy samples out of the shared memory and make room for more.

        Raises:
            ValueError: they are not where the child says.
        """
        samples = self.memory.read(at, n)
        self._n_owed += n
        if self._n_owed > self.memory.n_samples // _OWED_SHARE:
            self.send(["free", self._n_owed])
            self._n_owed = 0
        return samples

    def take(self, packet: Packet) -> Outstanding | None:
        """Return the line that a packet is about, if somebody wants it, with the sound that has come for it.

        Raises:
            ValueError: the sound is not where the child says.
        """
        line = self.lines.get(packet[1])
        sound = self.take_sound(packet[2], packet[3]) if packet[0] in ("sound", "chunk") else None
        if line is not None and sound is not None:
            line.pieces.append(sound)
        return line

    def put_back(self) -> None:
        """Give up the lines that nothing has been told of: they are for the child with the next voice."""
        for line in [line for line in self.lines.values() if not line.delivered.ready]:
            del self.lines[line.serial]
            line.again()
            self.send(["cancel", line.serial])

    @property
    def watched(self) -> bool:
        """Return whether a sign of life is due from it."""
        return bool(self.lines) or self._asked

    def look_after(self, now: float, elapsed: float, patience_s: float) -> None:
        """Count time without a sign of life, and ask for one when it is time.

        Args:
            now: on the monotonic clock.
            elapsed: seconds since the last call in which this process was awake itself.
            patience_s: what no step takes, apart from reading a long text.
        """
        patience_s += 0.0 if self.memory.warm else DICTIONARY_S
        if self._asked:
            self._unanswered += elapsed
        if self.lines:
            self._stuck += min(elapsed, now - self._busy_since)
        if self._unanswered > patience_s or self._stuck > patience_s + self._reading_s():
            self.fault = self.fault or "hangs"
        elif not self._asked and now >= self.ask_at:
            self._asked, self.ask_at = True, now + PING_S
            self.send(["ping"])

    def look_after_loading(self, now: float, elapsed: float) -> None:
        """Do the same while it loads its voice, with more patience, which has an end."""
        self.look_after(now, elapsed, LOAD_SILENCE_S)
        if not self.fault and now - self.started > LOAD_LIMIT_S:
            self.fault = f"has not loaded the voice within {LOAD_LIMIT_S:g} s"

    @property
    def was_useful(self) -> bool:
        """Return whether it was worth its start."""
        return self.useful or time.monotonic() - self.started > STABLE_S

    def _reading_s(self) -> float:
        """Return what the text of the line in hand may take on top, until its first sound is there."""
        line = self.lines.get(self.memory.working)
        unread = [line] if line is not None else list(self.lines.values())
        lengths = [len(each.request.text) for each in unread if not each.delivered.begun]
        return TEXT_S_PER_CHARACTER * max(lengths, default=0)

    def kill(self) -> None:
        """End it at once; ``ended`` tells when it is gone."""
        self._process.kill()

    def leave(self) -> None:
        """Close the connection: the child ends by itself, and gives everything back."""
        self.connection.close()

    def ended(self, timeout_s: float = 0.0) -> bool:
        """Tell whether the process is gone; once it is, its memory is given back."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        self.connection.close()
        self.memory.close()
        return True

    def last_words(self) -> str:
        """Say how it ended, for people."""
        try:
            code = self._process.wait(_REAP_S)
        except subprocess.TimeoutExpired:
            return "has closed its connection"
        if code >= 0:
            return f"ended with exit status {code}"
        name = signal.Signals(-code).name if -code in signal.valid_signals() else f"signal {-code}"
        return f"was killed by {name}" + (" (out of memory?)" if -code == signal.SIGKILL else "")
