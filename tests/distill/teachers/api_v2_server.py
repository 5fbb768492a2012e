"""Speaks the HTTP API of GPT-SoVITS (``api_v2.py``), its quirks included; the voice is a hum."""

from __future__ import annotations

import io
import json
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import numpy as np
import soundfile

RATE = 32_000
NOTHING_TO_SAY = "……"


@dataclass
class State:
    """What tests look at, and what they make go wrong next."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    most_at_once: int = 0
    at_once: int = 0
    failures: list[str] = field(default_factory=list)  # "500", "close", "inside", "in stream": one a request
    seconds: float = 0.0  # that a line takes
    lock: threading.Lock = field(default_factory=threading.Lock)


def hum(text: str, seed: int, speed: float) -> np.ndarray:
    """Vowel-like sound whose pitch follows the seed and whose length follows the text; int16."""
    seconds = 0.12 * len(text) / speed
    time_s = np.arange(round(seconds * RATE)) / RATE
    pitch = 110 + seed % 40
    harmonics = sum(np.sin(2 * np.pi * pitch * n * time_s) / n for n in range(1, 12))
    envelope = np.sin(np.pi * np.clip(time_s / seconds, 0, 1)) ** 0.3
    return (4000 * harmonics * envelope).astype("<i2")


def wav_header(n_bytes: int, rate: int) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    return (
        struct.pack("<4sI4s", b"RIFF", 36 + n_bytes, b"WAVE") + form + struct.pack("<4sI", b"data", n_bytes)
    )


def packed(audio: np.ndarray, rate: int, media_type: str) -> bytes:
    if media_type == "raw":
        return audio.tobytes()
    if media_type == "wav":
        return wav_header(2 * len(audio), rate) + audio.tobytes()
    file = io.BytesIO()
    soundfile.write(file, audio, rate, format="OGG", subtype="VORBIS")
    return file.getvalue()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10  # seconds without a request, after which a connection that was left open is closed
    state: ClassVar[State]

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if url.path not in ("/set_gpt_weights", "/set_sovits_weights"):
            return self.answer_json(404, {"detail": "Not Found"})
        if "missing" in query["weights_path"]:
            return self.answer_json(400, {"message": "change weight failed", "Exception": "no such file"})
        self.state.loaded.append(query["weights_path"])
        return self.answer_json(200, {"message": "success"})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.state.lock:
            self.state.at_once += 1
            self.state.most_at_once = max(self.state.most_at_once, self.state.at_once)
            failure = self.state.failures.pop(0) if self.state.failures else ""
        self.state.requests.append(request)
        time.sleep(self.state.seconds)
        with self.state.lock:  # before the answer: whoever has it may let the next request come
            self.state.at_once -= 1
        self.answer(request, failure)

    def answer(self, request: dict[str, Any], failure: str) -> None:
        if self.path != "/tts":
            return self.answer_json(404, {"detail": "Not Found"})
        if failure == "close":
            self.close_connection = True
            return None
        if failure == "500":
            return self.answer_bytes(500, b"Internal Server Error", "text/plain")
        if request["text_lang"] not in ("zh", "en", "ja"):
            message = f"text_lang: {request['text_lang']} is not supported in version v2"
            return self.answer_json(400, {"message": message})
        if complaint := self.complaint(request["ref_audio_path"]):
            return self.answer_json(400, {"message": "tts failed", "Exception": complaint})
        return self.speak(request, failure)

    def complaint(self, clip: str) -> str:
        if not Path(clip).is_file():
            return f"{clip} not exists"
        seconds = soundfile.info(clip).duration
        return "" if 3 <= seconds <= 10 else "reference audio outside the 3-10 s range, please choose another"

    def speak(self, request: dict[str, Any], failure: str) -> None:
        media_type = request["media_type"]
        if failure == "inside" or request["text"] == NOTHING_TO_SAY:
            return self.answer_bytes(
                200, packed(np.zeros(16_000, "<i2"), 16_000, media_type), f"audio/{media_type}"
            )
        audio = hum(request["text"], request["seed"], request["speed_factor"])
        audio = np.append(audio, np.zeros(round(request["fragment_interval"] * RATE), "<i2"))
        if not request["streaming_mode"]:
            return self.answer_bytes(200, packed(audio, RATE, media_type), f"audio/{media_type}")
        if failure == "in stream":
            audio = np.append(audio, np.zeros(16_000, "<i2"))
        return self.stream(audio, media_type)

    def stream(self, audio: np.ndarray, media_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"audio/{media_type}")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        header = [wav_header(0, RATE)] if media_type == "wav" else []  # says that no sound follows
        for chunk in (*header, *(part.tobytes() for part in np.array_split(audio, 3)), b""):
            self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")

    def answer_json(self, status: int, content: dict[str, Any]) -> None:
        self.answer_bytes(status, json.dumps(content).encode(), "application/json")

    def answer_bytes(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Ends with its last answer, so that nothing of one test is at work, or complains, during the next."""

    daemon_threads = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client that did not wait for its answer
            super().handle_error(request, client_address)


@contextmanager
def api_v2_server(port: int = 0) -> Iterator[tuple[str, State]]:
    """Serve on a free port; gives its address and its state."""
    state = State()
    server = Server(("127.0.0.1", port), type("Bound", (Handler,), {"state": state}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
