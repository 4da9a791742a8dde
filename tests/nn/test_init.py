"""First values: their spread, their bounds, in place and counted."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import init

SHAPE = (64, 32, 3, 3)
FAN_IN, FAN_OUT = 32 * 9, 64 * 9

# The standard deviation of each.
SPREAD = {
    "uniform_": (lambda x: init.uniform_(x, -2, 4), 6 / math.sqrt(12)),
    "normal_": (lambda x: init.normal_(x, 1, 3), 3),
    "xavier_uniform_": (lambda x: init.xavier_uniform_(x, gain=2), 2 * math.sqrt(2 / (FAN_IN + FAN_OUT))),
    "xavier_normal_": (lambda x: init.xavier_normal_(x), math.sqrt(2 / (FAN_IN + FAN_OUT))),
    "kaiming_uniform_": (lambda x: init.kaiming_uniform_(x, nonlinearity="relu"), math.sqrt(2 / FAN_IN)),
    "kaiming_normal_": (lambda x: init.kaiming_normal_(x, mode="fan_out", nonlinearity="relu"), math.sqrt(2 / FAN_OUT)),
    "kaiming_slope": (lambda x: init.kaiming_normal_(x, a=math.sqrt(5)), math.sqrt(1 / (3 * FAN_IN))),
    "trunc_normal_": (lambda x: init.trunc_normal_(x, std=0.02), 0.02),
}


@pytest.mark.parametrize("name", SPREAD)
def test_spread(name: str, device: str) -> None:
    fill, spread = SPREAD[name]
    x = nn.Parameter(tg.zeros(SHAPE, device=device))
    array = x.data
    assert fill(x) is x
    assert x.data is array
    assert x.version == 1
    assert x.is_leaf
    assert x.requires_grad
    assert x.numpy().std() == pytest.approx(spread, rel=0.02)
    assert x.dtype == "float32"


def test_a_normal_distribution_that_is_cut() -> None:
    x = init.trunc_normal_(tg.zeros(20000, dtype="float64"), mean=1, std=2, a=0, b=2).numpy()
    assert x.min() >= 0
    assert x.max() <= 2
    # The density falls from the middle to the ends as that of the normal distribution does.
    middle, ends = (np.abs(x - 1) < 0.1).sum(), (np.abs(x - 1) > 0.9).sum()
    assert ends / middle == pytest.approx(math.exp(-(0.95**2) / 8), rel=0.1)
    assert init.trunc_normal_(tg.zeros(5), a=30, b=31).numpy().min() >= 30
    with pytest.raises(ValueError, match="std > 0 and a < b"):
        init.trunc_normal_(tg.zeros(5), a=1, b=0)


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (4, 2, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_orthogonal_rows_or_columns(shape: tuple, dtype: str, device: str) -> None:
    x = init.orthogonal_(tg.zeros(shape, dtype=dtype, device=device), gain=2)
    matrix = x.numpy().astype("float64").reshape(shape[0], -1)
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=2e-2 if dtype == "float16" else 1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_an_identity(dtype: str, device: str) -> None:
    for shape in ((3, 3), (2, 4), (4, 2), (0, 3)):
        x = init.eye_(tg.ones(shape, dtype=dtype, device=device))
        np.testing.assert_array_equal(x.numpy(), np.eye(*shape))
        assert x.dtype == dtype


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_convolution_that_changes_nothing(axes: int, groups: int, device: str) -> None:
    kind = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1]
    layer = kind(4, 4, 3, padding=1, groups=groups, bias=False).to(device)
    assert init.dirac_(layer.weight, groups) is layer.weight
    x = init.normal_(tg.zeros((2, 4) + (5,) * axes, device=device))
    np.testing.assert_array_equal(layer(x).numpy(), x.numpy())
    # More kernels than channels: those that are left over are 0.
    assert init.dirac_(tg.ones((5, 2, 2), device=device)).sum().item() == 2


def test_columns_with_zeros(device: str) -> None:
    x = init.sparse_(tg.ones((40, 30), device=device), 0.31, std=2.0).numpy()
    assert ((x == 0).sum(axis=0) == 13).all()
    assert len({tuple(column) for column in (x == 0).T}) == 30
    assert x[x != 0].std() == pytest.approx(2, rel=0.1)
    assert (init.sparse_(tg.ones((3, 2)), 1.0).numpy() == 0).all()


FILLS = {
    "constant": lambda x: init.constant_(x, 2.0),
    "dirac": init.dirac_,
    "eye": init.eye_,
    "kaiming": init.kaiming_normal_,
    "normal": init.normal_,
    "orthogonal": init.orthogonal_,
    "sparse": lambda x: init.sparse_(x, 0.5),
    "truncated": init.trunc_normal_,
    "uniform": init.uniform_,
}


@pytest.mark.parametrize("name", FILLS)
def test_a_bare_array_is_filled_as_a_tensor_is(name: str, device: str) -> None:
    layers = [nn.Conv1d(3, 3, 3) if name == "dirac" else nn.Linear(3, 4) for _ in range(2)]
    first, second = (layer.to(device) for layer in layers)
    tg.manual_seed(3)
    FILLS[name](first.weight)
    tg.manual_seed(3)
    FILLS[name](second.weight.data)
    np.testing.assert_array_equal(first.weight.numpy(), second.weight.numpy())


def test_filling_a_bare_array_is_noticed_by_the_graph() -> None:
    layer = nn.Linear(2, 2)
    out = layer(tg.ones((1, 2), requires_grad=True)).sum()
    init.normal_(layer.weight.data)
    with pytest.raises(tg.GradientError, match="normal_"):
        out.backward()


def test_nothing_to_fill() -> None:
    for fill in (init.orthogonal_, init.kaiming_uniform_, init.xavier_normal_, init.trunc_normal_):
        assert fill(tg.zeros((0, 3))).shape == (0, 3)


def test_constants() -> None:
    x = tg.ones(3)
    assert init.constant_(x, 2.5).tolist() == [2.5] * 3
    assert init.zeros_(x).tolist() == [0] * 3
    assert init.ones_(x).tolist() == [1] * 3


def test_a_generator_of_ones_own() -> None:
    first, second = (
        init.kaiming_uniform_(tg.zeros((3, 3)), generator=tg.random.Generator(7)).tolist() for _ in range(2)
    )
    assert first == second
    before = tg.random.get_rng_state()
    init.normal_(tg.zeros(3), generator=tg.random.Generator(7))
    assert tg.random.get_rng_state() == before


@pytest.mark.parametrize(
    ("name", "param", "gain"),
    [
        *((name, None, 1) for name in ("linear", "conv1d", "conv2d", "conv3d", "sigmoid")),
        *(("tanh", None, 5 / 3), ("relu", None, math.sqrt(2)), ("selu", None, 0.75)),
        *(("leaky_relu", None, math.sqrt(2 / 1.0001)), ("leaky_relu", 0.2, math.sqrt(2 / 1.04))),
    ],
)
def test_gains(name: str, param: float | None, gain: float) -> None:
    assert init.calculate_gain(name, param) == pytest.approx(gain)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: init.xavier_normal_(tg.zeros(3)), r"at least two axes .* shape \(3,\)"),
        (lambda: init.orthogonal_(tg.zeros(3)), "at least two axes"),
        (lambda: init.eye_(tg.zeros(3)), r"two axes, got shape \(3,\)"),
        (lambda: init.sparse_(tg.zeros((3, 3, 3)), 0.1), "two axes"),
        (lambda: init.sparse_(tg.zeros((3, 3)), 1.1), "sparsity is a part, between 0 and 1, got 1.1"),
        (lambda: init.dirac_(tg.zeros((3, 3))), "three to five axes"),
        (lambda: init.dirac_(tg.zeros((3, 3, 3)), 2), "groups=2 must divide the 3 output channels"),
        (lambda: init.kaiming_normal_(tg.zeros((3, 3)), mode="fan"), "mode is 'fan_in' or 'fan_out', not 'fan'"),
        (lambda: init.kaiming_normal_(tg.zeros((3, 3)), nonlinearity="rule"), "calculate_gain.. knows .* not 'rule'"),
    ],
)
def test_what_is_refused(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_a_graph_notices() -> None:
    weight = nn.Parameter(np.ones((2, 2)))
    loss = (tg.ones((1, 2), dtype="float64", requires_grad=True) @ weight).sum()
    init.zeros_(weight)
    with pytest.raises(tg.GradientError, match="by 'zeros_'"):
        loss.backward()
