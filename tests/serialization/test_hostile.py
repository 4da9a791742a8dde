"""Files in PyTorch's formats that are damaged, or written to do harm: an error each, and nothing is executed."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad.serialization import pickles, pytorch
from tests.serialization.comparing import assert_same
from tests.serialization.damage import flips, loaded, pieces, told

FILES = Path(__file__).parent / "files"
MAGIC = 0x1950A86A20F9469CFC6C


def zipped(program: bytes, **storages: bytes) -> bytes:
    """Today's format: an archive with a pickle and storages."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", program)
        for key, data in storages.items():
            archive.writestr(f"archive/data/{key}", data)
    return file.getvalue()


def legacy(program: bytes, keys: Any = (), storages: bytes = b"") -> bytes:
    """The older format: pickles in a row, and the storages."""
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    head = b"".join(pickle.dumps(part, 2) for part in (MAGIC, 1001, machine))
    return head + program + pickle.dumps(list(keys) if isinstance(keys, (str, tuple)) else keys, 2) + storages


def refused(data: bytes, words: str = "") -> None:
    """The file is told, in little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(tg.CheckpointError) as caught:
            loaded(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert words in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert peak < 2**20 + 300 * len(data)


# Pieces of pickles, as the opcodes are.


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value: int) -> bytes:
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8b" + struct.pack("<i", len(data)) + data


def named(module: str, name: str) -> bytes:
    return b"c" + f"{module}\n{name}\n".encode()


def tupled(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def called(function: bytes, *arguments: bytes) -> bytes:
    return function + tupled(*arguments) + b"R"


def storage(count: int = 4, kind: str = "FloatStorage", key: str = "a") -> bytes:
    return tupled(text("storage"), named("torch", kind), text(key), text("cpu"), number(count)) + b"Q"


def tensor(
    size: tuple[int, ...] = (2, 2),
    stride: tuple[int, ...] = (2, 1),
    offset: int = 0,
    source: bytes | None = None,
    rest: bytes = b"\x89N",
) -> bytes:
    sizes, strides = (tupled(*map(number, part)) for part in (size, stride))
    function = named("torch._utils", "_rebuild_tensor_v2")
    return called(function, storage() if source is None else source, number(offset), sizes, strides, rest)


FOUR = np.arange(4, dtype="float32").tobytes()
LEGACY_FOUR = struct.pack("<q", 4) + FOUR


def test_the_pieces_make_files_that_are_read() -> None:
    """What is refused below is refused for what it says, not for how it is made."""
    for data in (zipped(b"\x80\2" + tensor() + b".", a=FOUR), legacy(b"\x80\2" + tensor() + b".", "a", LEGACY_FOUR)):
        assert loaded(data).tolist() == [[0, 1], [2, 3]]


# -- nothing is executed --------------------------------------------------------------------------------------


class Call:
    """Pickled as a call of a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.reduced = function, arguments

    def __reduce__(self) -> Any:
        return self.reduced


class WithState:
    """Pickled as a call, and attributes to set."""

    def __init__(self, function: Callable[..., Any], state: Any) -> None:
        self.function, self.state = function, state

    def __reduce__(self) -> Any:
        return self.function, (), self.state


def traps(place: Path) -> dict[str, Any]:
    sprung = str(place / "sprung")
    return {
        "os.mkdir": Call(os.mkdir, sprung),
        "eval": Call(eval, f"__import__('os').mkdir({sprung!r})"),
        "exec": Call(exec, f"import os; os.mkdir({sprung!r})"),
        "getattr": Call(getattr, Call(__import__, "os"), "mkdir"),
        "open": Call(open, sprung, "w"),
        "numpy.load": Call(np.load, sprung),
        "numpy.save": Call(np.save, sprung, 1),
        "tg.load": Call(tg.load, sprung),
        "pickle.loads": Call(pickle.loads, pickle.dumps(Call(os.mkdir, sprung))),
        "in a key": {Call(os.mkdir, sprung): 1},
        "deep": {"a": [({"b": Call(os.mkdir, sprung)},)]},
        "as a value": {"hook": os.mkdir},
        "class": WithState(dict, None),
        "state of a set": WithState(set, {"a": 1}),
    }


@pytest.mark.parametrize("protocol", [1, 2, 4, 5])
@pytest.mark.parametrize("make", [zipped, legacy])
def test_nothing_is_executed(make: Callable[[bytes], bytes], protocol: int, tmp_path: Path) -> None:
    for name, trap in traps(tmp_path).items():
        refused(make(pickle.dumps(trap, protocol)), "" if name in ("class", "state of a set") else "executed")
    assert os.listdir(tmp_path) == []


def test_the_name_that_is_refused_is_told() -> None:
    refused(zipped(pickle.dumps(Call(os.system, "true"), 2)), "it needs 'posix.system', which is none of the tensors")
    refused(
        zipped(b"\x80\2" + named("torch.nn.modules.linear", "Linear") + b"."), "torch.save(model.state_dict(), path)"
    )
    refused(zipped(b"\x80\2" + named("m" * 10**5, "x") + b"."), "it needs 'mmmm")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("collections", "OrderedDict.__class__"),
        ("builtins", "set.__init__.__globals__"),
        ("torch._utils", "_rebuild_tensor_v2.__globals__"),
        ("torch", "load"),
        ("numpy", "load"),
        ("", ""),
        ("collections OrderedDict", ""),
    ],
)
def test_only_whole_names_are_known(module: str, name: str) -> None:
    refused(zipped(b"\x80\4" + text(module) + text(name) + b"\x93."))
    refused(zipped(b"\x80\2" + named(module, name) + b"."))


def test_every_name_that_is_known_is_harmless_whatever_it_is_given(tmp_path: Path) -> None:
    """Each is called with each argument, and told to set attributes: an error, or a plain value."""
    reader = pytorch._Reader("cpu", 1000)
    arguments = [
        *(b"N", b"\x88", number(5), number(-1), number(2**70), text("eval"), text("f8"), text("U9"), b"]", b"}", b")"),
        *(b"C\3abc", tupled(number(2), number(2)), storage(), tensor(), tensor((2,), (1,), 2)),
        *(named("builtins", "list"), named("numpy", "ndarray"), named("torch", "float32")),
        *(called(named("numpy", "dtype"), text("f4")), called(named("collections", "OrderedDict"))),
    ]
    states = [b"N", b"}", tupled(b"N", b"}" + text("call") + b"Ns"), b"}" + text("__class__") + b"Ns", number(1)]
    before = {path: (name.name, name.call) for path, name in pickles.NAMES.items()}
    for path in reader.names:
        head = b"\x80\2" + named(*path.split(" "))
        programs = [head + b".", *(head + state + b"b." for state in states)]
        for count in range(9):
            for shift in range(0, len(arguments) if count else 1, 4):
                chosen = [arguments[(shift + 3 * i + count) % len(arguments)] for i in range(count)]
                call = head + tupled(*chosen) + b"R"
                programs.append(call + b"." if shift % 3 else call + states[(shift + count) % len(states)] + b"b.")
        for program in programs:
            try:
                result = loaded(zipped(program, a=FOUR))
            except tg.CheckpointError:
                continue
            assert isinstance(result, (*pickles.PLAIN, *pickles.CONTAINERS, tg.Tensor))
    assert before == {path: (name.name, name.call) for path, name in pickles.NAMES.items()}


@pytest.mark.parametrize(
    "program",
    [
        named("collections", "OrderedDict") + b")\x81.",
        named("collections", "OrderedDict") + b")}\x92.",
        b"(icollections\nOrderedDict\n.",
        b"(" + named("collections", "OrderedDict") + b"o.",
        b"\x82\1.",
        b"P1\n.",
        b"p1\n.",
        b"S'a'\n.",
        b"(l.",
        b"N2.",
        b"\x97.",
    ],
    ids=str,
)
def test_opcodes_that_nothing_needs_are_refused(program: bytes) -> None:
    refused(zipped(b"\x80\2" + program), "which no tensor and no container needs")


# -- pickles that make no sense -------------------------------------------------------------------------------

DAMAGED = {
    "nothing": b"",
    "no end": b"N",
    "an empty stack": b".",
    "two values": b"NN.",
    "no mark": b"t.",
    "a tuple of nothing": b"\x85.",
    "a mark only": b"(.",
    "what was never put": b"h\5.",
    "a put of nothing": b"q\0.",
    "an unknown opcode": b"\xff.",
    "a half pair": b"}(Nu.",
    "no persistent id": b"NQ.",
    "an id that is no storage": tupled(text("module"), b"N", b"N", b"N", b"N") + b"Q.",
    "an id of an unknown type": tupled(text("storage"), b"N", text("a"), text("cpu"), number(1)) + b"Q.",
    "an id that is short": tupled(text("storage")) + b"Q.",
    "no text": b"X\4\0\0\0\xff\xff\xff\xff.",
    "text that is no ASCII": b"U\2\xff\xff.",
    "a call of no function": b"N)R.",
    "a call of a dtype": called(named("torch", "float32")) + b".",
    "a call without a tuple": named("collections", "OrderedDict") + b"NR.",
    "a name that is no text": b"NN\x93.",
    "append to a tensor": tensor() + b"Na.",
    "items of a tensor": tensor() + text("data") + b"Ns.",
    "attributes of a tensor": tensor() + b"}" + text("_data") + b"Nsb.",
    "slots of a tensor": tensor() + tupled(b"N", b"}" + text("_data") + b"Ns") + b"b.",
    "append to a dict": b"}Na.",
    "items of a list": b"]" + number(0) + b"Ns.",
    "add to a list": b"](N\x90.",
    "a list as a key": b"}]Ns.",
    "a dict in a set": b"\x8f(}\x90.",
    "a tensor as a key": b"}" + tensor() + b"Ns.",
    "a function as a value": b"]" + named("collections", "OrderedDict") + b"a.",
    "a function as a key": b"}" + named("collections", "OrderedDict") + b"Ns.",
    "a storage as a value": storage() + b".",
    "an array without a dtype": called(
        named("numpy.core.multiarray", "_reconstruct"), named("numpy", "ndarray"), tupled(number(0)), text("b")
    )
    + tupled(number(1), tupled(number(2)), b"N", b"\x89", text("ab"))
    + b"b.",
    "an array of objects": called(named("numpy", "dtype"), text("O8"), b"\x89", b"\x88") + b".",
    "an array of another class": called(named("numpy.core.multiarray", "_reconstruct"), b"N", b")", b"N") + b".",
    "a dtype with fields": called(named("numpy", "dtype"), text("i4"), b"\x89", b"\x88")
    + tupled(number(3), text("<"), b"N", tupled(text("a")), b"}", number(-1), number(-1), number(0))
    + b"b.",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_pickles_that_make_no_sense_are_told(name: str) -> None:
    refused(zipped(b"\x80\2" + DAMAGED[name], a=FOUR))
    refused(legacy(b"\x80\2" + DAMAGED[name], "a", LEGACY_FOUR))


@given(st.binary(max_size=100))
def test_any_bytes_as_a_pickle_are_told_or_plain(program: bytes) -> None:
    for data in (zipped(program), legacy(program)):
        told(iter([data]), lambda result: None)


# -- small files that would be large, or take long -----------------------------------------------------------

DEEP = {
    "tuples": b")" + b"\x85" * 30_000 + b".",
    "tuples as a key": b"})" + b"\x85" * 30_000 + b"Ns.",
    "lists": b"]" * 50_000 + b"a" * 49_999 + b".",
    "a list in itself": b"]q\0h\0a.",
    "a dict in itself": b"}q\0" + text("a") + b"h\0s.",
    "lists in each other": b"]q\0]q\1h\0aa.",
}


@pytest.mark.parametrize("name", DEEP)
def test_depth(name: str) -> None:
    refused(
        zipped(b"\x80\2" + DEEP[name]), "key" if "key" in name else "nested deeper than 100 levels, or contains itself"
    )


def test_what_is_just_not_too_deep() -> None:
    value: Any = 1
    for _ in range(100):
        value = [value]
    assert_same(loaded(zipped(pickle.dumps(value, 2))), value)
    refused(zipped(pickle.dumps([value], 2)), "nested deeper")


def test_laughter_by_the_billion_stays_shared() -> None:
    """Lists of ten times the same list, thirty levels deep: as many objects as there are in the file."""
    value: Any = []
    for _ in range(30):
        value = [value] * 10
    tracemalloc.start()
    result = loaded(zipped(pickle.dumps(value, 2)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20
    assert result[0] is result[9]


BIG = 200_000
COPIES = {
    "bytes": named("_codecs", "encode") + b"q\0" + text("x" * BIG) + text("latin1") + b"\x86q\1",
    "bytearrays": named("builtins", "bytearray") + b"q\0" + text("x" * BIG) + text("latin1") + b"\x86q\1",
    "sets": named("builtins", "set")
    + b"q\0]("
    + b"".join(b"J" + struct.pack("<i", i) for i in range(BIG // 5))
    + b"e\x85q\1",
    "sizes": named("torch", "Size") + b"q\0](" + b"K\1" * (BIG // 2) + b"e\x85q\1",
    "dicts": named("collections", "OrderedDict") + b"q\0](" + b"K\1K\2\x86" * (BIG // 5) + b"e\x85q\1",
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_of_the_same_values(name: str) -> None:
    refused(zipped(b"\x80\2](" + COPIES[name] + b"h\0h\1R" * 1000 + b"e."), "copies the same values again and again")


def test_arrays_of_the_same_bytes() -> None:
    make = called(named("numpy.core.multiarray", "_reconstruct"), named("numpy", "ndarray"), b")", b"N")
    dtype = called(named("numpy", "dtype"), text("u1"))
    state = tupled(number(1), tupled(number(BIG)), dtype, b"\x89", b"B" + struct.pack("<I", BIG) + bytes(BIG)) + b"q\1"
    program = b"\x80\2](" + make + state + b"b" + (make + b"h\1b") * 500 + b"e."
    refused(zipped(program), "copies the same values again and again")


def test_arrays_have_memory_of_their_own() -> None:
    make = called(named("numpy.core.multiarray", "_reconstruct"), named("numpy", "ndarray"), b")", b"N")
    dtype = called(named("numpy", "dtype"), text("u1"))
    state = (
        tupled(number(1), tupled(number(100_000)), dtype, b"\x89", b"B" + struct.pack("<I", 100_000) + bytes(100_000))
        + b"q\1"
    )
    program = b"\x80\2](" + make + state + b"b" + make + b"h\1b" + text("x" * 200_000) + b"e."
    one, other, _ = loaded(zipped(program))
    one[:] = 7
    assert one.sum() == 7 * 100_000
    assert other.sum() == 0
    assert loaded(zipped(program))[0].sum() == 0


@pytest.mark.parametrize("make", [zipped, legacy])
@pytest.mark.parametrize(
    "program",
    [
        b"Nr\xff\xff\xff\x7f.",
        b"Nr\xff\xff\xff\xff" + b"j\xff\xff\xff\xff" + b"\x86.",
        b"\x8b\xff\xff\xff\x7f\0.",
        b"\x8b\xff\xff\xff\xff\0.",
        b"X\xff\xff\xff\xffabc.",
        b"\x8d\xff\xff\xff\xff\xff\0\0\0abc.",
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc.",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\xffabc.",
        b"\x96\xff\xff\xff\xff\xff\xff\xff\x7fabc.",
        b"\x95\xff\xff\xff\xff\xff\xff\xff\x7f" + b"(",
        b"L" + b"9" * 100_000 + b"L\n.",
        b"I" + b"9" * 100_000 + b"\n.",
        called(named("builtins", "bytearray"), number(2**40)) + b".",
        called(named("builtins", "bytes"), number(2**40)) + b".",
        called(
            named("numpy.core.numeric", "_frombuffer"),
            *(number(2**40), called(named("numpy", "dtype"), text("u1")), tupled(number(2**40)), text("C")),
        )
        + b".",
        called(named("torch", "Size"), number(2**40)) + b".",
        called(named("numpy", "dtype"), text("U999999999999")) + b".",
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, bytes) else "",
)
def test_numbers_that_ask_for_room(make: Callable[[bytes], bytes], program: bytes, tmp_path: Path) -> None:
    """A memo's index, lengths of text and of numbers: only what is there takes room."""
    data = make(b"\x80\2" + program)
    if b"r\xff\xff\xff" in program:
        assert loaded(data) in (None, (None, None))
    else:
        refused(data)
        # From a file, whose stream makes room for as much as is asked for.
        (tmp_path / "x.pt").write_bytes(data)
        with pytest.raises(tg.CheckpointError):
            tg.load(tmp_path / "x.pt")


def test_keys_that_take_long_to_hash() -> None:
    refused(zipped(b"\x80\2}" + tupled(b"K\1" * 1000) + b"q\0Ns" + b"h\0Ns" * 10 + b"."), "a tuple of 1000 as a key")
    colliding = b"".join(number(i * (2**61 - 1)) + b"N" for i in range(2000))
    refused(zipped(b"\x80\2}(" + colliding + b"u."), "a huge number, as a key")


# -- tensors that claim what is not there ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (tensor((5,), (1,)), "of shape (5,) that is larger than its storage"),
        (tensor((2, 2), (3, 1)), "larger than its storage"),
        (tensor((2, 2), (2, 1), 1), "larger than its storage"),
        (tensor((1,), (1,), 4), "larger than its storage"),
        (tensor((), (), 4), "larger than its storage"),
        (tensor((2**40,), (1,)), "larger than its storage"),
        (tensor((2**40, 2**40), (2**40, 1)), "larger than its storage"),
        (tensor((2**62,), (2**62,)), "larger than its storage"),
        (tensor((2,), (-1,), 3), "no natural numbers"),
        (tensor((2,), (1,), -1), "no natural numbers"),
        (tensor((-2,), (1,)), "no natural numbers"),
        (tensor((-2, -2), (2, 1)), "no natural numbers"),
        (tensor((2, 2), (2,)), "of what is none"),
        (tensor((1,) * 65, (0,) * 65), "has a tensor of 65 axes"),
        (tensor((2**28,), (0,)), "they repeat the same values"),
        (tensor((2**62,) * 64, (0,) * 64), "they repeat the same values"),
        (tensor((2**63,), (0,)), "no natural numbers, or too large"),
        (tensor((2**20000,), (0,)), "no natural numbers, or too large"),
        (tensor((2**62, 2**62, 0), (1, 1, 1)), "damaged"),
        (tensor((1,), (2**62,)), "damaged"),
        (tensor((1,), (2**70,)), "or too large"),
        (tensor(source=b"N"), "of what is none"),
        (tensor(rest=b"\x89N}" + text("sparse") + b"\x88s"), "of a kind that is not known"),
        (tensor(rest=b"\x89NK\1"), "a int where a dict must be"),
        (
            called(named("torch._utils", "_rebuild_tensor_v2"), storage(), number(0), b"N", b"N", b"N", b"N"),
            "a tuple must be",
        ),
        (called(named("torch._utils", "_rebuild_tensor_v2"), storage(), b"\x88", b")", b")", b"N", b"N"), "no natural"),
        (called(named("torch._utils", "_rebuild_parameter"), b"N", b"\x88", b"N"), "a parameter of what is no tensor"),
        (
            called(named("torch._tensor", "_rebuild_from_type_v2"), named("builtins", "set"), b"N", b")", b"N"),
            "makes a tensor of what is none",
        ),
        (
            called(named("torch._utils", "_rebuild_tensor_v3"), storage(), b"K\0", b")", b")", b"N", b"N", text("f4")),
            "a tensor without a dtype",
        ),
        (tensor(source=storage(-4)), "no natural numbers"),
        (tensor(source=storage(2**62)), "of entry 'a'"),
        (tensor(source=storage(3), size=(1,), stride=(1,)), "its tensors need 12 bytes of entry 'a', which has 16"),
        (tensor(source=storage(5)), "its tensors need 20 bytes of entry 'a', which has 16"),
        (tensor(source=storage(4, "DoubleStorage")), "its tensors need 32 bytes"),
        (tensor(source=storage(key="b")), "its tensors need 16 bytes of entry 'b', which has none"),
        (tensor(source=storage(key="../data.pkl")), "which has none"),
        (b"](" + tensor() + tensor(source=storage(5)) + b"e", "different things of their storage"),
        (b"](" + tensor() * 2 + storage() + b"e", "'a bare storage' as a value"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_claims(program: bytes, words: str) -> None:
    refused(zipped(b"\x80\2" + program + b".", a=FOUR), words)
    refused(legacy(b"\x80\2" + program + b".", "a", LEGACY_FOUR))


def test_strides_that_do_not_matter() -> None:
    """Of an axis of length 1, or of no elements at all."""
    for size, stride, wanted in (((1, 2), (10**6, 1), [[0, 1]]), ((0, 2), (10**6, 9), [])):
        assert loaded(zipped(b"\x80\2" + tensor(size, stride) + b".", a=FOUR)).tolist() == wanted


def view(key: str, start: int, count: int) -> bytes:
    identity = (text("storage"), named("torch", "FloatStorage"), text("a"), text("cpu"), number(4))
    return tupled(*identity, tupled(text(key), number(start), number(count))) + b"Q"


def test_parts_of_storages_as_the_older_format_had_them() -> None:
    program = b"\x80\2" + tensor((2,), (1,), 0, view("v", 1, 3)) + b"."
    assert loaded(legacy(program, "a", LEGACY_FOUR)).tolist() == [1, 2]
    for size, offset, part in (((3,), 1, view("v", 1, 3)), ((1,), 0, view("v", 2, 3)), ((1,), 0, view("v", -1, 3))):
        refused(legacy(b"\x80\2" + tensor(size, (1,), offset, part) + b".", "a", LEGACY_FOUR))


@pytest.mark.parametrize(
    ("keys", "storages", "words"),
    [
        ((), b"", "are not the same ones"),
        (("a", "a"), LEGACY_FOUR * 2, "are not the same ones"),
        (("a", "b"), LEGACY_FOUR * 2, "are not the same ones"),
        ((1,), LEGACY_FOUR, "a str must be"),
        ({"a": 1}, LEGACY_FOUR, "a list must be"),
        (("a",), b"", "cut short"),
        (("a",), LEGACY_FOUR[:-1], "cut short"),
        (("a",), struct.pack("<q", 3) + FOUR, "another size"),
        (("a",), struct.pack("<q", -4) + FOUR, "another size"),
        (("a",), struct.pack("<q", 2**62) + FOUR, "another size"),
    ],
)
def test_storages_of_the_older_format(keys: Any, storages: bytes, words: str) -> None:
    refused(legacy(b"\x80\2" + tensor() + b".", keys, storages), words)


def test_a_storage_that_claims_more_than_the_file_has() -> None:
    program = b"\x80\2" + tensor(source=storage(2**44)) + b"."
    refused(legacy(program, "a", struct.pack("<q", 2**44) + FOUR), "cut short")
    refused(zipped(program, a=FOUR), "of entry 'a', which has 16")


def test_other_beginnings_of_the_older_format() -> None:
    magic, version = pickle.dumps(MAGIC, 2), pickle.dumps(1001, 2)
    refused(magic, "cut short")
    refused(magic + pickle.dumps(1002, 2) + pickle.dumps({}, 2) + b"\x80\2N.\x80\2].", "no checkpoint of PyTorch's")
    refused(magic + version + pickle.dumps([], 2) + b"\x80\2N.\x80\2].", "no checkpoint of PyTorch's")
    refused(
        pickle.dumps([MAGIC], 2) + version + pickle.dumps({}, 2) + b"\x80\2N.\x80\2].", "no checkpoint of PyTorch's"
    )
    assert loaded(magic + version + pickle.dumps({}, 2) + b"\x80\2N.\x80\2].") is None


# -- archives -------------------------------------------------------------------------------------------------


def archived(*entries: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return file.getvalue()


NONE = ("x/data.pkl", b"\x80\2N.")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (archived(("data.pkl", b"\x80\2N.")), "neither did torch.save()"),
        (archived(("x/y/data.pkl", b"\x80\2N.")), "neither did torch.save()"),
        (archived(NONE, ("y/data.pkl", b"\x80\2N.")), "neither did torch.save()"),
        (
            archived(NONE, ("x/constants.pkl", b"\x80\2)."), ("x/code/y.py", b"")),
            "a TorchScript archive, which holds a program",
        ),
        (archived(NONE, ("x/byteorder", b"middle")), "unknown order of bytes"),
        (archived(NONE, ("x/.format_version", b"2")), "a newer PyTorch wrote it"),
        (archived(NONE, ("x/data/0", bytes(10**7)), method=zipfile.ZIP_DEFLATED), "are compressed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_archives(data: bytes, words: str) -> None:
    refused(data, words)


def test_ordinary_archives() -> None:
    for rest in ((), (("x/byteorder", b"little"),), (("x/.format_version", b"1"), ("x/version", b"3\n"))):
        assert loaded(archived(NONE, *rest)) is None


def test_checksums_of_storages_are_compared() -> None:
    data = zipped(b"\x80\2" + tensor() + b".", a=FOUR)
    place = data.index(FOUR)
    for damaged in (data[:place] + b"\1" + data[place + 1 :], data[: place + 15] + b"\0" + data[place + 16 :]):
        refused(damaged, "damaged")


# -- damage ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["views.pt", "views.legacy.pt", "containers.pt", "containers.legacy.pt"])
def test_every_shortened_file_is_told(name: str) -> None:
    whole = (FILES / name).read_bytes()
    cuts = [whole[:length] for length in range(0, len(whole), 7)]
    assert told(iter(cuts), lambda result: pytest.fail(f"loaded {result}")) == len(cuts)


@pytest.mark.parametrize("name", ["views.pt", "containers.pt"])
def test_damage_of_archives_is_told_or_harmless(name: str) -> None:
    whole = (FILES / name).read_bytes()
    wanted = loaded(whole)
    assert told(flips(whole, 1000), lambda result: assert_same(result, wanted)) > 350
    assert told(pieces(whole, 100), lambda result: assert_same(result, wanted)) > 200


@pytest.mark.parametrize("name", ["views.legacy.pt", "containers.legacy.pt"])
def test_damage_of_the_older_format_is_told_or_gives_plain_values(name: str) -> None:
    """It has no checksums: a number may be another one."""
    whole = (FILES / name).read_bytes()

    def check(result: Any) -> None:
        machine = pickles.Machine({}, lambda _: None, (tg.Tensor,), 0)
        machine._require_plain(result)

    assert told(flips(whole, 1000), check) > 200
    assert told(pieces(whole, 100), check) > 200


def test_the_traps_would_spring(tmp_path: Path) -> None:
    """Python's own unpickler falls into them: the tests above would not see that nothing happens if nothing could."""
    pickle.loads(pickle.dumps(traps(tmp_path)["os.mkdir"], 2))
    assert os.listdir(tmp_path) == ["sprung"]
    assert builtins.eval is eval
