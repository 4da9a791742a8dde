"""Random numbers as a function of a position: the counter-based generator Philox4x64-10, on bare arrays.

A key and an offset name a place in an endless sequence of 64-bit words, and every number here is computed from the
words at its place alone. So one seed gives the same numbers on every array library, in any order of asking, and a
generator's whole state is two integers. :mod:`tensorgrad.random` has that generator.

The words of a key are those of ``numpy.random.Philox(key=key)``. On NumPy that class makes them; for any other
library the same ten rounds are written below as array code on ``uint64``.

Source: J. Salmon, M. Moraes, R. Dror and D. Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

Array = Any
Key = tuple[int, int]

ROUNDS = 10
MULTIPLIERS = 0xD2E7470EE14C6C93, 0xCA5A826395121157
"""What the first and third word of the counter are multiplied by, each round."""
WEYL = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
"""What the two words of the key grow by, each round: the golden ratio and sqrt(3) - 1."""
LOW_HALF = 0xFFFFFFFF
WORD = 1 << 64

COSINE = tuple((-1) ** n / math.factorial(2 * n) for n in range(12))
SINE = tuple((-1) ** n / math.factorial(2 * n + 1) for n in range(12))
ARTANH = tuple(1 / (2 * n + 1) for n in range(11))
"""The series of cos(x), sin(x) / x and artanh(x) / x in powers of x**2, as far as float64 sees them on [0, pi/2] and
[0, 0.172]."""


def derive_key(seed: int) -> Key:
    """The 128-bit key that belongs to a seed of any size.

    Args:
        seed: an integer, not negative.

    Returns:
        Two words, mixed by ``numpy.random.SeedSequence`` so that neighbouring seeds share nothing.

    Raises:
        TypeError: if the seed is no integer.
        ValueError: if it is negative.

    Example:
        >>> derive_key(0)
        (15793235383387715774, 12390638538380655177)
    """
    first, second = np.random.SeedSequence(checked_seed(seed)).generate_state(2, np.uint64)
    return int(first), int(second)


def checked_seed(seed: int) -> int:
    """``seed`` as a Python integer; raises if it is none, or negative."""
    try:
        seed = operator.index(seed)
    except TypeError:
        raise TypeError(f"a seed is an integer, got {seed!r} of type {type(seed).__name__}.") from None
    if seed < 0:
        raise ValueError(f"a seed is 0 or greater, got {seed}.")
    return seed


def random_bits(count: int, key: Key, offset: int, xp: Any) -> Array:
    """The words ``offset .. offset + count`` of the sequence that belongs to ``key``.

    Args:
        count: how many 64-bit words.
        key: two words, from :func:`derive_key`.
        offset: how many words come before, 0 to 2**64.
        xp: the namespace of the array library that is to hold them.

    Returns:
        A 1-d array of ``uint64``, the caller's own.

    Example:
        >>> random_bits(2, (0, 0), 5, np)
        array([ 5120919030223861725, 17460660323513034167], dtype=uint64)
    """
    if xp is not np:
        return _random_bits_by_arrays(count, key, offset, xp)
    block, skipped = divmod(offset, 4)
    # NumPy adds 1 to the counter *before* it makes a block: counter 0 gives the block numbered 1, its first.
    generator = np.random.Philox(counter=block, key=key[0] | key[1] << 64)
    return generator.random_raw(count + skipped)[skipped:]


def _random_bits_by_arrays(count: int, key: Key, offset: int, xp: Any) -> Array:
    """:func:`random_bits` for any array library."""
    block, skipped = divmod(offset, 4)
    blocks = -(-(count + skipped) // 4)
    first = xp.arange(blocks, dtype=xp.uint64) + xp.uint64(block + 1)
    counter = [first, xp.zeros_like(first), xp.zeros_like(first), xp.zeros_like(first)]
    for i in range(ROUNDS):
        high0, low0 = _multiply(counter[0], MULTIPLIERS[0])
        high1, low1 = _multiply(counter[2], MULTIPLIERS[1])
        key0, key1 = (xp.uint64((word + i * step) % WORD) for word, step in zip(key, WEYL, strict=True))
        counter = [high1 ^ counter[1] ^ key0, low1, high0 ^ counter[3] ^ key1, low0]
    return xp.stack(counter, axis=1).reshape(-1)[skipped : skipped + count]


def _multiply(words: Array, factor: int) -> tuple[Array, Array]:
    """The high and the low word of the 128-bit product of ``uint64`` words and a word, by halves of 32 bits."""
    high_factor, low_factor = factor >> 32, factor & LOW_HALF
    high, low = words >> 32, words & LOW_HALF
    bottom = low * low_factor
    middle = high * low_factor + (bottom >> 32)
    carried = low * high_factor + (middle & LOW_HALF)
    return high * high_factor + (middle >> 32) + (carried >> 32), (carried << 32) | (bottom & LOW_HALF)


def checked_shape(shape: int | tuple[int, ...]) -> tuple[int, ...]:
    """``shape`` as a tuple of lengths; raises if it is none."""
    try:
        lengths = tuple(operator.index(n) for n in (shape if isinstance(shape, (tuple, list)) else (shape,)))
    except TypeError:
        raise TypeError(f"a shape is an integer or a tuple of integers, got {shape!r}.") from None
    if any(n < 0 for n in lengths):
        raise ValueError(f"a shape has no negative lengths, got {shape!r}.")
    return lengths


def _checked_float(dtype: Any) -> np.dtype[Any]:
    checked: np.dtype[Any] = np.dtype(dtype)
    if checked not in (np.float16, np.float32, np.float64):
        raise TypeError(f"expected dtype float16, float32 or float64 for random real numbers, got {checked}.")
    return checked


def _halves(count: int, key: Key, offset: int, xp: Any) -> tuple[Array, int]:
    """``count`` numbers of 32 bits, two from each word, the low half first."""
    used = -(-count // 2)
    return random_bits(used, key, offset, xp).view(xp.uint32)[:count], used


def uniform(shape: int | tuple[int, ...], dtype: Any, key: Key, offset: int, xp: Any) -> tuple[Array, int]:
    """Uniform numbers in [0, 1): multiples of 2**-53 (float64), 2**-24 (float32) or 2**-11 (float16).

    Args:
        shape: the shape of the result.
        dtype: float16, float32 or float64. A number of float16 is that of float32, cut off, so that none rounds to 1.
        key: two words, from :func:`derive_key`.
        offset: the position in the key's sequence of words.
        xp: the namespace of the array library that is to hold them.

    Returns:
        The numbers, and how many words were used.
    """
    shape, dtype = checked_shape(shape), _checked_float(dtype)
    count = math.prod(shape)
    bits, used = (
        (random_bits(count, key, offset, xp), count) if dtype == np.float64 else _halves(count, key, offset, xp)
    )
    digits = np.finfo(dtype).nmant + 1
    bits >>= 8 * bits.itemsize - digits
    numbers = bits.astype(dtype)
    numbers *= 2.0**-digits
    return numbers.reshape(shape), used


def normal(shape: int | tuple[int, ...], dtype: Any, key: Key, offset: int, xp: Any) -> tuple[Array, int]:
    """Normal numbers with mean 0 and variance 1, by the method of Box and Muller, two from two words.

    They are computed in float64 and rounded. Libraries differ in the last bits of their logarithms and cosines, so
    these are summed here from their series, by operations that IEEE 754 rounds in one way only: the numbers are the
    same to the last bit on every library. None is larger than sqrt(106 log 2) = 8.57.

    Args, returns: as for :func:`uniform`.

    Source: G. Box and M. Muller, "A Note on the Generation of Random Normal Deviates", 1958.
    """
    shape, dtype = checked_shape(shape), _checked_float(dtype)
    count = math.prod(shape)
    pairs = -(-count // 2)
    words = random_bits(2 * pairs, key, offset, xp).reshape(pairs, 2)
    # In (0, 1]: the logarithm is never of zero.
    radius = _minus_log(((words[:, 0] >> 11).astype(xp.float64) + 1.0) * 2.0**-53, xp)
    radius = xp.sqrt(radius * 2.0)
    # A point on the right half of the unit circle; a spare bit of the word takes it to the left half.
    turn = words[:, 1]
    radius *= 1.0 - (turn & 2).astype(xp.float64)
    angle = ((turn >> 11).astype(xp.float64) * 2.0**-52 - 1.0) * (math.pi / 2)
    square = angle * angle
    # To float16 by way of float32 everywhere, because not every library has the direct way.
    numbers = xp.empty((pairs, 2), dtype=xp.float64 if dtype == np.float64 else xp.float32)
    numbers[:, 0] = radius * _series(COSINE, square)
    numbers[:, 1] = radius * angle * _series(SINE, square)
    return numbers.reshape(-1)[:count].reshape(shape).astype(dtype, copy=False), 2 * pairs


def _series(coefficients: tuple[float, ...], x: Array) -> Array:
    """The polynomial in ``x`` with these coefficients, the constant first."""
    total = x * coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        total += coefficient
        total *= x
    total += coefficients[0]
    return total


def _minus_log(x: Array, xp: Any) -> Array:
    """-log(x) for ``x`` in (0, 1], to some 2e-16."""
    # x = mantissa * 2**exponent, and log(mantissa * sqrt(2)) = 2 artanh(ratio), with a ratio of at most 0.172.
    mantissa, exponent = xp.frexp(x)
    ratio = (mantissa - math.sqrt(0.5)) / (mantissa + math.sqrt(0.5))
    result = _series(ARTANH, ratio * ratio)
    result *= -2.0 * ratio
    result += (0.5 - exponent) * math.log(2.0)
    return xp.maximum(result, 0.0)


def integers(
    low: int, high: int, shape: int | tuple[int, ...], dtype: Any, key: Key, offset: int, xp: Any
) -> tuple[Array, int]:
    """Integers from ``low`` to ``high - 1``, each as likely as any other.

    The upper word of ``word * (high - low)``. Because the words are finite, some numbers are likelier than others by
    at most one part in 2**32: a range of more than 2**32 numbers takes two words for each.

    Args:
        low: the least.
        high: one more than the greatest.
        shape: the shape of the result.
        dtype: an integer dtype that holds them all.
        key, offset, xp: as for :func:`uniform`.

    Returns:
        The numbers, and how many words were used.

    Raises:
        ValueError: if the range is empty, or passes that of the dtype.

    Source: D. Lemire, "Fast Random Integer Generation in an Interval", 2019 (without the rejection).
    """
    shape, dtype, low, high = checked_shape(shape), np.dtype(dtype), operator.index(low), operator.index(high)
    if dtype.kind not in "iu":
        raise TypeError(f"expected an integer dtype for random integers, got {dtype}.")
    if low >= high:
        raise ValueError(f"expected low < high for random integers, got low={low} and high={high}: nothing in between.")
    limits = np.iinfo(dtype)
    if low < limits.min or high - 1 > limits.max:
        raise ValueError(
            f"random integers from {low} to {high - 1} do not fit {dtype}, which holds {limits.min} to {limits.max}."
        )
    count, span = math.prod(shape), high - low
    if span <= 1 << 32 or span == WORD:
        used = count
        words = random_bits(used, key, offset, xp)
        chosen = words if span == WORD else ((words >> 32) * span + ((words & LOW_HALF) * span >> 32)) >> 32
    else:
        used = 2 * count
        words = random_bits(used, key, offset, xp).reshape(count, 2)
        high_word, low_word = _multiply(words[:, 0], span)
        total = low_word + _multiply(words[:, 1], span)[0]
        chosen = high_word + (total < low_word)
    # Modulo 2**64, so that a negative low is an addition too.
    chosen = chosen + xp.uint64(low % WORD)
    return (chosen if dtype.kind == "u" else chosen.view(xp.int64)).astype(dtype).reshape(shape), used


def permutation(n: int, key: Key, offset: int, xp: Any) -> tuple[Array, int]:
    """The integers from 0 to ``n - 1`` in random order, as int64: the order of ``n`` random words.

    Returns:
        The 1-d array, and how many words were used. Equal words, of which a list of a million has some with
        probability 3e-8, stay in the order of their positions.
    """
    (n,) = checked_shape(n)
    return xp.argsort(random_bits(n, key, offset, xp), kind="stable").astype(xp.int64), n


def bernoulli(p: float, shape: int | tuple[int, ...], key: Key, offset: int, xp: Any) -> tuple[Array, int]:
    """Booleans that are true with probability ``p``, to the nearest 2**-32: the masks of dropout.

    Raises:
        ValueError: if ``p`` is no probability.
    """
    shape, p = checked_shape(shape), float(p)
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"a probability is between 0 and 1, got {p}.")
    bits, used = _halves(math.prod(shape), key, offset, xp)
    threshold = round(p * 2**32)
    # 2**32 is no uint32, and a certain event needs no comparison.
    chosen = bits < threshold if threshold <= LOW_HALF else xp.ones(bits.shape, dtype=xp.bool_)
    return chosen.reshape(shape), used
