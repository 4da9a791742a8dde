"""Records checkpoints as PyTorch writes them, for ``tests/serialization`` to read.

Run by hand: ``python scripts/record_pytorch_checkpoints.py`` (needs torch). Each is written twice: in today's format,
and in the older one (``.legacy.pt``). What is in them is told again, in NumPy, by
``tests/serialization/test_pytorch.py``.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

TARGET = Path(__file__).resolve().parents[1] / "tests" / "serialization" / "files"
PLAIN = (
    *("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("bool", "complex64", "complex128", "complex32", "bfloat16"),
)
FLOATS8 = ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu")


def elements() -> dict[str, Any]:
    """Every type of elements; of the 8-bit ones every code, and what PyTorch says that it is."""
    codes = torch.arange(256).to(torch.uint8)
    counted = torch.arange(6.0).reshape(2, 3)
    return {
        "plain": {name: counted.to(getattr(torch, name)) for name in PLAIN},
        "floats8": {
            name: (codes.view(getattr(torch, name)), codes.view(getattr(torch, name)).float()) for name in FLOATS8
        },
        "dtypes": [getattr(torch, name) for name in (*PLAIN, *FLOATS8)],
    }


def views() -> dict[str, Any]:
    """Tensors that are parts of their storage, in all ways."""
    base = torch.arange(24.0).reshape(2, 3, 4)
    numbers = torch.complex(torch.arange(3.0), torch.tensor([1.0, 0.0, -2.0]))
    marked = torch.ones(2)
    marked.note = "an attribute"
    return {
        "base": base,
        "slice": base[1:, ::2, 1:3],
        "transposed": base.permute(2, 0, 1),
        "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 3),
        "scalar": torch.tensor(3.5),
        "element": base[1, 2, 3],
        "empty": torch.zeros(0, 3),
        "empty part": base[:, 3:],
        "conjugate": numbers.conj(),
        "negative": numbers.clone().conj().imag,
        "parameter": torch.nn.Parameter(torch.tensor([1.0, 2.0])),
        "frozen": torch.nn.Parameter(torch.tensor([1, 2]), requires_grad=False),
        "marked": marked,
        "same": [marked, marked],
    }


def containers() -> dict[str, Any]:
    """What else a checkpoint has."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    groups["a"].append(1)
    return {
        "ordered": OrderedDict([("b", 1), ("a", 2)]),
        "counter": Counter({4: 2}),
        "groups": groups,
        "keys": {1: "int", "1": "str", 2.5: "float", None: "none", (1, "a"): "tuple", b"b": "bytes"},
        "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
        "list": [[], [None, True, False]],
        "sets": [set(), {1, 2}, frozenset({"a"})],
        "numbers": [0, 255, 65535, -1, 2**31, -(2**63), 2**64, 10**40, 0.1, -0.0, float("inf"), 1 + 2j],
        "text": ["", "a", "ünï", "x" * 300],
        "bytes": [b"", b"\x00\xff", bytearray(b"abc")],
        "size": torch.Size([2, 3]),
        "devices": [torch.device("cpu"), torch.device("cuda", 1)],
        "scalars": [np.float64(0.5), np.float32(0.1), np.int64(3), np.bool_(True)],
        "arrays": [np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3)), np.array(["a", "bc"])],
    }


def training() -> dict[str, Any]:
    """A model, its optimizer and its schedule, after two steps, and what the model makes of an input."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(8, 2)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1, 4])
    x = torch.randn(3, 1, 4, 4)
    for _ in range(2):
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()
        schedule.step()
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}
    return {**state, "epoch": 3, "input": x, "output": model.eval()(x)}


def main() -> None:
    """Writes the files."""
    TARGET.mkdir(exist_ok=True)
    for make in (elements, views, containers, training):
        values = make()
        torch.save(values, TARGET / f"{make.__name__}.pt")
        torch.save(values, TARGET / f"{make.__name__}.legacy.pt", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
