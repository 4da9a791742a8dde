"""Dense, Embedding, Activation and other plain layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad import nn
from tensorgrad.keras import activations
from tensorgrad.keras.layers.base import Layer
from tensorgrad.keras.variables import permuted
from tensorgrad.ops.casting import astype
from tensorgrad.ops.creation import asarray


class Dense(Layer):
    """A fully connected layer, :class:`tensorgrad.nn.Linear`: ``activation(x @ kernel + bias)``.

    Shape: input (N, ..., features), output (N, ..., units).

    Args:
        units: how many numbers go out.
        activation: a name, a function or a layer; None for none.
        use_bias: whether to add a bias.
        kernel_initializer: of the kernel, shape (features, units).
        bias_initializer: of the bias, shape (units,).
        kernel_regularizer: a penalty on the kernel.
        bias_regularizer: a penalty on the bias.
        activity_regularizer: a penalty on the output.
        kwargs: as of :class:`Layer`.

    Example:
        >>> layer = Dense(2, activation="relu")
        >>> layer(tg.ones((5, 3))).shape, [w.shape for w in layer.weights]
        ((5, 2), [(3, 2), (2,)])
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if not isinstance(units, int) or units < 1:
            raise ValueError(f"Dense takes units, a number of 1 or more, got {units!r}.")
        self.units, self.use_bias = units, use_bias
        self.activation = activations.get(activation)
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer

    def build(self, input_shape: Any) -> None:
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise ValueError(
                f"{self.name} takes an input (N, ..., features) with a known number of features, not {input_shape}."
            )
        self.module = nn.Linear(input_shape[-1], self.units, self.use_bias, dtype=self.dtype)
        kernel, bias = self.module.weight, self.module.bias
        options = {"initializer": self.kernel_initializer, "regularizer": self.kernel_regularizer}
        self.track("kernel", kernel, permuted(1, 0), **options)
        self.track("bias", bias, initializer=self.bias_initializer, regularizer=self.bias_regularizer)

    def call(self, inputs: Any) -> Any:
        return self.activation(self.module(inputs))


class Activation(Layer):
    """An activation function as a layer.

    Args:
        activation: its name, or a function.
        kwargs: as of :class:`Layer`.

    Example:
        >>> Activation("relu")(tg.tensor([[-1.0, 2.0]])).tolist()
        [[0.0, 2.0]]
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)


class Embedding(Layer):
    """Rows of a table that is learned, :class:`tensorgrad.nn.Embedding`.

    Shape: input (N, ...) of integers from 0, output (N, ..., output_dim).

    Args:
        input_dim: how many rows.
        output_dim: how long each is.
        embeddings_initializer: of the table, shape (input_dim, output_dim).
        embeddings_regularizer: a penalty on the table.
        mask_zero: must be False: there are no masks.
        kwargs: as of :class:`Layer`; also ``input_length``.

    Example:
        >>> Embedding(10, 3)(tg.tensor([[1, 2, 9]])).shape
        (1, 3, 3)
    """

    takes_integers = True

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        mask_zero: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if mask_zero:
            raise NotImplementedError("Embedding makes no masks: mask_zero must be False.")
        self.input_dim, self.output_dim = input_dim, output_dim
        self.embeddings_initializer, self.embeddings_regularizer = embeddings_initializer, embeddings_regularizer

    def build(self, input_shape: Any) -> None:
        self.module = nn.Embedding(self.input_dim, self.output_dim, dtype=self.dtype)
        options = {"initializer": self.embeddings_initializer, "regularizer": self.embeddings_regularizer}
        self.track("embeddings", self.module.weight, **options)

    def call(self, inputs: Any) -> Any:
        return self.module(astype(asarray(inputs), "int64", copy=False))


class Lambda(Layer):
    """A function as a layer.

    Args:
        function: of the input.
        arguments: more arguments, by name.
        kwargs: as of :class:`Layer`; also ``output_shape``, which is found out anyway.

    Example:
        >>> Lambda(lambda x: x / 255)(tg.full((1, 2), 255.0)).tolist()
        [[1.0, 1.0]]
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.function, self.arguments = _found(function), dict(arguments or {})

    def call(self, inputs: Any) -> Any:
        return self.function(inputs, **self.arguments)


def _found(function: Any) -> Callable[..., Any]:
    """A function, or one that was saved by its name."""
    if callable(function):
        return function
    found: Callable[..., Any] = activations.get(function)
    return found


class ModuleLayer(Layer):
    """A module of :mod:`tensorgrad.nn`, or any other, as a layer. A Sequential makes it of those that it is given.

    Args:
        module: the module.
        kwargs: as of :class:`Layer`.

    Example:
        >>> ModuleLayer(tg.nn.Linear(3, 2))(tg.ones((5, 3))).shape
        (5, 2)
    """

    def __init__(self, module: nn.Module, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.module = module
        self.train(False)

    def call(self, inputs: Any) -> Any:
        return self.module(inputs)

    def get_config(self) -> dict[str, Any]:
        raise TypeError(
            f"{self.name} is a module of tensorgrad.nn, and how that was made is not known: save model.state_dict() "
            f"with tg.save, or the weights with save_weights()."
        )


class Identity(Layer):
    """Returns what it is given."""

    def call(self, inputs: Any) -> Any:
        return inputs


class ActivityRegularization(Layer):
    """A penalty on what passes.

    Args:
        l1: what the sizes count.
        l2: what the squares count.
        kwargs: as of :class:`Layer`.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer={"class_name": "L1L2", "config": {"l1": l1, "l2": l2}}, **kwargs)

    def call(self, inputs: Any) -> Any:
        return inputs
