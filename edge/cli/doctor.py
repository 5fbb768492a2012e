"""``sovits-edge doctor``: checks of a device and its broker, by what they do."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .serve import read_broker

if TYPE_CHECKING:
    from ..config import EdgeConfig


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="TOML file of the daemon.")
@click.option("--broker", help="mqtt://[USER@]HOST[:PORT], or mqtts://, in place of the configuration's.")
@click.option("--device", help="Name of the device; that of the configuration if absent.")
@click.option("--peer", type=click.Path(path_type=Path), help="TOML file with the [mqtt] of a show client.")
@click.option("--restart-broker", default="", help="Command that restarts the broker, to see what survives.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def doctor(
    config: Path | None,
    broker: str | None,
    device: str | None,
    peer: Path | None,
    restart_broker: str,
    as_json: bool,
) -> None:
    """Try out clock, disk, sound card, voice and broker; each fault names its remedy.

    Takes about half a minute. Nothing is said aloud and nobody is silenced. What is tried on the broker lies
    below the device's own topics: ten thousand small messages for a client that is away among them. Exit
    status 0: nothing keeps the device from speaking; 2: something does.

    \b
    Examples:
      sovits-edge doctor --config /etc/sovits/sovits.toml
      sovits-edge doctor --config edge.toml --peer show.toml
      sovits-edge doctor --restart-broker "systemctl restart mosquitto"
    """
    from ..config import load_config
    from ..doctor.examination import examine
    from ..doctor.finding import Finding, worst

    settings = load_config(config, {"device": device, **(read_broker(broker) if broker else {})})
    show = load_config(peer).mqtt if peer else None
    findings: list[Finding] = []
    for finding in examine(settings, serving=is_serving(settings), peer=show, restart_broker=restart_broker):
        findings.append(finding)
        if not as_json:
            click.echo(finding.line())
    if as_json:
        values = {"findings": [asdict(one) for one in findings], "worst": worst(findings)}
        click.echo(json.dumps(values, ensure_ascii=False))
    n_errors = sum(one.level == "error" for one in findings)
    if n_errors:
        raise click.ClickException(f"{n_errors} of {len(findings)} checks are errors; each names its remedy")


def is_serving(config: EdgeConfig) -> bool:
    """Tell whether a daemon holds the state directory."""
    from ..daemon.state_lock import StateLock
    from ..errors import ConfigError

    if not config.state_dir.is_dir():
        return False
    lock = StateLock(config.state_dir, config.device)
    try:
        lock.acquire()
    except ConfigError:
        return True
    lock.release()
    return False
