"""L-BFGS: its iterations are PyTorch's; it goes on from a checkpoint; what it needs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad.optim.line_search import FLATTER, LOWER, Place, strong_wolfe

RECORD: dict[str, Any] = json.loads((Path(__file__).parent / "trajectories.json").read_text())
WOLFE = "strong_wolfe"


class Valley:
    """The function of the record, and an optimizer on its way down."""

    def __init__(self, device: str = "cpu", dtype: str = "float64", **options: Any) -> None:
        pairs = zip(RECORD["start"], RECORD["shapes"], strict=True)
        self.p, self.q = (
            tg.Tensor(np.array(flat, dtype).reshape(shape), device=device, requires_grad=True) for flat, shape in pairs
        )
        self.optimizer = tg.optim.LBFGS([("p", self.p), ("q", self.q)], **options)
        self.count = 0

    def closure(self) -> Any:
        self.count += 1
        self.optimizer.zero_grad()
        p, q = self.p, self.q
        bend = ((p[:, 1:] - p[:, :-1] ** 2) ** 2).sum()
        loss = 10 * bend + ((1 - p) ** 2).sum() + (q * p).sum() ** 2 + (q - 1) ** 4
        loss.backward()
        return loss

    def steps(self, count: int) -> list[list[float]]:
        rows = []
        for _ in range(count):
            loss = self.optimizer.step(self.closure).item()
            rows.append([loss, *self.p.numpy().ravel().tolist(), self.q.item(), self.count])
        return rows


@pytest.mark.parametrize("case", RECORD["lbfgs"], ids=lambda case: str(case["options"]))
def test_twenty_steps_are_pytorchs(case: dict[str, Any], device: str) -> None:
    rows = Valley(device, **case["options"]).steps(max(RECORD["kept"]))
    np.testing.assert_allclose([rows[step - 1] for step in RECORD["kept"]], case["rows"], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("options", [{"max_iter": 2, "lr": 0.3}, {"max_iter": 3, "line_search_fn": WOLFE}])
def test_going_on_from_a_checkpoint_is_exact(options: dict[str, Any]) -> None:
    straight = Valley(**options, history_size=3)
    straight.steps(6)
    file = io.BytesIO()
    tg.save(straight.optimizer.state_dict(), file)
    file.seek(0)
    resumed = Valley(**options, history_size=3)
    for mine, theirs in ((resumed.p, straight.p), (resumed.q, straight.q)):
        mine.data[...] = theirs.data
    resumed.optimizer.load_state_dict(tg.load(file))
    resumed.count = straight.count
    assert resumed.steps(5) == straight.steps(5)


def test_no_more_steps_are_remembered_than_were_asked_for() -> None:
    valley = Valley(history_size=4, max_iter=1, line_search_fn=WOLFE)
    valley.steps(12)
    names = set(valley.optimizer.state_dict()["state"]["p"])
    assert len([name for name in names if name.startswith("step_")]) == 4
    assert len(names) == 3 + 2 * 4


def test_float32_stays_float32() -> None:
    valley = Valley(dtype="float32", line_search_fn=WOLFE)
    before = valley.p.data
    valley.steps(3)
    assert valley.p.data is before
    assert before.dtype == "float32"
    for state in valley.optimizer.state_dict()["state"].values():
        assert all(isinstance(value, float) or value.dtype == "float32" for value in state.values())


def test_it_is_done_where_the_slope_is_nothing() -> None:
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    optimizer = tg.optim.LBFGS([w])

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (0.0 * w).sum()
        loss.backward()
        return loss

    for _ in range(2):
        optimizer.step(closure)
    assert w.tolist() == [1.0, 2.0]


def test_parameters_without_a_gradient_stay() -> None:
    used, unused = (tg.tensor([3.0], dtype="float64", requires_grad=True) for _ in range(2))
    optimizer = tg.optim.LBFGS([used, unused])

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (used * used).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert abs(used.item()) < 1e-6
    assert unused.item() == 3.0


def test_what_it_needs() -> None:
    w, v = (tg.tensor([1.0], requires_grad=True) for _ in range(2))
    with pytest.raises(TypeError, match="give step\\(\\) a closure"):
        tg.optim.LBFGS([w]).step()
    with pytest.raises(ValueError, match="a single group"):
        tg.optim.LBFGS([{"params": [w]}, {"params": [v]}])
    with pytest.raises(ValueError, match="line_search_fn is None or 'strong_wolfe', got 'armijo'"):
        tg.optim.LBFGS([w], line_search_fn="armijo")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="max_iter must be 0 or greater"):
        tg.optim.LBFGS([w], max_iter=-1)


@given(st.floats(0.1, 10), st.floats(-3, 3), st.floats(0.01, 3), st.floats(0.05, 20))
def test_wolfes_conditions_hold(scale: float, shift: float, waves: float, first: float) -> None:
    def at(t: float) -> Place:
        value = scale * (t - 5) ** 2 + 2 * np.sin(waves * t + shift)
        slope = 2 * scale * (t - 5) + 2 * waves * np.cos(waves * t + shift)
        return Place(t, float(value), float(slope), None)

    start = at(0.0)
    if start.slope < -1e-3:
        found, count = strong_wolfe(at, start, first, 1.0, 25)
        assert found.value <= start.value + LOWER * found.t * start.slope
        assert abs(found.slope) <= -FLATTER * start.slope
        assert count <= 26
