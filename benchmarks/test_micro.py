"""Single ops, timed by pytest-benchmark: ``pytest benchmarks/test_micro.py -n 0`` (the extra ``benchmarks``).

``--benchmark-save=NAME`` and ``--benchmark-compare=NAME`` are of use before and after a change.
"""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import kernels

pytest.importorskip("pytest_benchmark")

NUMBER = tg.tensor(np.float32(0.5).reshape(()), requires_grad=True)
SMALL = tg.tensor(np.full((16, 16), 0.5, dtype="float32"), requires_grad=True)
LARGE = tg.tensor(np.full((1000, 1000), 0.5, dtype="float32"), requires_grad=True)


@pytest.mark.parametrize("x", [NUMBER, SMALL, LARGE], ids=["0-d", "16x16", "1000x1000"])
@pytest.mark.parametrize(
    "function", [lambda x: x * 0.999, lambda x: x + x, tg.tanh, tg.relu], ids=["multiply", "add", "tanh", "relu"]
)
class TestOps:
    def test_forward(self, benchmark, function, x):
        benchmark(function, x)

    def test_without_a_graph(self, benchmark, function, x):
        with tg.no_grad():
            benchmark(function, x)

    def test_backward(self, benchmark, function, x):
        out, seed = function(x), tg.ones_like(x)
        benchmark(lambda: tg.grad(out, x, seed, retain_graph=True))


@pytest.mark.parametrize("algorithm", ["columns", "winograd"])
@pytest.mark.parametrize("what", kernels.plan((1, 1, 3, 3), (1, 1, 3, 3))._fields)
@pytest.mark.parametrize(
    ("x", "weight"), [((32, 16, 32, 32), (16, 16, 3, 3)), ((32, 64, 32, 32), (128, 64, 3, 3))], ids=["small", "large"]
)
def test_convolutions(benchmark, algorithm, what, x, weight):
    family = kernels.of(np.zeros(1))
    options = {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
    y = np.ones((x[0], weight[0], *x[2:]), dtype="float32")
    inputs, weights = np.ones(x, dtype="float32"), np.ones(weight, dtype="float32")
    calls = {
        "convolution": lambda: family.convolution(inputs, weights, **options),
        "convolution_input": lambda: family.convolution_input(y, weights, spatial=x[2:], **options),
        "convolution_weight": lambda: family.convolution_weight(inputs, y, kernel=weight[2:], **options),
    }
    with kernels.use(convolution=algorithm):
        benchmark(calls[what])
