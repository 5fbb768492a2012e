"""SSH to boxes that are folders of this machine: real servers, each with a key and a port of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
START_S = 10.0
SETTINGS = """
HostKey {folder}/host
AuthorizedKeysFile {folder}/../client.pub
PidFile {folder}/pid
ListenAddress 127.0.0.1
Port {port}
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
"""


class Server:
    """An SSH server of the user who runs the tests.

    Args:
        folder: of its files; beside it lies the client's key.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        folder.mkdir(parents=True)
        make_key(folder / "host")
        (folder / "sshd_config").write_text(SETTINGS.format(folder=folder, port=self.port))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        assert SSHD is not None
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        command = [SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self) -> None:
        """Stop it: the box cannot be reached any more."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def sessions(self) -> int:
        """How many logins it has let in."""
        return (self.folder / "log").read_text().count("Accepted publickey")


def make_key(path: Path) -> None:
    """Make an Ed25519 key pair."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(command, check=True, timeout=30)


@contextmanager
def servers(folder: Path, names: list[str]) -> Iterator[dict[str, Server]]:
    """Servers that know one client, whose known hosts name each of them."""
    folder.mkdir()
    make_key(folder / "client")
    found = {name: Server(folder / name) for name in names}
    known = [
        f"[127.0.0.1]:{server.port} {(server.folder / 'host.pub').read_text()}" for server in found.values()
    ]
    (folder / "known_hosts").write_text("".join(known))
    try:
        for server in found.values():
            server.start()
        yield found
    finally:
        for server in found.values():
            server.stop()


def reach(folder: Path, server: Server) -> dict[str, object]:
    """What an inventory says of a server; keys of hosts are checked."""
    options = f"-F none -o UserKnownHostsFile={folder}/known_hosts -o StrictHostKeyChecking=yes"
    return {
        "ansible_connection": "ssh",
        "ansible_host": "127.0.0.1",
        "ansible_port": server.port,
        "ansible_user": getpass.getuser(),
        "ansible_ssh_private_key_file": f"{folder}/client",
        "ansible_ssh_common_args": f"{options} -o ConnectTimeout=5",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
