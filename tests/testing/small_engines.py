"""Small engines to be graded: one that is right, and one for each way to be wrong."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from tensorgrad.testing.conformance import Tape


class Array:
    """An array that remembers how it was made: for each parent, a function from its gradient to the parent's."""

    __array_priority__ = 1.0

    def __init__(self, data, parents=()):
        data = np.array(data)
        self.data = data if data.dtype.kind == "f" else data.astype(float)
        self.parents, self.grad = parents, None

    def make(self, data, *parents):
        return type(self)(data, parents)

    def lift(self, other):
        return other if isinstance(other, Array) else type(self)(np.asarray(other, self.data.dtype))

    def __add__(self, other):
        other = self.lift(other)
        return self.make(self.data + other.data, (self, lambda g: g), (other, lambda g: g))

    def __mul__(self, other):
        other = self.lift(other)
        x, y = self.data, other.data
        return self.make(x * y, (self, lambda g: g * y), (other, lambda g: g * x))

    def __pow__(self, n):
        x = self.data
        return self.make(x**n, (self, lambda g: g * n * x ** (n - 1)))

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + (-self.lift(other))

    def __rsub__(self, other):
        return self.lift(other) + (-self)

    def __truediv__(self, other):
        return self * self.lift(other) ** -1.0

    def __rtruediv__(self, other):
        return self.lift(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def sum(self):
        x = self.data
        return self.make(x.sum(), (self, lambda g: np.full(x.shape, g)))

    def exp(self):
        out = np.exp(self.data)
        return self.make(out, (self, lambda g: g * out))

    def order(self):
        """Every node after all that use it: a walk with a stack, and a set of what was seen."""
        found, seen, stack = [], set(), [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                found.append(node)
            elif id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                stack.extend((parent, False) for parent, _ in node.parents)
        return reversed(found)

    def store(self, gradients, node, g):
        gradients[id(node)] = gradients.get(id(node), 0.0) + g

    def fit(self, g, node):
        """Undoes broadcasting."""
        g = np.asarray(g, node.data.dtype)
        g = g.sum(axis=tuple(range(g.ndim - node.data.ndim)))
        return g.sum(axis=tuple(k for k, n in enumerate(node.data.shape) if n == 1), keepdims=True)

    def backward(self):
        gradients = {id(self): np.ones_like(self.data)}
        for node in self.order():
            g = gradients[id(node)]
            for parent, rule in node.parents:
                self.store(gradients, parent, self.fit(rule(g), parent))
            if not node.parents:
                self.keep(node, g)

    def keep(self, node, g):
        node.grad = g.copy() if node.grad is None else node.grad + g


class Overwrites(Array):
    def store(self, gradients, node, g):
        gradients[id(node)] = g


class NotUnbroadcast(Array):
    def fit(self, g, node):
        return np.asarray(g)


class Recursive(Array):
    def order(self):
        found, seen = [], set()

        def visit(node):
            if id(node) not in seen:
                seen.add(id(node))
                for parent, _ in node.parents:
                    visit(parent)
                found.append(node)

        visit(self)
        return reversed(found)


class EveryPath(Array):
    def backward(self):
        stack = [(self, np.ones_like(self.data))]
        while stack:
            node, g = stack.pop()
            stack.extend((parent, self.fit(rule(g), parent)) for parent, rule in node.parents)
            if not node.parents:
                node.grad = g if node.grad is None else node.grad + g


class BreadthFirst(Array):
    """Passes on what has arrived at a node each time it is met, and all of it again the next time."""

    def backward(self):
        gradients, queue = {id(self): np.ones_like(self.data)}, [self]
        while queue:
            node = queue.pop(0)
            for parent, rule in node.parents:
                self.store(gradients, parent, self.fit(rule(gradients[id(node)]), parent))
                queue.append(parent)
            if not node.parents:
                node.grad = gradients[id(node)]


class SearchesAList(Array):
    def order(self):
        seen = []
        for node in Array.order(self):
            if node not in seen:
                seen.append(node)
        return seen


class Aliases(Array):
    def fit(self, g, node):
        return g if np.shape(g) == node.data.shape else super().fit(g, node)

    def store(self, gradients, node, g):
        gradients[id(node)] = gradients[id(node)] + g if id(node) in gradients else g

    def keep(self, node, g):
        if node.grad is None:
            node.grad = g
        else:
            node.grad += g


class Widens(Array):
    def lift(self, other):
        return other if isinstance(other, Array) else type(self)(np.asarray(other, np.float64))


class Exits(Array):
    def backward(self):
        os._exit(3)


class Crashes(Array):
    def backward(self):
        ctypes.string_at(0)


class Hangs(Array):
    def backward(self):
        while True:
            pass


class Hoards(Array):
    def backward(self):
        self.kept = bytearray(2**40)


class Prints(Array):
    def backward(self):
        print("{}")
        sys.stdout.flush()
        os.write(1, b"not an answer\n")
        super().backward()


class Sleeps(Array):
    def backward(self):
        time.sleep(600)


EVERY = []


class KeepsGraphs(Array):
    def __init__(self, data, parents=()):
        super().__init__(data, parents)
        EVERY.append(self)


class Cycles(Array):
    def __init__(self, data, parents=()):
        super().__init__(data, parents)
        self.me = self


class Shares(Array):
    def __init__(self, data, parents=()):
        super().__init__(data, parents)
        if isinstance(data, np.ndarray) and data.dtype == float:
            self.data = data


class HangsLater(Array):
    """It says in a file when it has come to that."""

    def __mul__(self, other):
        Path(os.environ["HANGS_NOW"]).touch()
        while True:
            pass


class EndedOnce(Array):
    def backward(self):
        mark = Path(os.environ["ENDED_ONCE"])
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGTERM)
        super().backward()


right = Tape(Array)
ended_once = Tape(EndedOnce)
overwrites = Tape(Overwrites)
not_unbroadcast = Tape(NotUnbroadcast)
recursive = Tape(Recursive)
every_path = Tape(EveryPath)
breadth_first = Tape(BreadthFirst)
searches_a_list = Tape(SearchesAList)
aliases = Tape(Aliases)
widens = Tape(Widens)
exits = Tape(Exits)
crashes = Tape(Crashes)
hangs = Tape(Hangs)
hangs_later = Tape(HangsLater)
hoards = Tape(Hoards)
prints = Tape(Prints)
sleeps = Tape(Sleeps)
keeps_graphs = Tape(KeepsGraphs)
cycles = Tape(Cycles)
shares = Tape(Shares)
nothing = 3
