"""HTTP door: speech in the form of OpenAI's interface, voices, health and metrics.

Starlette and uvicorn on a thread of their own. Handlers never wait for the core: they leave a command or a
probe and are woken; a client that reads slowly fills a buffer here, not the daemon.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import HttpConfig
from ..errors import ConfigError, EdgeError
from ..messages import PlainRequest
from .commands import Command
from .door import Figures, Submit, missing_extra
from .file_urls import FILES
from .http_files import SoundFiles
from .http_guard import Endpoint, Guard, tell_bug, tell_fault, tell_http
from .http_speech import HttpError, Speech, cancel_command, fault_of, shed, speech_command
from .metrics import exposition

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Send

logger = logging.getLogger(__name__)

BODY_TIMEOUT_S = 10.0
CORE_TIMEOUT_S = 2.0
KEEP_ALIVE_S = 30
MAX_CONNECTIONS = 512
CLOSE_TIMEOUT_S = 2.0
BACKLOG = 128
SEND_BUFFER_BYTES = 262_144  # the kernel would keep megabytes per connection, which nobody counts

AskProbe = Callable[[Callable[[Figures], None]], None]


class HttpDoor:
    """The server and its thread.

    Args:
        config: address, token and limits.
        submit: leaves commands for the core.
        probe: asks the core how it is.
        max_request_bytes: larger bodies are refused.
        files: where the daemon writes lines asked for as files.
    """

    def __init__(
        self, config: HttpConfig, submit: Submit, probe: AskProbe, max_request_bytes: int, files: Path
    ) -> None:
        self._config = config
        self._handlers = Handlers(config, submit, probe, max_request_bytes, files)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Begin to listen.

        Raises:
            ConfigError: the address is taken, the token cannot be read, or the libraries are not installed.
        """
        try:
            import uvicorn

            app = self._handlers.app(_read_token(self._config.token_file))
        except ImportError as error:
            raise missing_extra("http", "http", error) from error
        listener = _listen(self._config)
        settings = uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=1,
        )
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # handlers log what goes wrong in them
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="http", daemon=True)
        self._thread.start()
        logger.info("http: listening on %s port %d", *listener.getsockname()[:2])

    def close(self) -> None:
        """Stop; those who still wait are told that the daemon is stopping."""
        if self._server is None or self._thread is None:
            return
        self._handlers.close()
        self._server.should_exit = True
        self._thread.join(CLOSE_TIMEOUT_S)


class Handlers:
    """What happens on each path. All but the constructor, ``app`` and ``close`` runs on the event loop."""

    def __init__(
        self, config: HttpConfig, submit: Submit, probe: AskProbe, max_request_bytes: int, files: Path
    ) -> None:
        self._config = config
        self._files = SoundFiles(files)
        self._submit = submit
        self._probe = probe
        self._max_request_bytes = max_request_bytes
        self._speeches: set[Speech] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False

    def app(self, token: str | None) -> ASGIApp:
        """Put the application together."""
        from starlette.applications import Starlette
        from starlette.exceptions import HTTPException
        from starlette.routing import Route

        speak, get = self._speak, self._get
        routes = [
            Route("/v1/audio/speech", Endpoint(speak), methods=["POST"]),
            Route("/v1/voices", get(self._voices)),
            Route(f"{FILES}/{{name}}", get(self._files.send)),
            Route("/healthz", get(self._health)),
            Route("/metrics", get(self._metrics)),
        ]
        app: Starlette = Starlette(
            routes=routes,
            exception_handlers={HttpError: tell_fault, HTTPException: tell_http, Exception: tell_bug},
        )
        return Guard(app, self._config.host, token)

    def close(self) -> None:
        """Tell everyone who waits that the daemon is stopping; callable from any thread."""
        self._closing = True
        if self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(self._drop_all)
            except RuntimeError:  # the loop has ended
                return

    def _drop_all(self) -> None:
        for speech in self._speeches:
            if not speech.over:
                speech.drop(HttpError.of("shutting_down", "the daemon is stopping"))

    # POST /v1/audio/speech

    async def _speak(self, request: Request, send: Send) -> None:
        """Answer with the sound of a line as it is computed."""
        if len(self._speeches) >= self._config.max_requests:
            raise HttpError.of("queue_full", f"{len(self._speeches)} lines are being made; try again later")
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            raise HttpError(415, "bad_request", "send JSON, with Content-Type: application/json")
        self._loop = asyncio.get_running_loop()
        speech = Speech(self._loop, self._shed)
        self._speeches.add(speech)
        try:
            await self._serve(request, speech, send)
        finally:
            self._speeches.discard(speech)

    async def _serve(self, request: Request, speech: Speech, send: Send) -> None:
        body = await self._body(request)
        try:
            command, response_format = speech_command(body, self._config.max_wait_s)
        except EdgeError as error:
            raise fault_of(error) from error
        command.reply = command.follower = speech
        if self._closing:
            raise HttpError.of("shutting_down", "the daemon is stopping")
        if not self._submit(command):
            raise HttpError.of("queue_full", "too many requests wait; try again later")
        work = asyncio.ensure_future(self._send_sound(command, speech, response_format, send))
        watch = asyncio.ensure_future(_hung_up(request.receive))
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            watch.cancel()
            work.cancel()
            if not speech.over:
                self._cancel(command.request_id)

    async def _send_sound(self, command: Command, speech: Speech, response_format: str, send: Send) -> None:
        """Send the head once there is sound, then the sound; a fault after that cuts the connection."""
        chunk = await speech.next()
        headers = _sound_headers(command, speech, response_format)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            await self._send(send, speech.header(response_format))
            while chunk is not None:
                await self._send(send, chunk)
                chunk = await speech.next()
        except (HttpError, asyncio.TimeoutError) as error:
            logger.warning("http: %s broken off: %s", command.request_id, error or "the client takes nothing")
            return  # without the last part, so that the client sees that it is not complete
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, data: bytes) -> None:
        if data:
            message = {"type": "http.response.body", "body": data, "more_body": True}
            await asyncio.wait_for(send(message), self._config.stall_s)

    async def _body(self, request: Request) -> bytes:
        async def read() -> bytes:
            body = bytearray()
            async for part in request.stream():
                body += part
                if len(body) > self._max_request_bytes:
                    raise HttpError.of("too_large", f"at most {self._max_request_bytes} bytes are read")
            return bytes(body)

        try:
            return await asyncio.wait_for(read(), BODY_TIMEOUT_S)
        except asyncio.TimeoutError:
            message = f"the body did not arrive within {BODY_TIMEOUT_S:g} s"
            raise HttpError(408, "bad_request", message) from None

    def _cancel(self, request_id: str) -> None:
        """Give a line up whose client has gone. As many as there are requests at most, so never dropped."""
        self._submit(cancel_command(request_id), owed=True)

    def _shed(self) -> None:
        """Cut off the client furthest behind while more sound waits than may."""
        shed(self._speeches, self._config.max_buffer_mb * 2**20)

    # GET

    def _get(self, handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        """Remember the loop, for closing."""

        async def handle(request: Request) -> Any:
            self._loop = asyncio.get_running_loop()
            return await handler(request)

        return handle

    async def _figures(self) -> Figures:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Figures] = loop.create_future()
        self._probe(lambda figures: _wake(loop, future, figures))
        try:
            return await asyncio.wait_for(future, CORE_TIMEOUT_S)
        except asyncio.TimeoutError:
            raise HttpError.of("runner_timeout", f"no answer within {CORE_TIMEOUT_S:g} s") from None

    async def _health(self, _request: Request) -> Response:
        from starlette.responses import JSONResponse

        figures = await self._figures()
        facts = {"state": figures.state, "mqtt_connected": figures.connected, **figures.status.model_dump()}
        well = figures.state in ("idle", "speaking", "degraded")
        return JSONResponse(facts, 200 if well else 503)

    async def _metrics(self, _request: Request) -> Response:
        from starlette.responses import Response

        try:
            page, content_type = exposition(await self._figures())
        except ImportError as error:
            raise HttpError(501, "bad_request", str(missing_extra("http", "metrics", error))) from error
        return Response(page, media_type=content_type)

    async def _voices(self, _request: Request) -> Response:
        from starlette.responses import JSONResponse

        answer = await self._ask("characters")
        if not answer["ok"]:
            raise HttpError.of(answer["code"], answer["message"])
        voices = [{"id": character["name"], **character} for character in answer["characters"]]
        return JSONResponse({"object": "list", "data": voices})

    async def _ask(self, op: str) -> dict[str, Any]:
        """Have an operation done and return its answer."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[dict[str, Any]] = loop.create_future()
        command = Command(op, f"http-{secrets.token_hex(8)}", time.monotonic(), request=PlainRequest())
        command.reply = _Answer(lambda payload: _wake(loop, future, json.loads(payload)))
        if not self._submit(command):
            raise HttpError.of("queue_full", "too many requests wait; try again later")
        try:
            return await asyncio.wait_for(future, CORE_TIMEOUT_S)
        except asyncio.TimeoutError:
            raise HttpError(503, "runner_timeout", "the daemon is not ready yet; try again later") from None


class _Answer:
    """The way back to an operation asked for over HTTP."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take

    def answer(self, payload: bytes) -> None:
        """Pass the answer on."""
        self._take(payload)

    def committed(self) -> None:
        """A request over HTTP is never delivered again."""


def _wake(loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], value: Any) -> None:
    """Give a waiting handler what it waits for, from the core thread."""

    def settle() -> None:
        if not future.done():
            future.set_result(value)

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:  # the door is closed
        return


async def _hung_up(receive: Receive) -> None:
    """Wait until the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _sound_headers(command: Command, speech: Speech, response_format: str) -> list[tuple[bytes, bytes]]:
    rate = speech.sample_rate
    media = "audio/wav" if response_format == "wav" else f"audio/pcm;rate={rate};channels=1;encoding=s16le"
    facts = {"content-type": media, "x-request-id": command.request_id, "x-sample-rate": str(rate)}
    if command.warnings:
        facts["x-warnings"] = json.dumps(command.warnings)
    return [(name.encode(), value.encode("ascii")) for name, value in facts.items()]


def _listen(config: HttpConfig) -> socket.socket:
    try:
        family = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((config.host, config.port), family=family, backlog=BACKLOG)
    except OSError as error:
        where = f"http: cannot listen on {config.host} port {config.port}"
        raise ConfigError(f"{where}: {error.strerror or error}; set http.host and http.port") from error
    # Ends a connection whose client takes nothing although we have nothing more to do with it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(config.stall_s * 1000))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    return listener


def _read_token(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        token = path.read_text(encoding="ascii").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"http.token_file {path}: {error}") from error
    if not token:
        raise ConfigError(f"http.token_file {path}: its first line is empty; write the token there")
    return token
