"""OSC listener: lines, stops and cues from tools that speak Open Sound Control over UDP.

python-osc reads messages. Bundles are taken apart here: its own reader loops for ever on a negative size, and
its server sleeps until a bundle is due.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from ..config import OscConfig
from ..errors import ConfigError, EdgeError, RequestError
from ..messages import MAX_DELAY_MS, CancelRequest, Event, SayRequest, StopRequest
from ..topics import is_name
from .commands import Command, bad_name
from .door import Submit, missing_extra
from .payload import decode_utf8

if TYPE_CHECKING:
    from pythonosc.osc_message import OscMessage

    from ..audio import AudioChunk

logger = logging.getLogger(__name__)

MAX_DATAGRAM_BYTES = 16_384
MAX_DEPTH = 4
MAX_MESSAGES = 64
WAKE_S = 0.5
TAGS = re.compile(r",[ifshdbtrmTFN\[\]]*")
"""Types of arguments that python-osc knows; it would log every other one by itself."""


class OscDoor:
    """The listener and its thread.

    Args:
        config: address, who is heard, and where answers go.
        submit: leaves commands for the core.
    """

    def __init__(self, config: OscConfig, submit: Submit) -> None:
        self._config = config
        self._submit = submit
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    def open(self) -> None:
        """Begin to listen.

        Raises:
            ConfigError: the port is taken, or python-osc is not installed.
        """
        try:
            import pythonosc  # noqa: F401 - the first message must not find that it is missing
        except ImportError as error:
            raise missing_extra("osc", "osc", error) from error
        where = (self._config.host, self._config.port)
        try:
            family = socket.getaddrinfo(*where, type=socket.SOCK_DGRAM)[0][0]
            self._socket = socket.socket(family, socket.SOCK_DGRAM)
            self._socket.bind(where)
        except OSError as error:
            self.close()
            reason = error.strerror or error
            message = f"osc: cannot listen on {where[0]} port {where[1]}: {reason}; set osc.host and osc.port"
            raise ConfigError(message) from error
        self._socket.settimeout(WAKE_S)
        self._thread = threading.Thread(target=self._run, args=(self._socket,), name="osc", daemon=True)
        self._thread.start()
        logger.info("osc: listening on %s port %d", *where)

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        if self._socket is not None:
            self._socket.close()

    def _run(self, listener: socket.socket) -> None:
        while not self._closing.is_set():
            try:
                data, sender = listener.recvfrom(MAX_DATAGRAM_BYTES)
                self._take(data, sender, listener)
            except TimeoutError:
                continue
            except Exception:
                logger.exception("osc")
                self._closing.wait(WAKE_S)

    def _take(self, data: bytes, sender: Any, listener: socket.socket) -> None:
        """Obey a datagram; what is no OSC is dropped, as UDP drops it too."""
        if not self._is_allowed(sender[0]):
            logger.debug("osc: %s is in none of the networks of osc.allow", sender[0])
            return
        reply = OscReply(listener, sender, self._config.reply_port)
        try:
            for number, (when, message) in enumerate(unpack(data)):
                if number == MAX_MESSAGES:
                    raise RequestError(f"more than {MAX_MESSAGES} messages in one packet")
                self._obey(message, when, reply)
        except EdgeError as error:
            logger.debug("osc, from %s: %s", sender[0], error)
            reply.send("/sovits/answer", "", "", error.code, str(error))

    def _is_allowed(self, host: str) -> bool:
        address = ip_address(host.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None) or address
        return not self._config.allow or any(mapped in network for network in self._config.allow)

    def _obey(self, message: bytes, when: float, reply: OscReply) -> None:
        address, command = read_message(message, when)
        if command is None:
            return
        command.reply = reply
        if self._config.reply_port is not None:
            command.follower = reply
        if not self._submit(command, urgent=command.op == "stop"):
            logger.error("osc: intake is full: %s was dropped", address)
            reply.send("/sovits/answer", command.op, command.request_id, "queue_full", "too much waits")


class OscReply:
    """Answers and events on their way back to the sender, if they are wanted.

    Args:
        listener: socket to send from.
        sender: address of the sender.
        port: of the sender, for answers; None sends nothing.
    """

    def __init__(self, listener: socket.socket, sender: Any, port: int | None) -> None:
        self._listener = listener
        self._to = None if port is None else (sender[0], port, *sender[2:])

    def answer(self, payload: bytes) -> None:
        """Send ``/sovits/answer op id code message``."""
        answer = json.loads(payload)
        self.send("/sovits/answer", answer["op"], answer["id"], answer["code"], answer["message"])

    def committed(self) -> None:
        """A datagram is never delivered again."""

    def event(self, event: Event) -> None:
        """Send ``/sovits/event id event character code``; the code is empty unless the line failed."""
        self.send("/sovits/event", event.id, event.event, event.character, getattr(event, "code", ""))

    def sound(self, chunk: AudioChunk) -> None:
        """Lines that come over OSC are played; their sound is not sent."""

    def send(self, address: str, *arguments: str) -> None:
        """Send a message, or lose it: UDP never waits."""
        if self._to is None:
            return
        from pythonosc.osc_message_builder import OscMessageBuilder

        builder = OscMessageBuilder(address)
        for argument in arguments:
            builder.add_arg(argument, "s")
        try:
            self._listener.sendto(builder.build().dgram, socket.MSG_DONTWAIT, self._to)
        except OSError as error:
            logger.debug("osc: answer to %s lost: %s", self._to, error)


def unpack(data: bytes, when: float = 0.0, depth: int = 0) -> Iterator[tuple[float, bytes]]:
    """Take a packet apart.

    Args:
        data: a message or a bundle.
        when: ``time.time()`` at which what is in it is due; 0 is at once.
        depth: of bundles around it.

    Yields:
        When it is due, and a message.

    Raises:
        RequestError: this is not OSC.
    """
    from pythonosc.parsing import osc_types

    if data.startswith(b"/"):
        yield when, data
        return
    if not data.startswith(b"#bundle\0") or depth == MAX_DEPTH:
        raise RequestError("this is neither an OSC message nor a bundle")
    try:
        due, index = osc_types.get_date(data, 8)
        while index < len(data):
            size, index = osc_types.get_int(data, index)
            if not 0 < size <= len(data) - index:
                raise RequestError(f"an element of a bundle has {size} bytes")
            yield from unpack(data[index : index + size], max(due, when), depth + 1)
            index += size
    except osc_types.ParseError as error:
        raise RequestError(f"this is not an OSC bundle: {error}") from error


def read_message(data: bytes, when: float) -> tuple[str, Command | None]:
    """Understand a message.

    Returns:
        Its address, and the command; None for a button that was let go.

    Raises:
        RequestError: it is not OSC, or the address means nothing here.
    """
    received = time.monotonic()
    address, arguments, fault = _parse(data)
    parts = [part for part in address.split("/") if part]
    op, names = (parts[0], parts[1:]) if parts else ("", [])
    if op not in _FILL or len(names) > 1:
        expected = "/say, /say/CHARACTER, /line, /line/ID, /stop, /stop/CHARACTER or /cancel"
        raise RequestError(f"{ascii(address)[:80]} means nothing here; expected {expected}")
    if _is_button(op, names, arguments) and not arguments.pop():
        return address, None
    command = Command(op, f"osc-{secrets.token_hex(8)}", received, error=fault)
    words = [*names, *map(_word, arguments)]
    try:
        if fault is None:
            _FILL[op](command, words, is_named=bool(names))
            _postpone(command, when)
    except EdgeError as error:
        command.error = error
    return address, command


def _is_button(op: str, names: list[str], arguments: list[Any]) -> bool:
    """Tell whether the last argument is the value of a button: 1 pressed, 0 let go."""
    has_name = op == "stop" or bool(names) or len(arguments) > 1
    return op != "say" and has_name and bool(arguments) and isinstance(arguments[-1], int | float)


def _parse(data: bytes) -> tuple[str, list[Any], RequestError | None]:
    """Read address and arguments with python-osc; a wrong encoding is a fault of a known address."""
    from pythonosc import osc_message
    from pythonosc.parsing import osc_types

    try:
        address, index = osc_types.get_string(data, 0)
        tags = osc_types.get_string(data, index)[0] if data[index:] else ","
        if not TAGS.fullmatch(tags):
            raise RequestError(f"arguments {ascii(tags)[:40]} are not of types known here; send text")
    except (osc_types.ParseError, UnicodeDecodeError) as error:
        raise RequestError(f"this is not an OSC message: {error}") from error
    try:
        message: OscMessage = osc_message.OscMessage(data)
        return address, list(message), None
    except UnicodeDecodeError as error:
        return address, [], _encoding_fault(bytes(error.object))
    except Exception as error:
        raise RequestError(f"this is not an OSC message: {error!r}"[:200]) from error


def _encoding_fault(text: bytes) -> RequestError | None:
    try:
        decode_utf8(text)
    except RequestError as error:
        return error
    return None


def _word(argument: Any) -> str:
    """An argument as text: tools send what looks like a number as one."""
    if isinstance(argument, str):
        return argument
    if isinstance(argument, float):
        return f"{argument:g}"
    return str(argument) if isinstance(argument, int) and not isinstance(argument, bool) else ""


def _fill_say(command: Command, words: list[str], *, is_named: bool) -> None:
    """``/say/CHARACTER text``, ``/say CHARACTER text`` or ``/say text``; words that were split are joined."""
    values: dict[str, Any] = {}
    if is_named or len(words) > 1:
        character, *words = words
        if not is_name(character):
            raise bad_name(character)
        values["character"] = character
    command.fill(SayRequest, {**values, "text": " ".join(words)})


def _fill_line(command: Command, words: list[str], *, is_named: bool) -> None:
    line = words[0] if words else ""
    if not is_name(line):
        raise RequestError(f"line {ascii(line)[:80]} is not a valid name", code="unknown_line")
    command.fill(SayRequest, {"line": line})


def _fill_stop(command: Command, words: list[str], *, is_named: bool) -> None:
    if words and not is_name(words[0]):
        raise bad_name(words[0])
    command.fill(StopRequest, {"character": words[0]} if words else {})


def _fill_cancel(command: Command, words: list[str], *, is_named: bool) -> None:
    command.fill(CancelRequest, {"id": words[0] if words else ""})


_FILL = {"say": _fill_say, "line": _fill_line, "stop": _fill_stop, "cancel": _fill_cancel}


def _postpone(command: Command, when: float) -> None:
    """Have a line of a bundle wait until the bundle is due; by the wall clock, as OSC has it."""
    wait_ms = round((when - time.time()) * 1000)
    if wait_ms <= 0 or not isinstance(command.request, SayRequest):
        return
    if wait_ms > MAX_DELAY_MS:
        raise RequestError("the bundle is due in more than an hour; are both clocks right?")
    command.request = command.request.model_copy(update={"not_before_ms": wait_ms})
