"""Device: clock, disk, sound card, voice and inference library, each tried and not asked about."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..bundle.trust.store import TrustStore
from ..config import AlsaSinkConfig, EdgeConfig
from ..errors import EdgeError
from ..permission import gate_of, trust_directory
from ..playback.alsa import load_backend
from ..spec import SAMPLE_RATE
from ..synthesizer import SpeechRequest, Synthesizer
from .finding import Finding

TIME_ERROR = 5  # of adjtimex(2): the clock is not synchronised
SYNCS = 20
SLOW_SYNC_MS = 20.0
BLOCK_BYTES = 4096
SLOW_FIRST_SOUND_MS = 250.0


class DeviceChecks:
    """Tries out the machine that the daemon runs on.

    Args:
        config: of the device.
        serving: whether the daemon of this configuration runs, and so holds the sound card.
        clock: seconds since 1970.
        backend: the sounddevice module or a double of it; imported if absent.
    """

    def __init__(
        self,
        config: EdgeConfig,
        *,
        serving: bool,
        clock: Callable[[], float] = time.time,
        backend: Any = None,
    ) -> None:
        self._config = config
        self._serving = serving
        self._clock = clock
        self._backend = backend

    def look(self) -> Iterator[Finding]:
        """Do the checks."""
        yield self._time()
        yield self._disk()
        yield self._audio()
        yield from self._voice()

    def _time(self) -> Finding:
        now = self._clock()
        made = Path(__file__).stat().st_mtime
        if now < made:
            return Finding(
                "clock", "error", f"the clock says {_day(now)}, but this software is of {_day(made)}",
                "set the clock, timedatectl set-time, or give it a battery; consents are judged by it",
            )  # fmt: skip
        try:
            store = TrustStore(trust_directory(self._config), self._config.trust.copy_directory)
        except EdgeError as error:
            return Finding("clock", "warning", f"trust store: {error}", "import the studio's documents again")
        floor = store.seen.time_floor
        if now < floor:
            return Finding(
                "clock", "error", f"the clock says {_day(now)}, but documents here are of {_day(floor)}",
                "set the clock: timedatectl set-time",
            )  # fmt: skip
        if not _is_synchronised():
            return Finding(
                "clock", "warning", f"{_day(now)}, and nothing keeps it right",
                "a time server in the venue's network: systemd-timesyncd or chrony",
            )  # fmt: skip
        return Finding("clock", "ok", f"{_day(now)}, synchronised")

    def _disk(self) -> Finding:
        """Write as the journal does, and wait for the disk."""
        directory = self._config.state_dir
        try:
            taken = sync_times_ms(directory)
        except OSError as error:
            return Finding(
                "disk", "error", f"{directory}: {error.strerror or error}",
                "make room there or make it writable; nothing can be accepted without it",
            )  # fmt: skip
        middle, longest = taken[len(taken) // 2], taken[-1]
        told = f"in {directory} a record is safe after {middle:.1f} ms, at most {longest:.1f} ms"
        if middle > SLOW_SYNC_MS:
            remedy = "put state_dir on a faster disk: every line waits for it before it is accepted"
            return Finding("disk", "warning", told, remedy)
        return Finding("disk", "ok", told)

    def _audio(self) -> Finding:
        sink = self._config.sink
        if not isinstance(sink, AlsaSinkConfig):
            return Finding("audio", "ok", f"sink {sink.type}: no sound card is used")
        rate = sink.sample_rate or SAMPLE_RATE
        try:
            backend = self._backend or load_backend()
            card = backend.query_devices(sink.device, "output")["name"]
            if not self._serving:  # a card that plays is busy
                backend.check_output_settings(
                    device=sink.device, channels=sink.channels, dtype="int16", samplerate=rate
                )
        except Exception as error:  # noqa: BLE001 - sounddevice raises PortAudioError, ValueError or OSError
            return Finding(
                "audio", "error", f"no sound: {error}",
                "`python -m sounddevice` lists the cards; set sink.device, and sink.sample_rate if need be",
            )  # fmt: skip
        return Finding("audio", "ok", f"{card}, {rate} Hz, {sink.channels} channels")

    def _voice(self) -> Iterator[Finding]:
        """Load the voice as the daemon does: hashes, consent, the golden line, and a first sound."""
        config = self._config
        try:
            synthesizer = Synthesizer.load(
                config.bundle,
                threads=config.threads,
                lexicon=config.lexicon,
                runner=config.runner,
                gate=gate_of(config),
                state_dir=config.state_dir,
            )
            synthesizer.warm_up()
        except EdgeError as error:
            check = "voice" if error.code in _VOICE_REMEDIES else "runner"
            remedy = _VOICE_REMEDIES.get(error.code, "edit the configuration, or install what is missing")
            yield Finding(check, "error", f"{error.code}: {error}", remedy)
            return
        with_voice = synthesizer.bundle.manifest
        yield Finding(
            "voice",
            "ok",
            f"{with_voice.name} {with_voice.version}: every file as packed, golden line as expected",
        )
        started = time.monotonic()
        golden = with_voice.golden
        line = synthesizer.prepare(SpeechRequest(text=golden.text, character=golden.character))
        next(iter(synthesizer.stream(line)))
        first_ms = (time.monotonic() - started) * 1000
        synthesizer.close()
        slow = first_ms > SLOW_FIRST_SOUND_MS
        remedy = "more threads, a faster power mode, or another runner (docs/devices.md)" if slow else ""
        found = f"{config.runner}: first sound of a line after {first_ms:.0f} ms"
        yield Finding("runner", "warning" if slow else "ok", found, remedy)


_VOICE_REMEDIES = {
    "bundle_corrupt": "copy the voice again",
    "consent_missing": "import the consent record: sovits-deploy import",
    "voice_revoked": "load another voice: bundle in the configuration",
}


def sync_times_ms(directory: Path) -> list[float]:
    """Append a block and wait until the disk has it, some times over; ms, shortest first.

    Raises:
        OSError: the directory cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / ".doctor.sync"
    taken = []
    try:
        with path.open("wb", buffering=0) as file:
            for _ in range(SYNCS):
                started = time.monotonic()
                file.write(os.urandom(BLOCK_BYTES))
                os.fsync(file.fileno())
                taken.append((time.monotonic() - started) * 1000)
    finally:
        path.unlink(missing_ok=True)
    return sorted(taken)


def _is_synchronised() -> bool:
    """Ask the kernel whether something keeps the clock right."""
    try:
        return bool(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)) != TIME_ERROR)
    except (OSError, AttributeError):
        return False


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(moment)) + " UTC"
