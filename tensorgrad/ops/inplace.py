"""In-place updates: ``x += y`` and ``x[i] = v``.

Outside any graph they change the memory of ``x``, as NumPy does, and are counted. Inside a graph ``x += y`` is
``x = x + y``, and ``x[i] = v`` is refused, since others may need the old values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad import backend
from tensorgrad.autograd import Tensor, is_grad_enabled, versions
from tensorgrad.autograd.conversion import to_array
from tensorgrad.autograd.graph import Leaf
from tensorgrad.errors import DeviceError, GradientError
from tensorgrad.ops.indexing import plain_key


def _refuse_leaf(x: Tensor, form: str) -> None:
    if isinstance(x._node, Leaf):
        raise GradientError(
            f"a leaf that requires a gradient cannot be changed in place by {form}: do it under tg.no_grad(), as an "
            f"optimizer does, or write the out-of-place form and use its result."
        )


def _value(value: Any, x: Tensor) -> Any:
    """What is to be put into ``x``, as its library takes it."""
    if isinstance(value, Tensor):
        value = value._data
    elif isinstance(value, (bool, int, float, complex)):
        return value
    array = to_array(value)
    if backend.device_of(array) != x.device:
        if backend.of(value) is not None:
            raise DeviceError(
                f"values on {backend.device_of(array)!r} for a tensor on {x.device!r}: move them, as in "
                f"v.to({x.device!r})."
            )
        array = backend.transfer(array, x.device)
    return array


def update(symbol: str, name: str, function: Callable[[Any, Any], Any]) -> Callable[[Tensor, Any], Any]:
    """The method behind ``x <symbol>= y``.

    Args:
        symbol: the operator, ``"+"``.
        name: the ufunc of that name does it in place.
        function: the op that does it out of place.
    """

    def method(self: Tensor, other: Any) -> Any:
        wanted = self.requires_grad or (isinstance(other, Tensor) and other.requires_grad)
        if wanted and is_grad_enabled():
            _refuse_leaf(self, f"{symbol}=")
            return function(self, other)
        value = _value(other, self)
        getattr(backend.namespace(self._data), name)(self._data, value, out=self._data, casting="same_kind")
        versions.mark(self._data, f"{symbol}=")
        return self

    return method


def _refuse_graph(x: Tensor, value: Any, form: str, instead: str) -> None:
    if is_grad_enabled() and (x.requires_grad or (isinstance(value, Tensor) and value.requires_grad)):
        _refuse_leaf(x, form)
        raise GradientError(f"{form} inside a graph would change values that gradients may need. {instead}")


def _put(x: Tensor, key: Any, value: Any, form: str, instead: str) -> Tensor:
    """Does ``x[key] = value``, as NumPy, for the user's ``form`` of it; says in a graph what to do ``instead``."""
    _refuse_graph(x, value, form, instead)
    key, value = plain_key(key, x), _value(value, x)
    x._data[key] = value
    versions.mark(_part(x._data, key), form)
    return x


def _part(array: Any, key: Any) -> Any:
    """The part of an array that a key names, as a view; all of it, where the key is more than slices and integers."""
    key = key if isinstance(key, tuple) else (key,)
    if any(isinstance(index, bool) or hasattr(index, "dtype") for index in key):
        return array
    return array[key] if any(index is Ellipsis for index in key) else array[(*key, ...)]


def setitem(self: Tensor, key: Any, value: Any) -> None:
    """``x[key] = value``, as NumPy."""
    _put(self, key, value, "x[i] = v", "Write x = tg.index_put(x, i, v), or x = tg.where(mask, v, x).")


def fill_(self: Tensor, value: Any) -> Tensor:
    """Sets all elements to ``value``, in place."""
    return _put(self, ..., value, "fill_()", "Write x = tg.full_like(x, value), or do it under tg.no_grad().")


def zero_(self: Tensor) -> Tensor:
    """Sets all elements to 0, in place."""
    clear = "Write x = tg.zeros_like(x), or do it under tg.no_grad(); to clear a gradient, x.grad = None."
    return _put(self, ..., 0, "zero_()", clear)


def copy_(self: Tensor, other: Any) -> Tensor:
    """Takes over the values of ``other``, which broadcasts and is converted, in place."""
    return _put(self, ..., other, "copy_()", "Write x = other.to(x.dtype), or do it under tg.no_grad().")


def _computed(x: Tensor, other: Any, form: str, ufunc: str, symbol: str, alpha: float = 1) -> Tensor:
    """Does ``x <symbol>= alpha * other`` in the memory of ``x``, and never as ``x = x <symbol> other``."""
    _refuse_graph(x, other, form, f"Write x = x {symbol} y, or do it under tg.no_grad().")
    value = _value(other, x)
    value = value if alpha == 1 else alpha * value
    getattr(backend.namespace(x._data), ufunc)(x._data, value, out=x._data, casting="same_kind")
    versions.mark(x._data, form)
    return x


def add_(self: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """Adds ``alpha * other``, in place."""
    return _computed(self, other, "add_()", "add", "+", alpha)


def sub_(self: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """Subtracts ``alpha * other``, in place."""
    return _computed(self, other, "sub_()", "subtract", "-", alpha)


def mul_(self: Tensor, other: Any) -> Tensor:
    """Multiplies by ``other``, in place."""
    return _computed(self, other, "mul_()", "multiply", "*")


def div_(self: Tensor, other: Any) -> Tensor:
    """Divides by ``other``, in place."""
    return _computed(self, other, "div_()", "divide", "/")


def clamp_(self: Tensor, min: float | None = None, max: float | None = None) -> Tensor:
    """Puts what is less than ``min``, or more than ``max``, there, in place."""
    _refuse_graph(self, None, "clamp_()", "Write x = x.clamp(min, max), or do it under tg.no_grad().")
    backend.namespace(self._data).clip(self._data, min, max, out=self._data)
    versions.mark(self._data, "clamp_()")
    return self
