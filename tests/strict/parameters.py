"""What kind of value each parameter of CuPy's functions takes, and which functions wait for the device.

CuPy's signatures name the parameters; this says what may be given for them:

========= ==========================================================================
array     a device array
arrays    a list or tuple of device arrays
operand   a device array or a number
either    a device array or anything of the host's
dtype     a dtype
host      numbers, strings, tuples, ...: nothing from the device
========= ==========================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays import ndarray

_NAMES = {
    "array": """
        a a1 a2 ar ar1 ar2 arr arr1 arr2 args array ary aweights b bins choices condition dst element f filt fp fweights
        indices keys m mask out p prototype sample sorter src test_elements to_begin to_end v val values vals weights
        where x x1 x2 xi xp y z
        """,
    "arrays": "multi_index tup",
    "operand": "a_max a_min append arys fill_value left max min prepend right start stop varargs",
    "dtype": "dtype",
}
BY_NAME = {name: kind for kind, names in _NAMES.items() for name in names.split()}
"""By the parameter's name alone; ``host`` if it is not here."""

BY_FUNCTION = {
    ("allclose", "b"): "operand",
    ("append", "values"): "operand",
    ("arange", "start"): "host",
    ("arange", "stop"): "host",
    ("can_cast", "from_"): "either",
    ("common_type", "arrays"): "array",
    ("cond", "p"): "host",
    ("copyto", "src"): "operand",
    ("delete", "indices"): "either",
    ("einsum", "operands"): "either",
    ("fill_diagonal", "val"): "operand",
    ("histogram", "bins"): "either",
    ("histogram2d", "bins"): "either",
    ("histogramdd", "bins"): "either",
    ("isclose", "b"): "operand",
    ("isscalar", "element"): "either",
    ("kron", "a"): "operand",
    ("kron", "b"): "operand",
    ("matrix_power", "M"): "array",
    ("matrix_rank", "M"): "array",
    ("min_scalar_type", "a"): "either",
    ("ndim", "a"): "either",
    ("put", "ind"): "array",
    ("put", "v"): "operand",
    ("put", "values"): "operand",
    ("put_along_axis", "values"): "operand",
    ("putmask", "values"): "operand",
    ("repeat", "repeats"): "either",
    ("result_type", "arrays_and_dtypes"): "either",
    ("roll", "shift"): "either",
    ("searchsorted", "v"): "operand",
    ("select", "choicelist"): "arrays",
    ("select", "condlist"): "arrays",
    ("shape", "a"): "either",
    ("size", "a"): "either",
    ("take", "indices"): "operand",
    ("tile", "A"): "array",
    ("tril_indices", "m"): "host",
    ("triu_indices", "m"): "host",
    ("where", "x"): "operand",
    ("where", "y"): "operand",
}


def kind_of(function: str, parameter: str) -> str:
    """What ``function`` takes for ``parameter``."""
    return BY_FUNCTION.get((function, parameter)) or BY_NAME.get(parameter, "host")


def _if_array(*names: str) -> Callable[[dict[str, Any]], int]:
    return lambda given: any(type(given.get(name)) is ndarray for name in names)


def _windows(given: dict[str, Any]) -> int:
    # CuPy puts the window's lengths on the device and looks at each of them from the host.
    shape = given["window_shape"]
    return len(shape) if isinstance(shape, (list, tuple)) else 1


_ALWAYS = """
    argwhere asarray_chkfinite bincount compress cond delete diag_indices_from extract flatnonzero histogram histogram2d
    histogramdd intersect1d lstsq nanmax nanmin nonzero place real_if_close setdiff1d setxor1d tril_indices
    tril_indices_from trim_zeros triu_indices triu_indices_from union1d unique unique_all unique_counts unique_inverse
    unique_values unravel_index
"""
SYNCHRONIZING: dict[str, Callable[[dict[str, Any]], int]] = dict.fromkeys(_ALWAYS.split(), lambda given: 1) | {
    "array_equal": lambda given: bool(given.get("equal_nan")),
    "average": _if_array("weights"),
    "choose": lambda given: given.get("mode", "raise") == "raise",
    "linspace": _if_array("start", "stop"),
    "logspace": _if_array("start", "stop"),
    "put": lambda given: given.get("mode") == "raise",
    "ravel_multi_index": lambda given: given.get("mode") == "raise",
    "repeat": lambda given: not isinstance(given["repeats"], (int, np.integer)),
    "sliding_window_view": _windows,
    "where": lambda given: given.get("x") is None,
}
"""How often a call with these arguments makes the host wait for the device, for the functions that ever do."""
