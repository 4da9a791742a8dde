"""Gradients as the result of a call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tensorgrad.autograd.modes import enable_grad
from tensorgrad.autograd.ownership import claim
from tensorgrad.autograd.tensor import Tensor, as_tensors, pull
from tensorgrad.errors import GradientError


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradient of the sum of ``outputs`` with respect to ``inputs``; no tensor's ``grad`` is touched.

    Args:
        outputs: one tensor or several.
        inputs: one tensor or several, leaves or not.
        grad_outputs: the gradient with respect to each output (None: 1, for outputs with one element).
        retain_graph: keep what the rules kept. Default: ``create_graph``.
        create_graph: record the backward pass, so that the gradients can be differentiated.
        allow_unused: give None for an input that the outputs do not depend on, instead of raising.

    Returns:
        A tuple with one gradient for each input, of its shape, dtype and device.

    Raises:
        GradientError: as :meth:`Tensor.backward`, and for inputs that are not in the graph.

    Example:
        >>> import tensorgrad as tg
        >>> x = tg.tensor(3.0, requires_grad=True)
        >>> (slope,) = tg.grad(x**3, x, create_graph=True)
        >>> (curvature,) = tg.grad(slope, x)
        >>> slope.item(), curvature.item()
        (27.0, 18.0)
    """
    roots, targets = as_tensors(outputs, "outputs"), as_tensors(inputs, "inputs")
    if grad_outputs is None:
        cotangents = [None] * len(roots)
    else:
        alone = isinstance(outputs, Tensor) and not isinstance(grad_outputs, (tuple, list))
        cotangents = [grad_outputs] if alone else list(grad_outputs)
        if len(cotangents) != len(roots):
            raise GradientError(f"got {len(cotangents)} grad_outputs for {len(roots)} outputs.")
    found = pull(roots, cotangents, retain_graph, create_graph, targets)
    # An input that is named twice has its gradient twice.
    wanted = Counter(tensor._node for tensor in targets)
    results: list[Tensor | None] = []
    for i, tensor in enumerate(targets):
        cotangent = found.get(tensor._node) if tensor._node is not None else None
        if cotangent is None and not allow_unused:
            raise GradientError(
                f"the outputs do not depend on inputs[{i}], of shape {tensor.shape}: it was not used, or was detached "
                f"or used under no_grad(). With allow_unused=True its gradient is None."
            )
        if cotangent is None:
            results.append(None)
        elif isinstance(cotangent, Tensor):
            with enable_grad():
                results.append(cotangent.clone())
        else:
            node, held, cotangent = tensor._node, [cotangent], None
            assert node is not None
            wanted[node] -= 1
            if not wanted[node]:
                del found[node]
            results.append(Tensor._wrap(claim(held)))
    return tuple(results)
