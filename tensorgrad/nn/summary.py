"""A table of a model's layers: output shapes and numbers of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tensorgrad.autograd import Tensor, no_grad
from tensorgrad.nn.module import Module
from tensorgrad.ops.creation import zeros


@dataclass(frozen=True)
class Row:
    """One layer of a :class:`Summary`.

    Attributes:
        path: where it is in the model; ``""`` is the model itself.
        kind: the name of its class.
        shape: of its output, of the first of several; None if that is no Tensor, or it was not called.
        parameters: how many numbers its own parameters hold, those of modules inside it not counted.
        trainable: how many of them require a gradient.
    """

    path: str
    kind: str
    shape: tuple[int, ...] | None
    parameters: int
    trainable: int


@dataclass(frozen=True)
class Summary:
    """What :func:`summary` found; its ``str`` is a table.

    Attributes:
        rows: the modules in the order in which they were called, and after them those that were not.
        total: how many numbers all parameters hold, shared ones counted once.
        trainable: how many of them require a gradient.
        nbytes: how many bytes parameters and buffers take.
    """

    rows: tuple[Row, ...]
    total: int
    trainable: int
    nbytes: int

    def __str__(self) -> str:
        cells = [("layer", "kind", "output shape", "parameters")]
        for row in self.rows:
            shape = "-" if row.shape is None else str(row.shape)
            cells.append((row.path or "(model)", row.kind, shape, f"{row.parameters:,}" if row.parameters else "-"))
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = []
        for layer, kind, shape, count in cells:
            line = f"{layer:<{widths[0]}}  {kind:<{widths[1]}}  {shape:<{widths[2]}}  {count:>{widths[3]}}"
            lines.append(line)
        rule = "-" * len(lines[0])
        frozen = self.total - self.trainable
        lines = [lines[0], rule, *lines[1:], rule]
        lines.append(
            f"{self.total:,} parameters, {self.trainable:,} trainable, {frozen:,} frozen; {_size(self.nbytes)}"
        )
        return "\n".join(lines)

    __repr__ = __str__


def summary(
    model: Module,
    input_shape: int | Sequence[int] | Sequence[Sequence[int]],
    batch_size: int = 1,
    device: str | None = None,
    dtype: Any = None,
) -> Summary:
    """Runs zeros through a model in evaluation mode, and tells what came out of each layer.

    The model is left as it was: its mode, its buffers, its gradients. Lazy layers, though, are told their sizes by it.

    Args:
        model: the model.
        input_shape: of its input, without the batch axis, a length or several; or several shapes for several inputs.
        batch_size: the length of the batch axis.
        device: of the input; by default that of the model's first parameter, or the CPU.
        dtype: of the input, float32 by default.

    Returns:
        A :class:`Summary`: print it.

    Example:
        >>> model = tg.nn.Sequential(tg.nn.Conv2d(1, 4, 3), tg.nn.ReLU(), tg.nn.Flatten(), tg.nn.Linear(144, 10))
        >>> print(tg.nn.summary(model, (1, 8, 8)))
        layer    kind        output shape  parameters
        ---------------------------------------------
        (model)  Sequential  (1, 10)                -
        0        Conv2d      (1, 4, 6, 6)          40
        1        ReLU        (1, 4, 6, 6)           -
        2        Flatten     (1, 144)               -
        3        Linear      (1, 10)            1,450
        ---------------------------------------------
        1,490 parameters, 1,490 trainable, 0 frozen; 6.0 kB
    """
    if device is None:
        device = next((parameter.device for parameter in model.parameters()), "cpu")
    shapes: Any = (input_shape,) if isinstance(input_shape, int) else tuple(input_shape)
    if not (shapes and all(isinstance(shape, Sequence) for shape in shapes)):
        shapes = (shapes,)
    inputs = [zeros((batch_size, *shape), dtype=dtype, device=device) for shape in shapes]
    called = _run(model, inputs)
    paths = dict(model.named_modules())
    names = {module: path for path, module in paths.items()}
    order = [module for module in called if module in names]
    order += [module for module in names if module not in called]
    rows = []
    for module in order:
        own = list(module.parameters(recurse=False))
        rows.append(Row(names[module], type(module).__name__, called.get(module), _count(own), _count(own, True)))
    parameters = list(model.parameters())
    nbytes = sum(tensor.nbytes for tensor in [*parameters, *model.buffers()])
    return Summary(tuple(rows), _count(parameters), _count(parameters, True), nbytes)


def _run(model: Module, inputs: list[Tensor]) -> dict[Module, tuple[int, ...] | None]:
    """The modules in the order in which they were called, with the shapes of what they returned."""
    called: dict[Module, tuple[int, ...] | None] = {}
    modes = {module: module.training for module in model.modules()}

    def before(module: Module, args: Any) -> None:
        called.setdefault(module, None)

    def after(module: Module, args: Any, output: Any) -> None:
        while isinstance(output, (tuple, list)) and output:
            output = output[0]
        called[module] = output.shape if isinstance(output, Tensor) else None

    handles = [module.register_forward_pre_hook(before) for module in modes]
    handles += [module.register_forward_hook(after) for module in modes]
    try:
        with no_grad():
            model.eval()(*inputs)
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
    return called


def _count(tensors: list[Any], trainable: bool = False) -> int:
    return sum(tensor.size for tensor in tensors if tensor.requires_grad or not trainable)


def _size(nbytes: int) -> str:
    size, unit = float(nbytes), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.1f} {unit}" if unit != "bytes" else f"{nbytes} bytes"
