"""The array of the stand-in: NumPy's numbers, CuPy's manners."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .api import API
from .counting import note_from_host, note_to_host

DTYPES = frozenset("?bhilqBHILQefdFD")
"""The characters of the dtypes that a GPU computes with."""
SCALARS = frozenset({bool, int, float, complex})


def describe(value: Any) -> str:
    """``value`` as error messages call it."""
    if isinstance(value, np.ndarray):
        return f"a NumPy array of shape {value.shape}"
    if isinstance(value, ndarray):
        return f"a device array of shape {value.shape}"
    return f"{type(value).__name__} {reprlib.repr(value)}"


def checked_dtype(dtype: Any, call: str) -> np.dtype:
    """``dtype`` as an object.

    Raises:
        TypeError: if CuPy has no such dtype (objects, strings, long doubles, ...).
    """
    result: np.dtype = np.dtype(dtype)
    if result.char not in DTYPES or not result.isnative:
        raise TypeError(f"{call}: CuPy has no arrays of dtype {result}.")
    return result


def operand(value: Any, call: str) -> Any:
    """The NumPy array in a device array, or a scalar as it is.

    Raises:
        TypeError: if ``value`` is neither: CuPy mixes with no host arrays, lists or foreign objects.
    """
    if type(value) is ndarray:
        return value._array
    if type(value) in SCALARS or (isinstance(value, np.generic) and value.dtype.char in DTYPES):
        return value
    raise TypeError(f"{call}: expected a device array or a number, got {describe(value)}.")


def memory_owner(array: Any) -> Any:
    """The object that owns the memory which a NumPy array looks at."""
    while (base := getattr(array, "base", None)) is not None:
        array = base
    return array


def wrap(array: Any, *sources: ndarray) -> ndarray:
    """A result of NumPy's as a device array; ``sources`` are the arrays that it may be, or be a view of."""
    array = np.asarray(array)
    for source in sources:
        if source._array is array:
            return source
    if array.dtype.char not in DTYPES:
        raise TypeError(f"CuPy has no arrays of dtype {array.dtype}.")
    result = object.__new__(ndarray)
    result._array = array
    result._base = None
    if array.base is not None and sources:
        owner = memory_owner(array)
        for source in sources:
            if memory_owner(source._array) is owner:
                # CuPy names the owner of the memory, however many views lie between.
                result._base = source if source._base is None else source._base
                break
    return result


def poison(array: np.ndarray) -> np.ndarray:
    """Fills fresh memory with what nobody can mistake for a result: a GPU hands out used memory."""
    array.fill(np.nan if array.dtype.kind in "fc" else True if array.dtype.kind == "b" else 77)
    return array


@dataclass(frozen=True)
class Device:
    """The device of every array here."""

    id: int = 0


@dataclass(frozen=True)
class Flags:
    """The three flags that CuPy has; there is no ``writeable``."""

    c_contiguous: bool
    f_contiguous: bool
    owndata: bool

    def __getitem__(self, name: str) -> bool:
        return bool(getattr(self, name.lower()))


class ndarray:
    """An array that only device code may touch.

    Operators and the methods that are functions too (``sum``, ``take``, ...) are given to it in ``namespace.py``.
    """

    __slots__ = ("__weakref__", "_array", "_base")
    __hash__ = None  # type: ignore[assignment]
    __array_priority__ = 100
    # NumPy's ufuncs refuse, and NumPy's operators leave the work to the reflected operator here.
    __array_ufunc__ = None

    _array: np.ndarray
    _base: ndarray | None

    def __new__(cls, shape: Any, dtype: Any = float, *, order: Any = "C") -> ndarray:
        return wrap(poison(np.empty(shape, checked_dtype(dtype, "cupy.ndarray"), order=order)))

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise TypeError("Implicit conversion of a device array to a NumPy array is not allowed; use .get().")

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        raise TypeError(f"numpy.{function.__name__} was called with a device array; call the function of xp.")

    def __getattr__(self, name: str) -> Any:
        known = "which the stand-in does not imitate" if name in API["cupy.ndarray"] else "which CuPy's arrays lack"
        raise AttributeError(f"a device array was asked for {name!r}, {known}.")

    # What it looks like

    shape = property(lambda self: self._array.shape)
    dtype = property(lambda self: self._array.dtype)
    ndim = property(lambda self: self._array.ndim)
    size = property(lambda self: self._array.size)
    strides = property(lambda self: self._array.strides)
    itemsize = property(lambda self: self._array.itemsize)
    nbytes = property(lambda self: self._array.nbytes)
    device = property(lambda self: Device())
    base = property(lambda self: self._base)

    @property
    def flags(self) -> Flags:
        flags = self._array.flags
        return Flags(flags.c_contiguous, flags.f_contiguous, self._base is None)

    def __len__(self) -> int:
        return len(self._array)

    # Views and copies

    @property
    def T(self) -> ndarray:
        return self if self.ndim < 2 else wrap(self._array.T, self)

    @property
    def mT(self) -> ndarray:
        if self.ndim < 2:
            raise ValueError("matrix transpose with ndim < 2 is undefined")
        return wrap(self._array.swapaxes(-1, -2), self)

    @property
    def real(self) -> ndarray:
        return wrap(self._array.real, self)

    @property
    def imag(self) -> ndarray:
        return wrap(self._array.imag, self)

    def view(self, dtype: Any = None) -> ndarray:
        array = self._array
        return wrap(array.view() if dtype is None else array.view(checked_dtype(dtype, "ndarray.view")), self)

    def reshape(self, *shape: Any, order: Any = "C", copy: bool | None = None) -> ndarray:
        array = self._array.reshape(*shape, order=order)
        if copy is False and memory_owner(array) is not memory_owner(self._array):
            raise ValueError("Unable to avoid creating a copy while reshaping.")
        return wrap(array.copy() if copy else array, self)

    def transpose(self, *axes: Any) -> ndarray:
        return wrap(self._array.transpose(*axes), self)

    def flatten(self, order: Any = "C") -> ndarray:
        return wrap(self._array.flatten(order))

    def copy(self, order: Any = "C") -> ndarray:
        return wrap(self._array.copy(order))

    def astype(self, dtype: Any, order: Any = "K", *, copy: bool = True) -> ndarray:
        return wrap(self._array.astype(checked_dtype(dtype, "ndarray.astype"), order, copy=copy), self)

    def __copy__(self) -> ndarray:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> ndarray:
        return self.copy()

    # Changes in place

    def fill(self, value: Any) -> None:
        raw = operand(value, "ndarray.fill")
        if np.ndim(raw):
            raise ValueError("ndarray.fill takes a scalar or an array of shape ().")
        self._array[...] = raw

    def sort(self, axis: int = -1, kind: str | None = None) -> None:
        if kind not in (None, "stable"):
            raise ValueError("kind can only be None or 'stable'")
        self._array.sort(axis, kind="stable")

    def set(self, arr: np.ndarray) -> None:
        note_from_host("ndarray.set")
        self._array[...] = arr

    # To the host

    def get(self, stream: None = None, order: Any = "C", out: np.ndarray | None = None) -> np.ndarray:
        return self._on_host("get", order, out)

    def _on_host(self, call: str, order: Any = "C", out: np.ndarray | None = None) -> np.ndarray:
        note_to_host(f"ndarray.{call}")
        if out is None:
            return np.array(self._array, order=order)
        out[...] = self._array
        return out

    def item(self) -> Any:
        if self.size != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        return self._on_host("item").item()

    def tolist(self) -> Any:
        return self._on_host("tolist").tolist()

    def tobytes(self, order: Any = "C") -> bytes:
        return self._on_host("tobytes").tobytes(order)

    def __bool__(self) -> bool:
        if self.size > 1:
            raise ValueError("The truth value of an array with more than one element is ambiguous.")
        return bool(self.size and self._on_host("__bool__"))

    def __int__(self) -> int:
        return int(self._on_host("__int__"))

    def __float__(self) -> float:
        return float(self._on_host("__float__"))

    def __complex__(self) -> complex:
        return complex(self._on_host("__complex__"))

    def __repr__(self) -> str:
        return repr(self._on_host("__repr__"))

    def __str__(self) -> str:
        return str(self._on_host("__str__"))

    def __format__(self, spec: str) -> str:
        return format(self._on_host("__format__"), spec)

    def __reduce__(self) -> Any:
        return _from_host, (self._on_host("__reduce__", "A"),)

    # Elements

    def __iter__(self) -> Iterator[ndarray]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key: Any) -> ndarray:
        index, advanced = device_index(self, key)
        result = self._array[index]
        return wrap(result.copy()) if advanced else wrap(result, self)

    def __setitem__(self, key: Any, value: Any) -> None:
        raw = operand(value, "x[...] = value")
        index, advanced = device_index(self, key)
        if advanced and np.size(raw) > 1:
            positions = np.arange(self.size).reshape(self.shape)[index]
            if np.unique(positions).size < positions.size:
                raise ValueError("x[indices] = values with repeated indices: on a GPU any of the values may win.")
        self._array[index] = raw


def _from_host(array: np.ndarray) -> ndarray:
    note_from_host("unpickling")
    return wrap(array)


def device_index(array: ndarray, key: Any) -> tuple[tuple[Any, ...], bool]:
    """``key`` for the NumPy array in ``array``, and whether it holds index arrays.

    It ends in ``...``, so that NumPy gives an array of shape () and no scalar.
    As in CuPy, integer arrays wrap around instead of raising, whatever they hold: to look would be to wait. A mask
    makes the host wait for the number of its true elements, in ``x[mask]`` and in ``x[mask] = value``.
    """
    items = [_index_item(item) for item in (key if type(key) is tuple else (key,))]
    if not any(item is Ellipsis for item in items):
        items.append(Ellipsis)
    if not any(type(item) is ndarray for item in items):
        return tuple(items), False
    masks = [item.ndim if type(item) is ndarray and item.dtype.kind == "b" else 1 for item in items]
    given = sum(axes for item, axes in zip(items, masks, strict=True) if item is not None and item is not Ellipsis)
    index: list[Any] = []
    axis = 0
    for item, axes in zip(items, masks, strict=True):
        if item is None:
            axes = 0
        elif item is Ellipsis:
            axes = array.ndim - given
        elif type(item) is ndarray:
            size = array.shape[axis] if axis < array.ndim else 0
            item = item._array % size if size and item.dtype.kind != "b" else item._array
        index.append(item)
        axis += axes
    return tuple(index), True


def _index_item(item: Any) -> Any:
    """One part of an index: a slice, None, ..., a number, or a device array of integers or booleans."""
    if item is None or item is Ellipsis or isinstance(item, slice):
        return item
    if isinstance(item, (bool, np.bool_, list, tuple)):
        host = np.asarray(item, dtype=None if np.size(item) else np.intp)
        if host.ndim:
            note_from_host("x[list]")
        item = wrap(host)
    elif isinstance(item, (int, np.integer)):
        return item
    if type(item) is not ndarray:
        raise TypeError(f"an index is made of numbers, slices and device arrays, not of {describe(item)}.")
    if item.dtype.kind not in "biu":
        raise IndexError(f"arrays used as indices must be of integer or boolean type, not {item.dtype}.")
    if item.dtype.kind == "b":
        note_to_host("x[mask]")
    return item
