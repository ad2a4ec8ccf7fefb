"""The linear transforms of minimal filtering along one axis, with exact numbers.

A tile of cells of a correlation is computed from as many numbers as the tile and the taps
have, less one. The cells that the tile reads are the values of a polynomial, and so are the
taps; a product of polynomials takes one multiplication per point at which both are known.
The last point is infinity. Source: S. Winograd, Arithmetic Complexity of Computations.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from lxc.ir.types import Array

ZERO = Fraction(0)
Rows = list[list[Fraction]]


def input_rows(points: Sequence[Fraction]) -> Rows:
    """Return the transform of the cells that a tile reads, a row per point.

    The row of a finite point, of which `points` has all, holds the coefficients of the
    product of (x - q) over all other points q.
    """
    rows = [product([q for q in points if q != p]) for p in points]
    return [*([*row, ZERO] for row in rows), product(points)]


def weight_rows(points: Sequence[Fraction], taps: int) -> Rows:
    """Return the transform of the taps, a row per point."""
    rows = []
    for p in points:
        scale = Fraction(1)
        for q in points:
            scale *= p - q if q != p else 1
        rows.append([p**power / scale for power in range(taps)])
    return [*rows, [ZERO] * (taps - 1) + [Fraction(1)]]


def output_rows(points: Sequence[Fraction], tile: int) -> Rows:
    """Return the transform of the products to the cells of a tile, a row per cell."""
    return [
        [*(p**power for p in points), Fraction(int(power == tile - 1))]
        for power in range(tile)
    ]


def product(points: Sequence[Fraction]) -> list[Fraction]:
    """Return the coefficients of the product of (x - p), the lowest power first."""
    result = [Fraction(1)]
    for p in points:
        shifted, scaled = [ZERO, *result], [-p * entry for entry in (*result, ZERO)]
        result = [a + b for a, b in zip(shifted, scaled, strict=True)]
    return result


def number_array(rows: Rows, dtype: np.dtype[Any]) -> Array:
    """Return fractions as an array of floats."""
    return np.array([[float(entry) for entry in row] for row in rows], dtype)
