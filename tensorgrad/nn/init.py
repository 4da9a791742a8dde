"""First values for parameters, put into them in place. Nothing here is recorded.

All draw from the default generator (see :func:`tensorgrad.manual_seed`) unless another is given, so that one seed
gives the same values on every device. A bare array is filled as a Tensor is: ``normal_(layer.weight.data)`` works, too.
"""

from __future__ import annotations

import math
from typing import Any

from tensorgrad import backend
from tensorgrad.autograd import Tensor, versions
from tensorgrad.ops.special import erfinv
from tensorgrad.random import Generator, choose_generator

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]


def _bare(tensor: Tensor) -> Any:
    """The array to fill: NumPy's arrays have a ``data``, too, which is another thing."""
    return tensor.data if isinstance(tensor, Tensor) else tensor


def _device(tensor: Tensor) -> str:
    return backend.device_of(_bare(tensor))


def _put(tensor: Tensor, values: Any, by: str) -> Tensor:
    array = _bare(tensor)
    array[...] = values
    versions.mark(array, by)
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform numbers from ``a`` to ``b``.

    Args:
        tensor: floating point, of any shape; it is changed and returned.
        a: the least.
        b: above all of them.
        generator: where the numbers come from.

    Example:
        >>> x = tg.nn.init.uniform_(tg.zeros(100), -1, 1)
        >>> bool((x >= -1).all() and (x < 1).all())
        True
    """
    return _put(
        tensor, choose_generator(generator).uniform(tensor.shape, tensor.dtype, _device(tensor), a, b), "uniform_"
    )


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal numbers with that mean and standard deviation; other arguments as of :func:`uniform_`."""
    values = choose_generator(generator).normal(tensor.shape, tensor.dtype, _device(tensor), mean, std)
    return _put(tensor, values, "normal_")


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Normal numbers, none of them outside ``a`` to ``b``: a uniform number is taken through the inverse distribution.

    Args:
        tensor: floating point, of any shape; it is changed and returned.
        mean: of the distribution that is cut.
        std: its standard deviation, above 0.
        a: the least number.
        b: the greatest.
        generator: where the numbers come from.

    Example:
        >>> x = tg.nn.init.trunc_normal_(tg.zeros(100), std=0.02, a=-0.04, b=0.04)
        >>> float(abs(x).max()) <= 0.04
        True
    """
    if not (std > 0 and a < b):
        raise ValueError(f"trunc_normal_() needs std > 0 and a < b, got std={std}, a={a}, b={b}.")
    low, high = (math.erf((bound - mean) / (std * math.sqrt(2))) for bound in (a, b))
    levels = choose_generator(generator).uniform(tensor.shape, "float64", _device(tensor), low, high)
    xp = backend.namespace(levels)
    values = mean + std * math.sqrt(2) * erfinv(levels)
    return _put(tensor, xp.clip(values, a, b), "trunc_normal_")


def constant_(tensor: Tensor, val: float) -> Tensor:
    """``val`` everywhere; the tensor is changed and returned."""
    return _put(tensor, val, "constant_")


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere; the tensor is changed and returned."""
    return _put(tensor, 0, "zeros_")


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere; the tensor is changed and returned."""
    return _put(tensor, 1, "ones_")


def eye_(tensor: Tensor) -> Tensor:
    """The identity: a layer with this weight gives back what comes in, or as much of it as goes in.

    Args:
        tensor: shape (rows, columns); it is changed and returned.

    Raises:
        ValueError: if it has not two axes.

    Example:
        >>> tg.nn.init.eye_(tg.zeros((2, 3))).tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    if tensor.ndim != 2:
        raise ValueError(f"eye_() takes a tensor with two axes, got shape {tensor.shape}.")
    rows, columns = tensor.shape
    return _put(tensor, backend.namespace(_bare(tensor)).eye(rows, columns, dtype=tensor.dtype), "eye_")


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Kernels that are 1 in the middle, each of the channel with its own number: a convolution that changes nothing.

    Args:
        tensor: a weight, shape (out_channels, in_channels / groups, *kernel); it is changed and returned.
        groups: each group's channels are passed on by its own kernels.

    Raises:
        ValueError: unless the kernel has one to three axes, and ``groups`` divides the output channels.

    Example:
        >>> layer = tg.nn.Conv1d(2, 2, 3, padding="same", bias=False)
        >>> _ = tg.nn.init.dirac_(layer.weight)
        >>> layer(tg.tensor([[[1.0, 2.0], [3.0, 4.0]]])).tolist()
        [[[1.0, 2.0], [3.0, 4.0]]]
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(f"dirac_() takes a weight (out, in, *kernel) with three to five axes, got {tensor.shape}.")
    if groups < 1 or tensor.shape[0] % groups:
        raise ValueError(f"dirac_(): groups={groups} must divide the {tensor.shape[0]} output channels.")
    zeros_(tensor)
    array = _bare(tensor)
    each = tensor.shape[0] // groups
    middle = tuple(length // 2 for length in tensor.shape[2:])
    for group in range(groups):
        for channel in range(min(each, tensor.shape[1])):
            array[(group * each + channel, channel, *middle)] = 1
    versions.mark(array, "dirac_")
    return tensor


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """How much wider weights must be before this nonlinearity, for the variance to stay the same.

    Args:
        nonlinearity: ``"linear"``, ``"conv1d"``, ``"conv2d"``, ``"conv3d"``, ``"sigmoid"``: 1; ``"tanh"``: 5/3;
            ``"relu"``: sqrt(2); ``"leaky_relu"``: sqrt(2 / (1 + slope**2)); ``"selu"``: 3/4.
        param: the negative slope of ``"leaky_relu"``, 0.01 by default.

    Raises:
        ValueError: for another name.

    Example:
        >>> round(tg.nn.init.calculate_gain("relu"), 3)
        1.414
    """
    slope = 0.01 if param is None else param
    gains = {
        "sigmoid": 1.0,
        "tanh": 5 / 3,
        "relu": math.sqrt(2),
        "leaky_relu": math.sqrt(2 / (1 + slope**2)),
        "selu": 0.75,
    }
    gains.update(dict.fromkeys(("linear", "conv1d", "conv2d", "conv3d"), 1.0))
    if nonlinearity not in gains:
        raise ValueError(f"calculate_gain() knows {', '.join(sorted(gains))}, not {nonlinearity!r}.")
    return gains[nonlinearity]


def fans(tensor: Tensor) -> tuple[int, int]:
    """How many inputs each output of a weight has, and how many outputs each input.

    Args:
        tensor: shape (out, in, *kernel).

    Raises:
        ValueError: if it has fewer than two axes.
    """
    if tensor.ndim < 2:
        raise ValueError(f"a weight has at least two axes (out, in, ...), this tensor has shape {tensor.shape}.")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform numbers from -bound to bound, ``bound = gain * sqrt(6 / (fan_in + fan_out))``.

    Source: Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural networks*, 2010.

    Args:
        tensor: a weight, shape (out, in, *kernel); it is changed and returned.
        gain: see :func:`calculate_gain`.
        generator: where the numbers come from.
    """
    bound = gain * math.sqrt(6 / max(sum(fans(tensor)), 1))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal numbers with ``std = gain * sqrt(2 / (fan_in + fan_out))``; as :func:`xavier_uniform_`."""
    return normal_(tensor, 0.0, gain * math.sqrt(2 / max(sum(fans(tensor)), 1)), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform numbers from -bound to bound, ``bound = gain * sqrt(3 / fan)``.

    Source: He et al., *Delving deep into rectifiers*, 2015.

    Args:
        tensor: a weight, shape (out, in, *kernel); it is changed and returned.
        a: the negative slope, for ``"leaky_relu"``.
        mode: ``"fan_in"`` keeps the variance forward, ``"fan_out"`` backward.
        nonlinearity: see :func:`calculate_gain`.
        generator: where the numbers come from.

    Raises:
        ValueError: for another mode or nonlinearity, or a tensor with fewer than two axes.
    """
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal numbers with ``std = gain / sqrt(fan)``; as :func:`kaiming_uniform_`."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode is 'fan_in' or 'fan_out', not {mode!r}.")
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """A random matrix whose rows (or columns, if there are fewer) are orthogonal, times ``gain``.

    Source: Saxe, McClelland and Ganguli, *Exact solutions to the nonlinear dynamics of learning*, 2013.

    Args:
        tensor: shape (rows, ...), seen as a matrix; it is changed and returned.
        gain: see :func:`calculate_gain`.
        generator: where the numbers come from.

    Raises:
        ValueError: if the tensor has fewer than two axes.

    Example:
        >>> w = tg.nn.init.orthogonal_(tg.zeros((3, 5)))
        >>> abs((w @ w.T).numpy().round(5))
        array([[1., 0., 0.],
               [0., 1., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    fans(tensor)
    if not tensor.size:
        return tensor
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    dtype = "float32" if tensor.dtype == "float16" else tensor.dtype
    random = choose_generator(generator).normal((max(rows, columns), min(rows, columns)), dtype, _device(tensor))
    xp = backend.namespace(random)
    q, r = xp.linalg.qr(random)
    # With these signs all orthogonal matrices are equally likely.
    q = q * xp.sign(xp.diagonal(r))
    q = q.T if rows < columns else q
    return _put(tensor, gain * q.reshape(tensor.shape), "orthogonal_")


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Normal numbers around 0, but for a part of each column, which is 0.

    Source: Martens, *Deep learning via Hessian-free optimization*, 2010.

    Args:
        tensor: shape (rows, columns); it is changed and returned.
        sparsity: which part of each column is 0, in [0, 1]; rounded up to whole elements.
        std: the standard deviation of the others.
        generator: where the numbers come from.

    Raises:
        ValueError: if the tensor has not two axes, or ``sparsity`` is out of range.

    Example:
        >>> w = tg.nn.init.sparse_(tg.zeros((10, 3)), sparsity=0.25)
        >>> (w == 0).sum(axis=0).tolist()
        [3, 3, 3]
    """
    if tensor.ndim != 2:
        raise ValueError(f"sparse_() takes a tensor with two axes, got shape {tensor.shape}.")
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparsity is a part, between 0 and 1, got {sparsity}.")
    generator = choose_generator(generator)
    values = generator.normal(tensor.shape, tensor.dtype, _device(tensor), 0.0, std)
    levels = generator.uniform(tensor.shape, "float64", _device(tensor), 0.0, 1.0)
    xp = backend.namespace(values)
    places = xp.argsort(xp.argsort(levels, axis=0), axis=0)
    kept = places >= math.ceil(sparsity * tensor.shape[0])
    return _put(tensor, xp.where(kept, values, xp.zeros_like(values)), "sparse_")
