"""First values are Keras's."""

from __future__ import annotations

import numpy as np
import pytest

from tensorgrad.keras import config, initializers, layers

SHAPE = (5, 5, 16, 40)
INWARD, OUTWARD = 400, 1000


def values(identifier, shape=SHAPE):
    return initializers.get(identifier)(shape).numpy()


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / (INWARD + OUTWARD)),
        ("glorot_normal", 2 / (INWARD + OUTWARD)),
        ("he_uniform", 2 / INWARD),
        ("he_normal", 2 / INWARD),
        ("lecun_uniform", 1 / INWARD),
        ("lecun_normal", 1 / INWARD),
        ("uniform", 0.05**2 / 3),
        ("normal", 0.05**2),
        (initializers.VarianceScaling(3.0, "fan_out", "untruncated_normal"), 3 / OUTWARD),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_variances(name, variance):
    found = values(name)
    assert found.dtype == np.float32
    assert abs(found.mean()) < 0.02 * variance**0.5
    assert found.var() == pytest.approx(variance, rel=0.03)
    if "uniform" in str(name):
        assert np.abs(found).max() <= (3 * variance) ** 0.5
    if str(name).endswith("_normal"):
        assert np.abs(found).max() <= 2.0001 * variance**0.5 / initializers.CUT


def test_others():
    assert values("zeros").max() == 0
    assert values(initializers.Constant(3.0)).min() == 3
    assert values("identity", (2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]
    q = values("orthogonal", (3, 4, 5))
    assert np.allclose(q.reshape(12, 5).T @ q.reshape(12, 5), np.eye(5), atol=1e-5)
    cut = values(initializers.TruncatedNormal(1.0, 0.5))
    assert (cut.min(), cut.max()) == pytest.approx((0, 2), abs=0.01)
    assert values(lambda shape, dtype=None: initializers.Ones()(shape)).min() == 1
    assert initializers.fans((7,)) == (7, 7)


def test_a_seed_gives_the_same_values_at_each_call():
    drawn = initializers.GlorotUniform(seed=3)
    assert (drawn((4, 5)).numpy() == drawn((4, 5)).numpy()).all()
    assert (values("glorot_uniform") != values("glorot_uniform")).any()


def test_usual_first_values():
    layer = layers.Conv2D(40, 5)
    layer.build_for((None, 9, 9, 16))
    kernel, bias = layer.get_weights()
    assert np.abs(kernel).max() <= (6 / (INWARD + OUTWARD)) ** 0.5
    assert kernel.var() == pytest.approx(2 / (INWARD + OUTWARD), rel=0.03)
    assert not bias.any()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: initializers.get("glorot"), "Do you mean"),
        (lambda: initializers.VarianceScaling(mode="fan"), "mode"),
        (lambda: initializers.VarianceScaling(distribution="even"), "even"),
        (lambda: initializers.Orthogonal()((3,)), "matrices"),
        (lambda: initializers.Identity()((3, 3, 3)), "matrices"),
        (lambda: config.set_floatx("int8"), "float32"),
        (lambda: config.set_image_data_format("NHWC"), "channels_last"),
        (lambda: config.set_epsilon(0.0), "above 0"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_settings():
    try:
        config.set_floatx("float64")
        config.set_image_data_format("channels_first")
        layer = layers.Conv2D(2, 3)
        assert layer(np.ones((1, 4, 5, 5))).shape == (1, 2, 3, 3)
        assert layer.weights[0].dtype == "float64"
    finally:
        config.set_floatx("float32")
        config.set_image_data_format("channels_last")
