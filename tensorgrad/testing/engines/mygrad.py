"""MyGrad's functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad.testing.engines.base import Engine, Function


class MyGradEngine(Engine):
    """MyGrad: its tensors, of real numbers, on the CPU."""

    name = "mygrad"
    package = "mygrad"
    complex = False

    @classmethod
    def owns(cls, value: Any) -> bool:
        mygrad = cls.loaded()
        return mygrad is not None and isinstance(value, mygrad.Tensor)

    def array(self, value: np.ndarray, like: Any) -> Any:
        return self.library.tensor(np.array(value), constant=True)

    def variable(self, value: np.ndarray, like: Any) -> Any:
        return self.library.tensor(np.array(value), constant=False)

    def numpy(self, native: Any) -> np.ndarray | None:
        return super().numpy(native.data if self.owns(native) else native)

    def attached(self, output: Any) -> bool:
        return self.owns(output)

    def pull(
        self, call: Function, leaves: Sequence[Any], wanted: Sequence[int], cotangents: Sequence[Any]
    ) -> Sequence[Any | None]:
        pairs = [
            (output, cotangent)
            for output, cotangent in zip(call(*leaves), cotangents, strict=True)
            if self.owns(output) and not output.constant
        ]
        if len(pairs) == 1:
            output, cotangent = pairs[0]
            output.backward(cotangent.data)
        elif pairs:
            # The first backward clears the graph, so that all outputs have to be gone back through at once.
            sum((output * cotangent).sum() for output, cotangent in pairs).backward()
        return [leaves[i].grad for i in wanted]

    def derivative(self, call: Function, wanted: Sequence[int], leaves: int) -> Function:
        raise ValueError("MyGrad's gradients are arrays, which cannot be differentiated again: check order=1.")
