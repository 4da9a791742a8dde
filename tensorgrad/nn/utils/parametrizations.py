"""Parametrisations of weights: a length and a direction, a largest singular value of 1."""

from __future__ import annotations

from typing import Any

from tensorgrad import backend
from tensorgrad.autograd import Tensor, versions
from tensorgrad.backend import Array
from tensorgrad.nn import init
from tensorgrad.nn.convolution import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from tensorgrad.nn.module import Module
from tensorgrad.nn.utils.parametrize import register_parametrization
from tensorgrad.ops.creation import empty
from tensorgrad.ops.elementwise import maximum
from tensorgrad.ops.linalg import vecdot, vector_norm
from tensorgrad.ops.shape import moveaxis, reshape

__all__ = ["spectral_norm", "weight_norm"]


class _WeightNorm(Module):
    def __init__(self, dim: int | None) -> None:
        super().__init__()
        self.dim = dim

    def _length(self, v: Tensor) -> Any:
        if self.dim is None:
            return vector_norm(v)
        axes = tuple(axis for axis in range(v.ndim) if axis != self.dim % v.ndim)
        return vector_norm(v, axis=axes, keepdims=True)

    def forward(self, g: Tensor, v: Tensor) -> Any:
        return v * (g / self._length(v))

    def right_inverse(self, weight: Tensor) -> tuple[Any, Tensor]:
        return self._length(weight), weight

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Splits a weight into lengths and directions, ``weight = g * v / norm(v)``, which are learned apart.

    Source: Salimans and Kingma, *Weight Normalization: A Simple Reparameterization to Accelerate Training of Deep
    Neural Networks*, 2016.

    Args:
        module: the layer.
        name: of its weight.
        dim: the axis along which each slice has a length of its own, 0 for one for each output; None, or -1 as in
            PyTorch, for one length in all.

    Returns:
        ``module``. g is its ``parametrizations.<name>.original0``, v its ``original1``.

    Raises:
        ValueError: if it has no such parameter, or that has no such axis.

    Example:
        >>> layer = tg.nn.utils.parametrizations.weight_norm(tg.nn.Linear(4, 3))
        >>> [(name, p.shape) for name, p in layer.named_parameters()][1:]
        [('parametrizations.weight.original0', (3, 1)), ('parametrizations.weight.original1', (3, 4))]
    """
    rank = getattr(module, name).ndim if hasattr(module, name) else 1
    if dim is not None and not -rank <= dim < rank:
        raise ValueError(f"weight_norm(): {name!r} has {rank} axes, dim is one of them or None, not {dim}.")
    return register_parametrization(module, name, _WeightNorm(None if dim == -1 else dim))


class _SpectralNorm(Module):
    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float) -> None:
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise ValueError(f"spectral_norm(): the weight has {weight.ndim} axes, dim is one of them, not {dim}.")
        if n_power_iterations < 1:
            raise ValueError(f"spectral_norm(): n_power_iterations is 1 or more, got {n_power_iterations}.")
        self.dim, self.eps, self.n_power_iterations = dim, eps, n_power_iterations
        if weight.ndim > 1:
            for buffer, length in zip(("_u", "_v"), self._matrix(weight).shape, strict=True):
                start = init.normal_(empty(length, dtype=weight.dtype, device=weight.device))
                start.data[...] = _normalized(start.data, eps)
                self.register_buffer(buffer, start)
            # So that the first estimate is a good one, for layers that are never trained.
            self._iterate(self._matrix(weight).data, 15)

    def _matrix(self, weight: Tensor) -> Any:
        """The weight with a row for each slice along ``dim``."""
        rows = moveaxis(weight, self.dim, 0)
        return reshape(rows, (rows.shape[0], -1))

    def _iterate(self, matrix: Array, times: int) -> None:
        """Takes u and v nearer to the first singular vectors."""
        u, v = self._u.data, self._v.data
        for _ in range(times):
            u[...] = _normalized(matrix @ v, self.eps)
            v[...] = _normalized(matrix.T @ u, self.eps)
        for array in (u, v):
            versions.mark(array, "spectral_norm")

    def forward(self, weight: Tensor) -> Any:
        if weight.ndim == 1:
            return weight / maximum(vector_norm(weight), self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix.data, self.n_power_iterations)
        # Copies: the next forward changes these, and may come before this one's backward.
        return weight / vecdot(self._u.clone(), matrix @ self._v.clone())

    def right_inverse(self, weight: Tensor) -> Tensor:
        return weight

    def extra_repr(self) -> str:
        return f"dim={self.dim}, n_power_iterations={self.n_power_iterations}, eps={self.eps}"


def _normalized(x: Array, eps: float) -> Array:
    xp = backend.namespace(x)
    return x / xp.maximum(xp.sqrt(xp.sum(x * x)), eps)


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divides a weight, seen as a matrix, by its largest singular value, so that the layer stretches nothing.

    The value is estimated by power iteration, which in training goes on each time that the weight is asked for. The
    gradient is the estimate's, with the singular vectors held fixed: check it in evaluation, where they stay. A vector
    is divided by its norm.

    Source: Miyato, Kataoka, Koyama and Yoshida, *Spectral Normalization for Generative Adversarial Networks*, 2018.

    Args:
        module: the layer.
        name: of its weight.
        n_power_iterations: how many iterations each time.
        eps: norms below it are taken for it.
        dim: the axis of the rows; by default that of the outputs: 1 for transposed convolutions, 0 for the rest.

    Returns:
        ``module``; the weight as it was is its ``parametrizations.<name>.original``.

    Raises:
        ValueError: if it has no such parameter, or options are out of range.

    Example:
        >>> layer = tg.nn.Linear(4, 3)
        >>> layer = tg.nn.utils.parametrizations.spectral_norm(layer, n_power_iterations=50)
        >>> round(float(np.linalg.norm(layer.weight.detach().numpy(), 2)), 4)
        1.0
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"{type(module).__name__} has no parameter {name!r}.")
    if dim is None:
        dim = 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0
    return register_parametrization(module, name, _SpectralNorm(weight.detach(), n_power_iterations, dim, eps))
