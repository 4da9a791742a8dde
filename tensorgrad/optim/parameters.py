"""Reading what people give an optimizer: tensors, named tensors, groups of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

from tensorgrad.autograd.tensor import Tensor

Named = tuple[str, Tensor]
Parameters = Iterable[Tensor] | Iterable[Named] | Iterable[Mapping[str, Any]]
"""What an optimizer takes: tensors, ``(name, tensor)`` pairs, or groups of either."""

ALL_OR_NONE = "either all parameters come with names or none: see model.named_parameters()."


def parameter_groups(params: Any) -> list[dict[str, Any]]:
    """What was given to an optimizer, as groups."""
    entries = _listed(params)
    if not any(isinstance(entry, Mapping) for entry in entries):
        return [{"params": entries}]
    if not all(isinstance(entry, Mapping) for entry in entries):
        raise TypeError("an optimizer takes either tensors or groups (dicts with 'params'), not both in one list.")
    return entries


def split_names(params: Any) -> tuple[list[str], list[Tensor]]:
    """The names (none if there are none) and the tensors of a group, checked."""
    names, tensors = [], []
    for i, entry in enumerate([params] if isinstance(params, Tensor) else _listed(params)):
        name, tensor = entry if isinstance(entry, tuple) and len(entry) == 2 else (None, entry)
        called = repr(name) if isinstance(name, str) else str(i)
        if not isinstance(tensor, Tensor) or not isinstance(name, str | None):
            raise TypeError(f"expected tensors or (name, tensor) pairs, parameter {i} is {type(entry).__name__}.")
        if not tensor.is_leaf:
            raise ValueError(
                f"parameter {called}, of shape {tensor.shape}, was computed from others and has no gradient of its "
                f"own: give the tensor it was computed from, or make a new one with detach().requires_grad_()."
            )
        # A frozen Parameter of a model may be thawed later; a bare tensor without a gradient is an oversight.
        if type(tensor) is Tensor and not tensor.requires_grad:
            raise ValueError(
                f"parameter {called}, of shape {tensor.shape}, does not require a gradient: make it with "
                f"requires_grad=True, or leave it out."
            )
        tensors.append(tensor)
        if name is not None:
            names.append(name)
    if names and len(names) < len(tensors):
        raise ValueError(ALL_OR_NONE)
    return names, tensors


def _listed(params: Any) -> list[Any]:
    if isinstance(params, (Tensor, str, Mapping, Set)) or not isinstance(params, Iterable):
        # The order of a set changes from run to run, and state may be saved by position.
        raise TypeError(
            f"expected a list (or a generator) of tensors, (name, tensor) pairs or groups, such as model.parameters() "
            f"or [tensor], got {type(params).__name__}."
        )
    return list(params)
