"""PyTorch files read without running anything in them, in memory bounded by their size.

A ``.pth`` is a pickle, and a pickle is a program: ``torch.load`` of a stranger's voice can run the stranger's
code. Here every opcode is looked at first; then an unpickler runs that knows four things: the ordered dict,
the dtypes of storages, a tensor over a storage, and a bag of attributes in place of the trainer's
configuration class. Whatever else a file names is refused by name before the unpickler starts.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import struct
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

MAX_PICKLE_BYTES = 64 << 20  # the largest official file has 0.15 MB; optimizer snapshots about 1 MB
MAX_FILE_BYTES = 8 << 30  # the largest official file has 0.8 GB

DTYPES = {
    "BFloat16Storage": torch.bfloat16,
    "BoolStorage": torch.bool,
    "ByteStorage": torch.uint8,
    "CharStorage": torch.int8,
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "IntStorage": torch.int32,
    "LongStorage": torch.int64,
    "ShortStorage": torch.int16,
}

# Opcodes that build plain values, call an allowed global or make an instance of one. Not among them: the
# two of protocol 0 and 1 that call a class found earlier, extension codes, and buffers sized in advance.
OPCODES = frozenset(
    "PROTO FRAME STOP MARK POP POP_MARK NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 "
    "FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8 "
    "BINBYTES SHORT_BINBYTES BINBYTES8 EMPTY_LIST LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 "
    "EMPTY_DICT DICT SETITEM SETITEMS PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET "
    "GLOBAL STACK_GLOBAL REDUCE NEWOBJ NEWOBJ_EX BUILD BINPERSID".split()
)
PUTS = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})

# What reading a damaged file can raise, in the zip, in the pickle and in torch.
DAMAGE = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, NotImplementedError, RecursionError,
    RuntimeError, TypeError, ValueError, pickle.UnpicklingError, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


class CheckpointError(ValueError):
    """A file is not what was asked for; says what it is and what to do."""


class AttributeBag:
    """Stand-in for a pickled class that only carries values."""


@dataclass(frozen=True)
class Archive:
    """Content of a file."""

    root: Any
    """The pickled object: dicts, lists, tuples, strings, numbers, tensors and attribute bags."""
    tag: str | None = None
    """The two characters that stood in place of ``PK``, or None."""


def read_archive(path: Path) -> Archive:
    """Read what ``torch.save`` wrote, the two-byte version tag of GPT-SoVITS over its start or not.

    Raises:
        CheckpointError: the file is absent, damaged, another format, or names anything but plain values
            and tensors; the message begins with the path.
    """
    with blamed_on(path):
        try:
            return _read(path)
        except OSError as error:
            raise CheckpointError(f"cannot be read: {error.strerror or error}") from error
        except CheckpointError:
            raise
        except DAMAGE as error:
            reason = f"{type(error).__name__}: {error}"
            raise CheckpointError(f"damaged or cut short ({reason}); copy or download it again") from error


@contextmanager
def blamed_on(path: Path) -> Iterator[None]:
    """Put the path in front of the message of a ``CheckpointError``."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def _read(path: Path) -> Archive:
    if not path.exists():
        raise CheckpointError("no such file")
    if not path.is_file():
        raise CheckpointError("not a file; give the .ckpt or .pth itself")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise CheckpointError(f"larger than {MAX_FILE_BYTES >> 30} GiB; no GPT-SoVITS file is")
    with path.open("rb") as file:
        start = file.read(512)
        file.seek(0)
        if start[:4] == b"PK\x03\x04":
            return Archive(_read_zip(file, path.stat().st_size))
        if start[2:4] == b"\x03\x04":
            data = bytearray(file.read())
            data[:2] = b"PK"
            return Archive(_read_zip(io.BytesIO(data), len(data)), start[:2].decode("latin-1"))
        if start[:1] == b"\x80":
            return Archive(_read_legacy(file.read()))
    raise CheckpointError(_describe_start(start))


def _describe_start(start: bytes) -> str:
    """Say what a file is that is no PyTorch file."""
    if not start:
        return "empty; copy or download it again"
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the weights; run `git lfs pull` there, or download the file itself"
    if start.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page, saved in place of the file; download the file itself"
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < MAX_FILE_BYTES:
        return "a safetensors file; GPT-SoVITS voices are the .ckpt and .pth files of its trainer"
    return f"not a PyTorch file (it begins with {start[:8]!r}); give the .ckpt or .pth of GPT-SoVITS"


def _read_zip(file: BinaryIO, size: int) -> Any:
    with zipfile.ZipFile(file) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        pickles = [name for name in entries if name.rsplit("/", 1)[-1] == "data.pkl"]
        if len(pickles) != 1:
            raise CheckpointError("a zip archive, but no PyTorch file; if models are packed in it, unpack it")
        prefix = pickles[0].removesuffix("data.pkl")
        if f"{prefix}constants.pkl" in entries:
            raise CheckpointError("a TorchScript export; give the .ckpt or .pth that it was made from")
        # PyTorch stores plainly. Packed or overlapping entries can hold more than the file has bytes.
        packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries.values())
        if packed or sum(entry.file_size for entry in entries.values()) > size:
            raise CheckpointError("repacked, which PyTorch never does; use the file as the trainer wrote it")
        order = f"{prefix}byteorder"
        if order in entries and archive.read(order) != b"little":
            raise CheckpointError("written on a big-endian machine; save it again on a common one")
        return _load(archive.read(pickles[0]), _ZipStorages(archive, f"{prefix}data/").get, size)


@dataclass
class _ZipStorages:
    """Storages that are files in the archive, each read once."""

    archive: zipfile.ZipFile
    prefix: str
    read: dict[str, Tensor] = field(default_factory=dict)

    def get(self, dtype: torch.dtype, key: str, n_elements: int) -> Tensor:
        if key not in self.read:
            data = bytearray(self.archive.read(f"{self.prefix}{key}"))
            if len(data) != n_elements * dtype.itemsize:
                raise CheckpointError(
                    f"damaged: storage {key} has {len(data)} bytes, not {n_elements} elements"
                )
            self.read[key] = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
        return self.read[key]


def _read_legacy(data: bytes) -> Any:
    """Read the format before PyTorch 1.6.

    Five pickles (a magic number, a version, the machine, the object, the names of the storages), then the
    storages, each after its number of elements.
    """
    stream = io.BytesIO(data)
    storages = _LegacyStorages(len(data))
    if _load(_next_pickle(stream), storages.get, 0) != 0x1950A86A20F9469CFC6C:
        raise CheckpointError("a pickle, but no PyTorch file; give the .ckpt or .pth of GPT-SoVITS")
    _, machine = (_load(_next_pickle(stream), storages.get, 0) for _ in range(2))
    if not machine.get("little_endian", True):
        raise CheckpointError("written on a big-endian machine; save it again on a common one")
    root = _load(_next_pickle(stream), storages.get, len(data))
    for key in _load(_next_pickle(stream), storages.get, 0):
        tensor = storages.made[key]
        if int.from_bytes(stream.read(8), "little") != tensor.numel():
            raise CheckpointError(f"damaged: storage {key} has another size than announced")
        if tensor.numel():
            content = bytearray(stream.read(tensor.numel() * tensor.element_size()))
            tensor.copy_(torch.frombuffer(content, dtype=tensor.dtype))
    return root


@dataclass
class _LegacyStorages:
    """Storages made when they are named and filled afterwards; together no larger than the file."""

    budget: int
    made: dict[str, Tensor] = field(default_factory=dict)

    def get(self, dtype: torch.dtype, key: str, n_elements: int) -> Tensor:
        if key not in self.made:
            self.budget -= n_elements * dtype.itemsize
            if n_elements < 0 or self.budget < 0:
                raise CheckpointError("damaged: the storages it announces do not fit into the file")
            self.made[key] = torch.empty(n_elements, dtype=dtype)
        return self.made[key]


def _next_pickle(stream: io.BytesIO) -> bytes:
    """Cut one pickle off a stream of them."""
    start = stream.tell()
    for _ in pickletools.genops(stream):
        pass
    end = stream.tell()
    stream.seek(start)
    return stream.read(end - start)


def _load(data: bytes, storages: Callable[[torch.dtype, str, int], Tensor], budget: int) -> Any:
    _inspect(data)
    return _RestrictedUnpickler(data, storages, budget).load()


def _inspect(data: bytes) -> None:
    """Refuse a pickle for what it names, before any of it runs.

    The memo is an array in the unpickler: an index far beyond the number of opcodes would make it reserve
    gigabytes.
    """
    if len(data) > MAX_PICKLE_BYTES:
        raise CheckpointError(f"its table of contents has {len(data)} bytes; no GPT-SoVITS file needs that")
    strings: set[str] = set()
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if opcode.name not in OPCODES:
            raise _refusal(f"pickle instruction {opcode.name}", strings)
        if opcode.name == "GLOBAL":
            module, _, name = str(argument).partition(" ")
            if not _is_allowed(module, name):
                raise _refusal(f"{module}.{name}", strings)
        elif opcode.name in PUTS and int(argument or 0) > count:
            raise CheckpointError("damaged: a reference far outside its table of contents")
        elif isinstance(argument, str) and len(strings) < 10_000:
            strings.add(argument)


def _is_allowed(module: str, name: str) -> bool:
    return (module == "torch" and name in DTYPES) or (module, name) in {
        ("collections", "OrderedDict"),
        ("torch._utils", "_rebuild_tensor_v2"),
        ("utils", "HParams"),
    }


def _refusal(what: str, strings: set[str]) -> CheckpointError:
    """Name what was refused; a training snapshot is recognised by its keys."""
    snapshot = strings & {"optimizer", "optimizer_states", "pytorch-lightning_version", "lr_schedulers"}
    advice = (
        "it looks like a training snapshot: give the finished voice from GPT_weights*/ or SoVITS_weights*/"
        if snapshot
        else "do not open it with other tools unless you trust whoever made it"
    )
    return CheckpointError(
        f"refused, and nothing of it was run: it names {what}, which no voice does; {advice}"
    )


class _RestrictedUnpickler(pickle.Unpickler):
    """Unpickler for plain values and tensors.

    Classes and callables that a pickle could alter are made for each file.
    """

    def __init__(self, data: bytes, storages: Callable[[torch.dtype, str, int], Tensor], budget: int) -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8")
        self.storages = storages
        self.known: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _TensorBuilder(budget),
            ("utils", "HParams"): type("HParams", (AttributeBag,), {}),
        }

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in of an allowed global; everything else is refused."""
        if not _is_allowed(module, name):
            raise _refusal(f"{module}.{name}", set())
        return DTYPES[name] if module == "torch" else self.known[module, name]

    def persistent_load(self, pid: Any) -> Tensor:
        """Return the storage that the pickle points at, as a flat tensor."""
        kind, dtype, key, _device, n_elements, *view = pid
        if kind != "storage" or not isinstance(dtype, torch.dtype) or any(view):
            raise CheckpointError(f"refused: it points at something that is no storage ({kind!r})")
        return self.storages(dtype, str(key), int(n_elements))


class _TensorBuilder:
    """Views of storages as tensors, within a budget.

    Many large tensors can be laid over one small storage; all tensors together may take twice the bytes of
    the file, as sharing hardly occurs.
    """

    __slots__ = ("left",)

    def __init__(self, budget: int) -> None:
        self.left = 2 * budget

    def __call__(self, storage: Tensor, offset: int, size: Any, stride: Any, *_: object) -> Tensor:
        if min((offset, *size, *stride), default=0) < 0 or len(size) != len(stride):
            raise CheckpointError(f"damaged: a tensor of size {size}, stride {stride} at {offset}")
        n_elements = math.prod(size)
        last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        if n_elements and last >= storage.numel():
            raise CheckpointError("damaged: a tensor reaches beyond its storage")
        self.left -= n_elements * storage.element_size()
        if self.left < 0:
            raise CheckpointError(
                "its tensors would take far more memory than the file; no voice is like that"
            )
        return storage.as_strided(size, stride, offset)
