"""PyTorch 2.13.0 (https://pytorch.org), on the CPU, 2026-11-20."""

import torch
from torch.nn import functional

from tensorgrad.testing.conformance import Tape


class PyTorch(Tape):
    """Tensors with requires_grad; functions of torch and of torch.nn.functional."""

    name = "PyTorch"
    version = torch.__version__
    functions = (torch, functional)

    def variable(self, array):
        return torch.tensor(array.copy(), requires_grad=True)  # A copy: it takes no negative strides.

    def constant(self, array):
        return torch.tensor(array)

    def value(self, native):
        return native.detach().numpy()

    def gradients(self, output, inputs):
        return torch.autograd.grad(output, inputs, create_graph=True)

    # Where its names and arguments differ from NumPy's.

    max, min, permute_dims, expand_dims = map(staticmethod, (torch.amax, torch.amin, torch.permute, torch.unsqueeze))

    def where(self, condition, x, y):
        return torch.where(torch.tensor(condition), x, y)

    def sort(self, x, axis):
        return torch.sort(x, dim=axis).values

    def getitem(self, x, key):
        steps = [part.step for part in (key if isinstance(key, tuple) else (key,)) if isinstance(part, slice)]
        if any(step is not None and step < 0 for step in steps):
            raise NotImplementedError("slices have no negative steps")
        return x[key]

    def clip(self, x, low, high):
        return torch.clip(x, low, high)


adapter = PyTorch()
