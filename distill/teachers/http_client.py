"""Talks to a GPT-SoVITS server: one request at a time from all processes, and again after a failure."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import httpx2

from .base import TeacherError

logger = logging.getLogger(__name__)

_START = "start it with: python api_v2.py -a 127.0.0.1 -p 9880"
_LONGEST_WAIT_S = 60.0


class _TransientError(Exception):
    """Worth another try."""


class ServerClient:
    """One server, which loads its weights once and then speaks.

    The requests of all processes of this user go through one lock file, for the server has one pipeline and
    mixes up what comes in parallel. The file also says which weights the server holds; after a failure it may
    have been started again with others, so whoever comes next loads them again.

    Args:
        url: where the server listens.
        weights: path of the call that loads weights -> path of the weights on the server's disk.
        timeout_s: longest wait for an answer, seconds.
        retries: how often a request is sent again.
        backoff_s: wait before the first retry; doubled for each further one, up to a minute.
    """

    def __init__(
        self, url: str, weights: Mapping[str, str], timeout_s: float, retries: int, backoff_s: float
    ) -> None:
        self._url = url.rstrip("/")
        self._weights = dict(weights)
        self._retries, self._backoff_s = retries, backoff_s
        # Each request has a connection of its own, for the server closes those that idle for 5 s, as they do
        # while we wait for the lock. A proxy of the environment is for the internet, not for the studio.
        self._http = httpx2.Client(
            timeout=httpx2.Timeout(timeout_s, connect=min(timeout_s, 10.0)),
            limits=httpx2.Limits(max_keepalive_connections=0),
            trust_env=False,
            verify=url.startswith("https:"),  # reading certificates takes a while
        )
        key = hashlib.sha256(self._url.encode()).hexdigest()[:12]
        self._lock = Path(tempfile.gettempdir()) / f"sovits-distill-{os.getuid()}-{key}.lock"
        self._holds = json.dumps(self._weights, sort_keys=True)
        self._loaded = False

    def speak(self, request: Mapping[str, Any]) -> bytes:
        """Ask for sound.

        Args:
            request: body of ``POST /tts``.

        Returns:
            Body of the answer.

        Raises:
            TeacherError: the server refuses, or does not answer however often it is asked.
        """
        failure = ""
        for attempt in range(self._retries + 1):
            if attempt:
                wait = min(self._backoff_s * 2 ** (attempt - 1), _LONGEST_WAIT_S)
                logger.info("%s: %s; trying again in %.1f s", self._url, failure, wait)
                time.sleep(wait)
            try:
                with self._alone() as note:
                    return self._speak(request, note)
            except _TransientError as error:
                failure = str(error)
        raise TeacherError(
            f"{self._url}: {failure}, in {self._retries + 1} tries; {_START}, then run the same command "
            "again, which goes on from here"
        )

    def reach(self) -> None:
        """See whether anything answers at the address.

        Raises:
            TeacherError: nothing does.
        """
        try:
            self._http.get(self._url)
        except httpx2.TransportError as error:
            raise TeacherError(f"{self._url}: no server answers ({error}); {_START}") from error

    def _speak(self, request: Mapping[str, Any], note: TextIO) -> bytes:
        try:
            if not self._loaded or note.read() != self._holds:
                self._load(note)
            return self._call("POST", "/tts", json=request)
        except _TransientError:
            _write(note, "")
            raise

    def _load(self, note: TextIO) -> None:
        for path, weights in self._weights.items():
            self._call("GET", path, params={"weights_path": weights})
        _write(note, self._holds)
        self._loaded = True

    def _call(self, method: str, path: str, **content: Any) -> bytes:
        try:
            answer = self._http.request(method, self._url + path, **content)
        except httpx2.TimeoutException as error:
            raise _TransientError(f"no answer to {path} in time ({type(error).__name__})") from error
        except httpx2.TransportError as error:
            raise _TransientError(f"{path} failed ({error or type(error).__name__})") from error
        if answer.status_code == 200:
            return answer.content
        if answer.status_code >= 500:
            raise _TransientError(f"{path} answered {answer.status_code} ({_message(answer)})")
        if answer.status_code == 400:
            raise TeacherError(f"{self._url}{path} refuses: {_message(answer)}")
        raise TeacherError(
            f"{self._url}{path} answered {answer.status_code} ({_message(answer)}); expected the api_v2.py "
            f"of GPT-SoVITS: {_START}"
        )

    @contextmanager
    def _alone(self) -> Iterator[TextIO]:
        """Hold the lock; gives its file, which says what weights the server was last told to load."""
        with self._lock.open("a+", encoding="utf-8") as note:
            fcntl.flock(note, fcntl.LOCK_EX)
            note.seek(0)
            yield note

    def close(self) -> None:
        """Close connections."""
        self._http.close()


def _write(note: TextIO, text: str) -> None:
    note.seek(0)
    note.truncate()
    note.write(text)
    note.flush()


def _message(answer: httpx2.Response) -> str:
    """Give what the server says of an error: ``message`` and ``Exception``, or the beginning of the body."""
    try:
        content = answer.json()
    except ValueError:
        return answer.text[:200].strip() or answer.reason_phrase
    if isinstance(content, dict) and "message" in content:
        return ": ".join(str(content[key]) for key in ("message", "Exception") if content.get(key))
    return json.dumps(content, ensure_ascii=False)[:200]
