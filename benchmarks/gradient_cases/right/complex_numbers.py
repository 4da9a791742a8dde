"""Right gradients of functions of complex numbers."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.gradient_cases.case import normal, right
from benchmarks.gradient_cases.formulas import (
    relu,
)

Z = normal(4) + 1j * normal(4, seed=1)
W = normal(4, seed=2) + 1j * normal(4, seed=3)
CZ = normal(2, 3) + 1j * normal(2, 3, seed=1)
CW = normal(3, 2, seed=2) + 1j * normal(3, 2, seed=3)


def _fourier(x):
    k = np.arange(len(x))
    return np.exp(-2j * np.pi * np.outer(k, k) / len(x)) @ x


def _fourier_gradient(g, x):
    k = np.arange(len(x))
    return np.exp(2j * np.pi * np.outer(k, k) / len(x)) @ g


CASES = [
    right("complex exponential", "holomorphic", np.exp, lambda g, z: g * np.conj(np.exp(z)), Z),
    right(
        "complex product and quotient",
        "holomorphic",
        lambda z, w: z * z / w,
        lambda g, z, w: (g * np.conj(2 * z / w), -g * np.conj(z * z / (w * w))),
        Z,
        W,
    ),
    right("complex conjugate", "not holomorphic", np.conj, lambda g, z: np.conj(g), Z),
    right("squared modulus", "complex in, real out", lambda z: (z * np.conj(z)).real, lambda g, z: 2 * g * z, Z),
    right("modulus", "complex in, real out", np.abs, lambda g, z: g * z / np.abs(z), Z),
    right(
        "modulus at 0",
        "a kink in the plane: 0",
        np.abs,
        lambda g, z: g * np.array([0j, 0.6 + 0.8j]),
        np.array([0j, 3 + 4j]),
    ),
    right(
        "modulus at 0: 0.6i",
        "a kink in the plane: any number of the disc",
        np.abs,
        lambda g, z: g * np.array([0.6j]),
        np.array([0j]),
    ),
    right("angle", "complex in, real out", np.angle, lambda g, z: 1j * g * z / np.abs(z) ** 2, Z),
    right("real part", "complex in, real out", np.real, lambda g, z: g + 0j, Z),
    right(
        "imaginary part squared", "complex in, real out", lambda z: np.imag(z) ** 2, lambda g, z: 2j * g * np.imag(z), Z
    ),
    right(
        "wave of a real phase",
        "real in, complex out",
        lambda x: np.exp(1j * x),
        lambda g, x: (g * np.conj(1j * np.exp(1j * x))).real,
        normal(4),
    ),
    right("complex matrices", "their product", np.matmul, lambda g, a, b: (g @ np.conj(b.T), np.conj(a.T) @ g), CZ, CW),
    right("Fourier transform", "of a complex line", _fourier, _fourier_gradient, Z),
    right(
        "real times complex",
        "inputs of both kinds",
        lambda x, z: x * z,
        lambda g, x, z: ((g * np.conj(z)).real, g * x),
        normal(4),
        Z,
    ),
    right("complex of 1e-8", "small inputs", np.sin, lambda g, z: g * np.conj(np.cos(z)), 1e-8 * Z),
    right(
        "complex polynomial",
        "near a root",
        lambda z: z**3 - 1,
        lambda g, z: g * np.conj(3 * z * z),
        np.exp(2j * math.pi / 3 * np.arange(3)) + 1e-9,
    ),
    right(
        "complex ReLU",
        "of real and imaginary part, at zeros",
        lambda z: relu(np.real(z)) + 1j * relu(np.imag(z)),
        lambda g, z: g.real * (np.real(z) > 0) + 1j * g.imag * (np.imag(z) > 0),
        np.array([0.5 + 0j, -1j, 0.3 - 0.2j, 0j]),
    ),
]
