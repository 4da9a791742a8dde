"""Recurrent layers: one step after the other, and back through time.

A batch of sequences is here an array of rows, those of the first step, then those of the second, and so on; ``counts``
says how many each step has. There are never more than in the step before: sequences that end early come last. The
inputs have been multiplied by their weights, all steps in one product; what is left to do step by step is a product
with the state. The weights' gradients are again one product over all rows.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad import backend, kernels
from tensorgrad.autograd import Tensor, op
from tensorgrad.ops.arguments import as_floating, beside
from tensorgrad.ops.arrangement import pad
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.indexing import take
from tensorgrad.ops.linalg import for_few_rows, linear, matmul
from tensorgrad.ops.powers import logistic_bound
from tensorgrad.ops.shape import reshape
from tensorgrad.pieces import in_halves, of_each, together

__all__ = ["gru", "lstm", "rnn"]

WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")

# -- steps -----------------------------------------------------------------------------------------------------


@op
def _split(x, /, counts):
    """The rows of each step."""
    return tuple(x[end - n : end] for n, end in zip(counts, itertools.accumulate(counts), strict=True))


@_split.vjp("x")
def _(gs, xp):
    return xp.concat(gs)


def _steps(counts, *rows, some):
    """What several arrays have at each step, step by step, of some of the sequences."""
    return [*zip(*(of_each(_split(each, counts), some) for each in rows), strict=True)]


def _before(first, rows, counts):
    """The state that each step begins with: ``first``, and then what the step before has left."""
    return [first, *(state[:n] for state, n in zip(_split(rows, counts), counts[1:], strict=False))]


def _grown(g, count):
    """``g`` with rows of zeros, for the sequences that end at this step."""
    return pad(g, ((0, count - g.shape[0]), (0, 0))) if g.shape[0] < count else g


def _parts(gates, count):
    """Gates that lie beside each other, one by one."""
    size = gates.shape[-1] // count
    return [gates[:, i * size : (i + 1) * size] for i in range(count)]


class _Joined:
    """The rows of all steps, given from the last step to the first; of all sequences, or of some at a time."""

    def __init__(self, counts, like):
        self.tensors = []
        # Into one array: fresh memory for each step would take as long as what is computed there.
        self.rows = None
        if not isinstance(like, Tensor):
            self.rows = backend.namespace(like).empty_like(like, order="C")
            self.steps = _split(self.rows, counts)

    def beside(self, place, parts, xp):
        """Rows of a step, of what lies beside each other; arrays are put in their place, a step and which rows."""
        step, some = place
        return xp.concat(parts, axis=1, **({} if self.rows is None else {"out": self.steps[step][some]}))

    def keep(self, rows):
        """Takes the rows of a step, as :meth:`beside` gave them or changed in place."""
        if self.rows is None:
            self.tensors.append(rows)
        return rows

    def all(self, xp):
        return xp.concat(self.tensors[::-1]) if self.rows is None else self.rows


def _to_logistic(x, xp):
    """:func:`logistic`, in place."""
    xp.clip(x, -math.inf, logistic_bound(x), out=x)
    xp.exp(x, out=x)
    x /= 1 + x


# -- cells, step by step ---------------------------------------------------------------------------------------


@op
def _rnn(x, h, weight, /, counts, nonlinearity, *, xp):
    output, product = xp.empty_like(x, order="C"), kernels.of(x).matmul

    def run(some):
        before = h[some]
        for given, a in _steps(counts, x, output, some=some):
            xp.add(given, product(before[: len(a)], weight.T), out=a)
            before = xp.tanh(a, out=a) if nonlinearity == "tanh" else xp.maximum(a, 0, out=a)

    in_halves(run, x, counts[0])
    return output


@_rnn.vjp("x", "h", "weight")
def _(g, h, weight, out, counts, nonlinearity, needs, xp):
    by_x = _Joined(counts, g)
    across = for_few_rows(weight, xp)

    def run(some):
        by_h = g[:0]
        for step, (by_output, y) in reversed([*enumerate(_steps(counts, g, out, some=some))]):
            by_step = (by_output + _grown(by_h, y.shape[0])) * (1 - y * y if nonlinearity == "tanh" else y > 0)
            by_h = matmul(by_x.keep(by_x.beside((step, some), [by_step], xp)), across)
        return by_h

    by_h = together(in_halves(run, g, counts[0]), xp)
    by_x = by_x.all(xp)
    by_weight = matmul(xp.matrix_transpose(by_x), xp.concat(_before(h, out, counts))) if needs[2] else None
    return by_x, by_h, by_weight


@op(outputs=("output", "cells", "gates"))
def _lstm(x, h, c, weight, projection=None, /, counts=(), *, xp):
    output, cells = (xp.empty_like(x, order="C", shape=(x.shape[0], state.shape[1])) for state in (h, c))
    gates, product = xp.empty_like(x, order="C"), kernels.of(x).matmul

    def run(some):
        before, memory = h[some], c[some]
        for given, a, cell, y in _steps(counts, x, gates, cells, output, some=some):
            xp.add(given, product(before[: len(a)], weight.T), out=a)
            i, f, g, o = _parts(a, 4)
            _to_logistic(a[:, : 2 * g.shape[1]], xp)
            _to_logistic(o, xp)
            xp.tanh(g, out=g)
            xp.multiply(f, memory[: len(a)], out=cell)
            cell += i * g
            seen = o * xp.tanh(cell)
            y[...] = seen if projection is None else product(seen, projection.T)
            before, memory = y, cell

    in_halves(run, x, counts[0])
    return output, cells, gates


@_lstm.vjp("x", "h", "c", "weight", "projection")
def _(gs, h, c, weight, projection, counts, output, cells, gates, needs, used, xp):
    by_x, by_output = _Joined(counts, gates), _Joined(counts, output)
    zeros = xp.zeros_like(c[:1])
    # The logistic function has the derivative (1 - s) s, tanh has (1 - s) (1 + s).
    more = xp.concat([zeros, zeros, zeros + 1, zeros], axis=1)
    across = for_few_rows(weight, xp)

    def run(some):
        by_h, by_c = gs[0][:0], gs[1][:0]
        steps = zip(_steps(counts, *gs, cells, gates, some=some), of_each(_before(c, cells, counts), some), strict=True)
        for step, ((by_y, by_cell, by_gates, cell, gate), before) in reversed([*enumerate(steps)]):
            i, f, g, o = _parts(gate, 4)
            t = xp.tanh(cell)
            by_h = by_y + _grown(by_h, cell.shape[0])
            if projection is not None:
                by_h = matmul(by_output.keep(by_output.beside((step, some), [by_h], xp)), projection)
            by_c = _grown(by_c, cell.shape[0]) + by_h * o * (1 - t * t)
            if used[1]:
                by_c = by_c + by_cell
            by_step = by_x.beside((step, some), [by_c * g, by_c * before, by_c * i, by_h * t], xp)
            if used[2]:
                by_step += by_gates
            by_step *= (1 - gate) * (gate + more)
            by_h, by_c = matmul(by_x.keep(by_step), across), by_c * f
        return by_h, by_c

    by_h, by_c = (together(parts, xp) for parts in zip(*in_halves(run, gates, counts[0]), strict=True))
    by_x = by_x.all(xp)
    by_weight = matmul(xp.matrix_transpose(by_x), xp.concat(_before(h, output, counts))) if needs[3] else None
    by_projection = None
    if needs[4]:
        seen = _parts(gates, 4)[3] * xp.tanh(cells)
        by_projection = matmul(xp.matrix_transpose(by_output.all(xp)), seen)
    return by_x, by_h, by_c, by_weight, by_projection


@op(outputs=("output", "gates", "hidden"))
def _gru(x, h, weight, bias=None, /, counts=(), *, xp):
    output, hidden = (xp.empty_like(x, order="C", shape=(x.shape[0], h.shape[1])) for _ in range(2))
    gates, size, product = xp.empty_like(x, order="C"), 2 * h.shape[1], kernels.of(x).matmul

    def run(some):
        state = h[some]
        for given, gate, new, y in _steps(counts, x, gates, hidden, output, some=some):
            state = state[: len(y)]
            seen = product(state, weight.T)
            if bias is not None:
                seen += bias
            new[...] = seen[:, size:]
            r, z, m = _parts(gate, 3)
            _to_logistic(xp.add(given[:, :size], seen[:, :size], out=gate[:, :size]), xp)
            xp.add(given[:, size:], r * new, out=m)
            xp.tanh(m, out=m)
            xp.multiply(z, state - m, out=y)
            y += m
            state = y

    in_halves(run, x, counts[0])
    return output, gates, hidden


@_gru.vjp("x", "h", "weight", "bias")
def _(gs, h, weight, counts, output, gates, hidden, needs, used, xp):
    before = _before(h, output, counts)
    across = for_few_rows(weight, xp)
    by_x, by_product = _Joined(counts, gates), _Joined(counts, gates)

    def run(some):
        by_h = gs[0][:0]
        steps = zip(_steps(counts, *gs, gates, hidden, some=some), of_each(before, some), strict=True)
        for step, ((by_y, by_gates, by_new, gate, new), state) in reversed([*enumerate(steps)]):
            r, z, m = _parts(gate, 3)
            by_h = by_y + _grown(by_h, gate.shape[0])
            by_m, by_z = by_h * (1 - z), by_h * (state - m)
            if used[1]:
                by_r, more, most = _parts(by_gates, 3)
                by_m, by_z = by_m + most, by_z + more
            by_m, by_z = by_m * (1 - m * m), by_z * z * (1 - z)
            by_r = (by_r + by_m * new if used[1] else by_m * new) * r * (1 - r)
            by_x.keep(by_x.beside((step, some), [by_r, by_z, by_m], xp))
            by_n = by_m * r + by_new if used[2] else by_m * r
            by_step = by_product.keep(by_product.beside((step, some), [by_r, by_z, by_n], xp))
            by_h = by_h * z + matmul(by_step, across)
        return by_h

    by_h = together(in_halves(run, gates, counts[0]), xp)
    by_product = by_product.all(xp)
    by_weight = matmul(xp.matrix_transpose(by_product), xp.concat(before)) if needs[2] else None
    return by_x.all(xp), by_h, by_weight, xp.sum(by_product, axis=0)


# -- layers ----------------------------------------------------------------------------------------------------


@op
def _reordered(x, /, order):
    """The rows in another order; done twice, it is the first one again."""
    return x[order]


@_reordered.vjp("x")
def _(g, order):
    return _reordered(g, order)


class _Batch:
    """The sequences that a layer was given, as rows in the order of its steps.

    Args:
        name: of the layer.
        x: shape (T, N, D); or with ``batch_sizes`` (S, D).
        batch_sizes: how many rows each step has.
        reverse: whether the last step of each sequence comes first.
    """

    def __init__(self, name: str, x: Any, batch_sizes: Any, reverse: bool) -> None:
        x = as_floating(name, x)
        self.name = name
        self.shape = x.shape
        if batch_sizes is None:
            if x.ndim != 3 or not x.shape[0]:
                raise ValueError(
                    f"{name}() takes an input (T, N, D) of at least one step, or (S, D) and batch_sizes; got {x.shape}."
                )
            self.counts = (x.shape[1],) * x.shape[0]
        else:
            self.counts = tuple(asarray(batch_sizes).tolist())
            falling = all(later <= n for n, later in itertools.pairwise(self.counts))
            if x.ndim != 2 or not falling or min(self.counts, default=0) < 1 or sum(self.counts) != x.shape[0]:
                raise ValueError(
                    f"{name}() takes rows (S, D) with batch_sizes of 1 or more that do not rise and sum to S; got "
                    f"{x.shape} and {list(self.counts)}."
                )
        self.size = self.counts[0]
        self.device = x.device
        self.order = self._backwards() if reverse else None
        self.rows = self._ordered(reshape(x, (sum(self.counts), x.shape[-1])))

    def _starts(self) -> tuple[np.ndarray, np.ndarray]:
        """The first row of each step, and the length of each sequence."""
        counts = np.array(self.counts)
        return np.cumsum(counts) - counts, (counts[:, None] > np.arange(self.size)).sum(axis=0)

    def _backwards(self) -> Any:
        """For each row the one that is as far from the end of its sequence as this is from the beginning."""
        starts, lengths = self._starts()
        step = np.repeat(np.arange(len(starts)), self.counts)
        sequence = np.arange(len(step)) - starts[step]
        return backend.transfer(starts[lengths[sequence] - 1 - step] + sequence, self.device)

    def _ordered(self, rows: Tensor) -> Tensor:
        return rows if self.order is None else _reordered(rows, self.order)

    def unrolled(self, rows: Tensor) -> Tensor:
        """Outputs in the order and shape of the input."""
        return reshape(self._ordered(rows), (*self.shape[:-1], rows.shape[-1]))

    def last(self, rows: Tensor) -> Tensor:
        """What the last step of each sequence has left, shape (N, H)."""
        if self.counts[-1] == self.size:
            return rows[rows.shape[0] - self.size :]
        starts, lengths = self._starts()
        return take(rows, backend.transfer(starts[lengths - 1] + np.arange(self.size), self.device), axis=0)

    def weights(
        self, gates: int, weight_ih: Any, weight_hh: Any, *others: Any
    ) -> tuple[list[Tensor | None], list[int]]:
        """Weights and biases as Tensors, and how wide output and state are, once all shapes go together."""
        across = beside(self.rows, weight_hh)
        rows, width = (*across.shape, 0, 0)[:2]
        hidden = rows // gates
        given = dict(zip(WEIGHTS, (weight_ih, across, *others), strict=False))
        wanted = {
            "weight_ih": (gates * hidden, self.rows.shape[1]),
            "weight_hh": (gates * hidden, hidden if given.get("weight_hr") is None else width),
            "weight_hr": (width, hidden),
        }
        tensors: list[Tensor | None] = []
        for name, value in given.items():
            shape = wanted.get(name, (gates * hidden,))
            tensor = None if value is None else beside(self.rows, value)
            if tensor is not None and tensor.shape != shape:
                raise ValueError(
                    f"{self.name}() of an input {self.shape} and a weight_hh {across.shape} takes a {name} of shape "
                    f"{shape}, got {tensor.shape}."
                )
            tensors.append(tensor)
        return tensors, [width, hidden]

    def states(self, like: Tensor, widths: Sequence[int], *given: Any) -> list[Tensor]:
        """First states as Tensors of shape (N, width), zeros where none are given."""
        result = []
        for name, value, width in zip("hc", given, widths, strict=False):
            if value is None:
                value = Tensor(backend.zeros((self.size, width), like.dtype, like.data))
            value = beside(like, value)
            if value.shape != (self.size, width):
                raise ValueError(
                    f"{self.name}() of {self.size} sequences takes a first {name} of shape {(self.size, width)}, got "
                    f"{value.shape}."
                )
            result.append(value)
        return result


def _added(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    return first if second is None else second if first is None else first + second


def _alike(*tensors: Tensor | None) -> list[Tensor | None]:
    """All of them in the widest of their dtypes."""
    dtype = np.result_type(*(tensor.dtype for tensor in tensors if tensor is not None))
    return [None if tensor is None else tensor.to(dtype) for tensor in tensors]


def rnn(
    x: Any,
    hx: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any = None,
    bias_hh: Any = None,
    nonlinearity: str = "tanh",
    batch_sizes: Any = None,
    reverse: bool = False,
) -> tuple[Tensor, Tensor]:
    """A layer of simple recurrent cells: ``h = tanh(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh)``.

    Source: Elman, *Finding structure in time*, 1990.

    Args:
        x: N sequences of T steps, shape (T, N, D); or with ``batch_sizes`` the rows of a packed sequence, (S, D).
        hx: the first state, shape (N, H); None for zeros.
        weight_ih: shape (H, D).
        weight_hh: shape (H, H).
        bias_ih: shape (H,), or None for 0.
        bias_hh: shape (H,), or None for 0.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        batch_sizes: how many rows each step has; these numbers do not rise, and their sum is S.
        reverse: whether the sequences are read from their ends.

    Returns:
        The state after each step, shape (T, N, H) or (S, H), in the order of the input; and the last state, (N, H).

    Raises:
        ValueError: if the shapes do not go together, or for another nonlinearity.
        TypeError: if ``x`` is not floating point.

    Example:
        >>> output, last = tg.rnn(tg.ones((3, 1, 1)), None, tg.ones((1, 1)), tg.ones((1, 1)), nonlinearity="relu")
        >>> output.flatten().tolist(), last.tolist()
        ([1.0, 2.0, 3.0], [[3.0]])
    """
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"rnn() has the nonlinearities 'tanh' and 'relu', not {nonlinearity!r}.")
    batch = _Batch("rnn", x, batch_sizes, reverse)
    (weight_ih, weight_hh, bias_ih, bias_hh), widths = batch.weights(1, weight_ih, weight_hh, bias_ih, bias_hh)
    projected = linear(batch.rows, weight_ih, _added(bias_ih, bias_hh))
    (h,) = batch.states(projected, widths, hx)
    output = _rnn(*_alike(projected, h, weight_hh), batch.counts, nonlinearity)
    return batch.unrolled(output), batch.last(output)


def lstm(
    x: Any,
    hx: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any = None,
    bias_hh: Any = None,
    weight_hr: Any = None,
    batch_sizes: Any = None,
    reverse: bool = False,
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """A layer of cells with a long memory: gates say what enters it, what stays, and what is seen of it.

    With ``i, f, g, o`` the four parts, each H wide, of ``x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh``::

        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h = sigmoid(o) * tanh(c), times weight_hr.T if there is one

    Source: Hochreiter and Schmidhuber, *Long short-term memory*, 1997; gates to forget: Gers, Schmidhuber and Cummins,
    *Learning to forget*, 2000; projections: Sak, Senior and Beaufays, 2014.

    Args:
        x: N sequences of T steps, shape (T, N, D); or with ``batch_sizes`` the rows of a packed sequence, (S, D).
        hx: the first output and the first memory, ``(h, c)``, shapes (N, P) and (N, H); None for zeros.
        weight_ih: shape (4 * H, D).
        weight_hh: shape (4 * H, P), where P is H if there is no projection.
        bias_ih: shape (4 * H,), or None for 0.
        bias_hh: shape (4 * H,), or None for 0.
        weight_hr: the projection, shape (P, H), or None.
        batch_sizes: how many rows each step has; these numbers do not rise, and their sum is S.
        reverse: whether the sequences are read from their ends.

    Returns:
        The output of each step, shape (T, N, P) or (S, P), in the order of the input; and what the last step has left,
        ``(h, c)``.

    Raises:
        ValueError: if the shapes do not go together.
        TypeError: if ``x`` is not floating point, or ``hx`` no pair.

    Example:
        >>> output, (h, c) = tg.lstm(tg.ones((5, 2, 3)), None, tg.ones((16, 3)), tg.ones((16, 4)))
        >>> output.shape, h.shape, c.shape
        ((5, 2, 4), (2, 4), (2, 4))
    """
    if hx is not None and not (isinstance(hx, (tuple, list)) and len(hx) == 2):
        raise TypeError(f"lstm() takes its first state as a pair (h, c) or None, not {type(hx).__name__}.")
    batch = _Batch("lstm", x, batch_sizes, reverse)
    (weight_ih, weight_hh, bias_ih, bias_hh, weight_hr), widths = batch.weights(
        4, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr
    )
    projected = linear(batch.rows, weight_ih, _added(bias_ih, bias_hh))
    h, c = batch.states(projected, widths, *(hx or (None, None)))
    output, cells, _ = _lstm(*_alike(projected, h, c, weight_hh, weight_hr), batch.counts)
    return batch.unrolled(output), (batch.last(output), batch.last(cells))


def gru(
    x: Any,
    hx: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any = None,
    bias_hh: Any = None,
    batch_sizes: Any = None,
    reverse: bool = False,
) -> tuple[Tensor, Tensor]:
    """A layer of gated cells: one gate says what of the state is seen, another what of it stays.

    With ``r, z, n`` the three parts, each H wide, of ``x @ weight_ih.T + bias_ih`` and ``r', z', n'`` those of
    ``h @ weight_hh.T + bias_hh``::

        m = tanh(n + sigmoid(r + r') * n')
        h = (1 - sigmoid(z + z')) * m + sigmoid(z + z') * h

    Source: Cho et al., *Learning phrase representations using RNN encoder-decoder*, 2014; as in PyTorch, the state is
    multiplied by its weights before it is gated.

    Args:
        x: N sequences of T steps, shape (T, N, D); or with ``batch_sizes`` the rows of a packed sequence, (S, D).
        hx: the first state, shape (N, H); None for zeros.
        weight_ih: shape (3 * H, D).
        weight_hh: shape (3 * H, H).
        bias_ih: shape (3 * H,), or None for 0.
        bias_hh: shape (3 * H,), or None for 0.
        batch_sizes: how many rows each step has; these numbers do not rise, and their sum is S.
        reverse: whether the sequences are read from their ends.

    Returns:
        The state after each step, shape (T, N, H) or (S, H), in the order of the input; and the last state, (N, H).

    Raises:
        ValueError: if the shapes do not go together.
        TypeError: if ``x`` is not floating point.

    Example:
        >>> output, last = tg.gru(tg.ones((5, 2, 3)), None, tg.ones((12, 3)), tg.ones((12, 4)))
        >>> output.shape, last.shape
        ((5, 2, 4), (2, 4))
    """
    batch = _Batch("gru", x, batch_sizes, reverse)
    (weight_ih, weight_hh, bias_ih, bias_hh), widths = batch.weights(3, weight_ih, weight_hh, bias_ih, bias_hh)
    projected = linear(batch.rows, weight_ih, bias_ih)
    (h,) = batch.states(projected, widths, hx)
    output, _, _ = _gru(*_alike(projected, h, weight_hh, bias_hh), batch.counts)
    return batch.unrolled(output), batch.last(output)
