"""Layers are faces on those of ``tensorgrad.nn``: Keras's names, shapes and memory order, and the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.keras import Input, Sequential, layers, models, regularizers

X = np.random.default_rng(0).standard_normal


def channels_first(x):
    return np.moveaxis(np.asarray(x), -1, 1)


def outputs(layer, x):
    return layer(tg.tensor(x)).numpy()


def test_dense_is_a_linear_layer_with_the_kernel_the_other_way_round():
    layer, x = layers.Dense(3, activation="relu"), X((5, 4))
    layer.build_for((None, 4))
    kernel, bias = X((4, 3)), X(3)
    layer.set_weights([kernel, bias])
    assert np.allclose(outputs(layer, x), np.maximum(x @ kernel + bias, 0), atol=1e-6)
    assert isinstance(layer.module, nn.Linear)
    assert np.allclose(layer.module.weight.numpy(), kernel.T.astype(np.float32))
    assert layer.count_params() == 15


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.Dense(2, kernel_initializer="he_norma"), "no initializer 'he_norma'. Do you mean 'he_normal'"),
        (lambda: layers.Conv2D(2, 3, bias_initializer="zero5"), "no initializer 'zero5'"),
        (lambda: layers.LSTM(2, recurrent_regularizer="l3"), "no regularizer 'l3'"),
        (lambda: layers.BatchNormalization(gamma_regularizer="l3"), "no regularizer 'l3'"),
    ],
)
def test_wrong_names_are_refused_at_once(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_the_convolution_of_the_lecture():
    image = np.array([[4, 2, 0, 0], [3, 2, 3, 8], [2, 1, 8, 5], [4, 6, 8, 2]], float)
    layer = layers.Conv2D(1, 3, use_bias=False)
    layer.build_for((None, 4, 4, 1))
    layer.set_weights([np.arange(1.0, 10.0).reshape(3, 3, 1, 1)])
    assert outputs(layer, image[None, :, :, None])[0, :, :, 0].tolist() == [[142, 189], [225, 230]]


@pytest.mark.parametrize(
    ("kind", "module", "axes"),
    [(layers.Conv1D, nn.Conv1d, 1), (layers.Conv2D, nn.Conv2d, 2), (layers.Conv3D, nn.Conv3d, 3)],
)
@pytest.mark.parametrize("strides", [1, 2])
def test_convolutions_have_their_channels_last(kind, module, axes, strides):
    layer = kind(4, 3, strides=strides, groups=2)
    x = X((2, *(7,) * axes, 6)).astype(np.float32)
    mine = outputs(layer, x)
    assert layer.weights[0].shape == (*(3,) * axes, 3, 4)
    plain = module(6, 4, 3, strides, groups=2)
    plain.load_state_dict(layer.module.state_dict())
    assert np.allclose(channels_first(mine), plain(tg.tensor(channels_first(x))).numpy(), atol=1e-5)
    first = kind(4, 3, strides=strides, groups=2, data_format="channels_first")
    first.build_for((None, 6, *(7,) * axes))
    first.set_weights(layer.get_weights())
    assert np.allclose(outputs(first, channels_first(x)), channels_first(mine), atol=1e-5)


@pytest.mark.parametrize("length", range(4, 9))
@pytest.mark.parametrize("strides", [1, 2, 3])
def test_same_padding_leaves_the_length_over_the_strides_rounded_up(length, strides):
    x = X((1, length, length, 2)).astype(np.float32)
    shape = (1, -(-length // strides), -(-length // strides))
    assert outputs(layers.Conv2D(3, 3, strides, "same"), x).shape == (*shape, 3)
    assert outputs(layers.MaxPooling2D(3, strides, "same"), x).shape == (*shape, 2)
    # What is odd is at the end.
    total = max((shape[1] - 1) * strides + 3 - length, 0)
    padded = np.pad(x, ((0, 0), *((total // 2, total - total // 2),) * 2, (0, 0)))
    layer = layers.Conv2D(3, 3, strides, "same")
    found = outputs(layer, x)
    valid = layers.Conv2D(3, 3, strides, "valid")
    valid.build_for((None, None, None, 2))
    valid.set_weights(layer.get_weights())
    assert np.allclose(found, outputs(valid, padded), atol=1e-5)


def test_causal_convolutions_see_nothing_of_the_future():
    layer = layers.Conv1D(2, 3, padding="causal", dilation_rate=2)
    x = X((1, 9, 3)).astype(np.float32)
    before = outputs(layer, x)
    x[:, 5:] += 1
    after = outputs(layer, x)
    assert (before[:, :5] == after[:, :5]).all()
    assert (before[:, 5:] != after[:, 5:]).all()


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("kernel", "strides"), [(3, 1), (3, 2), (2, 3), (4, 2)])
def test_transposed_convolutions_are_the_transpose(padding, kernel, strides):
    up = layers.Conv2DTranspose(2, kernel, strides, padding, use_bias=False)
    x = X((1, 4, 5, 3)).astype(np.float32)
    large = outputs(up, x)
    more = max(kernel - strides, 0) if padding == "valid" else 0
    assert large.shape == (1, 4 * strides + more, 5 * strides + more, 2)
    assert up.weights[0].shape == (kernel, kernel, 2, 3)
    down = layers.Conv2D(3, kernel, strides, padding, use_bias=False)
    down.build_for((None, None, None, 2))
    down.set_weights(up.get_weights())
    y = X(large.shape).astype(np.float32)
    small = outputs(down, y)
    if small.shape == x.shape:
        assert np.isclose((large * y).sum(), (small * x).sum(), rtol=1e-4)


def test_depthwise_and_separable_convolutions():
    x = X((2, 6, 6, 3)).astype(np.float32)
    depth = layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False)
    y = outputs(depth, x)
    (kernel,) = depth.get_weights()
    assert kernel.shape == (3, 3, 3, 2)
    one = layers.Conv2D(2, 3, use_bias=False)
    one.build_for((None, 6, 6, 1))
    one.set_weights([kernel[:, :, 1:2]])
    assert np.allclose(y[..., 2:4], outputs(one, x[..., 1:2]), atol=1e-5)
    both = layers.SeparableConv2D(4, 3, depth_multiplier=2)
    both.build_for((None, 6, 6, 3))
    assert [(w.name, w.shape) for w in both.weights] == [
        ("depthwise_kernel", (3, 3, 3, 2)),
        ("pointwise_kernel", (1, 1, 6, 4)),
        ("bias", (4,)),
    ]
    mix = X((1, 1, 6, 4)).astype(np.float32)
    both.set_weights([kernel, mix, np.zeros(4)])
    assert np.allclose(outputs(both, x), y @ mix[0, 0], atol=1e-4)


def test_pooling():
    x = X((2, 5, 7, 3)).astype(np.float32)
    windows = x[:, :4, :6].reshape(2, 2, 2, 3, 2, 3)
    assert np.array_equal(outputs(layers.MaxPooling2D(), x), windows.max((2, 4)))
    assert np.allclose(outputs(layers.AveragePooling2D((2, 2)), x), windows.mean((2, 4)), atol=1e-6)
    # Padding does not count.
    assert outputs(layers.AveragePooling2D(2, padding="same"), x)[0, 2, 3] == pytest.approx(x[0, 4, 6])
    assert np.allclose(outputs(layers.GlobalAveragePooling2D(), x), x.mean((1, 2)), atol=1e-6)
    assert outputs(layers.GlobalMaxPooling2D(keepdims=True), x).shape == (2, 1, 1, 3)
    assert outputs(layers.GlobalMaxPooling1D(data_format="channels_first"), x[0]).shape == (5, 7)
    assert outputs(layers.MaxPooling3D(), x[None]).shape == (1, 1, 2, 3, 3)
    assert outputs(layers.MaxPooling1D(2, strides=1), x[0]).shape == (5, 6, 3)


@pytest.mark.parametrize(("axis", "shape"), [(-1, (6, 4, 5, 3)), (1, (6, 3, 4, 5)), (-1, (6, 3)), (2, (6, 4, 3, 5))])
def test_batch_normalization_keeps_the_biased_variance(axis, shape):
    layer = layers.BatchNormalization(axis, momentum=0.9)
    x = X(shape).astype(np.float32) * 2 + 1
    layer.build_for((None, *shape[1:]))
    y = layer(tg.tensor(x), training=True).numpy()
    others = tuple(i for i in range(len(shape)) if i != axis % len(shape))
    mean, variance = x.mean(others), x.var(others)
    gamma, beta, moving_mean, moving_variance = layer.get_weights()
    assert np.allclose(moving_mean, 0.1 * mean, atol=1e-6)
    assert np.allclose(moving_variance, 0.9 + 0.1 * variance, atol=1e-5)
    assert (gamma.tolist(), beta.tolist()) == ([1.0] * 3, [0.0] * 3)
    wanted = (x - x.mean(others, keepdims=True)) / np.sqrt(x.var(others, keepdims=True) + 1e-3)
    assert np.allclose(y, wanted, atol=1e-4)
    at_rest = [1] * len(shape)
    at_rest[axis] = 3
    still = (x - moving_mean.reshape(at_rest)) / np.sqrt(moving_variance.reshape(at_rest) + 1e-3)
    assert np.allclose(layer(tg.tensor(x)).numpy(), still, atol=1e-4)
    assert np.array_equal(layer.get_weights()[2], moving_mean)


def test_batch_normalization_of_one_value_per_channel_has_no_spread():
    layer = layers.BatchNormalization()
    assert layer(tg.ones((1, 3)), training=True).tolist() == [[0.0, 0.0, 0.0]]
    assert layer.get_weights()[3] == pytest.approx([0.99] * 3)


def test_a_frozen_batch_normalization_does_not_follow():
    layer = layers.BatchNormalization(trainable=False)
    layer(tg.tensor(X((4, 3))), training=True)
    assert layer.get_weights()[2].tolist() == [0.0, 0.0, 0.0]
    assert not layer.trainable_weights
    layer.trainable = True
    layer(tg.tensor(X((4, 3))), training=True)
    assert layer.get_weights()[2].tolist() != [0.0, 0.0, 0.0]


def test_other_normalizations():
    x = X((2, 5, 4)).astype(np.float32)
    y = outputs(layers.LayerNormalization(), x)
    assert np.allclose(y, (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-3), atol=1e-5)
    assert [w.name for w in _built(layers.LayerNormalization(scale=False), (2, 4)).weights] == ["beta"]
    grouped = x.reshape(2, 5, 2, 2)
    mean, spread = grouped.mean((1, 3), keepdims=True), grouped.var((1, 3), keepdims=True)
    wanted = ((grouped - mean) / np.sqrt(spread + 1e-3)).reshape(x.shape)
    assert np.allclose(outputs(layers.GroupNormalization(2), x), wanted, atol=1e-5)


DATA = 100 * X((12, 2, 3)) + 5000


@pytest.mark.parametrize("axis", [-1, 1, (1, 2), None])
def test_inputs_are_normalised_by_figures_of_all_data(axis):
    layer = layers.Normalization(axis=axis)
    layer.adapt(DATA)
    kept = () if axis is None else axis if isinstance(axis, tuple) else (axis % 3,)
    others = tuple(i for i in range(3) if i not in kept)
    mean, variance = DATA.mean(others, keepdims=True), DATA.var(others, keepdims=True)
    x = DATA[:5].astype("float32")
    np.testing.assert_allclose(outputs(layer, x), (x - mean) / np.sqrt(variance), atol=1e-4)
    assert [(w.name, w.shape) for w in layer.weights] == [
        ("mean", mean.squeeze().shape),
        ("variance", mean.squeeze().shape),
        ("count", ()),
    ]
    assert not layer.trainable_weights
    batches = layers.Normalization(axis=axis)
    batches.adapt(tg.data.DataLoader(tg.data.TensorDataset(DATA, np.zeros(12)), batch_size=5))
    np.testing.assert_allclose(outputs(batches, x), outputs(layer, x), atol=1e-5)
    known = {"axis": axis, "mean": mean.squeeze(), "variance": variance.squeeze()}
    np.testing.assert_allclose(outputs(layers.Normalization(**known), x), outputs(layer, x), atol=1e-4)
    back = layers.Normalization(**known, invert=True)
    np.testing.assert_allclose(outputs(back, outputs(layer, x)), x, rtol=1e-5)


def test_figures_of_data_are_not_learned_and_are_saved(tmp_path):
    first = layers.Normalization()
    first.adapt(DATA[:, 0])
    model = Sequential([first, layers.Dense(1)])
    model.compile("adam", "mse")
    before = first.get_weights()
    model.fit(DATA[:, 0], np.ones(12), epochs=2, verbose=0)
    assert all(map(np.array_equal, first.get_weights(), before))
    assert (model.count_params(), before[2]) == (3 + 3 + 1 + 4, 12)
    model.save(tmp_path / "model.keras")
    again = models.load_model(tmp_path / "model.keras")
    assert np.array_equal(again.predict(DATA[:, 0], verbose=0), model.predict(DATA[:, 0], verbose=0))
    first.adapt([[1, 2, 3], [3, 2, 5]])  # integers, and a column that is always the same
    assert first.get_weights()[0].tolist() == [2, 2, 4]
    assert outputs(first, np.array([[3, 2, 3]])).tolist() == [[1, 0, -1]]


def test_what_normalization_refuses():
    with pytest.raises(ValueError, match="mean and variance, or none of them"):
        layers.Normalization(mean=1.0)
    with pytest.raises(ValueError, match="there is nothing to adapt"):
        layers.Normalization(mean=0.0, variance=1.0, axis=None).adapt([[1.0]])
    with pytest.raises(ValueError, match=r"adapt\(\) needs data, got an array of shape \(0, 2\)"):
        layers.Normalization().adapt(np.zeros((0, 2)))
    with pytest.raises(ValueError, match="axis=0, and is given 2 axes, of which the first are the samples"):
        layers.Normalization(axis=0).adapt(np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"mean has shape \(2,\), not \(4,\)"):
        layer = layers.Normalization()
        layer.adapt(np.zeros((3, 2)))
        layer.adapt(np.zeros((3, 4)))


def _built(layer, shape):
    layer.build_for((None, *shape[1:]))
    return layer


@pytest.mark.parametrize(
    ("layer", "shape", "wanted"),
    [
        (layers.Flatten(), (2, 64, 32, 32), (2, 65536)),
        (layers.Reshape((28, 28, 1)), (2, 784), (2, 28, 28, 1)),
        (layers.Reshape((3, -1)), (2, 12), (2, 3, 4)),
        (layers.Permute((2, 1)), (2, 3, 4), (2, 4, 3)),
        (layers.RepeatVector(3), (2, 4), (2, 3, 4)),
        (layers.ZeroPadding2D(((1, 0), (2, 3))), (2, 3, 4, 5), (2, 4, 9, 5)),
        (layers.ZeroPadding1D((0, 2)), (2, 3, 4), (2, 5, 4)),
        (layers.Cropping2D(((1, 0), (0, 2))), (2, 3, 4, 5), (2, 2, 2, 5)),
        (layers.UpSampling2D((2, 3), interpolation="bilinear"), (2, 3, 4, 5), (2, 6, 12, 5)),
        (layers.UpSampling1D(3), (2, 3, 4), (2, 9, 4)),
        (layers.GaussianNoise(1.0), (2, 3), (2, 3)),
        (layers.Conv2D(8, 3, padding="same"), (2, 28, 28, 1), (2, 28, 28, 8)),
        (layers.Embedding(10, 4), (2, 7), (2, 7, 4)),
    ],
)
def test_shapes_are_known_before_there_are_data(layer, shape, wanted):
    assert outputs(layer, np.zeros(shape, np.float32)).shape == wanted
    assert layer.output_shape == (None, *wanted[1:])
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *wanted[1:])


def test_axes_of_any_length_stay_so():
    model = Sequential([Input((None, None, 3)), layers.Conv2D(4, 3, strides=2), layers.MaxPooling2D()])
    assert model.output_shape == (None, None, None, 4)
    assert Sequential([Input((None,)), layers.Embedding(9, 4), layers.GlobalMaxPooling1D()]).output_shape == (None, 4)


def test_flatten_brings_channels_to_the_end_where_they_are_first():
    x = np.arange(12.0).reshape(1, 2, 2, 3)
    assert outputs(layers.Flatten("channels_first"), channels_first(x)).tolist() == x.reshape(1, 12).tolist()


def test_embeddings_take_integers_that_are_floats():
    layer = layers.Embedding(5, 3)
    assert np.array_equal(outputs(layer, np.array([[1.0, 4.0]])), layer.get_weights()[0][[[1, 4]]])
    assert np.abs(layer.get_weights()[0]).max() <= 0.05


def test_dropout_is_at_work_in_training_only():
    layer, x = layers.Dropout(0.4), tg.ones((100, 100))
    assert layer(x).numpy().min() == 1
    dropped = layer(x, training=True).numpy()
    assert set(np.unique(dropped.round(4))) == {0, np.float32(1 / 0.6).round(4)}
    assert 0.37 < (dropped == 0).mean() < 0.43
    channels = layers.SpatialDropout2D(0.5)(tg.ones((4, 3, 3, 20)), training=True).numpy()
    assert ((channels == channels[:, :1, :1]).all((1, 2))).all()
    noisy = layers.GaussianDropout(0.5)(x, training=True).numpy()
    assert (noisy.mean(), noisy.std()) == pytest.approx((1.0, 1.0), abs=0.05)


def test_activations_as_layers():
    x = np.array([[-2.0, 0.5, 9.0]], np.float32)
    assert outputs(layers.ReLU(6.0, 0.1), x)[0].tolist() == pytest.approx([-0.2, 0.5, 6.0])
    assert outputs(layers.LeakyReLU(alpha=0.5), x)[0, 0] == -1
    assert outputs(layers.Activation("softmax"), x).sum() == pytest.approx(1)
    assert outputs(layers.PReLU("ones"), x).tolist() == x.tolist()
    assert outputs(layers.ELU(), x)[0, 0] == pytest.approx(np.exp(-2) - 1)
    assert outputs(layers.Dense(2, activation=layers.ReLU(max_value=0.0)), x).tolist() == [[0.0, 0.0]]


def test_layers_of_several_inputs():
    one, other = tg.ones((2, 3)), tg.full((2, 3), 3.0)
    for kind, value in (
        (layers.Add, 4),
        (layers.Subtract, -2),
        (layers.Multiply, 3),
        (layers.Maximum, 3),
        (layers.Minimum, 1),
        (layers.Average, 2),
    ):
        assert kind()([one, other]).tolist() == [[value] * 3] * 2
    assert layers.Concatenate(axis=0)([one, other]).shape == (4, 3)
    with pytest.raises(ValueError, match="a list of two inputs"):
        layers.Add()(one)


def test_a_layer_of_ones_own():
    class Half(layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units

        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="ones", name="w")
            self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False, name="steps")
            self.add_weight(shape=(2,), name="assigned_to_nothing")

        def call(self, inputs, training=None):
            if training:
                self.steps.assign_add(1)
            return inputs @ self.w / 2

    layer = Half(3)
    assert layer(tg.ones((2, 4))).tolist() == [[2.0] * 3] * 2
    layer(tg.ones((2, 4)), training=True)
    assert [w.name for w in layer.weights] == ["w", "assigned_to_nothing", "steps"]
    assert layer.steps.item() == 1
    assert len(list(layer.parameters())) == 3
    assert [w.name for w in layer.trainable_weights] == ["w", "assigned_to_nothing"]
    layer.trainable = False
    assert not layer.trainable_weights
    layer.trainable = True
    assert [w.name for w in layer.non_trainable_weights] == ["steps"]
    assert layer.get_config() == {"name": "half", "units": 3, "trainable": True}


def test_a_layer_that_cannot_do_without_samples():
    class Centred(layers.Layer):
        def call(self, inputs):
            self.add_loss(tg.mean(inputs))
            return inputs - tg.max(inputs)

    layer = Centred()
    assert layer(tg.ones((2, 3))).tolist() == [[0.0] * 3] * 2
    assert layer.output_shape == (None, 3)
    assert [loss.item() for loss in layer.losses] == [1.0]


def test_augmentation_is_at_work_in_training_only():
    x = np.arange(2 * 4 * 6 * 3, dtype=np.float32).reshape(2, 4, 6, 3)
    for layer in (
        layers.RandomFlip("horizontal"),
        layers.RandomRotation(0.2),
        layers.RandomTranslation(0.5, 0.5),
        layers.RandomZoom((-0.5, 0.5)),
    ):
        assert np.array_equal(outputs(layer, x), x)
        changed = [layer(tg.tensor(x), training=True).numpy() for _ in range(5)]
        assert {image.shape for image in changed} == {x.shape}
        assert any((image != x).any() for image in changed)
        assert type(type(layer).from_config(layer.get_config())) is type(layer)
    flipped = {layers.RandomFlip("horizontal")(x[:1], training=True).numpy()[0, 0, 0, 0] for _ in range(20)}
    assert flipped == {0, 15}
    first = layers.RandomFlip("vertical", data_format="channels_first")
    assert {first(x[:1], training=True).numpy()[0, 0, 0, 0] for _ in range(20)} == {0, 15}


def test_weights_have_names():
    layer = _built(layers.Dense(2), (1, 3))
    assert layer.kernel.shape == (3, 2)
    assert np.array_equal(layer.bias, np.zeros(2))
    norm = _built(layers.BatchNormalization(), (1, 3))
    norm.moving_mean.assign([1.0, 2.0, 3.0])
    assert norm.module.running_mean.tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="dense/kernel has shape"):
        layer.kernel.assign(np.zeros(3))


def test_penalties_are_counted_on_all_weights():
    layer = layers.Dense(1, kernel_regularizer="l2", bias_regularizer=regularizers.L1(0.5), bias_initializer="ones")
    layer.build_for((None, 2))
    layer.set_weights([[[3.0], [4.0]], [-2.0]])
    assert [float(loss) for loss in layer.losses] == pytest.approx([0.25, 1.0])
    model = Sequential([layer, layers.ActivityRegularization(l1=1.0)])
    model(tg.ones((2, 2)), training=True)
    assert sum(float(loss) for loss in model.losses) == pytest.approx(1.25 + 5.0)


def test_float32_stays_float32_and_other_floats_are_brought_to_it():
    for x in (np.ones((2, 3)), np.ones((2, 3), np.float16), [[1.0, 2.0, 3.0]]):
        assert layers.Dense(2)(x).dtype == np.float32
    double = layers.Dense(2, dtype="float64")
    assert double(np.ones((2, 3))).dtype == np.float64


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: layers.Dense(0), "units"),
        (lambda: layers.Dense(3, activaton="relu"), "takes no activaton"),
        (lambda: layers.Dense(3, activation="rleu"), "'relu'"),
        (lambda: layers.Conv2D(3, (3, 3, 3)), "kernel_size"),
        (lambda: layers.Conv2D(3, 3, padding="SOME"), "paddings 'valid', 'same'"),
        (lambda: layers.Conv2D(3, 3, data_format="NHWC"), "channels_last"),
        (lambda: layers.Conv2D(3, 3)(tg.ones((1, 28, 28))), "axis of channels missing"),
        (lambda: layers.Conv2D(3, 3, groups=2)(tg.ones((1, 5, 5, 3))), "groups=2"),
        (lambda: _built(layers.Dense(3), (1, 4))(tg.ones((1, 5))), "4"),
        (lambda: layers.Embedding(3, 2, mask_zero=True), "no masks"),
        (lambda: layers.Layer()(tg.ones((1, 2))), "no call"),
        (lambda: layers.Dense(3)(Input((4,))), "functional API"),
        (lambda: layers.Dense(3).count_params(), "is not built"),
        (lambda: _built(layers.Dense(3), (1, 4)).set_weights([np.ones((4, 3))]), r"dense/kernel \(4, 3\)"),
        (lambda: layers.Cropping2D(2)(tg.ones((1, 4, 5, 1))), "nothing"),
        (lambda: layers.Permute((0, 1)), "from 1"),
        (lambda: Input((3, -1)), "lengths of 0 or more"),
        (lambda: Input(), "shape"),
        (lambda: layers.RandomFlip("sideways"), "'horizontal'"),
        (lambda: layers.RandomRotation(0.1, fill_mode="reflect"), "constant"),
        (lambda: layers.RandomZoom(0.1, 0.2), "proportions"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises((ValueError, TypeError, NotImplementedError), match=words):
        call()
