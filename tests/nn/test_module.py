"""Module: attributes with roles, the tree that they make, and what is done to all of it."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(np.ones(2, "float32"))
        self.layer = nn.Linear(2, 3)
        self.register_buffer("count", tg.zeros(()))
        self.register_buffer("scratch", tg.zeros(1), persistent=False)
        self.last = nn.Parameter(np.zeros(3, "float32"))

    def forward(self, x):
        return self.layer(x * self.weight) + self.last


class Tree(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left = Block()
        self.right = nn.Sequential(nn.ReLU(), Block())

    def forward(self, x):
        return self.left(x) + self.right(x)


PATHS = [
    *("left.weight", "left.last", "left.layer.weight", "left.layer.bias"),
    *("right.1.weight", "right.1.last", "right.1.layer.weight", "right.1.layer.bias"),
]


# -- parameters ------------------------------------------------------------------------------------------------


def test_a_parameter_is_a_tensor_that_shares_its_data() -> None:
    data = np.ones(3, "float32")
    parameter = nn.Parameter(data)
    assert isinstance(parameter, tg.Tensor)
    assert parameter.data is data
    assert parameter.requires_grad
    assert parameter.is_leaf
    assert repr(parameter) == "Parameter([1., 1., 1.], dtype=float32, device='cpu', requires_grad=True)"
    assert type(parameter + 1) is type(parameter.detach()) is tg.Tensor
    assert not nn.Parameter([1, 2], requires_grad=False).requires_grad
    with pytest.raises(tg.GradientError, match="int64"):
        nn.Parameter([1, 2])


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda x: pickle.loads(pickle.dumps(x))])
def test_parameters_are_copied_as_parameters(copied, frozen: bool) -> None:
    parameter = nn.Parameter(tg.tensor([1.0, 2.0]), requires_grad=not frozen)
    again = copied(parameter)
    assert type(again) is nn.Parameter
    assert again.tolist() == [1, 2]
    assert again.requires_grad is not frozen
    assert again is not parameter


# -- attributes ------------------------------------------------------------------------------------------------


def test_everything_is_listed_in_order_of_assignment() -> None:
    tree = Tree()
    assert [name for name, _ in tree.named_parameters()] == PATHS
    assert [name for name, _ in tree.named_buffers()] == [
        "left.count",
        "left.scratch",
        "right.1.count",
        "right.1.scratch",
    ]
    assert [name for name, _ in tree.named_modules()] == [
        "",
        "left",
        "left.layer",
        "right",
        "right.0",
        "right.1",
        "right.1.layer",
    ]
    assert [name for name, _ in tree.named_children()] == ["left", "right"]
    assert list(tree.children()) == [tree.left, tree.right]
    assert next(tree.modules()) is tree
    assert len(list(tree.buffers())) == 4
    assert list(tree.parameters(recurse=False)) == []
    assert [name for name, _ in tree.left.named_parameters("a", recurse=False)] == ["a.weight", "a.last"]


def test_what_is_shared_is_listed_once() -> None:
    tree = Tree()
    tree.again = tree.left
    tree.left.layer.bias = tree.left.last
    assert len(list(tree.parameters())) == len(PATHS) - 1
    assert len(list(tree.modules())) == 7
    assert len(list(tree.children())) == 2
    assert "again.weight" in tree.state_dict()
    assert len(list(tree.named_parameters(remove_duplicate=False))) == len(PATHS) + 4


def test_the_tree_by_paths() -> None:
    tree = Tree()
    assert tree.get_submodule("right.1.layer") is tree.right[1].layer
    assert tree.get_submodule("") is tree
    assert tree.get_parameter("left.weight") is tree.left.weight
    assert tree.get_buffer("left.count") is tree.left.count
    for call, words in (
        (lambda: tree.get_submodule("right.7"), "no module '7' of 'right.7' in Sequential; it has: 0, 1"),
        (lambda: tree.get_parameter("left.wieght"), "no parameter 'left.wieght'; left has: weight, last"),
        (lambda: tree.get_buffer("left.weight"), "no buffer 'left.weight'; left has: count, scratch"),
    ):
        with pytest.raises(AttributeError, match=words):
            call()


def test_super_init_is_not_forgotten() -> None:
    class Forgetful(nn.Module):
        def __init__(self, part) -> None:
            self.part = part

    for part in (nn.ReLU(), nn.Parameter([1.0])):
        with pytest.raises(AttributeError, match=r"Forgetful\.__init__ must call super\(\).__init__\(\) first"):
            Forgetful(part)
    with pytest.raises(AttributeError, match=r"must call super\(\)"):
        Forgetful(3)(1)
    with pytest.raises(AttributeError, match=r"must call super\(\)"):
        Forgetful(3).register_buffer("x", None)


def test_a_misspelt_attribute() -> None:
    with pytest.raises(AttributeError, match="'Block' object has no attribute 'wieght'"):
        Block().wieght  # noqa: B018
    assert not hasattr(Block(), "nothing")


def test_roles_are_kept() -> None:
    block = Block()
    for name, value, words in (
        ("weight", tg.ones(2), "Block.weight is a parameter: it takes a tg.nn.Parameter or None, not Tensor"),
        ("weight", 3, "not int"),
        ("layer", tg.ones(2), "Block.layer is a module: it takes a Module or None, not Tensor"),
        ("count", 3, "Block.count is a buffer: it takes a Tensor or None, not int"),
    ):
        with pytest.raises(TypeError, match=words):
            setattr(block, name, value)
    before = list(block.state_dict())
    block.weight = nn.Parameter(np.zeros(5))
    block.count = tg.ones(7)
    assert list(block.state_dict()) == before
    block.weight = None
    assert "weight" not in block.state_dict()
    with pytest.raises(TypeError, match="is a parameter"):
        block.weight = tg.ones(2)
    block.weight = nn.Parameter(np.ones(2))
    assert list(block.state_dict()) == before


def test_attributes_can_be_deleted_and_change_their_role() -> None:
    block = Block()
    del block.weight, block.layer
    assert [name for name, _ in block.named_parameters()] == ["last"]
    assert list(block.children()) == []
    with pytest.raises(AttributeError):
        block.weight  # noqa: B018
    block.weight = tg.ones(2)
    assert list(block.state_dict()) == ["last", "count"]
    block.count = nn.Parameter(np.ones(1))
    assert [name for name, _ in block.named_parameters()] == ["last", "count"]
    assert [name for name, _ in block.named_buffers()] == ["scratch"]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda m: m.register_parameter("a.b", None), ValueError, "a name without a dot, got 'a.b'"),
        (lambda m: m.register_buffer("", None), ValueError, "got ''"),
        (lambda m: m.register_buffer("forward", None), ValueError, "Block has an attribute 'forward' already"),
        (lambda m: m.register_buffer("x", np.ones(2)), TypeError, "must be a Tensor or None, not ndarray"),
        (lambda m: m.register_parameter("x", tg.ones(2)), TypeError, "must be a Parameter or None, not Tensor"),
        (lambda m: m.add_module("x", 3), TypeError, "must be a Module or None, not int"),
    ],
)
def test_what_cannot_be_registered(call, error, words) -> None:
    with pytest.raises(error, match=words):
        call(Block())


# -- what is done to all of it ---------------------------------------------------------------------------------


def test_training_and_evaluation() -> None:
    tree = Tree()
    assert all(module.training for module in tree.modules())
    assert tree.eval() is tree
    assert not any(module.training for module in tree.modules())
    tree.left.train()
    assert tree.left.layer.training
    assert not tree.training
    with pytest.raises(ValueError, match="train\\(\\) takes True or False, got 1"):
        tree.train(1)


def test_a_module_may_refuse_to_train() -> None:
    class Frozen(nn.BatchNorm1d):
        def train(self, mode: bool = True):
            return super().train(False)

    model = nn.Sequential(nn.Sequential(Frozen(2)))
    assert model.train()[0].training
    assert not model[0][0].training


def test_gradients_are_dropped_or_zeroed() -> None:
    block = Block()
    block(tg.ones((1, 2))).sum().backward()
    held = block.weight.grad
    block.zero_grad(set_to_none=False)
    assert not held.numpy().any()
    assert block.weight.grad is not None
    block.zero_grad()
    assert all(parameter.grad is None for parameter in block.parameters())
    block.zero_grad(set_to_none=False)


def test_freezing_for_transfer() -> None:
    tree = Tree()
    tree.left.requires_grad_(False)
    tree(tg.ones((1, 2))).sum().backward()
    assert all(parameter.grad is None for parameter in tree.left.parameters())
    assert all(parameter.grad is not None for parameter in tree.right.parameters())
    tree.requires_grad_()
    assert all(parameter.requires_grad for parameter in tree.parameters())


def test_apply_reaches_children_first() -> None:
    seen = []
    tree = Tree()
    assert tree.apply(seen.append) is tree
    assert seen[-1] is tree
    assert seen.index(tree.left.layer) < seen.index(tree.left)
    assert len(seen) == 7


def test_dtypes_change_and_parameters_stay() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    parameters = list(model.parameters())
    model(tg.ones((3, 2))).sum().backward()
    assert model.double() is model
    assert list(map(id, model.parameters())) == list(map(id, parameters))
    assert {p.dtype.name for p in parameters} == {p.grad.dtype.name for p in parameters} == {"float64"}
    assert model[1].running_var.dtype == "float64"
    assert model[1].num_batches_tracked.dtype == "int64"
    model.zero_grad()
    loss = model(tg.ones((3, 2), dtype="float64")).sum()
    loss.backward()
    assert parameters[0].grad.dtype == "float64"
    assert model.half()[0].weight.dtype == "float16"
    assert model.float()[0].weight.dtype == "float32"
    assert model.to(tg.zeros(1, dtype="float64"))[0].weight.dtype == "float64"


def test_devices_change_and_parameters_stay() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    shared = model[0].bias = model[1].bias
    model(tg.ones((3, 2))).sum().backward()
    model.to("strict", "float64")
    assert model[0].bias is model[1].bias is shared
    tensors = [*model.parameters(), *model.buffers()]
    assert {tensor.device for tensor in tensors} == {"strict"}
    assert shared.grad.device == "strict"
    assert shared.grad.dtype == "float64"
    out = model(tg.ones((3, 2), device="strict", dtype="float64"))
    out.sum().backward()
    assert out.device == "strict"
    assert model.cpu()[0].weight.device == "cpu"


def test_a_move_that_fails_changes_nothing() -> None:
    model = nn.Linear(2, 2)
    for target, error, words in (
        ("tpu", tg.DeviceError, "tpu"),
        ("int64", TypeError, "a module is brought to a floating point dtype, not to int64"),
    ):
        with pytest.raises(error, match=words):
            model.to(target)
    assert model.weight.dtype == "float32"
    assert model.weight.device == "cpu"


# -- copies and ends -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_have_parameters_of_their_own(copied) -> None:
    tree = Tree()
    tree.left.layer.bias = tree.left.last
    again = copied(tree.eval())
    assert repr(again) == repr(tree)
    assert again.left.layer.bias is again.left.last
    assert not again.training
    for mine, theirs in zip(tree.parameters(), again.parameters(), strict=True):
        assert theirs is not mine
        assert theirs.requires_grad
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    with tg.no_grad():
        again.left.weight += 1
    assert tree.left.weight.tolist() == [1, 1]
    x = tg.ones((2, 2))
    again(x).sum().backward()
    assert tree.left.weight.grad is None


def test_a_dropped_model_is_gone_at_once() -> None:
    gc.collect()
    gc.disable()
    try:
        model = Tree()
        handle = model.left.register_full_backward_hook(lambda *args: None)
        model(tg.ones((2, 2), requires_grad=True)).sum().backward()
        nn.summary(model, 2)
        ends = [weakref.ref(module) for module in model.modules()]
        ends += [weakref.ref(tensor) for tensor in model.parameters()]
        del model
        assert [end() for end in ends] == [None] * len(ends)
        handle.remove()
    finally:
        gc.enable()


def test_a_tree_to_read() -> None:
    model = nn.Sequential(nn.Linear(2, 3, bias=False), nn.Sequential(nn.ReLU(), nn.Dropout(0.2)), nn.Identity())
    assert repr(model) == (
        "Sequential(\n"
        "  (0): Linear(in_features=2, out_features=3, bias=False)\n"
        "  (1): Sequential(\n"
        "    (0): ReLU()\n"
        "    (1): Dropout(p=0.2)\n"
        "  )\n"
        "  (2): Identity()\n"
        ")"
    )


def test_a_module_without_forward() -> None:
    with pytest.raises(NotImplementedError, match=r"ModuleList has no forward\(self, ...\)"):
        nn.ModuleList()(1)


def test_deep_trees_do_not_recurse_to_list_their_parameters() -> None:
    model: nn.Module = nn.Linear(1, 1)
    for _ in range(3000):
        outer = nn.Module()
        outer.inner = model
        model = outer
    assert len(list(model.parameters())) == 2
    while hasattr(model, "inner"):
        model = model.inner
