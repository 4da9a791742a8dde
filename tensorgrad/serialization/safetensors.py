"""The safetensors format: a flat dict of arrays, as Hugging Face's models are published.

Read and written by the library of that name. Its version 0.8 writes arrays as they lie in memory, which for one that
is not C-contiguous are other values: it never gets one from here. The format has no checksum: one is added to its
metadata, and checked where it is found.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from types import ModuleType
from typing import IO, Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.errors import CheckpointError
from tensorgrad.serialization.elements import ELEMENTS

SUFFIX = ".safetensors"
METADATA = "__metadata__"
CHECKSUM = "tensorgrad.crc32"
CODES = {
    "BOOL": "bool",
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    "F16": "float16",
    "F32": "float32",
    "F64": "float64",
    "BF16": "bfloat16",
    "C64": "complex64",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
}
"""What the format calls the types of elements."""
SAVED = {str(ELEMENTS[name].dtype) for name in CODES.values()}


def write(obj: Any, metadata: Mapping[str, str] | None) -> bytes:
    """The bytes of a file with the arrays of ``obj``.

    Raises:
        TypeError: if it is no flat dict of arrays by name, or the metadata no strings.
        ImportError: if the library is missing.
    """
    if not isinstance(obj, Mapping):
        raise TypeError(_refusal("checkpoint", obj))
    arrays = {}
    for name, value in obj.items():
        where = f"checkpoint[{name!r}]"
        if not _is_text(name) or name == METADATA:
            raise TypeError(f"{where}: the names in a {SUFFIX} file are str, of Unicode and not {METADATA!r}.")
        array = value.data if isinstance(value, Tensor) else value
        library = backend.of(array)
        if library is None or isinstance(array, (np.generic, np.ma.MaskedArray)):
            raise TypeError(_refusal(where, value))
        # C-contiguous, and little-endian.
        arrays[name] = array = np.asarray(library.to_numpy(array), order="C")
        if array.dtype.name not in SAVED:
            raise TypeError(f"{where} is of dtype {array.dtype}, which a {SUFFIX} file cannot hold: save it as .npz.")
        if not array.dtype.isnative:
            arrays[name] = array.astype(array.dtype.newbyteorder("="))
    metadata = dict(metadata or {})
    for key, text in metadata.items():
        if not _is_text(key) or not _is_text(text) or key == CHECKSUM:
            raise TypeError(
                f"metadata is a dict of str by str, of Unicode and without {CHECKSUM!r}, got {key!r}: {text!r}."
            )
    data: bytes = _library().numpy.save(arrays, {**metadata, CHECKSUM: _checksum(arrays)})
    return data


def _refusal(where: str, value: Any) -> str:
    return (
        f"{where} is a {type(value).__name__}; a {SUFFIX} file holds one dict of Tensors or arrays by name, as "
        "state_dict() of a model gives it. Save it as .npz, which takes nested structures and plain values."
    )


def _is_text(value: Any) -> bool:
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def looks_like(head: bytes, size: int) -> bool:
    """Whether a file of some size begins as this format does: with the length of a JSON object, and that."""
    return len(head) >= 9 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= size - 8


def read(stream: IO[bytes], device: str) -> dict[str, Tensor]:
    """The tensors of a file."""
    library = _library()
    data = stream.read()
    try:
        entries = library.deserialize(data)
    except library.SafetensorError as error:
        raise CheckpointError(f"it is no safetensors file, cut short, or damaged ({error})") from error
    metadata = _header(data).get(METADATA, {})
    del data
    arrays = {name: _array(name, entry) for name, entry in entries}
    if metadata.get(CHECKSUM, checksum := _checksum(arrays)) != checksum:
        raise CheckpointError(
            f"its values do not have the checksum that is in its metadata ({CHECKSUM}): it is damaged, or what changed "
            "its values kept the metadata"
        )
    return {name: Tensor(array, device=device) for name, array in arrays.items()}


def read_metadata(stream: IO[bytes], size: int) -> dict[str, str]:
    """The metadata of a file, without its checksum and without reading its tensors."""
    length = int.from_bytes(stream.read(8), "little")
    if length > size - 8:
        raise CheckpointError("it is no safetensors file, cut short, or damaged")
    metadata = _header(length.to_bytes(8, "little") + stream.read(length)).get(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise CheckpointError("its metadata is damaged")
    return {key: text for key, text in metadata.items() if key != CHECKSUM}


def _header(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length], object_pairs_hook=_without_repetition)
    if not isinstance(header, dict):
        raise CheckpointError("its header is damaged")
    return header


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise CheckpointError("a name comes twice in its header")
    return result


def _array(name: str, entry: Mapping[str, Any]) -> np.ndarray:
    code = entry["dtype"]
    if code not in CODES:
        raise CheckpointError(f"its tensor {name!r} is of type {code}, which NumPy has nothing for")
    element = ELEMENTS[CODES[code]]
    # The bytearray is nobody else's.
    return element.decode(np.frombuffer(entry["data"], element.stored)).reshape(entry["shape"])


def _checksum(arrays: Mapping[str, np.ndarray]) -> str:
    """Of names, dtypes, shapes and values, in whatever order they are."""
    total = 0
    for name in sorted(arrays):
        array = arrays[name]
        total = zlib.crc32(f"{name}\0{array.dtype.name}{array.shape}".encode(), total)
        total = zlib.crc32(array.reshape(-1).view(np.uint8).data, total)
    return f"{total:08x}"


def _library() -> ModuleType:
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError(f"{SUFFIX} files are read and written with safetensors: pip install safetensors.") from None
    return safetensors
