"""Parameters that are computed from others each time they are asked for: ``layer.weight = f(original)``.

A parametrised attribute has the role "computed" in its module, and is made by the :class:`ParametrizationList` that
the module has at ``parametrizations.<name>``, beside which the originals are kept. Nothing else knows of it: the
originals are ordinary parameters of an ordinary module inside this one, for optimizers, checkpoints, copies and moves.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from tensorgrad.autograd import Tensor, no_grad
from tensorgrad.nn.containers import ModuleDict, ModuleList
from tensorgrad.nn.module import BUFFER, COMPUTED, PARAMETER, SCRATCH, Module
from tensorgrad.nn.parameter import Parameter

__all__ = ["ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations"]

_computed: ContextVar[dict[Any, Any] | None] = ContextVar("computed", default=None)
"""What was computed within :func:`cached`, by the list that computed it."""


class ParametrizationList(ModuleList):
    """The parametrisations of one tensor, in the order in which they are applied, and the originals.

    These are the attribute ``original``, or ``original0``, ``original1`` and so on if the first parametrisation's
    ``right_inverse`` returns several. Made by :func:`register_parametrization`.
    """

    def __init__(self, parametrization: Module, original: Tensor, role: str) -> None:
        super().__init__([parametrization])
        values = self._inverse(original, insist=False)
        for i, value in enumerate(values):
            self._set(f"original{i}" if len(values) > 1 else "original", value.detach(), role)

    def originals(self) -> list[Tensor]:
        """What the tensor is computed from."""
        return [tensor for _, tensor in self._members(PARAMETER, BUFFER, SCRATCH)]

    def forward(self) -> Any:
        known = _computed.get()
        if known is None:
            return self._compute()
        if self not in known:
            known[self] = self._compute()
        return known[self]

    def _compute(self) -> Any:
        first, *others = self
        value = first(*self.originals())
        for module in others:
            value = module(value)
        return value

    def _inverse(self, value: Any, insist: bool) -> tuple[Tensor, ...]:
        """The originals that ``value`` is computed from."""
        with no_grad():
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    value = module.right_inverse(value)
                elif insist:
                    raise ValueError(
                        f"what {type(module).__name__} computes cannot be assigned to, for it has no method "
                        f"right_inverse(value) that says what it is computed from."
                    )
        return tuple(value) if isinstance(value, (tuple, list)) else (value,)

    def assign(self, value: Any) -> None:
        """Gives the originals the values that ``value`` is computed from: what ``layer.weight = value`` does.

        Raises:
            TypeError: if it is no Tensor.
            ValueError: if a parametrisation has no ``right_inverse``, or what it returns does not fit.
        """
        if not isinstance(value, Tensor):
            raise TypeError(f"a parametrised tensor is set to a Tensor, not to {type(value).__name__}.")
        originals, values = self.originals(), self._inverse(value.detach(), insist=True)
        for own, given in zip(originals, values, strict=True):
            if (own.shape, own.dtype, own.device) != (given.shape, given.dtype, given.device):
                raise ValueError(
                    f"the original has shape {own.shape} and dtype {own.dtype} on {own.device!r}, the value assigned "
                    f"is computed from one of shape {given.shape} and dtype {given.dtype} on {given.device!r}."
                )
        for own, given in zip(originals, values, strict=True):
            own.data = given.data.copy()
        (_computed.get() or {}).pop(self, None)


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Makes a parameter or buffer of a module one that is computed by ``parametrization`` when it is asked for.

    Its value goes, through the parametrisation's ``right_inverse`` if it has one, to
    ``module.parametrizations.<tensor_name>.original``, a parameter, which may be the same object. A second
    parametrisation of the same tensor is applied to what the first computes.

    Args:
        module: the module.
        tensor_name: of its parameter or buffer.
        parametrization: a module, called with the original. It may have ``right_inverse(value)``, which returns the
            original that the value is computed from; or several, in a tuple, with which it is called then. Assigning
            to the tensor needs it.
        unsafe: allow that dtype and shape of what is computed are not the tensor's.

    Returns:
        ``module``.

    Raises:
        ValueError: if the module has no such tensor, or what is computed is of another shape or dtype. Nothing is
            changed then.

    Example:
        >>> class Symmetric(tg.nn.Module):
        ...     def forward(self, x):
        ...         return (x + x.T) / 2
        >>> layer = tg.nn.utils.parametrize.register_parametrization(tg.nn.Linear(3, 3), "weight", Symmetric())
        >>> bool((layer.weight == layer.weight.T).all())
        True
        >>> list(layer.state_dict())
        ['bias', 'parametrizations.weight.original']
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        chain = module.parametrizations[tensor_name]
        if not unsafe:
            with no_grad():
                before = chain()
                _require_alike(before, parametrization(before), parametrization)
        chain.append(parametrization)
        return module
    role = module._roles.get(tensor_name)
    original = module.__dict__.get(tensor_name)
    if role not in (PARAMETER, BUFFER, SCRATCH) or original is None:
        names = ", ".join(name for name, _ in module._members(PARAMETER, BUFFER, SCRATCH)) or "none"
        raise ValueError(f"{type(module).__name__} has no parameter or buffer {tensor_name!r}; it has: {names}.")
    chain = ParametrizationList(parametrization, original, role)
    if not unsafe:
        with no_grad():
            _require_alike(original, chain._compute(), parametrization)
    holder = module.parametrizations if is_parametrized(module) else ModuleDict()
    holder[tensor_name] = chain
    if not is_parametrized(module):
        module.register_module("parametrizations", holder)
    if role == PARAMETER:
        _make_parameters(chain, original)
    # In its old place: the role's, and so the order in the state when the parametrisation is gone.
    module._roles[tensor_name] = COMPUTED
    del module.__dict__[tensor_name]
    return module


def _make_parameters(chain: ParametrizationList, original: Tensor) -> None:
    """Makes parameters of the originals: of one, the parameter that there was."""
    values = list(chain._members(PARAMETER))
    for name, value in values:
        if len(values) == 1:
            original.data = value.data
        chain._set(name, original if len(values) == 1 else Parameter(value.clone(), original.requires_grad), PARAMETER)


def _require_alike(wanted: Tensor, computed: Any, parametrization: Module) -> None:
    if not isinstance(computed, Tensor) or (computed.shape, computed.dtype) != (wanted.shape, wanted.dtype):
        what = f"{computed.dtype} of shape {computed.shape}" if isinstance(computed, Tensor) else repr(computed)
        raise ValueError(
            f"{type(parametrization).__name__} makes {what} of a tensor that is {wanted.dtype} of shape "
            f"{wanted.shape}: if that is wanted, say unsafe=True."
        )


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether that tensor of a module is computed by a parametrisation; without a name, whether any is."""
    if tensor_name is None:
        return COMPUTED in module._roles.values()
    return module._roles.get(tensor_name) == COMPUTED


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Makes a tensor that is computed an ordinary one again.

    Args:
        module: the module.
        tensor_name: of its tensor.
        leave_parametrized: whether it keeps the value that is computed now, or gets the original's.

    Returns:
        ``module``.

    Raises:
        ValueError: if it is not parametrised, or there are several originals to choose from. Nothing is changed then.

    Example:
        >>> layer = tg.nn.utils.parametrizations.weight_norm(tg.nn.Linear(2, 3))
        >>> list(tg.nn.utils.parametrize.remove_parametrizations(layer, "weight").state_dict())
        ['weight', 'bias']
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"{type(module).__name__} has no parametrisation of {tensor_name!r}.")
    chain = module.parametrizations[tensor_name]
    originals = chain.originals()
    if len(originals) > 1 and not leave_parametrized:
        raise ValueError(
            f"{tensor_name!r} is computed from {len(originals)} tensors, none of which is the original: it can only "
            f"keep the value that is computed, leave_parametrized=True."
        )
    tensor = originals[0]
    if leave_parametrized:
        with no_grad():
            value = chain()
        if len(originals) > 1 and isinstance(tensor, Parameter):
            tensor = Parameter(value, any(original.requires_grad for original in originals))
        tensor.data = value.data
    role = next(role for role in chain._roles.values() if role in (PARAMETER, BUFFER, SCRATCH))
    del module.parametrizations[tensor_name]
    module._roles[tensor_name] = role
    object.__setattr__(module, tensor_name, tensor)
    if not len(module.parametrizations):
        del module.parametrizations
    return module


@contextlib.contextmanager
def cached() -> Iterator[None]:
    """Computes each parametrised tensor once within a ``with`` block, however often it is asked for.

    Example:
        >>> layer = tg.nn.utils.parametrizations.weight_norm(tg.nn.Linear(2, 3))
        >>> with tg.nn.utils.parametrize.cached():
        ...     layer.weight is layer.weight
        True
        >>> layer.weight is layer.weight
        False
    """
    token = _computed.set({} if _computed.get() is None else _computed.get())
    try:
        yield
    finally:
        _computed.reset(token)
