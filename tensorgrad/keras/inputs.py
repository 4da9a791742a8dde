"""What a model takes: the shape of a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tensorgrad.keras.config import floatx
from tensorgrad.keras.registry import unique_name

Shape = tuple[int | None, ...]


class InputLayer:
    """The shape of a model's input, given first in a :class:`~tensorgrad.keras.Sequential`. It computes nothing.

    Args:
        shape: of a sample, without the batch axis; None for an axis of any length.
        batch_size: the length of the batch axis; None: any.
        dtype: of the input.
        batch_shape: the shape with the batch axis, in place of ``shape`` and ``batch_size``.
        name: of the input.

    Example:
        >>> from tensorgrad import keras
        >>> keras.Sequential([keras.Input(shape=(784,)), keras.layers.Dense(10)]).output_shape
        (None, 10)
    """

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        batch_shape: Sequence[int | None] | None = None,
        name: str | None = None,
        *,
        input_shape: Sequence[int | None] | None = None,
        batch_input_shape: Sequence[int | None] | None = None,
        **options: Any,
    ) -> None:
        unknown = set(options) - {"sparse", "ragged", "optional"}
        if unknown or any(options.values()):
            raise TypeError(f"Input takes no {', '.join(sorted(unknown or options))}.")
        shape = input_shape if shape is None else shape
        batch_shape = batch_input_shape if batch_shape is None else batch_shape
        if (shape is None) == (batch_shape is None):
            raise ValueError(f"Input takes a shape or a batch_shape, got {shape} and {batch_shape}.")
        self.batch_shape = (batch_size, *lengths(shape)) if batch_shape is None else lengths(batch_shape)
        self.dtype = str(dtype or floatx())
        self.name = name or unique_name("InputLayer")

    @property
    def shape(self) -> Shape:
        """The shape with the batch axis."""
        return self.batch_shape

    def get_config(self) -> dict[str, Any]:
        """What it was made with."""
        return {"batch_shape": list(self.batch_shape), "dtype": self.dtype, "name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> InputLayer:
        """One more of that configuration."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"Input(shape={self.batch_shape[1:]}, dtype={self.dtype!r})"


Input = InputLayer


def lengths(shape: Any) -> Shape:
    """A shape as a tuple of lengths; None for those that are not known.

    Raises:
        ValueError: for what is no shape.
    """
    given = (shape,) if shape is None or isinstance(shape, int) else tuple(shape)
    if any(not (n is None or (isinstance(n, int) and n >= 0)) for n in given):
        raise ValueError(f"a shape has lengths of 0 or more, or None where they are not known; got {shape!r}.")
    return given


def given_shape(layer: str, options: dict[str, Any]) -> Shape | None:
    """The input's shape, with the batch axis, that a first layer was told; None if it was not.

    Raises:
        TypeError: for other options.
    """
    found = None
    for name in ("batch_input_shape", "batch_shape", "input_shape", "input_dim"):
        if options.get(name) is not None:
            value = lengths(options[name])
            found = value if name.startswith("batch") else (None, *value)
            break
    length = options.get("input_length")
    if length is not None and found is None:
        found = (None, *lengths(length))
    known = ("batch_input_shape", "batch_shape", "input_shape", "input_dim", "input_length", "batch_size")
    unknown = [name for name in options if name not in known]
    if unknown:
        raise TypeError(f"{layer} takes no {', '.join(unknown)}. Is it misspelt, or not there yet?")
    return found
