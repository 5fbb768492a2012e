"""Updates: a good one is kept, a bad one leaves no trace in what is in use."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.archive import write_tar
from deploy.errors import DeployError
from deploy.medium import Medium, open_medium
from deploy.update import Device, Report, Update
from edge.errors import EdgeError
from tests.edge.bundle.trust import studio

from .boxes import PLATFORM, CopyBuilder, FakeService, is_whole, make_device, make_medium


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return make_device(tmp_path / "box")


@pytest.fixture
def one(tmp_path: Path, device: Device) -> Path:
    """Medium with release 1.0.0, which the device has."""
    folder = make_medium(tmp_path / "one", "1.0.0", 1)
    run(device, folder)
    return folder


def run(device: Device, source: Path | str, **options: Any) -> Report:
    return Update(device, open_medium(str(source)), **options).run()


def service(device: Device) -> FakeService:
    assert isinstance(device.service, FakeService)
    return device.service


def version(device: Device) -> str:
    name = device.software.current()
    assert is_whole(device.software.path(name))
    return name.rpartition("-")[0]


def refused(device: Device, source: Path, *words: str, **options: Any) -> None:
    before = (device.software.current(), device.content.current(), device.software.names())
    with pytest.raises(EdgeError) as caught:
        run(device, source, **options)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)
    assert (device.software.current(), device.content.current(), device.software.names()) == before
    assert device.software.trial() is None


# --- Good ones ----------------------------------------------------------------------------------------------


def test_a_fresh_box_is_installed(device: Device, one: Path) -> None:
    assert version(device) == "1.0.0" and device.software.previous() == ""
    assert (device.store.seen.root, device.store.seen.revocations, device.store.seen.index) == (1, 1, 1)
    assert not list(device.spool.iterdir())


def test_an_update_keeps_one_release_before_and_no_more(device: Device, one: Path, tmp_path: Path) -> None:
    for number, text in enumerate(("1.1.0", "1.2.0"), 2):
        report = run(device, make_medium(tmp_path / text, text, number))
        assert report.changed == ["software"]
    assert version(device) == "1.2.0" and device.software.previous().startswith("1.1.0-")
    assert len(device.software.names()) == 2


def test_the_same_medium_again_changes_nothing(device: Device, one: Path) -> None:
    started = len(service(device).started)
    assert run(device, one).changed == [] and len(service(device).started) == started


def test_content_changes_without_the_software(device: Device, one: Path, tmp_path: Path) -> None:
    report = run(device, make_medium(tmp_path / "two", "1.0.0", 2, lexicon="Noah N OW AH"))
    assert report.changed == ["content"]
    words = device.content.path(device.content.current()) / "lexicons" / "words.lexicon"
    assert words.read_text() == "Noah N OW AH"


def test_files_for_other_boxes_are_left_alone(device: Device, one: Path, tmp_path: Path) -> None:
    folder = make_medium(tmp_path / "two", "1.1.0", 2)
    object.__setattr__(device, "platform", "jp6-cp310-aarch64")
    assert run(device, folder).changed == []


def test_a_dry_run_changes_nothing(device: Device, one: Path, tmp_path: Path) -> None:
    before = sorted((tmp_path / "box").rglob("*"))
    job = Update(device, open_medium(str(make_medium(tmp_path / "two", "1.1.0", 2))))
    assert job.run(dry_run=True).notes == ["would take revocations: list 2", "would change software"]
    assert sorted((tmp_path / "box").rglob("*")) == before


def test_a_tar_does_what_its_folder_does(device: Device, one: Path, tmp_path: Path) -> None:
    folder = make_medium(tmp_path / "two", "1.1.0", 2)
    write_tar(tmp_path / "two.tar", {path.name: path for path in folder.iterdir()})
    assert run(device, tmp_path / "two.tar").changed == ["software"]


# --- Over HTTP ----------------------------------------------------------------------------------------------


class Cut(http.server.SimpleHTTPRequestHandler):
    """Serves ranges, and hangs up after some bytes of the first answer that is long."""

    cuts: list[int]
    ranges: list[str]

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        content, start = path.read_bytes(), 0
        if asked := self.headers.get("Range"):
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            self.ranges.append(asked)
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        stop = start + self.cuts.pop() if asked and self.cuts else None
        self.wfile.write(content[start:stop])

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str, type[Cut]]]:
    folder = make_medium(tmp_path / "two", "1.1.0", 2)
    handler = type("Once", (Cut,), {"cuts": [], "ranges": []})
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_download_goes_on_where_it_was_cut(
    device: Device, one: Path, served: tuple[Path, str, type[Cut]]
) -> None:
    _, address, handler = served
    handler.cuts.append(700)
    with pytest.raises(DeployError, match=r"700 of 10240 bytes came|IncompleteRead"):
        run(device, address)
    assert version(device) == "1.0.0"
    assert run(device, address).changed == ["software"]
    assert handler.ranges == ["bytes=0-", "bytes=700-"]


def test_a_server_that_is_away_is_named(device: Device, one: Path) -> None:
    with pytest.raises(DeployError, match=r"127\.0\.0\.1:9/.*check the address"):
        run(device, "http://127.0.0.1:9")


# --- Bad ones -----------------------------------------------------------------------------------------------


def test_a_release_that_does_not_speak_is_never_switched_to(
    device: Device, one: Path, tmp_path: Path
) -> None:
    assert isinstance(device.builder, CopyBuilder)
    device.builder.refuse = "1.1.0"
    folder = make_medium(tmp_path / "two", "1.1.0", 2)
    started = len(service(device).started)
    with pytest.raises(DeployError, match=r"9\.0 dB off"):
        run(device, folder)
    assert version(device) == "1.0.0" and len(service(device).started) == started
    assert device.store.seen.index == 1
    assert device.audit.entries()[-1]["event"] == "refused"


def test_a_release_that_is_not_healthy_is_left_again(device: Device, one: Path, tmp_path: Path) -> None:
    service(device).sick = "1.1.0"
    with pytest.raises(DeployError, match="did not become healthy; back to what was before"):
        run(device, make_medium(tmp_path / "two", "1.1.0", 2, lexicon="x X"))
    assert version(device) == "1.0.0" and device.software.trial() is None
    assert service(device).started[-1] == device.software.current()
    assert [entry["event"] for entry in device.audit.entries()].count("rolled_back") == 2


def test_nothing_is_switched_while_a_line_is_spoken(device: Device, one: Path, tmp_path: Path) -> None:
    service(device).speaking = True
    folder = make_medium(tmp_path / "two", "1.1.0", 2)
    with pytest.raises(DeployError, match="a line is being spoken"):
        run(device, folder)
    assert version(device) == "1.0.0"
    service(device).speaking = False
    assert run(device, folder).changed == ["software"]


def test_older_software_needs_a_word(device: Device, one: Path, tmp_path: Path) -> None:
    refused(device, make_medium(tmp_path / "old", "0.9.0", 2), "0.9.0 is older than 1.0.0", "--force")
    run(device, tmp_path / "old", allow_downgrade=True)
    assert version(device) == "0.9.0"
    run(device, make_medium(tmp_path / "two", "1.1.0", 3))
    run(device, make_medium(tmp_path / "signed", "1.0.0~rc1", 4, allow_downgrade=True))
    assert version(device) == "1.0.0~rc1"


def test_a_replayed_index_is_refused(device: Device, one: Path, tmp_path: Path) -> None:
    run(device, make_medium(tmp_path / "two", "1.1.0", 2))
    (one / "revocations.json").unlink()
    refused(device, one, "version 1 is older than 2")


def test_a_file_that_is_not_what_the_index_names(device: Device, one: Path, tmp_path: Path) -> None:
    folder = make_medium(tmp_path / "two", "1.1.0", 2)
    path = folder / f"software-{PLATFORM}.tar"
    content = bytearray(path.read_bytes())
    content[600] ^= 1
    path.write_bytes(content)
    refused(device, folder, "is not what the signed index names")
    path.write_bytes(content[:-1])
    refused(device, folder, "bytes came")
    path.unlink()
    refused(device, folder, "is missing")
    path.symlink_to("/etc/passwd")
    refused(device, folder, "is missing")


def test_a_foreign_studio_is_refused(device: Device, one: Path, tmp_path: Path) -> None:
    folder = make_medium(tmp_path / "two", "1.1.0", 2)
    document = {"schema": "sovits-index/1"}
    (folder / "index.json").write_bytes(studio.sealed(document, [9]))
    refused(device, folder, "0 valid signatures of role release")


def test_a_revocation_comes_along_even_if_the_update_is_refused(
    device: Device, one: Path, tmp_path: Path
) -> None:
    folder = make_medium(tmp_path / "two", "1.1.0", 2, seq=9)
    shutil.copy(tmp_path / "one" / "index.json", folder / "index.json")
    (folder / f"software-{PLATFORM}.tar").unlink()
    run(device, folder)
    assert device.store.seen.revocations == 9 and version(device) == "1.0.0"


def test_a_source_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match="no such folder"):
        open_medium(str(tmp_path / "gone"))
    (tmp_path / "noise").write_bytes(b"x" * 2000)
    with pytest.raises(DeployError, match="not a readable uncompressed tar"):
        open_medium(str(tmp_path / "noise"))


def test_every_medium_reads_documents_alike(tmp_path: Path) -> None:
    folder = make_medium(tmp_path / "two", "1.1.0", 2)
    write_tar(tmp_path / "two.tar", {path.name: path for path in folder.iterdir()})
    media: list[Medium] = [open_medium(str(folder)), open_medium(str(tmp_path / "two.tar"))]
    for medium in media:
        assert medium.document("index.json") == (folder / "index.json").read_bytes()
        assert medium.document("root.2.json") is None
