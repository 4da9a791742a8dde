"""The native format: nested structures of arrays and plain values in one ``.npz`` file, without pickle.

The file is an uncompressed zip archive. Its entry ``tensorgrad.json`` holds the structure; every array is an entry of
its own, in NumPy's format and under a name that tells where it belongs, so ``numpy.load(path)`` reads it too::

    {"format": "tensorgrad", "schema": 1, "root": {"dict": [["model", {"dict": [["weight", {"tensor": ...

A node of the structure is what JSON has (null, true, a number, a string, a list), or an object with one entry whose
key says what it is: ``dict`` (pairs), ``tuple``, ``int`` (too long for 64 bits, in hexadecimal), ``float`` (not
finite), ``bytes`` (base64), ``tensor``, ``array``, ``device_array`` or ``scalar`` (the name of an entry).
"""

from __future__ import annotations

import base64
import json
import math
import re
import zipfile
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.errors import CheckpointError
from tensorgrad.serialization.files import DEEPEST

SUFFIX = ".npz"
FORMAT = "tensorgrad"
SCHEMA = 1
DOCUMENT = "tensorgrad.json"
KINDS = "biufcmMSU"
"""The kinds of dtype that NumPy's format keeps exactly: no objects, no records, no other library's."""
EARLIEST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""The date of every entry, so that the same values give the same bytes."""


def writer(obj: Any) -> Callable[[IO[bytes]], None]:
    """What writes ``obj`` to a file; raises TypeError, before anything is written, if it cannot be saved."""
    encoder = _Encoder()
    root = encoder.encode(obj, "checkpoint", ())
    document = json.dumps({"format": FORMAT, "schema": SCHEMA, "root": root}).encode("ascii")
    return lambda stream: _write(stream, document, encoder.arrays)


# -- from objects to JSON and arrays -------------------------------------------------------------------------


class _Encoder:
    """Turns a structure into what JSON has, and collects the arrays."""

    def __init__(self) -> None:
        self.arrays: dict[str, Any] = {}

    def encode(self, value: Any, where: str, keys: tuple[str, ...]) -> Any:
        """The node for ``value``; ``where`` is its place as messages tell it, ``keys`` as the entry's name does."""
        if len(keys) > DEEPEST:
            raise TypeError(f"{where[:200]}... is nested deeper than {DEEPEST} levels: does it contain itself?")
        if isinstance(value, Tensor):
            return {"tensor": self._entry(value.data, where, keys)}
        if isinstance(value, np.generic):
            return {"scalar": self._entry(np.asarray(value), where, keys)}
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, int):
            # Python limits the decimal digits that it converts; hexadecimal has no limit.
            return int(value) if value.bit_length() < 64 else {"int": hex(value)}
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"float": repr(float(value))}
        if isinstance(value, (bytes, bytearray)):
            return {"bytes": base64.b64encode(value).decode("ascii")}
        if isinstance(value, dict):
            return {"dict": [self._pair(key, item, where, keys) for key, item in value.items()]}
        if isinstance(value, (list, tuple)):
            items = [self.encode(item, f"{where}[{i}]", (*keys, str(i))) for i, item in enumerate(value)]
            return {"tuple": items} if isinstance(value, tuple) else items
        library = backend.of(value)
        if library is None or isinstance(value, np.ma.MaskedArray):
            raise TypeError(_refusal(value, where))
        return {"array" if library is backend.NUMPY else "device_array": self._entry(value, where, keys)}

    def _pair(self, key: Any, value: Any, where: str, keys: tuple[str, ...]) -> list[Any]:
        if not isinstance(key, (str, int)):
            raise TypeError(f"{where} has the key {key!r}; the keys of a dict must be str or int to be saved.")
        return [self.encode(key, where, ()), self.encode(value, f"{where}[{key!r}]", (*keys, str(key)))]

    def _entry(self, array: Any, where: str, keys: tuple[str, ...]) -> str:
        """Takes note of an array, and returns the name of its entry."""
        if array.dtype.kind not in KINDS:
            raise TypeError(f"{where} is an array of dtype {array.dtype}, which cannot be saved without pickle.")
        parts = [re.sub(r"[^A-Za-z0-9._-]", "_", key)[:80] for key in keys]
        name = base = "/".join(part.lstrip(".") or "_" for part in parts) or "array"
        count = 1
        while name in self.arrays:
            count += 1
            name = f"{base}~{count}"
        self.arrays[name] = array
        return name


def _refusal(value: Any, where: str) -> str:
    kind = type(value).__name__
    if hasattr(value, "state_dict"):
        return (
            f"{where} is a {kind}, which cannot be saved itself: save its state, as in save(model.state_dict(), ...)."
        )
    return (
        f"{where} is a {kind}, which cannot be saved. What can: dicts, lists, tuples, Tensors, arrays, None, bool, "
        f"int, float, str, bytes."
    )


# -- writing ------------------------------------------------------------------------------------------------


def _write(stream: IO[bytes], document: bytes, arrays: dict[str, Any]) -> None:
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_entry_info(DOCUMENT), document)
        for name, array in arrays.items():
            library = backend.of(array)
            assert library is not None
            with archive.open(_entry_info(f"{name}.npy"), "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, library.to_numpy(array), allow_pickle=False)


def _entry_info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, EARLIEST_ZIP_DATE)
    info.external_attr = 0o644 << 16
    return info


# -- reading ------------------------------------------------------------------------------------------------


def read(archive: zipfile.ZipFile, device: str) -> Any:
    """What an archive holds that has a ``DOCUMENT``."""
    document = json.loads(archive.read(DOCUMENT))
    if document["format"] != FORMAT or document["schema"] < 1:
        raise CheckpointError(f"it is an archive that save() did not write, with another {DOCUMENT!r}")
    if document["schema"] > SCHEMA:
        raise CheckpointError(
            f"it has schema {document['schema']}, this version of tensorgrad reads up to {SCHEMA}: upgrade it"
        )
    entries = [entry for entry in archive.infolist() if entry.filename != DOCUMENT]
    arrays = {entry.filename.removesuffix(".npy"): _read_array(archive, entry) for entry in entries}
    try:
        # Each array is taken once at most: a small file cannot become a large structure.
        return _Decoder(arrays, device).decode(document["root"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"its structure is damaged ({error})") from error


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(info) as entry:
        version = np.lib.format.read_magic(entry)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        try:
            shape, _, dtype = read_header(entry)
        except MemoryError:
            # Python's parser, at absurd nesting; not the array, which is not there yet.
            raise CheckpointError(f"its array {info.filename!r} has no readable header") from None
        if math.prod(shape) * dtype.itemsize > info.file_size or dtype.kind not in KINDS:
            raise CheckpointError(f"its array {info.filename!r} claims shape {shape} and dtype {dtype}")
    with archive.open(info) as entry:
        array: np.ndarray = np.lib.format.read_array(entry, allow_pickle=False)
        # At the end zipfile compares the checksums.
        if entry.read(1):
            raise CheckpointError(f"its array {info.filename!r} is shorter than its entry")
    return array


class _Decoder:
    """Turns nodes back into what they stand for."""

    def __init__(self, arrays: dict[str, np.ndarray], device: str) -> None:
        self.arrays = arrays
        self.device = device

    def decode(self, node: Any, level: int = 0) -> Any:
        if level > DEEPEST + 1:
            raise ValueError(f"nested deeper than {DEEPEST} levels")
        if node is None or isinstance(node, (bool, int, float, str)):
            return node
        if isinstance(node, list):
            return [self.decode(item, level + 1) for item in node]
        ((tag, content),) = node.items()
        match tag:
            case "dict":
                return {self.decode(key): self.decode(item, level + 1) for key, item in content}
            case "tuple":
                return tuple(self.decode(item, level + 1) for item in content)
            case "int":
                return int(content, 16)
            case "float":
                return float(content)
            case "bytes":
                return base64.b64decode(content, validate=True)
            case "array":
                return self.arrays.pop(content)
            case "scalar":
                return self.arrays.pop(content)[()]
            case "device_array":
                return backend.transfer(self.arrays.pop(content), self.device)
            case "tensor":
                return Tensor(self.arrays.pop(content), device=self.device)
        raise ValueError(f"unknown entry {tag!r}")
