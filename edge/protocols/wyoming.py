"""Wyoming door: text to speech for Home Assistant and other voice assistants that know Rhasspy's protocol.

Events are read and written by the library ``wyoming``, on an event loop and a thread of their own. The
protocol knows no passwords, so a network has to be allowed before it is listened on.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import socket
import threading
import time
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from ..config import WyomingConfig
from ..errors import ConfigError, EdgeError
from ..messages import PlainRequest
from ..spec import SAMPLE_RATE
from .commands import Command
from .door import Submit, missing_extra
from .http_speech import HttpError, Speech, cancel_command, shed
from .wyoming_words import choose, info_event, named, say_command

if TYPE_CHECKING:
    from wyoming.event import Event, Eventable

logger = logging.getLogger(__name__)

CORE_TIMEOUT_S = 2.0
CLOSE_TIMEOUT_S = 2.0
IDLE_S = 300.0
MAX_CONNECTIONS = 64
MAX_BUFFER_BYTES = 64 * 2**20  # sound for clients that read slowly, all together
BACKLOG = 64


class WyomingDoor:
    """The server and its thread.

    Args:
        config: address, who is heard, who speaks.
        submit: leaves commands for the core.
        max_request_bytes: longer events are refused.
    """

    def __init__(self, config: WyomingConfig, submit: Submit, max_request_bytes: int) -> None:
        self._config = config
        self._clients = Clients(config, submit, max_request_bytes)
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Begin to listen.

        Raises:
            ConfigError: the port is taken, or ``wyoming`` is not installed.
        """
        try:
            import wyoming  # noqa: F401 - the first client must not find that it is missing
        except ImportError as error:
            raise missing_extra("wyoming", "wyoming", error) from error
        listener = _listen(self._config)
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._clients.serve(listener)), name="wyoming", daemon=True
        )
        self._thread.start()
        logger.info("wyoming: listening on %s port %d", *listener.getsockname()[:2])

    def close(self) -> None:
        """Stop; lines that are under way are given up."""
        if self._thread is not None:
            self._clients.close()
            self._thread.join(CLOSE_TIMEOUT_S)


class Reader(asyncio.StreamReader):
    """What a client sends, a bounded piece at a time; tells when the client is gone."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit=limit)
        self._most = limit
        self.ended = asyncio.Event()

    async def readexactly(self, n: int) -> bytes:
        """Read a piece of the length that the client has announced.

        Raises:
            ValueError: it is longer than anybody may send.
        """
        if n > self._most:
            raise ValueError(f"{n} bytes are announced, at most {self._most} are read")
        return await super().readexactly(n)

    def feed_eof(self) -> None:
        """Hear that nothing more comes."""
        super().feed_eof()
        self.ended.set()

    def set_exception(self, exc: Any) -> None:
        """Hear that the connection is lost."""
        super().set_exception(exc)
        self.ended.set()


class Clients:
    """Everybody who is connected. All but the constructor and ``close`` runs on the event loop.

    Args:
        config: address, who is heard, who speaks.
        submit: leaves commands for the core.
        max_request_bytes: longer events are refused.
    """

    def __init__(self, config: WyomingConfig, submit: Submit, max_request_bytes: int) -> None:
        self._config = config
        self._submit = submit
        self._max_request_bytes = max_request_bytes
        self._speeches: set[Speech] = set()
        self._connected: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = threading.Event()
        self._closed: asyncio.Event | None = None

    async def serve(self, listener: socket.socket) -> None:
        """Serve until ``close``."""
        self._loop, self._closed = asyncio.get_running_loop(), asyncio.Event()

        def connected() -> asyncio.StreamReaderProtocol:
            return asyncio.StreamReaderProtocol(Reader(self._max_request_bytes), self._greet)

        server = await self._loop.create_server(connected, sock=listener)
        if not self._closing.is_set():
            await self._closed.wait()
        server.close()
        for task in self._connected:
            task.cancel()
        await asyncio.gather(*self._connected, return_exceptions=True)

    def close(self) -> None:
        """Let everybody go; callable from any thread."""
        self._closing.set()
        if self._loop is not None and self._closed is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._closed.set)

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a client until one of both has enough."""
        assert isinstance(reader, Reader)
        task = asyncio.current_task()
        assert task is not None
        self._connected.add(task)
        try:
            if self._is_allowed(writer) and len(self._connected) <= MAX_CONNECTIONS:
                await self._converse(reader, writer)
        except (OSError, EOFError, asyncio.TimeoutError, KeyError, TypeError, AttributeError) as error:
            logger.debug("wyoming: %r", error)  # a client that is gone, or that speaks something else
        except Exception:
            logger.exception("wyoming")
        finally:
            self._connected.discard(task)
            writer.close()

    def _is_allowed(self, writer: asyncio.StreamWriter) -> bool:
        """Tell whether the configuration lets this client in."""
        address = ip_address(str(writer.get_extra_info("peername")[0]).partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None) or address
        found = not self._config.allow or any(mapped in network for network in self._config.allow)
        if not found:
            logger.warning("wyoming: %s is in none of the networks of wyoming.allow", mapped)
        return found

    async def _converse(self, reader: Reader, writer: asyncio.StreamWriter) -> None:
        from wyoming.event import async_read_event
        from wyoming.info import Describe
        from wyoming.ping import Ping, Pong
        from wyoming.tts import Synthesize

        while True:
            event = await asyncio.wait_for(async_read_event(reader), IDLE_S)
            if event is None:
                return
            try:
                if Describe.is_type(event.type):
                    await self._write(writer, info_event(await self._characters()))
                elif Ping.is_type(event.type):
                    await self._write(writer, Pong(text=Ping.from_event(event).text))
                elif Synthesize.is_type(event.type):
                    await self._speak(event, reader, writer)
            except (EdgeError, HttpError) as error:
                await self._tell(writer, error)
                return  # whoever waits for sound learns from the end of the connection that none comes

    async def _speak(self, event: Event, reader: Reader, writer: asyncio.StreamWriter) -> None:
        """Answer with the sound of a line as it is computed."""
        if len(self._speeches) >= self._config.max_requests:
            raise HttpError.of("queue_full", f"{len(self._speeches)} lines are being made; try again later")
        speech = Speech(asyncio.get_running_loop(), self._shed)
        self._speeches.add(speech)
        try:
            character = named(event.data) or self._config.character
            if character is None:
                character = choose(event.data, await self._characters())
            command = say_command(event.data, character, self._config.max_wait_s)
            command.reply = command.follower = speech
            await self._answer(command, speech, reader, writer)
        finally:
            self._speeches.discard(speech)

    async def _answer(
        self, command: Command, speech: Speech, reader: Reader, writer: asyncio.StreamWriter
    ) -> None:
        if not self._submit(command):
            raise HttpError.of("queue_full", "too many requests wait; try again later")
        work = asyncio.ensure_future(self._send_sound(speech, writer))
        gone = asyncio.ensure_future(reader.ended.wait())
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise ConnectionError("the client has gone")
            work.result()
        finally:
            gone.cancel()
            work.cancel()
            if not speech.over:
                self._cancel(command.request_id)

    async def _send_sound(self, speech: Speech, writer: asyncio.StreamWriter) -> None:
        from wyoming.audio import AudioChunk, AudioStart, AudioStop

        sound = await speech.next()
        form = {"rate": speech.sample_rate or SAMPLE_RATE, "width": 2, "channels": 1}
        await self._write(writer, AudioStart(**form))
        while sound is not None:
            if sound:
                await self._write(writer, AudioChunk(audio=sound, **form))
            sound = await speech.next()
        await self._write(writer, AudioStop())

    async def _write(self, writer: asyncio.StreamWriter, message: Eventable) -> None:
        from wyoming.event import async_write_event

        await asyncio.wait_for(async_write_event(message.event(), writer), self._config.stall_s)

    async def _tell(self, writer: asyncio.StreamWriter, error: EdgeError | HttpError) -> None:
        from wyoming.error import Error

        logger.debug("wyoming: %s: %s", error.code, error)
        await self._write(writer, Error(text=str(error), code=error.code))

    def _cancel(self, request_id: str) -> None:
        """Give a line up whose client has gone. As many as there are requests at most, so never dropped."""
        self._submit(cancel_command(request_id), owed=True)

    def _shed(self) -> None:
        """Cut off the client furthest behind while more sound waits than may."""
        shed(self._speeches, MAX_BUFFER_BYTES)

    async def _characters(self) -> list[dict[str, Any]]:
        """Ask the core who can speak.

        Raises:
            HttpError: there is no voice, or no answer.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[dict[str, Any]] = loop.create_future()
        name = f"wyoming-{secrets.token_hex(8)}"
        command = Command("characters", name, time.monotonic(), request=PlainRequest())
        command.reply = _Answer(loop, future)
        if not self._submit(command):
            raise HttpError.of("queue_full", "too many requests wait; try again later")
        try:
            answer = await asyncio.wait_for(future, CORE_TIMEOUT_S)
        except asyncio.TimeoutError:
            raise HttpError.of("runner_timeout", "the daemon is not ready yet; try again later") from None
        if not answer["ok"]:
            raise HttpError.of(answer["code"], answer["message"])
        characters: list[dict[str, Any]] = answer["characters"]
        return characters


class _Answer:
    """The way back to whoever asked for the characters."""

    def __init__(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[dict[str, Any]]) -> None:
        self._loop = loop
        self._future = future

    def answer(self, payload: bytes) -> None:
        """Pass the answer on, from the core thread."""
        with suppress(RuntimeError):  # the door is closed
            self._loop.call_soon_threadsafe(self._take, json.loads(payload))

    def _take(self, answer: dict[str, Any]) -> None:
        if not self._future.done():
            self._future.set_result(answer)

    def committed(self) -> None:
        """A request of this protocol is never delivered again."""


def _listen(config: WyomingConfig) -> socket.socket:
    try:
        family = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((config.host, config.port), family=family, backlog=BACKLOG)
    except OSError as error:
        where = f"wyoming: cannot listen on {config.host} port {config.port}"
        message = f"{where}: {error.strerror or error}; set wyoming.host and wyoming.port"
        raise ConfigError(message) from error
