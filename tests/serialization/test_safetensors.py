"""The safetensors format: its library's trap is guarded, and damage is told."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tensorgrad as tg
from tensorgrad.serialization import read_metadata
from tests.serialization.comparing import assert_same
from tests.serialization.damage import flips, loaded, pieces, told

DTYPES = [
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64"),
]
ARRAYS = st.sampled_from(DTYPES).flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0)))
STATE = {
    "layer.weight": np.arange(6, dtype="float32").reshape(2, 3),
    "layer.bias": np.array([0.5, -1.5], "float32"),
    "step": np.array(7),
}


def saved(state: Any, tmp_path: Path, **options: Any) -> bytes:
    path = tmp_path / "x.safetensors"
    tg.save(state, path, **options)
    return path.read_bytes()


def by_name(state: dict[str, Any]) -> dict[str, tg.Tensor]:
    return {name: tg.Tensor(state[name]) for name in sorted(state)}


def assert_loaded(data: bytes, state: dict[str, Any]) -> None:
    assert_same(by_name(loaded(data)), by_name(state))


@given(state=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), ARRAYS, max_size=4))
def test_any_arrays_come_back(state: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> None:
    data = saved(state, tmp_path_factory.mktemp("state"))
    assert_loaded(data, state)
    assert {name: array.tolist() for name, array in safetensors.numpy.load(data).items()} == {
        name: array.tolist() for name, array in state.items()
    } or any(np.isnan(array).any() for array in state.values())


def test_arrays_that_are_not_contiguous(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """safetensors 0.8 writes their memory as it lies, which is other values: it must never get one."""
    rows = np.arange(6.0).reshape(2, 3)
    states = {
        "transposed": rows.T,
        "fortran": np.asfortranarray(rows),
        "columns": rows[:, ::2],
        "backwards": rows[::-1],
        "repeated": np.broadcast_to(np.array([1.0, 2.0])[:, None], (2, 3)),
        "big-endian": np.arange(3, dtype=">i4"),
    }
    given = {}
    save = safetensors.numpy.save
    monkeypatch.setattr(
        "safetensors.numpy.save", lambda arrays, metadata: given.update(arrays) or save(arrays, metadata)
    )
    native = {name: array.astype(array.dtype.newbyteorder("=")) for name, array in states.items()}
    for kind in (tg.Tensor, np.asarray):
        data = saved({name: kind(array) for name, array in states.items()}, tmp_path)
        assert_loaded(data, native)
        assert len(given) == 6
        assert all(array.flags.c_contiguous and array.dtype.isnative for array in given.values())
        for name, array in safetensors.numpy.load(data).items():
            np.testing.assert_array_equal(array, states[name])


def test_tensors_come_back_with_memory_of_their_own(tmp_path: Path) -> None:
    result = loaded(saved(STATE, tmp_path))
    for tensor in result.values():
        assert type(tensor) is tg.Tensor
        assert not tensor.requires_grad
        tensor.data[...] = 0
    assert_loaded(saved(STATE, tmp_path), STATE)


def test_devices(device: str, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    tg.save({"a": tg.Tensor([1.0, 2.0], device=device)}, path)
    assert tg.load(path)["a"].device == "cpu"
    assert tg.load(path, device)["a"].device == device


def test_a_state_goes_there_and_back(tmp_path: Path) -> None:
    make = lambda: tg.nn.Sequential(tg.nn.Conv2d(1, 2, 3), tg.nn.BatchNorm2d(2))  # noqa: E731
    source, target = make(), make()
    tg.save(source.state_dict(), tmp_path / "x.safetensors")
    target.load_state_dict(tg.load(tmp_path / "x.safetensors"))
    assert_same(target.state_dict(), source.state_dict())


def test_metadata(tmp_path: Path) -> None:
    data = saved(STATE, tmp_path, metadata={"format": "pt", "ünï": ""})
    assert read_metadata(tmp_path / "x.safetensors") == {"format": "pt", "ünï": ""}
    assert read_metadata(io.BytesIO(data)) == {"format": "pt", "ünï": ""}
    assert read_metadata(io.BytesIO(safetensors.numpy.save(STATE))) == {}
    assert_loaded(data, STATE)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "cut short"), (b"\xff" * 20, "cut short"), (bytes(8), "damaged"), (b"\2" + bytes(7) + b"[]", "header")],
    ids=str,
)
def test_metadata_of_what_is_no_such_file(content: bytes, words: str) -> None:
    with pytest.raises(tg.CheckpointError, match=words):
        read_metadata(io.BytesIO(content))


# -- what cannot be saved -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([np.ones(2)], "checkpoint is a list; a .safetensors file holds one dict of Tensors or arrays by name"),
        (tg.ones(2), "checkpoint is a Tensor; "),
        ({"model": {"a": np.ones(2)}}, "checkpoint['model'] is a dict; "),
        ({"a": np.ones(2), "epoch": 3}, "checkpoint['epoch'] is a int; "),
        ({"a": np.float32(1)}, "Save it as .npz"),
        ({1: np.ones(2)}, "checkpoint[1]: the names in a .safetensors file are str"),
        ({"\ud800": np.ones(2)}, "of Unicode"),
        ({"__metadata__": np.ones(2)}, "not '__metadata__'"),
        ({"a": np.ones(2, complex)}, "checkpoint['a'] is of dtype complex128"),
        ({"a": np.array(["text"])}, "save it as .npz"),
        ({"a": np.array([None])}, "is of dtype object"),
        ({"a": np.ma.masked_array([1.0], [True])}, "is a MaskedArray"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_format_cannot_hold_is_told(value: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError) as caught:
        tg.save(value, tmp_path / "x.safetensors")
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("metadata", [{"a": 1}, {1: "a"}, {"\ud800": "a"}, {"tensorgrad.crc32": "0"}])
def test_metadata_is_text(metadata: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="metadata is a dict of str by str"):
        saved(STATE, tmp_path, metadata=metadata)
    assert list(tmp_path.iterdir()) == []


def test_the_library_is_named_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.safetensors"
    tg.save(STATE, path)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for call in (lambda: tg.save(STATE, path), lambda: tg.load(path)):
        with pytest.raises(ImportError, match="pip install safetensors"):
            call()


# -- files of others ------------------------------------------------------------------------------------------


def crafted(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def one(dtype: str, shape: list[int], data: bytes) -> bytes:
    return crafted({"a": {"dtype": dtype, "shape": shape, "data_offsets": [0, len(data)]}}, data)


@pytest.mark.parametrize(
    ("dtype", "data", "values"),
    [
        ("BF16", "0000 0080 803f 80bf 807f 4940", [0.0, -0.0, 1.0, -1.0, np.inf, 3.140625]),
        ("F8_E4M3", "00 01 38 b8 7e", [0.0, 2.0**-9, 1.0, -1.0, 448.0]),
        ("F8_E5M2", "00 01 3c bc 7b 7c", [0.0, 2.0**-16, 1.0, -1.0, 57344.0, np.inf]),
        ("F8_E8M0", "00 7f 80 fe", [2.0**-127, 1.0, 2.0, 2.0**127]),
        ("BOOL", "00 01 02 ff", [False, True, True, True]),
    ],
)
def test_elements_that_numpy_has_not(dtype: str, data: str, values: list[Any]) -> None:
    raw = bytes.fromhex(data)
    wanted = np.array(values, "bool" if dtype == "BOOL" else "float32")
    assert_same(loaded(one(dtype, [len(values)], raw))["a"], tg.Tensor(wanted))


FOUR = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
REPEATED = b'{"a": %b, "a": %b}' % (json.dumps(FOUR).encode(), json.dumps({**FOUR, "dtype": "I32"}).encode())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (one("F4", [2], b"x"), "its tensor 'a' is of type F4, which NumPy has nothing for"),
        (one("F99", [2], b"x"), "damaged"),
        (one("F32", [2], b"xxxx"), "damaged"),
        (one("F32", [-1], b"xxxx"), "damaged"),
        (one("F32", [0, 2**62, 2**62], b""), "damaged"),
        (one("F32", [1] * 100, b"xxxx"), "damaged"),
        (crafted({"a": FOUR, "b": FOUR}, b"xxxx"), "damaged"),
        (crafted({"a": FOUR}, b"xxxxmore"), "damaged"),
        (crafted({"a": {**FOUR, "data_offsets": [4, 8]}}, b"xxxxxxxx"), "damaged"),
        (crafted(REPEATED, b"xxxx"), "a name comes twice in its header"),
        (crafted(b"{" + b"[" * 100_000), "damaged"),
        (crafted(b'{"a":' * 100_000), "damaged"),
        (crafted({"__metadata__": {"a": 1}}), "damaged"),
        (crafted({"__metadata__": {"tensorgrad.crc32": "00000001"}}), "do not have the checksum"),
        (b"\xff" * 7 + b"\x7f{" + bytes(20), "no checkpoint"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_files_are_told(content: bytes, words: str) -> None:
    with pytest.raises(tg.CheckpointError) as caught:
        loaded(content)
    assert words in str(caught.value)


def test_another_shape_of_the_same_values_is_told(tmp_path: Path) -> None:
    whole = saved(STATE, tmp_path)
    with pytest.raises(tg.CheckpointError, match="do not have the checksum"):
        loaded(whole.replace(b"[2,3]", b"[3,2]"))


def test_every_shortened_file_is_told(tmp_path: Path) -> None:
    whole = saved(STATE, tmp_path)
    cuts = [whole[:length] for length in range(len(whole))]
    assert told(iter(cuts), lambda result: pytest.fail(f"loaded {result}")) == len(whole)


def test_every_flipped_bit_is_told_or_harmless(tmp_path: Path) -> None:
    """Also in the values, by the checksum; one in the name of the checksum is harmless."""
    whole = saved(STATE, tmp_path)
    count = told(flips(whole, 8 * len(whole)), lambda result: assert_same(by_name(result), by_name(STATE)))
    assert count > 7 * len(whole)


def test_damaged_pieces_are_told_or_harmless(tmp_path: Path) -> None:
    whole = saved(STATE, tmp_path)
    assert told(pieces(whole, 300), lambda result: assert_same(by_name(result), by_name(STATE))) > 800
