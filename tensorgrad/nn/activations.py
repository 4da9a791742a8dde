"""Activation functions as layers. What they compute is told at the functions of their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.ops import activations, shrinkage, softmax
from tensorgrad.ops.creation import asarray, full
from tensorgrad.ops.trigonometry import tanh


class _Activation(Module):
    """A function of one array and of options, which are attributes of the layer."""

    function: ClassVar[Callable[..., Any]]

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self._options = tuple(options)
        for name, value in options.items():
            setattr(self, name, value)

    def forward(self, x: Any) -> Any:
        return type(self).function(x, **{name: getattr(self, name) for name in self._options})

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self._options)


class _Plain(_Activation):
    # PyTorch's code gives inplace=True to many of these: it is accepted, and changes nothing.
    def __init__(self, inplace: bool = False) -> None:
        super().__init__()


class ReLU(_Plain):
    """:func:`tensorgrad.relu`: ``max(x, 0)``.

    Example:
        >>> tg.nn.ReLU()(tg.tensor([-1.0, 2.0]))
        Tensor([0., 2.], dtype=float32, device='cpu')
    """

    function = staticmethod(activations.relu)


class ReLU6(_Plain):
    """:func:`tensorgrad.relu6`: ``min(max(x, 0), 6)``."""

    function = staticmethod(activations.relu6)


class SELU(_Plain):
    """:func:`tensorgrad.selu`."""

    function = staticmethod(activations.selu)


class SiLU(_Plain):
    """:func:`tensorgrad.silu`: ``x * sigmoid(x)``."""

    function = staticmethod(activations.silu)


class Mish(_Plain):
    """:func:`tensorgrad.mish`: ``x * tanh(softplus(x))``."""

    function = staticmethod(activations.mish)


class Hardsigmoid(_Plain):
    """:func:`tensorgrad.hardsigmoid`: ``relu6(x + 3) / 6``."""

    function = staticmethod(activations.hardsigmoid)


class Hardswish(_Plain):
    """:func:`tensorgrad.hardswish`: ``x * hardsigmoid(x)``."""

    function = staticmethod(activations.hardswish)


class Sigmoid(_Activation):
    """:func:`tensorgrad.sigmoid`: ``1 / (1 + exp(-x))``."""

    function = staticmethod(activations.sigmoid)


class LogSigmoid(_Activation):
    """:func:`tensorgrad.log_sigmoid`."""

    function = staticmethod(activations.log_sigmoid)


class Tanh(_Activation):
    """:func:`tensorgrad.tanh`."""

    function = staticmethod(tanh)


class Tanhshrink(_Activation):
    """:func:`tensorgrad.tanhshrink`: ``x - tanh(x)``."""

    function = staticmethod(shrinkage.tanhshrink)


class Softsign(_Activation):
    """:func:`tensorgrad.softsign`: ``x / (1 + abs(x))``."""

    function = staticmethod(activations.softsign)


class LeakyReLU(_Activation):
    """:func:`tensorgrad.leaky_relu`.

    Args:
        negative_slope: the slope on the negative side.
        inplace: accepted, and changes nothing.
    """

    function = staticmethod(activations.leaky_relu)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(negative_slope=negative_slope)


class PReLU(Module):
    """:func:`tensorgrad.prelu`: a leaky ReLU whose slope is learned.

    Args:
        num_parameters: 1, or the number of channels: one slope for each.
        init: the slope at first.
        device: where the slopes are.
        dtype: of the slopes, float32 by default.
    """

    weight: Parameter

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.weight = Parameter(full(num_parameters, float(init), dtype=dtype, device=device))

    def forward(self, x: Any) -> Any:
        return activations.prelu(x, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class ELU(_Activation):
    """:func:`tensorgrad.elu`.

    Args:
        alpha: minus the limit on the negative side.
        inplace: accepted, and changes nothing.
    """

    function = staticmethod(activations.elu)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(alpha=alpha)


class CELU(_Activation):
    """:func:`tensorgrad.celu`. Arguments as of :class:`ELU`."""

    function = staticmethod(activations.celu)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(alpha=alpha)


class GELU(_Activation):
    """:func:`tensorgrad.gelu`.

    Args:
        approximate: ``"none"`` or ``"tanh"``.
    """

    function = staticmethod(activations.gelu)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__(approximate=approximate)


class Softplus(_Activation):
    """:func:`tensorgrad.softplus`.

    Args:
        beta: how sharp the bend is.
        threshold: where ``beta * x`` is above it the result is ``x``.
    """

    function = staticmethod(activations.softplus)

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__(beta=beta, threshold=threshold)


class Hardtanh(_Activation):
    """:func:`tensorgrad.hardtanh`.

    Args:
        min_val: the lower bound.
        max_val: the upper bound.
        inplace: accepted, and changes nothing.
    """

    function = staticmethod(activations.hardtanh)

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(min_val=min_val, max_val=max_val)


class Threshold(_Activation):
    """:func:`tensorgrad.threshold`.

    Args:
        threshold: the number that an element is to be above.
        value: what stands for those that are not.
        inplace: accepted, and changes nothing.
    """

    function = staticmethod(shrinkage.threshold)

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(threshold=threshold, value=value)


class Hardshrink(_Activation):
    """:func:`tensorgrad.hardshrink`.

    Args:
        lambd: how large a number may be that is dropped.
    """

    function = staticmethod(shrinkage.hardshrink)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__(lambd=lambd)


class Softshrink(_Activation):
    """:func:`tensorgrad.softshrink`.

    Args:
        lambd: what is taken off.
    """

    function = staticmethod(shrinkage.softshrink)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__(lambd=lambd)


class RReLU(_Activation):
    """:func:`tensorgrad.rrelu`: random slopes in training, their mean in evaluation.

    Args:
        lower: the least slope.
        upper: the largest.
        inplace: accepted, and changes nothing.
    """

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__(lower=lower, upper=upper)

    def forward(self, x: Any) -> Any:
        return activations.rrelu(x, self.lower, self.upper, self.training)


class GLU(_Activation):
    """:func:`tensorgrad.glu`: one half of the channels opens or shuts the other.

    Args:
        dim: the axis that is halved.
    """

    function = staticmethod(activations.glu)

    def __init__(self, dim: int = -1) -> None:
        super().__init__(dim=dim)


class _Softmax(_Activation):
    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Any:
        return type(self).function(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_Softmax):
    """:func:`tensorgrad.softmax`: scores as probabilities that sum to 1.

    Args:
        dim: the axis along which they compete.

    Example:
        >>> tg.nn.Softmax()(tg.tensor([[1.0, 1.0], [1e4, -1e4]]))
        Tensor([[0.5, 0.5],
                [1. , 0. ]], dtype=float32, device='cpu')
    """

    function = staticmethod(softmax.softmax)


class LogSoftmax(_Softmax):
    """:func:`tensorgrad.log_softmax`. Argument as of :class:`Softmax`."""

    function = staticmethod(softmax.log_softmax)


class Softmin(_Softmax):
    """:func:`tensorgrad.softmin`. Argument as of :class:`Softmax`."""

    function = staticmethod(softmax.softmin)


class Softmax2d(Module):
    """:func:`tensorgrad.softmax` over the channels, at each place of an image: shape (N, C, H, W) or (C, H, W).

    Raises:
        ValueError: for another number of axes.
    """

    def forward(self, x: Any) -> Any:
        x = asarray(x)
        if x.ndim not in (3, 4):
            raise ValueError(f"Softmax2d takes images (N, C, H, W), or (C, H, W) for one, got shape {x.shape}.")
        return softmax.softmax(x, axis=-3)
