"""The cases as PyTorch's functions, and the verdict of its gradcheck at its defaults."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch

from benchmarks.gradient_cases.case import Case

LARGEST = 10**7
"""Entries of a Jacobian beyond which the check is left out: it would hold several such matrices at once."""


def verdict(case: Case) -> bool | None:
    """Whether ``torch.autograd.gradcheck`` finds the gradient right; None where it is left out.

    An exception is a verdict too: that the gradient is not right.
    """
    forward, backward = case.pair()
    with np.errstate(all="ignore"):
        result = forward(*case.copies())
    several = isinstance(result, tuple)
    outputs = sum(np.size(output) for output in (result if several else (result,)))
    if outputs * sum(value.size for value in case.inputs if value.dtype.kind in "fc") > LARGEST:
        return None

    class Pair(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *tensors: torch.Tensor) -> Any:
            ctx.save_for_backward(*tensors)
            result = forward(*[tensor.detach().numpy() for tensor in tensors])
            if several:
                return tuple(_tensor(output) for output in result)
            return _tensor(result)

        @staticmethod
        def backward(ctx: Any, *cotangents: torch.Tensor) -> Any:
            given = tuple(cotangent.numpy() for cotangent in cotangents)
            inputs = [tensor.detach().numpy() for tensor in ctx.saved_tensors]
            gradients = backward(given if several else given[0], *inputs)
            gradients = gradients if isinstance(gradients, tuple) else (gradients,)
            return tuple(None if gradient is None else _tensor(gradient) for gradient in gradients)

    inputs = [torch.tensor(value).requires_grad_(value.dtype.kind in "fc") for value in case.copies()]
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return bool(torch.autograd.gradcheck(Pair.apply, inputs, raise_exception=False))
    except Exception:
        return False


def _tensor(value: Any) -> torch.Tensor:
    return torch.from_numpy(np.array(value))
