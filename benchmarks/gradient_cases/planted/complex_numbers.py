"""Planted errors in functions of complex numbers."""

from __future__ import annotations

import numpy as np

from benchmarks.gradient_cases.case import normal, planted

Z = normal(5) + 1j * normal(5, seed=1)
W = normal(5, seed=2) + 1j * normal(5, seed=3)
CZ = normal(3, 3) + 1j * normal(3, 3, seed=1)
CW = normal(3, 3, seed=2) + 1j * normal(3, 3, seed=3)


def _discrete_fourier(x):
    n = len(x)
    k = np.arange(n)
    return np.exp(-2j * np.pi * np.outer(k, k) / n) @ x


def _fourier_gradient(sign: int, scale: float):
    def backward(g, x):
        k = np.arange(len(x))
        return scale * np.exp(sign * 2j * np.pi * np.outer(k, k) / len(x)) @ g

    return backward


def _complex(name, about, f, right, wrong, *inputs):
    return planted(name, about, f, right, wrong, *inputs)


CASES = [
    _complex(
        "complex square, no conjugate",
        "2 z for conj(2 z)",
        np.square,
        lambda g, z: g * np.conj(2 * z),
        lambda g, z: 2 * g * z,
        Z,
    ),
    _complex(
        "complex product, no conjugate",
        "of one of the factors",
        lambda z, w: z * w,
        lambda g, z, w: (g * np.conj(w), g * np.conj(z)),
        lambda g, z, w: (g * w, g * np.conj(z)),
        Z,
        W,
    ),
    _complex("conjugate, as it is", "g for conj(g)", np.conj, lambda g, z: np.conj(g), lambda g, z: g.copy(), Z),
    _complex(
        "conjugate of the whole",
        "the gradient of JAX's convention",
        np.exp,
        lambda g, z: g * np.conj(np.exp(z)),
        lambda g, z: np.conj(g) * np.exp(z),
        Z,
    ),
    _complex(
        "squared modulus, conjugated",
        "2 conj(z) for 2 z",
        lambda z: (z * np.conj(z)).real,
        lambda g, z: 2 * g * z,
        lambda g, z: 2 * g * np.conj(z),
        Z,
    ),
    _complex(
        "squared modulus, half",
        "Wirtinger's derivative, z for 2 z",
        lambda z: (z * np.conj(z)).real,
        lambda g, z: 2 * g * z,
        lambda g, z: g * z,
        Z,
    ),
    _complex(
        "modulus, real",
        "the real part of z / |z|",
        np.abs,
        lambda g, z: g * z / np.abs(z),
        lambda g, z: g * (z / np.abs(z)).real + 0j,
        Z,
    ),
    _complex("imaginary part", "1 for 1j", np.imag, lambda g, z: 1j * g, lambda g, z: g + 0j, Z),
    _complex("imaginary part, its sign", "-1j for 1j", np.imag, lambda g, z: 1j * g, lambda g, z: -1j * g, Z),
    _complex("real part, twice", "2 for 1", np.real, lambda g, z: g + 0j, lambda g, z: 2 * g + 0j, Z),
    _complex(
        "angle",
        "its sign",
        np.angle,
        lambda g, z: 1j * g * z / np.abs(z) ** 2,
        lambda g, z: -1j * g * z / np.abs(z) ** 2,
        Z,
    ),
    _complex(
        "complex matmul, transposed only",
        "not conjugated",
        np.matmul,
        lambda g, a, b: (g @ b.conj().T, a.conj().T @ g),
        lambda g, a, b: (g @ b.T, a.T @ g),
        CZ,
        CW,
    ),
    _complex(
        "Fourier transform, itself",
        "for its conjugate",
        _discrete_fourier,
        _fourier_gradient(1, 1.0),
        _fourier_gradient(-1, 1.0),
        Z,
    ),
    _complex(
        "Fourier transform, inverse",
        "1 / n too many",
        _discrete_fourier,
        _fourier_gradient(1, 1.0),
        _fourier_gradient(1, 0.2),
        Z,
    ),
    _complex(
        "real input of a complex function",
        "the modulus for the real part",
        lambda x: np.exp(1j * x),
        lambda g, x: (g * np.conj(1j * np.exp(1j * x))).real,
        lambda g, x: np.abs(g * np.conj(1j * np.exp(1j * x))),
        normal(5),
    ),
    _complex(
        "complex, 1e-5 in the imaginary part",
        "of all entries",
        np.sin,
        lambda g, z: g * np.conj(np.cos(z)),
        lambda g, z: g * np.conj(np.cos(z)) + 2e-5j * (g * np.conj(np.cos(z))).imag,
        Z,
    ),
]
