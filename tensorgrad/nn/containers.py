"""Modules that hold others: in a row, in a list, by name."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from tensorgrad.nn.module import MODULE, Module


class _Numbered(Module):
    """Modules in order, named ``"0"``, ``"1"``, ... or by names of their own."""

    def _named_list(self) -> list[tuple[str, Module]]:
        return list(self._members(MODULE))

    def _refill(self, members: Iterable[tuple[str, Module]]) -> Self:
        """Puts in ``members`` in place of what is there; those that have numbers for names are numbered anew."""
        members = list(members)
        for name, _ in self._named_list():
            delattr(self, name)
        for i, (name, module) in enumerate(members):
            self.register_module(str(i) if name.isdigit() else name, module)
        return self

    def _name(self, index: int) -> str:
        names = [name for name, _ in self._named_list()]
        i = operator.index(index)
        if not -len(names) <= i < len(names):
            raise IndexError(f"index {i} is out of range: this {type(self).__name__} has {len(names)} modules.")
        return names[i]

    def __len__(self) -> int:
        return len(self._named_list())

    def __iter__(self) -> Iterator[Module]:
        return iter([module for _, module in self._named_list()])

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            part = Sequential() if isinstance(self, Sequential) else ModuleList()
            return part._refill(self._named_list()[index])
        return getattr(self, self._name(index))

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name(index), module)

    def __delitem__(self, index: int | slice) -> None:
        rest = self._named_list()
        del rest[index]
        self._refill(rest)

    def append(self, module: Module) -> Self:
        """Puts a module at the end; returns the container."""
        self.register_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Puts several modules at the end; returns the container."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Puts a module before the place ``index``; returns the container."""
        members = self._named_list()
        members.insert(index, ("0", module))
        return self._refill(members)

    def pop(self, index: int = -1) -> Module:
        """Takes out a module and returns it."""
        module: Module = self[index]
        del self[index]
        return module


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


class ModuleDict(Module):
    """Modules by name. It computes nothing: the module that has it says what is done with them.

    Args:
        modules: what to begin with.

    Example:
        >>> heads = tg.nn.ModuleDict({"digit": tg.nn.Linear(8, 10), "parity": tg.nn.Linear(8, 2)})
        >>> heads["parity"]
        Linear(in_features=8, out_features=2, bias=True)
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] = ()) -> None:
        super().__init__()
        self.update(modules)

    def __getitem__(self, key: str) -> Module:
        if key not in self:
            raise KeyError(f"no module {key!r}; there are: {', '.join(self) or 'none'}.")
        module: Module = getattr(self, key)
        return module

    def __setitem__(self, key: str, module: Module) -> None:
        self.register_module(key, module)

    def __delitem__(self, key: str) -> None:
        self[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(list(self._members(MODULE)))

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._members(MODULE)])

    def __contains__(self, key: object) -> bool:
        return any(name == key for name, _ in self._members(MODULE))

    def keys(self) -> list[str]:
        """The names, in order of assignment."""
        return list(self)

    def values(self) -> list[Module]:
        """The modules, in order of assignment."""
        return [module for _, module in self._members(MODULE)]

    def items(self) -> list[tuple[str, Module]]:
        """Names and modules, in order of assignment."""
        return list(self._members(MODULE))

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Puts in several modules, in place of those that have their names."""
        for key, module in dict(modules).items():
            self[key] = module

    def pop(self, key: str) -> Module:
        """Takes out a module and returns it."""
        module = self[key]
        del self[key]
        return module
