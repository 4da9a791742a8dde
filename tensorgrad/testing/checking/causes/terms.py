"""Gradients of which a term is missing, or in which there is one too many."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tensorgrad.testing.checking.causes.evidence import Block, Entries, Evidence, Vector

DROPPED = "the gradient of {} is dropped on one path, or there is one too many: what is missing "


def term(evidence: Evidence, block: Block) -> str:
    """A term is missing that has a simple form."""
    e = block.entries
    if e.elementwise:
        return _of_one_entry(e)
    ndim = len(block.part.shape)
    if block.part.complex or not ndim:
        return ""
    for axis in (None, *range(ndim)) if ndim > 1 else (None,):
        groups = list(_groups(e, axis))
        along = "" if axis is None else f" along axis {axis}"
        for basis, words in _forms(evidence, block):
            if _spans(e, groups, basis):
                return DROPPED + words.replace("@", along)
    return ""


def _forms(evidence: Evidence, block: Block) -> Iterator[tuple[list[list[Vector]], str]]:
    """What is missing may be a combination of these (for each sample), and what that means."""
    x = [sample.x[block.slice] for sample in evidence.samples]
    one = [np.ones(len(values)) for values in x]
    yield [one], "is the same for all entries@. Is a mean or a sum@ taken for a constant?"
    yield [x], "is proportional to {}@. Is a sum of squares@ (a norm, a penalty) taken for a constant?"
    if block.only_output is not None:
        y = [sample.y for sample in evidence.samples]
        yield [y], "is proportional to the output@. Is what it is divided by@ taken for a constant?"
    yield (
        [one, x],
        "is a + b * {}, with the same a and b for all entries@. Are a mean and a variance@ taken for constants?",
    )


def _groups(e: Entries, axis: int | None) -> Iterator[Vector]:
    """The numbers of the columns that lie along an axis, or all of them."""
    index = list(np.unravel_index(e.places, e.block.part.shape))
    if axis is None or len(index) < 2:
        yield np.arange(len(e.places))
        return
    del index[axis]
    keys = np.ravel_multi_index(index, np.delete(e.block.part.shape, axis))
    for key in np.unique(keys):
        yield np.flatnonzero(keys == key)


def _spans(e: Entries, groups: list[Vector], basis: list[list[Vector]]) -> bool:
    """Whether what is missing is a combination of vectors, with factors for each row and group; and not for nothing."""
    told = 0
    missing = e.found - e.claimed
    for row in np.flatnonzero(e.wrong.any(axis=1)):
        for group in groups:
            known = group[e.known[row, group]]
            if not e.wrong[row, known].any():
                continue
            if len(known) < len(basis) + 2:
                # Of a large array no more than a few are known.
                if len(known) == len(group) and len(e.places) == e.block.slice.stop - e.block.slice.start:
                    return False
                continue
            a = np.array([vectors[row // e.first][e.places[known]] for vectors in basis]).T
            b, errors = missing[row, known], e.errors[row, known]
            rest = np.abs(b - a @ np.linalg.lstsq(a, b, rcond=None)[0])
            rounding = 1e-12 * (np.abs(e.found[row, known]).max() + np.abs(e.claimed[row, known]).max())
            if not (rest <= 1e-4 * np.abs(b).max() + 4 * errors + rounding).all() or not np.isfinite(rest).all():
                return False
            told += len(known) - len(basis)
    return told > 3


def _of_one_entry(e: Entries) -> str:
    """For elementwise functions: what is missing for each entry by itself."""
    if e.wrong.any(axis=0).sum() < 3:
        return ""
    x, y, claimed, found, errors = (a[e.wrong] for a in (e.x, e.y, e.claimed, e.found, e.errors))
    missing = found - claimed

    def fits(guess: Vector) -> bool:
        rounding = 1e-12 * (np.abs(found) + np.abs(claimed))
        return bool((np.abs(guess - missing) <= 1e-4 * np.abs(missing) + 4 * errors + rounding).all())

    usual, slope = float(np.median(missing)), float(np.median(missing / x))
    if fits(np.full(missing.shape, usual)):
        return f"{DROPPED}is {usual:.6g} everywhere, as of an addition."
    if x.all() and fits(slope * x):
        return f"{DROPPED}is {slope:.6g} * {{}}, as of a square."
    if x.all() and (fits(y / x) or fits(found - y / x)):
        return (
            "the gradient of {} has only one of the two terms of the product rule, (a b)' = a' b + a b': it is dropped "
            "on one path."
        )
    return ""


def nearly(evidence: Evidence, block: Block) -> str:
    """All digits but the last are right."""
    if not 0 < block.distance <= 1e-2:
        return ""
    return (
        f"the gradient of {{}} is nearly right, to {block.distance:.1g} of the largest: an eps in one of the two "
        f"passes only, a number with too few digits, or an approximation of the derivative?"
    )
