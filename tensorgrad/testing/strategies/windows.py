"""Convolutions and pooling: shapes and options that fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tensorgrad.testing.strategies.sample import Config
from tensorgrad.testing.strategies.shapes import Strategy


@st.composite
def conv_configs(draw: st.DrawFn, d: int) -> Config:
    """Shapes and options of convolutions over ``d`` axes, in PyTorch's names: of all paddings, strides, groups, ...

    Args:
        draw: Hypothesis' own; not an argument of the caller's.
        d: the number of spatial axes, 1 to 3.

    Returns:
        A strategy of a :class:`Config`: the shapes of the input ``(N, C, *spatial)``, with or without ``N``, which
        may be 0; of the weight ``(O, C / groups, *kernel)``; and, mostly, of the bias ``(O,)``. The options are
        ``stride``, ``padding`` (a number, one for each axis, a pair for each, ``"same"`` or ``"valid"``), ``dilation``
        and ``groups``. The kernel fits into the padded input.

    Example:
        >>> from hypothesis import find
        >>> find(conv_configs(1), lambda config: config.options["groups"] == 2).shapes[1]
        (2, 1, 1)
    """
    small = st.integers(1, 2)
    more = 2 if d < 3 else 1

    def each(numbers: Strategy[Any]) -> tuple[Any, ...]:
        return tuple(draw(numbers) for _ in range(d))

    kernel, stride, dilation = each(st.integers(1, more + 1)), each(small), each(small)
    form = draw(st.sampled_from(["valid", "number", "numbers", "pairs", "same"]))
    around: Sequence[tuple[int, int]] = [(0, 0)] * d
    padding: Any = form
    if form == "number":
        padding = draw(st.integers(0, 2))
        around = [(padding, padding)] * d
    elif form == "numbers":
        padding = each(st.integers(0, 2))
        around = [(n, n) for n in padding]
    elif form == "pairs":
        padding = around = each(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    elif form == "same":
        stride = (1,) * d
    spatial = [
        max((k - 1) * e + 1 - sum(sides), 1) + draw(st.integers(0, more))
        for k, e, sides in zip(kernel, dilation, around, strict=True)
    ]
    batch = draw(st.sampled_from([(), (1,), (2,), (2,), (0,)]))
    groups, channels, outputs = draw(small), draw(small), draw(small)
    given = [(*batch, groups * channels, *spatial), (groups * outputs, channels, *kernel), (groups * outputs,)]
    one = draw(st.booleans()) and len(set(stride)) == 1
    options = {"stride": stride[0] if one else stride, "padding": padding, "dilation": dilation, "groups": groups}
    return Config(tuple(given[: draw(st.sampled_from([3, 2, 3]))]), options)


@st.composite
def pool_configs(draw: st.DrawFn, d: int, dilated: bool = False) -> Config:
    """Shapes and options of pooling over ``d`` axes, in PyTorch's names: overlapping, padded, rounded up.

    Args:
        draw: Hypothesis' own; not an argument of the caller's.
        d: the number of spatial axes, 1 to 3.
        dilated: whether to draw ``dilation`` too.

    Returns:
        A strategy of a :class:`Config`: the shape ``(N, C, *spatial)``, with or without ``N``, which may be 0, and
        ``kernel_size``, ``stride``, ``padding`` (a number, one for each axis, or a pair for each; up to half of the
        kernel) and ``ceil_mode``. The kernel fits into the input.

    Example:
        >>> from hypothesis import find
        >>> find(pool_configs(2), lambda config: config.options["ceil_mode"]).shapes
        ((1, 1, 1),)
    """
    kernel = tuple(draw(st.integers(1, 3 if d < 3 else 2)) for _ in range(d))
    stride = draw(st.one_of(st.none(), st.integers(1, 3), st.tuples(*[st.integers(1, 3)] * d)))
    padding = draw(
        st.one_of(
            st.integers(0, min(kernel) // 2),
            st.tuples(*(st.integers(0, k // 2) for k in kernel)),
            st.tuples(*(st.tuples(*[st.integers(0, k // 2)] * 2) for k in kernel)),
        )
    )
    dilation = tuple(draw(st.integers(1, 2)) if dilated else 1 for _ in range(d))
    spatial = [(k - 1) * e + 1 + draw(st.integers(0, 3 if d < 3 else 1)) for k, e in zip(kernel, dilation, strict=True)]
    lead = draw(st.sampled_from([(1,), (1, 2), (2, 1), (2,), (2, 2), (0, 1)][: 6 if d < 3 else 4]))
    if d == 3 and draw(st.integers(0, 5)) == 5:
        lead = (0, 1)
    one = draw(st.booleans()) and len(set(kernel)) == 1
    options: dict[str, Any] = {"kernel_size": kernel[0] if one else kernel, "stride": stride, "padding": padding}
    if dilated:
        options["dilation"] = dilation
    return Config(((*lead, *spatial),), {**options, "ceil_mode": draw(st.booleans())})
