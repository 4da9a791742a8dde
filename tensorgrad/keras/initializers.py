"""First values of weights, drawn by :mod:`tensorgrad.nn.init`. Shapes are Keras's: (..., in, out)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from tensorgrad.autograd import Tensor
from tensorgrad.keras.registry import Configured, made
from tensorgrad.nn import init
from tensorgrad.ops.creation import empty, eye
from tensorgrad.ops.shape import moveaxis, reshape
from tensorgrad.random import Generator

CUT = 0.87962566103423978
"""The standard deviation of the normal distribution cut at two standard deviations."""


class Initializer(Configured):
    """The base class: called with a shape and a dtype, it gives the values."""

    known: ClassVar[dict[str, type]] = {}

    def __init_subclass__(cls) -> None:
        if cls.__module__ == __name__ and not cls.__name__.startswith("_"):
            cls.known[cls.__name__] = cls

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} defines no __call__(shape, dtype).")


class _Constant(Initializer):
    value: float = 0.0

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        return init.constant_(empty(tuple(shape), dtype=dtype), self.value)


class Zeros(_Constant):
    """0 everywhere."""


class Ones(_Constant):
    """1 everywhere."""

    value = 1.0


class Constant(_Constant):
    """One value everywhere.

    Args:
        value: which.
    """

    def __init__(self, value: float = 0.0) -> None:
        self.value = value


class Identity(Initializer):
    """A matrix of zeros with ``gain`` on its diagonal.

    Args:
        gain: the number there.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        if len(shape) != 2:
            raise ValueError(f"Identity makes matrices, not shape {tuple(shape)}.")
        return eye(*shape, dtype=dtype) * self.gain


class _Random(Initializer):
    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    @property
    def generator(self) -> Generator | None:
        """One of its own with a seed, which gives the same values at each call; None for the default one."""
        return None if self.seed is None else Generator(int(self.seed))


class RandomUniform(_Random):
    """Uniform numbers.

    Args:
        minval: the least.
        maxval: above all of them.
        seed: of a generator of its own; None: the default one.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        return init.uniform_(empty(tuple(shape), dtype=dtype), self.minval, self.maxval, self.generator)


class RandomNormal(_Random):
    """Normal numbers.

    Args:
        mean: of the distribution.
        stddev: its standard deviation.
        seed: of a generator of its own; None: the default one.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        return init.normal_(empty(tuple(shape), dtype=dtype), self.mean, self.stddev, self.generator)


class TruncatedNormal(RandomNormal):
    """Normal numbers, none further from the mean than two standard deviations. Arguments as of RandomNormal."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        tensor, reach = empty(tuple(shape), dtype=dtype), 2 * self.stddev
        return init.trunc_normal_(tensor, self.mean, self.stddev, self.mean - reach, self.mean + reach, self.generator)


def fans(shape: Sequence[int]) -> tuple[float, float]:
    """How many inputs each output of a weight has, and how many outputs each input.

    Example:
        >>> fans((3, 3, 16, 32))
        (144, 288)
    """
    if len(shape) < 2:
        return (math.prod(shape),) * 2
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


class _Scaling(_Random):
    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "uniform"

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        inward, outward = fans(shape)
        fan = {"fan_in": inward, "fan_out": outward, "fan_avg": (inward + outward) / 2}[self.mode]
        std = math.sqrt(self.scale / max(fan, 1.0))
        tensor = empty(tuple(shape), dtype=dtype)
        if self.distribution == "uniform":
            bound = math.sqrt(3) * std
            return init.uniform_(tensor, -bound, bound, self.generator)
        if self.distribution == "untruncated_normal":
            return init.normal_(tensor, 0.0, std, self.generator)
        std /= CUT
        return init.trunc_normal_(tensor, 0.0, std, -2 * std, 2 * std, self.generator)


class VarianceScaling(_Scaling):
    """Numbers with the variance ``scale / fan``.

    Args:
        scale: a number above 0.
        mode: ``"fan_in"``, ``"fan_out"`` or ``"fan_avg"``: the number of inputs, of outputs, or their mean.
        distribution: ``"truncated_normal"`` (the same as ``"normal"``), ``"untruncated_normal"`` or ``"uniform"``.
        seed: of a generator of its own; None: the default one.

    Raises:
        ValueError: for other arguments.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        super().__init__(seed)
        if not scale > 0 or mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"VarianceScaling got scale={scale}, which is above 0, and mode={mode!r}.")
        if distribution not in ("normal", "truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(f"VarianceScaling has no distribution {distribution!r}.")
        self.scale, self.mode, self.distribution = scale, mode, distribution


class GlorotUniform(_Scaling):
    """Uniform numbers within ``sqrt(6 / (fan_in + fan_out))`` (Glorot and Bengio, 2010): Keras's usual first values.

    Args:
        seed: of a generator of its own; None: the default one.
    """

    mode = "fan_avg"


class GlorotNormal(GlorotUniform):
    """Truncated normal numbers with the same variance as :class:`GlorotUniform`."""

    distribution = "truncated_normal"


class HeUniform(_Scaling):
    """Uniform numbers within ``sqrt(6 / fan_in)`` (He et al., 2015), for ReLU. Argument as of GlorotUniform."""

    scale = 2.0


class HeNormal(HeUniform):
    """Truncated normal numbers with the same variance as :class:`HeUniform`."""

    distribution = "truncated_normal"


class LecunUniform(_Scaling):
    """Uniform numbers within ``sqrt(3 / fan_in)`` (LeCun et al., 1998), for SELU. Argument as of GlorotUniform."""


class LecunNormal(LecunUniform):
    """Truncated normal numbers with the same variance as :class:`LecunUniform`."""

    distribution = "truncated_normal"


class Orthogonal(_Random):
    """A random matrix with orthogonal rows or columns (Saxe et al., 2013); of more axes the first are one.

    Args:
        gain: the length of its rows or columns.
        seed: of a generator of its own; None: the default one.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Tensor:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal makes matrices, not shape {tuple(shape)}.")
        matrix = empty((shape[-1], math.prod(shape[:-1])), dtype=dtype)
        return reshape(moveaxis(init.orthogonal_(matrix, self.gain, self.generator), 0, -1), tuple(shape))


zeros, ones, constant = Zeros, Ones, Constant
random_uniform, random_normal, truncated_normal = RandomUniform, RandomNormal, TruncatedNormal
glorot_uniform, glorot_normal, he_uniform, he_normal = GlorotUniform, GlorotNormal, HeUniform, HeNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal
variance_scaling, orthogonal, identity = VarianceScaling, Orthogonal, Identity

KNOWN: dict[str, type] = {
    **Initializer.known,
    "zeros": Zeros,
    "zero": Zeros,
    "ones": Ones,
    "one": Ones,
    "constant": Constant,
    "uniform": RandomUniform,
    "normal": RandomNormal,
    "random_uniform": RandomUniform,
    "random_normal": RandomNormal,
    "truncated_normal": TruncatedNormal,
    "glorot_uniform": GlorotUniform,
    "glorot_normal": GlorotNormal,
    "he_uniform": HeUniform,
    "he_normal": HeNormal,
    "lecun_uniform": LecunUniform,
    "lecun_normal": LecunNormal,
    "variance_scaling": VarianceScaling,
    "orthogonal": Orthogonal,
    "identity": Identity,
}


def get(identifier: Any) -> Callable[..., Tensor]:
    """The initializer that a name, a configuration or a class stands for; functions ``f(shape, dtype)`` are taken too.

    Raises:
        ValueError: for an unknown name; lists the known ones.

    Example:
        >>> get("ones")((2, 3)).shape
        (2, 3)
    """
    initializer: Callable[..., Tensor] = made("initializer", identifier, KNOWN)
    return initializer
