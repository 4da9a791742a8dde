"""Random numbers: one generator, the same numbers on every device.

The bits come from :mod:`tensorgrad.philox`; a generator is a key and a position. NumPy's global generator is never
asked for a number and never changed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from tensorgrad import backend, philox
from tensorgrad.autograd import modes
from tensorgrad.autograd.conversion import as_dtype
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.backend import Array

__all__ = [
    "Generator",
    "bernoulli",
    "get_rng_state",
    "manual_seed",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "set_rng_state",
    "uniform",
]

Shape = int | tuple[int, ...]


class Generator:
    """A source of random numbers that can be set to a seed, saved, and put back.

    Its methods give bare arrays (on ``device="cuda"`` CuPy's, computed there) and may be called from several
    threads. Generators of one seed give the same numbers on every device.

    Args:
        seed: an integer of any size, not negative; by default the operating system's entropy.

    Raises:
        TypeError: if the seed is no integer.
        ValueError: if it is negative.

    Example:
        >>> generator = Generator(seed=1)
        >>> generator.integers(0, 10, 5)
        array([0, 0, 0, 8, 2])
        >>> generator.get_state()
        {'seed': 1, 'offset': 5}
    """

    _key: philox.Key | None

    def __init__(self, seed: int | None = None) -> None:
        self._lock = threading.Lock()
        self.manual_seed(_entropy() if seed is None else seed)

    def manual_seed(self, seed: int) -> Generator:
        """Starts again from ``seed``; returns the generator itself."""
        self.set_state({"seed": seed, "offset": 0})
        return self

    def seed(self) -> int:
        """Starts again from a seed of the operating system's entropy, and returns it."""
        seed = _entropy()
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed that the generator was last set to."""
        return self._seed

    def get_state(self) -> dict[str, int]:
        """The whole state: ``seed``, and ``offset``, the number of 64-bit words used since then."""
        with self._lock:
            return {"seed": self._seed, "offset": self._offset}

    def set_state(self, state: Mapping[str, int]) -> None:
        """Goes back, or on, to what :meth:`get_state` gave.

        Raises:
            ValueError: if it is not a mapping with a ``seed`` and an ``offset``, neither negative.
        """
        if not isinstance(state, Mapping) or set(state) != {"seed", "offset"}:
            raise ValueError(
                f"a generator's state is a dict with 'seed' and 'offset', as of get_state(); got {state!r}."
            )
        seed, offset = philox.checked_seed(state["seed"]), philox.checked_seed(state["offset"])
        with self._lock:
            self._seed, self._offset, self._key = seed, offset, None

    def uniform(
        self, shape: Shape, dtype: Any = np.float32, device: str = "cpu", low: float = 0.0, high: float = 1.0
    ) -> Array:
        """Uniform numbers in [low, high).

        Args:
            shape: the shape of the result.
            dtype: float16, float32 or float64.
            device: where the numbers are computed and stay.
            low: the least.
            high: above all of them; not below ``low``.

        Raises:
            ValueError: if ``high`` is below ``low``, or one of them is not finite.
        """
        low, high = float(low), float(high)
        width = high - low
        if not 0.0 <= width < float("inf"):
            raise ValueError(f"expected finite numbers low <= high for uniform numbers, got low={low}, high={high}.")
        numbers = self._draw(philox.uniform, shape, dtype, device=device)
        if width != 1.0 or low != 0.0:
            numbers *= width
            numbers += low
            # Rounding can carry the sum up to high, which is not to be among the numbers.
            top = np.nextafter(numbers.dtype.type(high), numbers.dtype.type(low))
            backend.namespace(numbers).minimum(numbers, float(top), out=numbers)
        return numbers

    def normal(
        self, shape: Shape, dtype: Any = np.float32, device: str = "cpu", mean: float = 0.0, std: float = 1.0
    ) -> Array:
        """Normal numbers.

        Args:
            shape: the shape of the result.
            dtype: float16, float32 or float64.
            device: where the numbers are computed and stay.
            mean: their expectation.
            std: their standard deviation, not negative.
        """
        if not std >= 0.0:
            raise ValueError(f"a standard deviation is 0 or greater, got {std}.")
        numbers = self._draw(philox.normal, shape, dtype, device=device)
        if std != 1.0:
            numbers *= std
        if mean != 0.0:
            numbers += mean
        return numbers

    def integers(self, low: int, high: int, shape: Shape = (), dtype: Any = np.int64, device: str = "cpu") -> Array:
        """Integers from ``low`` to ``high - 1``, all equally likely (to one part in 2**32)."""
        return self._draw(philox.integers, low, high, shape, dtype, device=device)

    def permutation(self, n: int, device: str = "cpu") -> Array:
        """The integers from 0 to ``n - 1`` in random order, as int64."""
        return self._draw(philox.permutation, n, device=device)

    def bernoulli(self, p: float, shape: Shape, device: str = "cpu") -> Array:
        """Booleans, each true with probability ``p``."""
        return self._draw(philox.bernoulli, p, shape, device=device)

    def _draw(self, sample: Callable[..., tuple[Array, int]], *arguments: Any, device: str) -> Array:
        device = backend.canonical_device(device)
        xp = backend.for_device(device).xp
        with self._lock:
            if self._key is None:  # not before it is needed: NumPy loads what derives it when it is first used
                self._key = philox.derive_key(self._seed)
            array, used = sample(*arguments, self._key, self._offset, xp)
            self._offset += used
        return backend.transfer(array, device)

    # A lock cannot be copied: copies and pickles of a generator have its state, and a lock of their own.
    def __getstate__(self) -> dict[str, int]:
        return self.get_state()

    def __setstate__(self, state: Mapping[str, int]) -> None:
        self._lock = threading.Lock()
        self.set_state(state)

    def __repr__(self) -> str:
        return f"Generator(seed={self._seed}, offset={self._offset})"


def _entropy() -> int:
    return int.from_bytes(os.urandom(8), "little")


default_generator = Generator()
"""Where all random numbers come from for which no other generator was named."""


class _Thread(threading.local):
    generator: Generator | None = None


_thread = _Thread()


def current_generator() -> Generator:
    """The generator that is asked where no other was named: this thread's own for now, or the default one."""
    return _thread.generator or default_generator


# Before every call that detect_anomaly() remembers: so that it can be repeated with the same numbers.
modes.randomness = lambda: current_generator().get_state()


@contextmanager
def use_generator(generator: Generator) -> Iterator[None]:
    """Draws from ``generator`` in place of the default one, in this thread, for the length of a block."""
    before, _thread.generator = _thread.generator, generator
    try:
        yield
    finally:
        _thread.generator = before


def choose_generator(seed: int | Generator | None) -> Generator:
    """A new generator for a seed, a generator itself, or for None the current generator."""
    if isinstance(seed, Generator):
        return seed
    return current_generator() if seed is None else Generator(seed)


def manual_seed(seed: int) -> Generator:
    """Sets the default generator to ``seed`` and returns it: from here on, every run draws the same numbers.

    Example:
        >>> import tensorgrad as tg
        >>> _ = tg.manual_seed(0)
        >>> tg.rand(3)
        Tensor([0.13562292, 0.01406699, 0.9377324 ], dtype=float32, device='cpu')
    """
    return default_generator.manual_seed(seed)


def get_rng_state() -> dict[str, int]:
    """The state of the default generator: a dict of two integers, fit for JSON.

    Example:
        >>> generator = manual_seed(7)
        >>> get_rng_state()
        {'seed': 7, 'offset': 0}
    """
    return default_generator.get_state()


def set_rng_state(state: Mapping[str, int]) -> None:
    """Puts the default generator back where :func:`get_rng_state` found it.

    Example:
        >>> state = get_rng_state()
        >>> first = rand(3)
        >>> set_rng_state(state)
        >>> first.tolist() == rand(3).tolist()
        True
    """
    default_generator.set_state(state)


def rand(
    *size: Any,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Uniform numbers in [0, 1).

    Args:
        size: the shape, as integers or as one tuple.
        dtype: float16, float32 (the default) or float64.
        device: where to make them; the CPU by default.
        requires_grad: whether gradients with respect to the result are wanted.
        generator: where the numbers come from; the default generator if not given.

    Returns:
        A Tensor of that shape.

    Example:
        >>> import tensorgrad as tg
        >>> tg.rand(2, 3).shape
        (2, 3)
    """
    return uniform(0.0, 1.0, _size(size), dtype, device, requires_grad, generator)


def randn(
    *size: Any,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Normal numbers with mean 0 and variance 1; the arguments are those of :func:`rand`.

    Example:
        >>> import tensorgrad as tg
        >>> tg.randn((2, 3), dtype="float64").dtype
        dtype('float64')
    """
    return normal(0.0, 1.0, _size(size), dtype, device, requires_grad, generator)


def uniform(
    low: float = 0.0,
    high: float = 1.0,
    size: Shape = (),
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Uniform numbers in [low, high); the other arguments are those of :func:`rand`.

    Example:
        >>> import tensorgrad as tg
        >>> bool((tg.uniform(-1.0, 1.0, size=100) < 1.0).all())
        True
    """
    array = choose_generator(generator).uniform(size, _float(dtype), device or "cpu", low, high)
    return Tensor(array, requires_grad=requires_grad)


def normal(
    mean: float = 0.0,
    std: float = 1.0,
    size: Shape = (),
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Normal numbers with that mean and standard deviation; the other arguments are those of :func:`rand`.

    Example:
        >>> import tensorgrad as tg
        >>> tg.normal(5.0, 0.1, size=(2, 2)).shape
        (2, 2)
    """
    array = choose_generator(generator).normal(size, _float(dtype), device or "cpu", mean, std)
    return Tensor(array, requires_grad=requires_grad)


def randint(
    low: int,
    high: int | Shape | None = None,
    size: Shape | None = None,
    dtype: Any = None,
    device: str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Integers from ``low`` to ``high - 1``, all equally likely.

    As in PyTorch, with one bound alone it is the upper one: ``randint(10, (2, 3))`` or ``randint(10, size=(2, 3))``.

    Args:
        low: the least, or with no ``high`` one more than the greatest.
        high: one more than the greatest.
        size: the shape; one number (a 0-d Tensor) by default.
        dtype: an integer dtype, int64 by default.
        device: where to make them; the CPU by default.
        generator: where the numbers come from; the default generator if not given.

    Example:
        >>> import tensorgrad as tg
        >>> tg.randint(0, 10, (2, 3)).dtype
        dtype('int64')
    """
    if isinstance(high, (tuple, list)):
        if size is not None:
            raise TypeError(f"randint got two sizes, {high!r} and {size!r}; high is an integer.")
        size, high = tuple(high), None
    if high is None:
        low, high = 0, low
    shape, dtype = () if size is None else size, np.int64 if dtype is None else as_dtype(dtype)
    return Tensor(choose_generator(generator).integers(low, high, shape, dtype, device or "cpu"))


def randperm(n: int, device: str | None = None, generator: Generator | None = None) -> Tensor:
    """The integers from 0 to ``n - 1`` in random order, as int64.

    Example:
        >>> import tensorgrad as tg
        >>> sorted(tg.randperm(4).tolist())
        [0, 1, 2, 3]
    """
    return Tensor(choose_generator(generator).permutation(n, device or "cpu"))


def bernoulli(
    p: float | Tensor,
    size: Shape | None = None,
    dtype: Any = None,
    device: str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Ones with probability ``p``, else zeros.

    Args:
        p: a probability, or a Tensor of probabilities, one for each element of the result.
        size: the shape, if ``p`` is a number.
        dtype: the dtype; by default that of ``p``, float32 for a number.
        device: where to make them; by default where ``p`` is, the CPU for a number.
        generator: where the numbers come from; the default generator if not given.

    Raises:
        ValueError: if ``p`` is no probability.

    Example:
        >>> import tensorgrad as tg
        >>> tg.bernoulli(1.0, size=3)
        Tensor([1., 1., 1.], dtype=float32, device='cpu')
    """
    generator = choose_generator(generator)
    if not isinstance(p, Tensor):
        mask = generator.bernoulli(p, () if size is None else size, device or "cpu")
        return Tensor(mask.astype(np.float32 if dtype is None else as_dtype(dtype)))
    if size is not None and philox.checked_shape(size) != p.shape:
        raise ValueError(f"bernoulli of a Tensor p of shape {p.shape} has that shape; got size={size!r}.")
    chances = backend.transfer(p.data, device or p.device)
    if not bool(((chances >= 0) & (chances <= 1)).all()):
        raise ValueError("a probability is between 0 and 1; some of those given are not.")
    mask = generator.uniform(p.shape, p.dtype, backend.device_of(chances)) < chances
    return Tensor(mask.astype(p.dtype if dtype is None else as_dtype(dtype)))


def rand_like(
    x: Tensor,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Uniform numbers in [0, 1) with the shape of ``x`` and, unless others are named, its dtype and device.

    Example:
        >>> rand_like(Tensor([[1.0, 2.0]])).shape
        (1, 2)
    """
    dtype = x.dtype if dtype is None else dtype
    return uniform(0.0, 1.0, x.shape, dtype, device or x.device, requires_grad, generator)


def randn_like(
    x: Tensor,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Normal numbers with the shape of ``x`` and, unless others are named, its dtype and device.

    Example:
        >>> randn_like(Tensor([[1.0, 2.0]])).shape
        (1, 2)
    """
    dtype = x.dtype if dtype is None else dtype
    return normal(0.0, 1.0, x.shape, dtype, device or x.device, requires_grad, generator)


def _float(dtype: Any) -> Any:
    return np.float32 if dtype is None else as_dtype(dtype)


def _size(size: tuple[Any, ...]) -> Shape:
    """The shape from ``f(2, 3)``, ``f((2, 3))`` or ``f()``."""
    return tuple(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
