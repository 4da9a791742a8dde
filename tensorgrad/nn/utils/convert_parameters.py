"""All parameters of a model as one vector, and back: for optimizers of vectors, and for looking at losses."""

from __future__ import annotations

from collections.abc import Iterable

from tensorgrad.autograd import versions
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.ops.shape import concat, reshape


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters, one after the other.

    Args:
        parameters: tensors on one device.

    Returns:
        A Tensor of shape (N,), through which gradients flow to the parameters; in the widest of their dtypes.

    Raises:
        ValueError: if there are none.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.utils.parameters_to_vector([tg.tensor([[1.0, 2.0]]), tg.tensor(3.0)])
        Tensor([1., 2., 3.], dtype=float32, device='cpu')
    """
    tensors = list(parameters)
    if not tensors:
        raise ValueError("there are no parameters to make a vector of.")
    vector: Tensor = concat([reshape(tensor, (-1,)) for tensor in tensors])
    return vector


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Copies the elements of a vector into the parameters, in place; they keep their dtypes.

    Args:
        vec: a Tensor of shape (N,), on the parameters' device.
        parameters: tensors with N elements in all.

    Raises:
        TypeError: if ``vec`` is no Tensor.
        ValueError: if its shape or device does not fit; nothing is changed then.

    Example:
        >>> import tensorgrad as tg
        >>> w, b = tg.zeros((1, 2)), tg.zeros(())
        >>> tg.nn.utils.vector_to_parameters(tg.tensor([1.0, 2.0, 3.0]), [w, b])
        >>> w.tolist(), b.item()
        ([[1.0, 2.0]], 3.0)
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected a Tensor, got {type(vec).__name__}.")
    tensors = list(parameters)
    count = sum(tensor.size for tensor in tensors)
    if vec.shape != (count,):
        raise ValueError(f"the parameters have {count} elements, so the vector has shape ({count},), not {vec.shape}.")
    for tensor in tensors:
        if tensor.device != vec.device:
            raise ValueError(f"the vector is on {vec.device!r} and a parameter on {tensor.device!r}: move one of them.")
    start = 0
    for tensor in tensors:
        tensor.data[...] = vec.data[start : start + tensor.size].reshape(tensor.shape)
        versions.mark(tensor.data, "vector_to_parameters")
        start += tensor.size
