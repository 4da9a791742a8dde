"""The records of shapes, and of elements in another order, repeated, or with others around them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tensorgrad.ops import arrangement, shape
from tensorgrad.testing.contracts import bad_call
from tensorgrad.testing.records import references as ref
from tensorgrad.testing.records.configs import broadcasts, joined, pads, repeats, reshapes, rolls, splits, with_axes
from tensorgrad.testing.records.kinds import ALL, NUMBERS, of_list, record
from tensorgrad.testing.strategies import Config, shapes

X = np.ones((2, 3))
OUT_OF_RANGE = (IndexError, ValueError)

SPANS = st.sampled_from([(0, -1), (0, 1), (1, 2), (1, -1), (-2, -1), (-2, 2)])
FLATTENED = st.one_of(
    shapes().map(lambda shape: Config((shape,), {"start_dim": 0, "end_dim": -1})),
    SPANS.map(lambda span: Config(((2, 1, 3),), {"start_dim": span[0], "end_dim": span[1]})),
)

SHAPE = [
    record(shape.broadcast_arrays, np.broadcast_arrays, ALL, arity=2),
    record(
        shape.broadcast_to,
        np.broadcast_to,
        ALL,
        shapes=broadcasts(),
        contract="any",
        errors=[bad_call("broadcast", X, (2, 4))],
    ),
    record(
        shape.concat,
        of_list(np.concatenate),
        ALL,
        shapes=joined(),
        call=of_list(shape.concat),
        contract="equal but for one axis",
        errors=[bad_call("dimension|shape", (X, X[:, :1])), bad_call("axis", (X, X), axis=2, error=OUT_OF_RANGE)],
    ),
    record(
        shape.expand_dims,
        np.expand_dims,
        ALL,
        shapes=with_axes(axis="new"),
        contract="any",
        errors=[bad_call("axis", X, 3, error=OUT_OF_RANGE)],
    ),
    record(
        shape.flatten,
        ref.flatten,
        ALL,
        shapes=FLATTENED,
        contract="any, between two axes",
        errors=[bad_call("axis 2", X, 0, 2, error=OUT_OF_RANGE), bad_call("from axis 1 to 0", X, 1, 0)],
    ),
    record(
        shape.matrix_transpose,
        np.matrix_transpose,
        ALL,
        shapes="matrix",
        errors=[bad_call("2", np.ones(3))],
    ),
    record(
        shape.moveaxis,
        np.moveaxis,
        ALL,
        shapes=with_axes(source="many", destination="many"),
        contract="any",
        call=lambda x, source, destination: shape.moveaxis(x, source, destination),
        errors=[bad_call("axis|source|destination", X, 0, (0, 1)), bad_call("axis", X, 2, 0, error=OUT_OF_RANGE)],
    ),
    record(
        shape.permute_dims,
        np.transpose,
        ALL,
        shapes=with_axes(axes="all"),
        contract="any",
        errors=[bad_call("repeated|twice", X, (0, 0))],
    ),
    record(
        shape.reshape,
        lambda x, shape: x.reshape(shape),
        ALL,
        shapes=reshapes(),
        contract="as many elements",
        errors=[bad_call("reshape", X, (4, 2))],
    ),
    record(
        shape.reshape,
        lambda x, shape, copy: x.reshape(shape),
        ALL,
        shapes=reshapes(),
        options={"copy": True},
        variant="copy",
    ),
    record(
        shape.split,
        np.split,
        ALL,
        shapes=splits(),
        contract="any",
        errors=[bad_call("equal", X, 2, axis=1), bad_call("axis", X, 1, axis=2, error=OUT_OF_RANGE)],
    ),
    record(
        shape.squeeze,
        np.squeeze,
        ALL,
        shapes=with_axes(axis="ones"),
        contract="any",
        errors=[bad_call("squeeze", X, 0)],
    ),
    record(
        shape.stack,
        of_list(np.stack),
        ALL,
        shapes=joined(new_axis=True),
        call=of_list(shape.stack),
        contract="one shape",
        errors=[bad_call("one shape", (X, X[:1])), bad_call("at least one", ())],
    ),
    record(
        shape.swapaxes,
        np.swapaxes,
        ALL,
        shapes=with_axes(axis1="one", axis2="one"),
        contract="any",
        call=lambda x, axis1, axis2: shape.swapaxes(x, axis1, axis2),
        errors=[bad_call("axis", X, 0, 2, error=OUT_OF_RANGE)],
    ),
    record(
        shape.transpose,
        np.transpose,
        ALL,
        shapes=with_axes(axes="all"),
        contract="any, and its axes in another order",
        errors=[bad_call("repeated|twice", X, (0, 0)), bad_call("axis", X, (0, 2), error=OUT_OF_RANGE)],
    ),
    record(shape.transpose, np.transpose, ALL, variant="reversed"),
    record(shape.unstack, ref.unstack, ALL, shapes="axis"),
]

ARRANGEMENT = [
    record(
        arrangement.flip,
        np.flip,
        ALL,
        shapes=with_axes(axis="many"),
        contract="any, along axes",
        errors=[bad_call("axis", X, axis=2, error=OUT_OF_RANGE)],
    ),
    record(
        arrangement.pad,
        np.pad,
        NUMBERS,
        shapes=pads(constant=True),
        contract="any",
        errors=[bad_call("pair", X, ((1, 1),)), bad_call("mirror", X, 1, mode="mirror")],
    ),
    record(arrangement.pad, np.pad, NUMBERS, shapes=pads(constant=False), variant="mode", nonempty="nothing to repeat"),
    record(
        arrangement.repeat,
        np.repeat,
        ALL,
        shapes=repeats(),
        contract="any",
        call=lambda x, repeats, axis: arrangement.repeat(x, repeats, axis=axis),
        errors=[bad_call("integer", X, 1.5, error=TypeError), bad_call("0 or more", X, -1)],
    ),
    record(
        arrangement.roll,
        np.roll,
        ALL,
        shapes=rolls(),
        contract="any",
        errors=[bad_call("integer", X, 1.5, error=TypeError), bad_call("axis", X, 1, axis=2, error=OUT_OF_RANGE)],
    ),
    record(
        arrangement.tile,
        np.tile,
        ALL,
        shapes=shapes(max_dims=2).map(lambda one: Config((one,))),
        options={"reps": st.one_of(st.integers(0, 2), st.lists(st.integers(0, 2), max_size=3).map(tuple))},
        call=lambda x, reps: arrangement.tile(x, reps),
        contract="any",
        errors=[bad_call("integer", X, 1.5, error=TypeError), bad_call("0 or more", X, [-1, 2])],
    ),
    *(
        record(
            getattr(arrangement, name),
            getattr(np, name),
            ALL,
            shapes="matrix",
            options={"k": st.integers(-2, 2)},
            errors=[bad_call("2", np.ones(3))],
        )
        for name in ("tril", "triu")
    ),
]
