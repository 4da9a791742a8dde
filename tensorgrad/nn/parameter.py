"""Parameter: a Tensor that a module learns."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd import Tensor


class Parameter(Tensor):
    """A Tensor that becomes a parameter of the :class:`Module` that it is assigned to.

    Args:
        data: a Tensor or array (whose memory is shared), a number, or a nested sequence of numbers.
        requires_grad: whether gradients with respect to it are wanted; False for a frozen one.

    Raises:
        GradientError: for ``requires_grad`` on what is not floating point.

    Example:
        >>> tg.nn.Parameter([1.0, 2.0])
        Parameter([1., 2.], dtype=float32, device='cpu', requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad=requires_grad)

    def __reduce__(self) -> Any:
        return type(self), (self.detach(), self.requires_grad)
