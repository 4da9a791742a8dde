"""A strict stand-in for CuPy, for machines without a GPU.

It computes with NumPy and behaves like CuPy where array code could go wrong:

- it has CuPy's functions with CuPy's parameters only (recorded from the real CuPy in ``cupy_api.json``);
- its arrays mix with numbers and with each other, never with NumPy arrays or lists;
- reductions and ``x[0]`` give arrays of shape (), never scalars;
- results have CuPy's dtypes and C order, fresh memory holds rubbish, integer indices wrap around, flags are CuPy's;
- whatever moves data between host and device, or makes the host wait for the device, is counted.

Where CuPy would silently give an undefined answer, it raises. ``strict`` is the namespace itself::

    from tests import strict as xp

    with xp.count_transfers() as count:
        xp.sum(xp.ones((2, 3)), axis=0)
    assert count.to_host == {}

It does not imitate kernels written in CUDA, streams, several devices, and random numbers.
"""

from __future__ import annotations

from typing import Any as _Any

from .counting import Transfers, count_transfers, transfers
from .namespace import main_namespace as _main_namespace
from .namespace import missing as _missing

__all__ = ["Transfers", "count_transfers", "transfers"]

# The modules of this package are no names of CuPy's.
for _name in [name for name in globals() if not name.startswith("_") and name not in __all__]:
    del globals()[_name]
globals().update(_main_namespace())


def __getattr__(name: str) -> _Any:
    raise _missing("cupy", name)
