"""Lines that were written as files, fetched over HTTP."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..spec import REQUEST_ID
from .http_speech import HttpError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_NAME = re.compile(rf"{REQUEST_ID}\.wav")


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
