"""The records of recurrent layers. Sizes are tiny: second derivatives by all weights take their time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.ops import recurrent
from tensorgrad.testing.contracts import bad_call
from tensorgrad.testing.opspec import Kink
from tensorgrad.testing.records.kinds import record
from tensorgrad.testing.records.network_references import sigmoid
from tensorgrad.testing.strategies import Domain, Sample, Shape, filled

Array = np.ndarray

SIZES: list[tuple[Any, int, int]] = [([1, 1], 1, 1), ([2], 1, 2), ([2, 1], 1, 1), ([2, 2], 2, 1), ([0], 1, 2)]
"""The sequences of each step, the width of inputs, the width of states."""
VALUES = Domain(((-1.5, 1.5),))
DECIDED = {
    "x": Domain(((-0.2, 0.2),)),
    "weight_ih": Domain(((-0.3, 0.3),)),
    "weight_hh": Domain(((0.05, 0.1),)),
    "bias_ih": Domain(((-0.8, -0.7), (0.7, 0.8))),
    "bias_hh": Domain(((0.0, 0.05),)),
}
"""The first bias decides on which side of 0 a sum is; what is above 0 is mostly below 1."""


@st.composite
def _sequences(draw: st.DrawFn, gates: int, pair: bool = False, domains: dict[str, Domain] | None = None) -> Sample:
    """Inputs, weights and perhaps first states, biases and a projection."""
    counts, width, hidden = draw(st.sampled_from(SIZES))
    seen = hidden
    names = draw(st.sampled_from([["h", "c"], ["h", "c", "bias_hh"], ["bias_ih", "bias_hh"], ["bias_hh"]]))
    if domains:
        names = ["bias_ih", "bias_hh"]
    if pair and width == 1 and draw(st.booleans()):
        # A projection from 2 to 1.
        hidden, seen, names = 2, 1, ["h", "c", "weight_hr"]
    shapes: dict[str, Shape] = {
        "x": (sum(counts), width),
        "weight_ih": (gates * hidden, width),
        "weight_hh": (gates * hidden, seen),
        "h": (counts[0], seen),
        "c": (counts[0], hidden),
        "bias_ih": (gates * hidden,),
        "bias_hh": (gates * hidden,),
        "weight_hr": (seen, hidden),
    }
    taken = [name for name in shapes if name in ["x", "weight_ih", "weight_hh", *names] and (pair or name != "c")]
    packed = len(set(counts)) > 1 or (counts[0] > 0 and draw(st.booleans()))
    if not packed:
        shapes["x"] = (len(counts), counts[0], width)
    arrays = draw(filled([shapes[name] for name in taken], [(domains or {}).get(name, VALUES) for name in taken]))
    options = {"names": (*taken[1:],), "reverse": draw(st.booleans())}
    return Sample(arrays, options | ({"batch_sizes": counts} if packed else {}))


def _called(function: Callable[..., Any]) -> Callable[..., Any]:
    """A layer as a function of arrays one by one, that gives its results one by one."""

    def call(x: Any, *arrays: Any, names: Sequence[str] = ("weight_ih", "weight_hh"), **options: Any) -> Any:
        given = dict(zip(names, arrays, strict=True))
        states = [given.pop(name) for name in ("h", "c") if name in given]
        hx = None if not states else states[0] if len(states) == 1 else tuple(states)
        output, last = function(x, hx, **given, **options)
        return output, *(last if isinstance(last, tuple) else (last,))

    return call


def _one_by_one(step: Callable[..., list[Array]], gates: int, pair: bool = False) -> Callable[..., Any]:
    """The same in NumPy: sequence by sequence, step by step."""

    def read(
        x: Array,
        *arrays: Array,
        names: Sequence[str],
        reverse: bool,
        batch_sizes: Sequence[int] | None = None,
        **options: Any,
    ) -> Any:
        given = dict(zip(names, arrays, strict=True))
        counts = [x.shape[1]] * len(x) if batch_sizes is None else batch_sizes
        rows, starts = x.reshape(-1, x.shape[-1]), np.cumsum([0, *counts])
        hidden = len(given["weight_ih"]) // gates
        widths = [given["weight_hh"].shape[1], hidden][: 1 + pair]
        firsts = [given.get(name, np.zeros((counts[0], n))) for name, n in zip("hc", widths, strict=False)]
        output, lasts = np.zeros((len(rows), widths[0])), [np.zeros_like(first) for first in firsts]
        for n in range(counts[0]):
            own = [start + n for start, count in zip(starts, counts, strict=False) if n < count]
            state = [first[n] for first in firsts]
            for row in reversed(own) if reverse else own:
                a = given["weight_ih"] @ rows[row] + given.get("bias_ih", 0)
                b = given["weight_hh"] @ state[0] + given.get("bias_hh", 0)
                state = step(np.split(a, gates), np.split(b, gates), *state, **options)
                if "weight_hr" in given:
                    state[0] = given["weight_hr"] @ state[0]
                output[row] = state[0]
            for last, value in zip(lasts, state, strict=True):
                last[n] = value
        return output.reshape(*x.shape[:-1], -1) if x.size else output.reshape(*x.shape[:-1], widths[0]), *lasts

    return read


def _simple(a: list[Array], b: list[Array], h: Array, nonlinearity: str = "tanh") -> list[Array]:
    return [np.tanh(a[0] + b[0]) if nonlinearity == "tanh" else np.maximum(a[0] + b[0], 0)]


def _long_short(a: list[Array], b: list[Array], h: Array, c: Array) -> list[Array]:
    i, f, g, o = (x + y for x, y in zip(a, b, strict=True))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def _gated(a: list[Array], b: list[Array], h: Array) -> list[Array]:
    z = sigmoid(a[1] + b[1])
    return [(1 - z) * np.tanh(a[2] + sigmoid(a[0] + b[0]) * b[2]) + z * h]


def _errors(gates: int, *more: Any) -> list[Any]:
    x, weight = np.ones((3, 1, 2)), np.ones((gates * 2, 2))
    first = np.ones((2, 2)) if gates < 4 else (np.ones((1, 2)), np.ones((2, 2)))
    state = "h" if gates < 4 else "c"
    return [
        bad_call(r"an input \(T, N, D\) of at least one step", np.ones((0, 1, 2)), None, weight, weight),
        bad_call(r"an input \(T, N, D\)", np.ones((3, 2)), None, weight, weight),
        bad_call("floating point", np.ones((3, 1, 2), int), None, weight, weight, error=TypeError),
        bad_call(r"not rise .* got \(3, 2\) and \[1, 2\]", np.ones((3, 2)), None, weight, weight, batch_sizes=[1, 2]),
        bad_call(r"sum to S; got \(3, 2\) and \[1, 1\]", np.ones((3, 2)), None, weight, weight, batch_sizes=[1, 1]),
        bad_call(rf"a weight_ih of shape \({2 * gates}, 2\), got", x, None, weight[:, :1], weight),
        bad_call(rf"a weight_hh of shape \({2 * gates}, 2\), got", x, None, weight, weight[:, :1]),
        bad_call(rf"a bias_hh of shape \({2 * gates},\), got \(1,\)", x, None, weight, weight, bias_hh=np.ones(1)),
        bad_call(rf"1 sequences takes a first {state} of shape \(1, 2\), got \(2, 2\)", x, first, weight, weight),
        *more,
    ]


ONE = np.ones((1, 1))
CONTRACT = "x (T, N, D), hx (N, H), weights ({0}H, D) and ({0}H, H), biases ({0}H)"

RECURRENT = [
    record(
        recurrent.gru,
        _one_by_one(_gated, 3),
        shapes=_sequences(3),
        call=_called(recurrent.gru),
        contract=CONTRACT.format("3 "),
        errors=_errors(3),
    ),
    record(
        recurrent.lstm,
        _one_by_one(_long_short, 4, pair=True),
        shapes=_sequences(4, pair=True),
        call=_called(recurrent.lstm),
        contract=CONTRACT.format("4 ").replace("hx (N, H)", "hx twice (N, H)"),
        errors=_errors(4, bad_call("as a pair", np.ones((1, 1, 1)), ONE, ONE, ONE, error=TypeError)),
    ),
    record(
        recurrent.rnn,
        _one_by_one(_simple, 1),
        shapes=_sequences(1),
        call=_called(recurrent.rnn),
        contract=CONTRACT.format(""),
        errors=_errors(
            1, bad_call("'tanh' and 'relu', not 'elu'", np.ones((1, 1, 1)), None, ONE, ONE, nonlinearity="elu")
        ),
    ),
    record(
        recurrent.rnn,
        lambda *arrays, **options: _one_by_one(_simple, 1)(*arrays, **options)[0],
        shapes=_sequences(1, domains=DECIDED),
        options={"nonlinearity": "relu"},
        # The outputs alone: what is pulled through them comes to the rule as it is.
        call=lambda *arrays, **options: _called(recurrent.rnn)(*arrays, **options)[0],
        kinks=[Kink((np.zeros((1, 1, 1)), ONE, ONE), ([[[0]]], [[0]], [[0]]), {"nonlinearity": "relu"}, "0 at 0")],
        variant="relu",
    ),
]
