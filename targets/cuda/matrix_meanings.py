"""What the matrix intrinsics of cards mean, in NumPy, after the documentation of PTX.

A fragment is the part of a matrix that one lane holds. Lane 4g+t belongs to group g, where
it is number t; both numbers say which rows and columns its registers hold.
"""

import numpy as np

from lxc.targets.cuda.meanings import LANES, Array, Place

GROUP = np.arange(LANES)[:, None] // 4
MEMBER = np.arange(LANES)[:, None] % 4
PAIR = np.arange(2)
ONLY_TF32 = np.uint32(0xFFFFE000)
"""The bits of a float32 that a product of TF32 numbers reads."""


def matrices(row: Place) -> Array:
    """Return four 8 by 8 matrices of 16 bits each; lane 8i+j names row j of number i."""
    return row.read("uint16", 8, align=16).reshape(4, 8, 8)


def give_pairs(to: Place, found: Array) -> None:
    """Give lane 4g+t the elements 2t and 2t+1 of row g of each matrix, in one register."""
    pairs = np.ascontiguousarray(found).view("uint32").reshape(4, LANES)
    to.write(pairs.T, align=4)


def load_matrices(to: Place, row: Place) -> None:
    """Read four matrices."""
    give_pairs(to, matrices(row))


def load_matrices_turned(to: Place, row: Place) -> None:
    """Read four matrices, each with its rows and columns exchanged."""
    give_pairs(to, matrices(row).transpose(0, 2, 1))


def placed(held: Array, rows: Array, columns: Array, shape: tuple[int, int]) -> Array:
    """Return the matrix of which each lane holds some elements."""
    matrix = np.zeros(shape, "float64")
    matrix[rows, columns] = held
    return matrix


def add_product(sums: Place, x: Array, y: Array) -> None:
    """Add a product to the 16 by 8 result that the lanes hold, rounded once.

    A card adds in an order, and with roundings, that are its own.
    """
    rows = np.concatenate([GROUP, GROUP, GROUP + 8, GROUP + 8], axis=1)
    columns = np.tile(MEMBER * 2 + PAIR, 2)
    before = placed(sums.read("float32", 4, align=4), rows, columns, (16, 8))
    with np.errstate(over="ignore", invalid="ignore"):
        after = (before + x @ y).astype("float32")
    sums.write(after[rows, columns], align=4)


def multiply_halves(dtype: str, sums: Place, x: Place, y: Place) -> None:
    """Add the product of 16 by 16 and 16 by 8 numbers of 16 bits, two per register."""
    pairs = MEMBER * 2 + PAIR
    rows = np.concatenate([GROUP, GROUP, GROUP + 8, GROUP + 8] * 2, axis=1)
    columns = np.concatenate([pairs, pairs, pairs + 8, pairs + 8], axis=1)
    left = placed(x.read(dtype, 8, align=4), rows, columns, (16, 16))
    deep = np.concatenate([pairs, pairs + 8], axis=1)
    across = np.repeat(GROUP, 4, axis=1)
    right = placed(y.read(dtype, 4, align=4), deep, across, (16, 8))
    add_product(sums, left, right)


def multiply_bf16(sums: Place, x: Place, y: Place) -> None:
    """Add a product of bfloat16 numbers."""
    multiply_halves("bfloat16", sums, x, y)


def multiply_f16(sums: Place, x: Place, y: Place) -> None:
    """Add a product of float16 numbers."""
    multiply_halves("float16", sums, x, y)


def multiply_tf32(sums: Place, x: Place, y: Place) -> None:
    """Add the product of 16 by 8 and 8 by 8 numbers, of which the low bits are not read."""
    rows = np.concatenate([GROUP, GROUP + 8, GROUP, GROUP + 8], axis=1)
    columns = np.concatenate([MEMBER, MEMBER, MEMBER + 4, MEMBER + 4], axis=1)
    left = placed(read_tf32(x, 4), rows, columns, (16, 8))
    deep = np.concatenate([MEMBER, MEMBER + 4], axis=1)
    right = placed(read_tf32(y, 2), deep, np.repeat(GROUP, 2, axis=1), (8, 8))
    add_product(sums, left, right)


def read_tf32(place: Place, count: int) -> Array:
    """Return float32 numbers without the bits that are not read."""
    return (place.read("uint32", count, align=4) & ONLY_TF32).view("float32")
