"""Objects sent to another process: arrays go by memory that both see, everything else by the connection itself."""

from __future__ import annotations

import mmap
import os
import pickle
from collections.abc import Iterator
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

SHARED_FROM = 64 << 10
"""Bytes of arrays from which on memory is shared: fewer fit into a connection, whose other end need not be reading."""
BUFFER_FROM = 4 << 10
"""Bytes from which on an array is not copied into the pickle."""
ALIGNMENT = 64
CAN_SHARE = hasattr(os, "memfd_create")
"""Linux has memory with no name: there is nothing to be left behind, whoever is killed, and no limit of /dev/shm."""


class Packed:
    """An object as bytes: a pickle, and the memory of its arrays, which is not copied.

    Args:
        value: the object.

    Raises:
        TypeError: or AttributeError or ``pickle.PicklingError``, if it has a part that cannot be pickled.
    """

    def __init__(self, value: Any) -> None:
        self.buffers: list[memoryview] = []
        self.pickled = pickle.dumps(value, protocol=5, buffer_callback=self._keep)
        self.sizes = [buffer.nbytes for buffer in self.buffers]

    def _keep(self, buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < BUFFER_FROM:
            return True
        self.buffers.append(raw)
        return False

    def send(self, *connections: Connection) -> None:
        """Sends it, to each the same memory.

        Raises:
            OSError: if nobody is at the other end.
        """
        shared = CAN_SHARE and sum(self.sizes) >= SHARED_FROM
        header = pickle.dumps((self.pickled, self.sizes, shared))
        memory = self._written() if shared else None
        try:
            for connection in connections:
                connection.send_bytes(header)
                if memory is not None:
                    reduction.send_handle(connection, memory, None)
                    continue
                for buffer in self.buffers:
                    connection.send_bytes(buffer)
        finally:
            if memory is not None:
                os.close(memory)

    def _written(self) -> int:
        memory = os.memfd_create("tensorgrad")
        try:
            for buffer, (place, size) in zip(self.buffers, _places(self.sizes), strict=True):
                done = 0
                while done < size:
                    done += os.pwrite(memory, buffer[done:], place + done)
        except BaseException:
            os.close(memory)
            raise
        return memory


def send(connection: Connection, value: Any) -> None:
    """Sends an object; :func:`receive` gets it."""
    Packed(value).send(connection)


def receive(connection: Connection, keep_shared: bool = False) -> Any:
    """What :func:`send` sent.

    Args:
        connection: where from.
        keep_shared: whether arrays stay in the memory that is shared (what is written there is seen by nobody else),
            for something large that several processes get; else they are copied out of it.

    Raises:
        EOFError: if there is nothing to come any more.
        OSError: if what comes breaks off.
    """
    pickled, sizes, shared = pickle.loads(connection.recv_bytes())
    buffers: list[Any] = []
    if not shared:
        for size in sizes:
            buffers.append(np.empty(size, np.uint8))
            connection.recv_bytes_into(buffers[-1])
        return pickle.loads(pickled, buffers=buffers)
    memory = reduction.recv_handle(connection)
    try:
        if keep_shared:
            whole = memoryview(mmap.mmap(memory, 0, access=mmap.ACCESS_COPY))
            buffers = [whole[place : place + size] for place, size in _places(sizes)]
        else:
            buffers = [_read(memory, place, size) for place, size in _places(sizes)]
    finally:
        os.close(memory)
    return pickle.loads(pickled, buffers=buffers)


def _read(memory: int, place: int, size: int) -> Any:
    buffer: Any = np.empty(size, np.uint8)
    done = 0
    while done < size:
        read = os.preadv(memory, [buffer[done:]], place + done)
        if not read:
            raise OSError(f"shared memory ends {size - done} bytes too early.")
        done += read
    return buffer


def _places(sizes: list[int]) -> Iterator[tuple[int, int]]:
    """Where each buffer lies in shared memory, and its size."""
    place = 0
    for size in sizes:
        yield place, size
        place += -(-size // ALIGNMENT) * ALIGNMENT
