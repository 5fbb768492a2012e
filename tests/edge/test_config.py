from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge.config import (
    AlsaSinkConfig,
    EdgeConfig,
    WavSinkConfig,
    default_state_dir,
    device_name,
    load_config,
    tomllib,
)
from edge.errors import ConfigError

FULL = """
device = "kiosk3"
base = "venue/sovits"
bundle = "/var/lib/voices/noah.voice"
threads = 4

[mqtt]
host = "10.0.0.2"
port = 8883
protocol = "3.1.1"
username = "kiosk3"
reply_prefixes = ["unity/", "show/"]

[mqtt.tls]
ca_file = "/etc/ca.pem"

[sink]
type = "alsa"
device = "USB"
channels = 2

[cache]
max_mb = 128
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "edge.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_are_usable() -> None:
    config = load_config()
    assert config.mqtt.port == 1883 and config.base == "sovits" and isinstance(config.sink, AlsaSinkConfig)
    assert config == EdgeConfig()


def test_a_full_file(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, FULL))
    assert (config.device, config.base, config.threads) == ("kiosk3", "venue/sovits", 4)
    assert config.mqtt.tls is not None and config.mqtt.tls.ca_file == Path("/etc/ca.pem")
    assert config.mqtt.reply_prefixes == ("unity/", "show/")
    assert isinstance(config.sink, AlsaSinkConfig) and config.sink.channels == 2


def test_flags_win_over_the_file_and_absent_flags_do_not_count(tmp_path: Path) -> None:
    flags = {"mqtt.host": "other", "device": None, "sink": {"type": "wav", "path": "x.wav"}}
    config = load_config(write(tmp_path, FULL), flags)
    assert config.mqtt.host == "other" and config.mqtt.port == 8883 and config.device == "kiosk3"
    assert isinstance(config.sink, WavSinkConfig)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[mqtt]\nprot = 1", r"mqtt\.prot: unknown key, did you mean 'port'"),
        ("[sink]\ntype = 'null'\npath = 'x'", r"sink\.null\.path: unknown key"),
        ("[sink]\ntype = 'gramophone'", r"gramophone"),
        ("device = 'Kiosk 3'", r"device: string should match pattern .* found 'Kiosk 3'"),
        ("threads = 0\n[cache]\nmax_mb = -1", r"threads: .*; cache\.max_mb: "),
        ("base = 'a/#'", r"base: "),
        ("[mqtt]\nreply_prefixes = ['+/x']", r"mqtt\.reply_prefixes\.0"),
        ("device = ", r"not valid TOML"),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(write(tmp_path, text))
    assert "edge.toml" in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_config(tmp_path / "absent.toml")
    (tmp_path / "latin.toml").write_bytes(b"device = '\xe9'")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "latin.toml")
    with pytest.raises(ConfigError, match="mqtt must be a table"):
        load_config(write(tmp_path, "mqtt = 3"), {"mqtt.host": "x"})


def test_nothing_can_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_config().device = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("host", "device"),
    [("Kiosk3.local", "kiosk3"), ("My Laptop!", "my-laptop-"), ("", "device"), ("x" * 80, "x" * 64)],
)
def test_a_host_name_becomes_a_device_name(host: str, device: str) -> None:
    assert device_name(host) == device


def test_systemd_says_where_state_belongs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/sovits-tiny:/other")
    assert default_state_dir() == Path("/var/lib/sovits-tiny")
    monkeypatch.delenv("STATE_DIRECTORY")
    assert default_state_dir() == Path.home() / ".local/state/sovits-tiny"


def test_a_door_to_the_network_needs_a_token() -> None:
    for host in ("0.0.0.0", "10.0.0.2", "::", "kiosk.example"):
        with pytest.raises(
            ConfigError, match=rf"^configuration: http: listening on {host} needs http.token_file"
        ):
            load_config(None, {"http.host": host})
        assert load_config(None, {"http.host": host, "http.token_file": "token"}).http is not None
    for host in ("127.0.0.1", "::1", "localhost", "127.3.2.1"):
        assert load_config(None, {"http.host": host}).http is not None
    assert load_config().http is None


def test_networks_of_the_osc_listener_are_checked() -> None:
    config = load_config(None, {"osc.allow": ["10.0.0.0/24", "fd00::/8"]})
    assert config.osc is not None and len(config.osc.allow) == 2
    with pytest.raises(ConfigError, match=r"osc\.allow\.0"):
        load_config(None, {"osc.allow": ["10.0.0.5/24"]})


def test_every_key_of_the_synthesiser_is_told_with_its_default() -> None:
    page = (Path(__file__).parents[2] / "docs" / "engine.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", page, re.MULTILINE))
    fields = EdgeConfig.model_fields
    assert rows.keys() == {name for name in fields if name.startswith("engine")} | {"threads"}
    for name, default in rows.items():
        assert tomllib.loads(f"value = {default}")["value"] == fields[name].default, name
