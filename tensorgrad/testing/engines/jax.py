"""JAX's functions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from tensorgrad.testing.engines.base import Function, VJPEngine, too_coarse


class JAXEngine(VJPEngine):
    """JAX: its arrays, in double precision for the length of the check, whatever ``jax_enable_x64`` says."""

    name = "jax"
    package = "jax"
    conjugate = True

    @classmethod
    def owns(cls, value: Any) -> bool:
        jax = cls.loaded()
        return jax is not None and isinstance(value, jax.Array)

    def array(self, value: np.ndarray, like: Any) -> Any:
        with self.active():
            # jnp.array copies; on the CPU, jnp.asarray and device_put may go on using NumPy's memory.
            array = self.library.numpy.array(value, copy=True)
            devices = like.devices() if self.owns(like) else ()
            return self.library.device_put(array, *devices) if len(devices) == 1 else array

    def numpy(self, native: Any) -> np.ndarray | None:
        if not self.owns(native):
            return super().numpy(native)
        if self.library.dtypes.issubdtype(native.dtype, self.library.dtypes.extended):
            return None
        with self.active():
            array = np.array(native)
        if array.dtype.kind == "V":
            raise too_coarse(native)
        return array

    def attached(self, output: Any) -> bool:
        return self.owns(output)

    def active(self) -> AbstractContextManager[Any]:
        jax = self.library
        context: AbstractContextManager[Any] = (
            jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64()
        )
        return context

    def vjp(
        self, call: Function, leaves: Sequence[Any], wanted: Sequence[int], cotangents: Sequence[Any]
    ) -> tuple[Any, ...]:
        def of_wanted(*variables: Any) -> tuple[Any, ...]:
            arguments = list(leaves)
            for i, variable in zip(wanted, variables, strict=True):
                arguments[i] = variable
            return tuple(self.library.numpy.asarray(output) for output in call(*arguments))

        _, pull = self.library.vjp(of_wanted, *[leaves[i] for i in wanted])
        gradients: tuple[Any, ...] = pull(tuple(cotangents))
        return gradients
