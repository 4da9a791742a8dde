"""Mutants of the text of a rule, and of the helpers in its module that it calls."""

from __future__ import annotations

import ast
import copy
import inspect
import textwrap
import types
from collections.abc import Callable, Iterator
from typing import Any

from tensorgrad.testing.mutation.edits import Edit, edits
from tensorgrad.testing.mutation.mutants import Mutant, Trace
from tensorgrad.testing.mutation.sites import RuleSite, Site

WATCH = "_watch_"
"""The name by which mutated text tells what it does."""


def text_mutants(site: Site) -> Iterator[Mutant]:
    """All mutants of this kind for a rule; none where its text is not to be had."""
    arrays = site.arrays if isinstance(site, RuleSite) else ()
    seen: dict[str, int] = {}
    # The text is that of the rule itself, whatever it is wrapped in: so its mutants are, too, and by its own names.
    for chain in _texts(inspect.unwrap(site.function)):
        function = chain[-1]
        tree = _parse(function)
        if tree is None:
            continue
        prefix = "" if len(chain) == 1 else f"in {function.__name__}: "
        # In a helper, parameters of the rule's names have their roles.
        for number, edit in edits(tree, arrays):
            name = f"{prefix}{edit.before} -> {edit.after}"
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                name = f"{name} (place {seen[name]})"

            def build(
                trace: Trace,
                chain: tuple[Any, ...] = chain,
                tree: ast.Module = tree,
                n: int = number,
                edit: Edit = edit,
            ) -> Callable[..., Any]:
                return _rebuilt(chain, _applied(tree, n, edit), trace)

            yield Mutant(site, edit.kind, name, build, everywhere=True)


def _texts(function: Any, depth: int = 2) -> Iterator[tuple[Any, ...]]:
    """A function; and each helper that it calls, as the chain of calls that leads there."""
    found: set[Any] = set()

    def walk(chain: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        if chain[-1] in found:
            return
        found.add(chain[-1])
        yield chain
        if len(chain) <= depth:
            for helper in _helpers(chain[-1]).values():
                yield from walk((*chain, helper))

    return walk((function,))


def _helpers(function: Any) -> dict[str, Any]:
    """The plain functions of the same package's modules that a function calls, which are no ops and not public."""
    helpers = {}
    for name in _names(function.__code__):
        value = function.__globals__.get(name)
        if not isinstance(value, types.FunctionType) or hasattr(value, "op") or hasattr(value, "__wrapped__"):
            continue
        module = inspect.getmodule(value)
        public = getattr(module, "__all__", ())
        if value.__module__ == function.__module__ and name not in public:
            helpers[name] = value
    return helpers


def _names(code: types.CodeType) -> Iterator[str]:
    """The names that a function looks up, those of the functions in it included."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _names(inner)


def _parse(function: Any) -> ast.Module | None:
    """The definition of a function, without decorators and annotations; None for a lambda, or without source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    definition = tree.body[0]
    if not isinstance(definition, ast.FunctionDef):
        return None
    definition.decorator_list = []
    definition.returns = None
    for argument in ast.walk(definition.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    if ast.get_docstring(definition) is not None:
        definition.body = definition.body[1:] or [ast.Pass()]
    return tree


def _applied(tree: ast.Module, number: int, edit: Edit) -> ast.Module:
    """The text with one expression replaced by another that reports both values."""
    tree = copy.deepcopy(tree)
    target = list(ast.walk(tree))[number]

    class Replace(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if node is not target or not isinstance(node, ast.expr):
                return self.generic_visit(node)
            nothing = ast.arguments([], [], None, [], [], None, [])
            pair: list[ast.expr] = [ast.Lambda(nothing, value) for value in (node, copy.deepcopy(edit.value))]
            return ast.Call(ast.Name(WATCH, ast.Load()), pair, [])

    Replace().visit(tree)
    return ast.fix_missing_locations(tree)


def _rebuilt(chain: tuple[Any, ...], tree: ast.Module, trace: Trace) -> Callable[..., Any]:
    """The first function of a chain of calls, the last of which has another text; nobody else sees that text."""

    def watch(before: Callable[[], Any], after: Callable[[], Any]) -> Any:
        trace.reached = True
        value = after()
        if not trace.changed:
            try:
                trace.note(before(), value)
            except Exception:
                trace.mark(None)
        return value

    *callers, last = chain
    function = _compiled(last, tree, {**last.__globals__, WATCH: watch})
    for caller, called in zip(reversed(callers), reversed(chain[1:]), strict=True):
        names = {name: function for name, value in _helpers(caller).items() if value is called}
        function = types.FunctionType(
            caller.__code__, {**caller.__globals__, **names}, caller.__name__, caller.__defaults__, caller.__closure__
        )
        function.__kwdefaults__ = caller.__kwdefaults__
    return function


def _compiled(original: Any, tree: ast.Module, names: dict[str, Any]) -> Any:
    """A function from its changed text, with the defaults and the closure of the original."""
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.name = "_mutant"
    free = original.__code__.co_freevars
    # Names of the closure become locals of a function around.
    module = ast.parse("def _outer():\n" + "".join(f" {name} = None\n" for name in free) + " return _mutant")
    outer = module.body[0]
    assert isinstance(outer, ast.FunctionDef)
    outer.body.insert(-1, definition)
    ast.fix_missing_locations(module)
    exec(compile(module, f"<a mutant of {original.__name__}>", "exec"), names)
    made = names.pop("_outer")()
    # The same cells as the original's, in the order that the new code wants them.
    cells = dict(zip(free, original.__closure__ or (), strict=True))
    closure = tuple(cells[name] for name in made.__code__.co_freevars)
    function = types.FunctionType(made.__code__, names, original.__name__, original.__defaults__, closure)
    function.__kwdefaults__ = original.__kwdefaults__
    return function
