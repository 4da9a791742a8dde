"""Layer: a module that is built when the shape of its input is known."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from tensorgrad.autograd import Tensor, no_grad
from tensorgrad.keras import initializers, regularizers
from tensorgrad.keras.config import floatx
from tensorgrad.keras.inputs import InputLayer, Shape, given_shape
from tensorgrad.keras.registry import Configured, unique_name
from tensorgrad.keras.variables import Variable, View, Weight
from tensorgrad.nn.module import Module
from tensorgrad.ops.casting import astype
from tensorgrad.ops.creation import asarray, zeros

TRIED = (512, 1024)
"""Lengths that are tried for axes of any length."""


class Layer(Configured, Module):
    """The base class of layers.

    A layer of one's own makes its weights in ``build(input_shape)``, by :meth:`add_weight`, and computes its output in
    ``call(inputs)``. It is a :class:`tensorgrad.nn.Module` like any other.

    Args:
        activity_regularizer: a penalty on the output while training.
        trainable: whether its weights are learned.
        dtype: of its weights; by default that of :func:`tensorgrad.keras.config.floatx`.
        name: in tables and configurations; by default made from that of the class.
        options: ``input_shape`` (without the batch axis), ``batch_input_shape`` or ``input_dim`` of a first layer.

    Example:
        >>> class Scale(Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
        ...
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> layer = Scale()
        >>> layer(tg.ones((2, 3))).shape, layer.count_params()
        ((2, 3), 3)
    """

    known: ClassVar[dict[str, Any]] = {}
    """The classes of this package's layers."""
    takes_integers: ClassVar[bool] = False
    """Whether it looks things up by integers, which must then not become fractions."""
    takes_several: ClassVar[bool] = False
    """Whether it takes a list of inputs."""

    def __init_subclass__(cls) -> None:
        if cls.__module__.startswith("tensorgrad.keras.") and not cls.__name__.startswith("_"):
            cls.known[cls.__name__] = cls

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        for option, value in self._arguments.items():
            # A wrong name is better known now than when the layer is built.
            for ending, room in (("_initializer", initializers), ("_regularizer", regularizers)):
                if option.endswith(ending) and value is not None:
                    room.get(value)
        self.given_shape = given_shape(type(self).__name__, options)
        self.training = False
        self.built = False
        self.name = name or unique_name(type(self).__name__)
        self.dtype = _dtype_name(dtype)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._trainable = bool(trainable)
        self._own: list[Variable] = []
        self._penalties: list[tuple[Callable[[Tensor], Any], Variable]] = []
        self._added: list[Any] = []
        self._shapes: tuple[Any, Any] | None = None

    def __getattr__(self, name: str) -> Any:
        if name in ("input", "inputs", "output", "outputs"):
            raise AttributeError(
                f"{name!r} belongs to Keras's functional API, which is not there. What comes out in between is "
                "given by a Sequential of some of the layers: keras.Sequential(model.layers[:2]).",
                name=name,
                obj=self,
            )
        return super().__getattr__(name)

    # -- being built -----------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Makes what depends on the shape of the input, which has the batch axis (None) in front."""
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Computes the output. To be written by every subclass; to be called through the layer itself."""
        raise NotImplementedError(f"{type(self).__name__} has no call(self, inputs): it is what a layer computes.")

    def build_for(self, input_shape: Any) -> None:
        """Builds it, unless it is built, and finds out what shape comes out."""
        if not self.built:
            self.build(input_shape)
            self.built = True
            self._adopt()
            if not self._trainable:
                self.trainable = False
        if self._shapes is None:
            self._shapes = (input_shape, self.compute_output_shape(input_shape))

    def _adopt(self) -> None:
        """Makes weights that were assigned to no attribute parameters, too."""
        mine = {id(parameter) for parameter in self.parameters()}
        for variable in self._own:
            if isinstance(variable.tensor, Weight) and id(variable.tensor) not in mine:
                self.register_parameter(f"_{variable.name}", variable.tensor)

    def add_weight(
        self,
        shape: Sequence[int] | None = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        name: str | None = None,
    ) -> Weight:
        """A new weight, to be assigned to an attribute.

        Args:
            shape: its lengths; ``()`` for a number.
            initializer: of its values: a name or a function; by default ``"glorot_uniform"``.
            dtype: by default that of the layer.
            trainable: whether it is learned.
            regularizer: a penalty.
            name: of the weight.

        Returns:
            A parameter.
        """
        lengths = () if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        values = initializers.get(initializer or "glorot_uniform")(lengths, dtype=_dtype_name(dtype or self.dtype))
        weight = Weight(asarray(values).detach(), requires_grad=trainable)
        self.track(name or "variable", weight, trainable=trainable, regularizer=regularizer)
        return weight

    def track(
        self,
        name: str,
        tensor: Tensor | None,
        view: View | None = None,
        *,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool = True,
    ) -> None:
        """Shows a parameter or buffer as a weight.

        Args:
            name: of the weight.
            tensor: the parameter or buffer; None: there is none.
            view: what makes Keras's order of its axes.
            initializer: of its values, if it is to have new ones.
            regularizer: a penalty.
            trainable: whether it is learned.
        """
        if tensor is None:
            return
        variable = Variable(name, tensor, view, trainable, self.name)
        self._own.append(variable)
        if not isinstance(tensor, Weight):
            # As in Keras: layer.kernel, layer.bias, layer.gamma.
            setattr(self, name, variable)
        if initializer is not None:
            variable.assign(initializers.get(initializer)(variable.shape, dtype=variable.dtype))
        penalty = regularizers.get(regularizer)
        if penalty is not None:
            self._penalties.append((penalty, variable))

    # -- being called ----------------------------------------------------------------------------------------

    def forward(self, x: Any, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        if training is None or bool(training) == self.training:
            return self._run(x, args, kwargs)
        before = self.training
        self.train(bool(training))
        try:
            return self._run(x, args, kwargs)
        finally:
            self.train(before)

    def _run(self, x: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        x = self._taken(x)
        if not self.built or self._shapes is None:
            several = isinstance(x, list)
            self.build_for([_any_batch(part) for part in x] if several else _any_batch(x))
        self._added = []
        y = self._call(x, *args, **kwargs)
        if self.activity_regularizer is not None and self.training:
            self.add_loss(self.activity_regularizer(y) / max(y.shape[0], 1))
        return y

    def _call(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        if _takes(type(self).call, "training"):
            kwargs["training"] = self.training
        return self.call(x, *args, **kwargs)

    def _taken(self, x: Any) -> Any:
        """The input as a Tensor of the layer's dtype, if it is fractions."""
        if self.takes_several and isinstance(x, (list, tuple)):
            return [self._taken(part) for part in x]
        if isinstance(x, InputLayer):
            raise NotImplementedError(
                f"{self.name} was called with an Input. The functional API is not there: put layers into a "
                f"Sequential, or write a subclass of keras.Model with a method call()."
            )
        bare, x = not isinstance(x, Tensor), asarray(x)
        if x.dtype.kind != "f":
            return x
        first = next(self.parameters(), None)
        dtype = first.dtype if first is not None else np.dtype(self.dtype) if bare else x.dtype
        return astype(x, dtype, copy=False)

    def add_loss(self, loss: Any) -> None:
        """Adds to the loss of the step, when called within ``call``."""
        self._added.append(loss)

    @property
    def losses(self) -> list[Any]:
        """The penalties on weights, and what was added in the last call, of this layer and those in it."""
        mine = [penalty(variable.value) for penalty, variable in self._penalties] + self._added
        return mine + [loss for layer in self._layers() for loss in layer.losses]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape that comes out for one that goes in, both with the batch axis; a batch of no samples is tried."""
        unknown = None in _flat(input_shape)
        found = [self._tried(input_shape, length) for length in (TRIED if unknown else TRIED[:1])]
        one, other = found[0], found[-1]
        return (None, *(n if n == m else None for n, m in zip(one[1:], other[1:], strict=True)))

    def _tried(self, shape: Any, length: int) -> tuple[int, ...]:
        """The shape that comes out, without what layers do in training; a layer may need a sample to say it."""
        before, added = self.training, self._added
        self.train(False)
        try:
            with no_grad(), warnings.catch_warnings():
                # The mean of no samples.
                warnings.simplefilter("ignore", RuntimeWarning)
                try:
                    y = self._call(self._taken(_nothing(shape, 0, length, self.dtype)))
                except ValueError:
                    y = self._call(self._taken(_nothing(shape, 1, length, self.dtype)))
        finally:
            self.train(before)
            self._added = added
        return tuple((y[0] if isinstance(y, (tuple, list)) else y).shape)

    # -- what there is ---------------------------------------------------------------------------------------

    def _layers(self) -> list[Layer]:
        """The layers in this one, however deep in modules that are none."""
        found: list[Layer] = []
        for child in self.children():
            found += _layers_of(child)
        return found

    @property
    def weights(self) -> list[Variable]:
        """All weights, with Keras's names, shapes and order: its own, then those of layers in it, in order."""
        mine = [*self._own]
        mine.sort(key=lambda variable: not variable.trainable)
        seen = {id(variable.tensor) for variable in mine}
        for child in self.children():
            others = child.weights if isinstance(child, Layer) else _weights_of(child, self.name)
            for variable in others:
                if id(variable.tensor) not in seen:
                    seen.add(id(variable.tensor))
                    mine.append(variable)
        for name, parameter in self.named_parameters(recurse=False):
            if id(parameter) not in seen:
                mine.append(Variable(name, parameter, layer=self.name))
        return mine

    @property
    def variables(self) -> list[Variable]:
        """The weights."""
        return self.weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """Those weights that are learned now."""
        return [variable for variable in self.weights if variable.trainable and variable.tensor.requires_grad]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """Those weights that are not."""
        learned = {id(variable.tensor) for variable in self.trainable_weights}
        return [variable for variable in self.weights if id(variable.tensor) not in learned]

    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def get_weights(self) -> list[np.ndarray]:
        """The values of all weights, as copies in Keras's order and shapes."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets the values of all weights.

        Raises:
            ValueError: for another number of arrays, or other shapes; nothing is changed then.
        """
        variables = self.weights
        shapes = [tuple(np.shape(value)) for value in weights]
        if shapes != [variable.shape for variable in variables]:
            listed = ", ".join(f"{variable.path} {variable.shape}" for variable in variables)
            raise ValueError(f"{self.name} takes arrays for {listed or 'no weights'}; got the shapes {shapes}.")
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)

    def count_params(self) -> int:
        """How many numbers the weights hold.

        Raises:
            ValueError: if it is not built.
        """
        if not self.built:
            raise ValueError(f"{self.name} is not built: its weights are made when the shape of its input is known.")
        return sum(variable.size for variable in self.weights)

    @property
    def trainable(self) -> bool:
        """Whether its weights are learned; setting it freezes or thaws the layers in it, too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in self._layers():
            layer.trainable = value
        fixed = {id(variable.tensor) for variable in self.weights if not variable.trainable}
        for parameter in self.parameters():
            parameter.requires_grad_(bool(value) and id(parameter) not in fixed)
        self.train(self.training)

    @property
    def input_shape(self) -> Any:
        """The shape of its input, with the batch axis."""
        return self._known_shapes()[0]

    @property
    def output_shape(self) -> Any:
        """The shape of its output, with the batch axis."""
        return self._known_shapes()[1]

    def _known_shapes(self) -> tuple[Any, Any]:
        if self._shapes is None:
            raise ValueError(f"{self.name} is not built: the shape of its input is not known yet.")
        return self._shapes

    def get_config(self) -> dict[str, Any]:
        """The arguments that it was made with, as plain values; its name; whether it is trainable."""
        config = {"name": self.name, **super().get_config(), "trainable": self._trainable}
        # A constructor without **kwargs is given what it knows.
        names = inspect.signature(type(self).__init__).parameters
        others = any(parameter.kind is parameter.VAR_KEYWORD for parameter in names.values())
        return {name: value for name, value in config.items() if others or name in names}

    def extra_repr(self) -> str:
        return f"name={self.name!r}"


def _dtype_name(dtype: Any) -> str:
    """The name of a dtype; of a policy, as Keras's configurations have it, the name in it."""
    if isinstance(dtype, dict):
        dtype = dtype["config"]["name"]
    return floatx() if dtype is None else str(np.dtype(dtype))


def _any_batch(x: Tensor) -> Shape:
    return (None, *x.shape[1:])


def _nothing(shape: Any, count: int, length: int, dtype: str) -> Any:
    """Zeros of a shape, or of several: so many samples, so long where any length will do."""
    if shape and isinstance(shape[0], (tuple, list)):
        return [_nothing(part, count, length, dtype) for part in shape]
    return zeros((count, *(length if n is None else n for n in shape[1:])), dtype=dtype)


def _flat(shape: Any) -> list[Any]:
    """The lengths of a shape, or of several, batch axes aside."""
    several = bool(shape) and isinstance(shape[0], (tuple, list))
    return [n for part in shape for n in part[1:]] if several else list(shape[1:])


@functools.cache
def _takes(function: Callable[..., Any], name: str) -> bool:
    """Whether a function has a parameter of this name."""
    return name in inspect.signature(function).parameters


def _layers_of(module: Module) -> list[Layer]:
    if isinstance(module, Layer):
        return [module]
    return [layer for child in module.children() for layer in _layers_of(child)]


def _weights_of(module: Module, layer: str) -> list[Variable]:
    """The weights of a module that is no layer, in which layers may be."""
    found = [Variable(name, tensor, layer=layer) for name, tensor in module.named_parameters(recurse=False)]
    for child in module.children():
        found += child.weights if isinstance(child, Layer) else _weights_of(child, layer)
    return found
