"""The element-wise functions of the stand-in, and the operators that they give to its arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .api import API
from .arrays import SCALARS, checked_dtype, describe, device_index, ndarray, operand, wrap

AT_DTYPES = {
    "add": "ilqILQefd",
    "sub": "iI",
    "max": "ilqILQfd",
    "min": "ilqILQfd",
    "and": "ilqILQ",
    "or": "ilqILQ",
    "xor": "ilqILQ",
}
"""What the atomic operations behind ``ufunc.at`` can do (CuPy's ``_routines_indexing.pyx``)."""
REDUCING = ("add", "multiply")
"""The ufuncs that have ``reduce`` and ``accumulate`` (CuPy's ``_kernel.pyx``)."""
KINDS = "biufc"


class ufunc:
    """One element-wise function with the loops and options that CuPy's has."""

    def __init__(self, name: str) -> None:
        entry = API["cupy"][name]
        self.name = self.__name__ = name
        self.nin: int = entry["nin"]
        self._call = f"cupy.{name}"
        self._loops = [tuple(loop.split("->")) for loop in entry["loops"].split()]
        self._at: str | None = entry.get("at")
        self._function = getattr(np, name)
        # CuPy's results are in C order whatever the inputs are; three of its ufuncs are plain functions in NumPy.
        self._layout: dict[str, Any] = {"order": "C"} if isinstance(self._function, np.ufunc) else {}
        self._dtypes: dict[Any, np.dtype] = {}

    def __repr__(self) -> str:
        return f"<ufunc 'cupy_{self.name}'>"

    def __call__(self, *args: Any, out: Any = None, **options: Any) -> Any:
        inputs, outputs = args[: self.nin], args[self.nin :]
        if len(inputs) < self.nin:
            raise TypeError(f"{self._call} takes {self.nin} inputs, got {len(inputs)}.")
        for name in options:
            if name not in ("dtype", "casting"):
                raise TypeError(f"{self._call} has no parameter {name!r}: it has 'out', 'dtype' and 'casting'.")
        if out is not None:
            outputs = out if isinstance(out, tuple) else (out,)
        raw = [operand(value, self._call) for value in inputs]
        targets = tuple(self._target(value) for value in outputs)
        options = {name: value for name, value in options.items() if value is not None} | self._layout
        if targets:
            options["out"] = targets
        if "dtype" in options:
            checked_dtype(options["dtype"], self._call)
            dtype = None
        else:
            dtype = self._result_dtype(tuple(type(x) if type(x) in SCALARS else x.dtype for x in raw))
        with np.errstate(all="ignore"):
            result = self._function(*raw, **options)
        if isinstance(result, tuple):
            return tuple(wrap(part, *_arrays(outputs)) for part in result)
        if dtype is not None and result.dtype != dtype and not targets:
            result = np.asarray(result, dtype)
        return wrap(result, *_arrays(outputs))

    def _target(self, value: Any) -> np.ndarray | None:
        if value is not None and type(value) is not ndarray:
            raise TypeError(f"{self._call}: 'out' must be a device array, got {describe(value)}.")
        return None if value is None else value._array

    def _result_dtype(self, key: tuple[Any, ...]) -> np.dtype:
        """The dtype of CuPy's result for such inputs: dtypes, or Python's scalar types."""
        if key not in self._dtypes:
            self._dtypes[key] = np.dtype(self._loop(key)[0])
        return self._dtypes[key]

    def _loop(self, key: tuple[Any, ...]) -> str:
        """The characters of the output dtypes of the first of CuPy's loops that takes these inputs."""
        dtypes = [np.dtype(kind) for kind in key]
        arrays = [KINDS.index(kind.kind) for kind in key if not isinstance(kind, type)]
        scalars = [KINDS.index(np.dtype(kind).kind) for kind in key if isinstance(kind, type)]
        # A Python number takes the dtype of the arrays unless it is of a higher kind than all of them.
        weak = bool(arrays and scalars) and _rank(max(arrays)) >= _rank(max(scalars))
        for inputs, outputs in self._loops:
            for kind, dtype, char in zip(key, dtypes, inputs, strict=True):
                follows = weak and isinstance(kind, type) and kind is not bool
                fits = np.result_type(kind(0), char) == np.dtype(char) if follows else np.can_cast(dtype, char)
                if not fits:
                    break
            else:
                return outputs
        raise TypeError(f"{self._call} has no loop for {', '.join(map(str, dtypes))}.")

    def outer(self, A: Any, B: Any, **options: Any) -> Any:
        """The function of every pair of an element of ``A`` and one of ``B``."""
        return self(A.reshape(A.shape + (1,) * B.ndim), B, **options)

    def at(self, a: ndarray, indices: Any, b: Any = None) -> None:
        """``a[indices] = self(a[indices], b)`` with every repeated index counted."""
        if self._at is None:
            raise NotImplementedError(f"{self._call}.at is not supported by CuPy.")
        if type(a) is not ndarray:
            raise TypeError(f"{self._call}.at changes a device array, got {describe(a)}.")
        raw = operand(b, f"{self._call}.at")
        index, advanced = device_index(a, indices)
        masked = any(isinstance(item, np.ndarray) and item.dtype.kind == "b" for item in index)
        if advanced and not masked and a.dtype.char not in AT_DTYPES[self._at]:
            raise TypeError(f"{self._call}.at works on {AT_DTYPES[self._at]!r} (dtype characters), not on {a.dtype}.")
        self._function.at(a._array, index, np.asarray(raw).astype(a.dtype, copy=False))

    def reduce(self, array: ndarray, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """The function over the elements along ``axis``."""
        options = {"dtype": dtype, "out": self._target(out), "keepdims": keepdims}
        return self._along("reduce", array, axis, out, **options)

    def accumulate(self, array: ndarray, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        """The partial results of :meth:`reduce`."""
        return self._along("accumulate", array, axis, out, dtype=dtype, out=self._target(out))

    def _along(self, method: str, array: Any, axis: Any, target: Any, /, **options: Any) -> ndarray:
        if self.name not in REDUCING:
            raise NotImplementedError(f"{self._call}.{method} is not supported by CuPy.")
        with np.errstate(all="ignore"):
            result = getattr(self._function, method)(operand(array, f"{self._call}.{method}"), axis=axis, **options)
        return wrap(result, *_arrays((target,)))


def _rank(kind: int) -> int:
    """Booleans, integers, everything with a fraction."""
    return (0, 1, 1, 2, 2)[kind]


def _arrays(values: tuple[Any, ...]) -> tuple[ndarray, ...]:
    return tuple(value for value in values if type(value) is ndarray)


UFUNCS = {name: ufunc(name) for name, entry in API["cupy"].items() if entry["kind"] == "ufunc" and hasattr(np, name)}


def _forward(function: Callable[..., Any], swapped: bool = False) -> Callable[[ndarray, Any], Any]:
    """The method of a binary operator, or of its reflected form."""

    def method(self: ndarray, other: Any) -> Any:
        # A NumPy array is let through to be refused by name; anything else may know what to do with an array itself.
        if type(other) in SCALARS or isinstance(other, (ndarray, np.ndarray, np.generic)):
            return function(other, self) if swapped else function(self, other)
        return NotImplemented

    return method


def _power(x: Any, y: Any) -> Any:
    """The operator ``**``, which has functions of its own for the commonest exponents, in NumPy and in CuPy."""
    special = {2: "square", 0.5: "sqrt", -1: "reciprocal"}
    if type(x) is ndarray and x.dtype.kind in "fc" and type(y) in (int, float) and y in special:
        return UFUNCS[special[y]](x)
    return UFUNCS["power"](x, y)


def _in_place(function: ufunc) -> Callable[[ndarray, Any], ndarray]:
    return lambda self, other: function(self, other, out=self)


def unary(function: ufunc) -> Callable[[ndarray], ndarray]:
    """The method of an operator with one operand."""
    return lambda self: function(self)


OPERATORS = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "divmod": "divmod",
    "pow": "power",
    "lshift": "left_shift",
    "rshift": "right_shift",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
}
COMPARISONS = {
    "lt": "less",
    "le": "less_equal",
    "eq": "equal",
    "ne": "not_equal",
    "gt": "greater",
    "ge": "greater_equal",
}
UNARY = {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}


def operators(matmul: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """Every operator's method, by its special name."""
    methods: dict[str, Callable[..., Any]] = {"__matmul__": _forward(matmul), "__rmatmul__": _forward(matmul, True)}
    for name, function in OPERATORS.items():
        methods[f"__{name}__"] = _forward(UFUNCS[function])
        methods[f"__r{name}__"] = _forward(UFUNCS[function], swapped=True)
        if name != "divmod":
            methods[f"__i{name}__"] = _in_place(UFUNCS[function])
    methods["__pow__"] = _forward(_power)
    methods |= {f"__{name}__": _forward(UFUNCS[function]) for name, function in COMPARISONS.items()}
    methods |= {f"__{name}__": unary(UFUNCS[function]) for name, function in UNARY.items()}
    return methods
