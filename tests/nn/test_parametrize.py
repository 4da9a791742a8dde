"""Parameters that are computed from others: weight and spectral normalisation, and parametrisations of one's own."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn.utils import parametrize
from tensorgrad.nn.utils.parametrizations import spectral_norm, weight_norm
from tensorgrad.testing import assert_gradients


class Symmetric(nn.Module):
    def forward(self, x: Any) -> Any:
        return (x + x.T) / 2

    def right_inverse(self, x: Any) -> Any:
        return x


class Exponential(nn.Module):
    def forward(self, x: Any) -> Any:
        return tg.exp(x)

    def right_inverse(self, x: Any) -> Any:
        return tg.log(x)


class Doubled(nn.Module):
    def forward(self, x: Any) -> Any:
        return 2 * x


def numbers(*shape: int, **options: Any) -> tg.Tensor:
    return tg.tensor(np.sin(np.arange(np.prod(shape)) ** 1.5).reshape(shape) + 0.1, dtype="float64", **options)


def layer(kind: Any = nn.Linear, *arguments: Any) -> Any:
    return kind(*arguments or (4, 3)).double()


# -- weight normalisation --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [0, 1, -2, -1, None])
def test_weight_norm_is_a_length_and_a_direction(dim: int | None) -> None:
    linear = layer()
    weight = linear.weight.numpy().copy()
    assert weight_norm(linear, dim=dim) is linear
    assert list(linear.state_dict()) == [
        "bias",
        "parametrizations.weight.original0",
        "parametrizations.weight.original1",
    ]
    np.testing.assert_allclose(linear.weight.detach().numpy(), weight, rtol=1e-14)
    g, v = (numbers(*p.shape) for p in linear.parametrizations.weight.originals())
    # -1 is all axes, as in PyTorch.
    axes = None if dim in (None, -1) else 1 - dim % 2
    assert g.shape == (() if axes is None else (1, 4) if axes == 0 else (3, 1))
    with tg.no_grad():
        linear.parametrizations.weight.original0.copy_(g)
        linear.parametrizations.weight.original1.copy_(v)
    length = np.sqrt((v.numpy() ** 2).sum(axis=axes, keepdims=axes is not None))
    np.testing.assert_allclose(linear.weight.detach().numpy(), g.numpy() * v.numpy() / length, rtol=1e-14)

    def output(g: Any, v: Any, x: Any) -> Any:
        return x @ linear.parametrizations.weight[0](g, v).T

    assert_gradients(output, g, v, numbers(2, 4))


def test_weight_norm_of_convolutions_and_of_a_bias() -> None:
    conv = weight_norm(layer(nn.ConvTranspose2d, 4, 6, 2), dim=1)
    assert conv.parametrizations.weight.original0.shape == (1, 6, 1, 1)
    assert conv(numbers(1, 4, 3, 3)).shape == (1, 6, 4, 4)
    assert weight_norm(layer(), "bias").parametrizations.bias.original0.shape == (3,)


# -- spectral normalisation ------------------------------------------------------------------------------------


def iterated(matrix: np.ndarray, u: np.ndarray, v: np.ndarray, times: int) -> tuple[np.ndarray, np.ndarray]:
    for _ in range(times):
        u = matrix @ v / np.linalg.norm(matrix @ v)
        v = matrix.T @ u / np.linalg.norm(matrix.T @ u)
    return u, v


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(
    ("kind", "arguments", "dim"),
    [(nn.Linear, (4, 3), 0), (nn.Conv2d, (4, 6, 2), 0), (nn.ConvTranspose2d, (4, 6, 2), 1)],
)
def test_spectral_norm_goes_on_with_power_iteration_in_training(kind, arguments, dim: int, times: int) -> None:
    module = layer(kind, *arguments)
    weight = numbers(*module.weight.shape).numpy()
    module.weight = nn.Parameter(weight)
    spectral_norm(module, n_power_iterations=times)
    state = module.state_dict()
    paths = ("weight.original", "weight.0._u", "weight.0._v")
    assert [name for name in state if name != "bias"] == ["parametrizations." + path for path in paths]
    matrix = np.moveaxis(weight, dim, 0).reshape(weight.shape[dim], -1)
    u, v = (state["parametrizations.weight.0." + name].numpy().copy() for name in ("_u", "_v"))
    assert u.shape == (len(matrix),)
    for _ in range(3):
        u, v = iterated(matrix, u, v, times)
        np.testing.assert_allclose(module.weight.detach().numpy(), weight / (u @ matrix @ v), rtol=1e-12)
    module.eval()
    for _ in range(2):
        np.testing.assert_allclose(module.weight.detach().numpy(), weight / (u @ matrix @ v), rtol=1e-12)
    np.testing.assert_allclose(state["parametrizations.weight.0._u"].numpy(), u, rtol=1e-12)


def test_the_gradient_of_spectral_norm_holds_the_vectors() -> None:
    module = spectral_norm(layer()).eval()
    part = module.parametrizations.weight[0]
    assert_gradients(part, numbers(3, 4))
    module.train()
    first, second = module(numbers(2, 4)).sum(), module(numbers(2, 4)).sum()
    # The second forward has changed u and v.
    (first + second).backward()
    assert module.parametrizations.weight.original.grad.shape == (3, 4)


def test_spectral_norm_of_a_vector_is_a_division_by_its_norm() -> None:
    module = spectral_norm(layer(), "bias")
    assert list(module.state_dict()) == ["weight", "parametrizations.bias.original"]
    np.testing.assert_allclose(np.linalg.norm(module.bias.detach().numpy()), 1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: weight_norm(m, "kernel"), "Linear has no parameter or buffer 'kernel'; it has: weight, bias"),
        (lambda m: weight_norm(m, dim=2), "'weight' has 2 axes, dim is one of them or None, not 2"),
        (lambda m: spectral_norm(m, "kernel"), "Linear has no parameter 'kernel'"),
        (lambda m: spectral_norm(m, dim=2), "has 2 axes, dim is one of them, not 2"),
        (lambda m: spectral_norm(m, n_power_iterations=0), "n_power_iterations is 1 or more, got 0"),
        (lambda m: parametrize.register_parametrization(m, "weight", nn.Flatten(0)), r"of shape \(12,\).*unsafe=True"),
        (lambda m: parametrize.register_parametrization(m, "forward", Doubled()), "no parameter or buffer 'forward'"),
        (lambda m: parametrize.remove_parametrizations(m, "weight"), "no parametrisation of 'weight'"),
    ],
)
def test_what_is_refused_changes_nothing(call, words: str) -> None:
    module = layer()
    weight = module.weight
    with pytest.raises(ValueError, match=words):
        call(module)
    assert module.weight is weight
    assert list(module.state_dict()) == ["weight", "bias"]
    assert not parametrize.is_parametrized(module)


# -- parametrisations of one's own ------------------------------------------------------------------------------


def test_the_parameter_stays_the_same_object() -> None:
    module = layer(nn.Linear, 3, 3)
    weight = module.weight
    optimizer = tg.optim.SGD(module.named_parameters(), lr=0.1)
    parametrize.register_parametrization(module, "weight", Symmetric())
    assert module.parametrizations.weight.original is weight
    assert isinstance(module, nn.Linear)
    assert repr(module).startswith("Linear(\n  in_features=3")
    module(numbers(2, 3)).sum().backward()
    before = weight.numpy().copy()
    optimizer.step()
    assert (weight.numpy() != before).all()
    parametrize.remove_parametrizations(module, "weight", leave_parametrized=False)
    assert module.weight is weight
    assert list(module.state_dict()) == ["weight", "bias"]
    assert not hasattr(module, "parametrizations")


def test_several_of_one_tensor_and_several_tensors() -> None:
    module = layer(nn.Linear, 3, 3)
    module.weight = nn.Parameter(np.abs(numbers(3, 3).numpy()))
    value = module.weight.numpy().copy()
    parametrize.register_parametrization(module, "weight", Exponential())
    np.testing.assert_allclose(module.weight.detach().numpy(), value, rtol=1e-14)
    parametrize.register_parametrization(module, "weight", Symmetric())
    np.testing.assert_allclose(module.weight.detach().numpy(), (value + value.T) / 2, rtol=1e-14)
    parametrize.register_parametrization(module, "bias", Doubled())
    assert parametrize.is_parametrized(module, "bias")
    wanted = numbers(3, 3).numpy() ** 2
    module.weight = tg.tensor(wanted + wanted.T)
    np.testing.assert_allclose(module.weight.detach().numpy(), wanted + wanted.T, rtol=1e-14)
    np.testing.assert_allclose(module.parametrizations.weight.original.numpy(), np.log(wanted + wanted.T), rtol=1e-14)
    with pytest.raises(ValueError, match=r"Doubled .* no method right_inverse"):
        module.bias = tg.ones(3, dtype="float64")
    with pytest.raises(ValueError, match=r"float64.*float32"):
        module.weight = tg.ones((3, 3))
    with pytest.raises(TypeError, match="set to a Tensor, not to NoneType"):
        module.weight = None
    with pytest.raises(ValueError, match="already"):
        module.register_parameter("weight", None)
    bias = module.bias.detach().numpy()
    parametrize.remove_parametrizations(module, "bias")
    np.testing.assert_array_equal(module.bias.numpy(), bias)
    assert isinstance(module.bias, nn.Parameter)
    assert parametrize.is_parametrized(module)


def test_a_buffer_stays_one() -> None:
    module = nn.BatchNorm1d(3)
    parametrize.register_parametrization(module, "running_mean", Doubled())
    assert "parametrizations.running_mean.original" in dict(module.named_buffers())
    parametrize.remove_parametrizations(module, "running_mean", leave_parametrized=False)
    assert list(module.state_dict()) == list(nn.BatchNorm1d(3).state_dict())


def test_a_name_that_cannot_be_had_changes_nothing() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_parameter("keys", nn.Parameter([1.0]))

    module = Odd()
    with pytest.raises(ValueError, match="'keys'"):
        parametrize.register_parametrization(module, "keys", Doubled())
    assert list(module.state_dict()) == ["keys"]
    module = layer()
    module.parametrizations = "mine"
    with pytest.raises(ValueError, match="already"):
        parametrize.register_parametrization(module, "weight", Doubled())
    assert list(module.state_dict()) == ["weight", "bias"]


def test_a_shape_that_changes_is_allowed_if_asked_for() -> None:
    module = parametrize.register_parametrization(layer(), "weight", nn.Flatten(0), unsafe=True)
    assert module.weight.shape == (12,)


@pytest.mark.parametrize("make", [weight_norm, spectral_norm])
def test_training_copies_and_checkpoints(make, device: str) -> None:
    model = nn.Sequential(make(nn.Linear(4, 3)), nn.ReLU(), make(nn.Linear(3, 1))).to(device)
    x = numbers(8, 4).to("float32", device)
    optimizer = tg.optim.Adam(model.named_parameters(), lr=0.05)

    def loss(model: Any) -> Any:
        return ((model(x) - x.sum(axis=1, keepdims=True)) ** 2).mean()

    start = loss(model).item()
    for _ in range(10):
        optimizer.zero_grad()
        loss(model).backward()
        optimizer.step()
    assert loss(model).item() < start
    model.eval()
    value = loss(model).item()
    twin = copy.deepcopy(model)
    assert loss(twin).item() == value
    twin[0].parametrizations.weight.originals()[0].data[...] = 0.5
    assert loss(model).item() == value
    file = io.BytesIO()
    tg.save(model.state_dict(), file)
    other = nn.Sequential(make(nn.Linear(4, 3)), nn.ReLU(), make(nn.Linear(3, 1))).to(device).eval()
    other.load_state_dict(tg.load(file, device))
    assert loss(other).item() == value
    if device == "cpu":
        assert loss(pickle.loads(pickle.dumps(model))).item() == value
        assert str(nn.summary(model, 4)).count("Linear") == 2
    assert model.to("float64")[0].weight.dtype == "float64"
    frozen = make(nn.Linear(2, 2)).requires_grad_(False)
    assert not frozen.weight.requires_grad


def test_cached_computes_once() -> None:
    module = weight_norm(layer())
    with parametrize.cached():
        weight = module.weight
        with parametrize.cached():
            assert module.weight is weight
        assert module.weight is weight
        module.weight = numbers(3, 4)
        np.testing.assert_allclose(module.weight.detach().numpy(), numbers(3, 4).numpy())
    assert module.weight is not module.weight


def test_an_error_in_a_parametrisation_is_the_callers_to_see() -> None:
    class Wrong(nn.Module):
        def forward(self, x: Any) -> Any:
            return x.no_such_method()

    module = parametrize.register_parametrization(layer(), "weight", Wrong(), unsafe=True)
    with pytest.raises(AttributeError, match="no_such_method"):
        module(numbers(2, 4))
