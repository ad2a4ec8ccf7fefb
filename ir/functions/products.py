"""NumPy's products that are built from others: inner, outer, kron, cross, convolve."""

from typing import Any

import numpy as np

from lxc.errors import LxcError
from lxc.ir.functions.axes import atleast
from lxc.ir.functions.elementwise import multiply, subtract
from lxc.ir.functions.indexing import getitem
from lxc.ir.functions.joining import known_size
from lxc.ir.functions.linear import conv, matmul, tensordot, typed_alike
from lxc.ir.functions.shape import (
    expand_dims,
    flip,
    moveaxis,
    ravel,
    reshape,
    squeeze,
    stack,
)
from lxc.ir.tensor import implements, shape_of


@implements(np.inner)
def inner(x: Any, y: Any) -> Any:
    """Return sums of products over the last axes of both; scalars multiply."""
    if not shape_of(x) or not shape_of(y):
        return multiply(x, y)
    return tensordot(x, y, ((-1,), (-1,)))


@implements(np.outer)
def outer(x: Any, y: Any) -> Any:
    """Return the products of every element of x with every element of y."""
    x, y = typed_alike(x, y)
    return multiply(expand_dims(ravel(x), 1), expand_dims(ravel(y), 0))


@implements(np.vdot)
def vdot(x: Any, y: Any) -> Any:
    """Return the sum of products of all elements in C order."""
    x, y = typed_alike(x, y)
    return tensordot(ravel(x), ravel(y), 1)


@implements(np.vecdot)
def vecdot(x: Any, y: Any, *, axis: int = -1) -> Any:
    """Return sums of products along one axis; the others broadcast."""
    x, y = (moveaxis(operand, axis, -1) for operand in typed_alike(x, y))
    return squeeze(matmul(expand_dims(x, -2), expand_dims(y, -1)), (-2, -1))


@implements(np.matvec)
def matvec(x: Any, y: Any) -> Any:
    """Return products of matrices with vectors; leading axes broadcast."""
    x, y = typed_alike(x, y)
    return squeeze(matmul(x, expand_dims(y, -1)), -1)


@implements(np.vecmat)
def vecmat(x: Any, y: Any) -> Any:
    """Return products of vectors with matrices; leading axes broadcast."""
    x, y = typed_alike(x, y)
    return squeeze(matmul(expand_dims(x, -2), y), -2)


@implements(np.kron)
def kron(x: Any, y: Any) -> Any:
    """Return blocks: y times every element of x, side by side."""
    x, y = typed_alike(x, y)
    rank = max(len(shape_of(x)), len(shape_of(y)))
    x, y = atleast(x, rank), atleast(y, rank)
    left = expand_dims(x, tuple(range(1, 2 * rank, 2)))
    right = expand_dims(y, tuple(range(0, 2 * rank, 2)))
    sizes = zip(shape_of(x), shape_of(y), strict=True)
    return reshape(multiply(left, right), tuple(a * b for a, b in sizes))


@implements(np.cross)
def cross(x: Any, y: Any, axis: int = -1) -> Any:
    """Return the vectors at right angles to pairs of vectors of three numbers."""
    x, y = (moveaxis(operand, axis, -1) for operand in typed_alike(x, y))
    if shape_of(x)[-1] != 3 or shape_of(y)[-1] != 3:
        raise LxcError(
            "LXC-E0103",
            "cross takes vectors of three numbers",
            actual=f"{shape_of(x)[-1]} and {shape_of(y)[-1]} numbers",
        )
    a = [getitem(x, (..., place)) for place in range(3)]
    b = [getitem(y, (..., place)) for place in range(3)]
    parts = [
        subtract(multiply(a[i], b[j]), multiply(a[j], b[i]))
        for i, j in ((1, 2), (2, 0), (0, 1))
    ]
    return moveaxis(stack(parts, -1), -1, axis)


@implements(np.correlate)
def correlate(x: Any, y: Any, mode: str = "valid") -> Any:
    """Return sums of products of x with y moved along it.

    `mode` says how far: "valid" where both overlap in full, "same" for as many results as
    the longer one has entries, "full" wherever they overlap.
    """
    x, y = typed_alike(x, y)
    if len(shape_of(x)) != 1 or len(shape_of(y)) != 1:
        raise LxcError("LXC-E0103", "both operands are vectors")
    if known_size(x, 0) < known_size(y, 0):
        return flip(correlate(y, x, mode), 0)
    size = known_size(y, 0)
    if size == 0 or mode not in ("valid", "same", "full"):
        raise LxcError(
            "LXC-E0103",
            "vectors without entries, or an unknown mode",
            expected="valid, same or full",
            actual=f"{mode}, {size} entries",
        )
    sides = {
        "valid": (0, 0),
        "same": (size // 2, size - size // 2 - 1),
        "full": (size - 1, size - 1),
    }[mode]
    taps, cells = expand_dims(y, (0, 1)), expand_dims(x, (0, 1))
    return ravel(conv(cells, taps, strides=(1,), padding=(sides,)))


@implements(np.convolve)
def convolve(x: Any, y: Any, mode: str = "full") -> Any:
    """Return sums of products of x with y reversed and moved along it, as `correlate`."""
    x, y = typed_alike(x, y)
    if known_size(y, 0) > known_size(x, 0):
        x, y = y, x
    return correlate(x, flip(y, 0), mode)
