"""Files read without running them: what is accepted, what is refused, and in how much memory."""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

from models.gpt_sovits.archive import CheckpointError, read_archive
from tests.data.make_gpt_sovits import save

CONTENT = {
    "weight": OrderedDict(a=torch.arange(6.0).reshape(2, 3), b=torch.tensor([1.5, -2.0]).half()),
    "config": {"train": {"seed": 1234, "betas": [0.8, 0.99]}},
    "info": "GPT-e15",
}


class Malice:
    """An object that makes a file appear when it is unpickled the usual way."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.marker}'",)


def assert_same(found: Any) -> None:
    assert found["config"] == CONTENT["config"] and found["info"] == CONTENT["info"]
    assert found["weight"].keys() == CONTENT["weight"].keys()
    for name, tensor in CONTENT["weight"].items():
        assert found["weight"][name].dtype == tensor.dtype
        assert torch.equal(found["weight"][name], tensor)


@pytest.mark.parametrize("zip_format", [True, False])
def test_reads_what_torch_writes(tmp_path: Path, zip_format: bool) -> None:
    archive = read_archive(save(tmp_path / "a.pth", CONTENT, zip_format=zip_format))
    assert archive.tag is None
    assert_same(archive.root)


@pytest.mark.parametrize("tag", ["00", "05", "06", "42", "ab"])
def test_reads_behind_any_tag(tmp_path: Path, tag: str) -> None:
    path = save(tmp_path / "a.pth", CONTENT, tag=tag)
    before = path.read_bytes()
    archive = read_archive(path)
    assert archive.tag == tag
    assert_same(archive.root)
    assert path.read_bytes() == before


def test_reads_views_of_one_storage_and_every_dtype(tmp_path: Path) -> None:
    base = torch.arange(12.0)
    content = {"row": base[4:8], "transposed": base.view(3, 4).T, "empty": torch.empty(0, 3)}
    dtypes = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
    content |= {str(dtype): torch.tensor([0, 1, 1]).to(dtype) for dtype in dtypes}
    content |= {str(dtype): base.to(dtype) for dtype in (torch.bfloat16, torch.float16, torch.float64)}
    found = read_archive(save(tmp_path / "a.pth", content)).root
    for name, tensor in content.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor), name


@pytest.mark.parametrize("zip_format", [True, False])
@pytest.mark.parametrize("protocol", [2, 4])
def test_runs_nothing_of_a_malicious_file(tmp_path: Path, zip_format: bool, protocol: int) -> None:
    marker = tmp_path / "marker"
    path = tmp_path / "voice.pth"
    content = CONTENT | {"config": Malice(marker)}
    torch.save(content, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zip_format)
    torch.load(path, weights_only=False)
    assert marker.exists(), "the file does no harm even where it could"
    marker.unlink()
    with pytest.raises(
        CheckpointError, match=r"voice\.pth: refused, and nothing of it was run: it names .*system"
    ):
        read_archive(path)
    assert not marker.exists()


def with_pickle(path: Path, data: bytes, storage: int = 4) -> Path:
    """Write a PyTorch archive with a pickle of one's own and a storage of so many floats."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/data/0", bytes(4 * storage))
    return path


@pytest.mark.parametrize(
    "name",
    [
        "builtins eval",
        "builtins getattr",
        "torch load",
        "torch.hub load",
        "utils HParams.__init__",
        "os system",
    ],
)
def test_refuses_any_other_global(tmp_path: Path, name: str) -> None:
    data = b"\x80\x02c" + name.replace(" ", "\n").encode() + b"\n."
    with pytest.raises(CheckpointError, match=f"names {name.replace(' ', '.')}"):
        read_archive(with_pickle(tmp_path / "a.pth", data))


def test_refuses_the_instructions_that_call_classes(tmp_path: Path) -> None:
    data = b"(S'touch x'\nios\nsystem\n."
    assert any(opcode.name == "INST" for opcode, _, _ in pickletools.genops(data))
    with pytest.raises(CheckpointError, match="names pickle instruction INST"):
        read_archive(with_pickle(tmp_path / "a.pth", data))


def test_a_file_cannot_change_what_the_next_one_meets(tmp_path: Path) -> None:
    # BUILD with a pair sets attributes on whatever object lies below: here on the class itself.
    altered = b"\x80\x02cutils\nHParams\n(N}X\x04\x00\x00\x00evilK\x01stb."
    read_archive(with_pickle(tmp_path / "a.pth", altered))
    plain = read_archive(with_pickle(tmp_path / "b.pth", b"\x80\x02cutils\nHParams\n)\x81.")).root
    assert not hasattr(plain, "evil")


class Storage:
    """Stands for the storage in a pickle."""


class View:
    """A tensor over the storage, such as torch itself would not make."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return torch._utils._rebuild_tensor_v2, (Storage(), *self.arguments, False, OrderedDict())


class ViewPickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, storage: int) -> None:
        super().__init__(file, protocol=2)
        self.storage = storage

    def persistent_id(self, obj: Any) -> Any:
        return ("storage", torch.FloatStorage, "0", "cpu", self.storage) if isinstance(obj, Storage) else None


def write_views(path: Path, *views: View, storage: int = 4) -> Path:
    buffer = io.BytesIO()
    ViewPickler(buffer, storage).dump({"weight": dict(enumerate(views))})
    return with_pickle(path, buffer.getvalue(), storage)


def test_tensors_stay_inside_their_storage(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    assert read_archive(write_views(path, View(0, (2, 2), (2, 1)))).root["weight"][0].shape == (2, 2)
    for offset, size, stride in ((0, (5,), (1,)), (1, (2, 2), (2, 1)), (0, (2,), (4,)), (1, (2,), (-1,))):
        with pytest.raises(CheckpointError, match="damaged"):
            read_archive(write_views(path, View(offset, size, stride)))


def test_tensors_take_no_more_memory_than_the_file(tmp_path: Path) -> None:
    path = write_views(tmp_path / "wide.pth", View(0, (10**9, 10**6), (0, 0)))
    with pytest.raises(CheckpointError, match="far more memory"):
        read_archive(path)
    many = [View(0, (10_000,), (1,)) for _ in range(10)]
    with pytest.raises(CheckpointError, match="far more memory"):
        read_archive(write_views(tmp_path / "many.pth", *many, storage=10_000))


def test_refuses_packed_and_overlapping_entries(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
        archive.writestr("archive/data/0", bytes(1 << 20))
    with pytest.raises(CheckpointError, match="repacked"):
        read_archive(path)


def test_refuses_a_reference_that_would_reserve_memory(tmp_path: Path) -> None:
    data = b"\x80\x02}r" + struct.pack("<I", 1 << 30) + b"."
    with pytest.raises(CheckpointError, match="reference far outside"):
        read_archive(with_pickle(tmp_path / "a.pth", data))


def test_refuses_legacy_storages_larger_than_the_file(tmp_path: Path) -> None:
    path = save(tmp_path / "a.pth", {"a": torch.zeros(1000)}, zip_format=False)
    data = path.read_bytes()
    assert data.count(b"M\xe8\x03") == 2  # the number of elements in the storage and in the tensor
    path.write_bytes(data.replace(b"M\xe8\x03", b"J\x00\x00\x00\x7f", 1))
    with pytest.raises(CheckpointError, match="do not fit into the file"):
        read_archive(path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("zip_format", [True, False])
def test_a_cut_file_is_said_to_be_damaged(tmp_path: Path, share: float, zip_format: bool) -> None:
    path = save(tmp_path / "a.pth", CONTENT, zip_format=zip_format)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(CheckpointError, match=r"again|not a PyTorch file"):
        read_archive(path)


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = save(tmp_path / "a.pth", {"a": torch.full((64,), 0.123)})
    data = bytearray(path.read_bytes())
    place = data.index(struct.pack("<f", 0.123))
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="damaged or cut short"):
        read_archive(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>Not Found</html>", "a web page"),
        (struct.pack("<Q", 2) + b"{}", "a safetensors file"),
        (b"RIFF\x00\x00\x00\x00WAVE", "not a PyTorch file"),
        (pickle.dumps({"a": 1}, protocol=2), "a pickle, but no PyTorch file"),
    ],
)
def test_says_what_a_file_is(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "voice.ckpt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=message) as error:
        read_archive(path)
    assert str(error.value).startswith(f"{path}: ")


def test_says_what_a_zip_is(tmp_path: Path) -> None:
    path = tmp_path / "models.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("voice.pth", b"x")
    with pytest.raises(CheckpointError, match="unpack it"):
        read_archive(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/data.pkl", b"\x80\x02}.")
        archive.writestr("m/constants.pkl", b"\x80\x02).")
    with pytest.raises(CheckpointError, match="TorchScript"):
        read_archive(path)


def test_says_when_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        read_archive(tmp_path / "absent.pth")
    with pytest.raises(CheckpointError, match="not a file"):
        read_archive(tmp_path)
