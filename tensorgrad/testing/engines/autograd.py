"""Functions for HIPS autograd."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from tensorgrad.testing.engines.base import Function, VJPEngine


class AutogradEngine(VJPEngine):
    """HIPS autograd: functions of NumPy arrays, written with ``autograd.numpy``."""

    name = "autograd"
    package = "autograd"
    conjugate = True
    extended = True

    def vjp(
        self, call: Function, leaves: Sequence[Any], wanted: Sequence[int], cotangents: Sequence[Any]
    ) -> tuple[Any, ...]:
        together = self.library.builtins.tuple
        with warnings.catch_warnings():
            # Such a gradient is zero, and whether it should be is what is being found out.
            warnings.filterwarnings("ignore", "Output seems independent of input")
            pull, _ = self.library.make_vjp(lambda *natives: together(call(*natives)), argnum=tuple(wanted))(*leaves)
            gradients = pull(together(cotangents))
        # While they are being differentiated, they are one box around a tuple.
        return tuple(gradients[i] for i in range(len(wanted)))
