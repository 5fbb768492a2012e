"""``sovits-edge serve``: the daemon, from a configuration file and flags."""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import urlsplit

import click


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="TOML file; without one, the defaults.")
@click.option("--broker", help="mqtt://[USER@]HOST[:PORT], or mqtts:// for TLS.")
@click.option("--device", help="Name of this device in the topics; the host name if absent.")
@click.option("--base", help="First level of the topics; sovits if absent.")
@click.option("--sink", help="alsa[:CARD], wav:FILE or null.")
@click.option("--state-dir", type=click.Path(path_type=Path), help="Where the journal and files are kept.")
@click.option("--bundle", type=click.Path(path_type=Path), help="Voice bundle; the built-in voice if absent.")
@click.option("--lexicon", type=click.Path(path_type=Path), help="Pronunciations that win over every rule.")
@click.option("--threads", type=int, help="Threads of the inference library.")
@click.option("--log-format", type=click.Choice(["text", "json"]), help="Of the log on standard error.")
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
@click.option("-q", "--quiet", is_flag=True, help="Log warnings and errors only.")
def serve(
    config: Path | None,
    broker: str | None,
    device: str | None,
    base: str | None,
    sink: str | None,
    state_dir: Path | None,
    bundle: Path | None,
    lexicon: Path | None,
    threads: int | None,
    log_format: str | None,
    verbose: bool,
    quiet: bool,
) -> None:
    """Answer speech requests over MQTT until stopped.

    Flags win over the configuration file. Without either, the built-in voice is served from the broker on
    this machine to the default sound card. docs/mqtt-protocol.md lists the topics.

    \b
    Examples:
      sovits-edge serve
      sovits-edge serve --config /etc/sovits-tiny/edge.toml
      sovits-edge serve --broker mqtts://show@10.0.0.2 --device kiosk3 --sink alsa:USB
      sovits-edge serve --sink null --state-dir /tmp/try
      mosquitto_pub -t sovits/kiosk3/say/noah -m "你好，[emotion:happy]欢迎！"
    """
    overrides: dict[str, object] = {
        "device": device,
        "base": base,
        "bundle": bundle,
        "lexicon": lexicon,
        "threads": threads,
        "state_dir": state_dir,
        "log.format": log_format,
        **(read_broker(broker) if broker else {}),
        **({"sink": read_sink(sink)} if sink else {}),
    }
    from ..engine.launch import launch

    launched = launch()  # first: it imports its libraries while this process imports its own

    from .. import logs
    from ..config import load_config
    from ..daemon import serve as run

    try:
        loaded = load_config(config, overrides)
    except BaseException:
        launched.abandon()
        raise
    level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
    logs.set_up(level, loaded.log.format)
    try:
        run(loaded, launched)
    finally:
        logs.flush()


def read_broker(url: str) -> dict[str, object]:
    """Take a broker's address apart into configuration keys.

    Raises:
        click.UsageError: not an mqtt or mqtts address.
    """
    expected = "expected mqtt://HOST[:PORT] or mqtts://HOST[:PORT]"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise click.UsageError(f"--broker {url}: {error}; {expected}") from error
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path not in ("", "/"):
        raise click.UsageError(f"--broker {url}: {expected}")
    if parts.password is not None:
        raise click.UsageError(
            "--broker: no password here, everyone can see it in ps; use mqtt.password_file"
        )
    keys: dict[str, object] = {"mqtt.host": parts.hostname, "mqtt.username": parts.username}
    keys["mqtt.port"] = port or (8883 if parts.scheme == "mqtts" else 1883)
    if parts.scheme == "mqtts":
        keys["mqtt.tls"] = {}
    return keys


def read_sink(text: str) -> dict[str, object]:
    """Take a sink's short form apart: ``null``, ``wav:FILE``, ``alsa`` or ``alsa:CARD``.

    Raises:
        click.UsageError: none of these.
    """
    kind, _, detail = text.partition(":")
    if kind == "null" and not detail:
        return {"type": "null"}
    if kind == "wav" and detail:
        return {"type": "wav", "path": detail}
    if kind == "alsa":
        return {"type": "alsa", **({"device": int(detail) if detail.isdigit() else detail} if detail else {})}
    raise click.UsageError(f"--sink {text}: expected alsa, alsa:CARD, wav:FILE or null")
