"""Products of vectors, matrices and larger arrays, each beside its derivative."""

from __future__ import annotations

import builtins
import math
import string

from tensorgrad import backend, kernels
from tensorgrad.autograd import op
from tensorgrad.ops.arguments import as_operand, as_operands, with_aliases
from tensorgrad.ops.elementwise import abs, multiply, sign
from tensorgrad.ops.geometry import normalize_axis, reduced_axes, reduced_shape
from tensorgrad.ops.indexing import getitem
from tensorgrad.ops.reductions import max, min, sum
from tensorgrad.ops.shape import expand_dims, matrix_transpose, moveaxis, permute_dims, reshape

__all__ = [
    "bilinear",
    "diagonal",
    "einsum",
    "linear",
    "matmul",
    "matrix_transpose",
    "outer",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]


@op
def matmul(x1, x2, *, xp):
    """The matrix product over the last two axes; the axes before them broadcast.

    A 1-d ``x1`` is a row, a 1-d ``x2`` a column, and that axis is gone from the result.

    Args:
        x1: shape (..., n, k) or (k,).
        x2: shape (..., k, m) or (k,).

    Returns:
        Shape (..., n, m), without n or m for a 1-d argument.

    Raises:
        ValueError: if the lengths k differ, or an argument is 0-d.

    Example:
        >>> tg.matmul(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), tg.tensor([1.0, 1.0]))
        Tensor([3., 7.], dtype=float32, device='cpu')
    """
    if not (getattr(x1, "ndim", 0) and getattr(x2, "ndim", 0)):
        raise ValueError("matmul() takes arrays with one axis or more: multiply by a number with *.")
    # BLAS does not take an array whose elements share memory, and NumPy's own loop is slow.
    x1, x2 = (xp.ascontiguousarray(x) if 0 in x.strides and x.ndim > 1 else x for x in (x1, x2))
    try:
        return kernels.of(x1).matmul(x1, x2)
    except ValueError:
        raise ValueError(_mismatch(x1.shape, x2.shape)) from None


def _mismatch(shape1, shape2):
    shapes = f"matmul() of shapes {tuple(shape1)} and {tuple(shape2)}:"
    length1, length2 = shape1[-1], shape2[-2:][0]
    if length1 != length2:
        return f"{shapes} the last axis of the first is {length1} long, the last but one of the second {length2} long."
    return f"{shapes} the axes before the last two do not broadcast."


@matmul.vjp("x1")
def _(g, x1_shape, x2, xp):
    if x2.ndim == 1:
        grad = xp.expand_dims(g, axis=-1) * x2
    else:
        row = len(x1_shape) == 1
        grad = matmul(xp.expand_dims(g, axis=-2) if row else g, xp.matrix_transpose(x2))
        grad = xp.squeeze(grad, axis=-2) if row else grad
    return grad


@matmul.vjp("x2")
def _(g, x1, x2_shape, xp):
    column = len(x2_shape) == 1
    if x1.ndim == 1:
        return x1 * g if column else xp.expand_dims(x1, axis=-1) * xp.expand_dims(g, axis=-2)
    if column:
        return xp.expand_dims(g, axis=-1) * x1
    if len(x2_shape) == 2 and x1.ndim > 2:
        # One product over all of the batch, instead of one for each and then their sum.
        x1, g = _as_rows(x1, xp), _as_rows(g, xp)
    return matmul(xp.matrix_transpose(x1), g)


def _as_rows(x, xp):
    """All axes but the last as one."""
    return xp.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def for_few_rows(matrix, xp):
    """The same matrix, columns first in memory if it is an array: a few rows are multiplied by it more quickly then."""
    return matrix if backend.of(matrix) is None else xp.ascontiguousarray(matrix.T).T


@op
def linear(x, weight, bias=None, *, xp):
    """``x @ weight.T + bias``: a fully connected layer.

    Args:
        x: shape (..., in_features).
        weight: shape (out_features, in_features).
        bias: shape (out_features,), or None.

    Returns:
        Shape (..., out_features).

    Raises:
        ValueError: if the shapes do not fit together.

    Example:
        >>> tg.linear(tg.ones(3), tg.ones((2, 3)), tg.tensor([0.0, 1.0]))
        Tensor([3., 4.], dtype=float32, device='cpu')
    """
    try:
        out = kernels.of(x).matmul(x, weight.T)
        if bias is None:
            return out
        if bias.dtype != out.dtype or bias.ndim != 1:
            return out + bias
        out += bias
        return out
    except ValueError:
        names = {"x": x, "weight": weight, "bias": bias}
        given = ", ".join(f"{name} {tuple(array.shape)}" for name, array in names.items() if hasattr(array, "shape"))
        raise ValueError(
            f"linear() of {given}: expected x (..., in_features), weight (out_features, in_features) and bias "
            f"(out_features,)."
        ) from None


@linear.vjp("x")
def _(g, weight):
    return matmul(g, weight)


@linear.vjp("weight")
def _(g, x, xp):
    return matmul(xp.matrix_transpose(_as_rows(g, xp)), _as_rows(x, xp))


@linear.vjp("bias")
def _(g):
    return g


@with_aliases
def vecdot(x1, x2, /, *, axis=-1):
    """The dot products of vectors that lie along an axis; the other axes broadcast.

    Example:
        >>> tg.vecdot(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])).item()
        11.0
    """
    return sum(multiply(x1, x2), axis=axis)


def outer(x1, x2, /):
    """All products of an element of the one and an element of the other vector.

    Args:
        x1: shape (n,).
        x2: shape (m,).

    Returns:
        Shape (n, m).

    Example:
        >>> tg.outer(tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0]))
        Tensor([[3., 4.],
                [6., 8.]], dtype=float32, device='cpu')
    """
    x1, x2 = as_operands([x1, x2])
    return multiply(reshape(x1, (-1, 1)), reshape(x2, (1, -1)))


def tensordot(x1, x2, /, *, axes=2):
    """Products summed over pairs of axes.

    Args:
        x1: an array of any shape.
        x2: an array of any shape.
        axes: how many axes, the last ones of ``x1`` with the first ones of ``x2``; or two sequences that name them.

    Returns:
        The remaining axes of ``x1``, then those of ``x2``.

    Example:
        >>> tg.tensordot(tg.ones((2, 3, 4)), tg.ones((4, 3, 5)), axes=((1, 2), (1, 0))).shape
        (2, 5)
    """
    x1, x2 = as_operands([x1, x2])
    if isinstance(axes, int):
        if not 0 <= axes <= builtins.min(x1.ndim, x2.ndim):
            raise ValueError(f"tensordot() over {axes} axes of shapes {x1.shape} and {x2.shape}.")
        axes = (tuple(range(x1.ndim - axes, x1.ndim)), tuple(range(axes)))
    first, second = normalize_axis(axes[0], x1.ndim), normalize_axis(axes[1], x2.ndim)
    lengths = tuple(x1.shape[i] for i in first), tuple(x2.shape[i] for i in second)
    if lengths[0] != lengths[1]:
        raise ValueError(f"tensordot() over axes of lengths {lengths[0]} and {lengths[1]}: they must be equal.")
    rest1 = tuple(i for i in range(x1.ndim) if i not in first)
    rest2 = tuple(i for i in range(x2.ndim) if i not in second)
    shape1, shape2 = tuple(x1.shape[i] for i in rest1), tuple(x2.shape[i] for i in rest2)
    inner = math.prod(lengths[0])
    left = reshape(permute_dims(x1, rest1 + first), (math.prod(shape1), inner))
    right = reshape(permute_dims(x2, second + rest2), (inner, math.prod(shape2)))
    return reshape(matmul(left, right), shape1 + shape2)


@op
def _contract(*operands, inputs, output, xp):
    return xp.einsum(f"{','.join(inputs)}->{output}", *operands, optimize=len(operands) > 1)


@_contract.vjp("operands")
def _(g, operands, inputs, output, needs):
    grads = []
    for i, labels in enumerate(inputs):
        others = [operand for j, operand in enumerate(operands) if j != i]
        terms = (output, *(term for j, term in enumerate(inputs) if j != i))
        grads.append(_contract(g, *others, inputs=terms, output=labels) if needs[i] else None)
    return grads


def einsum(subscripts, /, *operands):
    """Einstein's summation: products of the operands, summed over the letters that the result does not have.

    Args:
        subscripts: letters for the axes of each operand, and after ``->`` those of the result, as in
            ``"ij,jk->ik"``. Without ``->`` the result has the letters that occur once, in alphabetical order.
            ``...`` stands for axes that broadcast. A letter twice in one operand takes its diagonal.
        operands: arrays.

    Raises:
        ValueError: if the letters do not fit the operands.

    Example:
        >>> x = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> tg.einsum("ij,kj->ik", x, x)
        Tensor([[ 5., 11.],
                [11., 25.]], dtype=float32, device='cpu')
    """
    arrays = as_operands(operands)
    inputs, output = _parse_einsum(subscripts, arrays)
    lengths: dict[str, int] = {}
    for labels, operand in zip(inputs, arrays, strict=True):
        for label, n in zip(labels, operand.shape, strict=True):
            if lengths.setdefault(label, n) != n:
                if 1 not in (n, lengths[label]):
                    raise ValueError(f"einsum({subscripts!r}): {label!r} is {lengths[label]} long, and {n}.")
                lengths[label] = builtins.max(n, lengths[label])
    simple = []
    for i, (labels, operand) in enumerate(zip(inputs, arrays, strict=True)):
        labels, operand = _diagonals(labels, operand)
        # Letters of length 1 that broadcast, and letters that no other term has, are summed over first: then every
        # letter of an operand is in another term, and the gradient is a contraction again.
        elsewhere = {*output}.union(*(term for j, term in enumerate(inputs) if j != i))
        gone = [k for k, label in enumerate(labels) if label not in elsewhere or operand.shape[k] != lengths[label]]
        if gone:
            operand = sum(operand, axis=tuple(gone), dtype=operand.dtype)
            labels = "".join(label for k, label in enumerate(labels) if k not in gone)
        simple.append((labels, operand))
    present = {label for labels, _ in simple for label in labels}
    missing = [label for label in output if label not in present]
    result = _contract(
        *(operand for _, operand in simple),
        inputs=tuple(labels for labels, _ in simple),
        output="".join(label for label in output if label in present),
    )
    return expand_dims(result, tuple(map(output.index, missing))) if missing else result


def _parse_einsum(subscripts, operands):
    """The letters of each operand and of the result, ``...`` replaced by letters of its own."""
    if not isinstance(subscripts, str):
        raise TypeError(
            f"einsum() takes the subscripts first, as in tg.einsum('ij,jk->ik', x, y), not {type(subscripts).__name__}."
        )
    text = subscripts.replace(" ", "")
    left, arrow, output = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ValueError(f"einsum({subscripts!r}) names {len(terms)} operands, {len(operands)} were given.")
    free = [letter for letter in string.ascii_letters if letter not in text]
    most = 0
    for term, operand in zip(terms, operands, strict=True):
        named = len(term.replace("...", ""))
        if operand.ndim != named and not ("..." in term and operand.ndim > named):
            raise ValueError(f"einsum({subscripts!r}): {term!r} does not fit the shape {tuple(operand.shape)}.")
        most = builtins.max(most, operand.ndim - named)
    dots = "".join(free[:most])
    inputs = []
    for term, operand in zip(terms, operands, strict=True):
        count = operand.ndim - len(term.replace("...", ""))
        inputs.append(term.replace("...", dots[most - count :]))
    if arrow:
        output = output.replace("...", dots)
    else:
        output = dots + "".join(sorted(letter for letter in {*left} if letter.isalpha() and left.count(letter) == 1))
    known = {*"".join(inputs)}
    for letter in output:
        if letter not in known or output.count(letter) > 1:
            raise ValueError(f"einsum({subscripts!r}): {letter!r} in the result must be in an operand, and once only.")
    if not all(letter.isalpha() for letter in known):
        raise ValueError(f"einsum({subscripts!r}): axes are named by letters.")
    return inputs, output


def _diagonals(labels, operand):
    """The operand with every letter once: for a repeated one, the diagonal."""
    while len({*labels}) < len(labels):
        label = next(label for label in labels if labels.count(label) > 1)
        first = labels.index(label)
        second = labels.index(label, first + 1)
        n = operand.shape[first]
        if operand.shape[second] != n:
            raise ValueError(f"einsum(): the diagonal {label!r} of axes of lengths {n} and {operand.shape[second]}.")
        index = list(range(n))
        operand = getitem(moveaxis(operand, (first, second), (0, 1)), (index, index))
        labels = label + "".join(other for i, other in enumerate(labels) if i not in (first, second))
    return labels, operand


@op
def _norm(x, /, ord, axis=None, keepdims=False, *, xp):
    shape = reduced_shape(x.shape, axis)
    axis = reduced_axes(axis, x.ndim)
    size, scale = xp.abs(x), 1
    if x.size:
        # Scaled, so that powers neither overflow nor vanish.
        scale = xp.max(size, axis=axis, keepdims=True)
        scale = xp.where((scale == 0) | ~xp.isfinite(scale), 1, scale)
    total = xp.sum((size / scale) ** ord, axis=axis, keepdims=True) ** (1 / ord) * scale
    return total if keepdims else xp.reshape(total, tuple(n for i, n in enumerate(shape) if i not in axis))


@_norm.vjp("x")
def _(g, x, out, x_shape, ord, axis, xp):
    shape = reduced_shape(x_shape, axis)
    g, out = xp.reshape(g, shape), xp.reshape(xp.where(out == 0, 1, out), shape)
    if ord == 2:
        return g * (x / out)
    # The sign makes 0 of what is 0, which may have no such power.
    return g * xp.sign(x) * xp.where(x == 0, 1, xp.abs(x) / out) ** (ord - 1)


@with_aliases
def vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    """The norm of vectors that lie along one or several axes. The derivative at 0 is 0.

    Args:
        x: an array of any shape.
        axis: which axes; None means all.
        keepdims: whether they stay, with length 1.
        ord: the order p of ``sum(abs(x)**p)**(1/p)``: a number, ``inf`` for the largest or ``-inf`` for the
            smallest absolute value, 0 for the number of elements that are not 0.

    Example:
        >>> tg.linalg.vector_norm(tg.tensor([3.0, 4.0])).item()
        5.0
    """
    x = as_operand(x)
    if ord in (math.inf, -math.inf):
        return (max if ord > 0 else min)(abs(x), axis=axis, keepdims=keepdims)
    if ord == 1:
        return sum(abs(x), axis=axis, keepdims=keepdims)
    if ord == 0:
        return sum(abs(sign(x)), axis=axis, keepdims=keepdims)
    return _norm(x, ord, axis=axis, keepdims=keepdims)


def trace(x, /, *, offset=0, dtype=None):
    """The sum along the diagonal of the last two axes, in the dtype that :func:`tensorgrad.sum` gives or in ``dtype``.

    Example:
        >>> tg.linalg.trace(tg.tensor([[1.0, 2.0], [3.0, 4.0]])).item()
        5.0
    """
    return sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def diagonal(x, /, *, offset=0):
    """The diagonal of the last two axes, ``offset`` places to the right of the main one.

    Example:
        >>> tg.linalg.diagonal(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))
        Tensor([1., 4.], dtype=float32, device='cpu')
    """
    x = as_operand(x)
    rows, columns = x.shape[-2:]
    down, right = builtins.max(-offset, 0), builtins.max(offset, 0)
    count = builtins.max(builtins.min(rows - down, columns - right), 0)
    return getitem(x, (..., list(range(down, down + count)), list(range(right, right + count))))


def bilinear(x1, x2, weight, bias=None):
    """``x1 @ weight[o] @ x2 + bias[o]`` for each output o: a layer of products of two inputs.

    Args:
        x1: shape (..., in1_features).
        x2: shape (..., in2_features).
        weight: shape (out_features, in1_features, in2_features).
        bias: shape (out_features,), or None.

    Returns:
        Shape (..., out_features).

    Raises:
        ValueError: if the shapes do not fit together.

    Example:
        >>> tg.bilinear(tg.tensor([1.0, 2.0]), tg.tensor([3.0]), tg.ones((1, 2, 1)))
        Tensor([9.], dtype=float32, device='cpu')
    """
    x1, x2, weight = as_operands([x1, x2, weight])
    if weight.ndim != 3 or (x1.shape[-1:], x2.shape[-1:]) != (weight.shape[1:2], weight.shape[2:]):
        raise ValueError(
            f"bilinear() of x1 {tuple(x1.shape)}, x2 {tuple(x2.shape)} and weight {tuple(weight.shape)}: expected "
            f"(..., in1_features), (..., in2_features) and (out_features, in1_features, in2_features)."
        )
    out = einsum("...i,oij,...j->...o", x1, weight, x2)
    return out if bias is None else out + bias
