"""Random numbers: the bits, what is made of them, and the generator."""

from __future__ import annotations

import copy
import json
import math
import pickle
import subprocess
import sys
import threading
import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorgrad import backend, philox, random
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.errors import DeviceError
from tensorgrad.random import Generator
from tests import strict
from tests.strict.backend import StrictBackend

KEY = philox.derive_key(2026)
# NumPy's functions under another name: what is given this runs the text that is written for other libraries.
OTHER = types.SimpleNamespace(**{name: getattr(np, name) for name in dir(np) if not name.startswith("__")})
words = st.integers(0, 2**64 - 1)


def reference(count, key, offset):
    """NumPy's own words, counted from its first."""
    generator = np.random.Philox(key=key[0] | key[1] << 64)
    generator.advance(offset // 4)
    return generator.random_raw(count + offset % 4)[offset % 4 :]


# -- bits ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("xp", [np, OTHER], ids=["numpy", "arrays"])
def test_words_are_those_of_numpys_philox(xp):
    assert np.array_equal(philox.random_bits(20_000, KEY, 0, xp), reference(20_000, KEY, 0))


@settings(deadline=None)
@given(words, words, st.integers(0, 2**62), st.integers(0, 40))
def test_words_at_any_place_of_any_key(key0, key1, offset, count):
    expected = reference(count, (key0, key1), offset)
    for xp in (np, OTHER):
        bits = philox.random_bits(count, (key0, key1), offset, xp)
        assert bits.dtype == np.uint64
        assert np.array_equal(bits, expected)


def test_words_beyond_2_to_the_64():
    a, b = (philox.random_bits(50, KEY, 2**64 - 21, xp) for xp in (np, OTHER))
    assert np.array_equal(a, b)


def test_known_answer_of_the_authors():
    # From kat_vectors of the authors' Random123: ten rounds, counter and key all zero.
    expected = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]
    assert philox._random_bits_by_arrays(4, (0, 0), -4, np).tolist() == expected


@given(words, words)
def test_products_of_128_bits(a, b):
    high, low = philox._multiply(np.array([a], dtype=np.uint64), b)
    assert int(high[0]) << 64 | int(low[0]) == a * b


def test_keys():
    assert philox.derive_key(0) == (15793235383387715774, 12390638538380655177)
    assert len({philox.derive_key(seed) for seed in [*range(1000), 2**64, 2**200]}) == 1002
    with pytest.raises(ValueError, match="0 or greater, got -1"):
        philox.derive_key(-1)
    with pytest.raises(TypeError, match=r"got 1\.5 of type float"):
        philox.derive_key(1.5)


# -- numbers ------------------------------------------------------------------------------------------------

DRAWS = {
    "uniform64": lambda xp, at: philox.uniform((3, 5), np.float64, KEY, at, xp),
    "uniform32": lambda xp, at: philox.uniform((3, 5), np.float32, KEY, at, xp),
    "uniform16": lambda xp, at: philox.uniform((3, 5), np.float16, KEY, at, xp),
    "normal64": lambda xp, at: philox.normal(10_001, np.float64, KEY, at, xp),
    "normal32": lambda xp, at: philox.normal((3, 5), np.float32, KEY, at, xp),
    "normal16": lambda xp, at: philox.normal((3, 5), np.float16, KEY, at, xp),
    "integers": lambda xp, at: philox.integers(-3, 100, (3, 5), np.int64, KEY, at, xp),
    "long integers": lambda xp, at: philox.integers(-(2**62), 2**62, (3, 5), np.int64, KEY, at, xp),
    "all integers": lambda xp, at: philox.integers(0, 2**64, (3, 5), np.uint64, KEY, at, xp),
    "permutation": lambda xp, at: philox.permutation(101, KEY, at, xp),
    "bernoulli": lambda xp, at: philox.bernoulli(0.3, (3, 5), KEY, at, xp),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS.keys())
@pytest.mark.parametrize("at", [0, 7])
def test_array_code_gives_the_same_numbers(draw, at):
    expected, used = draw(np, at)
    array, used_too = draw(OTHER, at)
    assert array.dtype == expected.dtype
    assert array.shape == expected.shape
    assert np.array_equal(array, expected)
    assert used == used_too


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS.keys())
def test_devices_draw_without_the_host(draw):
    expected, _ = draw(np, 5)
    with strict.count_transfers() as count:
        array, _ = draw(strict, 5)
    assert count.to_host == {}
    assert count.from_host == {}
    assert array.dtype == expected.dtype
    assert np.array_equal(array.get(), expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("word", [0, 2**64 - 1])
def test_extreme_words(dtype, word, monkeypatch):
    monkeypatch.setattr(philox, "random_bits", lambda count, *_: np.full(count, word, dtype=np.uint64))
    uniform, _ = philox.uniform(3, dtype, KEY, 0, np)
    assert uniform.dtype == dtype
    assert (uniform >= 0).all()
    assert (uniform < 1).all()
    assert (uniform == 0).all() == (word == 0)
    normal, _ = philox.normal(3, dtype, KEY, 0, np)
    assert normal.dtype == dtype
    assert np.isfinite(normal).all()
    assert abs(normal).max() < 8.58
    for low, high in [(0, 10), (-5, 6), (0, 2**32), (0, 2**33 + 1), (-(2**63), 2**63)]:
        chosen, _ = philox.integers(low, high, 3, np.int64, KEY, 0, np)
        assert set(chosen.tolist()) == {low if word == 0 else high - 1}


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_uniform_is_uniform(dtype):
    numbers = np.sort(philox.uniform(200_000, dtype, KEY, 0, np)[0].astype(np.float64))
    grid = 2.0**-11 if dtype == np.float16 else 0.0
    steps = np.arange(1, len(numbers) + 1) / len(numbers)
    # Kolmogorov and Smirnov: 1.63 / sqrt(n) is exceeded once in a hundred keys, and this key is not that one.
    assert abs(numbers - steps).max() < 1.63 / math.sqrt(len(numbers)) + grid
    assert len(np.unique(numbers)) == 2048 if dtype == np.float16 else len(np.unique(numbers)) > 198_000


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_normal_is_normal(dtype):
    n = 1_000_000
    numbers = philox.normal(n, dtype, KEY, 0, np)[0].astype(np.float64)
    for power, expected, spread in [(1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)]:
        assert abs((numbers**power).mean() - expected) < 4 * math.sqrt(spread / n), power
    pairs = numbers.reshape(-1, 2)
    assert abs((pairs[:, 0] * pairs[:, 1]).mean()) < 4 / math.sqrt(n / 2)
    assert abs((pairs[:, 0] ** 2 * pairs[:, 1] ** 2).mean() - 1) < 4 * math.sqrt(8 / (n / 2))
    sample = np.sort(numbers)[:: n // 1000]
    normal = 0.5 + 0.5 * np.array([math.erf(x / math.sqrt(2)) for x in sample])
    assert abs(normal - np.arange(1000) / 1000).max() < 1.63 / math.sqrt(n) + 2e-3


def test_series_agree_with_the_library():
    x = np.concatenate([philox.uniform(100_000, np.float64, KEY, 0, np)[0], 2.0 ** -np.arange(54.0)])
    x = np.append(x[x > 0], 1 - 2.0**-53)
    assert np.allclose(philox._minus_log(x, np), -np.log(x), rtol=4e-16, atol=4e-16)
    assert 0 <= philox._minus_log(np.ones(1), np)[0] < 2e-16
    angle = np.linspace(-np.pi / 2, np.pi / 2, 100_001)
    assert np.allclose(philox._series(philox.COSINE, angle**2), np.cos(angle), rtol=0, atol=5e-16)
    assert np.allclose(philox._series(philox.SINE, angle**2) * angle, np.sin(angle), rtol=0, atol=5e-16)


@pytest.mark.parametrize("span", [1, 2, 7, 10, 256])
def test_integers_are_equally_likely(span):
    n = 100_000
    chosen, used = philox.integers(-3, span - 3, n, np.int64, KEY, 0, np)
    counts = np.bincount(chosen + 3, minlength=span)
    assert len(counts) == span
    assert used == n
    chi_square = ((counts - n / span) ** 2 / (n / span)).sum()
    assert chi_square < span - 1 + 4 * math.sqrt(2 * span)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_integers_are_the_upper_words_of_products(a, b):
    low, high = min(a, b), max(a, b) + 1
    chosen, used = philox.integers(low, high, 6, np.int64, KEY, 3, np)
    words, span = [int(w) for w in philox.random_bits(used, KEY, 3, np)], high - low
    if used == 6:
        expected = [low + (w * span >> 64) for w in words]
    else:
        expected = [low + ((u << 64 | v) * span >> 128) for u, v in zip(words[::2], words[1::2], strict=True)]
    assert chosen.tolist() == expected


def test_integers_fit_their_dtype():
    assert philox.integers(0, 256, 1000, np.uint8, KEY, 0, np)[0].max() == 255
    assert philox.integers(-128, 128, 5, np.int8, KEY, 0, np)[0].dtype == np.int8
    with pytest.raises(ValueError, match="from 0 to 256 do not fit uint8, which holds 0 to 255"):
        philox.integers(0, 257, 3, np.uint8, KEY, 0, np)
    with pytest.raises(ValueError, match="low=3 and high=3"):
        philox.integers(3, 3, 3, np.int64, KEY, 0, np)
    with pytest.raises(TypeError, match="integer dtype for random integers, got float32"):
        philox.integers(0, 3, 3, np.float32, KEY, 0, np)


def test_permutation():
    order, used = philox.permutation(1000, KEY, 0, np)
    assert order.dtype == np.int64
    assert used == 1000
    assert np.array_equal(np.sort(order), np.arange(1000))
    assert abs(np.corrcoef(order, np.arange(1000))[0, 1]) < 0.1
    assert philox.permutation(0, KEY, 0, np)[0].shape == (0,)
    firsts = np.bincount([Generator(seed).permutation(3)[0] for seed in range(3000)])
    assert abs(firsts - 1000).max() < 4 * math.sqrt(3000 * 2 / 9)


@pytest.mark.parametrize("p", [0.0, 1e-3, 0.25, 0.5, 0.9, 1.0])
def test_bernoulli(p):
    n = 200_000
    mask, _ = philox.bernoulli(p, (n,), KEY, 0, np)
    assert mask.dtype == np.bool_
    assert abs(mask.mean() - p) <= 4 * math.sqrt(p * (1 - p) / n)


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_bernoulli_wants_a_probability(p):
    with pytest.raises(ValueError, match="between 0 and 1"):
        philox.bernoulli(p, 3, KEY, 0, np)


def test_neighbouring_seeds_are_unrelated():
    rows = np.stack([Generator(seed).normal(20_000) for seed in range(8)])
    assert abs(np.corrcoef(rows) - np.eye(8)).max() < 4.5 / math.sqrt(20_000)


@pytest.mark.parametrize("shape", [-1, (2, -3)])
def test_shapes_are_not_negative(shape):
    with pytest.raises(ValueError, match="no negative lengths"):
        philox.uniform(shape, np.float32, KEY, 0, np)


def test_shapes_are_of_integers():
    with pytest.raises(TypeError, match=r"got \(2, 0\.5\)"):
        philox.uniform((2, 0.5), np.float32, KEY, 0, np)


def test_real_numbers_are_not_integers():
    with pytest.raises(TypeError, match="float16, float32 or float64 for random real numbers, got int64"):
        philox.normal(3, np.int64, KEY, 0, np)


# -- the generator ------------------------------------------------------------------------------------------


def test_one_seed_gives_the_same_numbers_for_ever():
    generator = Generator(0)
    assert (generator.uniform(3) * 2**24).tolist() == [2275375, 236005, 15732539]
    assert generator.normal(2, np.float64).tolist() == [0.3473274132481839, -1.1759076107695676]
    assert generator.integers(0, 100, 4).tolist() == [97, 25, 93, 19]
    assert generator.permutation(5).tolist() == [0, 1, 3, 2, 4]
    assert generator.bernoulli(0.5, 4).tolist() == [True, False, True, True]
    assert generator.get_state() == {"seed": 0, "offset": 15}


def test_draws_follow_each_other():
    generator, again = Generator(5), Generator(5)
    assert np.array_equal(generator.uniform(2, np.float64), again.uniform(4, np.float64)[:2])
    later = Generator(5).uniform(4, np.float64)[2:]
    assert np.array_equal(generator.uniform(2, np.float64), later)


def test_state_goes_through_json():
    generator = Generator(2**130 + 1)
    generator.uniform(3)
    state = json.loads(json.dumps(generator.get_state()))
    expected = generator.normal(5)
    other = Generator(1)
    other.set_state(state)
    assert np.array_equal(other.normal(5), expected)
    assert other.initial_seed() == 2**130 + 1


@pytest.mark.parametrize("state", [None, {}, {"seed": 1}, {"seed": -1, "offset": 0}, {"seed": 1, "offset": -4}, [1, 2]])
def test_a_bad_state_changes_nothing(state):
    generator = Generator(3)
    generator.uniform(9)
    before = generator.get_state()
    with pytest.raises(ValueError, match=r"state is a dict|0 or greater"):
        generator.set_state(state)
    assert generator.get_state() == before


def test_seeding():
    generator = Generator(3)
    first = generator.uniform(4)
    assert generator.manual_seed(3) is generator
    assert np.array_equal(generator.uniform(4), first)
    fresh = generator.seed()
    assert generator.initial_seed() == fresh
    assert Generator().initial_seed() != Generator().initial_seed()
    with pytest.raises(ValueError, match="0 or greater, got -7"):
        generator.manual_seed(-7)
    assert generator.initial_seed() == fresh


def test_copies_go_their_own_way():
    generator = Generator(3)
    generator.uniform(5)
    for other in (copy.deepcopy(generator), pickle.loads(pickle.dumps(generator))):
        assert other.get_state() == generator.get_state()
        other.uniform(1)
        assert other.get_state() != generator.get_state()


def test_threads_share_no_number():
    generator, drawn = Generator(3), []

    def draw():
        for _ in range(200):
            drawn.append(generator.uniform(5, np.float64))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = np.sort(np.concatenate(drawn))
    assert np.array_equal(everything, np.sort(Generator(3).uniform(4 * 200 * 5, np.float64)))


@settings(deadline=None)
@given(st.floats(-1e3, 1e3), st.floats(0, 1e3), st.sampled_from([np.float16, np.float32, np.float64]))
def test_uniform_stays_below_high(low, width, dtype):
    numbers = Generator(3).uniform(500, dtype, low=low, high=low + width)
    assert numbers.dtype == dtype
    assert (numbers >= dtype(low)).all()
    assert (numbers <= dtype(low + width)).all()
    if dtype(low) < dtype(low + width):
        assert (numbers < dtype(low + width)).all()


def test_one_number_is_an_array_too():
    generator = Generator(3)
    for x in (
        generator.uniform((), low=-1),
        generator.normal((), mean=1, std=2),
        generator.integers(0, 5),
        generator.bernoulli(0.5, ()),
    ):
        assert type(x) is np.ndarray
        assert x.shape == ()


def test_bounds_and_deviations_are_checked():
    generator = Generator(3)
    for low, high in [(1, 0), (0, math.inf), (math.nan, 1)]:
        with pytest.raises(ValueError, match="finite numbers low <= high"):
            generator.uniform(3, low=low, high=high)
    with pytest.raises(ValueError, match="0 or greater, got -1"):
        generator.normal(3, std=-1)
    assert generator.get_state()["offset"] == 0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_mean_and_deviation(dtype):
    numbers = Generator(3).normal(100_000, dtype, mean=5.0, std=0.5)
    assert numbers.dtype == dtype
    assert abs(numbers.mean(dtype=np.float64) - 5) < 0.01
    assert abs(numbers.std(dtype=np.float64) - 0.5) < 0.01


def test_an_unknown_device_uses_no_numbers():
    generator = Generator(3)
    with pytest.raises(DeviceError, match="unknown device 'tpu'"):
        generator.uniform(3, device="tpu")
    assert generator.get_state()["offset"] == 0


# -- Tensors ------------------------------------------------------------------------------------------------


@pytest.fixture
def device():
    """A device that is not the CPU."""
    backend.register(StrictBackend())
    return "strict"


def test_one_seed_one_set_of_numbers_on_all_devices(device):
    calls = [
        lambda g, device: g.uniform((3, 4), device=device, low=-1, high=2),
        lambda g, device: g.normal((3, 4), np.float16, device, mean=2, std=3),
        lambda g, device: g.integers(-5, 5, (3, 4), device=device),
        lambda g, device: g.permutation(7, device),
        lambda g, device: g.bernoulli(0.3, (3, 4), device),
        lambda g, device: g.bernoulli(1, 3, device),
    ]
    here, there = Generator(4), Generator(4)
    for call in calls:
        with strict.count_transfers() as count:
            array = call(there, device)
        assert count.to_host == count.from_host == {}
        assert backend.device_of(array) == device
        assert np.array_equal(array.get(), call(here, "cpu"))
    assert here.get_state() == there.get_state()


def test_tensors_on_a_device(device):
    x = random.randn(3, 4, device=device, requires_grad=True)
    assert x.device == device
    assert random.rand_like(x).device == device
    chances = random.rand(3, 4, device=device)
    assert random.bernoulli(chances).device == device
    assert random.bernoulli(chances, device="cpu").device == "cpu"


@pytest.fixture(autouse=True)
def put_the_default_generator_back():
    state = random.get_rng_state()
    yield
    random.set_rng_state(state)


def test_numpys_global_generator_is_left_alone():
    before = np.random.get_state()
    random.manual_seed(0)
    random.rand(3), random.randn(3), random.randint(5, size=3), random.randperm(3), random.bernoulli(0.5, 3)
    after = np.random.get_state()
    assert before[0] == after[0]
    assert np.array_equal(before[1], after[1])
    assert before[2:] == after[2:]


def test_numpys_seed_changes_nothing_here():
    random.manual_seed(0)
    first = random.rand(3).numpy()
    np.random.seed(1)
    random.manual_seed(0)
    assert np.array_equal(random.rand(3).numpy(), first)


def test_a_fresh_process_has_a_seed_of_its_own():
    command = "from tensorgrad.random import default_generator; print(default_generator.initial_seed())"
    result = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert int(result.stdout) != random.default_generator.initial_seed()


@pytest.mark.parametrize("draw", [random.rand, random.randn])
def test_shapes_and_dtypes(draw):
    assert draw().shape == ()
    assert draw(2, 3).shape == draw((2, 3)).shape == draw([2, 3]).shape == (2, 3)
    assert draw(0, 3).shape == (0, 3)
    assert draw(2).dtype == np.float32
    assert draw(2, dtype="float64").dtype == np.float64
    assert draw(2, dtype=np.float16).dtype == np.float16
    assert draw(2).device == "cpu"
    assert not draw(2).requires_grad
    x = draw(2, requires_grad=True)
    assert x.requires_grad
    assert x.is_leaf


def test_rng_state():
    random.manual_seed(11)
    state = random.get_rng_state()
    first = random.randn(4).numpy()
    random.set_rng_state(state)
    assert np.array_equal(random.randn(4).numpy(), first)


def test_a_generator_of_ones_own():
    before = random.get_rng_state()
    a = random.rand(4, generator=Generator(9)).numpy()
    b = Generator(9).uniform(4)
    assert np.array_equal(a, b)
    assert random.get_rng_state() == before


def test_randint_takes_what_pytorch_takes():
    for x in (random.randint(10, (2, 3)), random.randint(10, size=(2, 3)), random.randint(0, 10, (2, 3))):
        assert x.shape == (2, 3)
        assert x.dtype == np.int64
        assert (x.numpy() >= 0).all()
        assert (x.numpy() < 10).all()
    assert random.randint(3).shape == ()
    assert random.randint(-5, -4, size=2).tolist() == [-5, -5]
    assert random.randint(0, 200, 5, dtype="uint8").dtype == np.uint8
    with pytest.raises(TypeError, match="two sizes"):
        random.randint(3, (2,), (2,))


def test_the_like_functions():
    x = Tensor(np.zeros((2, 3), dtype=np.float64))
    for draw in (random.rand_like, random.randn_like):
        y = draw(x)
        assert (y.shape, y.dtype, y.device) == (x.shape, x.dtype, x.device)
        assert draw(x, dtype="float32").dtype == np.float32


def test_uniform_and_normal_tensors():
    x = random.uniform(2.0, 3.0, size=(50,), dtype="float64")
    assert 2 <= x.numpy().min() <= x.numpy().max() < 3
    assert abs(random.normal(7.0, 0.1, size=1000).numpy().mean() - 7) < 0.02
    assert sorted(random.randperm(6).tolist()) == list(range(6))


def test_bernoulli_tensors():
    x = random.bernoulli(0.5, size=(4, 5))
    assert x.shape == (4, 5)
    assert x.dtype == np.float32
    assert set(x.numpy().ravel().tolist()) <= {0.0, 1.0}
    assert random.bernoulli(0.5, 3, dtype="bool").dtype == np.bool_
    chances = Tensor(np.array([[0.0, 1.0], [1.0, 0.0]], dtype=np.float64))
    x = random.bernoulli(chances)
    assert x.dtype == np.float64
    assert np.array_equal(x.numpy(), chances.numpy())
    with pytest.raises(ValueError, match="between 0 and 1"):
        random.bernoulli(Tensor(np.array([0.5, 1.5])))
    with pytest.raises(ValueError, match=r"shape \(2, 2\) has that shape; got size=3"):
        random.bernoulli(chances, size=3)
