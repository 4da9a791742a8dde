"""Builds ``tensorgrad/data/digits.npz`` from scikit-learn's copy of the UCI digits.

Run once, by hand: ``python scripts/make_digits.py`` (needs scikit-learn). The bytes are the same on every run with
the same zlib: the members' dates are fixed, as is their order. Source and licence: ``tensorgrad/data/DIGITS.md``.
"""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

TARGET = Path(__file__).resolve().parents[1] / "tensorgrad" / "data" / "digits.npz"
EARLIEST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Writes arrays as ``numpy.savez_compressed`` does, but with fixed dates."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", EARLIEST_ZIP_DATE)
            member.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(member, "w") as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)


def main() -> None:
    """Writes the file and says how large it is."""
    parser = argparse.ArgumentParser(description="Build the bundled digits from scikit-learn's load_digits.")
    parser.add_argument("--output", type=Path, default=TARGET, help="the file to write (default: %(default)s)")
    output = parser.parse_args().output
    digits = load_digits()
    images, labels = digits.images.astype(np.uint8), digits.target.astype(np.uint8)
    if images.shape != (1797, 8, 8) or not np.array_equal(images, digits.images) or images.max() != 16:
        raise SystemExit("load_digits() is not what it was: expected 1797 images of 8x8 whole numbers from 0 to 16.")
    write_npz(output, {"images": images, "labels": labels})
    print(f"{output}: {len(images)} images, {output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
