"""Transforms: what each does to a picture that can be checked by eye, on images and batches, on every kind of array."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import backend
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.data import DataLoader, MapDataset, TensorDataset
from tensorgrad.data import transforms as T

RNG = np.random.default_rng(0)
BATCH = RNG.uniform(size=(6, 3, 8, 10))
ALL = [
    T.Pad((1, 2)),
    T.CenterCrop(5),
    T.RandomCrop((5, 6), padding=2),
    T.RandomHorizontalFlip(),
    T.RandomVerticalFlip(),
    T.RandomAffine(20.0, (0.2, 0.1), (0.8, 1.2), 10.0, fill=0.5),
    T.RandomRotation(30.0),
    T.RandomShift(0.3, 0.3),
    T.Resize((4, 5)),
    T.Normalize([0.5, 0.4, 0.3], 2.0),
    T.GaussianNoise(0.1, clip=True),
    T.RandomErasing(0.7, value="random"),
    T.ColorJitter(0.3, 0.3, 0.3, 0.2),
    T.ToFloat(),
    T.Compose([T.RandomCrop(6), T.RandomErasing()]),
]
NAMES = [type(transform).__name__ for transform in ALL]


@pytest.mark.parametrize("transform", ALL, ids=NAMES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_images_batches_and_tensors(transform, dtype: str) -> None:
    batch = BATCH.astype(dtype)
    tg.manual_seed(0)
    out = transform(batch)
    tg.manual_seed(0)
    again = transform(tg.tensor(batch))
    assert isinstance(out, np.ndarray)
    assert isinstance(again, Tensor)
    assert out.dtype == again.dtype == dtype
    assert out.ndim == 4
    np.testing.assert_array_equal(again.numpy(), out)
    assert (batch == BATCH.astype(dtype)).all()
    tg.manual_seed(0)
    first = transform(batch[:1])
    tg.manual_seed(0)
    np.testing.assert_array_equal(transform(batch[0]), first[0])
    assert repr(transform).startswith(type(transform).__name__ + "(")


@pytest.mark.parametrize("transform", ALL, ids=NAMES)
def test_each_image_of_a_batch_is_drawn_for_by_itself(transform) -> None:
    tg.manual_seed(1)
    out = transform(np.repeat(BATCH[:1], 12, axis=0))
    same = all(np.array_equal(out[0], other) for other in out[1:])
    assert same == (
        not isinstance(transform, T.Compose) and type(transform).__name__[:6] not in ("Random", "Gaussi", "ColorJ")
    )


@pytest.mark.parametrize("transform", ALL[:-1], ids=NAMES[:-1])
def test_other_shapes_are_refused(transform) -> None:
    with pytest.raises(ValueError, match=r"an image \(C, H, W\), or a batch \(N, C, H, W\), got shape \(2, 2\)"):
        transform(np.ones((2, 2)))


def test_in_a_loader_a_run_repeats() -> None:
    images = TensorDataset(BATCH, np.arange(6))
    augmented = MapDataset(images, T.Compose([T.RandomHorizontalFlip(), T.RandomRotation(20.0)]), at=0)
    runs = [[x.numpy() for x, _ in DataLoader(augmented, 4, shuffle=True, seed=0, prefetch=n)] for n in (0, 2)]
    for one, other in zip(*runs, strict=True):
        np.testing.assert_array_equal(one, other)


# -- where things are ------------------------------------------------------------------------------------------


def picture(text: str) -> np.ndarray:
    """An image from digits, row by row."""
    return np.array([[[float(c) for c in row] for row in text.split()]])


def test_pads_and_crops() -> None:
    x = picture("12 34")
    assert T.Pad((1, 0, 0, 1), fill=9.0)(x).tolist() == picture("912 934 999").tolist()
    assert T.Pad(1, padding_mode="edge")(x).tolist() == picture("1122 1122 3344 3344").tolist()
    assert T.CenterCrop((2, 1))(picture("123 456 789")).tolist() == picture("2 5").tolist()
    assert T.CenterCrop(4)(x).tolist() == picture("0000 0120 0340 0000").tolist()
    tg.manual_seed(0)
    corners = {tuple(T.RandomCrop(2)(picture("123 456 789")).flatten()) for _ in range(60)}
    assert corners == {(1, 2, 4, 5), (2, 3, 5, 6), (4, 5, 7, 8), (5, 6, 8, 9)}
    with pytest.raises(ValueError, match="takes no 3 x 3 pixels of images of 2 x 2"):
        T.RandomCrop(3)(x)


def test_flips() -> None:
    x = picture("12 34")
    assert T.RandomHorizontalFlip(1.0)(x).tolist() == picture("21 43").tolist()
    assert T.RandomVerticalFlip(1.0)(x).tolist() == picture("34 12").tolist()
    assert T.RandomHorizontalFlip(0.0)(x).tolist() == x.tolist()
    tg.manual_seed(0)
    flipped = (T.RandomHorizontalFlip(0.25)(np.repeat(x[None], 2000, axis=0))[:, 0, 0, 0] == 2).mean()
    assert flipped == pytest.approx(0.25, abs=0.03)


def test_turns_are_counter_clockwise() -> None:
    x = picture("123 456 789")
    for degrees, expected in ((90, "369 258 147"), (180, "987 654 321"), (-90, "741 852 963"), (360, "123 456 789")):
        np.testing.assert_allclose(T.RandomRotation((degrees, degrees))(x), picture(expected), atol=1e-6)
    wide = np.arange(8.0).reshape(1, 2, 4)
    np.testing.assert_allclose(T.RandomRotation((180, 180))(wide), wide[:, ::-1, ::-1], atol=1e-6)


def test_shifts_are_of_whole_pixels() -> None:
    x = picture("1234 5678")
    tg.manual_seed(0)
    seen = {tuple(T.RandomShift(0.25, 0.0, fill=9.0)(x)[0, 0]) for _ in range(50)}
    assert seen == {(1, 2, 3, 4), (9, 1, 2, 3), (2, 3, 4, 9)}


def test_scales_and_shears() -> None:
    x = np.pad(np.ones((1, 2, 2)), ((0, 0), (3, 3), (3, 3)))
    larger = T.RandomAffine(scale=(2.0, 2.0))(x)[0]
    assert larger.sum() == pytest.approx(4 * x.sum())
    np.testing.assert_allclose(larger, larger.T, atol=1e-6)
    sheared = T.RandomAffine(shear=(45, 45))(picture("00100 00100 00100"))[0]
    assert [row.argmax() for row in sheared] in ([1, 2, 3], [3, 2, 1])


def test_sizes() -> None:
    assert T.Resize(4)(np.ones((1, 8, 6))).shape == (1, 5, 4)
    assert T.Resize((3, 7))(np.ones((2, 1, 8, 6))).shape == (2, 1, 3, 7)
    np.testing.assert_allclose(T.Resize((2, 4))(picture("02 20")), [[[0, 0.5, 1.5, 2], [2, 1.5, 0.5, 0]]])


# -- what pixels are worth -------------------------------------------------------------------------------------


def test_scales_of_values() -> None:
    assert T.ToFloat()(np.array([[[0, 51, 255]]], np.uint8)).tolist() == [[[0, np.float32(0.2), 1]]]
    assert T.ToFloat()(np.array([[[False, True]]])).tolist() == [[[0, 1]]]
    out = T.Normalize([1.0, 2.0], [2.0, 4.0])(np.ones((2, 1, 1)) * 5)
    assert out.flatten().tolist() == [2, 0.75]
    with pytest.raises(ValueError, match="2 numbers as mean, for 3 channels"):
        T.Normalize([1.0, 2.0], 1.0)(BATCH)
    with pytest.raises(ValueError, match="divides by std"):
        T.Normalize(0.0, [1.0, 0.0])


@pytest.mark.parametrize(
    "transform", [T.Normalize(0.0, 1.0), T.GaussianNoise(), T.ColorJitter(0.1), T.RandomRotation(1.0), T.Resize(2)]
)
def test_integers_are_refused(transform) -> None:
    with pytest.raises(TypeError, match=r"takes floating point numbers, got dtype uint8: put ToFloat\(\) before it"):
        transform(np.ones((3, 4, 4), np.uint8))


def test_noise() -> None:
    tg.manual_seed(0)
    noise = T.GaussianNoise(0.2)(np.zeros((1, 100, 100)))
    assert noise.std() == pytest.approx(0.2, rel=0.05)
    clipped = T.GaussianNoise(2.0, clip=True)(np.zeros((1, 50, 50)))
    assert (clipped.min(), clipped.max()) == (0, 1)


def test_erased_patches() -> None:
    tg.manual_seed(0)
    out = T.RandomErasing(1.0, scale=(0.1, 0.2), ratio=(0.5, 2.0), value=7.0)(np.zeros((200, 2, 20, 30)))
    parts = (out == 7).all(axis=1).mean(axis=(1, 2))
    assert 0.08 < parts.min() < parts.max() < 0.23
    heights, widths = ((out[:, 0] == 7).any(axis=axis).sum(axis=1) for axis in (2, 1))
    assert 0.4 < (heights / widths).min() < 0.7
    assert 1.5 < (heights / widths).max() < 2.5
    none = T.RandomErasing(0.0)(BATCH)
    np.testing.assert_array_equal(none, BATCH)
    assert none is not BATCH


def test_colours() -> None:
    red = np.zeros((3, 1, 2))
    red[0] = 1
    np.testing.assert_allclose(T.ColorJitter(hue=(1 / 3, 1 / 3))(red), np.roll(red, 1, axis=0), atol=1e-9)
    np.testing.assert_allclose(T.ColorJitter(hue=(-1 / 3, -1 / 3))(red), np.roll(red, -1, axis=0), atol=1e-9)
    np.testing.assert_allclose(T.ColorJitter(hue=(0.5, 0.5))(T.ColorJitter(hue=(0.5, 0.5))(BATCH)), BATCH, atol=1e-9)
    np.testing.assert_allclose(T.ColorJitter(saturation=(0.0, 0.0))(red), np.full((3, 1, 2), 0.299), rtol=1e-6)
    grey = np.array([[[0.2, 0.6]]])
    np.testing.assert_allclose(T.ColorJitter(contrast=(0.5, 0.5))(grey), [[[0.3, 0.5]]])
    np.testing.assert_allclose(T.ColorJitter(brightness=(2.0, 2.0))(grey), [[[0.4, 1.0]]])
    np.testing.assert_array_equal(T.ColorJitter()(BATCH), BATCH)
    with pytest.raises(ValueError, match="images with 3 channels, got 1"):
        T.ColorJitter(saturation=0.5)(grey)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: T.Pad((1, 2, 3)), "a number, two or four"),
        (lambda: T.Pad(1, padding_mode="wrap"), "no mode 'wrap'"),
        (lambda: T.CenterCrop(0), "a height and a width of 1 or more"),
        (lambda: T.RandomHorizontalFlip(1.5), "a probability p from 0 to 1, got 1.5"),
        (lambda: T.RandomRotation(-1.0), "degrees is a number of 0 or more, or a pair"),
        (lambda: T.RandomAffine(translate=(0.5, 1.5)), "a pair of parts from 0 to 1"),
        (lambda: T.RandomAffine(scale=(0.0, 1.0)), "a pair of factors above 0"),
        (lambda: T.RandomErasing(scale=(0.5, 1.5)), "a scale from 0 to 1"),
        (lambda: T.RandomErasing(value="noise"), "a number or 'random'"),
        (lambda: T.ColorJitter(hue=0.6), "hue is at most 0.5"),
        (lambda: T.ColorJitter(brightness=(-0.5, 0.5)), "brightness is a number of 0 or more, or a pair"),
        (lambda: T.GaussianNoise(-1.0), "a sigma of 0 or more"),
        (lambda: T.MixUp(alpha=0.0), "an alpha above 0"),
    ],
)
def test_options_that_make_no_sense(make, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


# -- mixtures --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mixing", [T.MixUp, T.CutMix])
def test_labels_are_mixed_as_images_are(mixing) -> None:
    # Each image is of one number, which is that of its class.
    labels = np.arange(4)
    x = np.broadcast_to(np.eye(4, dtype=np.float32)[:, :, None, None], (4, 4, 12, 16)).copy()
    for seed in range(5):
        tg.manual_seed(seed)
        mixed, shares = mixing(4, alpha=0.7)(tg.tensor(x), tg.tensor(labels))
        assert isinstance(mixed, Tensor)
        assert shares.dtype == mixed.dtype == "float32"
        np.testing.assert_allclose(mixed.numpy().mean(axis=(2, 3)), shares.numpy(), atol=1e-5)
        np.testing.assert_allclose(shares.numpy().sum(axis=1), 1, rtol=1e-6)
        tg.manual_seed(seed)
        again, _ = mixing(alpha=0.7)(x, np.eye(4))
        np.testing.assert_array_equal(again, mixed.numpy())
    with pytest.raises(ValueError, match="needs num_classes"):
        mixing()(x, labels)
    with pytest.raises(ValueError, match=r"takes a batch \(N, C, H, W\) with labels"):
        mixing(4)(x, labels[:2])


@pytest.mark.parametrize("mixing", [T.MixUp, T.CutMix])
def test_mixtures_of_arrays_of_a_device(mixing) -> None:
    images, labels = np.zeros((3, 1, 4, 4), np.float32), np.arange(3)
    for wrap in (np.asarray, lambda array: backend.transfer(array, "strict")):
        x, shares = mixing(3)(wrap(images), wrap(labels))
        assert backend.device_of(x) == backend.device_of(shares) == backend.device_of(wrap(images))
        assert shares.shape == (3, 3)


@pytest.mark.parametrize("mixing", [T.MixUp, T.CutMix])
def test_labels_that_are_none(mixing) -> None:
    images = np.zeros((2, 1, 4, 4))
    with pytest.raises(ValueError, match="has 3 classes, and labels from 0 to 3"):
        mixing(3)(images, np.array([0, 3]))
    with pytest.raises(ValueError, match=r"takes labels that are integers, or .*, got float64"):
        mixing(3)(images, np.array([0.0, 1.0]))


def test_sizes_of_any_kind_of_integer() -> None:
    assert T.CenterCrop(np.int64(3)).size == (3, 3)
    assert T.Resize([np.int64(3), 2])(np.ones((1, 4, 4))).shape == (1, 3, 2)
    for wrong in (2.5, (3,), (1, 2, 3), "ab", None):
        for make in (T.CenterCrop, T.RandomCrop, T.Resize):
            with pytest.raises(TypeError, match=f"{make.__name__} takes a size, an integer or a pair of integers"):
                make(wrong)


@pytest.mark.parametrize(("length", "wanted", "first"), [(5, 4, 0), (6, 3, 2), (7, 4, 2), (7, 2, 2), (8, 4, 2)])
def test_the_middle_is_where_torchvision_has_it(length: int, wanted: int, first: int) -> None:
    row = np.arange(float(length)).reshape(1, 1, length)
    assert T.CenterCrop((1, wanted))(row)[0, 0, 0] == first


def test_noise_is_not_for_integers() -> None:
    assert T.RandomErasing(1.0, value=7)(np.ones((1, 4, 4), np.uint8)).dtype == np.uint8
    with pytest.raises(TypeError, match="RandomErasing takes floating point numbers, got dtype uint8"):
        T.RandomErasing(1.0, value="random")(np.ones((1, 4, 4), np.uint8))
