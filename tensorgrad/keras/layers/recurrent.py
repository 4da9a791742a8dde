"""Recurrent layers: the functions of :mod:`tensorgrad.ops.recurrent`, with Keras's weights and order of gates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

from tensorgrad.autograd import Tensor
from tensorgrad.keras import activations, initializers
from tensorgrad.keras.layers.base import Layer
from tensorgrad.keras.registry import deserialize
from tensorgrad.nn import functional as F
from tensorgrad.ops import recurrent
from tensorgrad.ops.arrangement import flip
from tensorgrad.ops.creation import ones
from tensorgrad.ops.elementwise import add, multiply
from tensorgrad.ops.shape import concat, reshape, split, swapaxes

Weights = tuple[Tensor, Tensor, Tensor | None]


class _Recurrent(Layer):
    """What reads sequences, (N, length, features).

    Args:
        units: how many numbers a state has.
        activation: of what is new; ``"tanh"``.
        use_bias: whether to add a bias.
        kernel_initializer: of the kernel, shape (features, gates * units).
        recurrent_initializer: of that for the states, shape (units, gates * units).
        bias_initializer: of the bias.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties.
        dropout: what part of the inputs is left out while training, the same ones at all steps.
        recurrent_dropout: must be 0.
        return_sequences: whether to give the outputs of all steps, (N, length, units), and not that of the last.
        return_state: whether to give the last states besides.
        go_backwards: whether to begin at the end.
        kwargs: as of :class:`Layer`.
    """

    gates: ClassVar[int] = 1
    known_activations: ClassVar[tuple[Callable[..., Any], ...]] = (activations.tanh,)

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        **kwargs: Any,
    ) -> None:
        kind = type(self).__name__
        for name in ("stateful", "unroll", "time_major"):
            if kwargs.pop(name, False):
                raise NotImplementedError(f"{kind} has no {name}.")
        for name in ("use_cudnn", "zero_output_for_mask"):  # of Keras's configurations
            kwargs.pop(name, None)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if not isinstance(units, int) or units < 1:
            raise ValueError(f"{kind} takes units, a number of 1 or more, got {units!r}.")
        if recurrent_dropout:
            raise NotImplementedError(f"{kind} has no recurrent_dropout; dropout leaves out inputs.")
        self.units, self.use_bias, self.dropout = units, use_bias, dropout
        self.activation = activations.get(activation)
        if self.activation not in self.known_activations:
            names = ", ".join(repr(function.__name__) for function in self.known_activations)
            raise NotImplementedError(f"{kind} has the activation {names}, not {activation!r}.")
        self.kernel_initializer, self.recurrent_initializer = kernel_initializer, recurrent_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer, self.recurrent_regularizer = kernel_regularizer, recurrent_regularizer
        self.bias_regularizer = bias_regularizer
        self.return_sequences, self.return_state, self.go_backwards = return_sequences, return_state, go_backwards

    def _bias(self) -> tuple[Any, Any]:
        """The shape of the bias, and its initializer."""
        return self.gates * self.units, self.bias_initializer

    def build(self, input_shape: Any) -> None:
        if len(input_shape) != 3 or input_shape[-1] is None:
            raise ValueError(f"{self.name} takes an input (N, length, features), got the shape {input_shape}.")
        width = self.gates * self.units
        options = {"initializer": self.kernel_initializer, "regularizer": self.kernel_regularizer}
        self.kernel = self.add_weight((input_shape[-1], width), name="kernel", **options)
        options = {"initializer": self.recurrent_initializer, "regularizer": self.recurrent_regularizer}
        self.recurrent_kernel = self.add_weight((self.units, width), name="recurrent_kernel", **options)
        self.bias = None
        if self.use_bias:
            shape, initializer = self._bias()
            options = {"initializer": initializer, "regularizer": self.bias_regularizer}
            self.bias = self.add_weight(shape, name="bias", **options)

    def _read(self, x: Tensor, state: Any) -> tuple[Tensor, list[Tensor]]:
        """The outputs of all steps, (length, N, units), and the last states."""
        raise NotImplementedError

    def call(self, inputs: Any, initial_state: Any = None) -> Any:
        """The output of the last step, or of all; and the last states, if they are asked for."""
        x = flip(inputs, axis=1) if self.go_backwards else inputs
        if self.training and self.dropout:
            x = x * F.dropout(ones((x.shape[0], 1, x.shape[2]), dtype=x.dtype, device=x.device), self.dropout)
        outputs, states = self._read(swapaxes(x, 0, 1), initial_state)
        result = swapaxes(outputs, 0, 1) if self.return_sequences else states[0]
        return (result, *states) if self.return_state else result


def _turned(weights: Weights, order: tuple[int, ...] | None = None) -> dict[str, Any]:
    """Weights as PyTorch has them, with gates in another order."""
    kernel, recurrent_kernel, bias = weights
    parts = {"weight_ih": kernel.T, "weight_hh": recurrent_kernel.T}
    if bias is not None:
        parts |= {"bias_ih": bias} if bias.ndim == 1 else {"bias_ih": bias[0], "bias_hh": bias[1]}
    if order is None:
        return parts
    gates = {name: split(part, len(order)) for name, part in parts.items()}
    return {name: concat([each[gate] for gate in order]) for name, each in gates.items()}


class SimpleRNN(_Recurrent):
    """A simple recurrent layer, :func:`tensorgrad.rnn`: ``h = tanh(x @ kernel + h @ recurrent_kernel + bias)``.

    Shape: input (N, length, features), output (N, units), or (N, length, units).

    Args:
        units: how many numbers a state has.
        activation: ``"tanh"`` or ``"relu"``.
        kwargs: ``return_sequences``, ``return_state``, ``go_backwards``, ``dropout``, ``use_bias``, initializers and
            regularizers as of :class:`LSTM`; others as of :class:`Layer`.

    Example:
        >>> SimpleRNN(4, return_sequences=True)(tg.ones((2, 7, 3))).shape
        (2, 7, 4)
    """

    known_activations = (activations.tanh, activations.relu)

    def __init__(self, units: int, activation: Any = "tanh", **kwargs: Any) -> None:
        super().__init__(units, activation, **kwargs)

    def _read(self, x: Tensor, state: Any) -> tuple[Tensor, list[Tensor]]:
        name = "relu" if self.activation is activations.relu else "tanh"
        weights = _turned((self.kernel, self.recurrent_kernel, self.bias))
        outputs, last = recurrent.rnn(x, _first(state), **weights, nonlinearity=name)
        return outputs, [last]


class LSTM(_Recurrent):
    """A layer of cells with a long memory, :func:`tensorgrad.lstm` (Hochreiter and Schmidhuber, 1997).

    Shape: input (N, length, features), output (N, units), or (N, length, units).

    Args:
        units: how many numbers a cell remembers.
        activation: ``"tanh"``.
        recurrent_activation: ``"sigmoid"``.
        use_bias: whether to add a bias.
        kernel_initializer: of the kernel, shape (features, 4 * units): of the gate that lets in, of the one that keeps,
            of what is new, and of the gate that lets out.
        recurrent_initializer: of that for the states, shape (units, 4 * units).
        bias_initializer: of the bias, shape (4 * units,).
        unit_forget_bias: whether the bias of the gate that keeps begins with 1.
        kwargs: regularizers; ``dropout`` (what part of the inputs is left out while training); ``return_sequences``
            (the outputs of all steps, not of the last); ``return_state`` (the last states, too); ``go_backwards``;
            others as of :class:`Layer`.

    Example:
        >>> layer = LSTM(4)
        >>> layer(tg.ones((2, 7, 3))).shape, [w.shape for w in layer.weights]
        ((2, 4), [(3, 16), (4, 16), (16,)])
    """

    gates = 4

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        _require_sigmoid("LSTM", recurrent_activation)
        first = (kernel_initializer, recurrent_initializer, bias_initializer)
        super().__init__(units, activation, use_bias, *first, **kwargs)
        self.unit_forget_bias = unit_forget_bias

    def _bias(self) -> tuple[Any, Any]:
        def kept(shape: Any, dtype: Any = None) -> Tensor:
            usual = initializers.get(self.bias_initializer)
            parts: list[Any] = [(usual, 1), (initializers.Ones(), 1), (usual, 2)]
            values: Tensor = concat([make((count * self.units,), dtype=dtype) for make, count in parts])
            return values

        return 4 * self.units, kept if self.unit_forget_bias else self.bias_initializer

    def _read(self, x: Tensor, state: Any) -> tuple[Tensor, list[Tensor]]:
        pair = None if state is None else tuple(state)
        outputs, last = recurrent.lstm(x, pair, **_turned((self.kernel, self.recurrent_kernel, self.bias)))
        return outputs, list(last)


class GRU(_Recurrent):
    """A layer of gated cells, :func:`tensorgrad.gru` (Cho et al., 2014).

    Shape: input (N, length, features), output (N, units), or (N, length, units).

    Args:
        units: how many numbers a state has.
        activation: ``"tanh"``.
        recurrent_activation: ``"sigmoid"``.
        use_bias: whether to add biases, shape (2, 3 * units): to the inputs and to the states.
        reset_after: must be True.
        kwargs: as of :class:`LSTM`. The gates are: what of the state stays, what of it is seen, what is new.

    Example:
        >>> GRU(4)(tg.ones((2, 7, 3))).shape
        (2, 4)
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        reset_after: bool = True,
        **kwargs: Any,
    ) -> None:
        _require_sigmoid("GRU", recurrent_activation)
        if not reset_after:
            raise NotImplementedError("GRU looks at the state after its kernel: reset_after must be True.")
        super().__init__(units, activation, use_bias, **kwargs)

    def _bias(self) -> tuple[Any, Any]:
        return (2, 3 * self.units), self.bias_initializer

    def _read(self, x: Tensor, state: Any) -> tuple[Tensor, list[Tensor]]:
        weights = _turned((self.kernel, self.recurrent_kernel, self.bias), (1, 0, 2))
        outputs, last = recurrent.gru(x, _first(state), **weights)
        return outputs, [last]


def _first(state: Any) -> Any:
    return state[0] if isinstance(state, (list, tuple)) else state


def _require_sigmoid(layer: str, activation: Any) -> None:
    if activations.get(activation) is not activations.sigmoid:
        raise NotImplementedError(f"{layer} has the recurrent_activation 'sigmoid', not {activation!r}.")


# -- around other layers -----------------------------------------------------------------------------------------


class _Around(Layer):
    """A layer around another one."""

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer: Layer = deserialize(layer, "layer", Layer.known) if isinstance(layer, Mapping) else layer
        if not isinstance(self.layer, Layer):
            raise TypeError(f"{type(self).__name__} takes a layer, not {layer!r}.")


MERGED: dict[Any, Callable[[Any, Any], Any]] = {
    "concat": lambda one, other: concat([one, other], axis=-1),
    "sum": add,
    "mul": multiply,
    "ave": lambda one, other: (one + other) / 2,
    None: lambda one, other: (one, other),
}


class Bidirectional(_Around):
    """A recurrent layer, and another like it that begins at the end (Schuster and Paliwal, 1997).

    Args:
        layer: the first.
        merge_mode: what is done with both outputs: ``"concat"``, ``"sum"``, ``"mul"``, ``"ave"``; None: a pair.
        kwargs: as of :class:`Layer`.

    Example:
        >>> Bidirectional(LSTM(4))(tg.ones((2, 7, 3))).shape
        (2, 8)
    """

    def __init__(self, layer: Any, merge_mode: str | None = "concat", **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if not isinstance(self.layer, _Recurrent) or self.layer.return_state:
            raise TypeError(f"Bidirectional takes a recurrent layer that gives no states, not {self.layer!r}.")
        self.return_sequences = self.layer.return_sequences
        if merge_mode not in MERGED:
            raise ValueError(f"merge_mode is one of {', '.join(map(repr, MERGED))}, not {merge_mode!r}.")
        self.merge_mode = merge_mode
        config = self.layer.get_config()
        again = {"name": f"backward_{self.layer.name}", "go_backwards": not self.layer.go_backwards}
        self.backward_layer = type(self.layer).from_config(config | again)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """One more of that configuration; the second layer follows from the first."""
        return super().from_config({name: value for name, value in config.items() if name != "backward_layer"})

    def call(self, inputs: Any) -> Any:
        one, other = self.layer(inputs), self.backward_layer(inputs)
        if self.return_sequences:
            other = flip(other, axis=1)
        return MERGED[self.merge_mode](one, other)


class TimeDistributed(_Around):
    """A layer at each step of sequences by itself.

    Args:
        layer: the layer.
        kwargs: as of :class:`Layer`.

    Example:
        >>> from tensorgrad.keras.layers import Dense
        >>> TimeDistributed(Dense(4))(tg.ones((2, 7, 3))).shape
        (2, 7, 4)
    """

    def call(self, inputs: Any) -> Any:
        count, steps = inputs.shape[:2]
        y = self.layer(reshape(inputs, (count * steps, *inputs.shape[2:])))
        return reshape(y, (count, steps, *y.shape[1:]))
