"""Content credentials: signed by the recipe of the documents, invalid once a byte has changed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from deploy.audio_check import check_audio
from edge.audio import wav_bytes
from edge.errors import ConfigError
from edge.labels.aigc import label, read_labels, with_label
from edge.labels.credentials import Credentials
from edge.playback.files import FileWriter, FileWritten
from tests.edge.sound import chunks

pytest.importorskip("c2pa", reason="needs the extra provenance")
pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl command")
DOCUMENT = Path(__file__).parents[3] / "docs" / "labels-and-mark.md"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates made by the commands of the document."""
    folder = tmp_path_factory.mktemp("certificates")
    text = DOCUMENT.read_text("utf-8")
    recipe = re.search(r"<!-- recipe: certificates -->\n```sh\n(.*?)```", text, re.DOTALL)
    assert recipe is not None
    subprocess.run(["sh", "-e", "-c", recipe[1]], cwd=folder, check=True, capture_output=True, timeout=60)
    return folder


def signed(studio: Path, folder: Path) -> Path:
    sound = (np.sin(np.arange(64_000) / 20) * 9_000).astype(np.int16)
    credentials = Credentials(studio / "device-chain.pem", studio / "device.key")
    path = folder / "line.wav"
    path.write_bytes(credentials.sign(with_label(wav_bytes(sound), label("studio-9", "line-1")), "line-1"))
    return path


def test_a_signed_file_names_its_signer_to_whoever_knows_the_root(studio: Path, tmp_path: Path) -> None:
    path = signed(studio, tmp_path)
    found = check_audio(path, studio / "studio.pem")
    assert found.credentials == "Trusted" and len(found.labels) == 1
    assert check_audio(path).credentials == "Valid"
    assert path.read_bytes().count(b"AIGC") == 1


@pytest.mark.parametrize("place", ["sound", "label"])
def test_one_changed_byte_is_seen(studio: Path, tmp_path: Path, place: str) -> None:
    path = signed(studio, tmp_path)
    content = bytearray(path.read_bytes())
    content[2_000 if place == "sound" else content.index(b"studio-9")] ^= 1
    path.write_bytes(content)
    assert check_audio(path, studio / "studio.pem").credentials == "Invalid"


def test_files_of_the_daemon_are_signed(studio: Path, tmp_path: Path) -> None:
    written: list[FileWritten] = []
    credentials = Credentials(studio / "device-chain.pem", studio / "device.key")
    writer = FileWriter(tmp_path, 2**20, written.append, "studio-9", credentials)
    writer.write("line-1", tuple(chunks(4_000, 4_000)))
    writer.close()
    assert written[0].path is not None
    found = check_audio(Path(written[0].path), studio / "studio.pem")
    assert found.credentials == "Trusted" and found.labels == read_labels(Path(written[0].path).read_bytes())


def test_what_cannot_sign_is_said_before_anything_is_written(studio: Path, tmp_path: Path) -> None:
    rsa = tmp_path / "rsa.key"
    command = ["openssl", "genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048", "-out", rsa]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    (tmp_path / "text").write_text("none")
    pairs = {
        "no such file|No such file": (studio / "device-chain.pem", tmp_path / "gone"),
        "neither Ed25519 nor P-256": (studio / "device-chain.pem", rsa),
        "certificate_key": (studio / "device-chain.pem", tmp_path / "text"),
        "cannot sign": (tmp_path / "text", studio / "device.key"),
    }
    for told, (certificate, key) in pairs.items():
        with pytest.raises(ConfigError, match=told) as caught:
            Credentials(certificate, key)
        assert "\n" not in str(caught.value)
