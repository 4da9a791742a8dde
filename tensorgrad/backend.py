"""Array libraries and devices: the one file that knows CuPy may be missing.

Everything above this file is written for *an* array library. Here, and only here, is said which library
an array belongs to, what its device is called, and how bytes cross from one to another.

A device is a string: ``"cpu"``, ``"cuda"`` (the first GPU), ``"cuda:1"``, ...
"""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from types import ModuleType
from typing import Any

import numpy as np

from tensorgrad.errors import DeviceError

Array = Any
"""A bare array of any registered library, for annotations."""


class Backend(ABC):
    """One array library: its namespace, its array type, its devices.

    A library is added by an instance of a subclass and :func:`register`; nothing else in tensorgrad
    names a library (the kernels, which are written per library, aside).
    """

    name: str
    """The library's name, as error messages and :mod:`tensorgrad.kernels` know it."""
    device_type: str
    """What its devices are called, before the colon."""
    xp: ModuleType | Any
    """The namespace that rules and forwards are given as ``xp``."""
    array_type: type
    synchronous: bool = False
    """Whether values are there at once, so that to look at them is not to wait for a device."""
    overlaps: bool = False
    """Whether :meth:`stage` copies while the device computes."""

    def device(self, array: Array) -> str:
        """The device that holds ``array``."""
        return self.device_type

    def count(self) -> int:
        """How many devices there are."""
        return 1

    @abstractmethod
    def from_numpy(self, array: np.ndarray, device: str) -> Array:
        """A host array on ``device``."""

    @abstractmethod
    def to_numpy(self, array: Array) -> np.ndarray:
        """The values of ``array`` on the host."""

    def stage(self, array: np.ndarray, device: str) -> Array:
        """A host array on ``device``, copied there while the device computes, where it can."""
        return self.from_numpy(array, device)

    def move(self, array: Array, device: str) -> Array:
        """``array`` on another device of this library."""
        return array

    def address(self, array: Array) -> int | None:
        """Where in memory the first element is; None if that cannot be told."""
        return None

    def zeros(self, shape: tuple[int, ...], dtype: Any, device: str) -> Array:
        """Zeros on ``device``."""
        return self.xp.zeros(shape, dtype=dtype)


class NumPyBackend(Backend):
    """NumPy: the CPU."""

    name = "numpy"
    device_type = "cpu"
    xp = np
    array_type = np.ndarray
    synchronous = True

    def from_numpy(self, array: np.ndarray, device: str) -> np.ndarray:
        return array

    def to_numpy(self, array: np.ndarray) -> np.ndarray:
        return np.asarray(array)

    def address(self, array: np.ndarray) -> int:
        address: int = array.__array_interface__["data"][0]
        return address


class CuPyBackend(Backend):
    """CuPy: NVIDIA GPUs."""

    name = "cupy"
    device_type = "cuda"
    overlaps = True

    def __init__(self, cupy: ModuleType) -> None:
        self.xp = cupy
        self.array_type = cupy.ndarray
        self._copying: dict[str, Any] = {}
        self._on_their_way: list[tuple[Any, np.ndarray]] = []

    def _index(self, device: str) -> int:
        return int(device.partition(":")[2] or 0)

    def count(self) -> int:
        return int(self.xp.cuda.runtime.getDeviceCount())

    def device(self, array: Array) -> str:
        index = array.device.id
        return f"cuda:{index}" if index else "cuda"

    def from_numpy(self, array: np.ndarray, device: str) -> Array:
        with self.xp.cuda.Device(self._index(device)):
            return self.xp.asarray(array)

    def stage(self, array: np.ndarray, device: str) -> Array:
        if not array.size:
            return self.from_numpy(array, device)
        cuda = self.xp.cuda
        with cuda.Device(self._index(device)):
            if device not in self._copying:
                self._copying[device] = cuda.Stream(non_blocking=True)
            copying, computing = self._copying[device], cuda.get_current_stream()
            memory = cuda.alloc_pinned_memory(array.nbytes)
            pinned = np.frombuffer(memory, array.dtype, array.size).reshape(array.shape)
            pinned[...] = array
            # Its memory is of the stream that computes, which may not be done with what was there before.
            copy = self.xp.empty(array.shape, array.dtype)
            copying.wait_event(computing.record())
            copy.set(pinned, stream=copying)
            done = copying.record()
            computing.wait_event(done)
            # Pinned memory is used again as soon as nobody holds it.
            self._on_their_way = [(event, held) for event, held in self._on_their_way if not event.done]
            self._on_their_way.append((done, pinned))
            return copy

    def to_numpy(self, array: Array) -> np.ndarray:
        return array.get()

    def address(self, array: Array) -> int:
        address: int = array.data.ptr
        return address

    def move(self, array: Array, device: str) -> Array:
        with self.xp.cuda.Device(self._index(device)):
            return self.xp.asarray(array)

    def zeros(self, shape: tuple[int, ...], dtype: Any, device: str) -> Array:
        with self.xp.cuda.Device(self._index(device)):
            return self.xp.zeros(shape, dtype=dtype)


NUMPY = NumPyBackend()
_backends: dict[str, Backend] = {"cpu": NUMPY}
_by_type: dict[type, Backend] = {np.ndarray: NUMPY}


def register(backend: Backend) -> None:
    """Makes the devices and arrays of an array library known."""
    _backends[backend.device_type] = backend
    _by_type[backend.array_type] = backend


def for_device(device: str) -> Backend:
    """The library that works on ``device``.

    Raises:
        DeviceError: if there is no such device, or the library for it is missing; says which.
    """
    kind = device.partition(":")[0] if isinstance(device, str) else device
    backend = _backends.get(kind)
    if backend is not None:
        return backend
    if kind != "cuda":
        known = ", ".join(map(repr, _device_types()))
        raise DeviceError(f"unknown device {device!r}: expected one of {known}, or 'cuda:N' for the GPU numbered N.")
    backend = _load_cupy()
    register(backend)
    return backend


def names_device(name: str) -> bool:
    """Whether ``name`` is how a device might be called, be it there or not."""
    return name.partition(":")[0] in _device_types()


def _device_types() -> list[str]:
    return sorted({*_backends, "cuda"})


def canonical_device(device: str) -> str:
    """``device`` under its usual name: ``"cuda:0"`` is ``"cuda"``. Raises for a device that is not there."""
    library = for_device(device)
    kind, colon, number = library.device_type, *device.partition(":")[1:]
    if colon and not number.isdigit():
        raise DeviceError(f"unknown device {device!r}: after the colon comes a number, as in 'cuda:1'.")
    if not colon or not int(number):
        return kind
    if int(number) >= (count := library.count()):
        there = f"there is 1 {kind!r} device" if count == 1 else f"there are {count} {kind!r} devices"
        raise DeviceError(f"device {device!r} was asked for, but {there}, and they are counted from 0.")
    return f"{kind}:{int(number)}"


def cuda_is_available() -> bool:
    """Whether CuPy is installed and finds a GPU. Imports CuPy.

    Example:
        >>> device = "cuda" if tg.cuda_is_available() else "cpu"
    """
    try:
        for_device("cuda")
    except DeviceError:
        return False
    return True


def _load_cupy() -> CuPyBackend:
    install = (
        "install the extra cuda13 (or cuda12, by the CUDA version that nvidia-smi shows): "
        'pip install -e ".[cuda13]" in the folder of tensorgrad, or pip install "cupy-cuda13x[ctk]"'
    )
    try:
        import cupy
    except ImportError as error:
        raise DeviceError(f"device 'cuda' needs CuPy, which is not installed: {install}.") from error
    # The import succeeds on a machine without a GPU or driver; only this tells.
    if not cupy.is_available():
        raise DeviceError(
            "device 'cuda' was asked for and CuPy is installed, but it finds no CUDA device: check that nvidia-smi "
            f"lists a GPU and that the CuPy wheel fits the driver's CUDA version: {install}."
        )
    return CuPyBackend(cupy)


def of(array: Array) -> Backend | None:
    """The library of ``array``; None if it is no array of a known library (NumPy's scalars count as NumPy's)."""
    backend = _by_type.get(type(array))
    if backend is None:
        if isinstance(array, (np.ndarray, np.generic)):
            return NUMPY
        # An array of CuPy's reaches us before anyone asked for the device: CuPy has then been imported.
        cupy = sys.modules.get("cupy")
        if cupy is not None and isinstance(array, cupy.ndarray):
            return for_device("cuda")
    return backend


def namespace(array: Array) -> Any:
    """The namespace for ``array``: of its library, or the one it names itself (a Tensor names tensorgrad)."""
    backend = _by_type.get(type(array)) or of(array)
    return array.__array_namespace__() if backend is None else backend.xp


def device_of(array: Array) -> str:
    """The device that holds ``array``."""
    backend = of(array)
    assert backend is not None
    return backend.device(array)


def can_look(array: Array) -> bool:
    """Whether the values of ``array`` can be looked at without waiting for a device."""
    backend = of(array)
    return backend is not None and backend.synchronous


def span(array: Array) -> tuple[float, float]:
    """Where the bytes of ``array`` are: from the address of the first to behind the last."""
    backend = of(array)
    start = None if backend is None else backend.address(array)
    if start is None:
        return -math.inf, math.inf
    steps = [(n - 1) * step for n, step in zip(array.shape, array.strides, strict=True) if n]
    return start + sum(min(step, 0) for step in steps), start + sum(max(step, 0) for step in steps) + array.itemsize


def zeros(shape: tuple[int, ...], dtype: Any, like: Array) -> Array:
    """Zeros in the library and on the device of ``like``."""
    backend = of(like)
    assert backend is not None
    return backend.zeros(shape, dtype, backend.device(like))


def transfer(array: Array, device: str) -> Array:
    """``array`` on ``device``: itself if it is there already."""
    device = canonical_device(device)
    source, target = of(array), for_device(device)
    assert source is not None
    if source.device(array) == device:
        return array
    if source is target:
        return source.move(array, device)
    return target.from_numpy(source.to_numpy(array), device)


def stage(array: Array, device: str) -> Array:
    """As :func:`transfer`; from the host to a GPU while that computes."""
    source, target = of(array), for_device(device)
    if source is NUMPY and target is not NUMPY:
        return target.stage(array, canonical_device(device))
    return transfer(array, device)


def owner(array: Array) -> Array:
    """The array whose memory ``array`` looks at: itself, or the one that it is a view of."""
    base = array.base
    while hasattr(base, "base"):
        array, base = base, base.base
    return array
