"""The configuration of a device: one TOML file, then flags; an unknown key is an error."""

from __future__ import annotations

import difflib
import os
import re
import socket
import sys
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from .errors import ConfigError
from .labels.policy import LabelConfig
from .spec import NAME

if sys.version_info >= (3, 11):
    import tomllib
else:  # the oldest supported device image has Python 3.10
    import tomli as tomllib

Name = Annotated[str, Field(pattern=f"^{NAME}$")]
"""A device, a character or a mark: it becomes one level of an MQTT topic."""

TopicPrefix = Annotated[str, Field(pattern=r"^[^+#$\x00-\x1f][^+#\x00-\x1f]{0,127}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TlsConfig(_Section):
    """Encryption towards the broker. Present means on; there is no fall-back to plain text."""

    ca_file: Path | None = None
    """Certificate authority in PEM; absent: that of the operating system."""
    cert_file: Path | None = None
    key_file: Path | None = None


class MqttConfig(_Section):
    """How to reach the broker."""

    host: str = "127.0.0.1"
    port: int = Field(1883, ge=1, le=65535)
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    """`auto`: MQTT 5, and 3.1.1 where the broker does not speak 5."""
    client_id: str = Field("", max_length=128)
    """Empty: `sovits-edge-<device>`. Two clients with one id disconnect each other for ever."""
    username: str | None = None
    password_file: Path | None = None
    """First line is the password (systemd: `LoadCredential`)."""
    keepalive_s: int = Field(10, ge=2, le=600)
    session_expiry_s: int = Field(300, ge=0, le=86_400)
    """How long the broker keeps commands for a device that is away; 3.1.1 brokers decide for themselves."""
    reply_prefixes: tuple[TopicPrefix, ...] = ()
    """Where answers may be sent on request; empty: anywhere outside the device's own topics."""
    max_packet_bytes: int = Field(1_048_576, ge=4096)
    """Largest packet we send where the broker does not state its own limit."""
    max_outgoing: int = Field(20_000, ge=100)
    """Messages kept in memory while the broker is away; beyond that, new ones are dropped and counted."""
    tls: TlsConfig | None = None


class NullSinkConfig(_Section):
    """No sound, but the pace of a sound card: for tests and for devices that only send sound over MQTT."""

    type: Literal["null"] = "null"
    block_ms: int = Field(10, ge=2, le=50)


class WavSinkConfig(_Section):
    """What a loudspeaker would have played, as a WAV file at the pace of a sound card."""

    type: Literal["wav"] = "wav"
    path: Path
    block_ms: int = Field(10, ge=2, le=50)
    max_gap_s: float = Field(1.0, ge=0, le=86_400)
    """Silence between two lines is recorded up to this length."""


class AlsaSinkConfig(_Section):
    """A sound card, through PortAudio."""

    type: Literal["alsa"] = "alsa"
    device: str | int | None = None
    """Name (or part of it) or number as `python -m sounddevice` lists them; absent: the default device."""
    latency_ms: int = Field(15, ge=5, le=500)
    """Sound that the card has in hand. It is heard after a stop, on top of the fade of 20 ms: more than 20 ms
    and silence takes longer than 50 ms. Raise it if `finished` events report underruns."""
    block_ms: int = Field(5, ge=2, le=50)
    channels: Literal[1, 2] = 1
    sample_rate: int | None = Field(None, ge=8000, le=192_000)
    """Rate of the card in Hz where it cannot take the voice's own; sound is then resampled."""


SinkConfig = Annotated[NullSinkConfig | WavSinkConfig | AlsaSinkConfig, Field(discriminator="type")]


class QueueConfig(_Section):
    """What waits: who for whom, and how much."""

    channel: Literal["all", "character"] = "all"
    """`all`: one line is heard at a time; `character`: one of each character, so that two may speak at
    once."""
    max_lines: int = Field(200, ge=1, le=10_000)
    """Accepted lines waiting to be spoken; beyond that, `queue_full` or the lowest priority gives way."""
    max_intake: int = Field(2_000, ge=10)
    """Messages received and not yet looked at."""
    max_intake_bytes: int = Field(16_777_216, ge=1_048_576)
    max_request_bytes: int = Field(262_144, ge=4096, le=16_777_216)
    """Larger payloads are answered with `too_large` unread."""
    remembered_ids: int = Field(100_000, ge=100)
    """Request ids whose outcome is kept to recognise repetitions."""


class CacheConfig(_Section):
    """Finished lines that are kept, so that the same line again need not be made again."""

    max_mb: int = Field(64, ge=0, le=65_536)
    """In memory."""
    disk_mb: int = Field(512, ge=0, le=1_048_576)
    """On disk, in the state directory, where they survive restarts: 512 MB are 2 h 20 min of speech.
    0 keeps none there."""


class LogConfig(_Section):
    """What is told on standard error."""

    format: Literal["text", "json"] = "text"
    """`json`: one object per line, with time, level, logger, message and what it is about."""


class FilesConfig(_Section):
    """WAV files written for requests with output `file`."""

    max_mb: int = Field(512, ge=1)
    """The oldest are deleted beyond this."""


Level = Annotated[float, Field(ge=-60, le=0, allow_inf_nan=False)] | Literal["off"]


class LoudnessConfig(_Section):
    """How loud characters speak, wherever their sound goes; what is kept in the cache is as it was made."""

    target_dbfs: Level = -20.0
    """RMS of speech without its pauses. `off`: as the voice was made, without gain or limiter."""
    characters: dict[Name, Level] = {}
    """Another target for some characters."""
    ceiling_dbfs: float = Field(-1.0, ge=-24, le=0)
    """No sample is above. Also holds for characters that speak at the same time, together."""
    max_gain_db: float = Field(20.0, ge=0, le=40)
    """A character is turned up by no more than this."""

    def target(self, character: str) -> float | None:
        """Return how loud a character shall be; None: as it is."""
        level = self.characters.get(character, self.target_dbfs)
        return None if level == "off" else float(level)

    @property
    def is_on(self) -> bool:
        """Tell whether any character is turned up or down."""
        return any(level != "off" for level in (self.target_dbfs, *self.characters.values()))


class HttpConfig(_Section):
    """The HTTP door. Present means on; without it nothing listens."""

    host: str = "127.0.0.1"
    """Address to listen on. Anything but this machine's own needs a token."""
    port: int = Field(8020, ge=1, le=65535)
    public_url: Annotated[str, Field(pattern=r"^https?://[^\s/?#]+$")] | None = None
    """How others reach this door, such as `http://kiosk3.museum:8020`, for `finished.url`. Absent: host and
    port, with this machine's name where every address is listened on."""
    token_file: Path | None = None
    """First line is the token to be sent as `Authorization: Bearer ...` (systemd: `LoadCredential`)."""
    max_requests: int = Field(16, ge=1, le=256)
    """Lines asked for at a time; beyond that, `queue_full`."""
    max_buffer_mb: int = Field(64, ge=4, le=4096)
    """Sound kept for clients that read slowly; beyond that, the one furthest behind is cut off."""
    max_wait_s: float = Field(30.0, gt=0, le=3600)
    """A line that has not started within this time expires."""
    stall_s: float = Field(60.0, ge=1, le=3600)
    """A client that takes no sound for this long is cut off."""

    @model_validator(mode="after")
    def _guarded(self) -> HttpConfig:
        if self.token_file is None and not is_loopback(self.host):
            raise ValueError(f"listening on {self.host} needs http.token_file; without one, use 127.0.0.1")
        return self


class OscConfig(_Section):
    """The OSC listener, over UDP. Present means on."""

    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for every network."""
    port: int = Field(9010, ge=1, le=65535)
    allow: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks whose messages are obeyed, such as `["10.0.0.0/24"]`; empty: any that reach the port."""
    reply_port: int | None = Field(None, ge=1, le=65535)
    """Port of the sender to which answers and events go; absent: none are sent."""


class WyomingConfig(_Section):
    """The Wyoming door. Present means on; without it nothing listens."""

    host: str = "127.0.0.1"
    """Address to listen on. Anything but this machine's own needs `allow`: there are no passwords."""
    port: int = Field(10200, ge=1, le=65535)
    allow: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks whose clients are served, such as `["10.0.0.0/24"]`; empty: any that reach the port."""
    character: Name | None = None
    """Who speaks where the client names nobody; absent: the first with the language asked for."""
    max_requests: int = Field(16, ge=1, le=256)
    """Lines asked for at a time; beyond that, `queue_full`."""
    max_wait_s: float = Field(30.0, gt=0, le=3600)
    """A line that has not started within this time expires."""
    stall_s: float = Field(60.0, ge=1, le=3600)
    """A client that takes no sound for this long is cut off."""

    @model_validator(mode="after")
    def _guarded(self) -> WyomingConfig:
        if not self.allow and not is_loopback(self.host):
            raise ValueError(f"listening on {self.host} needs wyoming.allow; without it, use 127.0.0.1")
        return self


class HermesConfig(_Section):
    """The Rhasspy Hermes bridge, over the daemon's own broker. Present means on."""

    site_ids: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = ("default",)
    """Sites for which this device speaks."""
    character: Name | None = None
    """Who speaks; absent: the first of the voice."""


class HomeAssistantConfig(_Section):
    """Home Assistant discovery, over the daemon's own broker. Present means on."""

    prefix: TopicPrefix = "homeassistant"
    """Discovery prefix, as configured in Home Assistant."""


class TrustConfig(_Section):
    """Where the device keeps signed documents, and where it stands, which a consent record may limit."""

    directory: Path | None = None
    """Trust store; absent: `trust` in the state directory."""
    copy_directory: Path | None = None
    """Second place for the numbers that only rise, best on another file system."""
    use: Name = "venue"
    """Which of the uses in a consent record this device is for."""
    venue: str = Field("", pattern=r"^[A-Za-z0-9_.-]{0,64}$")
    territory: str = Field("", pattern=r"^([A-Z]{2})?$")
    """Country, two capital letters."""


class EdgeConfig(_Section):
    """Everything that the daemon can be told."""

    base: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,3}$")] = "sovits"
    device: Name = Field(default_factory=lambda: device_name(socket.gethostname()))
    bundle: Path | None = None
    """Voice bundle, directory or `.voice`; absent: the built-in voice."""
    lexicon: Path | None = None
    show: Path | None = None
    """Show file; its lines are prepared at the start, and it is read again when it changes."""
    runner: str = "onnxruntime"
    """`onnxruntime`, `tensorrt`, `openvino`, or `auto`: the fastest of them, by measurement."""
    threads: int = Field(2, ge=1, le=64)
    """Threads of the inference library."""
    engine: Literal["process", "thread"] = "process"
    """Where the synthesiser works. `process`: in a child, which is replaced when it crashes or hangs;
    `thread`: in the daemon itself, for devices that are short of memory."""
    engine_spare: bool = True
    """Keep a second child in reserve, 25 MB without a voice: replacing the first takes half the time."""
    engine_second: bool = True
    """While many lines are made that nobody hears, make some of them in a second child, 100 MB more. With one
    thread, in the daemon itself or on another runner than `onnxruntime` there is none."""
    engine_hang_s: float = Field(0.8, gt=0, le=600)
    """A child without a sign of life for this long, plus 1 ms per character of a text, hangs."""
    state_dir: Path = Field(default_factory=lambda: default_state_dir())
    engine_timeout_s: float = Field(10.0, gt=0, le=600)
    """A line for which the synthesiser shows no progress for this long fails with `runner_timeout`."""
    mqtt: MqttConfig = MqttConfig()
    sink: SinkConfig = AlsaSinkConfig()
    queue: QueueConfig = QueueConfig()
    cache: CacheConfig = CacheConfig()
    loudness: LoudnessConfig = LoudnessConfig()
    files: FilesConfig = FilesConfig()
    log: LogConfig = LogConfig()
    trust: TrustConfig = TrustConfig()
    label: LabelConfig = LabelConfig()
    """How synthesised speech says that it is synthesised."""
    http: HttpConfig | None = None
    osc: OscConfig | None = None
    wyoming: WyomingConfig | None = None
    hermes: HermesConfig | None = None
    homeassistant: HomeAssistantConfig | None = None


def is_loopback(host: str) -> bool:
    """Tell whether an address is reached from this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def device_name(host_name: str) -> str:
    """Turn a host name into a valid device name: lower case, other characters become `-`."""
    return re.sub(r"[^a-z0-9_-]+", "-", host_name.split(".")[0].lower())[:64] or "device"


def default_state_dir() -> Path:
    """Return what systemd grants (`StateDirectory=`), else a directory of the user's own."""
    granted = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return Path(granted) if granted else Path.home() / ".local" / "state" / "sovits-tiny"


def load_config(path: Path | None = None, overrides: Mapping[str, object] | None = None) -> EdgeConfig:
    """Read a configuration file and apply flags on top of it.

    Args:
        path: TOML file; `None` means every default.
        overrides: values by dotted key, such as `{"mqtt.host": "10.0.0.2", "sink": {"type": "null"}}`;
            `None` values are left out.

    Raises:
        ConfigError: the file cannot be read, or a key or value is wrong; every fault is named.
    """
    values = {} if path is None else _read_toml(path)
    for key, value in (overrides or {}).items():
        if value is not None:
            _set_dotted(values, key, value)
    try:
        return EdgeConfig.model_validate(values)
    except ValidationError as error:
        source = "configuration" if path is None else str(path)
        faults = "; ".join(_describe(fault) for fault in error.errors())
        raise ConfigError(f"{source}: {faults}") from error


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return values
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file; name an existing configuration or leave it out") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def _set_dotted(values: dict[str, Any], key: str, value: object) -> None:
    *sections, last = key.split(".")
    for section in sections:
        inner = values.setdefault(section, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{section} must be a table to set {key}, found {inner!r}")
        values = inner
    values[last] = value


def _describe(fault: Any) -> str:
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(fault["loc"][-1]), sorted(_all_keys(EdgeConfig)), n=1)
        return f"{where}: unknown key" + (f", did you mean {near[0]!r}?" if near else "")
    if fault["type"] == "value_error":
        return f"{where}: {fault['ctx']['error']}"
    return f"{where}: {fault['msg'][0].lower() + fault['msg'][1:]}, found {fault['input']!r}"


def _all_keys(model: type[BaseModel]) -> set[str]:
    """Keys of a section and of every section below it."""
    below = [section for field in model.model_fields.values() for section in _sections(field.annotation)]
    return set(model.model_fields).union(*map(_all_keys, below))


def _sections(annotation: Any) -> list[type[BaseModel]]:
    """Models that a type is made of: itself, or the members of a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for part in get_args(annotation) for section in _sections(part)]
