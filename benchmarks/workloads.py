"""What is measured: each piece of work once, in terms of :class:`benchmarks.libraries.base.Library`.

A workload's ``build`` is given a library and returns the step that is timed. Weights and data come from one seed, so
that all libraries do the same.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks.libraries.base import Array, Library, Step

Arrays = Callable[[], Sequence[Array]]
"""Makes arrays when they are needed."""


class Workload(NamedTuple):
    """A piece of work.

    Attributes:
        name: what the command line and the table call it.
        title: what it is, in the table.
        build: makes the step.
        target: how long tensorgrad may take, as a multiple of PyTorch's time.
        flops: floating-point operations of a step's products and convolutions; 0 where they are not what counts.
        nbytes: bytes that a step has to read or write at least, every array once.
        trains: whether it is a step of training, which looks at a loss alone.
    """

    name: str
    title: str
    build: Callable[[Library], Step]
    target: float
    flops: float = 0.0
    nbytes: float = 0.0
    trains: bool = False


def _normal(*shape: int, seed: int = 0, scale: float = 1.0) -> Array:
    values = np.random.default_rng((seed, *shape)).standard_normal(shape, dtype=np.float32)
    values *= np.float32(scale)
    return values


def _weight(*shape: int) -> Array:
    return _normal(*shape, seed=1, scale=math.prod(shape[1:]) ** -0.5)


def _nothing() -> Sequence[Array]:
    return ()


def _gradients(function: Callable[..., Any], arrays: Arrays, constants: Arrays = _nothing) -> Callable[[Library], Step]:
    return lambda library: library.gradients(partial(function, library), arrays(), constants())


# -- training --------------------------------------------------------------------------------------------------


def _classifier(
    name: str,
    title: str,
    target: float,
    network: Callable[..., Any],
    parameters: Callable[[], dict[str, Array]],
    shape: Sequence[int],
    optimizer: str,
    flops: float,
) -> Workload:
    def build(library: Library) -> Step:
        labels = np.random.default_rng(2).integers(0, 10, shape[0])

        def loss(parameters, x, labels):
            return library.cross_entropy(network(library, parameters, x), labels)

        return library.training(loss, parameters(), (_normal(*shape), labels), optimizer)

    return Workload(name, title, build, target, flops, trains=True)


def _lenet(library: Library, p: Any, x: Any) -> Any:
    x = library.max_pool(library.relu(library.convolution(x, p["w1"], p["b1"])), 2, 2)
    x = library.max_pool(library.relu(library.convolution(x, p["w2"], p["b2"])), 2, 2)
    x = library.relu(library.linear(library.flatten(x), p["w3"], p["b3"]))
    return library.linear(x, p["w4"], p["b4"])


def _with_biases(*shapes: Sequence[int]) -> dict[str, Array]:
    parameters = {}
    for number, shape in enumerate(shapes, start=1):
        parameters[f"w{number}"] = _weight(*shape)
        parameters[f"b{number}"] = np.zeros(shape[0], dtype=np.float32)
    return parameters


LENET = partial(_with_biases, (32, 1, 5, 5), (64, 32, 5, 5), (256, 1024), (10, 256))


def _mlp(library: Library, p: Any, x: Any) -> Any:
    x = library.relu(library.linear(x, p["w1"], p["b1"]))
    x = library.relu(library.linear(x, p["w2"], p["b2"]))
    return library.linear(x, p["w3"], p["b3"])


MLP = partial(_with_biases, (256, 784), (256, 256), (10, 256))


def _resnet_parameters() -> dict[str, Array]:
    parameters: dict[str, Array] = {}

    def convolution(name: str, inputs: int, outputs: int, kernel: int) -> None:
        parameters[name] = _weight(outputs, inputs, kernel, kernel)
        parameters[f"{name}.scale"] = np.ones(outputs, dtype=np.float32)
        parameters[f"{name}.shift"] = np.zeros(outputs, dtype=np.float32)

    convolution("stem", 3, 16, 3)
    channels = 16
    for stage, width in enumerate((16, 32, 64)):
        for block in range(3):
            convolution(f"{stage}.{block}.1", channels, width, 3)
            convolution(f"{stage}.{block}.2", width, width, 3)
            if channels != width:
                convolution(f"{stage}.{block}.shortcut", channels, width, 1)
            channels = width
    return parameters | {"w": _weight(10, 64), "b": np.zeros(10, dtype=np.float32)}


def _resnet20(library: Library, p: Any, x: Any) -> Any:
    """He et al., *Deep residual learning for image recognition*, 2015, section 4.2; shortcuts of kind B."""

    def convolution(x: Any, name: str, stride: int = 1, padding: int = 1) -> Any:
        x = library.convolution(x, p[name], stride=stride, padding=padding)
        return library.batch_norm(x, p[f"{name}.scale"], p[f"{name}.shift"])

    x = library.relu(convolution(x, "stem"))
    for stage in range(3):
        for block in range(3):
            name = f"{stage}.{block}"
            stride = 2 if stage and not block else 1
            y = library.relu(convolution(x, f"{name}.1", stride))
            y = convolution(y, f"{name}.2")
            if stride == 2:
                x = convolution(x, f"{name}.shortcut", 2, 0)
            x = library.relu(x + y)
    return library.linear(library.mean_over_space(x), p["w"], p["b"])


def _lenet_flops(batch: int) -> float:
    first, others = 32 * 25 * 24 * 24, 64 * 32 * 25 * 8 * 8 + 256 * 1024 + 10 * 256
    # Nobody asks for the gradient of the images.
    return 2.0 * batch * (2 * first + 3 * others)


MLP_FLOPS = 2.0 * 128 * (2 * 784 * 256 + 3 * 256 * 266)
STAGE = 5 * 9 * 32**2 * 16**2
"""The multiplications of all but the first convolution of a stage of the ResNet; in each of the three the same."""
RESNET_FLOPS = 2.0 * 32 * (2 * 16 * 27 * 32**2 + 3 * (STAGE * 6 // 5 + 2 * (STAGE + (9 + 1) * 32 * 16 * 16**2)))

TRAINING = [
    _classifier("lenet-64", "LeNet step, batch 64", 0.9, _lenet, LENET, (64, 1, 28, 28), "sgd", _lenet_flops(64)),
    _classifier("lenet-256", "LeNet step, batch 256", 0.9, _lenet, LENET, (256, 1, 28, 28), "sgd", _lenet_flops(256)),
    _classifier(
        "resnet20", "ResNet-20 step, batch 32", 0.9, _resnet20, _resnet_parameters, (32, 3, 32, 32), "sgd", RESNET_FLOPS
    ),
    _classifier("mlp", "MLP 784-256-256-10 step, batch 128, Adam", 0.7, _mlp, MLP, (128, 784), "adam", MLP_FLOPS),
]

# -- many small ops, and large ones without products ---------------------------------------------------------------


def _additions(library: Library, x: Any) -> Any:
    for _ in range(1000):
        x = x * 0.999 + 0.001
    return x


def _products(library: Library, x: Any, y: Any) -> Any:
    for _ in range(500):
        y = library.tanh(y * x)
    return y


def _formula(library: Library, x: Any) -> Any:
    return library.tanh(x) * library.exp(-x * x) + library.sigmoid(x)


CHAINS = [
    Workload("chain-0d", "1000 multiply-adds of a 0-d number", _gradients(_additions, lambda: [_normal()]), 0.5),
    Workload(
        "chain-16x16",
        "500 times tanh(y * x), 16x16",
        _gradients(_products, lambda: [_normal(16, 16), _normal(16, 16)]),
        0.8,
    ),
    Workload(
        "formula",
        "tanh(x) exp(-x^2) + sigmoid(x), one million",
        _gradients(_formula, lambda: [_normal(1_000_000)]),
        0.8,
        nbytes=4 * 4e6,
    ),
]

# -- layers --------------------------------------------------------------------------------------------------------


def _convolution(
    name: str,
    target: float,
    x: Sequence[int],
    weight: Sequence[int],
    stride: int = 1,
    padding: int = 0,
    groups: int = 1,
) -> Workload:
    def function(library: Library, x: Any, weight: Any) -> Any:
        return library.convolution(x, weight, stride=stride, padding=padding, groups=groups)

    out = [(n + 2 * padding - k) // stride + 1 for n, k in zip(x[2:], weight[2:], strict=True)]
    products = x[0] * math.prod(weight) * math.prod(out)
    elements = math.prod(x) + math.prod(weight) + x[0] * weight[0] * math.prod(out)
    size, kernel = "x".join(map(str, x)), "x".join(map(str, weight[2:]))
    extras = f"{f', stride {stride}' if stride > 1 else ''}{f', {groups} groups' if groups > 1 else ''}"
    title = f"conv {size} -> {weight[0]}, {kernel}{extras}, and both gradients"
    build = _gradients(function, lambda: [_normal(*x), _weight(*weight)])
    return Workload(name, title, build, target, 6 * products, 3 * 4 * elements)


CONVOLUTIONS = [
    _convolution("conv-64-128", 0.7, (32, 64, 32, 32), (128, 64, 3, 3), padding=1),
    _convolution("conv-64-64", 0.7, (32, 64, 56, 56), (64, 64, 3, 3), padding=1),
    _convolution("conv-1-32", 1.0, (64, 1, 28, 28), (32, 1, 5, 5)),
    _convolution("conv-32-64", 1.0, (64, 32, 12, 12), (64, 32, 5, 5)),
    _convolution("conv-256-256", 1.0, (16, 256, 14, 14), (256, 256, 3, 3), padding=1),
    _convolution("conv-1x1", 1.0, (32, 128, 28, 28), (128, 128, 1, 1)),
    _convolution("conv-depthwise", 1.0, (32, 64, 28, 28), (64, 1, 3, 3), padding=1, groups=64),
    _convolution("conv-stride-2", 1.0, (32, 64, 56, 56), (128, 64, 3, 3), stride=2, padding=1),
    _convolution("conv-1d", 1.0, (16, 64, 1024), (64, 64, 9), padding=4),
]


def _layer(
    name: str, title: str, function: Any, elements: int, arrays: Arrays, constants: Arrays = _nothing
) -> Workload:
    """A layer that reads or writes so many elements forwards, and as many backwards."""
    return Workload(name, title, _gradients(function, arrays, constants), 1.0, nbytes=2 * 4 * elements)


IMAGES = (64, 64, 28, 28)
PIXELS = math.prod(IMAGES)

LAYERS = [
    _layer(
        "max-pool-2",
        "max pool 2x2, 64x64x28x28",
        lambda library, x: library.max_pool(x, 2, 2),
        PIXELS * 5 // 4,
        lambda: [_normal(*IMAGES)],
    ),
    _layer(
        "max-pool-3",
        "max pool 3x3, stride 2",
        lambda library, x: library.max_pool(x, 3, 2),
        PIXELS * 5 // 4,
        lambda: [_normal(*IMAGES)],
    ),
    _layer(
        "average-pool",
        "average pool 2x2",
        lambda library, x: library.average_pool(x, 2, 2),
        PIXELS * 5 // 4,
        lambda: [_normal(*IMAGES)],
    ),
    _layer(
        "batch-norm",
        "batch norm, 64x64x28x28",
        lambda library, *arrays: library.batch_norm(*arrays),
        PIXELS * 5 // 2,
        lambda: [_normal(*IMAGES), _normal(64), _normal(64, seed=1)],
    ),
    _layer(
        "cross-entropy",
        "softmax cross-entropy, 4096x1000",
        lambda library, *arrays: library.cross_entropy(*arrays),
        4096 * 1000 * 3 // 2,
        lambda: [_normal(4096, 1000)],
        lambda: [np.random.default_rng(3).integers(0, 1000, 4096)],
    ),
    _layer(
        "embedding",
        "embedding, 64x128 of 20000x256",
        lambda library, weight, indices: library.embedding(indices, weight),
        64 * 128 * 256 * 2 + 10_000 * 256,
        lambda: [_normal(20_000, 256)],
        lambda: [np.random.default_rng(4).integers(0, 20_000, (64, 128))],
    ),
    _layer(
        "lstm",
        "LSTM, 32 steps of 64x128 -> 256",
        lambda library, *arrays: library.lstm(*arrays),
        32 * 64 * 6 * 256,
        lambda: [_normal(32, 64, 128), _weight(1024, 128), _weight(1024, 256), _normal(1024), _normal(1024, seed=1)],
    )._replace(flops=3 * 2.0 * 32 * 64 * (128 + 256) * 1024),
    _layer(
        "layer-norm",
        "layer norm, 64x128x512",
        lambda library, *arrays: library.layer_norm(*arrays),
        64 * 128 * 512 * 5 // 2,
        lambda: [_normal(64, 128, 512), _normal(512), _normal(512, seed=1)],
    ),
]

WORKLOADS = {workload.name: workload for workload in (*TRAINING, *CHAINS, *CONVOLUTIONS, *LAYERS)}

# -- with a size, for benchmarks.scaling ---------------------------------------------------------------------------


def _batch(size: int) -> Workload:
    title, images = f"LeNet step, batch {size}", (size, 1, 28, 28)
    return _classifier("batch", title, 1.0, _lenet, LENET, images, "sgd", _lenet_flops(size))


def _graph(size: int) -> Workload:
    def function(library: Library, x: Any) -> Any:
        # The second factor undoes the first, or after 90,000 of them nothing would be left but subnormal numbers.
        for _ in range(size // 2):
            x = x * 0.999
            x = x * 1.001
        return x

    return Workload("graph", f"{size} multiplications of a 0-d number", _gradients(function, lambda: [_normal()]), 1.0)


def _parameters(size: int) -> Workload:
    def network(library: Library, p: Any, x: Any) -> Any:
        return library.linear(x, p["w1"], p["b1"])

    title, parameters = f"step of a linear layer {size} -> {size}, batch 32", partial(_with_biases, (size, size))
    workload = _classifier("parameters", title, 1.0, network, parameters, (32, size), "sgd", 2.0 * 2 * 32 * size**2)
    # The weights are read forwards, their gradient is written; weights, gradient and velocity are read to step, and
    # the weights and the velocity written.
    return workload._replace(nbytes=7.0 * 4 * size**2)


def _shape(number: int) -> Workload:
    """A convolution of a random shape, in one or two dimensions."""
    rng = np.random.default_rng((5, number))
    d, kernel = int(rng.integers(1, 3)), int(rng.choice([1, 2, 3, 3, 3, 5, 7]))
    groups = int(rng.choice([1, 1, 1, 1, 2, 4]))
    inputs, outputs = (groups * int(2 ** rng.uniform(1, 7) // groups + 1) for _ in range(2))
    spatial = [int(n) for n in 2 ** rng.uniform(3, 6, d)]
    batch = max(1, int(2**21 // (max(inputs, outputs) * math.prod(spatial))) // 2 ** int(rng.integers(0, 5)))
    return _convolution(
        "shape",
        1.0,
        (batch, inputs, *(n + kernel for n in spatial)),
        (outputs, inputs // groups, *(kernel,) * d),
        stride=int(rng.choice([1, 1, 1, 2])),
        padding=int(rng.integers(0, kernel)),
        groups=groups,
    )


def _product(size: int) -> Workload:
    """NumPy's own, whatever the library."""

    def build(library: Library) -> Step:
        x, y = _normal(size, size), _normal(size, size, seed=1)
        return lambda: np.matmul(x, y)

    return Workload("product", f"product {size}x{size}", build, 1.0, flops=2.0 * size**3)


def _copy(size: int) -> Workload:
    """NumPy's own, of so many MiB, on all the threads that a worker is given."""

    def build(library: Library) -> Step:
        threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
        source = np.ones(size * 2**18, dtype=np.float32)
        pairs = list(zip(np.array_split(np.empty_like(source), threads), np.array_split(source, threads)))
        pool = ThreadPoolExecutor(threads)
        return lambda: list(pool.map(lambda pair: np.copyto(*pair), pairs))

    return Workload("copy", f"copy of {size} MiB", build, 1.0, nbytes=2.0 * 2**20 * size)


SIZED: dict[str, Callable[[int], Workload]] = {
    "batch": _batch,
    "channels": lambda size: _convolution("channels", 1.0, (8, size, 28, 28), (size, size, 3, 3), padding=1),
    "image": lambda size: _convolution("image", 1.0, (4, 32, size, size), (32, 32, 3, 3), padding=1),
    "graph": _graph,
    "parameters": _parameters,
    "shape": _shape,
    "product": _product,
    "copy": _copy,
}

TINY = ("scaling:channels:1", "scaling:parameters:16", "scaling:graph:10")
"""What is done before memory is looked at, so that code that is loaded when it is first needed does not count."""


def find(name: str) -> Workload:
    """The workload of a name, or of ``scaling:NAME:SIZE``."""
    if not name.startswith("scaling:"):
        return WORKLOADS[name]
    _, kind, size = name.split(":")
    return SIZED[kind](int(size))._replace(name=name)
