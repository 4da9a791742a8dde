"""The verdict on one node: whether its rule is right, and whether its op is fit for numbers such as these."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import versions
from tensorgrad.autograd.graph import Bundle, Node
from tensorgrad.errors import GradientError
from tensorgrad.testing.blaming.condition import distance, ill_conditioned, slope_near
from tensorgrad.testing.blaming.flow import amiss, pulled
from tensorgrad.testing.blaming.kinks import entries
from tensorgrad.testing.blaming.local import EXACT, Arrays, Entries, Local, finite, host
from tensorgrad.testing.checking.report import GradientReport

ROUNDED = {8: 1e-6, 4: 1e-2, 2: 0.3}
"""How far a gradient may be from that in float64, relative to its largest value, by the bytes of its dtype."""

SAME = 1e-3
"""How far two computations of the same may be apart, relative to the largest value."""


class Said(NamedTuple):
    """A finding, but for the node."""

    kind: str
    why: str
    inputs: tuple[str, ...] = ()
    report: GradientReport | None = None


class Examination:
    """One node of a graph, looked at alone.

    When it is made the node is asked for its gradients, and nothing is called again yet.

    Args:
        node: made under ``detect_anomaly()``.
        flowing: how the gradient of the loss ceases to be finite here, if it does.
        seed: of random cotangents.
    """

    def __init__(self, node: Node, flowing: str | None, seed: int) -> None:
        self.node, self.flowing, self.seed = node, flowing, seed
        self.local = Local(node)
        self.forward = [host(y) for y in self.local.outputs]
        # Of size 1, but not all the same: a softmax, say, is deaf to a constant. What is not finite gets none.
        rng = np.random.default_rng(seed)
        weights = [rng.choice([-1.0, 1.0], y.shape) * rng.uniform(0.75, 1.0, y.shape) for y in self.forward]
        self.weights = [
            np.asarray(weight * np.isfinite(y), y.dtype) for weight, y in zip(weights, self.forward, strict=True)
        ]
        self.own: Arrays = []
        self.failure = ""
        try:
            versions.check([node.kept, self.local.arrays], node.order, node.op.name)
        except GradientError as error:
            self.changed = str(error)
        else:
            self.changed = ""
            self._ask_node()

    def _ask_node(self) -> None:
        """What this very node makes of cotangents, from what its rules kept in the forward pass."""
        outputs, weights = self.local.call.outputs, iter(self.weights)
        slots = [
            backend.transfer(next(weights), backend.device_of(y)) if y.dtype.kind == "f" else None for y in outputs
        ]
        try:
            parts = pulled(self.node, slots if isinstance(self.node, Bundle) else slots[0])
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"
            return
        names = [name for _, _, name in parts]
        # A rule for a sequence of arrays calls them all by one name, and gives them in their order.
        if not set(names) <= set(self.local.names):
            names = list(self.local.names)
        found = {name: host(part) for name, (_, part, _) in zip(names, parts, strict=True)}
        self.own = [
            np.where(np.isfinite(host(x)), found.get(name, 0), 0).astype(x.dtype)
            for name, x in zip(self.local.names, self.local.given, strict=True)
        ]

    def verdict(self) -> Said | None:
        """What is amiss; None if nothing is."""
        questions = [self.is_changed, self.fails_again, self.leaves_the_finite]
        # Inputs without elements have no gradient to ask for.
        if any(array.size for array in self.local.given):
            questions += [
                self.rule_fails,
                self.gives_no_slopes,
                self.has_slopes_without_bound,
                self.is_wrong,
                self.is_another_now,
                self.gave_another_gradient,
                self.lacks_digits,
                self.is_ill_conditioned,
            ]
        answers = (question() for question in questions)
        return next((said for said in answers if said is not None), None)

    def is_changed(self) -> Said | None:
        """Whether what the rules kept, or what the op was given, was changed in place."""
        return Said("not checked", self.changed) if self.changed else None

    def fails_again(self) -> Said | None:
        """Whether the op cannot be called again, or gives something else each time."""
        values = self.local.values()
        try:
            self.again, repeated = self.local.forward(*values), self.local.forward(*values)
        except Exception as error:
            return Said("not checked", f"called again it failed: {type(error).__name__}: {error}")
        if not all(map(_same, self.again, repeated)):
            return Said("not checked", "it is not deterministic: called twice with the same it gives different values.")
        return None

    def leaves_the_finite(self) -> Said | None:
        """Whether the output is not finite although all that the op was given is."""
        text = next(filter(None, map(amiss, self.local.outputs)), None)
        if text and self.local.is_finite:
            return Said("not finite", f"its output has {text}, though what it was given is finite.")
        return None

    def rule_fails(self) -> Said | None:
        """Whether a rule of this very node raises, or gives what is no gradient."""
        return Said("wrong", f"its rule failed: {self.failure}") if self.failure else None

    def gives_no_slopes(self) -> Said | None:
        """Whether the rule fails when the op is called afresh: in float64, or, where that is refused, as it was."""
        for dtype in (EXACT, None):
            try:
                self.slopes: Arrays = self.local.backward(self.weights, *self.local.values(dtype))
            except Exception as error:
                why = f"called again its rule failed: {type(error).__name__}: {error}"
            else:
                self.exact = dtype is not None
                return None
        return Said("not checked", why)

    def has_slopes_without_bound(self) -> Said | None:
        """Whether the gradient ceases to be finite here; it is the rule's fault if differences are finite."""
        for i, (name, part) in enumerate(zip(self.local.names, self.slopes, strict=True)):
            if text := amiss(part):
                if not self.local.is_finite:
                    return Said("not checked", "what it was given is not finite, and so its gradient is not.")
                text = f"its gradient with respect to {name!r} has {text}"
                slope = slope_near(self.local, i, ~np.isfinite(part)) if self.exact else None
                if slope is None:
                    return Said("not finite", f"{text}: the slope has no bound there.")
                return Said("wrong", f"{text}, but differences give a slope of about {slope:.3g} there.", (name,))
        if self.flowing:
            why = f"{self.flowing}, though every value, and the gradient that came in, is finite."
            return Said("not finite", why)
        return None

    def is_wrong(self) -> Said | None:
        """Whether differences disagree with the gradients, and with which."""
        try:
            chosen = entries(self.local, self.weights, self.seed)
            if not chosen:
                return Said("not checked", "it is at a kink in all entries that were tried.")
            report = Entries(self.local, chosen).check(self.seed)
            if report:
                return None
            wrong = [i for i in chosen if len(chosen) > 1 and not Entries(self.local, {i: chosen[i]}).check(self.seed)]
        except Exception as error:
            return Said("not checked", f"the gradient check failed: {type(error).__name__}: {error}")
        return Said("wrong", str(report), tuple(self.local.names[i] for i in wrong or chosen), report)

    def is_another_now(self) -> Said | None:
        """Whether the op gives something else than it did."""
        try:
            versions.check(self.local.outputs, self.node.order, self.node.op.name)
        except GradientError:
            # A later change of the output in place says nothing about the op.
            return None
        if all(map(_same, self.again, map(finite, self.forward))):
            return None
        return Said(
            "not checked",
            "called again it gives other values than in the forward pass: it depends on something outside, or what it "
            "was given was changed since. With what it is given now its rule is right.",
        )

    def gave_another_gradient(self) -> Said | None:
        """Whether this node gives another gradient than the op when it is called afresh."""
        afresh = self.local.backward(self.weights, *self.local.values())
        for name, own, fresh in zip(self.local.names, self.own, afresh, strict=True):
            if not _same(own, fresh):
                return Said(
                    "wrong",
                    "its rule is right when the op is called afresh, but this node of the graph gives another "
                    "gradient: what its rule keeps was changed since, or is shared with other calls.",
                    (name,),
                )
        return None

    def lacks_digits(self) -> Said | None:
        """Whether the gradient is far from that in float64."""
        for name, own, exact in zip(self.local.names, self.own, self.slopes, strict=True):
            error = distance(own, exact)
            if error > ROUNDED[own.dtype.itemsize]:
                why = (
                    f"in {own.dtype} its gradient with respect to {name!r} is off by {error:.2g} of its largest value."
                )
                return Said("ill-conditioned", why, (name,))
        return None

    def is_ill_conditioned(self) -> Said | None:
        """Whether the op is sensitive, steep or flat at its values."""
        why = ill_conditioned(self.local, self.slopes, self.weights) if self.exact else None
        return Said("ill-conditioned", why) if why else None


def _same(found: Any, expected: Any) -> bool:
    return np.array_equal(found, expected) or distance(found, expected) < SAME
