"""Guard of the HTTP door: who may ask, and every fault as JSON with a code of the contract."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..config import is_loopback
from .http_speech import HttpError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

logger = logging.getLogger(__name__)

OPEN_PATHS = ("/healthz",)
"""Paths that need no token: a supervisor has none."""
PATHS = "POST /v1/audio/speech, GET /v1/voices, GET /v1/files/ID.wav, GET /healthz and GET /metrics"
RETRY_AFTER_S = 1


class Guard:
    """Lets a request through that carries the token or, where there is none, names this machine.

    Without the second rule any web page could reach a door on its visitor's own machine by giving a name of
    its own that address (DNS rebinding).

    Args:
        app: what is guarded.
        host: address listened on.
        token: that clients have to send, if any.
    """

    def __init__(self, app: ASGIApp, host: str, token: str | None) -> None:
        self._app = app
        self._host = host
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, as ASGI has it."""
        headers = dict(scope.get("headers", ()))
        fault = self._fault(scope["path"], headers) if scope["type"] == "http" else None
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await _response(fault)(scope, receive, send)

    def _fault(self, path: str, headers: dict[bytes, bytes]) -> HttpError | None:
        if self._token is None:
            host = headers.get(b"host", b"").decode("latin-1")
            if _is_local(host, self._host):
                return None
            return HttpError(421, "bad_request", f"this is not {ascii(host)[:80]}; ask for {self._host}")
        if path in OPEN_PATHS:
            return None
        given = headers.get(b"authorization", b"")
        if hmac.compare_digest(given, b"Bearer " + self._token.encode()):
            return None
        return HttpError(401, "bad_request", "send the token: Authorization: Bearer ...")


class Endpoint:
    """A handler that sends its own answer, for streams.

    Args:
        handler: called with the request and ASGI's send.
    """

    def __init__(self, handler: Callable[[Request, Send], Awaitable[None]]) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, as ASGI has it."""
        from starlette.requests import Request

        await self._handler(Request(scope, receive), send)


async def tell_fault(_request: Request, error: Exception) -> Response:
    """Answer with a fault of ours."""
    assert isinstance(error, HttpError)
    return _response(error)


async def tell_http(_request: Request, error: Exception) -> Response:
    """Answer to a path or method that is not there."""
    from starlette.exceptions import HTTPException

    assert isinstance(error, HTTPException)
    what = "no such path" if error.status_code == 404 else str(error.detail).lower()
    response = _response(HttpError(error.status_code, "bad_request", f"{what}; there are {PATHS}"))
    response.headers.update(error.headers or {})
    return response


async def tell_bug(_request: Request, error: Exception) -> Response:
    """Answer to a fault of our own."""
    logger.error("http", exc_info=error)
    return _response(HttpError(500, "internal", f"the door failed on this request: {error!r}"[:300]))


def _response(fault: HttpError) -> Response:
    from starlette.responses import JSONResponse

    headers = {"retry-after": str(RETRY_AFTER_S)} if fault.status == 503 else {}
    headers |= {"www-authenticate": "Bearer"} if fault.status == 401 else {}
    return JSONResponse(fault.body, fault.status, headers)


def _is_local(header: str, host: str) -> bool:
    """Tell whether a Host header names this machine by an address or name of its own."""
    try:
        name = urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return False
    return name == host or is_loopback(name)
