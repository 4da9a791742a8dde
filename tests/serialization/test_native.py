"""Checkpoints: what goes in comes out, the file is whole or not there, and a bad file is told as one."""

from __future__ import annotations

import io
import json
import math
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tensorgrad as tg
from tensorgrad.serialization.files import DEEPEST
from tests.serialization.comparing import assert_same


def there_and_back(value: Any, device: str | None = None) -> Any:
    file = io.BytesIO()
    tg.save(value, file)
    return tg.load(file, device)


def checkpoint() -> dict[str, Any]:
    return {
        "model": {"layer.weight": tg.Tensor(np.arange(6, dtype="float32").reshape(2, 3)), "layer.bias": tg.Tensor(1.5)},
        "optimizer": {"state": {"layer.weight": {"step": 3, "exp_avg": np.linspace(0, 1, 6).reshape(2, 3)}}},
        "epoch": 7,
    }


# -- what goes in comes out -----------------------------------------------------------------------------------

ARRAYS = hnp.arrays(
    st.one_of(
        hnp.boolean_dtypes(),
        hnp.integer_dtypes(endianness="?"),
        hnp.unsigned_integer_dtypes(),
        hnp.floating_dtypes(endianness="?"),
        hnp.complex_number_dtypes(),
        hnp.datetime64_dtypes(),
        hnp.timedelta64_dtypes(),
        hnp.byte_string_dtypes(min_len=1),
        hnp.unicode_string_dtypes(min_len=1),
    ),
    hnp.array_shapes(min_dims=0, min_side=0),
)
TENSORS = hnp.arrays(
    st.sampled_from(["bool", "uint8", "int64", "float16", "float32", "float64", "complex64"]),
    hnp.array_shapes(min_dims=0, min_side=0),
).map(tg.Tensor)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(),
    st.binary(),
    ARRAYS,
    ARRAYS.filter(lambda a: a.size > 0).map(lambda a: a.reshape(-1)[0]),
    TENSORS,
)
STRUCTURES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.dictionaries(st.text() | st.integers(), inner),
    ),
    max_leaves=12,
)


@given(STRUCTURES)
def test_any_structure_comes_back(value: Any) -> None:
    assert_same(there_and_back(value), value)


@pytest.mark.parametrize(
    "value",
    [
        10**5000,
        -(10**5000),
        2**63,
        -(2**63),
        -0.0,
        5e-324,
        math.inf,
        "\ud800 ünï\0",
        {1: "int", "1": "str", -5: None, 10**40: 0},
        {"": {"": []}},
        {"a/b": tg.Tensor([1.0]), "a": {"b": tg.Tensor([2.0])}, "a_b": tg.Tensor([3.0])},
        {"../../etc/passwd": np.ones(2), "..": np.zeros(2), "C:\\x": np.ones(1)},
        {"x" * 10_000: np.ones(2)},
        {"\ud800": tg.Tensor([1.0]), "key": {"\udfff": 1}},
        {"A": np.ones(1), "a": np.zeros(1)},
        np.float32(0.1),
        np.array("text"),
        np.bool_(True),
        (),
    ],
    ids=lambda value: type(value).__name__,
)
def test_odd_values_come_back(value: Any) -> None:
    result = there_and_back(value)
    if isinstance(value, int):
        assert result == value
    else:
        assert_same(result, value)


def test_memory_order_comes_back() -> None:
    fortran = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    result = there_and_back([fortran, fortran[:, ::2], tg.Tensor(fortran)])
    assert result[0].flags.f_contiguous
    assert_same(result, [fortran, fortran[:, ::2].copy(), tg.Tensor(fortran)])


def test_subclasses_come_back_as_the_type_itself() -> None:
    result = there_and_back(
        {"state": OrderedDict(b=1, a=2), "exit": pytest.ExitCode.INTERRUPTED, "bytes": bytearray(b"x")}
    )
    assert_same(result, {"state": {"b": 1, "a": 2}, "exit": 2, "bytes": b"x"})


def test_tensors_come_back_detached_with_memory_of_their_own() -> None:
    w = tg.Tensor([1.0, 2.0], requires_grad=True)
    w.grad = tg.Tensor([5.0, 5.0])
    leaf, computed, shared = there_and_back([w, w * 2, w])
    assert not leaf.requires_grad
    assert leaf.grad is None
    assert computed.is_leaf
    leaf.data[0] = 7.0
    assert (shared.tolist(), w.tolist()) == ([1.0, 2.0], [1.0, 2.0])


def test_devices(device: str) -> None:
    tensor = tg.Tensor([1.0, 2.0], device=device)
    value = {"tensor": tensor, "device array": tensor.data, "host array": np.ones(2)}
    result = there_and_back(value)
    assert result["tensor"].device == "cpu"
    assert isinstance(result["device array"], np.ndarray)
    result = there_and_back(value, device)
    assert result["tensor"].device == device
    assert type(result["device array"]) is type(tensor.data)
    assert isinstance(result["host array"], np.ndarray)
    assert result["tensor"].tolist() == [1.0, 2.0]


def test_an_unknown_device_is_told_before_the_file_is_read(tmp_path: Path) -> None:
    with pytest.raises(tg.DeviceError, match="'tpu'"):
        tg.load(tmp_path / "missing.npz", device="tpu")


def test_random_state() -> None:
    tg.manual_seed(3)
    tg.rand(5)
    state = there_and_back(tg.random.get_rng_state())
    first = tg.rand(3).tolist()
    tg.random.set_rng_state(state)
    assert tg.rand(3).tolist() == first


def test_numpy_reads_it_too(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    tg.save(checkpoint(), path)
    with np.load(path) as archive:
        assert "tensorgrad.json" in archive.files
        np.testing.assert_array_equal(archive["model/layer.weight"], [[0, 1, 2], [3, 4, 5]])


def test_the_same_values_give_the_same_bytes() -> None:
    one, other = io.BytesIO(), io.BytesIO()
    tg.save(checkpoint(), one)
    tg.save(checkpoint(), other)
    assert one.getvalue() == other.getvalue()


# -- what cannot be saved -------------------------------------------------------------------------------------


class Model:
    def state_dict(self) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"model": {"x": [0, 1, 2, {1, 2}]}}, "checkpoint['model']['x'][3] is a set"),
        ((1, object()), "checkpoint[1] is a object"),
        ({1: {"f": len}}, "checkpoint[1]['f'] is a builtin_function_or_method"),
        (1j, "checkpoint is a complex"),
        ({1.5: 0}, "checkpoint has the key 1.5"),
        ([{None: 0}], "checkpoint[0] has the key None"),
        ({("a", 1): 0}, "must be str or int"),
        (np.array([None]), "dtype object"),
        (np.zeros(2, [("a", "f4")]), "without pickle"),
        (np.ma.masked_array([1.0], [True]), "is a MaskedArray"),
        (
            Model(),
            "checkpoint is a Model, which cannot be saved itself: save its state, as in save(model.state_dict(), ...)",
        ),
        ({"net": Model()}, "checkpoint['net'] is a Model"),
        ({"optimizer": tg.optim.SGD([tg.Tensor([1.0], requires_grad=True)])}, "save(model.state_dict(), ...)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_saved_is_named_before_anything_is_written(value: Any, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    tg.save("old", path)
    for target in (path, tmp_path / "new.npz", io.BytesIO()):
        with pytest.raises(TypeError) as caught:
            tg.save(value, target)
        assert words in str(caught.value)
        assert not isinstance(target, io.BytesIO) or target.getvalue() == b""
    assert os.listdir(tmp_path) == ["x.npz"]
    assert tg.load(path) == "old"


def test_a_structure_that_contains_itself() -> None:
    loop: list[Any] = []
    loop.append({"again": loop})
    with pytest.raises(TypeError, match="does it contain itself"):
        tg.save(loop, io.BytesIO())


def test_deep_structures() -> None:
    value: Any = np.ones(1)
    for level in range(DEEPEST):
        value = {"x": value} if level % 2 else (value,)
    assert_same(there_and_back(value), value)
    with pytest.raises(TypeError, match="deeper than 100 levels"):
        there_and_back([value])


@pytest.mark.parametrize("target", [3, None, b"name", io.StringIO()])
def test_what_is_no_file(target: Any) -> None:
    with pytest.raises(TypeError, match="expected a path"):
        tg.save(1, target)
    with pytest.raises(TypeError, match="expected a path"):
        tg.load(target)


# -- bad files ------------------------------------------------------------------------------------------------


def content() -> bytes:
    file = io.BytesIO()
    tg.save(checkpoint(), file)
    return file.getvalue()


def test_every_shortened_file_is_told(tmp_path: Path) -> None:
    whole = content()
    for length in range(0, len(whole), 3):
        with pytest.raises(tg.CheckpointError, match="cut short"):
            tg.load(io.BytesIO(whole[:length]))
    path = tmp_path / "short.npz"
    path.write_bytes(whole[:-1])
    with pytest.raises(tg.CheckpointError, match=r"cannot load '.*short.npz'"):
        tg.load(path)


def test_every_flipped_bit_is_told_or_harmless() -> None:
    """A date in the archive may change; what comes back may not."""
    whole, wanted = content(), checkpoint()
    told = 0
    for position in range(len(whole)):
        for bit in (0, 3, 7):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << bit
            try:
                result = tg.load(io.BytesIO(bytes(damaged)))
            except tg.CheckpointError:
                told += 1
            else:
                assert_same(result, wanted)
    assert told > 2 * len(whole)


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_told(data: bytes, zipped: bool) -> None:
    with pytest.raises(tg.CheckpointError):
        tg.load(io.BytesIO(b"PK\3\4" * zipped + data))


def test_pieces_overwritten_or_left_out_are_told() -> None:
    whole, wanted = content(), checkpoint()
    generator = np.random.default_rng(0)
    for _ in range(300):
        start, length = generator.integers(0, len(whole)), generator.integers(1, 60)
        noise = generator.bytes(length)
        for damaged in (
            whole[:start] + noise + whole[start + length :],
            whole[:start] + whole[start + length :],
            whole[:start] + noise + whole[start:],
        ):
            try:
                result = tg.load(io.BytesIO(damaged))
            except tg.CheckpointError:
                continue
            assert_same(result, wanted)


def crafted(document: Any, **entries: bytes) -> io.BytesIO:
    """An archive such as someone else might write."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        if document is not None:
            archive.writestr(
                "tensorgrad.json", document if isinstance(document, (str, bytes)) else json.dumps(document)
            )
        for name, data in entries.items():
            archive.writestr(f"{name}.npy", data)
    return file


def document(root: Any, **changes: Any) -> dict[str, Any]:
    return {"format": "tensorgrad", "schema": 1, "root": root, **changes}


def npy(array: Any, allow_pickle: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=allow_pickle)
    return file.getvalue()


def npy_header(text: str) -> bytes:
    return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text.encode()


TENSOR = document({"tensor": "a"})


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (crafted(None, a=npy(np.ones(2))), "did not write"),
        (crafted({"format": "other"}), "did not write"),
        (crafted(document(1, schema=2)), "schema 2, this version of tensorgrad reads up to 1: upgrade"),
        (crafted(document(1, schema="1")), "damaged"),
        (crafted("[" * 100_000), "damaged"),
        (crafted("{"), "damaged"),
        (crafted("[]"), "damaged"),
        (crafted(document({"tensor": "b"}), a=npy(np.ones(2))), "structure is damaged"),
        *[
            (crafted(document([{kind: "a"}, {kind: "a"}]), a=npy(np.ones(2))), "structure is damaged")
            for kind in ("tensor", "array", "device_array", "scalar")
        ],
        (crafted(document({"unknown": 1})), "unknown entry 'unknown'"),
        (crafted(document({"tuple": [], "dict": []})), "structure is damaged"),
        (crafted(document({})), "structure is damaged"),
        (crafted(document({"dict": [[[], 1]]})), "structure is damaged"),
        (crafted(document({"dict": 3})), "structure is damaged"),
        (crafted(document({"int": "0x"})), "structure is damaged"),
        (crafted(document({"bytes": "!"})), "structure is damaged"),
        (crafted(json.dumps(document("?")).replace('"?"', "[" * 150 + "]" * 150)), "nested deeper"),
        (crafted(TENSOR, a=npy(np.array(["text"]))), "structure is damaged"),
        (crafted(TENSOR, a=npy(np.array([{}]), allow_pickle=True)), "claims shape (1,) and dtype object"),
        (crafted(TENSOR, a=npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (10**12,)}")), "damaged"),
        (
            crafted(TENSOR, a=npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}")),
            "claims",
        ),
        (crafted(TENSOR, a=npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}")), "damaged"),
        (crafted(TENSOR, a=npy_header("-" * 9990)), "no readable header"),
        (crafted(TENSOR, a=npy(np.ones(2)) + b"more"), "shorter than its entry"),
        (crafted(TENSOR, a=npy(np.ones(2))[:-1]), "damaged"),
        (crafted(TENSOR, a=pickle.dumps([1, 2])), "damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_files_of_others_are_told(file: io.BytesIO, words: str) -> None:
    with pytest.raises(tg.CheckpointError) as caught:
        tg.load(file)
    assert words in str(caught.value)


def test_a_pickle_is_never_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "sprung"),)

    for file in (crafted(TENSOR, a=npy(np.array([Trap()]), allow_pickle=True)), io.BytesIO(pickle.dumps(Trap()))):
        with pytest.raises(tg.CheckpointError):
            tg.load(file)
    assert os.listdir(tmp_path) == []


def test_a_zip_bomb_is_refused() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tensorgrad.json", json.dumps(TENSOR))
        archive.writestr("a.npy", npy(np.zeros(10**7)))
    assert len(bomb.getvalue()) < 10**5
    with pytest.raises(tg.CheckpointError, match="are compressed"):
        tg.load(bomb)


def test_overlapping_entries_are_refused() -> None:
    """The other kind of bomb: many entries that are all the same bytes of the file."""
    data = crafted(TENSOR, a=npy(np.ones(10_000))).getvalue()
    start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    entries = [b"PK\1\2" + entry for entry in data[start:end].split(b"PK\1\2")[1:]]
    entries += [entries[1].replace(b"a.npy", b"%c.npy" % letter) for letter in b"bcdef"]
    directory = b"".join(entries)
    ending = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(entries), len(entries), len(directory), start, 0)
    with pytest.raises(tg.CheckpointError, match=r"claim 48[\d,]+ bytes, the file has 8\d,"):
        tg.load(io.BytesIO(data[:start] + directory + ending))


def test_two_entries_of_one_name_are_refused() -> None:
    file = crafted(TENSOR, a=npy(np.ones(2)))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(file, "a") as archive:
        archive.writestr("a.npy", npy(np.zeros(2)))
    with pytest.raises(tg.CheckpointError, match="same name"):
        tg.load(file)
