"""The memory of arrays on the CPU: kept when an array goes, for the next one.

An array of more than some 100 KiB usually comes fresh from the system and goes back to it, and each page of it costs
a page fault when it is first touched, which for an elementwise function takes longer than to compute it. A step of
training needs the same arrays as the step before; so the C library is asked to keep what was freed.
"""

from __future__ import annotations

import ctypes
import os

KEPT = 256 << 20
"""Bytes that are kept, unless ``$TENSORGRAD_KEPT_MEMORY`` says otherwise."""
LARGEST = 32 << 20
"""An array of so many bytes still comes from the system, and goes back to it: the C library allows no more."""

# Parameters of glibc's mallopt().
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def keep_freed_memory(nbytes: int) -> bool:
    """Asks the C library to keep up to about so many bytes of freed memory for new arrays, in this process.

    It is done once when tensorgrad is imported, with 256 MiB or as many bytes as ``$TENSORGRAD_KEPT_MEMORY`` says: 0
    leaves everything as it was.

    Args:
        nbytes: how many; 0 asks for nothing.

    Returns:
        Whether the C library can do it: glibc can, others are left alone.
    """
    if nbytes <= 0:
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    most = 2**31 - 1
    return bool(mallopt(_M_MMAP_THRESHOLD, min(nbytes, LARGEST)) and mallopt(_M_TRIM_THRESHOLD, min(nbytes, most)))


def from_environment() -> int:
    """How many bytes to keep.

    Raises:
        ValueError: if ``$TENSORGRAD_KEPT_MEMORY`` is no whole number.
    """
    text = os.environ.get("TENSORGRAD_KEPT_MEMORY", "")
    if text and not text.isdecimal():
        raise ValueError(f"$TENSORGRAD_KEPT_MEMORY is a number of bytes, 0 or more, not {text!r}.")
    return int(text) if text else KEPT
