"""tensorgrad 0.1, 2026-11-20."""

import tensorgrad as tg
from tensorgrad.testing.conformance import Tape


class Tensorgrad(Tape):
    """Tensors with requires_grad; functions under NumPy's names, those of networks under PyTorch's."""

    name = "tensorgrad"
    version = tg.__version__
    functions = (tg, tg.nn.functional)

    def variable(self, array):
        return tg.tensor(array, requires_grad=True)

    def constant(self, array):
        return tg.tensor(array)

    def value(self, native):
        return native.numpy()

    def gradients(self, output, inputs):
        return tg.grad(output, inputs, create_graph=True)


adapter = Tensorgrad()
