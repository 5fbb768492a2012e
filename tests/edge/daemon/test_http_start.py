"""What the HTTP door says when it is opened."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from edge.config import EdgeConfig, HttpConfig
from edge.daemon import Daemon
from edge.errors import ConfigError
from edge.protocols.http import HttpDoor
from tests.edge.daemon.conftest import Rig

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

pytestmark = pytest.mark.broker


def test_nothing_listens_unless_asked(rig: Rig) -> None:
    assert rig.daemon._doors == []


def test_a_taken_port_is_said_at_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        values = {
            "http": {"port": port},
            "state_dir": tmp_path,
            "sink": {"type": "null"},
            "mqtt": {"port": 1},
        }
        daemon = Daemon(EdgeConfig.model_validate(values))
        with pytest.raises(
            ConfigError, match=rf"cannot listen on 127.0.0.1 port {port}: .*in use.*http.port"
        ):
            daemon.run()


@pytest.mark.parametrize(("content", "told"), [(None, "No such file"), ("\n", "is empty"), ("ü", "ascii")])
def test_a_token_that_cannot_be_read(tmp_path: Path, content: str | None, told: str) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    config = HttpConfig(token_file=path)
    with pytest.raises(ConfigError, match=told):
        HttpDoor(config, lambda command, **_: True, lambda answer: None, 1000, Path("audio")).open()
