"""PyTorch's checkpoints: what it wrote is read, in both formats, and fits models here.

The files were recorded by ``scripts/record_pytorch_checkpoints.py``, which says what is in them.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tests.serialization.comparing import assert_same
from tests.serialization.damage import loaded

FILES = Path(__file__).parent / "files"
KINDS = ["pt", "legacy.pt"]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def recorded(name: str, kind: str) -> Any:
    return tg.load(FILES / f"{name}.{kind}")


def arrays(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value.numpy() if isinstance(value, tg.Tensor) else value for name, value in state.items()}


WIDENED = {"complex32": "complex64", "bfloat16": "float32"}


def test_every_type_of_elements(kind: str) -> None:
    counted = np.arange(6.0).reshape(2, 3)
    plain = recorded("elements", kind)["plain"]
    assert len(plain) == 16
    assert_same(arrays(plain), {name: counted.astype(WIDENED.get(name, name)) for name in plain})


def test_every_code_of_8_bit_floats(kind: str) -> None:
    floats = recorded("elements", kind)["floats8"]
    assert len(floats) == 5
    for tensor, wanted in floats.values():
        assert tensor.dtype == wanted.dtype == "float32"
        # Also the sign of 0.
        numbers = ~np.isnan(wanted.numpy())
        np.testing.assert_array_equal(tensor.numpy(), wanted.numpy())
        np.testing.assert_array_equal(np.signbit(tensor.numpy())[numbers], np.signbit(wanted.numpy())[numbers])


def test_dtypes_as_values(kind: str) -> None:
    dtypes = recorded("elements", kind)["dtypes"]
    assert dtypes[:13] == [
        *("float16", "float32", "float64", "int8", "int16", "int32", "int64"),
        *("uint8", "uint16", "uint32", "uint64", "bool", "complex64"),
    ]
    assert [dtype.metadata["torch"] for dtype in dtypes[14:17]] == ["complex32", "bfloat16", "float8_e4m3fn"]
    assert dtypes[15] == "float32"


def test_views_of_storages(kind: str) -> None:
    state = recorded("views", kind)
    base = np.arange(24, dtype="float32").reshape(2, 3, 4)
    same = state.pop("same")
    assert same[0] is same[1] is state["marked"]
    assert_same(
        arrays(state),
        {
            "base": base,
            "slice": base[1:, ::2, 1:3],
            "transposed": base.transpose(2, 0, 1),
            "expanded": np.array([[1, 1, 1], [2, 2, 2]], "float32"),
            "scalar": np.array(3.5, "float32"),
            "element": base[1, 2, 3, None].reshape(()),
            "empty": np.zeros((0, 3), "float32"),
            "empty part": base[:, 3:],
            "conjugate": np.array([1j, 1, 2 - 2j], "complex64").conj(),
            "negative": np.array([-1, -0.0, 2], "float32"),
            "parameter": np.array([1, 2], "float32"),
            "frozen": np.array([1, 2]),
            "marked": np.ones(2, "float32"),
        },
    )


def test_tensors_have_memory_of_their_own(kind: str) -> None:
    state = recorded("views", kind)
    for name, tensor in state.items():
        if name != "same":
            assert type(tensor) is tg.Tensor
            assert not tensor.requires_grad
            assert tensor.data.flags.c_contiguous
            before = {other: array.copy() for other, array in arrays(state).items() if other not in ("same", name)}
            tensor.data[...] += 1
            assert_same({other: arrays(state)[other] for other in before}, before)


def test_containers_and_plain_values(kind: str) -> None:
    assert_same(
        recorded("containers", kind),
        {
            "ordered": {"b": 1, "a": 2},
            "counter": {4: 2},
            "groups": {"a": [1]},
            "keys": {1: "int", "1": "str", 2.5: "float", None: "none", (1, "a"): "tuple", b"b": "bytes"},
            "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
            "list": [[], [None, True, False]],
            "sets": [set(), {1, 2}, frozenset({"a"})],
            "numbers": [0, 255, 65535, -1, 2**31, -(2**63), 2**64, 10**40, 0.1, -0.0, float("inf"), 1 + 2j],
            "text": ["", "a", "ünï", "x" * 300],
            "bytes": [b"", b"\x00\xff", bytearray(b"abc")],
            "size": (2, 3),
            "devices": ["cpu", "cuda:1"],
            "scalars": [np.float64(0.5), np.float32(0.1), np.int64(3), np.bool_(True)],
            "arrays": [
                np.arange(6.0).reshape(2, 3),
                np.asfortranarray(np.arange(6).reshape(2, 3)),
                np.array(["a", "bc"]),
            ],
        },
    )


def test_what_python_2_wrote() -> None:
    """Text as bytes, and an OrderedDict made of pairs, as in the first files of torchvision."""
    program = b"\x80\2ccollections\nOrderedDict\n](]( U\6weightK\1e]( U\4biasK\2ee\x85R.".replace(b" ", b"")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", program)
    assert_same(loaded(file.getvalue()), {"weight": 1, "bias": 2})


def net() -> tg.nn.Module:
    nn = tg.nn
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))


def test_a_model_goes_on_where_pytorch_left_it(kind: str) -> None:
    checkpoint = recorded("training", kind)
    assert checkpoint["epoch"] == 3
    assert checkpoint["schedule"]["milestones"] == {1: 1, 4: 1}
    assert checkpoint["optimizer"]["param_groups"][0]["params"] == [0, 1, 2, 3, 4, 5]
    assert checkpoint["optimizer"]["state"][0]["exp_avg"].shape == (2, 1, 3, 3)
    model = net()
    assert model.load_state_dict(checkpoint["model"]) == ([], [])
    assert model[1].num_batches_tracked.item() == 2
    output = model.eval()(checkpoint["input"])
    np.testing.assert_allclose(output.numpy(), checkpoint["output"].numpy(), rtol=1e-5, atol=1e-6)


def test_a_checkpoint_of_more_than_a_model_says_which_part_to_load(kind: str) -> None:
    model = net()
    before = {name: tensor.numpy().copy() for name, tensor in model.state_dict().items()}
    with pytest.raises(tg.CheckpointError, match="its entry 'model' is a state that has these names: load that"):
        model.load_state_dict(recorded("training", kind))
    assert_same(arrays(model.state_dict()), before)


def test_what_was_read_can_be_saved(kind: str, tmp_path: Path) -> None:
    checkpoint = recorded("training", kind)
    tg.save(checkpoint, tmp_path / "x.npz")
    assert_same(tg.load(tmp_path / "x.npz"), checkpoint)
    tg.save(checkpoint["model"], tmp_path / "x.safetensors")
    assert set(tg.load(tmp_path / "x.safetensors")) == set(checkpoint["model"])


def test_devices(kind: str, device: str) -> None:
    state = tg.load(FILES / f"views.{kind}", device)
    assert {tensor.device for name, tensor in state.items() if name != "same"} == {device}
    assert state["slice"].tolist() == [[[13.0, 14.0], [21.0, 22.0]]]


def test_a_file_of_a_machine_with_the_other_order_of_bytes() -> None:
    """As PyTorch writes it there: the same archive, with the numbers in the storages the other way round."""
    units = {"float64": 8, "complex128": 8, "float16": 2, "complex32": 2, "bool": 1, "int32": 4}
    with zipfile.ZipFile(FILES / "elements.pt") as source:
        entries = {info.filename: source.read(info) for info in source.infolist()}
    names = list(recorded("elements", "pt")["plain"])
    for name, unit in units.items():
        place = f"elements/data/{names.index(name)}"
        entries[place] = np.frombuffer(entries[place], f"u{unit}").byteswap().tobytes()
    entries["elements/byteorder"] = b"big"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for name, content in entries.items():
            target.writestr(name, content)
    plain = loaded(file.getvalue())["plain"]
    for name in units:
        np.testing.assert_array_equal(plain[name].numpy(), np.arange(6).reshape(2, 3).astype(WIDENED.get(name, name)))
