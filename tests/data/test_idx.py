"""The IDX reader, on good files and bad ones."""

from __future__ import annotations

import gzip
import hashlib
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tensorgrad.data import read_idx
from tensorgrad.data.idx import DTYPES, idx_md5

CODES = {np.dtype(text).newbyteorder("="): code for code, text in DTYPES.items()}


def idx_bytes(array):
    header = struct.pack(f">HBB{array.ndim}I", 0, CODES[array.dtype], array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@given(
    array=st.sampled_from(list(CODES)).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    ),
    compressed=st.booleans(),
)
def test_arrays_come_back(tmp_path_factory, array, compressed):
    path = tmp_path_factory.mktemp("idx") / "file"
    data = idx_bytes(array)
    path.write_bytes(gzip.compress(data) if compressed else data)
    result = read_idx(path)
    assert result.dtype == array.dtype
    assert result.dtype.isnative
    assert result.shape == array.shape
    assert np.array_equal(result, array, equal_nan=array.dtype.kind == "f")
    assert result.flags.writeable
    if not np.isnan(array).any():
        assert idx_md5(result) == hashlib.md5(data).hexdigest()


GOOD = idx_bytes(np.arange(12, dtype=np.int16).reshape(3, 4))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", r"no IDX file: it begins with the bytes \(none\)"),
        (b"\0\0\x08", "no IDX file: it begins with the bytes 00 00 08,"),
        (b"<html>", "no IDX file: it begins with the bytes 3c 68 74 6d,"),
        (b"\0\0\x0a\1" + bytes(8), "no IDX file.*one of 08, 09, 0b, 0c, 0d, 0e"),
        (b"\0\0\x08\xff" + bytes(2000), "dimensions up to 32"),
        (GOOD[:9], "cut short: it ends within the lengths of its 2 dimensions"),
        (GOOD[:-1], r"shape \(3, 4\) of int16 takes 24 bytes, and the file has only 23"),
        (GOOD + b"\0", r"shape \(3, 4\) of int16 takes 24 bytes, and the file has more"),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_bad_files(tmp_path, data, words, compressed):
    path = tmp_path / "bad-idx2-short"
    path.write_bytes(gzip.compress(data) if compressed else data)
    with pytest.raises(ValueError, match=words) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


def test_damaged_gzip_files(tmp_path):
    path = tmp_path / "file.gz"
    data = gzip.compress(idx_bytes(np.arange(3000, dtype=np.int32)))
    for bad in (
        data[:-4],
        data[: len(data) // 2],
        data[:3],
        data[:-8] + bytes(8),
        data[:500] + b"\xff" * 50 + data[550:],
    ):
        path.write_bytes(bad)
        with pytest.raises(ValueError, match="the gzip file is damaged or cut short"):
            read_idx(path)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_header_that_promises_much_takes_no_memory(tmp_path, compressed):
    path = tmp_path / "bomb"
    data = struct.pack(">HBB4I", 0, 0x0E, 4, *[2**32 - 1] * 4) + bytes(100)
    path.write_bytes(gzip.compress(data) if compressed else data)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="has only 100"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "nothing")
