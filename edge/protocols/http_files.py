"""Lines that were written as files, fetched over HTTP."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..config import HttpConfig
from ..spec import REQUEST_ID
from .http_speech import HttpError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

FILES = "/v1/files"
EVERY_ADDRESS = ("0.0.0.0", "::")
_NAME = re.compile(rf"{REQUEST_ID}\.wav")


def file_urls(config: HttpConfig | None) -> Callable[[str], str | None]:
    """Return what gives the URL of a line's file: ``finished.url``; None where there is no HTTP door."""
    if config is None:
        return lambda _line_id: None
    base = config.public_url or _base(config)
    return lambda line_id: f"{base}{FILES}/{quote(line_id, safe='')}.wav"


def _base(config: HttpConfig) -> str:
    host = socket.gethostname() if config.host in EVERY_ADDRESS else config.host
    return f"http://[{host}]:{config.port}" if ":" in host else f"http://{host}:{config.port}"


class SoundFiles:
    """Sends the files.

    Args:
        directory: where the daemon writes them; nothing else is ever read.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def send(self, request: Request) -> Response:
        """Answer with a file, or the part of it that is asked for.

        Raises:
            HttpError: there is none of that name; the oldest are deleted.
        """
        from starlette.responses import FileResponse

        name = request.path_params["name"]
        path = self._directory / name
        if not _NAME.fullmatch(name) or not path.is_file():
            raise HttpError(404, "bad_request", f"no file {ascii(name)[:80]}; the oldest ones are deleted")
        return FileResponse(path, media_type="audio/wav")
