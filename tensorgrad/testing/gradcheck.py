"""Gradients against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorgrad.autograd import Tensor, grad

STEP = 1e-3
"""The step of the central differences, for values of size up to 1; larger values take larger steps."""

ROUNDING = 100 * np.finfo(np.float64).eps
"""How much of a function's value is taken to be rounding, relative to the size of what it is the sum of."""


@dataclass(frozen=True)
class GradientReport:
    """The verdict of :func:`gradcheck`: true if the gradients agree; its text says where they agree least.

    Attributes:
        ok: the verdict.
        order: of the derivative.
        error: the largest difference, in units of the tolerance.
        input: the number of the input where it was found.
        index: the entry of that input.
        analytic: what backpropagation gave there.
        numerical: what finite differences gave there.
        tolerance: how much they may differ there.
    """

    ok: bool
    order: int
    error: float
    input: int
    index: tuple[int, ...]
    analytic: float
    numerical: float
    tolerance: float

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        verdict = "agree" if self.ok else "DISAGREE"
        where = f"input {self.input}, entry {list(self.index)}"
        ratio = f"{self.analytic / self.numerical:.6g}" if self.numerical else "undefined"
        return (
            f"derivatives of order {self.order} {verdict}; at worst, in {where}:\n"
            f"  backpropagation    {self.analytic:.10g}\n"
            f"  finite differences {self.numerical:.10g}\n"
            f"  difference {abs(self.analytic - self.numerical):.3g}, tolerance {self.tolerance:.3g}, ratio {ratio}"
        )


def gradcheck(
    f: Callable[..., Any], *inputs: Any, order: int = 1, rtol: float = 1e-7, atol: float = 1e-12, seed: int = 0
) -> GradientReport:
    """Compares the gradients of ``f`` by backpropagation with finite differences, in float64.

    The outputs of ``f`` are added up with random weights, so that one backward pass sees the whole Jacobian. Each
    entry of each input is moved by +-h and +-h/2, with h = 1e-3 * max(1, abs(x)); the two central differences are
    combined so that errors of the order of h**2 cancel (Richardson). What may differ is ``atol``, plus ``rtol`` times
    the largest gradient of that input, plus what finite differences can be wrong by: the rounding of the function's
    value divided by h, and the square of the relative difference between the two steps.

    Args:
        f: takes Tensors, and returns a Tensor or a tuple of them. It must give the same values each time, and be
            smooth within h of the inputs.
        inputs: arrays, Tensors or nested lists; floating point ones are checked, others are passed on as they are.
        order: 1 checks the gradient; 2 the gradient, and then the gradient of the gradient; and so on.
        rtol: tolerance relative to the largest gradient of the same input.
        atol: absolute tolerance.
        seed: of the random weights.

    Returns:
        The report of the highest order, or of the first that fails; it is true if the gradients agree.

    Raises:
        ValueError: if no input is floating point, so that there is nothing to check.

    Example:
        >>> bool(gradcheck(lambda x: (x**3).sum(), [1.0, 2.0], order=2))
        True
    """
    if order < 1:
        raise ValueError(f"gradcheck() checks derivatives of order 1 and up, not {order}.")
    tensors = [_float64(value) for value in inputs]
    if not any(tensor.requires_grad for tensor in tensors):
        raise ValueError("gradcheck() has nothing to check: no input is floating point.")
    rng = np.random.default_rng(seed)
    report = _first_order(f, tensors, rng, 1, rtol, atol)
    for n in range(2, order + 1):
        if not report:
            return report
        f = _gradient_of(f, int(rng.integers(2**32)))
        report = _first_order(f, tensors, rng, n, rtol, atol)
    return report


def assert_gradients(f: Callable[..., Any], *inputs: Any, order: int = 2, **options: Any) -> None:
    """Raises AssertionError with the report of :func:`gradcheck` unless the gradients agree.

    Example:
        >>> assert_gradients(lambda x, y: x * y, [1.0, 2.0], [3.0, 4.0])
    """
    report = gradcheck(f, *inputs, order=order, **options)
    if not report:
        raise AssertionError(str(report))


def _float64(value: Any) -> Tensor:
    tensor = value if isinstance(value, Tensor) else Tensor(value)
    if tensor.dtype.kind != "f":
        return tensor.detach()
    return Tensor(tensor.data.astype("float64"), requires_grad=True)


def _outputs(result: Any) -> list[Tensor]:
    outputs = [result] if isinstance(result, Tensor) else list(result)
    return [output for output in outputs if output.dtype.kind == "f"]


def _weighted(result: Any, seed: int) -> Tensor:
    """The outputs' sum with random weights, which depend on the seed alone."""
    rng = np.random.default_rng(seed)
    total: Any = 0.0
    for output in _outputs(result):
        weights = rng.uniform(0.5, 1.5, output.shape) * rng.choice([-1.0, 1.0], output.shape)
        total = total + (output * Tensor(weights, device=output.device)).sum()
    return total


def _gradient_of(f: Callable[..., Any], seed: int) -> Callable[..., Any]:
    """The function that gives the gradients of ``f``'s weighted sum."""

    def gradient(*tensors: Tensor) -> tuple[Tensor, ...]:
        wanted = [tensor for tensor in tensors if tensor.requires_grad]
        total = _weighted(f(*tensors), seed)
        if not (isinstance(total, Tensor) and total.requires_grad):
            return tuple(tensor * 0.0 for tensor in wanted)
        found = grad(total, wanted, create_graph=True, allow_unused=True)
        return tuple(tensor * 0.0 if part is None else part for tensor, part in zip(wanted, found, strict=True))

    return gradient


def _first_order(
    f: Callable[..., Any], tensors: list[Tensor], rng: np.random.Generator, order: int, rtol: float, atol: float
) -> GradientReport:
    seed = int(rng.integers(2**32))
    wanted = [i for i, tensor in enumerate(tensors) if tensor.requires_grad]
    total = _weighted(f(*tensors), seed)
    if isinstance(total, Tensor) and total.requires_grad:
        analytic = grad(total, [tensors[i] for i in wanted], allow_unused=True)
    else:
        analytic = (None,) * len(wanted)
    worst = GradientReport(True, order, 0.0, 0, (), 0.0, 0.0, atol)
    for i, part in zip(wanted, analytic, strict=True):
        found = np.zeros(tensors[i].shape) if part is None else part.numpy()
        expected, uncertainty = _differences(f, tensors, i, seed)
        scale = max(np.abs(expected).max(initial=0.0), np.abs(found).max(initial=0.0))
        tolerance = atol + rtol * scale + uncertainty
        errors = np.abs(found - expected) / tolerance
        errors = np.where(np.isfinite(errors), errors, np.inf)
        if errors.size and errors.max() >= worst.error:
            index = tuple(map(int, np.unravel_index(errors.argmax(), errors.shape)))
            values = (float(array[index]) for array in (found, expected, tolerance))
            worst = GradientReport(bool(errors[index] <= 1), order, float(errors[index]), i, index, *values)
    return worst


def _differences(f: Callable[..., Any], tensors: list[Tensor], i: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The numerical gradient of the weighted sum with respect to input ``i``, and how uncertain it is."""
    base = tensors[i].numpy()
    gradient, uncertainty = np.empty(base.shape), np.empty(base.shape)

    def value(index: tuple[int, ...], change: float) -> tuple[float, float]:
        moved = base.copy()
        moved[index] += change
        # Functions that differentiate (order 2 and up) need inputs that require gradients.
        arguments = [tensor.detach().requires_grad_(tensor.requires_grad) for tensor in tensors]
        arguments[i] = Tensor(moved, device=tensors[i].device, requires_grad=True)
        result = f(*arguments)
        return float(_weighted(result, seed)), sum(float(output.abs().sum()) for output in _outputs(result))

    for index in np.ndindex(base.shape):
        h = STEP * max(1.0, abs(float(base[index])))
        (right, size), (left, _) = value(index, h), value(index, -h)
        coarse = (right - left) / (2 * h)
        fine = (value(index, h / 2)[0] - value(index, -h / 2)[0]) / h
        gradient[index] = (4 * fine - coarse) / 3
        truncated = 10 * (fine - coarse) ** 2 / (abs(fine) + abs(coarse)) if fine != coarse else 0.0
        uncertainty[index] = ROUNDING * size / h + truncated
    return gradient, uncertainty
