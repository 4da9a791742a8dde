"""Transforms of images: arrays (C, H, W), and whole batches (N, C, H, W) at once; with torchvision's names."""

from tensorgrad.data.transforms.geometry import (
    CenterCrop,
    Pad,
    RandomAffine,
    RandomCrop,
    RandomHorizontalFlip,
    RandomRotation,
    RandomShift,
    RandomVerticalFlip,
    Resize,
)
from tensorgrad.data.transforms.images import Compose, Transform
from tensorgrad.data.transforms.mixing import CutMix, MixUp
from tensorgrad.data.transforms.values import ColorJitter, GaussianNoise, Normalize, RandomErasing, ToFloat

__all__ = [
    "CenterCrop",
    "ColorJitter",
    "Compose",
    "CutMix",
    "GaussianNoise",
    "MixUp",
    "Normalize",
    "Pad",
    "RandomAffine",
    "RandomCrop",
    "RandomErasing",
    "RandomHorizontalFlip",
    "RandomRotation",
    "RandomShift",
    "RandomVerticalFlip",
    "Resize",
    "ToFloat",
    "Transform",
]
