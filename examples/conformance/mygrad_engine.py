"""MyGrad 2.5.0 (https://github.com/rsokl/MyGrad), 2026-11-20."""

import mygrad
from mygrad.nnet.activations import relu, sigmoid, softmax
from mygrad.nnet.layers import conv_nd, max_pool

from tensorgrad.testing.conformance import NotOffered, Tape


class MyGrad(Tape):
    """Tensors with .data, .grad and .backward(), functions under NumPy's names."""

    name = "MyGrad"
    version = mygrad.__version__
    functions = mygrad
    relu, sigmoid, softmax = map(staticmethod, (relu, sigmoid, softmax))

    def variable(self, array):
        return mygrad.tensor(array, constant=False if array.dtype.kind == "f" else None)

    def constant(self, array):
        return mygrad.tensor(array, constant=True)

    def conv2d(self, x, w, stride=1, padding=0, dilation=1, groups=1):
        if groups != 1:
            raise NotOffered("conv_nd has no groups")
        reach = [n + 2 * padding - dilation * (k - 1) - 1 for n, k in zip(x.shape[2:], w.shape[2:])]
        if any(rest % stride for rest in reach):
            raise NotOffered("windows must fit the image exactly")
        return conv_nd(x, w, stride=stride, padding=padding, dilation=dilation)

    def max_pool2d(self, x, size, stride=None, padding=0):
        if padding:
            raise NotOffered("max_pool has no padding")
        if any((n - size) % (stride or size) for n in x.shape[2:]):
            raise NotOffered("windows must fit the image exactly")
        return max_pool(x, (size, size), stride or size)


adapter = MyGrad()
