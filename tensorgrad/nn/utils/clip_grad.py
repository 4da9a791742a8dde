"""Gradients kept within bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from tensorgrad import backend
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.backend import Array


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Scales all gradients by one factor, so that the norm of all of them together is at most ``max_norm``.

    The factor is ``min(1, max_norm / (norm + 1e-6))``, as in PyTorch. Source: Pascanu, Mikolov and Bengio, "On the
    difficulty of training recurrent neural networks" (2013).

    Args:
        parameters: a tensor or several; those without a gradient are left out, and one that comes twice counts once.
        max_norm: the bound; infinity only measures.
        norm_type: which p-norm, above 0 or infinity.
        error_if_nonfinite: raise if the norm is NaN or infinite, instead of making the gradients zero or NaN.

    Returns:
        The norm before, of all gradients as one vector: a 0-d Tensor on the device of the first of them, in the widest
        of their dtypes (float32 for float16, whose squares would overflow).

    Raises:
        ValueError: if ``max_norm`` is negative or ``norm_type`` is not above 0.
        RuntimeError: for a norm that is not finite, if asked for; no gradient is changed then.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([3.0, 4.0], requires_grad=True)
        >>> (w * w / 2).sum().backward()
        >>> tg.nn.utils.clip_grad_norm_([w], max_norm=1.0)
        Tensor(5., dtype=float32, device='cpu')
        >>> [round(x, 4) for x in w.grad.tolist()]
        [0.6, 0.8]
    """
    if not float(max_norm) >= 0:
        raise ValueError(f"max_norm must be 0 or greater, got {float(max_norm)}.")
    _require_order(norm_type)
    owners = _with_grad(parameters)
    total = get_total_norm([grad for _, grad in owners], norm_type, error_if_nonfinite)
    clip_grads_with_norm_([owner for owner, _ in owners], max_norm, total)
    return total


def get_total_norm(tensors: Tensor | Iterable[Any], norm_type: float = 2.0, error_if_nonfinite: bool = False) -> Tensor:
    """The norm of all tensors as one vector, such as of all gradients of a model.

    Args:
        tensors: a tensor or several, or arrays.
        norm_type, error_if_nonfinite: as of :func:`clip_grad_norm_`.

    Returns:
        What :func:`clip_grad_norm_` returns.

    Raises:
        ValueError: if ``norm_type`` is not above 0.
        RuntimeError: for a norm that is not finite, if asked for.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.utils.get_total_norm([tg.tensor([3.0]), tg.tensor([[4.0]])]).item()
        5.0
    """
    _require_order(norm_type)
    listed = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    arrays = [tensor.data if isinstance(tensor, Tensor) else tensor for tensor in listed]
    if not arrays:
        return Tensor(0.0)
    total = _total_norm(arrays, float(norm_type))
    if error_if_nonfinite and not bool(backend.namespace(total).isfinite(total)):
        raise RuntimeError(
            f"the norm of the gradients is {float(total)}, so they cannot be clipped: tg.detect_anomaly() finds where "
            f"it comes from."
        )
    return Tensor(total)


def clip_grads_with_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor) -> None:
    """Scales all gradients by ``min(1, max_norm / (total_norm + 1e-6))``: :func:`clip_grad_norm_` with a norm known.

    Args:
        parameters: a tensor or several; those without a gradient are left out.
        max_norm: the bound; at infinity nothing is changed.
        total_norm: the norm, as :func:`get_total_norm` gives it; perhaps that of more than these.

    Raises:
        ValueError: if ``max_norm`` is negative.
    """
    max_norm = float(max_norm)
    if not max_norm >= 0:
        raise ValueError(f"max_norm must be 0 or greater, got {max_norm}.")
    total = Tensor(total_norm).data
    if max_norm < math.inf:
        # Without a look at the value, which a GPU would have to be waited for.
        factor = backend.namespace(total).minimum(max_norm / (total + 1e-6), 1.0)
        for owner, grad in _with_grad(parameters):
            owner.grad = Tensor(grad * backend.transfer(factor, backend.device_of(grad)).astype(grad.dtype))


def _require_order(norm_type: float) -> None:
    if not float(norm_type) > 0:
        raise ValueError(f"norm_type must be above 0 (1, 2, float('inf'), ...), got {float(norm_type)}.")


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Clips every element of the gradients to the range from ``-clip_value`` to ``clip_value``.

    Args:
        parameters: a tensor or several; those without a gradient are left out.
        clip_value: the bound, 0 or greater.

    Raises:
        ValueError: if the bound is negative.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([3.0, -0.5], requires_grad=True)
        >>> (w * w).sum().backward()
        >>> tg.nn.utils.clip_grad_value_([w], 2.0)
        >>> w.grad.tolist()
        [2.0, -1.0]
    """
    clip_value = float(clip_value)
    if not clip_value >= 0:
        raise ValueError(f"clip_value must be 0 or greater, got {clip_value}.")
    for owner, grad in _with_grad(parameters):
        owner.grad = Tensor(backend.namespace(grad).clip(grad, -clip_value, clip_value))


def _with_grad(parameters: Tensor | Iterable[Tensor]) -> list[tuple[Tensor, Array]]:
    """The tensors that have a gradient, each once, with its array."""
    if not isinstance(parameters, Iterable):
        raise TypeError(f"expected tensors, such as model.parameters(), not {type(parameters).__name__}.")
    tensors = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for i, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"expected tensors, such as model.parameters(), but number {i} is {type(tensor).__name__}.")
    return [(tensor, tensor.grad.data) for tensor in dict.fromkeys(tensors) if tensor.grad is not None]


def _total_norm(grads: list[Array], p: float) -> Array:
    device = backend.device_of(grads[0])
    parts: list[Any] = []
    for grad in grads:
        xp = backend.namespace(grad)
        if grad.dtype.itemsize < 4:
            grad = grad.astype("float32")
        if p == math.inf:
            part = xp.max(xp.abs(grad)) if grad.size else xp.zeros((), grad.dtype)
        else:
            part = xp.sum(xp.square(grad) if p == 2 else xp.abs(grad) ** p)
        parts.append(backend.transfer(part, device))
    xp, total = backend.namespace(parts[0]), parts[0]
    for part in parts[1:]:
        total = xp.maximum(total, part) if p == math.inf else total + part
    if p != math.inf:
        total = xp.sqrt(total) if p == 2 else total ** (1 / p)
    return total
