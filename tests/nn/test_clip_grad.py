"""Clipping of gradients, and parameters as one vector."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad.nn.utils import (
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
    parameters_to_vector,
    vector_to_parameters,
)
from tests.strict.counting import count_transfers

GRADS = ([[3.0, -4.0]], 12.0, np.zeros((0, 2)))


def parameters(dtype: str = "float32", device: str = "cpu", grads: Any = GRADS) -> list[tg.Tensor]:
    made = []
    for grad in grads:
        array = np.asarray(grad, dtype)
        made.append(tg.Tensor(np.zeros_like(array), device=device, requires_grad=True))
        made[-1].grad = tg.Tensor(array, device=device)
    return [*made, tg.Tensor([1.0], device=device, requires_grad=True)]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("p", "norm"), [(2.0, 13.0), (1, 19.0), (float("inf"), 12.0), ("inf", 12.0), (3.0, 1819 ** (1 / 3))]
)
def test_norm_and_scaling(p: Any, norm: float, dtype: str, device: str) -> None:
    made = parameters(dtype, device)
    before = [param.grad for param in made]
    total = clip_grad_norm_(iter(made), 2.0, norm_type=p)
    assert isinstance(total, tg.Tensor)
    assert (total.shape, total.device, total.requires_grad) == ((), device, False)
    assert total.dtype == ("float32" if dtype == "float16" else dtype)
    assert total.item() == pytest.approx(norm, rel=1e-6)
    for param, old, grad in zip(made, before, GRADS):
        assert param.grad is not None
        assert (param.grad.dtype, param.grad.device, param.grad.shape) == (dtype, device, param.shape)
        np.testing.assert_allclose(
            param.grad.numpy(), np.asarray(grad) * 2 / (norm + 1e-6), rtol=1e-3 if dtype == "float16" else 1e-6
        )
        # What someone kept of the gradient stays as it was.
        assert old is not None
        np.testing.assert_array_equal(old.numpy(), grad)
    assert made[-1].grad is None


def test_small_gradients_are_left_as_they_are() -> None:
    made = parameters()
    assert clip_grad_norm_(made, 13.5).item() == 13.0
    np.testing.assert_array_equal(made[0].grad.numpy(), GRADS[0])  # type: ignore[union-attr]


def test_clipping_in_two_steps(device: str) -> None:
    made, twins = parameters(device=device), parameters(device=device)
    total = get_total_norm([param.grad for param in made if param.grad is not None])
    assert total.item() == 13
    clip_grads_with_norm_(made, 2.0, total)
    clip_grad_norm_(twins, 2.0)
    for param, twin in zip(made[:-1], twins):
        np.testing.assert_array_equal(param.grad.numpy(), twin.grad.numpy())  # type: ignore[union-attr]
    assert get_total_norm([]).item() == 0
    assert get_total_norm(tg.tensor([3.0, 4.0]), 1).item() == 7
    with pytest.raises(ValueError, match="max_norm must be 0 or greater"):
        clip_grads_with_norm_(made, -1.0, total)
    with pytest.raises(ValueError, match="norm_type must be above 0"):
        get_total_norm([], 0)
    with pytest.raises(RuntimeError, match="is inf"):
        get_total_norm([tg.tensor([np.inf])], error_if_nonfinite=True)


def test_nothing_crosses_to_the_host() -> None:
    made = parameters(device="strict")
    with count_transfers() as count:
        clip_grad_norm_(made, 1.0)
        clip_grad_value_(made, 1.0)
    assert count.to_host == {}
    assert count.from_host == {}


@given(
    st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=6),
    st.floats(0, 100),
    st.sampled_from([1.0, 2.0, 4.0, np.inf]),
)
def test_afterwards_the_norm_is_within_bounds(grads: list[float], bound: float, p: float) -> None:
    made = parameters("float64", grads=[[value, value / 3] for value in grads])
    first = clip_grad_norm_(made, bound, p).item()
    assert first == pytest.approx(np.linalg.norm(np.array([[value, value / 3] for value in grads]).reshape(-1), p))
    assert clip_grad_norm_(made, np.inf, p).item() <= min(first, bound) * (1 + 1e-9) + 1e-300


def test_gradients_that_are_shared_or_given_twice_are_scaled_once() -> None:
    a, b = (tg.Tensor([0.0], requires_grad=True) for _ in range(2))
    a.grad = b.grad = tg.Tensor([3.0])
    assert clip_grad_norm_([a, a, b], 1.0).item() == pytest.approx(18**0.5)
    assert a.grad is not None
    assert a.grad.item() == pytest.approx(0.5**0.5, rel=1e-5)
    assert b.grad is not None
    assert b.grad.item() == pytest.approx(0.5**0.5, rel=1e-5)


def test_mixed_dtypes_keep_theirs() -> None:
    made = [*parameters("float16"), *parameters("float64")]
    assert clip_grad_norm_(made, 1.0).dtype == "float64"
    assert [str(param.grad.dtype) for param in made if param.grad is not None] == ["float16"] * 3 + ["float64"] * 3


def test_large_half_precision_gradients_are_clipped_and_not_lost() -> None:
    (param, _) = parameters("float16", grads=[[3e4, 4e4]])
    assert clip_grad_norm_(param, 1.0).item() == pytest.approx(5e4, rel=1e-3)
    np.testing.assert_allclose(param.grad.numpy(), [0.6, 0.8], rtol=2e-3)  # type: ignore[union-attr]


def test_norms_that_are_not_finite() -> None:
    for value in (np.nan, np.inf):
        made = parameters(grads=[[1.0, value]])
        with pytest.raises(RuntimeError, match=f"is {value}, so they cannot be clipped"):
            clip_grad_norm_(made, 1.0, error_if_nonfinite=True)
        np.testing.assert_array_equal(made[0].grad.numpy(), [1.0, value])  # type: ignore[union-attr]
        assert not np.isfinite(clip_grad_norm_(made, np.inf).item())
        np.testing.assert_array_equal(made[0].grad.numpy(), [1.0, value])  # type: ignore[union-attr]


def test_no_gradients() -> None:
    assert clip_grad_norm_([], 1.0).item() == 0.0
    assert clip_grad_norm_([tg.Tensor([1.0], requires_grad=True)], 1.0).tolist() == 0.0
    clip_grad_value_(iter(()), 1.0)


def test_clip_value(device: str) -> None:
    made = parameters(device=device)
    clip_grad_value_((param for param in made), np.float64(3.5))
    assert [param.grad.tolist() for param in made if param.grad is not None] == [[[3.0, -3.5]], 3.5, []]
    assert all(param.grad.dtype == "float32" for param in made if param.grad is not None)


@pytest.mark.parametrize("bad", [-1.0, float("nan")])
def test_bad_bounds(bad: float) -> None:
    made = parameters()
    with pytest.raises(ValueError, match="max_norm must be 0 or greater"):
        clip_grad_norm_(made, bad)
    with pytest.raises(ValueError, match="clip_value must be 0 or greater"):
        clip_grad_value_(made, bad)
    with pytest.raises(ValueError, match="norm_type must be above 0"):
        clip_grad_norm_(made, 1.0, norm_type=bad)
    with pytest.raises(TypeError, match="number 0 is tuple"):
        clip_grad_norm_([("w", made[0])], 1.0)  # type: ignore[list-item]


# -- one vector -----------------------------------------------------------------------------------------------


def test_there_and_back(device: str) -> None:
    made = [tg.Tensor(np.arange(6.0, dtype="float32").reshape(2, 3), device=device), tg.Tensor(7.0, device=device)]
    vector = parameters_to_vector(iter(made))
    assert (vector.shape, vector.device, vector.dtype) == ((7,), device, "float32")
    arrays = [param.data for param in made]
    vector_to_parameters(vector * 2, iter(made))
    assert [param.tolist() for param in made] == [[[0.0, 2.0, 4.0], [6.0, 8.0, 10.0]], 14.0]
    assert all(param.data is array for param, array in zip(made, arrays))


def test_gradients_flow_through_the_vector() -> None:
    a, b = tg.Tensor([1.0, 2.0], requires_grad=True), tg.Tensor(3.0, requires_grad=True)
    vector = parameters_to_vector([a, b])
    (vector * vector).sum().backward()
    assert (a.grad.tolist(), b.grad.item()) == ([2.0, 4.0], 6.0)  # type: ignore[union-attr]


def test_writing_a_vector_back_counts_as_a_change_and_keeps_dtypes() -> None:
    a = tg.Tensor([1.0, 2.0], requires_grad=True)
    loss = (a * a).sum()
    vector_to_parameters(tg.Tensor(np.array([3.0, 4.0])), [a])
    assert (a.tolist(), a.dtype) == ([3.0, 4.0], "float32")
    with pytest.raises(tg.GradientError, match="vector_to_parameters"):
        loss.backward()


def test_vectors_that_do_not_fit() -> None:
    made = [tg.Tensor([1.0, 2.0]), tg.Tensor(3.0)]
    for bad, error, words in (
        (tg.Tensor([0.0, 0.0]), ValueError, r"shape \(3,\), not \(2,\)"),
        (tg.Tensor([[0.0, 0.0, 0.0]]), ValueError, r"not \(1, 3\)"),
        (tg.Tensor([0.0, 0.0, 0.0], device="strict"), ValueError, "'strict' and a parameter on 'cpu'"),
        (np.zeros(3), TypeError, "got ndarray"),
    ):
        with pytest.raises(error, match=words):
            vector_to_parameters(bad, made)  # type: ignore[arg-type]
    assert [param.tolist() for param in made] == [[1.0, 2.0], 3.0]
    with pytest.raises(ValueError, match="no parameters"):
        parameters_to_vector([])


def test_a_model_in_place_of_its_parameters() -> None:
    with pytest.raises(TypeError, match=r"such as model\.parameters\(\), not Linear"):
        clip_grad_norm_(tg.nn.Linear(2, 2), 1.0)  # type: ignore[arg-type]
