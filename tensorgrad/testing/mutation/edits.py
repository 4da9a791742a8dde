"""The ways in which an expression can be wrong."""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Iterator
from typing import NamedTuple

INSTEAD = {
    "sin": "cos",
    "cos": "sin",
    "sinh": "cosh",
    "cosh": "sinh",
    "exp": "expm1",
    "log": "log1p",
    "log1p": "log",
    "max": "min",
    "min": "max",
    "maximum": "minimum",
    "minimum": "maximum",
    "floor": "ceil",
    "floor_divide": "divide",
    "sum": "mean",
    "mean": "sum",
    "sign": "abs",
    "abs": "sign",
    "zeros_like": "ones_like",
    "ones_like": "zeros_like",
    "any": "all",
    "all": "any",
    "square": "sqrt",
    "sqrt": "square",
    "isfinite": "isnan",
    "isinf": "isnan",
}
"""Functions that are easily taken for one another."""
SYMMETRIC = ("add", "multiply", "maximum", "minimum", "hypot", "logaddexp", "isinstance")
"""Functions whose arguments may be exchanged, or are never."""
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}


class Edit(NamedTuple):
    """One expression in place of another: what kind of mistake that is, both texts, and the new expression."""

    kind: str
    before: str
    after: str
    value: ast.expr


def edits(tree: ast.Module, arrays: Collection[str]) -> Iterator[tuple[int, Edit]]:
    """All edits of a function, with the number of the expression in the order of :func:`ast.walk`.

    Args:
        tree: the function's definition.
        arrays: names whose values are arrays, any of which may be taken for another.
    """
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    parameters = {argument.arg for argument in ast.walk(definition.args) if isinstance(argument, ast.arg)}
    known = sorted(parameters & {*arrays})
    skipped = {id(node) for part in (definition.args, *_joined(tree)) for node in ast.walk(part)}
    bound = _bound(definition, parameters)
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in skipped:
            continue
        if isinstance(node, (ast.Assign, ast.AugAssign)):
            # A statement that is left out: its value is replaced.
            numbers = {id(inner): i for i, inner in enumerate(ast.walk(tree))}
            for edit in _of_statement(node, bound):
                yield numbers[id(node.value)], edit
        elif isinstance(node, (ast.If, ast.While)):
            numbers = {id(inner): i for i, inner in enumerate(ast.walk(tree))}
            text = f"if {ast.unparse(node.test)}"
            yield numbers[id(node.test)], Edit("branch", text, "if False", ast.Constant(False))
            if isinstance(node, ast.If):
                yield numbers[id(node.test)], Edit("branch", text, "if True", ast.Constant(True))
        elif isinstance(node, ast.expr):
            for kind, value in _of_expression(node, known):
                yield number, Edit(kind, ast.unparse(node), ast.unparse(value), value)


def _joined(tree: ast.AST) -> list[ast.AST]:
    """Formatted strings: what is in them is no arithmetic."""
    return [node for node in ast.walk(tree) if isinstance(node, (ast.JoinedStr, ast.Raise))]


def _bound(definition: ast.FunctionDef, parameters: set[str]) -> dict[int, set[str]]:
    """For each statement of the body, by its id, the names that have a value before it."""
    found: dict[int, set[str]] = {}
    names = set(parameters)
    for node in sorted(
        (node for node in ast.walk(definition) if isinstance(node, ast.stmt)),
        key=lambda node: (node.lineno, node.col_offset),
    ):
        found[id(node)] = set(names)
        if isinstance(node, ast.Assign):
            names |= {inner.id for target in node.targets for inner in ast.walk(target) if isinstance(inner, ast.Name)}
    return found


def _of_statement(node: ast.Assign | ast.AugAssign, bound: dict[int, set[str]]) -> Iterator[Edit]:
    if isinstance(node, ast.AugAssign):
        text = ast.unparse(node)
        neutral = ast.Constant(0 if isinstance(node.op, (ast.Add, ast.Sub)) else 1)
        yield Edit("dropped", text, "nothing", neutral)
        if isinstance(node.op, (ast.Add, ast.Sub)):
            yield Edit(
                "sign",
                text,
                text.replace("+=", "-=") if "+=" in text else text.replace("-=", "+="),
                _negative(node.value),
            )
    elif len(node.targets) == 1 and isinstance(node.targets[0], ast.Name) and node.targets[0].id in bound[id(node)]:
        yield Edit("dropped", ast.unparse(node), "nothing", ast.Name(node.targets[0].id, ast.Load()))


def _negative(value: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.USub(), copy.deepcopy(value))


def _of_expression(node: ast.expr, arrays: list[str]) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.BinOp):
        yield from _of_arithmetic(node)
    elif isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.USub):
            yield "sign", node.operand
        elif isinstance(node.op, (ast.Not, ast.Invert)):
            yield "branch", node.operand
    elif isinstance(node, ast.Compare):
        for comparison in COMPARISONS.get(type(node.ops[0]), ()):
            yield "branch", ast.Compare(node.left, [comparison(), *node.ops[1:]], node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield "branch", ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
        for i in range(len(node.values)):
            rest = [value for j, value in enumerate(node.values) if j != i]
            yield "branch", rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    elif isinstance(node, ast.IfExp):
        yield "branch", node.body
        yield "branch", node.orelse
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.Constant):
        yield from _of_constant(node)
    elif isinstance(node, ast.Attribute):
        if node.attr in ("T", "mT"):
            yield "transposed", node.value
        elif node.attr == "size":
            yield "constant", ast.BinOp(node, ast.Add(), ast.Constant(1))
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in arrays:
        for other in arrays:
            if other != node.id:
                yield "swapped", ast.Name(other, ast.Load())


def _of_arithmetic(node: ast.BinOp) -> Iterator[tuple[str, ast.expr]]:
    left, op, right = node.left, node.op, node.right
    if isinstance(op, ast.Add):
        yield "sign", ast.BinOp(left, ast.Sub(), right)
        yield "dropped", left
        yield "dropped", right
    elif isinstance(op, ast.Sub):
        yield "sign", ast.BinOp(left, ast.Add(), right)
        yield "dropped", left
        yield "dropped", _negative(right)
    elif isinstance(op, ast.Mult):
        yield "factor", left
        yield "factor", right
        yield "factor", ast.BinOp(left, ast.Div(), right)
    elif isinstance(op, (ast.Div, ast.FloorDiv)):
        yield "factor", left
        yield "factor", ast.BinOp(left, ast.Mult(), right)
    elif isinstance(op, ast.Pow):
        yield "factor", left
        yield "factor", ast.BinOp(left, ast.Pow(), ast.BinOp(right, ast.Add(), ast.Constant(1)))
        yield "factor", ast.BinOp(left, ast.Pow(), ast.BinOp(right, ast.Sub(), ast.Constant(1)))
    elif isinstance(op, ast.MatMult):
        yield "swapped", ast.BinOp(right, ast.MatMult(), left)
    elif isinstance(op, ast.Mod):
        yield "constant", left
    elif isinstance(op, (ast.BitAnd, ast.BitOr)):
        yield "branch", ast.BinOp(left, ast.BitOr() if isinstance(op, ast.BitAnd) else ast.BitAnd(), right)
        yield "branch", left
        yield "branch", right


def _of_constant(node: ast.Constant) -> Iterator[tuple[str, ast.expr]]:
    value = node.value
    if isinstance(value, bool):
        yield "constant", ast.Constant(not value)
    elif isinstance(value, int):
        yield "constant", ast.Constant(value + 1)
        if value > 0:
            yield "constant", ast.Constant(value - 1)
    elif isinstance(value, float):
        yield "constant", ast.Constant(value * 1.01)


def _of_call(node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "where" and len(node.args) == 3:
        condition, first, second = node.args
        yield "branch", ast.Call(node.func, [condition, second, first], node.keywords)
        yield "branch", first
        yield "branch", second
        return
    if isinstance(node.func, ast.Attribute) and name in INSTEAD:
        other = ast.Attribute(node.func.value, INSTEAD[name], ast.Load())
        yield "constant", ast.Call(other, node.args, node.keywords)
    for i, keyword in enumerate(node.keywords):
        if keyword.arg == "axis":
            yield "axis", ast.Call(node.func, node.args, [k for j, k in enumerate(node.keywords) if j != i])
            if not (isinstance(keyword.value, ast.Constant) and keyword.value.value == 0):
                other_axis = [*node.keywords[:i], ast.keyword("axis", ast.Constant(0)), *node.keywords[i + 1 :]]
                yield "axis", ast.Call(node.func, node.args, other_axis)
    plain = [argument for argument in node.args if not isinstance(argument, ast.Starred)]
    for i in range(len(plain) - 1) if name not in SYMMETRIC else ():
        first, second = plain[i], plain[i + 1]
        if isinstance(first, ast.Name) and isinstance(second, ast.Name) and "xp" not in (first.id, second.id):
            changed = [*plain[:i], second, first, *plain[i + 2 :]]
            yield "swapped", ast.Call(node.func, changed, node.keywords)
    # The call left out: its first argument, or the array whose method it is.
    if isinstance(node.func, ast.Attribute) and not _is_module(node.func.value):
        yield "dropped", node.func.value
    elif plain and name not in ("len", "range", "isinstance", "enumerate", "zip", "tuple"):
        yield "transposed" if name in ("matrix_transpose", "permute_dims", "moveaxis") else "dropped", plain[0]


def _is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("xp", "math", "np", "builtins", "backend", "kernels", "operator")
