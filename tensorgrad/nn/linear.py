"""Fully connected layers."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad.nn import init
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.ops.creation import asarray, empty
from tensorgrad.ops.linalg import bilinear, linear


def reset_uniform(weight: Parameter, bias: Parameter | None) -> None:
    """PyTorch's first values of linear and convolutional layers: uniform within 1 / sqrt(fan_in)."""
    init.kaiming_uniform_(weight, a=math.sqrt(5))
    if bias is not None:
        bound = 1 / math.sqrt(max(init.fans(weight)[0], 1))
        init.uniform_(bias, -bound, bound)


class Linear(Module):
    """A fully connected layer: ``x @ weight.T + bias``. Keras calls it Dense.

    Shape: input (..., in_features), output (..., out_features).

    Args:
        in_features: how many numbers come in.
        out_features: how many go out.
        bias: whether to add one.
        device: where the parameters are.
        dtype: of the parameters, float32 by default.

    Attributes:
        weight: shape (out_features, in_features), at first uniform within 1 / sqrt(in_features).
        bias: shape (out_features,), at first uniform within the same bounds; or None.

    Raises:
        ValueError: for negative numbers; when called, for an input whose last axis is not in_features long.

    Example:
        >>> layer = tg.nn.Linear(3, 2)
        >>> layer(tg.ones((5, 3))).shape
        (5, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__()
        if min(in_features, out_features) < 0:
            raise ValueError(f"Linear: in_features={in_features} and out_features={out_features} are 0 or more.")
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty((out_features, in_features), dtype=dtype, device=device))
        self.register_parameter("bias", Parameter(empty(out_features, dtype=dtype, device=device)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new values for weight and bias."""
        reset_uniform(self.weight, self.bias)

    def forward(self, x: Any) -> Any:
        x = asarray(x)
        if not x.shape or x.shape[-1] != self.in_features:
            self._refuse(x, f"(..., {self.in_features})")
        return linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """Products of two inputs: ``x1 @ weight[o] @ x2 + bias[o]`` for each output o.

    Shape: inputs (..., in1_features) and (..., in2_features), output (..., out_features).

    Args:
        in1_features: how many numbers come in first.
        in2_features: and second.
        out_features: how many go out.
        bias: whether to add one.
        device: where the parameters are.
        dtype: of the parameters, float32 by default.

    Attributes:
        weight: shape (out_features, in1_features, in2_features), at first uniform within 1 / sqrt(in1_features).
        bias: shape (out_features,), at first uniform within the same bounds; or None.

    Example:
        >>> tg.nn.Bilinear(3, 4, 2)(tg.ones((5, 3)), tg.ones((5, 4))).shape
        (5, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if min(in1_features, in2_features, out_features) < 1:
            raise ValueError(f"Bilinear needs sizes of 1 or more, got {in1_features}, {in2_features}, {out_features}.")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        shape = (out_features, in1_features, in2_features)
        self.weight = Parameter(empty(shape, dtype=dtype, device=device))
        self.register_parameter("bias", Parameter(empty(out_features, dtype=dtype, device=device)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new values for weight and bias."""
        bound = 1 / math.sqrt(self.in1_features)
        for parameter in (self.weight, self.bias):
            if parameter is not None:
                init.uniform_(parameter, -bound, bound)

    def forward(self, x1: Any, x2: Any) -> Any:
        return bilinear(x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        sizes = f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}"
        return f"{sizes}, bias={self.bias is not None}"
