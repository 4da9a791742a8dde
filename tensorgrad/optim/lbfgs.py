"""L-BFGS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from tensorgrad import backend
from tensorgrad.autograd import versions
from tensorgrad.autograd.modes import enable_grad
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.backend import Array
from tensorgrad.optim.line_search import Place, strong_wolfe
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.options import require_not_negative
from tensorgrad.optim.parameters import Parameters

CURVED = 1e-10
"""A step along which the gradient changes less than this (times the step) tells nothing of the curvature."""

Vector = list[Array]
"""All parameters as one vector: an array for each."""


class LBFGS(Optimizer):
    """L-BFGS: Newton's method, with the curvature told from how the gradient changed in the last steps.

    For functions without chance, of the whole data set. Each :meth:`step` makes up to ``max_iter`` iterations, and
    evaluates the function again and again by a closure.

    Source: Liu and Nocedal, "On the limited memory BFGS method for large scale optimization" (1989).

    Args:
        params: tensors, or ``(name, tensor)`` pairs; a single group of them, for they are one vector here.
        lr: how far to go along each direction, or how far to try first; the very first time, less where the gradient
            is large.
        max_iter: iterations in each :meth:`step`.
        max_eval: evaluations in each :meth:`step`, about; ``max_iter * 5 // 4`` if not given.
        tolerance_grad: it is done where no entry of the gradient is larger,
        tolerance_change: or where neither a parameter nor the function changes by more.
        history_size: how many steps are remembered.
        line_search_fn: None, or ``"strong_wolfe"`` to look for a good length of each step.

    Raises:
        ValueError: for options out of range, and for several groups.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([-1.0, 2.0], dtype="float64", requires_grad=True)
        >>> optimizer = tg.optim.LBFGS([w], max_iter=50, line_search_fn="strong_wolfe")
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
        ...     loss.backward()
        ...     return loss
        >>> _ = optimizer.step(closure)
        >>> [round(x, 4) for x in w.tolist()]
        [1.0, 1.0]
    """

    required_state = frozenset({"direction", "gradient", "t"})

    def __init__(
        self,
        params: Parameters,
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: Literal["strong_wolfe"] | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("all parameters are one vector to LBFGS: give it a single group.")

    def check(self, line_search_fn: Any, **options: float) -> None:
        require_not_negative(**options)
        if line_search_fn not in (None, "strong_wolfe"):
            raise ValueError(f"line_search_fn is None or 'strong_wolfe', got {line_search_fn!r}.")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Iterates until it is done, or ``max_iter`` times.

        Args:
            closure: computes the loss and its gradients anew, and returns the loss.

        Returns:
            The loss before.

        Raises:
            TypeError: without a closure.
            ValueError: if a gradient or the state no longer fits its parameter.
        """
        if closure is None:
            raise TypeError("LBFGS evaluates the loss several times a step: give step() a closure that returns it.")
        self.stepped = True
        options = self._options(self.param_groups[0])
        first, gradient = self._evaluated(closure)
        loss, evaluations = float(first), 1
        memory = _Memory([self._remembered(parameter) for parameter in self._parameters])
        for iteration in range(1, options["max_iter"] + 1):
            if _largest(gradient) <= options["tolerance_grad"]:
                break
            direction, t = memory.direction(gradient, options["lr"], options["history_size"])
            slope = _dot(gradient, direction)
            if slope > -options["tolerance_change"]:
                break
            start = Place(0.0, loss, slope, gradient)
            line = _Line(self, closure, direction)
            if options["line_search_fn"] is not None:
                place, count = strong_wolfe(line.at, start, t, _largest(direction), options["max_eval"] - evaluations)
                line.go(place.t)
            else:
                # After the last iteration the next step begins with an evaluation.
                count = int(iteration < options["max_iter"])
                place = line.at(t) if count else Place(t, loss, slope, gradient)
                line.go(t)
            memory.went(place.t)
            before, loss, gradient = loss, place.value, place.gradient
            evaluations += count
            if evaluations >= options["max_eval"]:
                break
            still = place.t * _largest(direction) <= options["tolerance_change"]
            if still or abs(loss - before) < options["tolerance_change"]:
                break
        return first

    @property
    def _parameters(self) -> list[Tensor]:
        return self.param_groups[0]["params"]

    def _evaluated(self, closure: Callable[[], Any]) -> tuple[Any, Vector]:
        """The loss, and copies of the gradients; zeros for parameters that have none."""
        with enable_grad():
            loss = closure()
        gradient = []
        for parameter in self._parameters:
            param = parameter.data
            if parameter.grad is None:
                gradient.append(backend.namespace(param).zeros_like(param))
                continue
            self._require_fit(parameter, parameter.grad.data)
            gradient.append(backend.namespace(param).array(parameter.grad.data, copy=True))
        return loss, gradient


class _Line:
    """The function along a direction from where the parameters are."""

    def __init__(self, optimizer: LBFGS, closure: Callable[[], Any], direction: Vector) -> None:
        self.optimizer, self.closure, self.direction = optimizer, closure, direction
        self.start = [parameter.data.copy() for parameter in optimizer._parameters]

    def at(self, t: float) -> Place:
        """Goes there and evaluates."""
        self.go(t)
        loss, gradient = self.optimizer._evaluated(self.closure)
        return Place(t, float(loss), _dot(gradient, self.direction), gradient)

    def go(self, t: float) -> None:
        """Sets the parameters."""
        for parameter, start, along in zip(self.optimizer._parameters, self.start, self.direction, strict=True):
            param = parameter.data
            param[...] = start + t * along
            versions.mark(param, "LBFGS.step")


class _Memory:
    """What the last steps told of the curvature, kept in the states of the parameters.

    Each state has the arrays ``direction`` and ``gradient`` (of the last iteration) and, for each step that is
    remembered, ``step_i`` and ``change_i`` (of the gradient), where i goes on; and ``t``, how far the last one went.
    """

    def __init__(self, states: list[dict[str, Any]]) -> None:
        self.states = states

    def direction(self, gradient: Vector, lr: float, most: int) -> tuple[Vector, float]:
        """The direction of the next iteration, and how far to try to go."""
        if "direction" not in self.states[0]:
            direction, t = _scaled(-1.0, gradient), min(1.0, 1.0 / _sum(gradient)) * lr
            self.went(0.0)
        else:
            self._remember(gradient, most)
            direction, t = self._newton(gradient), lr
        self._put("direction", direction)
        self._put("gradient", gradient)
        return direction, t

    def went(self, t: float) -> None:
        """Notes how far it went."""
        self._put("t", [t] * len(self.states))

    def _put(self, name: str, values: list[Any]) -> None:
        for state, value in zip(self.states, values, strict=True):
            state[name] = value

    def _take(self, name: str) -> Vector:
        return [state[name] for state in self.states]

    def _numbers(self) -> list[int]:
        return sorted(int(name[5:]) for name in self.states[0] if name.startswith("step_"))

    def _remember(self, gradient: Vector, most: int) -> None:
        change, step = _scaled(1.0, gradient), _scaled(self.states[0]["t"], self._take("direction"))
        _add(change, -1.0, self._take("gradient"))
        if not _dot(change, step) > CURVED:
            return
        known = self._numbers()
        for i in known[: max(len(known) + 1 - most, 0)]:
            for state in self.states:
                del state[f"step_{i}"], state[f"change_{i}"]
        i = known[-1] + 1 if known else 0
        self._put(f"step_{i}", step)
        self._put(f"change_{i}", change)

    def _newton(self, gradient: Vector) -> Vector:
        """Minus the gradient over the curvature, by the two loops over all steps."""
        known = self._numbers()
        steps, changes = ([self._take(f"{name}_{i}") for i in known] for name in ("step", "change"))
        along = [_dot(step, change) for step, change in zip(steps, changes, strict=True)]
        q = _scaled(-1.0, gradient)
        parts = [0.0] * len(known)
        for i in reversed(range(len(known))):
            parts[i] = _dot(steps[i], q) / along[i]
            _add(q, -parts[i], changes[i])
        if known:
            scale = along[-1] / _dot(changes[-1], changes[-1])
            q = _scaled(scale, q)
        for i in range(len(known)):
            _add(q, parts[i] - _dot(changes[i], q) / along[i], steps[i])
        return q


def _dot(a: Vector, b: Vector) -> float:
    return sum(float((x * y).sum()) for x, y in zip(a, b, strict=True))


def _sum(a: Vector) -> float:
    return sum(float(abs(x).sum()) for x in a)


def _largest(a: Vector) -> float:
    return max(float(abs(x).max()) if x.size else 0.0 for x in a)


def _scaled(factor: float, a: Vector) -> Vector:
    # Into arrays, for what is computed from arrays without axes is none.
    return [backend.namespace(x).multiply(x, factor, out=backend.namespace(x).empty_like(x)) for x in a]


def _add(a: Vector, factor: float, b: Vector) -> None:
    for x, y in zip(a, b, strict=True):
        x += factor * y
