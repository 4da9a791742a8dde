"""tinygrad 0.14.0 (https://github.com/tinygrad/tinygrad), on the CPU by clang, in its default float32, 2026-11-20."""

from importlib.metadata import version

import numpy as np
from tinygrad import Tensor

from tensorgrad.testing.conformance import Tape

try:
    Tensor([1.0]).numpy()
except RuntimeError as error:
    raise RuntimeError(
        f"tinygrad finds no device here ({error}): for the CPU it needs clang on the PATH (apt install clang)."
    ) from error


class Tinygrad(Tape):
    """Tensors with .grad and .backward(); functions are methods, with PyTorch's dim and keepdim."""

    name = "tinygrad"
    version = version("tinygrad")
    dtype = "float32"

    def variable(self, array):
        return Tensor(array) if array.ndim else Tensor(array).clone()  # Tensor(3.0) is a constant, without a gradient.

    def constant(self, array):
        return Tensor(array)

    def value(self, native):
        return native.numpy()

    def gradients(self, output, inputs):
        return output.gradient(*inputs)

    # Where its names and arguments differ from NumPy's.

    permute_dims, expand_dims, broadcast_to = map(staticmethod, (Tensor.permute, Tensor.unsqueeze, Tensor.expand))

    def sum(self, x, axis=None, keepdims=False):
        return x.sum(axis, keepdims)

    def mean(self, x, axis=None, keepdims=False):
        return x.mean(axis, keepdims)

    def max(self, x, axis=None, keepdims=False):
        return x.max(axis, keepdims)

    def concat(self, arrays, axis=0):
        return arrays[0].cat(*arrays[1:], dim=axis)

    def stack(self, arrays, axis=0):
        return arrays[0].stack(*arrays[1:], dim=axis)

    def where(self, condition, x, y):
        return Tensor(condition).where(x, y)

    def sort(self, x, axis):
        return x.sort(axis)[0]

    def getitem(self, x, key):
        if isinstance(key, np.ndarray) and key.dtype == bool:
            return x.masked_select(Tensor(key))
        if isinstance(key, tuple):
            return x[tuple(Tensor(part) if isinstance(part, np.ndarray) else part for part in key)]
        return x[Tensor(key) if isinstance(key, np.ndarray) else key]

    def max_pool2d(self, x, size, stride=None, padding=0):
        return x.max_pool2d((size, size), stride, padding=padding)

    def avg_pool2d(self, x, size, stride=None, padding=0):
        return x.avg_pool2d((size, size), stride, padding=padding)


adapter = Tinygrad()
