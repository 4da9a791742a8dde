"""micrograd 0.1.0 (https://github.com/karpathy/micrograd), 2026-11-20: an engine of single numbers."""

from importlib.metadata import version

from micrograd.engine import Value

from tensorgrad.testing.conformance import Tape


class Micrograd(Tape):
    """Values have .data, .grad, .backward() and a method relu(): nothing has to be said but that they are scalars."""

    name = "micrograd"
    version = version("micrograd")
    scalars = True


adapter = Micrograd(Value)
