"""Ops: functions of arrays whose calls are recorded when a Tensor among their arguments requires a gradient."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import modes, versions
from tensorgrad.autograd.conversion import to_array
from tensorgrad.autograd.graph import Bundle, Call, Node, Vertex
from tensorgrad.autograd.modes import state
from tensorgrad.autograd.rules import DERIVED, OPTIONS, Plan, Rule, outputs
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.errors import DeviceError, GradientError
from tensorgrad.pieces import LARGE, each_element

ALIASES = {"dim": "axis", "keepdim": "keepdims"}
"""PyTorch's names for options that the standard, and NumPy, call otherwise: ops take either."""

KINDS = "biufc"
"""Kinds of dtypes, from the narrowest to the widest."""

_wrap = Tensor._wrap

Unwrapped = tuple[Any, "list[Vertex | None] | None", int, bool]


class Op:
    """An op's forward and its rules. Made by :func:`op`, and found at ``function.op``.

    Attributes:
        name: the forward's name.
        rules: the vjp rule of each input that has one.
        signature: the forward's signature, without ``xp``.
    """

    def __init__(
        self, forward: Callable[..., Any], differentiable: bool, outputs: tuple[str, ...], elementwise: bool = False
    ) -> None:
        self.name = forward.__name__.strip("_")
        self.forward = forward
        self.differentiable = differentiable
        self.outputs = outputs
        self.elementwise = elementwise
        self.rules: dict[str, Rule] = {}
        signature = inspect.signature(forward)
        parameters = [parameter for name, parameter in signature.parameters.items() if name != "xp"]
        self.signature = signature.replace(parameters=parameters, return_annotation=signature.empty)
        self.wants_xp = len(parameters) < len(signature.parameters)
        self.index = {parameter.name: i for i, parameter in enumerate(parameters)}
        self.defaults = [parameter.default for parameter in parameters]
        self.variadic = bool(parameters) and parameters[0].kind is inspect.Parameter.VAR_POSITIONAL
        kinds = [parameter.kind for parameter in parameters]
        self.positional = sum(kind is not inspect.Parameter.KEYWORD_ONLY for kind in kinds)
        # Arrays come before the slash or, where there is none, before the star.
        self.arrays = kinds.count(inspect.Parameter.POSITIONAL_ONLY) or self.positional
        # Arrays alone, as most ops have: then there is less to look at in each call.
        self.plain = self.arrays == len(parameters) and not self.variadic
        self._plans: dict[int, Plan] = {}
        for name in ("out", "needs", "used"):
            if name in self.index or name in outputs:
                what = "a parameter" if name in self.index else "an output"
                raise TypeError(f"op {self.name!r}: {what} {name!r} means something else to its rules: rename it.")

    def vjp(self, *inputs: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """A decorator: the function becomes the vjp rule for one input, or the joint rule for several.

        What a rule may ask for is told in :mod:`tensorgrad.autograd.rules`.

        Args:
            inputs: names of the op's array parameters. A joint rule returns one gradient for each, in this order
                (None for those that ``needs`` says are not wanted); the rule of an op on a sequence of arrays, one
                for each array.

        Raises:
            TypeError: if there is no such array parameter, it has a rule already, or the rule asks for what the op
                does not have.
        """
        arrays = list(self.index)[: self.arrays]
        for name in inputs:
            if name not in arrays:
                raise TypeError(f"op {self.name!r} has no array parameter {name!r}; it has {', '.join(arrays)}.")
            if name in self.rules:
                raise TypeError(f"op {self.name!r} has a vjp rule for {name!r} already.")

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            asks = tuple(inspect.signature(function).parameters)[1:]
            for ask in asks:
                derived = any(ask.endswith(end) and ask.removesuffix(end) in self.index for end in DERIVED)
                if not derived and ask not in {*self.index, *self.outputs, "out", *OPTIONS}:
                    raise TypeError(
                        f"the vjp rule of {self.name!r} for {', '.join(map(repr, inputs))} asks for {ask!r}, which is "
                        f"neither a parameter of the op ({', '.join(self.index)}) nor out, xp, needs, used, nor "
                        f"a parameter's _shape, _dtype or _device."
                    )
            if function.__name__ == "_":
                _rename(function, f"{self.name}.vjp({', '.join(map(repr, inputs))})")
            rule = Rule(function, inputs, asks)
            self.rules.update(dict.fromkeys(inputs, rule))
            self._plans.clear()
            return function

        return register

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """The values of all parameters, in their order, defaults filled in."""
        if self.variadic:
            given, values = 1, [args, *self.defaults[1:]]
        else:
            given, values = len(args), [*args, *self.defaults[len(args) :]]
            if given > self.positional:
                raise TypeError(f"{self.name}{self.signature} was given {given} positional arguments.")
        named: set[int] = set()
        for name, value in kwargs.items():
            i = self.index.get(name, self.index.get(ALIASES.get(name, name)))
            if i is None or i < given or i in named:
                problem = "has no parameter" if i is None else "was given two values for"
                raise TypeError(f"{self.name}{self.signature} {problem} {name!r}.")
            named.add(i)
            values[i] = value
        for name, value in zip(self.index, values, strict=True):
            if value is inspect.Parameter.empty:
                raise TypeError(f"{self.name}{self.signature} needs a value for {name!r}.")
        return values

    def apply(self, values: list[Any]) -> Any:
        """The op on bound values: Tensors out if Tensors (or only numbers) went in, else bare arrays."""
        if self.variadic:
            items = values[0] = [*values[0]]
            count = len(items)
        else:
            items, count = values, self.arrays
        first, nodes, mask, tensors = self._unwrap(items, count)
        if not self.plain:
            for i in range(self.arrays, len(values)):
                if isinstance(values[i], Tensor):
                    values[i] = self._option(i, values[i])
        # Before the forward, which may draw random numbers.
        randomness = modes.randomness() if modes.watched and state.anomaly and nodes is not None else None
        try:
            if self.elementwise and type(first) is np.ndarray and first.size >= LARGE:
                out = each_element(self.forward, values, **({"xp": np} if self.wants_xp else {}))
            elif self.plain or (len(values) == self.positional and not self.variadic):
                if self.wants_xp:
                    out = self.forward(*values, xp=np if type(first) is np.ndarray else backend.namespace(first))
                else:
                    out = self.forward(*values)
            else:
                out = self._forward(values, first)
        except Exception as error:
            error.add_note(f"in tensorgrad's {self.name}({', '.join(map(_describe, items))})")
            raise
        if not tensors:
            return out
        if type(out) is tuple:
            outs = tuple(self._as_array(array, first) for array in out)
            if nodes is None:
                return tuple(map(Tensor._wrap, outs))
            plan = self.plan(mask)
            shapes, dtypes = tuple(array.shape for array in outs), tuple(array.dtype for array in outs)
            values += outs if self.outputs else [outs]
            bundle = Bundle(plan, tuple(nodes), plan.keep(values), shapes, dtypes)
            if randomness is not None:
                bundle.call = self._call(values, outs, randomness)
            return outputs(outs, bundle)
        if type(out) is not type(first):
            # NumPy makes scalars of 0-d results.
            out = np.asarray(out) if isinstance(out, np.generic) else self._as_array(out, first)
        if nodes is None or (dtype := out.dtype).kind != "f":
            return _wrap(out)
        plan = self._plans.get(mask) or self.plan(mask)
        values.append(out)
        node = Node(plan, tuple(nodes), plan.keep(values), out.shape, dtype)
        if randomness is not None:
            node.call = self._call(values, (out,), randomness)
        return _wrap(out, node)

    def _call(self, values: list[Any], outs: tuple[Any, ...], randomness: Any) -> Call:
        """What is remembered of a call with these values."""
        items = values[0] if self.variadic else values[: self.arrays]
        names = [*self.index]
        options = dict(zip(names[self.arrays :], values[self.arrays :], strict=False))
        if self.variadic:
            names = [f"{names[0]}[{i}]" for i in range(len(items))]
        names = names[: len(items)]
        return Call(versions.caller(), self._again, tuple(items), options, tuple(names), outs, randomness)

    def _again(self, items: Sequence[Any], options: dict[str, Any]) -> Any:
        """The op on the arrays and options of an earlier call, or on others in their place."""
        return self.apply([*([items] if self.variadic else items), *options.values()])

    def plan(self, mask: int) -> Plan:
        """What to keep and which rules to run, when the array parameters of a bit mask need a gradient."""
        if self.variadic:
            mask = 1
        if mask not in self._plans:
            wanted = [name for name, i in self.index.items() if mask >> i & 1]
            for name in wanted:
                if name not in self.rules:
                    raise GradientError(
                        f"{self.name}() has no vjp rule for {name!r}, which requires a gradient: write one with "
                        f"@{self.name}.vjp({name!r}), or give {name}.detach() where none is wanted."
                    )
            rules = list({id(rule): rule for rule in map(self.rules.__getitem__, wanted)}.values())
            self._plans[mask] = Plan(self.name, self.index, self.outputs, rules, self.variadic, self.elementwise)
        return self._plans[mask]

    def _unwrap(self, items: list[Any], count: int) -> Unwrapped:
        """Puts bare arrays in place of Tensors and of lists; Python's numbers stay, for their weak promotion.

        Returns:
            The first array; the vertices of the items, if any of them requires a gradient, else None; those that do,
            as a bit mask; whether the result is to be a Tensor.
        """
        first: Any = None
        nodes: list[Vertex | None] | None = None
        mask = 0
        tensors = odd = False
        for i in range(count):
            item = items[i]
            if isinstance(item, Tensor):
                tensors = True
                node = item._node
                if node is not None and self.differentiable and state.grad:
                    if nodes is None:
                        nodes = [None] * count
                    nodes[i] = node
                    mask |= 1 << i
                items[i] = item = item._data
            elif (kind := type(item)) is float or kind is int or item is None:
                continue
            elif isinstance(item, np.generic) or backend.of(item) is None:
                if isinstance(item, str):
                    name = [*self.index][0 if self.variadic else i]
                    raise TypeError(
                        f"{self.name}() takes an array for {name!r}, not {item!r}. (In the signature of an "
                        f"op, options come after a slash or a star.)"
                    )
                odd = True
                continue
            if first is None:
                first = item
            elif type(item) is not np.ndarray or type(first) is not np.ndarray:
                self._require_one_device(first, item)
        if first is None:
            scalar = next((i for i in range(count) if isinstance(items[i], np.generic)), None)
            if scalar is None:
                first, tensors = _arrays_from_numbers(items, count), True
            else:
                # NumPy makes scalars of 0-d results: they are arrays, if nobody else is.
                first = items[scalar] = np.asarray(items[scalar])
        if odd:
            for i in range(count):
                items[i] = weak(items[i], first)
        return first, nodes, mask, tensors

    def _forward(self, values: list[Any], first: Any) -> Any:
        """The forward of an op that takes a sequence of arrays, or options by keyword only."""
        options = dict(zip([*self.index][self.positional :], values[self.positional :], strict=True))
        if self.wants_xp:
            options["xp"] = backend.namespace(first)
        return self.forward(*(values[0] if self.variadic else values[: self.positional]), **options)

    def _as_array(self, value: Any, like: Any) -> Any:
        """A result as an array of ``like``'s library: NumPy makes scalars of 0-d ones, Python code makes floats."""
        if backend.of(value) is not None:
            return np.asarray(value) if isinstance(value, np.generic) else value
        if not isinstance(value, (bool, int, float, complex)):
            raise TypeError(
                f"{self.name}() must return an array or a tuple of them, it returned {type(value).__name__}."
            )
        return backend.transfer(np.asarray(value), backend.device_of(like))

    def _option(self, i: int, value: Tensor) -> Any:
        """A Tensor that was given as an option: its number, or its array. No gradient flows there."""
        if value.requires_grad and state.grad and self.differentiable:
            raise GradientError(
                f"{self.name}() has no gradient for its option {[*self.index][i]!r}, which was given a tensor that "
                f"requires one: give it x.detach() or a number."
            )
        return value.item() if value.ndim == 0 else value._data

    def _require_one_device(self, first: Any, other: Any) -> None:
        here, there = backend.device_of(first), backend.device_of(other)
        if here != there:
            raise DeviceError(
                f"{self.name}() was given arrays on {here!r} and {there!r}: move one, as in x.to({here!r}) (a bare "
                f"array by tg.tensor(array, device={here!r}))."
            )


def op(
    forward: Callable[..., Any] | None = None,
    /,
    *,
    differentiable: bool = True,
    outputs: Sequence[str] = (),
    elementwise: bool = False,
) -> Any:
    """Makes a function of arrays an op: it takes Tensors, and remembers.

    The parameters before ``/`` (or, where there is none, before ``*``) are arrays; ``*arrays`` is a sequence of
    them; what follows are options. A parameter ``xp`` is not the caller's: it receives the namespace of the arrays.
    Several outputs are returned as a tuple.

    Args:
        forward: the function, on bare arrays.
        differentiable: False for an op without gradients (a comparison, say), whose result never requires one.
        outputs: names for several outputs, by which rules can ask for one of them.
        elementwise: True for an op that does not look beyond an element, apart from broadcasting, and whose rules do
            not either: large arrays are then worked on piece by piece, on several threads. That is worth it where an
            element takes more than a nanosecond. It has positional parameters only, but for ``xp``.

    Returns:
        The function, on Tensors, arrays or numbers, with a decorator ``vjp`` for its rules (see :meth:`Op.vjp`).
        It gives Tensors if it was given any, or numbers only; on bare arrays it gives bare arrays, unrecorded.

    Example:
        >>> import tensorgrad as tg
        >>> @tg.op
        ... def cube(x):
        ...     return x * x * x
        >>> @cube.vjp("x")
        ... def _(g, x):
        ...     return 3 * g * x * x
        >>> x = tg.tensor(2.0, requires_grad=True)
        >>> cube(x).backward()
        >>> x.grad.item()
        12.0
    """
    if forward is None:
        return functools.partial(op, differentiable=differentiable, outputs=outputs, elementwise=elementwise)
    record = Op(forward, differentiable, tuple(outputs), elementwise)
    apply, bind, count = record.apply, record.bind, len(record.index)
    whole = count if count == record.positional and not record.variadic else -1

    @functools.wraps(forward)
    def call(*args: Any, **kwargs: Any) -> Any:
        return apply(bind(args, kwargs) if kwargs or len(args) != whole else [*args])

    call.__signature__ = record.signature  # type: ignore[attr-defined]
    call.op = record  # type: ignore[attr-defined]
    call.vjp = record.vjp  # type: ignore[attr-defined]
    return call


def _rename(function: Any, name: str) -> None:
    """Gives a function a name that tracebacks and profiles show."""
    function.__name__ = function.__qualname__ = name
    function.__code__ = function.__code__.replace(co_name=name, co_qualname=name)


def _arrays_from_numbers(items: list[Any], count: int) -> Any:
    """Makes an array of one item, or of all of them if they are single numbers, where none is one; returns the first.

    The lists that are left are brought to its dtype by :func:`weak`.
    """
    places = [i for i in range(count) if items[i] is not None]
    if not places:
        return None
    if all(isinstance(items[i], (bool, int, float, complex)) for i in places):
        together = to_array([items[i] for i in places])
        for i, number in zip(places, together, strict=True):
            items[i] = np.asarray(number)
        return items[places[0]]
    lists = {i: to_array(items[i]) for i in places if not isinstance(items[i], (bool, int, float, complex))}
    widest = max(lists, key=lambda i: KINDS.index(lists[i].dtype.kind))
    items[widest] = lists[widest]
    return items[widest]


def weak(item: Any, like: Any) -> Any:
    """A list or NumPy scalar beside an array: its kind may widen the array's, its precision does not."""
    if isinstance(item, np.generic):
        return item.item()
    if item is None or isinstance(item, (bool, int, float, complex)) or backend.of(item) is not None:
        return item
    array = to_array(item)
    if hasattr(item, "__array__"):
        return backend.transfer(array, backend.device_of(like))
    dtype = like.dtype if KINDS.index(array.dtype.kind) <= KINDS.index(like.dtype.kind) else None
    return to_array(item, dtype, backend.device_of(like))


def _describe(item: Any) -> str:
    return f"{item.dtype}{list(item.shape)}" if hasattr(item, "dtype") else repr(item)
