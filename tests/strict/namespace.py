"""The namespaces of the stand-in, made of what CuPy and NumPy both have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import creation
from .api import API, VERSION
from .arrays import ndarray, poison
from .functions import Function, method
from .ufuncs import UFUNCS, operators, ufunc, unary

LEFT_OUT = """
    apply_along_axis apply_over_axes array2string array_repr array_str base_repr binary_repr format_float_positional
    format_float_scientific from_dlpack frombuffer fromfile fromfunction fromiter fromstring genfromtxt in1d load
    loadtxt mask_indices piecewise poly polyadd polyfit polymul polysub polyval require roots row_stack save savetxt
    savez savez_compressed show_config trapz
"""
"""Functions that write, read, print or call back, or that NumPy is giving up: the stand-in does without."""


def _clip(a: np.ndarray, a_min: Any = None, a_max: Any = None, out: Any = None) -> np.ndarray:
    if a.dtype.kind == "c":
        raise TypeError("cupy.clip has no loop for complex numbers.")
    return np.clip(a, a_min, a_max, out=out)


def _where(condition: np.ndarray, x: Any = None, y: Any = None) -> Any:
    if (x is None) != (y is None):
        raise ValueError("cupy.where needs both 'x' and 'y', or neither.")
    return np.nonzero(condition) if x is None else np.where(condition, x, y)


def _take_along_axis(a: np.ndarray, indices: np.ndarray, axis: int | None) -> np.ndarray:
    size = a.size if axis is None else a.shape[axis]
    return np.take_along_axis(a, indices % size if size and indices.dtype.kind != "b" else indices, axis)


def _windows(x: np.ndarray, window_shape: Any, axis: Any = None, subok: bool = False, writeable: bool = False) -> Any:
    if writeable:
        raise NotImplementedError("Writeable views are not supported.")
    return np.lib.stride_tricks.sliding_window_view(x, window_shape, axis)


def _like(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    def call(*args: Any, shape: Any = None, subok: None = None, **options: Any) -> np.ndarray:
        if subok is not None:
            raise TypeError("subok is not supported by CuPy.")
        # CuPy takes an empty shape for none at all.
        return function(*args, shape=shape or None, **options)

    return call


def _stable(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    def call(a: np.ndarray, axis: int | None = -1, kind: str | None = None) -> np.ndarray:
        if kind not in (None, "stable"):
            raise ValueError("kind can only be None or 'stable'")
        return function(a, axis, kind="stable")

    return call


def _array_of(function: Callable[..., Any]) -> Callable[..., np.ndarray]:
    return lambda *args, **options: np.asarray(function(*args, **options))


def _with(function: Callable[..., Any], **defaults: Any) -> Callable[..., Any]:
    return lambda *args, **options: function(*args, **(defaults | options))


IMPLEMENTATIONS: dict[str, Callable[..., Any]] = {
    # CuPy gives arrays where NumPy gives Python's numbers
    "allclose": _array_of(np.allclose),
    "array_equal": _array_of(np.array_equal),
    "array_equiv": _array_of(np.array_equiv),
    "count_nonzero": _array_of(np.count_nonzero),
    # CuPy has other defaults or options
    "argsort": _stable(np.argsort),
    "astype": lambda x, dtype, copy=True: x.astype(dtype, copy=copy),
    "clip": _clip,
    "empty": lambda *args, **options: poison(np.empty(*args, **options)),
    "empty_like": _like(lambda *args, **options: poison(np.empty_like(*args, **options))),
    "full_like": _like(np.full_like),
    "ones_like": _like(np.ones_like),
    "pinv": _with(np.linalg.pinv, rcond=1e-15),
    "sliding_window_view": _windows,
    "sort": _stable(np.sort),
    "where": _where,
    "zeros_like": _like(np.zeros_like),
    "ndarray.clip": lambda a, min=None, max=None, out=None: _clip(a, min, max, out),
    "ndarray.compress": lambda a, condition, **options: np.compress(condition, a, **options),
    # CuPy's indices wrap around
    "put": _with(np.put, mode="wrap"),
    "ravel_multi_index": _with(np.ravel_multi_index, mode="wrap"),
    "take": _with(np.take, mode="wrap"),
    "take_along_axis": _take_along_axis,
}
"""What stands behind a function of CuPy's that NumPy's function of the same name does not give exactly."""


def members(name: str, source: Any) -> dict[str, Any]:
    """What the namespace ``name`` of CuPy's and the one of NumPy's both have."""
    found: dict[str, Any] = {}
    for member, entry in API[name].items():
        if not hasattr(source, member):
            continue
        if entry["kind"] == "numpy":
            found[member] = getattr(source, member)
        elif entry["kind"] == "function" and member not in LEFT_OUT.split():
            implementation = IMPLEMENTATIONS.get(member, getattr(source, member))
            found[member] = Function(f"{name}.{member}", entry["signature"], implementation)
    return found


def methods() -> dict[str, Callable[..., Any]]:
    """The methods of CuPy's arrays that are NumPy's functions of the same name."""
    found: dict[str, Callable[..., Any]] = {name: unary(UFUNCS[name]) for name in ("conj", "conjugate")}
    for name, entry in API["cupy.ndarray"].items():
        # NumPy's functions change nothing in place.
        if entry["kind"] == "method" and hasattr(np, name) and name not in ("partition", *found, *vars(ndarray)):
            signature = "(a, " + entry["signature"][1:]
            implementation = IMPLEMENTATIONS.get(f"ndarray.{name}") or IMPLEMENTATIONS.get(name, getattr(np, name))
            found[name] = method(Function(f"ndarray.{name}", signature, implementation))
    return found


class Namespace:
    """A namespace below the main one."""

    def __init__(self, name: str, **found: Any) -> None:
        self.__name__ = name
        vars(self).update(found)

    def __getattr__(self, name: str) -> Any:
        raise missing(self.__name__, name)


def missing(namespace: str, name: str) -> AttributeError:
    """The error for a name that the stand-in does not have."""
    if name in API.get(namespace, ()):
        return AttributeError(
            f"CuPy has {namespace}.{name}, but the stand-in does not imitate it, or this NumPy has nothing like it."
        )
    return AttributeError(f"CuPy {VERSION} has no {namespace}.{name}: use functions that NumPy and CuPy both have.")


def main_namespace() -> dict[str, Any]:
    """The names of ``cupy``. Gives the arrays their operators and methods."""
    found = members("cupy", np) | UFUNCS
    for name, function in (methods() | operators(found["matmul"])).items():
        setattr(ndarray, name, function)
    tricks = Namespace("cupy.lib.stride_tricks", **members("cupy.lib.stride_tricks", np.lib.stride_tricks))
    return (
        found
        | {
            name: getattr(creation, name)
            for name in ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "asnumpy")
        }
        | {
            "exceptions": Namespace("cupy.exceptions", **members("cupy.exceptions", np.exceptions)),
            "fft": Namespace("cupy.fft", **members("cupy.fft", np.fft)),
            "lib": Namespace("cupy.lib", stride_tricks=tricks),
            "linalg": Namespace("cupy.linalg", **members("cupy.linalg", np.linalg)),
            "ndarray": ndarray,
            "ufunc": ufunc,
        }
    )
