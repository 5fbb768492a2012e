"""A headless Chromium on the other end of two pipes, spoken to in its DevTools protocol."""

from __future__ import annotations

import fcntl
import json
import os
import select
import subprocess
import time
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--mute-audio", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE_S = 120.0  # for one answer; a busy machine takes ten seconds to start the browser
COMMANDS_FD, EVENTS_FD = 3, 4  # where Chromium looks for the pipes


class Browser:
    """One page. ``events`` holds everything that Chromium has told of its own accord."""

    def __init__(self, profile: Path) -> None:
        commands, self._commands = os.pipe()
        self._events, events = os.pipe()
        # Out of the way first: the numbers that Chromium expects may be taken by the pipes themselves.
        ends = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (commands, events)]

        def place() -> None:
            os.dup2(ends[0], COMMANDS_FD)
            os.dup2(ends[1], EVENTS_FD)

        self._process = subprocess.Popen(
            ["chromium", *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(COMMANDS_FD, EVENTS_FD), preexec_fn=place,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for fd in (commands, events, *ends):
            os.close(fd)
        self.events: list[dict[str, Any]] = []
        self._unread = b""
        self._last_id = 0
        self._session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._last_id += 1
        message: dict[str, Any] = {"id": self._last_id, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._send(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._last_id:
                assert "error" not in answer, answer
                return dict(answer["result"])
            self.events.append(answer)

    def _send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._commands, data) :]

    def _receive(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._events], [], [], deadline - time.monotonic())
            assert ready, "Chromium does not answer"
            part = os.read(self._events, 1 << 20)
            assert part, "Chromium has ended"
            self._unread += part
        message, self._unread = self._unread.split(b"\0", 1)
        return dict(json.loads(message))

    def resize(self, width: int, height: int = 900) -> None:
        """Set the size of the window in CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def prefer(self, scheme: str) -> None:
        """Ask for ``light`` or ``dark``."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def open(self, page: Path) -> None:
        """Load a file and wait until it is there."""
        self.events.clear()
        self.call("Page.navigate", url=page.as_uri())
        while not self.told("Page.loadEventFired"):
            self.events.append(self._receive())

    def told(self, method: str) -> list[dict[str, Any]]:
        """Parameters of all events of a kind since the page was opened."""
        return [event["params"] for event in self.events if event.get("method") == method]

    def evaluate(self, expression: str) -> Any:
        """Value of a JavaScript expression, promises waited for."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def close(self) -> None:
        """End the browser."""
        self._session = ""
        self.call("Browser.close")
        self._process.wait(PATIENCE_S)
        os.close(self._commands)
        os.close(self._events)
