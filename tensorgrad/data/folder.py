"""Images in folders, one folder for each class."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tensorgrad.data.dataset import Dataset

EXTENSIONS = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")


class ImageFolder(Dataset):
    """Images that lie in a folder for each class: ``root/cat/1.png``, ``root/dog/any/depth/2.jpg``, ...

    Sample ``i`` is an image, uint8 of shape (C, H, W), and the number of its class. Images are read when they are asked
    for, with Pillow.

    Args:
        root: the folder.
        transform: called with the image; see :mod:`tensorgrad.data.transforms`.
        mode: Pillow's name for the colours: ``"RGB"``, ``"L"`` (grey) or ``"RGBA"``.
        extensions: of the files that are images.
        target_transform: called with the number of the class.

    Attributes:
        classes: the names of the folders, in alphabetical order.
        class_to_idx: their numbers.
        samples: the path of each image and the number of its class, in alphabetical order.
        targets: the numbers alone.

    Raises:
        FileNotFoundError: if there is no such folder, no folder in it, or one of them has no images.
        ImportError: if Pillow is missing.
        OSError: when asked for an image that cannot be read; says which.

    Example:
        >>> import pathlib, tempfile
        >>> from PIL import Image
        >>> root = pathlib.Path(tempfile.mkdtemp())
        >>> for name in ("cat", "dog"):
        ...     (root / name).mkdir()
        ...     Image.new("RGB", (5, 4), (255, 0, 0)).save(root / name / "1.png")
        >>> animals = ImageFolder(root)
        >>> len(animals), animals.classes, animals[1][0].shape, animals[1][1]
        (2, ['cat', 'dog'], (3, 4, 5), 1)
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        transform: Callable[[Any], Any] | None = None,
        mode: str = "RGB",
        extensions: tuple[str, ...] = EXTENSIONS,
        target_transform: Callable[[Any], Any] | None = None,
    ) -> None:
        _pillow()
        if mode not in ("RGB", "L", "RGBA"):
            raise ValueError(f"ImageFolder reads 'RGB', 'L' or 'RGBA', not {mode!r}.")
        self.root, self.mode = Path(root).expanduser(), mode
        self.transform, self.target_transform = transform, target_transform
        if not self.root.is_dir():
            raise FileNotFoundError(f"there is no folder {str(self.root)!r}.")
        self.classes = sorted(entry.name for entry in self.root.iterdir() if entry.is_dir() and entry.name[0] != ".")
        if not self.classes:
            raise FileNotFoundError(f"{str(self.root)!r} has no folders, one for each class.")
        self.class_to_idx = {name: number for number, name in enumerate(self.classes)}
        self.samples: list[tuple[Path, int]] = []
        for name, number in self.class_to_idx.items():
            files = sorted(path for path in (self.root / name).rglob("*") if path.suffix.lower() in extensions)
            if not files:
                raise FileNotFoundError(f"{str(self.root / name)!r} has no images ({', '.join(extensions)}).")
            self.samples += [(path, number) for path in files]
        self.targets = [number for _, number in self.samples]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self.samples[index]
        image: Any = read_image(path, self.mode)
        image = image if self.transform is None else self.transform(image)
        return image, target if self.target_transform is None else self.target_transform(target)

    def __len__(self) -> int:
        return len(self.samples)

    def __repr__(self) -> str:
        return f"ImageFolder({str(self.root)!r}: {len(self)} images of {len(self.classes)} classes)"


def read_image(path: str | os.PathLike[str], mode: str = "RGB") -> np.ndarray:
    """An image file as an array.

    Args:
        path: the file, in any format that Pillow knows.
        mode: Pillow's name for the colours: ``"RGB"``, ``"L"`` (grey) or ``"RGBA"``.

    Returns:
        uint8 of shape (C, H, W). An image that says how it is turned is turned.

    Raises:
        ImportError: if Pillow is missing.
        OSError: if it cannot be read.

    Example:
        >>> import pathlib, tempfile
        >>> from PIL import Image
        >>> path = pathlib.Path(tempfile.mkdtemp(), "grey.png")
        >>> Image.new("L", (3, 2), 7).save(path)
        >>> read_image(path, "L")
        array([[[7, 7, 7],
                [7, 7, 7]]], dtype=uint8)
    """
    image_module, ops = _pillow()
    try:
        with image_module.open(path) as image:
            pixels = np.asarray(ops.exif_transpose(image).convert(mode))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, SyntaxError, image_module.DecompressionBombError) as error:
        raise OSError(f"{os.fspath(path)} cannot be read as an image: {error}.") from error
    return np.ascontiguousarray(np.moveaxis(pixels.reshape((*pixels.shape[:2], -1)), -1, 0))


def _pillow() -> tuple[Any, Any]:
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise ImportError("images are read with Pillow: pip install pillow.") from None
    return Image, ImageOps
