"""Heavy work on bare arrays: convolution, pooling and the like, one family of kernels per array library.

``of(array)`` gives the family that goes with an array: a module with the functions below.
:mod:`tensorgrad.kernels.reference` has them all in plain array code, with full docstrings;
:mod:`tensorgrad.kernels.numpy` and :mod:`tensorgrad.kernels.cupy` have the same interface.

===================================================================  =================================================
``convolution(x, weight)`` -> ``y``                                  cross-correlation, in groups of channels
``convolution_input(y, weight, *, spatial)`` -> ``x``                its transpose in ``x``
``convolution_weight(x, y, *, kernel)`` -> ``weight``                its transpose in ``weight``
``max_pool(x, *, kernel)`` -> ``values, positions``                  the maximum of each window and where it stood
``pick(x, positions, *, kernel)`` -> ``y``                           what stands at a position of each window
``place(y, positions, *, spatial, kernel)`` -> ``x``                 the transpose of ``pick``
``sum_pool(x, *, kernel)`` -> ``y``                                  the sum of each window
``spread(y, *, spatial, kernel)`` -> ``x``                           the transpose of ``sum_pool``
``unfold(x, *, kernel)`` -> ``windows``                              all windows
``fold(windows, *, spatial)`` -> ``x``                               the transpose of ``unfold``
``matmul(a, b)`` -> ``product``                                      the matrix product
``scatter(values, key, *, shape)`` -> ``x``                          the transpose of indexing, ``x[key]``
===================================================================  =================================================

All but the last two take ``stride``, ``padding`` and ``dilation`` besides, the convolutions ``groups`` too. Every
option has one entry per spatial axis, and that of ``padding`` is a pair ``(before, after)``. Arrays are channels first,
with one, two, three or more spatial axes::

    x        (N, C, *spatial)
    weight   (O, C / groups, *kernel)
    y        (N, O, *out)               for pooling (N, C, *out)
    windows  (N, C, *out, *kernel)

The kernels take arrays of any memory order, and an empty batch. They never change what they are given and always return
fresh arrays, whose dtype is that of the input, or what the two inputs promote to. Shapes and options that do not go
together raise ValueError.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from tensorgrad import backend
from tensorgrad.backend import Array
from tensorgrad.kernels import reference, settings
from tensorgrad.kernels.numpy.planner import plan
from tensorgrad.kernels.settings import use

__all__ = ["of", "plan", "register", "use"]

# By name until the first array of the library turns up: a family may need its library at import.
_families: dict[str, str | ModuleType] = {
    "numpy": "tensorgrad.kernels.numpy",
    "cupy": "tensorgrad.kernels.cupy",
}


def of(array: Array) -> ModuleType:
    """The kernels for the library of ``array``.

    Raises:
        TypeError: if it is no array, or no kernels were registered for its library.
    """
    library = backend.of(array)
    name = library.name if library else type(array).__name__
    family = _families.get(name)
    if family is not None and settings.current().family == "reference":
        return reference
    if family is None:
        raise TypeError(
            f"there are no kernels for arrays of {name!r}, only for {', '.join(map(repr, sorted(_families)))}: "
            "give it some with tensorgrad.kernels.register."
        )
    if isinstance(family, str):
        family = _families[name] = import_module(family)
    return family


def register(library: str, family: ModuleType) -> None:
    """Makes ``family``, a module with the functions above, the kernels for arrays of ``library`` (its backend's name).

    :mod:`tensorgrad.kernels.reference` serves for every library that has NumPy's functions.
    """
    _families[library] = family
