"""A function and its gradient, written by hand: the exercise of every course."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import numpy as np

from tensorgrad.testing.checking.containers import Slot, is_array
from tensorgrad.testing.engines.base import Engine, Function, Source

Takes = Literal["inputs", "cache", "cotangent"]

CALLS = {
    "inputs": "backward(cotangent, *inputs)",
    "cache": "backward(cotangent, cache)",
    "cotangent": "backward(cotangent)",
}
"""How the backward of a pair is called, by what it takes."""


class Pair:
    """A function and its vector-Jacobian product, in plain NumPy (or CuPy); see :func:`pair`."""

    def __init__(
        self, forward: Callable[..., Any], backward: Callable[..., Any], takes: Takes, conjugate: bool
    ) -> None:
        self.forward, self.backward, self.takes, self.conjugate = forward, backward, takes, conjugate
        self.__name__ = getattr(forward, "__name__", type(forward).__name__)

    def run(self, *inputs: Any) -> tuple[Any, Callable[[Any], Any]]:
        """The output, and the function of its cotangent that gives the gradients of these inputs."""
        result = self.forward(*inputs)
        if self.takes == "inputs":
            return result, lambda cotangent: self.backward(cotangent, *inputs)
        if self.takes == "cotangent":
            return result, self.backward
        if not (isinstance(result, tuple) and len(result) == 2):
            raise TypeError(
                f"pair(..., takes='cache') wants a forward that returns (output, cache); it returned "
                f"{type(result).__name__}{f' of length {len(result)}' if isinstance(result, tuple) else ''}."
            )
        output, cache = result
        return output, lambda cotangent: self.backward(cotangent, cache)

    def __call__(self, *inputs: Any) -> Any:
        """The output."""
        return self.run(*inputs)[0]


def pair(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    takes: Takes = "inputs",
    conjugate: bool = False,
) -> Pair:
    """A function and its gradient by hand, for :func:`tensorgrad.testing.gradcheck`.

    ``gradcheck((forward, backward), ...)`` is short for ``gradcheck(pair(forward, backward), ...)``. Before each call
    of ``backward``, ``forward`` is called with the same inputs, as in training.

    Args:
        forward: takes the inputs and returns an array, or a tuple, list or dict of arrays.
        backward: takes the gradient of a loss with respect to the output, of its shape, and returns those with respect
            to the inputs. For several outputs it takes what ``forward`` returns with gradients in the places of the
            outputs, and None in the places of what is not floating point. It returns one gradient for each input, or
            one for each array that is checked; of a single input, its gradient alone. For a container it returns a
            container of the same kind. None stands for zero.
        takes: what ``backward`` is given besides the cotangent: ``"inputs"`` (``backward(cotangent, *inputs)``);
            ``"cache"`` (``forward`` returns ``(output, cache)``, and it is ``backward(cotangent, cache)``); or
            ``"cotangent"``, for layers that remember what they need: ``pair(layer.forward, layer.backward,
            takes="cotangent")``.
        conjugate: for complex numbers, whether a gradient with respect to a + ib is dL/da - i dL/db instead of
            dL/da + i dL/db.

    Returns:
        The pair; called, it gives the output.

    Raises:
        TypeError: if one of them is not a function.
        ValueError: if ``takes`` is none of the three.

    Example:
        >>> def forward(x, w):
        ...     return x @ w, (x, w)
        >>> def backward(dout, cache):
        ...     x, w = cache
        ...     return dout @ w.T, x.T @ dout
        >>> affine = pair(forward, backward, takes="cache")
        >>> affine(np.ones((2, 3)), np.ones((3, 1)))
        array([[3.],
               [3.]])
    """
    for name, function in (("forward", forward), ("backward", backward)):
        if not callable(function):
            raise TypeError(f"pair() takes two functions; {name} is {type(function).__name__}.")
    if takes not in CALLS:
        raise ValueError(f"takes is one of {', '.join(map(repr, CALLS))}, not {takes!r}.")
    return Pair(forward, backward, takes, conjugate)


class PairEngine(Engine):
    """Pairs of plain functions.

    Args:
        function: the pair.
        native: the engine whose arrays they work on; None for NumPy's and CuPy's.
    """

    name = "pair"
    owned = True
    extended = True

    def __init__(self, function: Pair, native: Engine | None = None) -> None:
        super().__init__()
        self.function, self.native = function, native
        self.conjugate = function.conjugate

    @classmethod
    def owns(cls, value: Any) -> bool:
        return isinstance(value, Pair)

    def array(self, value: np.ndarray, like: Any) -> Any:
        if self.native is not None and self.native.owns(like):
            return self.native.array(value, like)
        return super().array(value, like)

    def constant(self, value: np.ndarray, like: Any) -> Any:
        return self.array(value, like)

    def numpy(self, native: Any) -> np.ndarray | None:
        return super().numpy(native) if self.native is None else self.native.numpy(native)

    def active(self) -> AbstractContextManager[Any]:
        return nullcontext() if self.native is None else self.native.active()

    def sources(self) -> list[Source]:
        return super().sources() if self.native is None else self.native.sources()

    def pull(
        self, call: Any, leaves: Sequence[Any], wanted: Sequence[int], cotangents: Sequence[Any]
    ) -> Sequence[Any | None]:
        output, backward = self.function.run(*call.arguments(leaves))
        given = [
            # A forward that gives a scalar is given one: g += 1 is then no change to anybody's array.
            cotangent[()] if isinstance(cotangent, np.ndarray) and not isinstance(native, np.ndarray) else cotangent
            for cotangent, native in zip(cotangents, call.select(output), strict=True)
        ]
        return _by_leaf(backward(call.like_output(given)), call.inputs, wanted)

    def derivative(self, call: Function, wanted: Sequence[int], leaves: int) -> Function:
        raise ValueError(
            "a pair (forward, backward) has derivatives of order 1 only, because backward's own gradient is not given: "
            "check order=1, and for order 2 check backward as a forward, with a backward of its own."
        )


def _by_leaf(result: Any, inputs: Sequence[Any], wanted: Sequence[int]) -> list[Any | None]:
    """What a backward returned, as one gradient for each leaf wanted.

    Args:
        result: as it was returned.
        inputs: the templates of the inputs.
        wanted: the numbers of the leaves whose gradients are asked for, in order.
    """
    if result is None:
        raise TypeError("backward returned None: is a return missing? (A gradient of zero is (None,) or zeros.)")
    several = isinstance(result, (tuple, list))
    for lenient in (False, True):
        if len(inputs) == 1 and (found := _match(inputs[0], result, wanted, lenient)) is not None:
            return [found.get(i) for i in wanted]
        if several and (found := _match(tuple(inputs), result, wanted, lenient)) is not None:
            return [found.get(i) for i in wanted]
        if several and len(result) == len(wanted) and not any(map(_is_container, result)):
            return list(result)
    if len(wanted) == 1 and not _is_container(result):
        return [result]
    kind = f"{len(result)} gradients" if several else f"one {type(result).__name__}"
    raise TypeError(
        f"backward returned {kind}; it must return one gradient for each of the {len(inputs)} inputs, or one for each "
        f"of the {len(wanted)} arrays that are checked. (None stands for zero. Every floating point number among the "
        f"inputs is checked: what is a setting rather than an input can be held fixed by a lambda around forward.)"
    )


def _is_container(value: Any) -> bool:
    return isinstance(value, (tuple, list, Mapping)) and not is_array(value)


def _match(template: Any, result: Any, wanted: Sequence[int], lenient: bool) -> dict[int, Any] | None:
    """The gradients by the number of their leaf, if ``result`` is built like ``template``, else None.

    Gradients in the places of what is not checked are overlooked if ``lenient``.
    """
    if isinstance(template, Slot) and template.number in wanted:
        return None if _is_container(result) else {template.number: result}
    if result is None:
        return {}
    if isinstance(template, Mapping) and isinstance(result, Mapping):
        if not result.keys() <= template.keys():
            return None
        pairs = [(template[key], value) for key, value in result.items()]
    elif isinstance(template, (tuple, list)) and isinstance(result, (tuple, list)):
        if len(template) != len(result):
            return None
        pairs = list(zip(template, result, strict=True))
    else:
        return {} if lenient and not isinstance(template, (tuple, list, Mapping)) else None
    found: dict[int, Any] = {}
    for part, value in pairs:
        inner = _match(part, value, wanted, lenient)
        if inner is None:
            return None
        found |= inner
    return found
