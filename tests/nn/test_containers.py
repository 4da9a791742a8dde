"""Containers: Sequential, ModuleList, ModuleDict."""

from __future__ import annotations

from collections import OrderedDict

import pytest

import tensorgrad as tg
from tensorgrad import nn


def names(module: nn.Module) -> list[str]:
    return [name for name, _ in module.named_children()]


def test_modules_in_a_row() -> None:
    double, add = nn.Lambda(lambda x: x * 2), nn.Lambda(lambda x: x + 1)
    model = nn.Sequential(double, add)
    assert model(3) == 7
    assert list(model) == [double, add]
    assert len(model) == 2
    assert model[0] is double
    assert model[-1] is add
    assert nn.Sequential()(3) == 3
    assert model.append(nn.Lambda(lambda x: -x))(3) == -7
    assert names(model) == ["0", "1", "2"]


@pytest.mark.parametrize("kind", [dict, OrderedDict])
def test_modules_with_names(kind: type) -> None:
    model = nn.Sequential(kind([("conv", nn.Conv1d(1, 1, 1)), ("act", nn.ReLU())]))
    assert names(model) == ["conv", "act"]
    assert model[1] is model.act
    assert list(model.state_dict()) == ["conv.weight", "conv.bias"]
    assert names(model[1:]) == ["act"]
    assert names(model.insert(0, nn.Identity())) == ["0", "conv", "act"]


def test_parts_of_a_row_share_its_modules() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    head = model[1:]
    assert isinstance(head, nn.Sequential)
    assert names(head) == ["0", "1"]
    assert head[1] is model[2]
    assert len(model[:0]) == 0
    head.append(nn.Tanh())
    assert len(model) == 3


@pytest.mark.parametrize("kind", [nn.Sequential, lambda *modules: nn.ModuleList(modules)])
def test_changes_of_a_row(kind) -> None:
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Sigmoid()
    row = kind(a, b)
    row[0] = c
    assert list(row) == [c, b]
    del row[0]
    assert list(row) == [b]
    assert names(row) == ["0"]
    row.extend([a, c]).insert(1, c)
    assert list(row) == [b, c, a, c]
    assert row.pop() is c
    assert row.pop(0) is b
    del row[:1]
    assert list(row) == [a]
    with pytest.raises(IndexError, match=r"index 1 is out of range: .* has 1 modules"):
        row[1]
    with pytest.raises(TypeError, match="must be a Module or None, not int"):
        row.append(3)


@pytest.mark.parametrize(
    ("modules", "words"),
    [
        (([nn.Linear(2, 2), nn.ReLU()],), r"write Sequential\(\*modules\)"),
        ((nn.Linear(2, 2), nn.functional.relu), r"relu is none: write nn\.Lambda\(relu\)"),
        ((nn.Linear(2, 2), nn.ReLU), r"ReLU is none: write ReLU\(\)"),
        ((3,), "must be a Module or None, not int"),
    ],
)
def test_what_sequential_does_not_take(modules: tuple, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        nn.Sequential(*modules)


def test_a_subclass_of_sequential_can_be_cut() -> None:
    class Net(nn.Sequential):
        def __init__(self, width: int) -> None:
            super().__init__(nn.Linear(2, width), nn.ReLU())

    assert type(Net(3)[:1]) is nn.Sequential


def test_a_list_from_a_generator() -> None:
    layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    assert len(layers) == 3
    assert len(list(layers.parameters())) == 6
    assert names(layers[1:]) == ["0", "1"]
    assert list(reversed(list(layers))) == [layers[2], layers[1], layers[0]]


def test_modules_by_name() -> None:
    heads = nn.ModuleDict({"a": nn.Linear(2, 1), "b": nn.ReLU()})
    assert heads["a"] is heads.a
    assert "a" in heads
    assert "c" not in heads
    assert list(heads) == list(heads.keys()) == ["a", "b"]
    assert list(heads.values()) == [heads.a, heads.b]
    assert heads.items()[0] == ("a", heads.a)
    assert len(heads) == 2
    heads.update([("c", nn.Tanh())])
    heads["a"] = nn.Tanh()
    assert list(heads) == ["a", "b", "c"]
    tanh = heads["a"]
    assert heads.pop("a") is tanh
    del heads["b"]
    assert list(heads) == ["c"]
    with pytest.raises(KeyError, match="no module 'x'; there are: c"):
        heads["x"]
    with pytest.raises(KeyError):
        del heads["training"]


@pytest.mark.parametrize("name", ["keys", "training", "forward", "a.b", ""])
def test_names_that_are_taken(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        nn.ModuleDict()[name] = nn.ReLU()


def test_containers_inside_containers() -> None:
    model = nn.Sequential(nn.ModuleList([nn.Linear(1, 1)]), nn.ModuleDict({"x": nn.Linear(1, 1)}))
    assert list(model.state_dict()) == ["0.0.weight", "0.0.bias", "1.x.weight", "1.x.bias"]
    assert model.to("float64")[1]["x"].bias.dtype == tg.float64


def test_parameters_in_a_list() -> None:
    own = nn.Parameter(tg.ones(2))
    row = nn.ParameterList([own, tg.zeros((2, 2)), [1.0]])
    assert row[0] is own
    assert [type(parameter) for parameter in row] == [nn.Parameter] * 3
    assert list(row.state_dict()) == ["0", "1", "2"]
    assert repr(row[1:]) == (
        "ParameterList(\n  (0): Parameter of shape (2, 2), float32\n  (1): Parameter of shape (1,), float32\n)"
    )
    row += [tg.ones(3)]
    row[1] = tg.ones(4)
    assert [parameter.shape for parameter in row] == [(2,), (4,), (1,), (3,)]
    assert row.pop(0) is own
    assert [name for name, _ in row.named_parameters()] == ["0", "1", "2"]
    assert nn.Sequential(row).to("float64")[0][-1].dtype == "float64"
    assert row.insert(0, own)[0] is own
    assert len(nn.ParameterList()) == 0
    assert repr(nn.ParameterList()) == "ParameterList()"
    with pytest.raises(IndexError, match="index 7 is out of range: this ParameterList has 4 parameters"):
        row[7]
    with pytest.raises(TypeError, match=r"extend\(\) takes a list of members, not one Tensor"):
        row.extend(tg.ones(2))
    with pytest.raises(tg.GradientError, match="int64"):
        row.append([1, 2])
    assert len(row) == 4


def test_parameters_by_name() -> None:
    own = nn.Parameter(tg.ones(2))
    named = nn.ParameterDict({"a": own, "b": tg.zeros(3)})
    assert named["a"] is named.a is named.get("a") is own
    assert named.get("c") is None
    assert list(named.state_dict()) == list(named) == named.keys() == ["a", "b"]
    assert list(reversed(named)) == ["b", "a"]
    assert named.setdefault("a", tg.zeros(9)) is own
    assert named.setdefault("c", tg.ones(1)) is named["c"]
    assert named.popitem()[0] == "c"
    assert named.pop("c", 5) == 5
    both = {"z": tg.ones(1)} | named | {"y": tg.ones(1)}
    assert list(both) == ["z", "a", "b", "y"]
    assert both["a"] is own
    named |= {"b": own}
    assert named["b"] is own
    copy = named.copy()
    del copy["a"]
    assert "a" in named
    named.clear()
    assert len(named) == 0
    filled = nn.ParameterDict.fromkeys(["a", "b"], 2.0)
    assert filled["a"].tolist() == 2
    assert filled["a"].data is not filled["b"].data
    with pytest.raises(KeyError, match="no parameter 'x'; there are: a, b"):
        filled["x"]
    with pytest.raises(KeyError, match="empty"):
        named.popitem()
    with pytest.raises(ValueError, match="has an attribute 'training' already"):
        filled["training"] = own
