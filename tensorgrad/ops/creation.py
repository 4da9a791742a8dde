"""New tensors: from data, filled with a value, or counting up.

Where no dtype is given it is float32 for floats, int64 for integers and bool for booleans. ``device`` is
``"cpu"``, ``"cuda"``, ``"cuda:1"``, ...
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor
from tensorgrad.autograd.conversion import DEFAULT_FLOAT, as_dtype, to_array
from tensorgrad.ops.casting import clone, to
from tensorgrad.ops.geometry import integers

__all__ = [
    "arange",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "from_numpy",
    "full",
    "full_like",
    "linspace",
    "meshgrid",
    "ones",
    "ones_like",
    "tensor",
    "zeros",
    "zeros_like",
]

Shape = int | Sequence[int]


def tensor(data: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """A new tensor with a copy of ``data``, outside any graph.

    Args:
        data: a number, a nested sequence of numbers, an array, or a Tensor. Arrays keep their dtype and device
            unless others are asked for.
        dtype: the dtype wanted.
        device: the device wanted.
        requires_grad: whether gradients with respect to the tensor are wanted.

    Example:
        >>> tg.tensor([1, 2.5])
        Tensor([1. , 2.5], dtype=float32, device='cpu')
    """
    bare = data._data if isinstance(data, Tensor) else data
    return Tensor(to_array(bare, dtype, device, copy=True), requires_grad=requires_grad)


def asarray(obj: Any, /, *, dtype: Any = None, device: str | None = None, copy: bool | None = None) -> Tensor:
    """``obj`` as a Tensor, without a copy where none is needed. A Tensor stays itself, on its graph.

    Args:
        obj: what :func:`tensor` takes.
        dtype: the dtype wanted.
        device: the device wanted.
        copy: True always copies; False raises ValueError where a copy is needed.

    Example:
        >>> x = tg.tensor([1.0], requires_grad=True)
        >>> tg.asarray(x) is x
        True
    """
    if isinstance(obj, Tensor):
        result = to(obj, dtype=dtype, device=device)
        if copy:
            return clone(obj) if result is obj else result
        same = result is obj
    else:
        result = Tensor(to_array(obj, dtype, device, copy=bool(copy)))
        same = copy is not False or (backend.of(obj) is not None and np.shares_memory(result.numpy(), obj))
    if copy is False and not same:
        raise ValueError(f"asarray(copy=False) of {type(obj).__name__}: another dtype or device needs a copy.")
    return result


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor that shares the memory of a NumPy array.

    Example:
        >>> import numpy as np
        >>> tg.from_numpy(np.array([1.0, 2.0]))
        Tensor([1., 2.], dtype=float64, device='cpu')
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy() takes a NumPy array, got {type(array).__name__}.")
    return Tensor(array)


def from_dlpack(x: Any, /, *, device: str | None = None, copy: bool | None = None) -> Tensor:
    """A tensor around the memory of another library's array that speaks DLPack.

    Example:
        >>> import numpy as np
        >>> tg.from_dlpack(np.array([1.0, 2.0]))
        Tensor([1., 2.], dtype=float64, device='cpu')
    """
    kind, _ = x.__dlpack_device__()
    library = backend.for_device("cpu" if kind == 1 else "cuda")
    return asarray(library.xp.from_dlpack(x), device=device, copy=copy)


def _new(make: str, device: str | None, *args: Any, requires_grad: bool = False, **options: Any) -> Tensor:
    """An array made by the function called ``make`` of the device's library."""
    device = backend.canonical_device("cpu" if device is None else device)
    library = backend.for_device(device)
    array = getattr(library.xp, make)(*args, **options)
    return Tensor(backend.transfer(array, device), requires_grad=requires_grad)


def _float(dtype: Any) -> np.dtype[Any]:
    return as_dtype(dtype) or DEFAULT_FLOAT


def _shape(lengths: tuple[Any, ...], shape: Shape | None) -> Any:
    """``zeros(2, 3)`` as well as ``zeros((2, 3))`` and ``zeros(shape=(2, 3))``."""
    if shape is None:
        return integers(lengths[0] if len(lengths) == 1 else lengths)
    if lengths:
        raise TypeError(f"the shape was given twice: as {lengths} and as shape={shape}.")
    return integers(shape)


def _number(value: Any) -> Any:
    """A Python number, of one or of an array or Tensor with one element."""
    return value.item() if hasattr(value, "item") else value


def zeros(
    *lengths: Any, shape: Shape | None = None, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Zeros; the shape as a tuple, one by one, or by its name.

    Example:
        >>> tg.zeros((1, 2))
        Tensor([[0., 0.]], dtype=float32, device='cpu')
    """
    return _new("zeros", device, _shape(lengths, shape), dtype=_float(dtype), requires_grad=requires_grad)


def ones(
    *lengths: Any, shape: Shape | None = None, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Ones; the shape as for :func:`zeros`.

    Example:
        >>> tg.ones(2)
        Tensor([1., 1.], dtype=float32, device='cpu')
    """
    return _new("ones", device, _shape(lengths, shape), dtype=_float(dtype), requires_grad=requires_grad)


def empty(
    *lengths: Any, shape: Shape | None = None, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor whose values are whatever was in memory; the shape as for :func:`zeros`.

    Example:
        >>> tg.empty((2, 3)).shape
        (2, 3)
    """
    return _new("empty", device, _shape(lengths, shape), dtype=_float(dtype), requires_grad=requires_grad)


def full(
    shape: Shape, fill_value: Any, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """One value everywhere; its kind gives the dtype, unless one is given.

    Example:
        >>> tg.full(2, 0.5)
        Tensor([0.5, 0.5], dtype=float32, device='cpu')
    """
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    dtype = as_dtype(dtype) or to_array(fill_value if not isinstance(fill_value, Tensor) else fill_value._data).dtype
    return _new("full", device, integers(shape), value, dtype=dtype, requires_grad=requires_grad)


def zeros_like(x: Any, /, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Zeros in the shape, dtype and device of ``x``.

    Example:
        >>> tg.zeros_like(tg.tensor([1, 2]))
        Tensor([0, 0], dtype=int64, device='cpu')
    """
    return _like("zeros_like", x, dtype, device, requires_grad)


def ones_like(x: Any, /, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Ones in the shape, dtype and device of ``x``.

    Example:
        >>> tg.ones_like(tg.tensor([1, 2]))
        Tensor([1, 1], dtype=int64, device='cpu')
    """
    return _like("ones_like", x, dtype, device, requires_grad)


def empty_like(x: Any, /, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Whatever was in memory, in the shape, dtype and device of ``x``.

    Example:
        >>> tg.empty_like(tg.ones((2, 3))).shape
        (2, 3)
    """
    return _like("empty_like", x, dtype, device, requires_grad)


def full_like(
    x: Any, /, fill_value: Any, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """One value everywhere, in the shape, dtype and device of ``x``.

    Example:
        >>> tg.full_like(tg.ones(2), 7)
        Tensor([7., 7.], dtype=float32, device='cpu')
    """
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    return _like("full_like", x, dtype, device, requires_grad, value)


def _like(make: str, x: Any, dtype: Any, device: str | None, requires_grad: bool, *args: Any) -> Tensor:
    bare = to_array(x._data if isinstance(x, Tensor) else x)
    array = getattr(backend.namespace(bare), make)(bare, *args, dtype=as_dtype(dtype))
    return Tensor(array, device=device, requires_grad=requires_grad)


def arange(
    start: Any,
    /,
    stop: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from ``start`` (or 0) to before ``stop``, ``step`` apart.

    Example:
        >>> tg.arange(3)
        Tensor([0, 1, 2], dtype=int64, device='cpu')
    """
    if stop is None:
        start, stop = 0, start
    start, stop, step = map(_number, (start, stop, step))
    if dtype is None and any(isinstance(value, float) for value in (start, stop, step)):
        dtype = DEFAULT_FLOAT
    return _new("arange", device, start, stop, step, dtype=as_dtype(dtype), requires_grad=requires_grad)


def linspace(
    start: Any,
    stop: Any,
    /,
    num: int,
    *,
    dtype: Any = None,
    device: str | None = None,
    endpoint: bool = True,
    requires_grad: bool = False,
) -> Tensor:
    """``num`` numbers at equal distances from ``start`` to ``stop``, which is one of them if ``endpoint``.

    Example:
        >>> tg.linspace(0, 1, 5)
        Tensor([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32, device='cpu')
    """
    ends = _number(start), _number(stop)
    return _new("linspace", device, *ends, num, endpoint=endpoint, dtype=_float(dtype), requires_grad=requires_grad)


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: Any = None,
    device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones on the ``k``-th diagonal, zeros elsewhere.

    Example:
        >>> tg.eye(2)
        Tensor([[1., 0.],
                [0., 1.]], dtype=float32, device='cpu')
    """
    return _new("eye", device, n_rows, n_cols, k=k, dtype=_float(dtype), requires_grad=requires_grad)


def meshgrid(*arrays: Any, indexing: str = "xy") -> list[Tensor]:
    """The coordinates of a grid, from those along its axes.

    Args:
        arrays: 1-d arrays.
        indexing: ``"xy"`` (the first array runs along the second axis) or ``"ij"`` (along the first).

    Example:
        >>> [x.shape for x in tg.meshgrid(tg.arange(2), tg.arange(3))]
        [(3, 2), (3, 2)]
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid() has indexing 'xy' and 'ij', not {indexing!r}.")
    tensors = [asarray(array) for array in arrays]
    count = len(tensors)
    places = list(range(count))
    if indexing == "xy" and count > 1:
        places[:2] = 1, 0
    shape = [0] * count
    for place, x in zip(places, tensors, strict=True):
        shape[place] = math.prod(x.shape)
    return [
        x.reshape((1,) * place + (-1,) + (1,) * (count - place - 1)).broadcast_to(tuple(shape))
        for place, x in zip(places, tensors, strict=True)
    ]
