"""Modules that hold others, or parameters: in a row, in a list, by name."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self, overload

from tensorgrad.autograd import Tensor
from tensorgrad.nn.module import MODULE, PARAMETER, Module
from tensorgrad.nn.parameter import Parameter


class _Holder(Module):
    """What holds members of one kind: modules, unless :class:`_OfParameters` says otherwise."""

    role: ClassVar[str] = MODULE

    def _named_list(self) -> list[tuple[str, Any]]:
        return list(self._members(self.role))

    def _put(self, name: str, member: Any) -> None:
        self.register_module(name, member)

    def __len__(self) -> int:
        return len(self._named_list())


class _OfParameters(_Holder):
    role = PARAMETER

    def _put(self, name: str, member: Any) -> None:
        self.register_parameter(name, member if isinstance(member, Parameter) else Parameter(member))

    def extra_repr(self) -> str:
        return "\n  ".join(f"({name}): {parameter.described()}" for name, parameter in self._named_list())


class _Numbered(_Holder):
    """Members in order, named ``"0"``, ``"1"``, ... or by names of their own."""

    def _refill(self, members: Iterable[tuple[str, Any]]) -> Self:
        """Puts in ``members`` in place of what is there; those that have numbers for names are numbered anew."""
        members = list(members)
        for name, _ in self._named_list():
            delattr(self, name)
        for i, (name, member) in enumerate(members):
            self._put(str(i) if name.isdigit() else name, member)
        return self

    def _name(self, index: int) -> str:
        names = [name for name, _ in self._named_list()]
        i = operator.index(index)
        if not -len(names) <= i < len(names):
            raise IndexError(f"index {i} is out of range: this {type(self).__name__} has {len(names)} {self.role}s.")
        return names[i]

    def __iter__(self) -> Iterator[Any]:
        return iter([member for _, member in self._named_list()])

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            # A subclass may be made of something else.
            kind = next(kind for kind in (Sequential, ModuleList, ParameterList) if isinstance(self, kind))
            return kind()._refill(self._named_list()[index])
        return getattr(self, self._name(index))

    def __setitem__(self, index: int, member: Any) -> None:
        self._put(self._name(index), member)

    def __delitem__(self, index: int | slice) -> None:
        rest = self._named_list()
        del rest[index]
        self._refill(rest)

    def append(self, member: Any) -> Self:
        """Puts a member at the end; returns the container."""
        self._put(str(len(self)), member)
        return self

    def extend(self, members: Iterable[Any]) -> Self:
        """Puts several members at the end; returns the container."""
        if isinstance(members, Tensor) or not isinstance(members, Iterable):
            raise TypeError(f"extend() takes a list of members, not one {type(members).__name__}: append() takes one.")
        for member in list(members):
            self.append(member)
        return self

    __iadd__ = extend

    def insert(self, index: int, member: Any) -> Self:
        """Puts a member before the place ``index``; returns the container."""
        members = self._named_list()
        members.insert(index, ("0", member))
        return self._refill(members)

    def pop(self, index: int = -1) -> Any:
        """Takes out a member and returns it."""
        member = self[index]
        del self[index]
        return member


class Sequential(_Numbered):
    """Modules one after the other: each takes what the one before it returned.

    Args:
        modules: the modules; or one dict of modules by name.

    Example:
        >>> model = tg.nn.Sequential(tg.nn.Linear(4, 8), tg.nn.ReLU(), tg.nn.Linear(8, 2))
        >>> model(tg.ones((5, 4))).shape
        (5, 2)
        >>> model[:2]
        Sequential(
          (0): Linear(in_features=4, out_features=8, bias=True)
          (1): ReLU()
        )
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        named = modules[0] if len(modules) == 1 and isinstance(modules[0], Mapping) else None
        for module in modules if named is None else ():
            if isinstance(module, (list, tuple)):
                raise TypeError("Sequential takes modules one by one: for a list of them write Sequential(*modules).")
            if callable(module) and not isinstance(module, Module):
                name = getattr(module, "__name__", repr(module))
                hint = f"{name}()" if isinstance(module, type) else f"nn.Lambda({name})"
                raise TypeError(f"Sequential takes modules, and {name} is none: write {hint}.")
        for name, module in named.items() if named is not None else enumerate(modules):
            self.register_module(str(name), module)

    def forward(self, x: Any) -> Any:
        for module in self:
            x = module(x)
        return x


class ModuleList(_Numbered):
    """A list of modules. It computes nothing: the module that has it says what is done with them.

    Args:
        modules: what to begin with.

    Example:
        >>> layers = tg.nn.ModuleList(tg.nn.Linear(4, 4) for _ in range(3))
        >>> len(layers), len(list(layers.parameters()))
        (3, 6)
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)


class ParameterList(_OfParameters, _Numbered):
    """A list of parameters; what is put in and is none is made one. It computes nothing.

    Args:
        values: what to begin with.

    Example:
        >>> powers = tg.nn.ParameterList([tg.ones(3), tg.zeros((3, 3))])
        >>> powers.append(tg.randn(3, 3, 3))
        ParameterList(
          (0): Parameter of shape (3,), float32
          (1): Parameter of shape (3, 3), float32
          (2): Parameter of shape (3, 3, 3), float32
        )
        >>> list(powers.state_dict())
        ['0', '1', '2']
    """

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        self.extend(values)


class _Named(_Holder):
    """Members by name."""

    def __init__(self, members: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__()
        self.update(members)

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise KeyError(f"no {self.role} {key!r}; there are: {', '.join(self) or 'none'}.")
        return getattr(self, key)

    def __setitem__(self, key: str, member: Any) -> None:
        self._put(key, member)

    def __delitem__(self, key: str) -> None:
        self[key]
        delattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, key: object) -> bool:
        return any(name == key for name, _ in self._named_list())

    def keys(self) -> list[str]:
        """The names, in order of assignment."""
        return [name for name, _ in self._named_list()]

    def values(self) -> list[Any]:
        """The members, in order of assignment."""
        return [member for _, member in self._named_list()]

    def items(self) -> list[tuple[str, Any]]:
        """Names and members, in order of assignment."""
        return self._named_list()

    def update(self, members: Mapping[str, Any] | Iterable[tuple[str, Any]] | _Named) -> None:
        """Puts in several members, in place of those that have their names."""
        for key, member in (members if isinstance(members, _Named) else dict(members)).items():
            self[key] = member

    def pop(self, key: str, *default: Any) -> Any:
        """Takes out a member and returns it; ``default``, if given, where there is none."""
        if default and key not in self:
            return default[0]
        member = self[key]
        del self[key]
        return member

    def clear(self) -> None:
        """Takes out all members."""
        for key in self.keys():
            del self[key]


class ModuleDict(_Named):
    """Modules by name. It computes nothing: the module that has it says what is done with them.

    Args:
        modules: what to begin with.

    Example:
        >>> heads = tg.nn.ModuleDict({"digit": tg.nn.Linear(8, 10), "parity": tg.nn.Linear(8, 2)})
        >>> heads["parity"]
        Linear(in_features=8, out_features=2, bias=True)
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] = ()) -> None:
        super().__init__(modules)


class ParameterDict(_OfParameters, _Named):
    """Parameters by name; what is put in and is none is made one. It computes nothing.

    It has the methods of a dict: ``get``, ``setdefault``, ``pop``, ``popitem``, ``copy``, ``|`` and so on.

    Args:
        parameters: what to begin with.

    Example:
        >>> scales = tg.nn.ParameterDict({"left": tg.ones(2), "right": tg.zeros(())})
        >>> "left" in scales, scales["right"].item()
        (True, 0.0)
        >>> list(scales | {"up": tg.ones(1)})
        ['left', 'right', 'up']
    """

    def __init__(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__(parameters)

    @classmethod
    def fromkeys(cls, keys: Iterable[str], default: Any) -> Self:
        """One of parameters that all have the value ``default``, each in memory of its own."""
        return cls((key, Tensor(default).detach().clone()) for key in keys)

    def get(self, key: str, default: Any = None) -> Any:
        """The parameter with this name, or ``default``."""
        return dict(self.items()).get(key, default)

    def setdefault(self, key: str, default: Any) -> Parameter:
        """The parameter with this name; ``default`` is put in if there is none."""
        if key not in self:
            self[key] = default
        parameter: Parameter = self[key]
        return parameter

    def popitem(self) -> tuple[str, Parameter]:
        """Takes out the last parameter and returns it with its name."""
        if not len(self):
            raise KeyError("popitem() of a ParameterDict that is empty.")
        key = self.keys()[-1]
        return key, self.pop(key)

    def copy(self) -> Self:
        """Another one of the same parameters, which are shared."""
        return type(self)(self.items())

    def __reversed__(self) -> Iterator[str]:
        return reversed(self.keys())

    def __or__(self, other: Mapping[str, Any] | ParameterDict) -> Self:
        both = self.copy()
        both.update(other)
        return both

    def __ror__(self, other: Mapping[str, Any]) -> Self:
        return type(self)({**dict(other), **dict(self.items())})

    def __ior__(self, other: Mapping[str, Any] | ParameterDict) -> Self:
        self.update(other)
        return self
