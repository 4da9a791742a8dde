"""Sequential: layers one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from tensorgrad import nn
from tensorgrad.keras.inputs import InputLayer, lengths
from tensorgrad.keras.layers.base import Layer
from tensorgrad.keras.layers.core import ModuleLayer
from tensorgrad.keras.models.model import Model
from tensorgrad.keras.registry import deserialize
from tensorgrad.ops.shape import expand_dims, squeeze


class Sequential(Model):
    """Layers one after the other, a face on :class:`tensorgrad.nn.Sequential`.

    The shape of the input is given once: by a :func:`~tensorgrad.keras.Input` in the first place, by ``input_shape=``
    or ``input_dim=`` of the first layer, or by the first data.

    Args:
        layers: the layers; modules of :mod:`tensorgrad.nn` are taken, too.
        trainable: whether its weights are learned.
        name: of the model.

    Example:
        >>> from tensorgrad.keras.layers import Dense
        >>> model = Sequential()
        >>> model.add(Dense(32, activation="relu", input_dim=784))
        >>> model.add(Dense(10, activation="softmax"))
        >>> model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
        >>> model.output_shape, model.count_params()
        ((None, 10), 25450)
    """

    def __init__(
        self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(name=name, trainable=trainable, dtype=dtype)
        self.stack = nn.Sequential()
        self._input: InputLayer | None = None
        if isinstance(layers, nn.Module):
            raise TypeError(f"Sequential takes a list of layers, as [{type(layers).__name__}(...)], got one alone.")
        for layer in layers or ():
            self.add(layer)

    def add(self, layer: Any) -> None:
        """Puts a layer at the end.

        Raises:
            TypeError: for what is no layer.
            ValueError: for an Input that is not the first, a name that is taken, or a layer that does not go with the
                shape of what it gets. The model is as it was then.
        """
        if isinstance(layer, InputLayer):
            self._add_input(layer)
            return
        if not isinstance(layer, Layer):
            if not isinstance(layer, nn.Module):
                raise TypeError(f"Sequential takes layers, such as keras.layers.Dense(10), not {layer!r}.")
            layer = ModuleLayer(layer)
        if layer.name in [other.name for other in self.layers]:
            raise ValueError(f"{self.name} has a layer {layer.name!r} already: names must be unique.")
        if not self.layers and self._input is None:
            shape = layer.given_shape if layer.given_shape is not None else layer._shapes and layer._shapes[0]
            if shape:
                self._input = InputLayer(batch_shape=tuple(shape))
        given = self._shapes[1] if self._shapes is not None and self.layers else self._input and self._input.batch_shape
        if given:
            _build(self, layer, given)
        self.stack.append(layer)
        layer.train(self.training)
        self._refresh()

    def _add_input(self, given: InputLayer) -> None:
        if self.layers or self._input is not None:
            raise ValueError(f"an Input comes first, and once; {self.name} has an input or layers already.")
        self._input = given

    def pop(self, rebuild: bool = True) -> Layer:
        """Takes out the last layer and returns it.

        Raises:
            ValueError: if there is none.
        """
        if not self.layers:
            raise ValueError(f"{self.name} has no layers.")
        layer: Any = self.stack.pop()
        self._refresh()
        removed: Layer = layer
        return removed

    def _refresh(self) -> None:
        """What follows from the layers that there are."""
        layers = self.layers
        self.built = bool(layers) and all(layer.built and layer._shapes is not None for layer in layers)
        self._shapes = (layers[0]._shapes[0], layers[-1]._shapes[1]) if self.built else None  # type: ignore[index]
        if not self._trainable:
            self.trainable = False

    def build(self, input_shape: Any = None) -> None:
        """Builds all layers.

        Args:
            input_shape: with the batch axis, (None, ...); by default that of the Input.

        Raises:
            ValueError: if there are no layers, no shape is known, or the layers do not go together.
        """
        if input_shape is None:
            if self._input is None:
                raise ValueError(
                    f"the shape of {self.name}'s input is not known: begin with keras.Input(shape=...), give the first "
                    f"layer input_shape=..., or call build((None, ...))."
                )
            input_shape = self._input.batch_shape
        if not self.layers:
            raise ValueError(f"{self.name} has no layers: add some.")
        shape = input_shape = lengths(input_shape)
        for layer in self.layers:
            _build(self, layer, shape)
            shape = layer.output_shape
        if self._input is None:
            self._input = InputLayer(batch_shape=input_shape)
        self._refresh()

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape that comes out for one that goes in, both with the batch axis."""
        if self._shapes is not None and tuple(input_shape) == tuple(self._shapes[0]):
            return self._shapes[1]
        return super().compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        if not self.layers:
            raise ValueError(f"{self.name} has no layers: add some.")
        expected = self._input.batch_shape if self._input is not None else None
        if expected is not None:
            inputs = _with_rank(inputs, expected)
            if not _fits(tuple(inputs.shape), expected):
                raise ValueError(f"{self.name} takes an input of shape {expected}, got {tuple(inputs.shape)}.")
        return self.stack(inputs)

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return [layer for layer in self.stack if isinstance(layer, Layer)]

    def get_config(self) -> dict[str, Any]:
        """The layers' classes and configurations, the Input first where there is one."""
        parts: list[Any] = ([] if self._input is None else [self._input]) + self.layers
        listed = [{"class_name": type(part).__name__, "config": part.get_config()} for part in parts]
        return {"name": self.name, "trainable": self._trainable, "layers": listed}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """A model of that configuration, with new weights."""
        known = {**Layer.known, "InputLayer": InputLayer}
        model = cls(name=config.get("name"))
        for part in config["layers"]:
            model.add(deserialize(part, "layer", known))
        if not config.get("trainable", True):
            model.trainable = False
        return model


def _with_rank(inputs: Any, expected: Any) -> Any:
    """As in Keras, a last axis of length 1 may be missing, or be one too many: numbers (N,) for a shape (None, 1)."""
    if inputs.ndim == len(expected) - 1 and expected[-1] == 1:
        return expand_dims(inputs, -1)
    if inputs.ndim == len(expected) + 1 and inputs.shape[-1] == 1:
        return squeeze(inputs, -1)
    return inputs


def _build(model: Sequential, layer: Layer, shape: Any) -> None:
    """Builds a layer for what it gets, and says where it is if it does not go."""
    try:
        layer.build_for(shape)
    except ValueError as error:
        raise ValueError(
            f"{layer.name} ({type(layer).__name__}) in {model.name}, with input {shape}: {error}"
        ) from error
    before = layer.input_shape
    if tuple(before) != tuple(shape):
        # A layer that was built elsewhere.
        layer._shapes = (shape, layer.compute_output_shape(shape))


def _fits(shape: tuple[int, ...], expected: Sequence[int | None]) -> bool:
    lengths = zip(shape[1:], expected[1:], strict=False)
    return len(shape) == len(expected) and all(m is None or n == m for n, m in lengths)
