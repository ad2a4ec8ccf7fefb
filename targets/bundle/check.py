"""The check that a bundle brings: inputs by a rule, and what has to come out.

The rule is that of `lxc_drawn` in the C text of bundles. Its numbers are multiples of 1/64
from -2 to below 2, which every type of floats has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np

from lxc.ir.types import Array
from lxc.runtime.signature import DTYPES, Leaf

MOST_ELEMENTS = 1024
"""So many elements of a result are compared."""


@dataclass(frozen=True)
class Expected:
    """Some elements of one result, and how far each may be off.

    They are elements 0, `stride`, 2 * `stride`, ..., counted around the end of result
    `place`; states follow the outputs.
    """

    place: int
    dtype: str
    stride: int
    allowed: float
    exact: Array


@dataclass(frozen=True)
class Check:
    """Sizes of the dimensions in their order, and what is expected at them."""

    dims: tuple[int, ...]
    expected: tuple[Expected, ...]


def expected(place: int, leaf: Leaf, exact: Array, allowed: float) -> Expected:
    """Return what is expected of a result; `allowed` is relative to its largest element."""
    flat = np.asarray(exact, np.float64).ravel()
    finite = np.abs(flat[np.isfinite(flat)])
    scale = float(finite.max(initial=0.0)) or 1.0
    stride = stride_of(flat.size)
    count = min(flat.size, MOST_ELEMENTS)
    chosen = np.arange(count) * stride % max(1, flat.size)
    return Expected(place, leaf.dtype, stride, allowed * scale, flat[chosen])


def stride_of(size: int) -> int:
    """Return a step that meets elements all over a result, and every one at most once."""
    stride = max(1, -(-size // MOST_ELEMENTS))
    while gcd(stride, size) > 1:
        stride += 1
    return stride


def drawn_inputs(leaves: Sequence[Leaf], sizes: Mapping[str, int]) -> list[Array]:
    """Return the inputs of a check."""
    return [drawn(place, leaf, sizes) for place, leaf in enumerate(leaves)]


def drawn(place: int, leaf: Leaf, sizes: Mapping[str, int]) -> Array:
    """Return one input."""
    shape, dtype = leaf.shape_at(sizes), DTYPES[leaf.dtype]
    words = drawn_words(place, int(np.prod(shape, dtype=np.int64)))
    if dtype.kind == "b":
        numbers = words >> np.uint64(63) == 1
    elif dtype.kind in "iu":
        whole = words % np.uint64(leaf.below) if leaf.below else words >> np.uint64(61)
        numbers = whole.astype(dtype)
    else:
        numbers = ((words >> np.uint64(56)).astype(np.float64) - 128) / 64
    return np.asarray(numbers.reshape(shape).astype(dtype))


def drawn_words(place: int, count: int) -> Array:
    """Return words of 64 bits that depend on their places only."""
    with np.errstate(over="ignore"):
        z = np.arange(count, dtype=np.uint64) + np.uint64(place << 48)
        z += np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(z ^ (z >> np.uint64(31)))
