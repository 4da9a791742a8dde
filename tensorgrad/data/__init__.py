"""Datasets, samplers, the loader that makes batches, transforms of images, the bundled digits, MNIST, and CIFAR."""

from __future__ import annotations

from tensorgrad.data import transforms
from tensorgrad.data.cifar import (
    CIFAR10_CLASSES,
    CIFAR100_CLASSES,
    CIFAR100_COARSE_CLASSES,
    load_cifar10,
    load_cifar100,
)
from tensorgrad.data.collate import collate
from tensorgrad.data.dataset import (
    ConcatDataset,
    Dataset,
    IterableDataset,
    MapDataset,
    Subset,
    TensorDataset,
    random_split,
)
from tensorgrad.data.digits import load_digits
from tensorgrad.data.folder import ImageFolder, read_image
from tensorgrad.data.idx import read_idx
from tensorgrad.data.images import CIFAR10, CIFAR100, MNIST, FashionMNIST
from tensorgrad.data.loader import DataLoader
from tensorgrad.data.mnist import FASHION_MNIST_CLASSES, find_mnist, load_fashion_mnist, load_mnist
from tensorgrad.data.samplers import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    StratifiedSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from tensorgrad.data.table import CSVDataset
from tensorgrad.data.workers import WorkerInfo, get_worker_info

__all__ = [
    "CIFAR10",
    "CIFAR10_CLASSES",
    "CIFAR100",
    "CIFAR100_CLASSES",
    "CIFAR100_COARSE_CLASSES",
    "FASHION_MNIST_CLASSES",
    "FashionMNIST",
    "MNIST",
    "load_cifar10",
    "load_cifar100",
    "load_fashion_mnist",
    "BatchSampler",
    "CSVDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "ImageFolder",
    "IterableDataset",
    "MapDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StratifiedSampler",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "WorkerInfo",
    "collate",
    "find_mnist",
    "get_worker_info",
    "load_digits",
    "load_mnist",
    "random_split",
    "read_idx",
    "read_image",
    "transforms",
]
