"""tensorgrad's own functions and modules."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor, enable_grad, grad
from tensorgrad.nn import Module
from tensorgrad.testing.engines.base import Engine, Function


class TensorgradEngine(Engine):
    """tensorgrad: Tensors on any device."""

    name = "tensorgrad"
    complex = False
    owned = True
    extended = True

    @classmethod
    def owns(cls, value: Any) -> bool:
        return isinstance(value, (Tensor, Module))

    def parameters(self, value: Any) -> list[tuple[str, Tensor, bool]] | None:
        if not isinstance(value, Module):
            return None
        return [(name, parameter, parameter.requires_grad) for name, parameter in value.named_parameters()]

    def double(self, module: Module) -> Module:
        return module.double()

    def array(self, value: np.ndarray, like: Any) -> Tensor:
        device = like.device if isinstance(like, Tensor) else None
        return Tensor(super().array(value, None if device else like), device=device)

    def variable(self, value: np.ndarray, like: Any) -> Tensor:
        return self.array(value, like).requires_grad_()

    def numpy(self, native: Any) -> np.ndarray | None:
        return super().numpy(native.data if isinstance(native, Tensor) else native)

    def attached(self, output: Any) -> bool:
        return isinstance(output, Tensor)

    def active(self) -> AbstractContextManager[Any]:
        return enable_grad()

    def pull(
        self, call: Function, leaves: Sequence[Any], wanted: Sequence[int], cotangents: Sequence[Any]
    ) -> Sequence[Any | None]:
        return _gradients(call(*leaves), [leaves[i] for i in wanted], cotangents, create_graph=False)

    def derivative(self, call: Function, wanted: Sequence[int], leaves: int) -> Function:
        def gradients(*natives: Tensor) -> tuple[Tensor, ...]:
            inputs = [natives[i] for i in wanted]
            found = _gradients(call(*natives[:leaves]), inputs, natives[leaves:], create_graph=True)
            return tuple(_zeros(x) if part is None else part for x, part in zip(inputs, found, strict=True))

        return gradients


def _zeros(x: Tensor) -> Tensor:
    return Tensor(backend.zeros(x.shape, x.dtype, x.data))


def _gradients(
    outputs: Sequence[Any], inputs: list[Tensor], cotangents: Sequence[Tensor], create_graph: bool
) -> Sequence[Tensor | None]:
    """Gradients through those outputs that are in the graph."""
    pairs = [
        (output, cotangent)
        for output, cotangent in zip(outputs, cotangents, strict=True)
        if isinstance(output, Tensor) and output.requires_grad
    ]
    if not pairs:
        return [None] * len(inputs)
    roots, seeds = zip(*pairs, strict=True)
    return grad(roots, inputs, seeds, create_graph=create_graph, allow_unused=True)
