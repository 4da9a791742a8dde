"""Recurrent layers and single cells. What they compute is told at the functions of their names."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from tensorgrad.autograd import Tensor
from tensorgrad.nn import init
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.nn.utils.rnn import PackedSequence
from tensorgrad.ops import recurrent
from tensorgrad.ops.creation import asarray, empty
from tensorgrad.ops.dropout import dropout
from tensorgrad.ops.indexing import getitem, take
from tensorgrad.ops.shape import concat, expand_dims, squeeze, stack, swapaxes

DEFAULTS = {
    "num_layers": 1,
    "nonlinearity": "tanh",
    "bias": True,
    "batch_first": False,
    "dropout": 0.0,
    "bidirectional": False,
    "proj_size": 0,
}
"""What is not said when a layer is printed."""


class _Recurrent(Module):
    """What layers and cells share: the weights of one step, and the function that reads a sequence with them."""

    function: Callable[..., Any]
    gates: ClassVar[int]
    pair: ClassVar[bool] = False
    """Whether the state is a pair."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool) -> None:
        super().__init__()
        if min(input_size, hidden_size) < 1:
            raise ValueError(
                f"{type(self).__name__} needs an input_size and a hidden_size of 1 or more, got {input_size} and "
                f"{hidden_size}."
            )
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias

    def _add(self, suffix: str, width: int, proj_size: int = 0, **like: Any) -> list[str]:
        """Makes the weights for inputs of some width, with a suffix to their names; returns the names."""
        rows = self.gates * self.hidden_size
        shapes: dict[str, Any] = {"weight_ih": (rows, width), "weight_hh": (rows, proj_size or self.hidden_size)}
        if self.bias:
            shapes |= {"bias_ih": rows, "bias_hh": rows}
        if proj_size:
            shapes["weight_hr"] = (proj_size, self.hidden_size)
        for name, shape in shapes.items():
            setattr(self, name + suffix, Parameter(empty(shape, **like)))
        return [*shapes]

    def reset_parameters(self) -> None:
        """Draws new values for all weights and biases, uniform within 1 / sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _states(self, hx: Any, shapes: Sequence[tuple[int, ...]]) -> list[Tensor | None]:
        """The first states that were given, one or two, if their shapes are right."""
        name = type(self).__name__
        if hx is None:
            return [None] * len(shapes)
        if self.pair and not (isinstance(hx, (tuple, list)) and len(hx) == 2):
            raise TypeError(f"{name} takes its first state as a pair (h, c) or None, not {type(hx).__name__}.")
        states = [asarray(each) for each in (hx if self.pair else [hx])]
        given = [state.shape for state in states]
        if given != [*shapes]:
            raise ValueError(f"{name} takes here a first state of shape {_told(shapes)}, got {_told(given)}.")
        return [*states]

    def _as_state(self, states: Sequence[Any]) -> Any:
        """The state as callers see it: one Tensor, or a pair; None if none was given."""
        return None if states[0] is None else tuple(states) if self.pair else states[0]

    def extra_repr(self) -> str:
        own = [
            f"{name}={getattr(self, name)!r}" for name, value in DEFAULTS.items() if getattr(self, name, value) != value
        ]
        return ", ".join([f"{self.input_size}, {self.hidden_size}", *own])


def _if_given(function: Callable[..., Any], state: Tensor | None, *args: Any, **options: Any) -> Any:
    return None if state is None else function(state, *args, **options)


def _told(shapes: Sequence[Any]) -> str:
    return str(shapes[0]) if len(shapes) == 1 else " and ".join(map(str, shapes))


class _Layers(_Recurrent):
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias)
        name = type(self).__name__
        if num_layers < 1:
            raise ValueError(f"{name} needs num_layers of 1 or more, got {num_layers}.")
        if not 0 <= dropout <= 1:
            raise ValueError(f"{name} needs a probability dropout from 0 to 1, got {dropout}.")
        if not 0 <= proj_size < hidden_size:
            raise ValueError(
                f"{name} needs a proj_size from 0 to less than hidden_size={hidden_size}, got {proj_size}."
            )
        if dropout and num_layers == 1:
            warnings.warn(
                f"{name} drops out between layers: with one layer dropout={dropout} changes nothing.", stacklevel=3
            )
        self.num_layers = num_layers
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self.suffixes = [
            f"_l{layer}{direction}"
            for layer in range(num_layers)
            for direction in (("", "_reverse") if bidirectional else ("",))
        ]
        directions = 1 + bidirectional
        for i, suffix in enumerate(self.suffixes):
            width = input_size if i < directions else directions * (proj_size or hidden_size)
            self.names = self._add(suffix, width, proj_size, device=device, dtype=dtype)
        self.reset_parameters()

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The weights and biases of each layer and direction."""
        return [[getattr(self, name + suffix) for name in self.names] for suffix in self.suffixes]

    def flatten_parameters(self) -> None:
        """Does nothing: PyTorch brings weights together in memory here, for cuDNN."""

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        if isinstance(input, PackedSequence):
            return self._packed(input, hx)
        x = asarray(input)
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            batch = "N, T" if self.batch_first else "T, N"
            self._refuse(x, f"({batch}, {self.input_size}), or (T, {self.input_size}) for one sequence")
        if x.ndim == 2:
            states = self._states(hx, self._shapes())
            x, lasts = self._through(expand_dims(x, 1), [_if_given(expand_dims, state, 1) for state in states])
            return squeeze(x, 1), self._as_state([squeeze(last, 1) for last in lasts])
        if self.batch_first:
            x = swapaxes(x, 0, 1)
        x, lasts = self._through(x, self._states(hx, self._shapes(x.shape[1])))
        return swapaxes(x, 0, 1) if self.batch_first else x, self._as_state(lasts)

    def _packed(self, packed: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
        x, batch_sizes, order, back = packed
        if x.ndim != 2 or x.shape[-1] != self.input_size:
            self._refuse(x, f"(S, {self.input_size}), packed")
        states = self._states(hx, self._shapes(int(batch_sizes[0].item())))
        if order is not None:
            states = [_if_given(take, state, order, axis=1) for state in states]
        x, lasts = self._through(x, states, batch_sizes)
        if back is not None:
            lasts = [take(last, back, axis=1) for last in lasts]
        return PackedSequence(x, batch_sizes, order, back), self._as_state(lasts)

    def _shapes(self, *count: int) -> list[tuple[int, ...]]:
        """The shapes of the states of so many sequences, or of one without an axis for them."""
        widths = [self.proj_size or self.hidden_size, self.hidden_size]
        return [(len(self.suffixes), *count, width) for width in widths[: 1 + self.pair]]

    def _through(self, x: Tensor, states: list[Tensor | None], batch_sizes: Any = None) -> tuple[Tensor, list[Tensor]]:
        """The outputs of the last layer, and the last states of all."""
        lasts: list[Sequence[Tensor]] = []
        directions = 1 + self.bidirectional
        for i in range(0, len(self.suffixes), directions):
            if i:
                x = dropout(x, self.dropout, self.training)
            outputs = []
            for reverse in range(directions):
                hx = self._as_state([_if_given(getitem, state, i + reverse) for state in states])
                weights = {name: getattr(self, name + self.suffixes[i + reverse]) for name in self.names}
                output, last = self.function(x, hx, **weights, batch_sizes=batch_sizes, reverse=bool(reverse))
                outputs.append(output)
                lasts.append(last if self.pair else [last])
            x = outputs[0] if directions == 1 else concat(outputs, axis=-1)
        return x, [stack(each) for each in zip(*lasts, strict=True)]


class RNN(_Layers):
    """Layers of simple recurrent cells, :func:`tensorgrad.rnn`, each reading the outputs of the one before.

    Shape: input (T, N, input_size), with ``batch_first`` (N, T, input_size); or (T, input_size), one sequence; or a
    :class:`~tensorgrad.nn.utils.rnn.PackedSequence`. First states ``hx`` (D * num_layers, N, hidden_size), D = 2 if
    bidirectional, else 1; zeros by default. Output: the states of the last layer after each step, (T, N,
    D * hidden_size), in the order of the input; and the last states of all layers, in the shape of the first. For one
    sequence there is no axis N.

    Args:
        input_size: how many numbers come in at each step.
        hidden_size: how many numbers a state has.
        num_layers: how many layers.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        bias: whether there are biases.
        batch_first: whether the first axis of inputs and outputs counts the sequences, not the steps.
        dropout: the probability with which, while training, what goes from one layer to the next is set to 0.
        bidirectional: whether sequences are read from their ends too.
        device: where the parameters are.
        dtype: of the parameters, float32 by default.

    Attributes:
        weight_ih_l0: for inputs, shape (hidden_size, input_size); in later layers (hidden_size, D * hidden_size).
        weight_hh_l0: for states, shape (hidden_size, hidden_size).
        bias_ih_l0: shape (hidden_size,).
        bias_hh_l0: shape (hidden_size,). All are at first uniform within 1 / sqrt(hidden_size); further layers count
            on, and the names of those that read from the end have ``_reverse`` at their end.

    Raises:
        ValueError: for sizes less than 1, or another nonlinearity; when called, for shapes that do not fit.

    Example:
        >>> layer = tg.nn.RNN(3, 4, num_layers=2)
        >>> output, last = layer(tg.ones((5, 2, 3)))
        >>> output.shape, last.shape
        ((5, 2, 4), (2, 2, 4))
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        self.function = _of_nonlinearity(nonlinearity)
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )
        self.nonlinearity = nonlinearity


class LSTM(_Layers):
    """Layers of cells with a long memory, :func:`tensorgrad.lstm`, each reading the outputs of the one before.

    Shape: as of :class:`RNN`, but states are pairs ``(h, c)``. With ``proj_size`` outputs and ``h`` are so wide, not
    ``hidden_size``.

    Args:
        input_size: how many numbers come in at each step.
        hidden_size: how many numbers a cell remembers.
        num_layers: how many layers.
        bias: whether there are biases.
        batch_first: whether the first axis of inputs and outputs counts the sequences, not the steps.
        dropout: the probability with which, while training, what goes from one layer to the next is set to 0.
        bidirectional: whether sequences are read from their ends too.
        proj_size: the width of projections of the outputs; 0 for none.
        device: where the parameters are.
        dtype: of the parameters, float32 by default.

    Attributes:
        weight_ih_l0: for inputs, shape (4 * hidden_size, input_size): of the gate that lets in, of the one that keeps,
            of what is new, and of the gate that lets out.
        weight_hh_l0: for states, shape (4 * hidden_size, proj_size or hidden_size).
        bias_ih_l0: shape (4 * hidden_size,).
        bias_hh_l0: shape (4 * hidden_size,).
        weight_hr_l0: the projection, shape (proj_size, hidden_size), if there is one. Further layers, directions and
            first values as of :class:`RNN`.

    Raises:
        ValueError: for sizes that cannot be; when called, for shapes that do not fit.

    Example:
        >>> layer = tg.nn.LSTM(3, 4, batch_first=True, bidirectional=True)
        >>> output, (h, c) = layer(tg.ones((2, 5, 3)))
        >>> output.shape, h.shape, c.shape
        ((2, 5, 8), (2, 2, 4), (2, 2, 4))
    """

    function = staticmethod(recurrent.lstm)
    gates = 4
    pair = True


class GRU(_Layers):
    """Layers of gated cells, :func:`tensorgrad.gru`, each reading the outputs of the one before.

    Shape: as of :class:`RNN`.

    Args:
        input_size: how many numbers come in at each step.
        hidden_size: how many numbers a state has.
        num_layers: how many layers.
        bias: whether there are biases.
        batch_first: whether the first axis of inputs and outputs counts the sequences, not the steps.
        dropout: the probability with which, while training, what goes from one layer to the next is set to 0.
        bidirectional: whether sequences are read from their ends too.
        device: where the parameters are.
        dtype: of the parameters, float32 by default.

    Attributes:
        weight_ih_l0: for inputs, shape (3 * hidden_size, input_size): of the gate that shows the state, of the one that
            keeps it, and of what is new.
        weight_hh_l0: for states, shape (3 * hidden_size, hidden_size).
        bias_ih_l0: shape (3 * hidden_size,).
        bias_hh_l0: shape (3 * hidden_size,). Further layers, directions and first values as of :class:`RNN`.

    Raises:
        ValueError: for sizes less than 1; when called, for shapes that do not fit.

    Example:
        >>> output, last = tg.nn.GRU(3, 4)(tg.ones((5, 3)))
        >>> output.shape, last.shape
        ((5, 4), (1, 4))
    """

    function = staticmethod(recurrent.gru)
    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )


def _of_nonlinearity(nonlinearity: str) -> Callable[..., Any]:
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"RNN has the nonlinearities 'tanh' and 'relu', not {nonlinearity!r}.")
    return functools.partial(recurrent.rnn, nonlinearity=nonlinearity)


class _Cell(_Recurrent):
    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias)
        self.names = self._add("", input_size, device=device, dtype=dtype)
        self.reset_parameters()

    def forward(self, input: Any, hx: Any = None) -> Any:
        x = asarray(input)
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            self._refuse(x, f"(N, {self.input_size}) or ({self.input_size},)")
        states = self._states(hx, [(*x.shape[:-1], self.hidden_size)] * (1 + self.pair))
        single = x.ndim == 1
        if single:
            x, states = expand_dims(x, 0), [_if_given(expand_dims, state, 0) for state in states]
        weights = {name: getattr(self, name) for name in self.names}
        _, last = self.function(expand_dims(x, 0), self._as_state(states), **weights)
        lasts = last if self.pair else [last]
        return self._as_state([squeeze(each, 0) for each in lasts] if single else lasts)


class RNNCell(_Cell):
    """One step of :class:`RNN`: from an input and a state to the next state.

    Shape: input (N, input_size) or (input_size,), state (N, hidden_size) or (hidden_size,), zeros by default; result
    as the state.

    Args:
        input_size: how many numbers come in.
        hidden_size: how many numbers a state has.
        bias: whether there are biases.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        device: where the parameters are.
        dtype: of the parameters, float32 by default.

    Attributes:
        weight_ih: shape (hidden_size, input_size).
        weight_hh: shape (hidden_size, hidden_size).
        bias_ih: shape (hidden_size,).
        bias_hh: shape (hidden_size,). All are at first uniform within 1 / sqrt(hidden_size).

    Example:
        >>> cell = tg.nn.RNNCell(3, 4)
        >>> cell(tg.ones((2, 3)), tg.zeros((2, 4))).shape
        (2, 4)
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        self.function = _of_nonlinearity(nonlinearity)
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity


class LSTMCell(_Cell):
    """One step of :class:`LSTM`: from an input and a state ``(h, c)`` to the next one.

    Shape: as of :class:`RNNCell`, for both parts of the state. Weights have 4 * hidden_size rows.

    Args:
        input_size: how many numbers come in.
        hidden_size: how many numbers the cell remembers.
        bias: whether there are biases.
        device: where the parameters are.
        dtype: of the parameters, float32 by default.

    Example:
        >>> h, c = tg.nn.LSTMCell(3, 4)(tg.ones((2, 3)))
        >>> h.shape, c.shape
        ((2, 4), (2, 4))
    """

    function = staticmethod(recurrent.lstm)
    gates = 4
    pair = True


class GRUCell(_Cell):
    """One step of :class:`GRU`: from an input and a state to the next state.

    Shape: as of :class:`RNNCell`. Weights have 3 * hidden_size rows.

    Args:
        input_size: how many numbers come in.
        hidden_size: how many numbers a state has.
        bias: whether there are biases.
        device: where the parameters are.
        dtype: of the parameters, float32 by default.

    Example:
        >>> tg.nn.GRUCell(3, 4)(tg.ones(3)).shape
        (4,)
    """

    function = staticmethod(recurrent.gru)
    gates = 3
