"""What all optimizers share: groups of parameters, the step, and state that is saved by name."""

from __future__ import annotations

import collections
import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import versions
from tensorgrad.autograd.modes import enable_grad
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.backend import Array
from tensorgrad.nn.parameter import Uninitialized
from tensorgrad.optim.options import plain
from tensorgrad.optim.parameters import ALL_OR_NONE, Named, Parameters, parameter_groups, split_names

BY_OTHERS = ("name", "initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum")
"""What a group may have besides options: a name of its own, and what schedules write into it."""


class Optimizer:
    """The base of all optimizers.

    A subclass hands its options to the constructor, and gets them back, as Python numbers, in two methods:
    ``check(**options)`` raises a ValueError for options that make no sense, and ``update(xp, param, grad, state,
    **options)`` changes the bare array ``param`` in place. ``grad`` must not be changed; ``state`` is the parameter's
    own dict, empty at first, for arrays of the parameter's shape and Python numbers.

    Args:
        params: tensors, ``(name, tensor)`` pairs such as ``model.named_parameters()``, or dicts, each with ``params``
            (either of these) and options of its own. With names, state is saved by name.
        defaults: the options of groups that do not say otherwise.

    Raises:
        TypeError: if ``params`` is something else.
        ValueError: if there are no parameters, one comes twice, or one cannot be trained.

    Attributes:
        param_groups: a list of dicts: the parameters (``params``) and the options, which may be changed at any time.
        state: what is remembered of each parameter, a dict each; empty before the first step.
        defaults: the options given to the constructor.

    Example:
        >>> import tensorgrad as tg
        >>> class SignSGD(tg.optim.Optimizer):
        ...     def __init__(self, params, lr=0.1):
        ...         super().__init__(params, {"lr": lr})
        ...
        ...     def update(self, xp, param, grad, state, lr):
        ...         param -= lr * xp.sign(grad)
        >>> w = tg.tensor([1.0, -2.0], requires_grad=True)
        >>> (w * w).sum().backward()
        >>> SignSGD([w]).step()
        >>> w.tolist() == tg.tensor([0.9, -1.9]).tolist()
        True
    """

    required_state: ClassVar[frozenset[str]] = frozenset()
    """What the state of a parameter always has, once there is any."""

    def __init__(self, params: Parameters, defaults: Mapping[str, Any]) -> None:
        self.defaults = {name: plain(value) for name, value in defaults.items()}
        self.state: dict[Tensor, dict[str, Any]] = collections.defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self.stepped = False
        """Whether :meth:`step` was ever called; schedules look at it."""
        self._names: dict[Tensor, str] = {}
        for group in parameter_groups(params):
            self.add_param_group(group)
        if not self._named():
            raise ValueError(
                f"{type(self).__name__} got no parameters. Has the model any (layers in a plain list are not found: "
                f"use nn.ModuleList), or was the generator used up before? Call model.parameters() anew."
            )

    def check(self, *args: Any, **options: Any) -> None:
        """Raises a ValueError for options that make no sense."""

    def update(self, *args: Any, **options: Any) -> None:
        """``update(xp, param, grad, state, **options)``: changes the array ``param`` in place, and the state."""
        raise NotImplementedError(f"{type(self).__name__} needs a method update(xp, param, grad, state, **options).")

    # -- parameters ----------------------------------------------------------------------------------------

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Adds parameters, with options of their own.

        Args:
            param_group: ``params`` (a tensor, tensors, or pairs of name and tensor), and any options; those not given
                are the constructor's. It may also have a ``name``, and what schedules keep in groups.

        Raises:
            TypeError, ValueError: as the constructor; nothing is added then.
        """
        if not isinstance(param_group, Mapping) or "params" not in param_group:
            raise TypeError(f"a parameter group is a dict with 'params', got {type(param_group).__name__}.")
        names, tensors = split_names(param_group["params"])
        given = {name: plain(value) for name, value in param_group.items() if name != "params"}
        unknown = [name for name in given if name not in self.defaults and name not in BY_OTHERS]
        if unknown:
            listed, options = ", ".join(map(repr, unknown)), ", ".join(self.defaults)
            raise ValueError(f"{type(self).__name__} has no option {listed}; it has: {options}.")
        group = {"params": tensors, **self.defaults, **given}
        self.check(**self._options(group))
        known = {tensor: name for name, tensor in self._named()}
        if tensors and known and bool(names) != bool(self._names):
            raise ValueError(ALL_OR_NONE)
        for i, tensor in enumerate(tensors):
            name = names[i] if names else str(len(known))
            if tensor in known:
                raise ValueError(f"parameter {name!r} is in the optimizer already, as {known[tensor]!r}.")
            if name in known.values():
                raise ValueError(f"two parameters have the name {name!r}, names must be unique.")
            known[tensor] = name
        self._names.update(zip(tensors, names, strict=False))
        self.param_groups.append(group)

    def name_parameters(self, named_parameters: Iterable[Named]) -> None:
        """Names the parameters, so that state is saved by name from now on.

        Args:
            named_parameters: pairs of name and tensor, such as ``model.named_parameters()``; may have others too.

        Raises:
            ValueError: if a parameter of the optimizer is not among them.
        """
        names = {tensor: name for name, tensor in named_parameters}
        nameless = [name for name, tensor in self._named() if tensor not in names]
        if nameless:
            raise ValueError(f"no name was given for these parameters of the optimizer: {nameless}.")
        self._names = {tensor: names[tensor] for _, tensor in self._named()}

    def _named(self) -> list[Named]:
        """All parameters, with their names, or their positions in the place of names."""
        parameters = [parameter for group in self.param_groups for parameter in group["params"]]
        return [(self._names.get(parameter, str(i)), parameter) for i, parameter in enumerate(parameters)]

    def _options(self, group: Mapping[str, Any]) -> dict[str, Any]:
        # A schedule may have put in NumPy's float64, which would widen every float32 array that it meets.
        return {name: plain(group[name]) for name in self.defaults}

    # -- the step ------------------------------------------------------------------------------------------

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients, or sets those that there are to zeros."""
        for _, parameter in self._named():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                grad = parameter.grad.data
                parameter.grad = Tensor(backend.namespace(grad).zeros_like(grad))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Changes every parameter that has a gradient, in place.

        Args:
            closure: computes the loss and its gradients anew, and returns the loss.

        Returns:
            What ``closure`` returned, or None.

        Raises:
            ValueError: if a gradient or the state no longer fits its parameter; nothing is changed then.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        work = []
        for group in self.param_groups:
            options = self._options(group)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._require_fit(parameter, parameter.grad.data)
                    work.append((parameter, parameter.grad.data, options))
        self.stepped = True
        by = f"{type(self).__name__}.step"
        for parameter, grad, options in work:
            param = parameter.data
            self.update(backend.namespace(param), param, grad, self._remembered(parameter), **options)
            versions.mark(param, by)
        return loss

    def _remembered(self, parameter: Tensor) -> dict[str, Any]:
        """The parameter's state, which follows to where the parameter has gone, as after ``model.to("cuda")``."""
        state, param = self.state[parameter], parameter.data
        for name, value in state.items():
            if not _is_number(value):
                state[name] = _moved(value, param)
        return state

    def _require_fit(self, parameter: Tensor, grad: Array) -> None:
        """Raises unless the gradient and the state go with the parameter, and the parameter can be changed."""
        param = parameter.data
        if _kind(grad) != _kind(param):
            raise ValueError(
                f"the parameter{self._called(parameter)} is {_describe(param)}, but its gradient is {_describe(grad)}: "
                f"the parameter was changed after backward(), call zero_grad() and backward() again."
            )
        for name, value in self.state.get(parameter, {}).items():
            if not _is_number(value) and value.shape != param.shape:
                raise ValueError(
                    f"the parameter{self._called(parameter)} has shape {tuple(param.shape)}, but {name!r} of the steps "
                    f"before has shape {tuple(value.shape)}: a parameter of a new shape needs a new optimizer."
                )
        if not getattr(param.flags, "writeable", True):
            raise ValueError(
                f"the array of the parameter{self._called(parameter)}, {_describe(param)}, is read-only and cannot be "
                f"changed in place: make the tensor from a copy."
            )

    def _called(self, parameter: Tensor) -> str:
        return f" {self._names[parameter]!r}" if parameter in self._names else ""

    # -- saving --------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on exactly from here, as copies.

        Returns:
            ``{"state": {name: {...}}, "param_groups": [{..., "params": [name, ...]}, ...]}``, where the name is the
            parameter's, or its position ("0", "1", ...) if names are not known.
        """
        names = {parameter: name for name, parameter in self._named()}
        state = {
            name: {key: value if _is_number(value) else value.copy() for key, value in self.state[parameter].items()}
            for parameter, name in names.items()
            if self.state.get(parameter)
        }
        groups = [
            {**_without_params(group), "params": [names[parameter] for parameter in group["params"]]}
            for group in self.param_groups
        ]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes back, or on, to what :meth:`state_dict` gave.

        State is moved to the parameter's device and dtype.

        Args:
            state_dict: what :meth:`state_dict` gave, of an optimizer of this kind with the same parameters.

        Raises:
            ValueError: if names, groups, options or shapes are not this optimizer's; lists what is missing and what is
                unexpected. Nothing is changed then.
        """
        if not isinstance(state_dict, Mapping) or not {"state", "param_groups"} <= set(state_dict):
            raise ValueError("an optimizer's state is a dict with 'state' and 'param_groups', as of state_dict().")
        names = dict(self._named())
        problems = self._group_problems(state_dict["param_groups"])
        state: dict[Tensor, dict[str, Any]] = {}
        for name, saved in state_dict["state"].items():
            if name not in names:
                problems.append(f"unexpected state of {name!r}")
                continue
            if not isinstance(saved, Mapping):
                problems.append(f"{name!r}: expected a dict, got {type(saved).__name__}")
                continue
            if saved and not self.required_state <= set(saved):
                problems.append(f"{name!r}: missing {sorted(self.required_state - set(saved))}")
                continue
            try:
                state[names[name]] = {key: _restored(value, names[name].data, key) for key, value in saved.items()}
            except ValueError as error:
                problems.append(f"{name!r}: {error}")
        if problems:
            raise ValueError(
                f"this is not the state of this {type(self).__name__}, nothing was loaded:\n  " + "\n  ".join(problems)
            )
        # In the parameters' order, whatever the order of the file.
        in_order = [parameter for parameter in names.values() if parameter in state]
        self.state = collections.defaultdict(dict, ((parameter, state[parameter]) for parameter in in_order))
        for group, saved in zip(self.param_groups, state_dict["param_groups"], strict=True):
            parameters = group["params"]
            group.clear()
            group.update({"params": parameters, **_without_params(saved)})

    def _group_problems(self, saved_groups: Any) -> list[str]:
        """What keeps ``saved_groups`` from being this optimizer's groups, one line each."""
        if len(saved_groups) != len(self.param_groups):
            return [f"{len(saved_groups)} parameter groups were saved, the optimizer has {len(self.param_groups)}"]
        problems = []
        names = {parameter: name for name, parameter in self._named()}
        for i, (group, saved) in enumerate(zip(self.param_groups, saved_groups, strict=True)):
            mine, theirs = [names[parameter] for parameter in group["params"]], saved.get("params", [])
            for what, found in (
                ("missing parameters", [name for name in mine if name not in theirs]),
                ("unexpected parameters", [name for name in theirs if name not in mine]),
                ("missing options (is it another optimizer's?)", [key for key in self.defaults if key not in saved]),
            ):
                if found:
                    problems.append(f"group {i}: {what} {found}")
            if not problems:
                try:
                    self.check(**self._options(saved))
                except (TypeError, ValueError) as error:
                    problems.append(f"group {i}: {error}")
        saved_names = [name for group in saved_groups for name in group.get("params", [])]
        if saved_names != list(names.values()) and _positions(saved_names) != _positions(names.values()):
            problems.append(
                "one of the two has names, the other positions: give model.named_parameters() to the optimizer, "
                "when saving and when loading, or call name_parameters()"
            )
        return problems

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            options = ", ".join(f"{name}={value!r}" for name, value in group.items() if name != "params")
            values = sum(parameter.size for parameter in group["params"] if not isinstance(parameter, Uninitialized))
            lines.append(f"  (group {i}): {len(group['params'])} parameters, {values:,} values, {options}")
        return f"{type(self).__name__}(\n" + "\n".join(lines) + "\n)"


def _moved(value: Array, param: Array) -> Array:
    value = value if value.dtype == param.dtype else value.astype(param.dtype)
    return backend.transfer(value, backend.device_of(param))


def _restored(value: Any, param: Array, name: str) -> Any:
    """A saved entry of the state, as a copy that goes with the parameter."""
    if _is_number(value):
        return value
    array = value.data if isinstance(value, Tensor) else value
    if backend.of(array) is None:
        raise ValueError(f"{name!r} is neither an array nor a number but {type(value).__name__}")
    if tuple(array.shape) != tuple(param.shape):
        raise ValueError(f"{name!r} has shape {tuple(array.shape)}, expected {tuple(param.shape)}")
    moved = _moved(array, param)
    return moved.copy() if moved is array else moved


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, np.generic)


def _without_params(group: Mapping[str, Any]) -> dict[str, Any]:
    return {name: copy.deepcopy(plain(value)) for name, value in group.items() if name != "params"}


def _positions(names: Iterable[str]) -> bool:
    return all(name == str(i) for i, name in enumerate(names))


def _kind(array: Array) -> tuple[Any, ...]:
    return tuple(array.shape), array.dtype, backend.device_of(array)


def _describe(array: Array) -> str:
    shape, dtype, device = _kind(array)
    return f"of shape {shape}, {dtype} on {device!r}"
