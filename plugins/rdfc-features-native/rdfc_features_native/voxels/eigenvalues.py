"""Eigenvalues of small symmetric matrices, for which a call into LAPACK takes longer than its work.

Source: Householder reduction and implicit QL (Martin, Reinsch & Wilkinson 1968; EISPACK's tred1
and imtql1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled, compiled_sums

Values = NDArray[np.float64]

MOST_STEPS = 60
"""Of QL for one eigenvalue; a handful is usual."""


@compiled
def eigenvalues(matrix: Values, diagonal: Values, beside: Values) -> None:
    """Find all eigenvalues of a symmetric matrix.

    Args:
        matrix: (n, n), overwritten.
        diagonal: For the eigenvalues, in no order, (n,).
        beside: Scratch, (n,).
    """
    _tridiagonal(matrix, diagonal, beside)
    _implicit_ql(diagonal, beside)


@compiled
def _tridiagonal(a: Values, diagonal: Values, beside: Values) -> None:
    """Reduce to tridiagonal form; ``beside[0]`` is 0, ``beside[i]`` couples i − 1 and i."""
    n = a.shape[0]
    for i in range(n - 1, 0, -1):
        scale = 0.0
        for k in range(i):
            scale += abs(a[i, k])
        if i == 1 or scale == 0:
            beside[i] = a[i, i - 1]
            continue
        h = 0.0
        for k in range(i):
            a[i, k] /= scale
            h += a[i, k] * a[i, k]
        f = a[i, i - 1]
        g = -np.sqrt(h) if f >= 0 else np.sqrt(h)
        beside[i] = scale * g
        h -= f * g
        a[i, i - 1] = f - g
        f = 0.0
        for j in range(i):
            beside[j] = _dot(a[j, :i], a[i, :i]) / h
            f += beside[j] * a[i, j]
        half = f / (h + h)
        for j in range(i):
            f = a[i, j]
            g = beside[j] - half * f
            beside[j] = g
        for j in range(i):  # both triangles: rows are read faster than columns
            f, g = a[i, j], beside[j]
            for k in range(i):
                a[j, k] -= f * beside[k] + g * a[i, k]
    for i in range(n):
        diagonal[i] = a[i, i]
    beside[0] = 0.0


@compiled_sums
def _dot(one: Values, other: Values) -> float:
    total = 0.0
    for k in range(one.size):
        total += one[k] * other[k]
    return total


@compiled
def _implicit_ql(diagonal: Values, beside: Values) -> None:
    n = diagonal.size
    for i in range(1, n):
        beside[i - 1] = beside[i]
    beside[n - 1] = 0.0
    for low in range(n):
        for _ in range(MOST_STEPS):
            end = low
            while end < n - 1:
                near = abs(diagonal[end]) + abs(diagonal[end + 1])
                if near + abs(beside[end]) == near:
                    break
                end += 1
            if end == low:
                break
            g = (diagonal[low + 1] - diagonal[low]) / (2 * beside[low])
            r = np.hypot(g, 1.0)
            g = diagonal[end] - diagonal[low] + beside[low] / (g + (r if g >= 0 else -r))
            s, c, p = 1.0, 1.0, 0.0
            finished = True
            for i in range(end - 1, low - 1, -1):
                f, b = s * beside[i], c * beside[i]
                r = np.sqrt(f * f + g * g)
                beside[i + 1] = r
                if r == 0:
                    diagonal[i + 1] -= p
                    beside[end] = 0.0
                    finished = False
                    break
                s, c = f / r, g / r
                g = diagonal[i + 1] - p
                r = (diagonal[i] - g) * s + 2 * c * b
                p = s * r
                diagonal[i + 1] = g + p
                g = c * r - b
            if finished:
                diagonal[low] -= p
                beside[low] = g
                beside[end] = 0.0
