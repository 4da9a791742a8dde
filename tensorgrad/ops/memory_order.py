"""Both memory orders: channels before the axes of space, as PyTorch has them, or after, as Keras has them.

What works on channels is written for those that come first. Here, and nowhere else, it is given those that come last.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from tensorgrad.ops.creation import asarray
from tensorgrad.ops.shape import moveaxis

T = TypeVar("T")

CHANNELS_FIRST, CHANNELS_LAST = "channels_first", "channels_last"


def channels_are_last(data_format: str, name: str) -> bool:
    """Whether the channels come last; ``name`` says who asks.

    Raises:
        ValueError: for what is no memory order.
    """
    if data_format not in (CHANNELS_FIRST, CHANNELS_LAST):
        raise ValueError(f"{name}: data_format is 'channels_first' or 'channels_last', not {data_format!r}.")
    return data_format == CHANNELS_LAST


def either_order(channels: int, inputs: int = 1, shape: str = "") -> Callable[[Callable[..., T]], Callable[..., T]]:
    """A decorator: the function takes ``data_format="channels_last"``, for inputs whose channels are the last axis.

    What the function gives, one Tensor or several, has its channels last too. They are moved to where the function has
    them and back; nothing is copied for that.

    Args:
        channels: which axis of the inputs and the outputs the function has the channels on.
        inputs: how many of the first arguments have channels.
        shape: the name of an argument that may be the whole shape of an output.

    Example:
        >>> tg.max_pool1d(tg.ones((2, 6, 3)), 2, data_format="channels_last").shape
        (2, 3, 3)
    """

    def decorate(function: Callable[..., T]) -> Callable[..., T]:
        signature = inspect.signature(function)
        names = [*signature.parameters][:inputs]

        @functools.wraps(function)
        def call(*args: Any, data_format: str = CHANNELS_FIRST, **options: Any) -> Any:
            if not channels_are_last(data_format, f"{function.__name__}()"):
                return function(*args, **options)
            bound = signature.bind(*args, **options)
            for name in names:
                bound.arguments[name] = _first(bound.arguments[name], channels)
            given = bound.arguments.get(shape)
            if isinstance(given, (tuple, list)) and len(given) == asarray(bound.arguments[names[0]]).ndim:
                *rest, last = given
                bound.arguments[shape] = (*rest[: channels + 1], last, *rest[channels + 1 :])
            try:
                result = function(*bound.args, **bound.kwargs)
            except ValueError as error:
                error.add_note("(It was given its channels last; shapes are told as if they came first.)")
                raise
            if isinstance(result, tuple):
                return tuple(moveaxis(each, channels, -1) for each in result)
            return moveaxis(result, channels, -1)

        asked = inspect.Parameter("data_format", inspect.Parameter.KEYWORD_ONLY, default=CHANNELS_FIRST, annotation=str)
        call.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[*signature.parameters.values(), asked]
        )
        what = "the input" if inputs == 1 else "the inputs"
        call.__doc__ = (
            f"{function.__doc__}\n    ``data_format``: ``'channels_first'``, or ``'channels_last'`` if {what} and the "
            f"output have\n    the channels as their last axis.\n"
        )
        return call

    return decorate


def _first(x: Any, channels: int) -> Any:
    x = asarray(x)
    # What has no such axis is left to the function to refuse.
    return moveaxis(x, -1, channels) if -x.ndim <= channels < x.ndim else x
