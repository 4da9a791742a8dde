"""The engine: Tensors, ops and their rules, the graph and the walk back through it."""

from tensorgrad.autograd.function import Function
from tensorgrad.autograd.gradient import grad
from tensorgrad.autograd.modes import detect_anomaly, enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from tensorgrad.autograd.operation import op
from tensorgrad.autograd.tensor import Tensor

__all__ = [
    "Function",
    "Tensor",
    "detect_anomaly",
    "enable_grad",
    "grad",
    "is_grad_enabled",
    "no_grad",
    "op",
    "set_grad_enabled",
]
