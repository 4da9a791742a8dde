"""The libraries that are measured, each behind the same few functions (:class:`~benchmarks.libraries.base.Library`)."""

from __future__ import annotations

from importlib import import_module

from benchmarks.libraries.base import Library

NAMES = ("tensorgrad", "torch", "jax", "tinygrad", "mygrad", "autograd", "chainer", "dezero")


def load(name: str) -> Library:
    """The adapter of a library. Raises ImportError if the library is not installed."""
    library: Library = import_module(f"benchmarks.libraries.on_{name}").LIBRARY()
    return library
