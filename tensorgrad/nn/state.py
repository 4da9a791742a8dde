"""What is done to all parameters and buffers of a module at once: loading values, changing dtype and device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tensorgrad import backend
from tensorgrad.autograd import Tensor, versions
from tensorgrad.autograd.conversion import to_array
from tensorgrad.errors import CheckpointError
from tensorgrad.nn.parameter import Uninitialized
from tensorgrad.ops.casting import destination


class IncompatibleKeys(NamedTuple):
    """What :meth:`Module.load_state_dict` did not find, and what it had no use for."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def load(module: Any, state: Mapping[str, Any], strict: bool) -> IncompatibleKeys:
    """Copies the values of ``state`` into the parameters and buffers of a module that have their names.

    Raises:
        TypeError: if ``state`` is no dict.
        CheckpointError: lists all that does not fit; nothing has been changed then.
    """
    if not isinstance(state, Mapping):
        raise TypeError(
            f"load_state_dict() takes a dict of Tensors by name, as state_dict() gives it, got {type(state).__name__}"
            + (": give its state_dict()." if hasattr(state, "state_dict") else ".")
        )
    ready: dict[Any, Any] = {}
    own: dict[str, Tensor] = {}
    later: dict[str, str] = {}
    for path, part in module.named_modules(remove_duplicate=False):
        if part not in ready:
            ready[part] = part._ready_for(state, path)
        own.update(ready[part]._own_state(path))
        prefix = path and f"{path}."
        later.update({f"{prefix}{name}": f"{prefix}{other}" for name, other in ready[part]._later_buffers.items()})
    missing = [name for name in own if name not in state and later.get(name, name) not in state]
    unexpected = [name for name in state if name not in own]
    problems = {"missing": missing, "unexpected": unexpected} if strict else {}
    values, wrong = {}, []
    for name, tensor in own.items():
        if name in state:
            value = state[name]
            array = to_array(value.data if isinstance(value, Tensor) else value)
            if isinstance(tensor, Uninitialized):
                wrong.append(f"{name} of shape {tuple(array.shape)}, here of none so far")
            elif array.shape != tensor.shape:
                wrong.append(f"{name} of shape {tuple(array.shape)}, here {tensor.shape}")
            elif array.dtype.kind == "c" and tensor.dtype.kind != "c":
                wrong.append(f"{name} of dtype {array.dtype}, here {tensor.dtype}")
            else:
                values[name] = array.astype(tensor.dtype, copy=False)
    problems["not fitting"] = wrong
    if any(problems.values()):
        lists = [f"  {what}: {', '.join(map(str, names))}" for what, names in problems.items() if names]
        first = f"the state does not fit {type(module).__name__}, and nothing was loaded:"
        raise CheckpointError("\n".join([first, *lists, *_hint(own, state)]))
    moved = {name: backend.transfer(array, own[name].device) for name, array in values.items()}
    for name, array in moved.items():
        own[name].data[...] = array
        versions.mark(own[name].data, "load_state_dict")
    for part, other in ready.items():
        if other is not part:
            part._become(other)
    return IncompatibleKeys(missing, unexpected)


def _hint(own: Mapping[str, Tensor], state: Mapping[str, Any]) -> list[str]:
    """What may be meant, if names are missing in a way that is often seen."""
    for key, value in state.items():
        if isinstance(value, Mapping) and any(name in value for name in own):
            return [f"  its entry {key!r} is a state that has these names: load that"]
    prefix = str(next(iter(state), "")).partition(".")[0] + "."
    if all(str(name).startswith(prefix) and str(name).removeprefix(prefix) in own for name in state) and state:
        return [f"  without {prefix!r}, with which all its names begin, they are the names here"]
    return []


def convert(tensors: Iterable[Tensor], targets: tuple[Any, ...], dtype: Any, device: str | None) -> None:
    """Brings tensors, which stay the same objects, and their gradients to a device, and floating point ones to a dtype.

    Args:
        tensors: leaves.
        targets: names of devices, dtypes or Tensors to be like.
        dtype: or None.
        device: or None.
    """
    dtype, device = destination(targets, dtype, device)
    if dtype is not None and dtype.kind not in "fc":
        raise TypeError(f"a module is brought to a floating point dtype, not to {dtype}.")

    def converted(tensor: Tensor) -> Any:
        return to_array(tensor.data, dtype if tensor.dtype.kind in "fc" else None, device)

    tensors = list(tensors)
    changes = [(tensor, converted(tensor), tensor.grad) for tensor in tensors if not isinstance(tensor, Uninitialized)]
    changes = [(tensor, array, None if grad is None else converted(grad)) for tensor, array, grad in changes]
    for tensor in tensors:
        if isinstance(tensor, Uninitialized):
            tensor.convert(dtype, device)
    for tensor, array, grad in changes:
        if array is not tensor.data:
            tensor.grad = None
            tensor.data = array
            tensor.grad = grad
