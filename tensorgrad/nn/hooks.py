"""Backward hooks of modules: what catches the gradients that pass a module's outputs and inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.autograd import Function, Tensor

Gradients = tuple[Tensor | None, ...]


class Passage:
    """One call of a module that has backward hooks.

    The inputs that require gradients and the outputs go through identities, whose backward tells this object.

    Args:
        module: for the hooks.
        hooks: called as ``hook(module, grad_input, grad_output)`` once both are known; each may return another
            ``grad_input``.
    """

    def __init__(self, module: Any, hooks: tuple[Callable[..., Any], ...]) -> None:
        self.module = module
        self.hooks = hooks
        self.grad_output: Gradients = ()
        self.places: list[int] = []
        self.count = 0

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, those Tensors that require gradients seen through an identity."""
        values = list(args)
        self.count = len(values)
        self.places = [i for i, arg in enumerate(values) if isinstance(arg, Tensor) and arg.requires_grad]
        if self.places:
            seen = _Identity.apply(self.entered, *(values[i] for i in self.places))
            for i, tensor in zip(self.places, seen, strict=True):
                values[i] = tensor
        return tuple(values)

    def leave(self, result: Any) -> Any:
        """The module's result, a Tensor or a sequence of them, seen through an identity."""
        several = isinstance(result, (tuple, list))
        tensors = tuple(result) if several else (result,)
        if not all(isinstance(tensor, Tensor) for tensor in tensors):
            raise TypeError(
                f"backward hooks need a module that returns Tensors, one or a tuple of them; "
                f"{type(self.module).__name__} returned {type(result).__name__}."
            )
        seen = _Identity.apply(self.left, *tensors)
        return type(result)(seen) if several else seen[0]

    def left(self, grads: Gradients) -> Gradients:
        """The gradients of the outputs have come."""
        self.grad_output = grads
        if not self.places:
            self._call((None,) * self.count)
        return grads

    def entered(self, grads: Gradients) -> Gradients:
        """The gradients of the inputs have come."""
        grad_input: list[Tensor | None] = [None] * self.count
        for i, grad in zip(self.places, grads, strict=True):
            grad_input[i] = grad
        result = self._call(tuple(grad_input))
        return tuple(result[i] for i in self.places)

    def _call(self, grad_input: Gradients) -> Gradients:
        # Let go of: gradients that have a graph of their own lead back to here.
        grad_output, self.grad_output = self.grad_output, ()
        for hook in self.hooks:
            result = hook(self.module, grad_input, grad_output)
            if result is not None:
                changed = result if isinstance(result, tuple) else (result,)
                if len(changed) != len(grad_input):
                    raise ValueError(f"a backward hook returned {len(changed)} gradients for {len(grad_input)} inputs.")
                grad_input = changed
        return grad_input


class _Identity(Function):
    """Its arguments as they are; backward, what ``told`` makes of their gradients."""

    @staticmethod
    def forward(ctx: Any, told: Callable[[Gradients], Gradients], *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.told = told
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        return None, *ctx.told(grads)
