"""Checkpoints: saving, and loading what tensorgrad, safetensors and PyTorch have saved; nothing is ever executed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import IO, Any

from tensorgrad import backend
from tensorgrad.errors import CheckpointError
from tensorgrad.serialization import native, pytorch, safetensors
from tensorgrad.serialization.files import File, archive, opened, replaced, require_binary

OTHERS = {
    b"\x80": "it is a pickle that torch.save() did not write, and was not opened",
    b"\x89HDF": "it is an HDF5 file, as Keras writes them: tensorgrad does not read these",
    b"\x93NUMPY": "it is an array of NumPy's: read it with numpy.load",
}
"""Files that are taken for checkpoints, by how they begin."""


def save(obj: Any, path: File, metadata: Mapping[str, str] | None = None) -> None:
    """Writes ``obj`` to a file, wholly or not at all.

    The suffix chooses the format: ``.safetensors`` is that of Hugging Face's models (and needs the library
    ``safetensors``), everything else is an ``.npz`` archive, which NumPy can read too.

    Args:
        obj: dicts (with keys of type str or int), lists and tuples, nested in any way, of Tensors, arrays of NumPy and
            CuPy, NumPy's scalars, None, bool, int, float, str and bytes. Subclasses of these come back as the type
            itself. Of a Tensor its values are saved, not its gradient or its place in a graph. A ``.safetensors`` file
            holds one dict of Tensors and arrays by name, all of which come back as Tensors, in another order maybe.
        path: where to; its folder must exist. An older file is replaced in one go, after everything was written to a
            temporary file beside it, so an interrupted save leaves it as it was. May also be a binary file object,
            which an ``.npz`` archive is simply written to.
        metadata: text by name, for ``.safetensors`` only; :func:`read_metadata` gives it back.

    Raises:
        TypeError: for an object that cannot be saved; says where in the structure it is. Nothing is written then.
        ValueError: for a suffix of PyTorch's, whose files are read, not written; for metadata of an ``.npz``.
        OSError: if the file cannot be written.
        ImportError: if the library ``safetensors`` is missing.

    Example:
        >>> import io
        >>> import tensorgrad as tg
        >>> file = io.BytesIO()
        >>> tg.save({"weight": tg.tensor([1.0, 2.0]), "epoch": 3}, file)
        >>> tg.load(file)
        {'weight': Tensor([1., 2.], dtype=float32, device='cpu'), 'epoch': 3}
    """
    if isinstance(path, (str, os.PathLike)) and format_of(path) == safetensors.SUFFIX:
        data = safetensors.write(obj, metadata)
        with replaced(path) as stream:
            stream.write(data)
        return
    if metadata is not None:
        raise ValueError("metadata is for .safetensors files: in others it can be part of the structure.")
    write = native.writer(obj)
    if isinstance(path, (str, os.PathLike)):
        with replaced(path) as stream:
            write(stream)
    else:
        require_binary(path, "write")
        write(path)


def format_of(path: str | os.PathLike[str]) -> str:
    """The format that :func:`save` writes to a path: ``".npz"`` or ``".safetensors"``.

    Raises:
        ValueError: for a suffix of PyTorch's.

    Example:
        >>> import tensorgrad as tg
        >>> tg.serialization.format_of("best.safetensors")
        '.safetensors'
    """
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    if suffix in pytorch.SUFFIXES:
        raise ValueError(
            f"{suffix} files are PyTorch's, and are read by load() but not written: save as .safetensors, which "
            "safetensors.torch.load_file() reads in PyTorch, or as .npz."
        )
    return safetensors.SUFFIX if suffix == safetensors.SUFFIX else native.SUFFIX


def load(path: File, device: str | None = None) -> Any:
    """Reads what :func:`save` wrote, ``.safetensors`` files, and PyTorch's checkpoints. Nothing in it is executed.

    What the file is shows in its content, not in its name. Of PyTorch's files both kinds are read that ``torch.save``
    has written, without PyTorch, as far as they hold tensors, containers and plain values: state dicts of models and
    optimizers, and dicts of these. An ``OrderedDict`` becomes a dict, a ``torch.Size`` a tuple, a device its name.

    Args:
        path: a file's path, or a binary file object.
        device: where Tensors, and bare arrays that were on a GPU, are put: by default on the CPU, wherever they were.

    Returns:
        What was saved. Tensors (parameters too) come back as Tensors with the same dtype and memory of their own,
        outside any graph and with ``requires_grad=False``; arrays of NumPy as such. Elements that NumPy has no dtype
        for (bfloat16, 8-bit floats) are widened to float32, exactly.

    Raises:
        FileNotFoundError: if there is no such file.
        CheckpointError: if it is no checkpoint, cut short, damaged, written by a newer version of tensorgrad, or holds
            something else than tensors, containers and plain values.
        DeviceError: if there is no such device.
        ImportError: for a ``.safetensors`` file, if the library ``safetensors`` is missing.

    Example:
        >>> import tensorgrad as tg
        >>> model = tg.nn.Linear(3, 2)
        >>> tg.save(model.state_dict(), "model.npz")
        >>> model.load_state_dict(tg.load("model.npz"))
        IncompatibleKeys(missing_keys=[], unexpected_keys=[])
    """
    device = backend.canonical_device(device or "cpu")
    with opened(path) as (stream, called):
        try:
            return _read(stream, device)
        except CheckpointError as error:
            raise CheckpointError(f"cannot load {called}: {error}.") from error
        except (MemoryError, ImportError):
            raise
        except Exception as error:
            # Damage shows itself in zipfile, json, pickletools and NumPy in a dozen ways.
            raise CheckpointError(
                f"cannot load {called}: it is no checkpoint, cut short, or damaged ({error})."
            ) from error


def read_metadata(path: File) -> dict[str, str]:
    """The metadata of a ``.safetensors`` file; its tensors are not read.

    Raises:
        FileNotFoundError: if there is no such file.
        CheckpointError: if it is no such file, or damaged.

    Example:
        >>> import tensorgrad as tg
        >>> tg.save({"weight": tg.ones(2)}, "model.safetensors", metadata={"licence": "MIT"})
        >>> tg.serialization.read_metadata("model.safetensors")
        {'licence': 'MIT'}
    """
    with opened(path) as (stream, called):
        try:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(0)
            return safetensors.read_metadata(stream, size)
        except CheckpointError as error:
            raise CheckpointError(f"cannot read {called}: {error}.") from error
        except (ValueError, RecursionError) as error:
            raise CheckpointError(f"cannot read {called}: it is no safetensors file, or damaged ({error}).") from error


def _read(stream: IO[bytes], device: str) -> Any:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(64)
    stream.seek(0)
    if not head:
        raise CheckpointError("it is empty, or cut short")
    if safetensors.looks_like(head, size):
        return safetensors.read(stream, device)
    if pytorch.looks_legacy(head):
        return pytorch.read_legacy(stream, device)
    for beginning, what in OTHERS.items():
        if head.startswith(beginning):
            raise CheckpointError(what)
    with archive(stream) as entries:
        if native.DOCUMENT in entries.namelist():
            return native.read(entries, device)
        return pytorch.read_zip(entries, size, device)
