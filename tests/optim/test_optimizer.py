"""What all optimizers have in common: parameters, groups, the step, the saved state."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad import backend
from tests.strict.counting import count_transfers

Make = Callable[..., tg.optim.Optimizer]

KINDS: dict[str, Make] = {
    "sgd": lambda params: tg.optim.SGD(params, lr=0.1),
    "momentum": lambda params: tg.optim.SGD(params, lr=0.1, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda params: tg.optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda params: tg.optim.Adam(params, lr=0.1, weight_decay=0.01, amsgrad=True),
    "adamw": lambda params: tg.optim.AdamW(params, lr=0.1),
    "rmsprop": lambda params: tg.optim.RMSprop(params, centered=True, momentum=0.5),
    "adamax": lambda params: tg.optim.Adamax(params, lr=0.1),
    "nadam": lambda params: tg.optim.NAdam(params, lr=0.1, weight_decay=0.01, decoupled_weight_decay=True),
    "radam": lambda params: tg.optim.RAdam(params, lr=0.1, betas=(0.8, 0.8)),
    "adagrad": lambda params: tg.optim.Adagrad(params, lr=0.1, lr_decay=0.1),
    "adadelta": lambda params: tg.optim.Adadelta(params, rho=0.5),
    "rprop": lambda params: tg.optim.Rprop(params, lr=0.1),
}


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Make:
    """Makes an optimizer of each kind."""
    return KINDS[request.param]


def parameter(values: Any = (1.0, -2.0), dtype: str = "float32", device: str = "cpu") -> tg.Tensor:
    return tg.Tensor(np.array(values, dtype), device=device, requires_grad=True)


def named() -> list[tuple[str, tg.Tensor]]:
    return [("weight", parameter([[1.0, 2.0, 3.0]])), ("bias", parameter(0.5))]


def set_grads(params: Any, step: int) -> None:
    for i, param in enumerate(params):
        values = np.sin(np.arange(param.size) + 3.0 * step + i + 1.0).astype(param.dtype).reshape(param.shape)
        param.grad = tg.Tensor(values, device=param.device)


def walk(optimizer: tg.optim.Optimizer, params: Any, steps: range) -> None:
    for step in steps:
        set_grads(params, step)
        optimizer.step()


def values(params: Any) -> list[np.ndarray]:
    return [param.numpy().copy() for param in params]


def assert_same(one: list[np.ndarray], other: list[np.ndarray]) -> None:
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


# -- what may be given ----------------------------------------------------------------------------------------


def test_takes_lists_generators_names_and_groups() -> None:
    for given_ in (
        [parameter()],
        (parameter() for _ in range(2)),
        named(),
        iter(named()),
        [{"params": [parameter()]}, {"params": parameter(), "lr": 1.0}],
        [{"params": iter(named()[:1])}, {"params": [named()[1]], "lr": 1.0}, {"params": []}],
    ):
        optimizer = tg.optim.SGD(given_, lr=0.5)
        assert [group["lr"] for group in optimizer.param_groups] in ([0.5], [0.5, 1.0], [0.5, 1.0, 0.5])


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        ([], ValueError, "no parameters"),
        (iter(()), ValueError, "plain list are not found: use nn.ModuleList.*used up"),
        ([{"params": []}], ValueError, "no parameters"),
        (parameter(), TypeError, r"\[tensor\]"),
        ({"w": parameter()}, TypeError, "got dict"),
        ({parameter()}, TypeError, "got set"),
        (3, TypeError, "got int"),
        ([1.0], TypeError, "parameter 0 is float"),
        ([np.zeros(3)], TypeError, "parameter 0 is ndarray"),
        ([{"params": [parameter()]}, parameter()], TypeError, "not both"),
        ([{"lr": 0.1}], TypeError, "dict with 'params'"),
        ([("a", parameter()), parameter()], ValueError, "names or none"),
        ([{"params": [("a", parameter())]}, {"params": [parameter()]}], ValueError, "names or none"),
        ([("a", parameter()), ("a", parameter())], ValueError, "name 'a'"),
        ([tg.Tensor([1.0])], ValueError, "requires_grad=True"),
        ([("w", tg.Tensor([1.0]))], ValueError, "parameter 'w', of shape"),
    ],
)
def test_refuses(bad: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        tg.optim.SGD(bad)


def test_refuses_the_same_parameter_twice() -> None:
    p = parameter()
    with pytest.raises(ValueError, match="parameter '1' is in the optimizer already, as '0'"):
        tg.optim.Adam([p, p])
    with pytest.raises(ValueError, match="'b' is in the optimizer already, as 'a'"):
        tg.optim.Adam([{"params": [("a", p)]}, {"params": [("b", p)]}])


def test_refuses_what_was_computed() -> None:
    with pytest.raises(ValueError, match=r"'w', of shape \(2,\), was computed from others"):
        tg.optim.SGD([("w", parameter() * 2)])


def test_a_frozen_parameter_of_a_model_is_taken_and_left_alone() -> None:
    class Parameter(tg.Tensor):
        __slots__ = ()

    frozen, free = Parameter([1.0]), parameter()
    optimizer = tg.optim.Adam([frozen, free])
    set_grads([free], 0)
    optimizer.step()
    assert frozen.item() == 1.0
    assert "0" not in optimizer.state_dict()["state"]


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("SGD", {"lr": -1.0}, "lr must be 0 or greater, got -1.0"),
        ("SGD", {"lr": float("nan")}, "lr must be"),
        ("SGD", {"momentum": -0.1}, "momentum"),
        ("SGD", {"weight_decay": -1}, "weight_decay"),
        ("SGD", {"nesterov": True}, "needs a momentum"),
        ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "no dampening"),
        ("Adam", {"eps": -1e-8}, "eps"),
        ("Adam", {"betas": (0.9, 1.0)}, "betas"),
        ("Adam", {"betas": (-0.1, 0.9)}, "betas"),
        ("Adam", {"betas": 0.9}, "betas"),
        ("AdamW", {"weight_decay": -1.0}, "weight_decay"),
        ("RMSprop", {"alpha": -1.0}, "alpha"),
        ("RMSprop", {"momentum": -1.0}, "momentum"),
        ("Adamax", {"betas": (0.9, 1.0)}, "betas"),
        ("NAdam", {"momentum_decay": -1.0}, "momentum_decay"),
        ("NAdam", {"betas": (1.0, 0.9)}, "betas"),
        ("RAdam", {"betas": (0.9,)}, "betas"),
        ("Adagrad", {"initial_accumulator_value": -1.0}, "initial_accumulator_value"),
        ("Adagrad", {"lr_decay": -1.0}, "lr_decay"),
        ("Adadelta", {"rho": 1.5}, "rho is in"),
        ("Rprop", {"etas": (1.2, 0.5)}, "etas"),
        ("Rprop", {"step_sizes": (1.0, 0.5)}, "step_sizes"),
    ],
)
def test_options_out_of_range(kind: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        getattr(tg.optim, kind)([parameter()], **options)
    with pytest.raises(ValueError, match=words):
        getattr(tg.optim, kind)([{"params": [parameter()], **options}])


def test_options_of_the_wrong_type() -> None:
    with pytest.raises(TypeError, match=r"lr is a number, got '0\.1'"):
        tg.optim.SGD([parameter()], lr="0.1")  # type: ignore[arg-type]
    for option in ("foreach", "fused", "capturable"):
        with pytest.raises(TypeError, match=option):
            tg.optim.Adam([parameter()], **{option: True})


def test_a_group_that_is_refused_is_not_added() -> None:
    p = parameter()
    optimizer = tg.optim.SGD([("a", p)])
    for bad in ({"params": [("b", p)]}, {"params": [("b", parameter())], "lr": -1}, {"params": parameter()}):
        with pytest.raises(ValueError):
            optimizer.add_param_group(bad)
        assert len(optimizer.param_groups) == 1
        assert optimizer.state_dict()["param_groups"][0]["params"] == ["a"]
    optimizer.add_param_group({"params": [("b", parameter())], "momentum": 0.5})
    assert [group["momentum"] for group in optimizer.param_groups] == [0.0, 0.5]


# -- the step -------------------------------------------------------------------------------------------------


def test_options_that_are_unknown() -> None:
    w = tg.tensor([1.0], requires_grad=True)
    with pytest.raises(ValueError, match=r"SGD has no option 'lrr'; it has: lr, momentum, .*maximize"):
        tg.optim.SGD([{"params": [w], "lrr": 1.0}])
    optimizer = tg.optim.SGD([{"params": [w], "lr": 1.0, "initial_lr": 2.0, "name": "decoder"}])
    assert optimizer.param_groups[0]["initial_lr"] == 2.0
    assert tg.optim.lr_scheduler.StepLR(optimizer, 1).base_lrs == [2.0]
    again = tg.optim.SGD([{"params": group["params"], **group} for group in optimizer.param_groups])
    assert again.param_groups == optimizer.param_groups


@pytest.mark.parametrize("schedule", ["OneCycleLR", "StepLR", "ReduceLROnPlateau"])
def test_groups_that_a_schedule_wrote_into_are_taken_again(schedule: str) -> None:
    optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=0.1, momentum=0.9)
    arguments = {"OneCycleLR": (1.0, 10), "StepLR": (1,), "ReduceLROnPlateau": ()}[schedule]
    getattr(tg.optim.lr_scheduler, schedule)(optimizer, *arguments)
    assert tg.optim.SGD(optimizer.param_groups).param_groups == optimizer.param_groups


def test_state_before_the_first_step_is_empty() -> None:
    w = tg.tensor([1.0], requires_grad=True)
    optimizer = tg.optim.SGD([w], momentum=0.9)
    assert optimizer.state[w] == {}
    assert optimizer.state_dict()["state"] == {}
    optimizer.load_state_dict(optimizer.state_dict())
    assert optimizer.state[w] == {}


def test_groups_have_options_of_their_own() -> None:
    a, b = parameter([1.0]), parameter([1.0])
    optimizer = tg.optim.SGD([{"params": [a]}, {"params": [b], "lr": 0.01}], lr=0.1)
    a.grad = b.grad = tg.Tensor([1.0])
    optimizer.step()
    assert (round(a.item(), 6), round(b.item(), 6)) == (0.9, 0.99)
    optimizer.param_groups[0]["lr"] = 0.0
    optimizer.step()
    assert (round(a.item(), 6), round(b.item(), 6)) == (0.9, 0.98)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    "lr", [np.float64(0.125), np.float32(0.125), tg.Tensor(0.125), parameter([0.125], device="strict").data, 1]
)
def test_dtype_is_kept_whatever_the_learning_rate_is(make: Make, dtype: str, lr: Any) -> None:
    params = [parameter([[1.0, 2.0]], dtype), parameter(3.0, dtype), parameter(np.zeros((0, 2)), dtype)]
    arrays = [param.data for param in params]
    decay = {} if make is KINDS["rprop"] else {"weight_decay": np.float64(0.1)}
    optimizer = make([{"params": params, "lr": lr, **decay}])
    walk(optimizer, params, range(2))
    optimizer.param_groups[0]["lr"] = lr
    walk(optimizer, params, range(2))
    for param, array in zip(params, arrays, strict=True):
        assert param.data is array
        assert array.dtype == dtype
        for value in optimizer.state[param].values():
            assert isinstance(value, (int, float)) or (value.dtype == dtype and value.shape == array.shape)
    saved = optimizer.state_dict()["param_groups"][0]
    assert not any(isinstance(value, (np.generic, np.ndarray, tg.Tensor)) for value in saved.values())


def test_no_transfer_in_a_step(make: Make) -> None:
    params = [parameter([[1.0, 2.0]], device="strict"), parameter(3.0, device="strict")]
    optimizer = make(params)
    for step in range(3):
        set_grads(params, step)
        with count_transfers() as count:
            optimizer.step()
        assert count.to_host == {}
        assert count.from_host == {}


def test_gradients_are_neither_changed_nor_kept(make: Make) -> None:
    params = [param for _, param in named()]
    optimizer = make(params)
    for step in range(3):
        set_grads(params, step)
        grads = [param.grad for param in params]
        before = values(grads)
        optimizer.step()
        assert_same(values(grads), before)
        assert all(param.grad is grad for param, grad in zip(params, grads, strict=True))
        for param, grad in zip(params, grads, strict=True):
            for value in optimizer.state[param].values():
                assert isinstance(value, (int, float)) or not np.shares_memory(value, grad.numpy())
            assert not np.shares_memory(param.numpy(), grad.numpy())


def test_one_gradient_for_two_parameters(make: Make) -> None:
    a, b, alone = parameter(), parameter(), parameter()
    both, single = make([a, b]), make([alone])
    for _ in range(3):
        a.grad = b.grad = alone.grad = tg.Tensor(np.array([0.3, -0.2], "float32"))
        both.step()
        single.step()
    assert_same(values([a, b]), values([alone, alone]))


def test_gradients_in_any_memory_order(make: Make) -> None:
    one, other = parameter(np.ones((3, 4))), parameter(np.asfortranarray(np.ones((3, 4))))
    first, second = make([one]), make([other])
    for step in range(3):
        grad = np.cos(np.arange(12.0) + step).astype("float32").reshape(3, 4)
        one.grad, other.grad = tg.Tensor(grad), tg.Tensor(grad.T.copy().T)
        first.step()
        second.step()
    assert_same(values([one]), values([other]))


def test_parameters_without_gradient_are_left_alone(make: Make) -> None:
    a, b = parameter(), parameter()
    optimizer = make([a, b])
    for step in range(2):
        set_grads([a], step)
        optimizer.step()
    assert b.tolist() == [1.0, -2.0]
    assert list(optimizer.state) == [a]


def test_zero_grad() -> None:
    a, b = parameter(), parameter()
    optimizer = tg.optim.SGD([a, b])
    set_grads([a], 0)
    held = a.grad
    assert held is not None
    before = held.tolist()
    optimizer.zero_grad(set_to_none=False)
    assert a.grad is not None
    assert a.grad.tolist() == [0.0, 0.0]
    assert (b.grad, held.tolist()) == (None, before)
    optimizer.zero_grad()
    assert a.grad is None


def test_closure() -> None:
    p = parameter([3.0])
    optimizer = tg.optim.SGD([p], lr=0.5)

    def closure() -> tg.Tensor:
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with tg.no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert p.item() == 0.0
    assert optimizer.step() is None


def test_a_graph_that_kept_the_old_values_says_who_changed_them(make: Make) -> None:
    p = parameter()
    optimizer = make([p])
    loss = (p * p).sum()
    loss.backward(retain_graph=True)
    optimizer.step()
    with pytest.raises(tg.GradientError, match=rf"'{type(optimizer).__name__}.step' at .*test_optimizer"):
        loss.backward()


def test_bad_gradients_change_nothing(make: Make) -> None:
    a, b = parameter(), parameter()
    optimizer = make([("a", a), ("b", b)])
    set_grads([a, b], 0)
    b.data = np.zeros(3, "float32")
    for words in (r"'b' is of shape \(3,\), float32 on 'cpu', but its gradient is of shape \(2,\)", "zero_grad"):
        with pytest.raises(ValueError, match=words):
            optimizer.step()
    assert (a.tolist(), optimizer.state_dict()["state"]) == ([1.0, -2.0], {})
    b.data = np.broadcast_to(np.float32(1.0), (2,))
    with pytest.raises(ValueError, match=r"'b', of shape.* is read-only"):
        optimizer.step()
    assert a.tolist() == [1.0, -2.0]


def test_a_parameter_of_a_new_shape_needs_a_new_optimizer() -> None:
    p = parameter()
    optimizer = tg.optim.Adam([p])
    walk(optimizer, [p], range(1))
    p.data = np.ones((2, 2), "float32")
    set_grads([p], 1)
    with pytest.raises(ValueError, match=r"shape \(2, 2\), but 'exp_avg' of the steps before has shape \(2,\)"):
        optimizer.step()


def test_state_follows_the_parameter(make: Make) -> None:
    moved, stayed = parameter(), parameter()
    first, second = make([moved]), make([stayed])
    walk(first, [moved], range(3))
    walk(second, [stayed], range(3))
    moved.data = backend.transfer(moved.data, "strict")
    moved.grad = None
    walk(first, [moved], range(3, 6))
    walk(second, [stayed], range(3, 6))
    assert moved.device == "strict"
    np.testing.assert_allclose(moved.numpy(), stayed.numpy(), rtol=1e-6)
    moved.data = moved.numpy().astype("float64")
    walk(first, [moved], range(6, 7))
    assert all(isinstance(value, (int, float)) or value.dtype == "float64" for value in first.state[moved].values())


# -- saving ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_names", [True, False])
def test_going_on_from_a_checkpoint_is_exact(make: Make, device: str, with_names: bool) -> None:
    def fresh() -> tuple[list[tg.Tensor], tg.optim.Optimizer]:
        pairs = [(name, tg.Tensor(p.data, device=device, requires_grad=True)) for name, p in named()]
        return [p for _, p in pairs], make(pairs if with_names else [p for _, p in pairs])

    straight, optimizer = fresh()
    walk(optimizer, straight, range(12))

    first, optimizer = fresh()
    walk(optimizer, first, range(7))
    file = io.BytesIO()
    tg.save({"params": first, "optimizer": optimizer.state_dict()}, file)
    walk(optimizer, first, range(7, 12))

    second, other = fresh()
    walk(other, second, range(2))
    loaded = tg.load(file)
    for param, value in zip(second, loaded["params"], strict=True):
        param.data = value.to(device)
    other.load_state_dict(loaded["optimizer"])
    walk(other, second, range(7, 12))
    assert_same(values(straight), values(first))
    assert_same(values(straight), values(second))


def test_saved_form() -> None:
    pairs = named()
    optimizer = tg.optim.Adam([{"params": pairs[:1]}, {"params": pairs[1:], "lr": 0.5}], lr=0.1)
    walk(optimizer, [pairs[1][1]], range(2))
    saved = optimizer.state_dict()
    assert [group["params"] for group in saved["param_groups"]] == [["weight"], ["bias"]]
    assert [group["lr"] for group in saved["param_groups"]] == [0.1, 0.5]
    assert list(saved["state"]) == ["bias"]
    assert saved["state"]["bias"]["step"] == 2
    assert set(saved["state"]["bias"]) == {"step", "exp_avg", "exp_avg_sq"}


def test_positions_where_names_are_not_known_and_names_given_later() -> None:
    pairs = named()
    optimizer = tg.optim.SGD([{"params": [p]} for _, p in pairs], momentum=0.9)
    walk(optimizer, [p for _, p in pairs], range(1))
    assert list(optimizer.state_dict()["state"]) == ["0", "1"]
    with pytest.raises(ValueError, match=r"\['1'\]"):
        optimizer.name_parameters(pairs[:1])
    optimizer.name_parameters([("other", parameter()), *reversed(pairs)])
    assert list(optimizer.state_dict()["state"]) == ["weight", "bias"]
    assert optimizer.state_dict()["param_groups"][1]["params"] == ["bias"]


def test_the_saved_state_is_a_copy_both_ways(make: Make) -> None:
    pairs = named()
    params = [p for _, p in pairs]
    optimizer = make(pairs)
    walk(optimizer, params, range(3))
    saved = optimizer.state_dict()
    kept = copy.deepcopy(saved)
    walk(optimizer, params, range(3))
    optimizer.load_state_dict(saved)
    walk(optimizer, params, range(3))
    optimizer.param_groups[0]["lr"] = 7.0
    np.testing.assert_equal(saved, kept)


def test_what_does_not_fit_is_listed_and_nothing_loaded() -> None:
    pairs = named()
    params = [p for _, p in pairs]
    optimizer = tg.optim.Adam(pairs)
    walk(optimizer, params, range(1))
    good = optimizer.state_dict()

    def broken(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        bad = copy.deepcopy(good)
        change(bad)
        bad["param_groups"][0]["lr"] = 5.0
        return bad

    renamed = copy.deepcopy(good)
    renamed["param_groups"][0]["params"] = ["weight", "offset"]
    renamed["state"]["offset"] = renamed["state"].pop("bias")
    cases: list[tuple[Any, list[str]]] = [
        (renamed, ["missing parameters ['bias']", "unexpected parameters ['offset']", "unexpected state of 'offset'"]),
        (broken(lambda bad: bad["state"]["weight"].update(exp_avg=np.zeros(5))), ["'weight'", "(5,)", "(1, 3)"]),
        (broken(lambda bad: bad["state"]["bias"].update(exp_avg=None)), ["'bias'", "NoneType"]),
        (broken(lambda bad: bad["param_groups"].append({})), ["2 parameter groups", "has 1"]),
        (broken(lambda bad: bad["param_groups"][0].pop("betas")), ["missing options", "betas"]),
        (broken(lambda bad: bad["param_groups"][0].update(eps=-1.0)), ["eps"]),
        (tg.optim.SGD(pairs).state_dict(), ["missing options (is it another optimizer's?)", "betas"]),
        (tg.optim.Adam(params).state_dict(), ["one of the two has names"]),
        ({"state": {}}, ["'param_groups'"]),
        (None, ["as of state_dict()"]),
    ]
    for bad, words in cases:
        with pytest.raises(ValueError) as caught:
            optimizer.load_state_dict(bad)
        assert all(word in str(caught.value) for word in words), str(caught.value)
        np.testing.assert_equal(optimizer.state_dict(), good)


def test_the_order_of_the_file_does_not_matter() -> None:
    pairs = named()
    optimizer = tg.optim.SGD(pairs, momentum=0.9)
    walk(optimizer, [p for _, p in pairs], range(2))
    saved = optimizer.state_dict()
    saved["param_groups"][0]["params"].reverse()
    saved["state"] = dict(reversed(saved["state"].items()))
    other = tg.optim.SGD(pairs, momentum=0.9)
    other.load_state_dict(saved)
    assert list(other.state_dict()["state"]) == ["weight", "bias"]
    np.testing.assert_equal(other.state_dict(), optimizer.state_dict())


def test_a_copy_of_model_and_optimizer_goes_on_alike(make: Make) -> None:
    params = [p for _, p in named()]
    optimizer = make(params)
    walk(optimizer, params, range(2))
    twins = [copy.deepcopy((params, optimizer)), pickle.loads(pickle.dumps((params, optimizer)))]
    walk(optimizer, params, range(2, 5))
    for twin_params, twin in twins:
        walk(twin, twin_params, range(2, 5))
        assert_same(values(params), values(twin_params))


@given(st.integers(1, 6), st.integers(0, 5))
def test_named_state_goes_to_its_names_in_any_order(count: int, seed: int) -> None:
    pairs = [(f"layer{i}.weight", parameter(np.full(i + 1, float(i)))) for i in range(count)]
    optimizer = tg.optim.RMSprop(pairs)
    walk(optimizer, [p for _, p in pairs], range(2))
    shuffled = [pairs[i] for i in np.random.default_rng(seed).permutation(count)]
    other = tg.optim.RMSprop(shuffled)
    other.load_state_dict(optimizer.state_dict())
    for name, param in pairs:
        np.testing.assert_array_equal(other.state[param]["square_avg"], optimizer.state[param]["square_avg"], name)


def test_repr() -> None:
    text = repr(tg.optim.SGD([{"params": named()}, {"params": [("x", parameter())], "lr": 0.5}], momentum=0.9))
    assert text.splitlines()[0] == "SGD("
    assert "(group 0): 2 parameters, 4 values, lr=0.001, momentum=0.9" in text
    assert "(group 1): 1 parameters, 2 values, lr=0.5" in text


def test_rmsprop_centered_with_the_same_gradient_again_and_again_stays_finite() -> None:
    p = parameter(np.zeros(1000))
    grad = np.linspace(0.1, 10.0, 1000, dtype="float32")
    optimizer = tg.optim.RMSprop([p], lr=1e-6, alpha=0.9, centered=True)
    for _ in range(300):
        p.grad = tg.Tensor(grad)
        optimizer.step()
    # Rounding makes some of the variances negative, and their roots NaN.
    state = optimizer.state[p]
    assert (state["square_avg"] < state["grad_avg"] ** 2).any()
    assert np.isfinite(p.numpy()).all()


def test_adamw_stays_what_it_is_with_the_state_of_an_adam() -> None:
    a, b = parameter(), parameter()
    adam, adamw = tg.optim.Adam([a], lr=0.1, weight_decay=0.5), tg.optim.AdamW([b], lr=0.1, weight_decay=0.5)
    adamw.load_state_dict(adam.state_dict())
    for tensor in (a, b):
        tensor.grad = tg.ones(tensor.shape)
    adam.step()
    adamw.step()
    assert a.tolist() != b.tolist()


def test_state_that_is_no_state() -> None:
    optimizer = tg.optim.Adam([parameter()])
    state = optimizer.state_dict()
    state["state"] = {"0": 3}
    with pytest.raises(ValueError, match="'0': expected a dict, got int"):
        optimizer.load_state_dict(state)


def test_state_that_lacks_something_is_refused_before_the_step() -> None:
    p = parameter()
    optimizer = tg.optim.Adam([p])
    p.grad = tg.ones(p.shape)
    optimizer.step()
    state = optimizer.state_dict()
    del state["state"]["0"]["exp_avg"]
    with pytest.raises(ValueError, match=r"'0': missing \['exp_avg'\]"):
        optimizer.load_state_dict(state)
