"""Module: parameters, buffers and other modules in a tree, and a function of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, NoReturn, Self

from tensorgrad.autograd import Tensor, is_grad_enabled
from tensorgrad.autograd.hooks import Hook
from tensorgrad.nn.hooks import Passage
from tensorgrad.nn.parameter import Parameter
from tensorgrad.nn.state import IncompatibleKeys, convert, load

PARAMETER, BUFFER, SCRATCH, MODULE, COMPUTED = "parameter", "buffer", "scratch", "module", "computed"
"""What an attribute of a module can be besides an ordinary one.

A scratch buffer is not in the state. What is computed is not there at all: it is made when it is asked for, by what
``parametrizations`` has under its name (:mod:`tensorgrad.nn.utils.parametrize`).
"""


class Module:
    """The base class of all layers and models.

    A subclass makes its parameters (:class:`Parameter`) and other modules attributes of itself in ``__init__``, after
    ``super().__init__()``, and computes its output in ``forward``. It is called like a function.

    Attributes:
        training: whether it is being trained; dropout and batch normalisation go by it.

    Example:
        >>> class Net(tg.nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.first = tg.nn.Linear(4, 8)
        ...         self.second = tg.nn.Linear(8, 2)
        ...
        ...     def forward(self, x):
        ...         return self.second(self.first(x).relu())
        >>> net = Net()
        >>> net(tg.ones((5, 4))).shape
        (5, 2)
        >>> [name for name, _ in net.named_parameters()]
        ['first.weight', 'first.bias', 'second.weight', 'second.bias']
        >>> net
        Net(
          (first): Linear(in_features=4, out_features=8, bias=True)
          (second): Linear(in_features=8, out_features=2, bias=True)
        )
    """

    training: bool
    _later_buffers: ClassVar[Mapping[str, str]] = {}
    """Buffers that an old state lacks, each with one that shows that the others are there: they stay as they are."""
    _roles: dict[str, str]
    _forward_pre_hooks: dict[int, Callable[..., Any]]
    _forward_hooks: dict[int, Callable[..., Any]]
    _backward_hooks: dict[int, Callable[..., Any]]

    def __init__(self) -> None:
        self._roles = {}
        self._forward_pre_hooks = {}
        self._forward_hooks = {}
        self._backward_hooks = {}
        self.training = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the output. To be written by every subclass; to be called through the module itself."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(self, ...): it is what a module computes.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not (self._forward_pre_hooks or self._forward_hooks or self._backward_hooks):
            return self.forward(*args, **kwargs)
        for hook in tuple(self._forward_pre_hooks.values()):
            changed = hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        passage = None
        if self._backward_hooks and is_grad_enabled():
            passage = Passage(self)
            args = passage.enter(args)
        result = self.forward(*args, **kwargs)
        for hook in tuple(self._forward_hooks.values()):
            changed = hook(self, args, result)
            result = result if changed is None else changed
        return result if passage is None else passage.leave(result)

    # -- attributes ----------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        role = PARAMETER if isinstance(value, Parameter) else MODULE if isinstance(value, Module) else None
        roles = self.__dict__.get("_roles")
        if roles and roles.get(name) == COMPUTED:
            self.parametrizations[name].assign(value)
            return
        if role is not None:
            if roles is None:
                raise self._uninitialized(f"cannot have the {role} {name!r} yet")
            self._set(name, value, role)
            return
        if roles and name in roles and value is not None:
            role = roles[name]
            if role in (PARAMETER, MODULE) or not isinstance(value, Tensor):
                wanted = {PARAMETER: "a tg.nn.Parameter", MODULE: "a Module"}.get(role, "a Tensor")
                raise TypeError(
                    f"{type(self).__name__}.{name} is a {role}: it takes {wanted} or None, not {type(value).__name__} "
                    f"(for which del it first)."
                )
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        self.__dict__.get("_roles", {}).pop(name, None)

    def __getattr__(self, name: str) -> Any:
        # Only asked for what is not there.
        if "_roles" not in self.__dict__ and not name.startswith("__"):
            raise self._uninitialized(f"has no {name!r}")
        if self.__dict__.get("_roles", {}).get(name) == COMPUTED:
            return self.parametrizations[name]()
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}.", name=name, obj=self)

    def _uninitialized(self, problem: str) -> AttributeError:
        name = type(self).__name__
        return AttributeError(f"{name} {problem}: {name}.__init__ must call super().__init__() first.")

    def _register(self, name: str, value: Any, role: str, kind: type) -> None:
        if "_roles" not in self.__dict__:
            raise self._uninitialized(f"cannot have the {role} {name!r} yet")
        if not isinstance(name, str) or not name or "." in name:
            raise ValueError(f"a {role} needs a name without a dot, got {name!r}.")
        if self._roles.get(name) in (None, COMPUTED) and hasattr(self, name):
            raise ValueError(f"{type(self).__name__} has an attribute {name!r} already: give the {role} another name.")
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"the {role} {name!r} must be a {kind.__name__} or None, not {type(value).__name__}.")
        self._set(name, value, role)

    def _set(self, name: str, value: Any, role: str) -> None:
        if self._roles.get(name) != role:
            self._roles.pop(name, None)
            self._roles[name] = role
        object.__setattr__(self, name, value)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Makes ``param`` a parameter; None keeps the name for one (``bias=False``)."""
        self._register(name, param, PARAMETER, Parameter)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Makes ``tensor`` a buffer: what belongs to the module, and moves with it, but is not learned.

        Args:
            name: of the attribute.
            tensor: the buffer, or None.
            persistent: whether it is part of the state that is saved.
        """
        self._register(name, tensor, BUFFER if persistent else SCRATCH, Tensor)

    def register_module(self, name: str, module: Module | None) -> None:
        """Makes ``module`` a part of this one, under a name that need not be an identifier."""
        self._register(name, module, MODULE, Module)

    add_module = register_module

    # -- what there is -------------------------------------------------------------------------------------

    def _members(self, *roles: str) -> Iterator[tuple[str, Any]]:
        """This module's own attributes of some roles that are not None, in order of assignment."""
        for name, role in tuple(self._roles.items()):
            value = self.__dict__.get(name)
            if role in roles and value is not None:
                yield name, value

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules that are attributes of this one, each once, with their names."""
        seen = set()
        for name, module in self._members(MODULE):
            if module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules that are attributes of this one, each once."""
        return (module for _, module in self.named_children())

    def named_modules(self, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """This module and all modules in it, each once, with their paths (its own is the prefix).

        Args:
            prefix: put before the paths.
            remove_duplicate: whether one that is in several places is given once.
        """
        seen = set()
        stack: list[tuple[str, Module]] = [(prefix, self)]
        while stack:
            path, module = stack.pop()
            if remove_duplicate and module in seen:
                continue
            seen.add(module)
            yield path, module
            stack += reversed([(_join(path, name), child) for name, child in module._members(MODULE)])

    def modules(self) -> Iterator[Module]:
        """This module and all modules in it, each once."""
        return (module for _, module in self.named_modules())

    def _named(
        self, roles: tuple[str, ...], prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen = set()
        for path, module in self.named_modules(prefix, remove_duplicate) if recurse else [(prefix, self)]:
            for name, tensor in module._members(*roles):
                if not (remove_duplicate and tensor in seen):
                    seen.add(tensor)
                    yield _join(path, name), tensor

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """All parameters, each once, with their paths.

        Args:
            prefix: put before the paths.
            recurse: whether those of modules inside this one are included.
            remove_duplicate: whether one that is in several places is given once.
        """
        return self._named((PARAMETER,), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, each once, also if several modules share it."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """All buffers, each once, with their paths; arguments as of :meth:`named_parameters`."""
        return self._named((BUFFER, SCRATCH), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module at a path such as ``"features.0"``; at ``""``, this one.

        Raises:
            AttributeError: if there is none; says which part of the path is missing.
        """
        module = self
        for name in target.split(".") if target else []:
            if module._roles.get(name) != MODULE or module.__dict__[name] is None:
                has = ", ".join(name for name, _ in module._members(MODULE)) or "none"
                raise AttributeError(f"no module {name!r} of {target!r} in {type(module).__name__}; it has: {has}.")
            module = module.__dict__[name]
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path such as ``"features.0.weight"``. Raises AttributeError if there is none."""
        parameter: Parameter = self._get(target, PARAMETER)
        return parameter

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path such as ``"bn.running_mean"``. Raises AttributeError if there is none."""
        buffer: Tensor = self._get(target, BUFFER, SCRATCH)
        return buffer

    def _get(self, target: str, *roles: str) -> Any:
        path, _, name = target.rpartition(".")
        members = dict(self.get_submodule(path)._members(*roles))
        if name not in members:
            raise AttributeError(
                f"no {roles[0]} {target!r}; {path or 'the module'} has: {', '.join(members) or 'none'}."
            )
        return members[name]

    # -- the state -----------------------------------------------------------------------------------------

    def _state(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        for path, module in self.named_modules(prefix, remove_duplicate=False):
            yield from module._own_state(path)

    def _own_state(self, path: str) -> Iterator[tuple[str, Tensor]]:
        for role in (PARAMETER, BUFFER):
            for name, tensor in self._members(role):
                yield _join(path, name), tensor

    def _ready_for(self, state: Mapping[str, Any], path: str) -> Module:
        """What the state can be loaded into: this module, or what it is going to be with this state."""
        return self

    def state_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """All parameters and persistent buffers by path: Tensors outside the graph that share memory with them.

        Example:
            >>> list(tg.nn.Sequential(tg.nn.Linear(2, 1)).state_dict())
            ['0.weight', '0.bias']
        """
        return {name: tensor.detach() for name, tensor in self._state(prefix.removesuffix("."))}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copies values into the parameters and buffers, which keep their dtype and device.

        Args:
            state_dict: Tensors or arrays by path, as :meth:`state_dict` gives them.
            strict: whether to insist that nothing is missing and nothing is left over.

        Returns:
            What was missing and what was left over: ``(missing_keys, unexpected_keys)``.

        Raises:
            TypeError: if ``state_dict`` is no dict.
            CheckpointError: lists all entries that are missing, unexpected, or of the wrong shape. Nothing has been
                changed then.
        """
        return load(self, state_dict, strict)

    # -- changes to all of it ------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Switches to training, this module and all modules in it; returns the module."""
        if not isinstance(mode, bool):
            raise ValueError(f"train() takes True or False, got {mode!r}.")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Self:
        """Switches to evaluation: no dropout, running statistics. Returns the module."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Thaws all parameters or, with False, freezes them; returns the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drops the gradients of all parameters or, without ``set_to_none``, makes them zeros."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad = parameter.grad.detach()
                parameter.grad.zero_()

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Calls ``fn`` with all modules inside this one, and then with this one; returns it."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def to(self, *targets: Any, dtype: Any = None, device: str | None = None) -> Self:
        """Moves all parameters and buffers to a device, brings the floating point ones to a dtype, or both.

        Parameters and buffers stay the same objects, so an optimizer made before keeps working; their gradients go
        along.

        Args:
            targets: devices (``"cpu"``, ``"cuda:1"``), floating point dtypes (``"float64"``, ``tg.float64``), or a
                Tensor to be like, in any order.
            dtype: a dtype, by name.
            device: a device, by name.

        Returns:
            The module itself.

        Raises:
            DeviceError: for a device that is not there; nothing has been changed then.
            TypeError: for what is neither, and for a dtype without fractions.

        Example:
            >>> tg.nn.Linear(2, 1).to("float64").weight.dtype
            dtype('float64')
        """
        tensors = {id(tensor): tensor for tensor in itertools.chain(self.parameters(), self.buffers())}
        convert(tensors.values(), targets, dtype, device)
        return self

    def half(self) -> Self:
        """``to("float16")``."""
        return self.to(dtype="float16")

    def double(self) -> Self:
        """``to("float64")``."""
        return self.to(dtype="float64")

    def float(self) -> Self:
        """``to("float32")``."""
        return self.to(dtype="float32")

    def cpu(self) -> Self:
        """``to("cpu")``."""
        return self.to(device="cpu")

    def cuda(self, index: int = 0) -> Self:
        """``to("cuda")``: to the GPU numbered ``index``."""
        return self.to(device=f"cuda:{index}")

    # -- hooks ---------------------------------------------------------------------------------------------

    def register_forward_pre_hook(self, hook: Callable[[Module, tuple[Any, ...]], Any]) -> Hook:
        """Calls ``hook(module, args)`` before every forward; what it returns, if not None, replaces the arguments.

        Returns:
            A handle with ``remove()``.
        """
        return Hook(self._forward_pre_hooks, hook)

    def register_forward_hook(self, hook: Callable[[Module, tuple[Any, ...], Any], Any]) -> Hook:
        """Calls ``hook(module, args, output)`` after every forward; what it returns, if not None, replaces the output.

        Returns:
            A handle with ``remove()``.
        """
        return Hook(self._forward_hooks, hook)

    def register_full_backward_hook(
        self, hook: Callable[[Module, tuple[Tensor | None, ...], tuple[Tensor | None, ...]], Any]
    ) -> Hook:
        """Calls ``hook(module, grad_input, grad_output)`` when backward has passed the module.

        ``grad_output`` has the gradient with respect to each output (each Tensor in the tuples, lists and dicts that
        the module returns), ``grad_input`` that for each positional argument (None where none is wanted). What the
        hook returns, if not None, replaces ``grad_input``.

        Returns:
            A handle with ``remove()``.
        """
        return Hook(self._backward_hooks, hook)

    # -- looks ---------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands between the parentheses of the module's line in ``repr``: its settings."""
        return ""

    def _settings(self) -> str:
        return self.extra_repr()

    def __repr__(self) -> str:
        lines = [self._settings()] if self._settings() else []
        children = [(name, self.__dict__[name]) for name, role in self._roles.items() if role == MODULE]
        for name, child in children:
            lines.append(f"({name}): " + repr(child).replace("\n", "\n  "))
        body = "\n  ".join(lines)
        return f"{type(self).__name__}(\n  {body}\n)" if children or "\n" in body else f"{type(self).__name__}({body})"

    def _refuse(self, x: Any, wanted: str) -> NoReturn:
        """Says which layer was given what, and what it takes."""
        raise ValueError(f"{self!r} takes an input of shape {wanted}, got {tuple(x.shape)}.")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
