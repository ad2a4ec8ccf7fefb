"""Random numbers from an explicit key: one key gives the same numbers on every target."""

from math import pi
from typing import Any

import numpy as np

from lxc.ir.dim import Size
from lxc.ir.functions.conversion import astype
from lxc.ir.functions.elementwise import multiply, right_shift, sqrt, subtract
from lxc.ir.functions.exponential import log
from lxc.ir.functions.indexing import getitem
from lxc.ir.functions.shape import reshape
from lxc.ir.functions.trigonometric import cos
from lxc.ir.ops import random as ops
from lxc.ir.tensor import apply

UNIT = 2.0**-24
"""The distance between neighbouring values of `random_uniform`."""


def random_bits(key: Any, shape: tuple[Size, ...]) -> Any:
    """Return u32 random bits for a key u32[2]."""
    return apply(ops.random_bits, key, shape=tuple(shape))


def random_uniform(key: Any, shape: tuple[Size, ...]) -> Any:
    """Return float32 numbers in [0, 1): the upper 24 bits of each word times 2**-24."""
    bits = right_shift(random_bits(key, shape), np.uint32(8))
    return multiply(astype(bits, np.float32), np.float32(UNIT))


def random_normal(key: Any, shape: tuple[Size, ...]) -> Any:
    """Return float32 numbers from N(0, 1): sqrt(-2 log(1 - u)) cos(2 pi v).

    u and v are `random_uniform` of the two keys that `key` splits into. Box, Muller, "A
    Note on the Generation of Random Normal Deviates" (1958).
    """
    first, second = random_split(key)
    radius = sqrt(multiply(log(subtract(1, random_uniform(first, shape))), -2))
    return multiply(radius, cos(multiply(random_uniform(second, shape), 2 * pi)))


def random_split(key: Any, count: int = 2) -> list[Any]:
    """Return `count` new keys; by convention the first is the next state of a generator."""
    keys = apply(ops.random_split, key, count=count)
    return [reshape(getitem(keys, index), (2,)) for index in range(count)]
