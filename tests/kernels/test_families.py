"""Which kernels go with which array."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys

import numpy as np
import pytest

from tensorgrad import backend, kernels
from tensorgrad.kernels import cupy, reference


def test_every_family_has_the_whole_interface():
    for family in (reference, kernels.of(np.zeros(1)), cupy):
        assert sorted(family.__all__) == sorted(reference.__all__)
        assert all(callable(getattr(family, name)) for name in family.__all__)


def test_the_interface_is_listed_in_the_docstring():
    for name in reference.__all__:
        assert f"``{name}(" in kernels.__doc__


@pytest.mark.parametrize(
    "module",
    [
        "geometry",
        "reference.convolution",
        "reference.pooling",
        "reference.products",
        "reference.scattering",
        "reference.windows",
    ],
)
def test_the_examples_in_docstrings(module):
    outcome = doctest.testmod(importlib.import_module(f"tensorgrad.kernels.{module}"))
    assert outcome.attempted
    assert not outcome.failed


def test_numpy_arrays_and_scalars_go_with_numpy():
    assert kernels.of(np.zeros(1)).__name__ == "tensorgrad.kernels.numpy"
    assert kernels.of(np.float32(1)).__name__ == "tensorgrad.kernels.numpy"


def test_what_is_no_array_is_refused():
    with pytest.raises(TypeError, match="there are no kernels for arrays of 'list', only for 'cupy', 'numpy'"):
        kernels.of([1.0])


def test_a_library_brings_its_own(monkeypatch):
    monkeypatch.setattr(kernels, "_families", dict(kernels._families))
    kernels.register("numpy", reference)
    assert kernels.of(np.zeros(1)) is reference
    assert backend.of(np.zeros(1)).name == "numpy"


def test_nothing_imports_cupy():
    code = "import sys, tensorgrad.kernels.cupy, tensorgrad.kernels.numpy; sys.exit('cupy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
