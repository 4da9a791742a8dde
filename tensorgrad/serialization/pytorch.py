"""Checkpoints of PyTorch's, both kinds that ``torch.save`` has written, read without PyTorch.

Since 1.6 (2020) it is an uncompressed zip archive: ``archive/data.pkl`` is the structure, in which a tensor is a call
of ``torch._utils._rebuild_tensor_v2`` with a storage, an offset, a shape and strides; a storage is a persistent id,
whose bytes are the entry ``archive/data/<key>``. Before, and with ``_use_new_zipfile_serialization=False``, it is five
pickles in a row (a magic number, a version, facts of the machine, the structure, the keys of the storages), and then
the storages.
"""

from __future__ import annotations

import io
import math
import os
import zipfile
from collections.abc import Callable
from typing import IO, Any, NamedTuple

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.errors import CheckpointError
from tensorgrad.serialization.elements import ELEMENTS, Element
from tensorgrad.serialization.pickles import NAMES, Machine, Name, require

SUFFIXES = (".pt", ".pth")
MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_VERSION = 1001
SPARE = 64 * 2**20
REPEATED = 16
"""Tensors may take this many times the bytes of the file, and ``SPARE`` more: they may repeat values (``expand``)."""

STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexDoubleStorage": "complex128",
    "ComplexFloatStorage": "complex64",
    "UntypedStorage": "uint8",
}


class _Storage:
    """The bytes of some tensors."""

    def __init__(self, key: str, size: int, width: int) -> None:
        self.key = key
        self.size = size
        self.width = width
        self.views: list[_View] = []
        """The tensors that take their values from here, once they are there."""


class _Slice:
    """A storage, or a part of one, with a type of elements."""

    name = "a bare storage"

    def __init__(self, storage: _Storage, element: str, start: int, size: int) -> None:
        self.storage = storage
        self.element = element
        self.start = start
        self.size = size


class _View(NamedTuple):
    """Which bytes of a storage, and in what way, are the values of a tensor."""

    tensor: Tensor
    element: Element
    start: int
    size: tuple[int, ...]
    steps: tuple[int, ...]
    conjugate: bool
    negative: bool

    def values(self, data: np.ndarray, swapped: bool) -> np.ndarray:
        """The values, in memory of their own; ``swapped``: from a machine with the other byte order."""
        if 0 in self.size:
            return np.empty(self.size, self.element.dtype)
        stored: np.ndarray = np.ndarray(self.size, self.element.stored, data.data, self.start, self.steps)
        values = self.element.decode(stored.flatten(), swapped).reshape(self.size)
        if self.conjugate:
            np.conjugate(values, out=values)
        if self.negative:
            np.negative(values, out=values)
        return values


def looks_legacy(head: bytes) -> bool:
    """Whether a file begins as the older kind does."""
    # As a binary number behind the pickle's beginning or, in protocol 1, in decimal digits.
    return (head[:1] == b"\x80" and MAGIC.to_bytes(10, "little") in head) or head.startswith(b"L%dL\n" % MAGIC)


def read_zip(archive: zipfile.ZipFile, size: int, device: str) -> Any:
    """What a zip archive holds."""
    names = archive.namelist()
    roots = [name.removesuffix("data.pkl") for name in names if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(roots) != 1:
        raise CheckpointError("it is an archive that save() did not write, and neither did torch.save()")
    (root,) = roots
    if f"{root}constants.pkl" in names:
        raise CheckpointError(
            "it is a TorchScript archive, which holds a program: save in PyTorch what its state_dict() gives, as "
            "torch.save(torch.jit.load(path).state_dict(), other)"
        )
    version = archive.read(f"{root}.format_version") if f"{root}.format_version" in names else b"1"
    if version.strip() != b"1":
        raise CheckpointError("a newer PyTorch wrote it, in a format that is not known here: upgrade tensorgrad")
    order = archive.read(f"{root}byteorder") if f"{root}byteorder" in names else b"little"
    if order not in (b"little", b"big"):
        raise CheckpointError("it has an unknown order of bytes")
    reader = _Reader(device, size, order == b"big")
    result = reader.structure(io.BytesIO(archive.read(f"{root}data.pkl")))
    entries = {entry.filename: entry for entry in archive.infolist()}
    for storage in reader.storages.values():
        entry = entries.get(f"{root}data/{storage.key}")
        if entry is None or entry.file_size != storage.size:
            there = "none" if entry is None else f"{entry.file_size:,}"
            raise CheckpointError(
                f"its tensors need {storage.size:,} bytes of entry {storage.key!r}, which has {there}"
            )
    for storage in reader.storages.values():
        with archive.open(entries[f"{root}data/{storage.key}"]) as stream:
            # At the end zipfile compares the checksums.
            reader.fill(storage, stream)
    return result


def read_legacy(stream: IO[bytes], device: str) -> Any:
    """What a file of the older kind holds. It has no checksums."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    stream = _Bounded(stream, size)  # type: ignore[assignment]
    reader = _Reader(device, size)
    magic, version, machine = (Machine(NAMES, reader.persistent, (), size).run(stream) for _ in range(3))
    if magic != MAGIC or version != LEGACY_VERSION or type(machine) is not dict:
        raise CheckpointError("it is no checkpoint of PyTorch's that is known here")
    result = reader.structure(stream)
    keys = require(Machine(NAMES, reader.persistent, (), size).run(stream), list)
    if {require(key, str) for key in keys} != set(reader.storages) or len(keys) != len(reader.storages):
        raise CheckpointError("its tensors and its storages are not the same ones")
    for key in keys:
        storage = reader.storages[key]
        count = int.from_bytes(stream.read(8), "little")
        if count * storage.width != storage.size or storage.size > size - stream.tell():
            raise CheckpointError(f"its storage {key!r} is cut short, or of another size than its tensors say")
        reader.fill(storage, stream)
    return result


class _Bounded:
    """What pickletools needs of a file, without making room for more bytes than there are."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self.stream = stream
        self.size = size
        self.tell = stream.tell
        self.readinto = stream.readinto  # type: ignore[attr-defined]

    def read(self, length: int) -> bytes:
        return self.stream.read(min(length, self.size))

    def readline(self) -> bytes:
        return self.stream.readline()


class _Reader:
    """Makes tensors of what a pickle says of them, first without values; then gives them these.

    Args:
        device: where the tensors shall be.
        size: the bytes of the file.
        swapped: whether it comes from a machine with the other byte order.
    """

    def __init__(self, device: str, size: int, swapped: bool = False) -> None:
        self.device = device
        self.size = size
        self.swapped = swapped
        self.storages: dict[str, _Storage] = {}
        self.needed = 0
        self.rebuilding: dict[str, Callable[..., Tensor]] = {
            "torch._utils._rebuild_tensor": self.rebuild,
            "torch._utils._rebuild_tensor_v2": self.rebuild_v2,
            "torch._utils._rebuild_tensor_v3": self.rebuild_v3,
            "torch._utils._rebuild_parameter": _parameter,
            "torch._utils._rebuild_parameter_with_state": _parameter,
        }
        calls: dict[str, Callable[..., Any] | None] = {
            **self.rebuilding,
            "torch._tensor._rebuild_from_type_v2": self.rebuild_from_type,
            "torch.Tensor": None,
            "torch.nn.parameter.Parameter": None,
            "torch.nn.parameter.Buffer": None,
            "torch.Size": tuple,
            "torch.device": _device,
        }
        self.names: dict[str, Any] = {" ".join(path.rsplit(".", 1)): Name(path, call) for path, call in calls.items()}
        for module in ("torch", "torch.cuda", "torch.storage"):
            self.names.update({f"{module} {name}": Name(name) for name in STORAGES})
        # A dtype as a value is that of the tensors here, and knows what it was.
        self.names.update(
            {f"torch {name}": np.dtype(element.dtype, metadata={"torch": name}) for name, element in ELEMENTS.items()}
        )
        self.names.update(NAMES)

    def structure(self, stream: IO[bytes]) -> Any:
        """The objects, with Tensors that have no values yet."""
        result = Machine(self.names, self.persistent, (Tensor,), self.size).run(stream)
        most = REPEATED * self.size + SPARE
        if self.needed > most:
            raise CheckpointError(
                f"its tensors take more than {most:,} bytes, in a file of {self.size:,}: they repeat the same values. "
                "Save what is expanded after .contiguous()"
            )
        return result

    def fill(self, storage: _Storage, stream: IO[bytes]) -> None:
        """Gives the tensors of a storage their values."""
        data = np.empty(storage.size, np.uint8)
        rest = data.data
        while rest:
            count = stream.readinto(rest[: 2**20])  # type: ignore[attr-defined]
            if not count:
                raise CheckpointError("it is cut short")
            rest = rest[count:]
        for view in storage.views:
            view.tensor.data = backend.transfer(view.values(data, self.swapped), self.device)

    # -- what the pickle calls -----------------------------------------------------------------------------

    def persistent(self, identity: Any) -> _Slice:
        kind, name, key, _, count, *view = require(identity, tuple)
        if kind != "storage" or type(name) is not Name or name.name not in STORAGES:
            raise CheckpointError("it holds the source of a class, or a storage of elements that NumPy has nothing for")
        element = STORAGES[name.name]
        width = ELEMENTS[element].stored.itemsize
        storage = _Storage(require(key, str), _natural(count) * width, width)
        storage = self.storages.setdefault(key, storage)
        if storage.size != count * width:
            raise CheckpointError("two of its tensors say different things of their storage")
        if not view or view[0] is None:
            return _Slice(storage, element, 0, storage.size)
        _, start, count = require(view[0], tuple)
        if (_natural(start) + _natural(count)) * width > storage.size:
            raise CheckpointError("a view of a storage is longer than it")
        return _Slice(storage, element, start * width, count * width)

    def rebuild(self, part: _Slice, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
        return self._tensor(part, None, offset, size, stride, None)

    def rebuild_v2(
        self, part: _Slice, offset: int, size: Any, stride: Any, requires_grad: Any, hooks: Any, metadata: Any = None
    ) -> Tensor:
        return self._tensor(part, None, offset, size, stride, metadata)

    def rebuild_v3(
        self, part: _Slice, offset: int, size: Any, stride: Any, grad: Any, hooks: Any, dtype: Any, metadata: Any = None
    ) -> Tensor:
        if not isinstance(dtype, np.dtype) or not dtype.metadata:
            raise CheckpointError("its pickle makes a tensor without a dtype")
        return self._tensor(part, dtype.metadata["torch"], offset, size, stride, metadata)

    def rebuild_from_type(self, function: Any, kind: Any, arguments: Any, state: Any) -> Tensor:
        """A tensor with attributes, which are left out."""
        if type(function) is not Name or function.name not in self.rebuilding:
            raise CheckpointError("its pickle makes a tensor of what is none")
        return self.rebuilding[function.name](*require(arguments, tuple))

    def _tensor(self, part: Any, name: str | None, offset: Any, size: Any, stride: Any, metadata: Any) -> Tensor:
        if type(part) is not _Slice or len(require(size, tuple)) != len(require(stride, tuple)):
            raise CheckpointError("its pickle makes a tensor of what is none")
        if len(size) > 64:
            raise CheckpointError(f"it has a tensor of {len(size)} axes; NumPy has at most 64")
        element = ELEMENTS[name or part.element]
        width = element.stored.itemsize
        count = math.prod(map(_natural, size))
        last = _natural(offset) + sum((length - 1) * _natural(step) for length, step in zip(size, stride))
        if count and (last + 1) * width > part.size:
            raise CheckpointError(f"it has a tensor of shape {str(size)[:80]} that is larger than its storage")
        conjugate, negative = _bits(metadata)
        self.needed += count * element.dtype.itemsize
        tensor = Tensor(np.empty(0, element.dtype))
        steps = tuple(step * width for step in stride)
        view = _View(tensor, element, part.start + offset * width, size, steps, conjugate, negative)
        part.storage.views.append(view)
        return tensor


def _natural(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise CheckpointError("it has a tensor whose shape, strides or offset are no natural numbers, or too large")
    return value


def _bits(metadata: Any) -> tuple[bool, bool]:
    """Whether a tensor is the conjugate, and the negative, of what is stored."""
    bits = {} if metadata is None else require(metadata, dict)
    if not bits.keys() <= {"conj", "neg"}:
        raise CheckpointError("it has a tensor of a kind that is not known here")
    return bool(bits.get("conj")), bool(bits.get("neg"))


def _parameter(data: Any, *rest: Any) -> Tensor:
    if not isinstance(data, Tensor):
        raise CheckpointError("its pickle makes a parameter of what is no tensor")
    return data


def _device(kind: str, index: int | None = None) -> str:
    """The name of a device."""
    return require(kind, str) if index is None else f"{require(kind, str)}:{_natural(index)}"
