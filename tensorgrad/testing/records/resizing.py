"""The records of what changes the size of images, and of tables of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.ops import embedding, linalg, resizing
from tensorgrad.testing.contracts import bad_call
from tensorgrad.testing.records import resizing_references as ref
from tensorgrad.testing.records.kinds import named, record
from tensorgrad.testing.records.network_samples import bags, rows
from tensorgrad.testing.strategies import Config

IMAGE, TABLE = np.ones((1, 2, 3, 4)), np.ones((3, 2))
SIZES: dict[int, list[tuple[int, ...]]] = {
    3: [(2, 2, 3), (1, 1, 1), (0, 2, 3)],
    4: [(1, 2, 3, 2), (2, 1, 1, 4), (0, 1, 2, 2)],
    5: [(1, 1, 2, 3, 2), (0, 1, 2, 1, 2)],
}
NEW: list[dict[str, Any]] = [{"size": 4}, {"size": 2}, {"scale_factor": 2.0}, {"scale_factor": 1.5}]


def resized(mode: str, ranks: tuple[int, ...], corners: bool = False) -> list[Config]:
    """Images and new sizes for a mode."""
    more: list[dict[str, Any]] = [{}, {"align_corners": True}] if corners else [{}]
    shapes = [shape for rank in ranks for shape in SIZES[rank]]
    return [Config((shape,), {**new, **own, "mode": mode}) for shape in shapes for new in NEW for own in more]


RESIZING = [
    record(
        resizing.channel_shuffle,
        ref.channel_shuffle,
        shapes=[[(2, 4, 3)], [(1, 6, 2, 2)], [(0, 2, 1)]],
        options={"groups": 2},
        contract="(N, C, ...)",
        errors=[bad_call(r"C a multiple of 3; got \(1, 2, 3, 4\)", IMAGE, 3)],
    ),
    *(
        record(
            resizing.interpolate,
            ref.interpolate,
            shapes=st.sampled_from(resized(mode, ranks, mode not in ("nearest", "nearest-exact", "area"))),
            contract="(N, C, ...)",
            errors=errors,
            variant=mode,
        )
        for mode, ranks, errors in (
            (
                "nearest",
                (3, 4, 5),
                [
                    bad_call("no mode 'cubic'", IMAGE, 2, mode="cubic"),
                    bad_call("needs a size or a scale_factor, got None and None", IMAGE),
                    bad_call("has no align_corners", IMAGE, 2, align_corners=True),
                    bad_call(r"takes no scale_factor \[1, 2, 3\]", IMAGE, scale_factor=[1, 2, 3]),
                    bad_call(r"makes no \(0, 4\) of \(3, 4\)", IMAGE, (0, 4)),
                ],
            ),
            ("nearest-exact", (3, 4), ()),
            ("area", (3, 4), ()),
            ("linear", (3,), [bad_call(r"takes 3 axes \(N, C, ...\), got \(1, 2, 3, 4\)", IMAGE, 2, mode="linear")]),
            ("bilinear", (4,), ()),
            ("bicubic", (4,), ()),
            ("trilinear", (5,), ()),
        )
    ),
    record(
        resizing.pixel_shuffle,
        ref.pixel_shuffle,
        shapes=[[(1, 4, 2, 3)], [(8, 1, 2)], [(0, 4, 1, 1)]],
        options={"upscale_factor": 2},
        contract="(..., C r r, H, W)",
        errors=[bad_call(r"a multiple of 9 channels, got shape \(1, 2, 3, 4\)", IMAGE, 3)],
    ),
    record(
        resizing.pixel_unshuffle,
        ref.pixel_unshuffle,
        shapes=[[(1, 2, 2, 4)], [(1, 4, 2)], [(0, 1, 2, 2)]],
        options={"downscale_factor": 2},
        contract="(..., C, H r, W r)",
        errors=[bad_call(r"that are multiples, got \(1, 2, 3, 4\)", IMAGE, 2)],
    ),
]

TABLES = [
    record(
        embedding.embedding,
        ref.embedding,
        shapes=rows(),
        call=lambda weight, input, **options: embedding.embedding(input, weight, **options),
        contract="input: any, of integers; weight (V, D)",
        errors=[
            bad_call("picks rows by integers, got dtype float64", np.ones(2), TABLE, error=TypeError),
            bad_call(r"a table of shape \(V, D\), got shape \(3,\)", np.array([0]), np.ones(3)),
            bad_call("asked for row 3, but a table of .* has 0 to 2", np.array([0, 3]), TABLE, error=IndexError),
            bad_call("padding_idx=3, but its table has 3 rows", np.array([0]), TABLE, padding_idx=3),
        ],
    ),
    record(
        embedding.embedding_bag,
        ref.embedding_bag,
        shapes=bags(),
        call=lambda weight, input, *more, names=(), **options: named(embedding.embedding_bag, 2)(
            input, weight, *more, names=names, **options
        ),
        contract="input (B, L), or (N) and offsets (B); weight (V, D)",
        host="where bags begin says how long they are",
        errors=[
            bad_call("the modes 'sum', 'mean' and 'max', not 'min'", np.array([[0]]), TABLE, mode="min"),
            bad_call(r"\(N,\) with offsets; got \(1,\) and None", np.array([0]), TABLE),
            bad_call("offsets that begin with 0 and do not fall, up to 2", np.array([0, 1]), TABLE, offsets=[1]),
            bad_call("for sums, in the shape of the input", np.array([[0]]), TABLE, per_sample_weights=np.ones((1, 1))),
        ],
    ),
    record(
        linalg.bilinear,
        ref.bilinear,
        shapes=[
            [(2, 3), (2, 2), (4, 3, 2), (4,)],
            [(3,), (2,), (1, 3, 2)],
            [(2, 1, 2), (2, 1, 1), (2, 2, 1), (2,)],
            [(0, 2), (0, 1), (1, 2, 1)],
        ],
        contract="x1 (..., I), x2 (..., J), weight (O, I, J), bias (O)",
        errors=[bad_call(r"x1 \(3, 2\), x2 \(3, 2\) and weight \(1, 2, 3\)", TABLE, TABLE, np.ones((1, 2, 3)))],
    ),
]
