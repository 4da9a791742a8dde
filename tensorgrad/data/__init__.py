"""Datasets, the loader that makes batches of them, the bundled digits, and MNIST."""

from __future__ import annotations

from tensorgrad.data.collate import collate
from tensorgrad.data.dataset import Dataset, Subset, TensorDataset, random_split
from tensorgrad.data.digits import load_digits
from tensorgrad.data.idx import read_idx
from tensorgrad.data.loader import DataLoader
from tensorgrad.data.mnist import find_mnist, load_mnist

__all__ = [
    "DataLoader",
    "Dataset",
    "Subset",
    "TensorDataset",
    "collate",
    "find_mnist",
    "load_digits",
    "load_mnist",
    "random_split",
    "read_idx",
]
