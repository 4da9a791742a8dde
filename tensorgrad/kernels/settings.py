"""What can be said about how the kernels work: which family, which algorithm, how exact, in how much memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import TracebackType

FAMILIES = ("quick", "reference")
CONVOLUTIONS = ("planned", "measured", "columns", "winograd")
PRECISIONS = ("high", "highest")


@dataclass(frozen=True)
class Settings:
    """How the kernels work now: see :func:`use`."""

    family: str = "quick"
    convolution: str = "planned"
    workspace: int = 1 << 23
    precision: str = "high"

    @property
    def elements(self) -> int:
        """How many elements an array may have, of the four or so in float32 that share the workspace."""
        return max(1, self.workspace // 16)


_now = Settings()


def current() -> Settings:
    """The settings that are in force."""
    return _now


class Restore:
    """What :func:`use` returns: as a context manager, it brings back the former settings."""

    def __init__(self, before: Settings) -> None:
        self._before = before

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _set(self._before)


def _set(settings: Settings) -> Restore:
    global _now
    before, _now = _now, settings
    return Restore(before)


def use(family: str | None = None, *, convolution: str | None = None, workspace: int | None = None) -> Restore:
    """Says which kernels do the work, from now on or for a ``with`` block. What is not given stays as it is.

    Args:
        family: ``"quick"``, those of the array's library; or ``"reference"``, the plain ones that they are tested
            against, to read and to compare with.
        convolution: the algorithm on the CPU: ``"planned"`` takes what should be quickest for such shapes, always the
            same; ``"measured"`` tries them when shapes are new and remembers which was quickest (so that rounding may
            differ from run to run); ``"columns"`` unrolls windows for matrix products; ``"winograd"`` needs fewer
            products, where it can be used, and elsewhere columns are. :func:`tensorgrad.kernels.plan` tells what is
            taken.
        workspace: how many bytes a thread may need at a time to unroll or transform what it works on, about.

    Raises:
        ValueError: for what there is not.

    Example:
        >>> with tg.kernels.use("reference"):
        ...     y = tg.conv2d(tg.ones((1, 1, 4, 4)), tg.ones((1, 1, 3, 3)))
        >>> y.shape
        (1, 1, 2, 2)
    """
    settings = _now
    for name, value, known in (("family", family, FAMILIES), ("convolution", convolution, CONVOLUTIONS)):
        if value is not None and value not in known:
            raise ValueError(f"use() takes for {name} one of {', '.join(map(repr, known))}, got {value!r}.")
    if family is not None:
        settings = replace(settings, family=family)
    if convolution is not None:
        settings = replace(settings, convolution=convolution)
    if workspace is not None:
        if workspace < 1:
            raise ValueError(f"use() takes a workspace of 1 byte or more, got {workspace!r}.")
        settings = replace(settings, workspace=int(workspace))
    return _set(settings)


def set_float32_precision(precision: str) -> Restore:
    """Says how exact convolutions in float32 are, from now on or for a ``with`` block.

    Args:
        precision: ``"high"``, the default: algorithms with fewer products are allowed, whose error is up to about
            3e-5 of the largest value, and which make NaN of what is near to an infinity or NaN in its image; or
            ``"highest"``: sums of products only, with an error of about 1e-6. In float64 there are never others.

    Raises:
        ValueError: for what there is not.

    Example:
        >>> with tg.set_float32_precision("highest"):
        ...     tg.get_float32_precision()
        'highest'
    """
    if precision not in PRECISIONS:
        raise ValueError(f"set_float32_precision() takes one of {', '.join(map(repr, PRECISIONS))}, got {precision!r}.")
    return _set(replace(_now, precision=precision))


def get_float32_precision() -> str:
    """How exact convolutions in float32 are (:func:`set_float32_precision`).

    Example:
        >>> tg.get_float32_precision()
        'high'
    """
    return _now.precision
