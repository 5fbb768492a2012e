"""A process of its own around libespeak-ng: JSON lines in, sound and phoneme times out.

espeak-ng is GPL-3.0, so it is never loaded into the process that trains. This file imports nothing of ours
and is started as a script; its argument is a folder of variant files (timbres) of ours, which voices may name
after a ``+``. First it says ``{"sample_rate"}``, once the library is set up. A request is ``{"text", "voice",
"rate", "pitch", "range", "volume"}``; the answer ``{"pcm": base64 of int16, "sample_rate", "events":
[[mnemonic, seconds], ...]}``, ``{"error"}`` or ``{"crash": signal}``.

Every line is spoken by a fork of the process as it was when the library had been set up: espeak carries the
phase of its pitch flutter from line to line, and the same request has to give the same sound.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

LIBRARY = "libespeak-ng.so.1"
SYNCHRONOUS = 2  # samples go to the callback, espeak_Synth returns when all are given
PHONEME_EVENTS = 0x0001
DONT_EXIT = 0x8000
UTF8, PHONEMES, END_PAUSE = 0x0001, 0x0100, 0x1000
EVENT_LIST_TERMINATED, EVENT_PHONEME = 0, 7
PARAMETERS = {"rate": 1, "volume": 2, "pitch": 3, "range": 4}


class _Identity(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # ms
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Identity),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


class Library:
    """libespeak-ng, set up once; ``speak`` gives the sound of one text."""

    def __init__(self, data: Path | None = None) -> None:
        self._library = ctypes.CDLL(LIBRARY)
        where = None if data is None else str(data).encode()
        self.sample_rate = self._library.espeak_Initialize(SYNCHRONOUS, 0, where, PHONEME_EVENTS | DONT_EXIT)
        if self.sample_rate <= 0:
            raise OSError("espeak_Initialize failed: install the apt package espeak-ng-data")
        self._pcm: list[bytes] = []
        self._events: list[tuple[str, float]] = []
        self._callback = _Callback(self._receive)  # kept: ctypes does not
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, samples: int | None, n_samples: int, events: Any) -> int:
        if samples and n_samples:
            self._pcm.append(ctypes.string_at(samples, 2 * n_samples))
        index = 0
        while events[index].type != EVENT_LIST_TERMINATED:
            event = events[index]
            if event.type == EVENT_PHONEME:
                mnemonic = bytes(event.id.string).split(b"\0")[0].decode("utf-8", "replace")
                self._events.append((mnemonic, event.sample / self.sample_rate))
            index += 1
        return 0

    def speak(self, text: str, voice: str, **parameters: int) -> dict[str, Any]:
        """Speak one text; ``parameters`` are those of ``PARAMETERS``, in espeak's own units."""
        self._pcm.clear()
        self._events.clear()
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice!r}; list them with: espeak-ng --voices")
        for name, value in parameters.items():
            self._library.espeak_SetParameter(PARAMETERS[name], int(value), 0)
        data = text.encode()
        flags = UTF8 | PHONEMES | END_PAUSE
        if self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, flags, None, None) != 0:
            raise ValueError(f"espeak-ng refused {text!r}")
        self._library.espeak_Synchronize()
        pcm = base64.b64encode(b"".join(self._pcm)).decode()
        return {"pcm": pcm, "sample_rate": self.sample_rate, "events": self._events}


def _installed_data() -> Path:
    """Ask the command where its data lies; initialising the library a second time would hang."""
    answer = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, check=True)
    return Path(answer.stdout.rsplit("Data at:", 1)[1].strip())


def link_data(installed: Path, variants: Path, folder: Path) -> None:
    """Lay out espeak's data in ``folder`` by links, with our variant files as its only variants."""
    data = folder / "espeak-ng-data"
    (data / "voices").mkdir(parents=True)
    for entry in installed.iterdir():
        if entry.name != "voices":
            (data / entry.name).symlink_to(entry)
    (data / "voices" / "!v").symlink_to(variants.resolve())


def serve(library: Library) -> None:
    """Say that it is ready, then answer requests until stdin ends."""
    _answer({"sample_rate": library.sample_rate})
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _answer(_speak(library, line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            _answer({"crash": os.waitstatus_to_exitcode(status)})


def _speak(library: Library, request: str) -> dict[str, Any]:
    try:
        return library.speak(**json.loads(request))
    except (ValueError, TypeError, KeyError) as error:
        return {"error": str(error)}


def _answer(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Set the library up with the variants of the folder given, and serve."""
    with tempfile.TemporaryDirectory() as name:
        link_data(_installed_data(), Path(sys.argv[1]), Path(name))
        serve(Library(Path(name)))


if __name__ == "__main__":
    main()
