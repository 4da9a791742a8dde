"""IDX: the file format of MNIST, and of data sets made after its likeness.

Two zero bytes, a byte for the dtype, a byte for the number of dimensions, each dimension as four bytes, then the
values in C order; everything big-endian. Source: Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten
digits", http://yann.lecun.com/exdb/mnist/.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 20
MOST_DIMENSIONS = 32


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """The array in an IDX file, raw or compressed by gzip (which its first bytes tell, whatever its name).

    Args:
        path: the file.

    Returns:
        An array of uint8, int8, int16, int32, float32 or float64, in the byte order of this machine.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no IDX file, is cut short, has bytes left over, or is damaged.

    Example:
        >>> import tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp(), "labels-idx1-ubyte")
        >>> _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
        >>> read_idx(path)
        array([7, 2, 1], dtype=uint8)
    """
    path = Path(path)
    with path.open("rb") as file:
        compressed = file.read(2) == GZIP_MAGIC
        file.seek(0)
        try:
            if not compressed:
                return _read(file, path)
            with gzip.open(file) as stream:
                return _read(stream, path)  # type: ignore[arg-type]
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise ValueError(f"{path}: the gzip file is damaged or cut short: {error}.") from error


def _read(stream: BinaryIO, path: Path) -> np.ndarray:
    magic = _read_at_most(stream, 4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in DTYPES or magic[3] > MOST_DIMENSIONS:
        raise ValueError(
            f"{path} is no IDX file: it begins with the bytes {magic.hex(' ') or '(none)'}, and not with 00 00, one of "
            f"{', '.join(f'{code:02x}' for code in DTYPES)}, and a number of dimensions up to {MOST_DIMENSIONS}."
        )
    dtype, dimensions = np.dtype(DTYPES[magic[2]]), magic[3]
    header = _read_at_most(stream, 4 * dimensions)
    if len(header) < 4 * dimensions:
        raise ValueError(f"{path} is cut short: it ends within the lengths of its {dimensions} dimensions.")
    shape = struct.unpack(f">{dimensions}I", header)
    expected = math.prod(shape) * dtype.itemsize
    # Never more than the file holds: a header may promise any number of bytes.
    values = _read_at_most(stream, expected + 1)
    if len(values) != expected:
        found = f"has only {len(values)}" if len(values) < expected else "has more"
        raise ValueError(f"{path}: shape {shape} of {dtype.name} takes {expected} bytes, and the file {found}.")
    return np.frombuffer(values, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _read_at_most(stream: BinaryIO, count: int) -> bytearray:
    """Up to ``count`` bytes. Memory is taken for what is there, not for what was asked for."""
    data = bytearray()
    while len(data) < count:
        chunk = stream.read(min(CHUNK, count - len(data)))
        if not chunk:
            break
        data += chunk
    return data


def idx_md5(array: np.ndarray) -> str:
    """The MD5 of the uncompressed IDX file that would hold ``array``, in hexadecimal.

    Example:
        >>> idx_md5(np.array([7, 2, 1], dtype=np.uint8))
        '95cb6c54ea3c0cf91e8411f0a9fd1728'
    """
    big_endian = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder(">"))
    code = next(code for code, text in DTYPES.items() if np.dtype(text) == big_endian.dtype)
    header = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    digest = hashlib.md5(header, usedforsecurity=False)
    digest.update(big_endian.data)
    return digest.hexdigest()
